package snippets

import (
	"strings"

	"github.com/ddlsp/ddlsp/templates"
)

// elixirItems completes in an .exs file.
func elixirItems(c Context) []Item {
	p, ok := at(c.Text, c.Offset)
	if !ok {
		return nil
	}
	// The text without the word that is being typed.
	rest := c.Text[:p.start] + strings.Repeat(" ", p.end-p.start) + c.Text[p.end:]
	o := readOutline(rest, p.start)
	if o.inText {
		return nil
	}
	switch {
	case o.blank:
		return c.ectoFiles(p)
	case o.inTable:
		return c.ectoColumns(p, strings.HasPrefix(o.head, "alter"))
	case o.direction != "":
		return c.ectoBodies(p, rest, o)
	}
	return nil
}

func (c Context) ectoFiles(p place) []Item {
	var out []Item
	module := c.Module
	if module == "" {
		module = "Repo.Migrations." + Camelize(c.Name)
	}
	c.each(templates.Ecto, func(t *templates.Template, part templates.Part, later []templates.Part) {
		b, _ := part.Body(templates.Ecto)
		if t.Statement || b.Up == "" {
			return
		}
		text := part.EctoText(templates.EctoFile{Module: module, Use: c.Use, AdvisoryLock: c.AdvisoryLock})
		out = append(out, c.item(p, t, part, later, templates.Ecto, text))
	})
	return out
}

func (c Context) ectoColumns(p place, alter bool) []Item {
	var out []Item
	// A column is what is wanted here, whatever the migration is called.
	c.first = nil
	for _, name := range []string{"add_column", "add_foreign_key"} {
		if t := templates.Find(c.templates(), name); t != nil {
			c.first = append(c.first, t)
		}
	}
	c.each(templates.Ecto, func(t *templates.Template, part templates.Part, later []templates.Part) {
		b, _ := part.Body(templates.Ecto)
		text := b.InCreate
		if alter {
			text = b.InAlter
		}
		if text != "" {
			out = append(out, c.item(p, t, part, nil, templates.Ecto, text))
		}
	})
	return out
}

// ectoBodies completes inside def change, def up or def down.
func (c Context) ectoBodies(p place, rest string, o outline) []Item {
	var out []Item
	c.each(templates.Ecto, func(t *templates.Template, part templates.Part, later []templates.Part) {
		b, _ := part.Body(templates.Ecto)
		// Statements that must not share a transaction share no file either.
		if part.NoTransaction && !o.empty && !o.noTransaction {
			return
		}
		var edits []Edit
		text := b.Change
		values := c.Values(t, templates.Ecto)
		switch {
		case o.direction == "change" && b.Change == "":
			// Only two directions can say it: the empty change becomes up and down.
			if !o.empty || b.Down == "" {
				return
			}
			text = b.Up
			down := "\n\n" + o.indent + "def down do\n" + b.Down.Indent(o.indent+"  ").Fill(values) + "\n" + o.indent + "end"
			edits = []Edit{{o.name, o.name + len("change"), "up"}, {o.end, o.end, down}}
		case o.direction == "up":
			text = b.Up
			if b.Down != "" && o.partner >= 0 {
				edits = []Edit{{o.partner, o.partner, "\n" + b.Down.Indent(o.indent+"  ").Fill(values)}}
			} else if b.Down != "" && o.down > 0 {
				// What comes last goes first on the way back.
				edits = []Edit{{o.down, o.down, "\n" + b.Down.Indent(o.indent+"  ").Fill(values) + "\n"}}
			} else if b.Down != "" && o.end > 0 && !o.hasDown {
				down := "\n\n" + o.indent + "def down do\n" + b.Down.Indent(o.indent+"  ").Fill(values) + "\n" + o.indent + "end"
				edits = []Edit{{o.end, o.end, down}}
			}
		case o.direction == "down":
			text = b.Down
		}
		if text == "" {
			return
		}
		if part.NoTransaction && !o.noTransaction && o.attributes > 0 {
			attributes := "\n\n" + o.indent + "@disable_ddl_transaction true"
			if !c.AdvisoryLock {
				attributes += "\n" + o.indent + "@disable_migration_lock true"
			}
			edits = append([]Edit{{o.attributes, o.attributes, attributes}}, edits...)
		}
		// mix format wants a blank line around what has several lines.
		first, last := ends(string(text))
		if above := strings.TrimRight(rest[:p.start], " \t"); first && len(above) > o.do && !strings.HasSuffix(above, "\n\n") && !strings.HasSuffix(above, "\n\r\n") && strings.TrimSpace(above[o.do:]) != "" {
			at := strings.LastIndexByte(above, '\n')
			edits = append(edits, Edit{at, at, "\n"})
		}
		if below := p.end + strings.IndexByte(rest[p.end:]+"\n", '\n') + 1; last && below < len(rest) {
			if next, _, _ := strings.Cut(rest[below:], "\n"); strings.TrimSpace(next) != "" && strings.TrimSpace(next) != "end" {
				edits = append(edits, Edit{below, below, "\n"})
			}
		}
		it := c.item(p, t, part, later, templates.Ecto, text)
		it.Edits = edits
		out = append(out, it)
	})
	return out
}

// ends reports whether the first and the last expression of a text have
// several lines: the lines before the first and behind the last blank one.
func ends(text string) (first, last bool) {
	code := func(text string) (n int) {
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				n++
			}
		}
		return n
	}
	head, _, _ := strings.Cut(text, "\n\n")
	tail := text[strings.LastIndex(text, "\n\n")+1:]
	return code(head) > 1, code(tail) > 1
}

// Camelize turns a migration's name into the last part of a module's name, as
// mix does: "create_orders" is "CreateOrders".
func Camelize(name string) string {
	var b strings.Builder
	for _, word := range strings.Split(name, "_") {
		if word == "" {
			continue
		}
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}
