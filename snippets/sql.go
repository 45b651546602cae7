package snippets

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/templates"
)

// sqlItems completes in a .sql file.
func sqlItems(c Context) []Item {
	p, ok := at(c.Text, c.Offset)
	if !ok {
		return nil
	}
	rest := c.Text[:p.start] + strings.Repeat(" ", p.end-p.start) + c.Text[p.end:]
	if !beginsStatement(rest, p.start) {
		return nil
	}
	if strings.Trim(rest, "\ufeff \t\r\n") == "" {
		return c.sqlFiles(p)
	}
	return c.sqlBodies(p, rest)
}

// direction says which way the whole file goes, for the formats that have a
// file for each.
func (c Context) direction() migration.Direction {
	base := strings.ToLower(filepath.Base(c.Path))
	if strings.HasSuffix(base, ".down.sql") || base == "down.sql" {
		return migration.Down
	}
	return migration.Up
}

// sqlFiles completes in an empty file.
func (c Context) sqlFiles(p place) []Item {
	var out []Item
	c.each(templates.SQL, func(t *templates.Template, part templates.Part, later []templates.Part) {
		b, _ := part.Body(templates.SQL)
		if t.Statement {
			return
		}
		if c.direction() == migration.Down {
			if b.Down != "" {
				out = append(out, c.item(p, t, part, nil, templates.SQL, b.Down+"\n"))
			}
			return
		}
		text := b.Up + "\n"
		var others []File
		if c.Render != nil {
			files, err := c.Render(b.Up.Mark(), b.Down.Mark(), part.NoTransaction)
			if err != nil || len(files) == 0 {
				return // the format cannot write it
			}
			text = templates.Unmark(files[0].Text)
			for _, f := range files[1:] {
				others = append(others, File{f.Path, templates.Unmark(f.Text).Fill(c.Values(t, templates.SQL))})
			}
		}
		it := c.item(p, t, part, later, templates.SQL, text)
		it.Files = others
		out = append(out, it)
	})
	return out
}

// Sections are the lines that begin a direction, by format.
var sections = map[migration.Format]struct{ up, down *regex.Regexp }{
	migration.Goose:      {regex.MustCompile(`(?im)^--[ \t]*\+goose[ \t]+up\b.*$`), regex.MustCompile(`(?im)^--[ \t]*\+goose[ \t]+down\b.*$`)},
	migration.SQLMigrate: {regex.MustCompile(`(?im)^--[ \t]*\+migrate[ \t]+up\b.*$`), regex.MustCompile(`(?im)^--[ \t]*\+migrate[ \t]+down\b.*$`)},
	migration.Dbmate:     {regex.MustCompile(`(?m)^--[ \t]*migrate:up\b.*$`), regex.MustCompile(`(?m)^--[ \t]*migrate:down\b.*$`)},
	migration.Tern:       {nil, regex.MustCompile(`(?m)^---- create above / drop below ----\r?$`)},
}

var (
	// directive is a line that speaks to the tool and is no statement.
	directive     = regex.MustCompile(`(?im)^--[ \t]*(\+goose|\+migrate|migrate:).*$|^----.*$`)
	comment       = regex.MustCompile(`(?m)--.*$`)
	noTransaction = regex.MustCompile(`(?im)^--[ \t]*\+goose[ \t]+no[ \t]+transaction|^--[ \t]*migrate:up\b.*\btransaction:false|^-- no-transaction|^---- tern: disable-tx ----|\bnotransaction\b`)
)

// sqlBodies completes inside a direction of a file that has something.
func (c Context) sqlBodies(p place, rest string) []Item {
	dir := c.direction()
	upEnd, downStart := len(rest), -1 // the up direction ends, the down direction begins, behind its line
	if s, ok := sections[c.Format]; ok {
		dir = migration.Up
		if s.up != nil {
			m := s.up.FindStringIndex(rest)
			if m == nil || p.start < m[1] {
				return nil // before the first section nothing may stand
			}
		}
		if m := s.down.FindStringIndex(rest); m != nil {
			upEnd, downStart = m[0], m[1]
			if p.start >= m[1] {
				dir = migration.Down
			}
		}
	}
	empty := strings.TrimSpace(comment.ReplaceAllString(directive.ReplaceAllString(rest, ""), "")) == ""
	already := noTransaction.MatchString(rest)

	var out []Item
	c.each(templates.SQL, func(t *templates.Template, part templates.Part, later []templates.Part) {
		b, _ := part.Body(templates.SQL)
		var edits []Edit
		if part.NoTransaction && !already {
			if !empty {
				return // what must not share a transaction shares no file either
			}
			e, ok := c.leaveTransaction(rest)
			if !ok {
				return
			}
			edits = e
		}
		if dir == migration.Down {
			if b.Down != "" {
				it := c.item(p, t, part, nil, templates.SQL, c.guard(b.Down))
				it.Edits = edits
				out = append(out, it)
			}
			return
		}
		text := c.guard(b.Up)
		if _, one := sections[c.Format]; one && b.Down != "" {
			down := c.guard(b.Down)
			heading := c.downHeading(downStart, rest)
			tail := rest[min(p.end, upEnd):]
			if downStart >= 0 {
				tail = rest[p.end:upEnd] + rest[downStart:]
			}
			line := p.end + strings.IndexByte(rest[p.end:]+"\n", '\n')
			switch {
			case strings.TrimSpace(tail) == "" && p.indent == "" && line <= len(rest):
				// Nothing but the heading follows: write it again behind the
				// statements, so that the fields are the same in both directions.
				if part.NoTransaction && c.Format == migration.Dbmate && !strings.Contains(heading, "transaction:") {
					heading += " transaction:false"
				}
				text += "\n\n" + templates.Text(heading) + "\n" + down
				edits = slices.DeleteFunc(edits, func(e Edit) bool { return e.Start > p.end })
				if line < len(rest) {
					edits = append(edits, Edit{line + 1, len(rest), ""})
				}
			case downStart >= 0:
				edits = append(edits, Edit{downStart, downStart, "\n" + down.Fill(c.Values(t, templates.SQL))})
			default:
				edits = append(edits, Edit{len(rest), len(rest), "\n\n" + heading + "\n" + down.Fill(c.Values(t, templates.SQL)) + "\n"})
			}
		}
		it := c.item(p, t, part, later, templates.SQL, text)
		it.Edits = edits
		out = append(out, it)
	})
	return out
}

// downHeading is the line that begins the down direction: the file's own, or
// the usual one.
func (c Context) downHeading(behind int, text string) string {
	if behind >= 0 {
		return strings.TrimRight(sections[c.Format].down.FindString(text), "\r")
	}
	switch c.Format {
	case migration.Goose:
		return "-- +goose Down"
	case migration.SQLMigrate:
		return "-- +migrate Down"
	case migration.Tern:
		return "---- create above / drop below ----"
	}
	return "-- migrate:down"
}

// leaveTransaction is what a file without statements needs so that it runs
// outside a transaction; ok is false where the format has no way to say it.
func (c Context) leaveTransaction(text string) ([]Edit, bool) {
	switch c.Format {
	case migration.Goose:
		return []Edit{{0, 0, "-- +goose NO TRANSACTION\n"}}, true
	case migration.Dbmate:
		var edits []Edit
		for _, re := range []*regex.Regexp{sections[c.Format].up, sections[c.Format].down} {
			if m := re.FindStringIndex(text); m != nil {
				end := m[0] + len(strings.TrimRight(text[m[0]:m[1]], " \t\r"))
				edits = append(edits, Edit{end, end, " transaction:false"})
			}
		}
		return edits, true
	case migration.GolangMigrate, migration.Plain, migration.Prisma, migration.Supabase, migration.Flyway:
		return nil, true // one statement alone is in no transaction, or the tool sees it
	case migration.Sqlx:
		return []Edit{{0, 0, "-- no-transaction\n"}}, true
	}
	return nil, false
}

// guard protects text against the tool's way to cut statements: goose and
// sql-migrate take a line that ends in a semicolon for the end of one, inside
// a function as well.
func (c Context) guard(text templates.Text) templates.Text {
	word := ""
	switch c.Format {
	case migration.Goose:
		word = "+goose"
	case migration.SQLMigrate:
		word = "+migrate"
	default:
		return text
	}
	var out []string
	for _, s := range statements(string(text)) {
		if strings.Contains(s, "$$") {
			one := strings.TrimRight(s, "\n")
			s = "-- " + word + " StatementBegin\n" + one + "\n-- " + word + " StatementEnd" + s[len(one):]
		}
		out = append(out, s)
	}
	return templates.Text(strings.Join(out, "\n"))
}

// statements cuts a template's SQL behind each semicolon that ends a line and
// stands outside of $$; blank lines stay at the beginning of what follows.
func statements(text string) []string {
	var out []string
	start, inside := 0, false
	for i := 0; i < len(text); i++ {
		switch {
		case strings.HasPrefix(text[i:], "$$"):
			inside = !inside
			i++
		case text[i] == ';' && !inside && (i+1 == len(text) || text[i+1] == '\n'):
			s := text[start : i+1]
			trimmed := strings.TrimLeft(s, "\n")
			if blank := len(s) - len(trimmed); blank > 0 && len(out) > 0 {
				out[len(out)-1] += strings.Repeat("\n", blank)
			}
			out = append(out, trimmed)
			start, i = min(i+2, len(text)), i+1
		}
	}
	if start < len(text) {
		out = append(out, text[start:])
	}
	return out
}

// beginsStatement reports whether a statement can begin at offset: outside of
// comments, strings and function bodies, behind a semicolon or at the start.
func beginsStatement(text string, offset int) bool {
	begun := false
	for i := 0; i < offset; {
		rest := text[i:]
		switch c := text[i]; {
		case c == ';':
			begun = false
			i++
		case c == ' ' || c == '\t' || c == '\r' || c == '\n' || strings.HasPrefix(rest, "\ufeff"):
			i++
			if c == 0xEF {
				i += 2
			}
		case strings.HasPrefix(rest, "--"):
			end := i + strings.IndexByte(rest+"\n", '\n')
			if offset <= end {
				return false
			}
			i = end
		case strings.HasPrefix(rest, "/*"):
			end := blockCommentEnd(text, i)
			if offset < end || end == len(text) {
				return false
			}
			i = end
		case c == '\'' || c == '"':
			end := quotedEnd(text, i)
			if offset < end || end == len(text) {
				return false
			}
			begun, i = true, end
		case c == '$' && dollar.MatchString(rest):
			tag := dollar.FindString(rest)
			end := strings.Index(rest[len(tag):], tag)
			if end < 0 || offset < i+len(tag)+end+len(tag) {
				return false
			}
			begun, i = true, i+len(tag)+end+len(tag)
		default:
			begun = true
			i++
		}
	}
	return !begun
}

var dollar = regex.MustCompile(`^\$([A-Za-z_][A-Za-z0-9_]*)?\$`)

// quotedEnd returns where the quoted text at i ends, the end of text when it
// is not closed. A doubled quote is closed and opened again, to the same end.
func quotedEnd(text string, i int) int {
	backslash := text[i] == '\'' && i > 0 && (text[i-1] == 'E' || text[i-1] == 'e') && (i == 1 || !isWord(text[i-2]))
	for j := i + 1; j < len(text); j++ {
		switch {
		case text[j] == '\\' && backslash:
			j++
		case text[j] == text[i]:
			return j + 1
		}
	}
	return len(text)
}

func blockCommentEnd(text string, i int) int {
	depth := 0
	for i < len(text) {
		switch {
		case strings.HasPrefix(text[i:], "/*"):
			depth++
			i += 2
		case strings.HasPrefix(text[i:], "*/"):
			depth--
			i += 2
			if depth == 0 {
				return i
			}
		default:
			i++
		}
	}
	return len(text)
}
