package templates

import (
	"fmt"
	"strings"

	"golang.org/x/tools/txtar"
)

// read reads a template's file: a txtar archive. The comment at its head has a
// line for each of
//
//	title: TEXT, detail: TEXT, locks: TEXT
//	needs: PostgreSQL 13 | needs: TimescaleDB 2.13 [community]
//	snippet, statement, test
//	field NAME[.SYNTAX] = DEFAULT
//	unless SQL                            (of the first part)
//	first[, no transaction]: WHY          (of the first part, if there is something to say)
//	follow KEY[, no transaction]: WHY     (a further part)
//
// and its files are named [KEY/]{change,up,down}.SYNTAX; column.exs stands in
// a table's block, in_create.exs and in_alter.exs only in one of the two kinds.
func read(name string, text []byte) (*Template, error) {
	t := &Template{Name: name, Parts: []Part{{}}}
	archive := txtar.Parse(text)
	for _, line := range strings.Split(strings.TrimSpace(string(archive.Comment)), "\n") {
		if err := t.header(line); err != nil {
			return nil, fmt.Errorf("line %q: %w", line, err)
		}
	}
	for _, f := range archive.Files {
		if err := t.body(f.Name, strings.TrimRight(string(f.Data), "\n")); err != nil {
			return nil, fmt.Errorf("part %s: %w", f.Name, err)
		}
	}
	if t.Title == "" || t.Detail == "" || t.Locks == "" {
		return nil, fmt.Errorf("title, detail and locks must be given")
	}
	for i := range t.Parts {
		p := &t.Parts[i]
		for s, b := range p.bodies {
			if b.Up == "" {
				b.Up = b.Change
				p.bodies[s] = b
			}
			for _, text := range []Text{b.Change, b.Up, b.Down, b.InCreate, b.InAlter} {
				for _, name := range text.Fields() {
					if t.Field(name) == nil {
						return nil, fmt.Errorf("field %q is used and not declared", name)
					}
				}
			}
		}
	}
	return t, nil
}

func (t *Template) header(line string) error {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "title:":
		t.Title = rest
	case "detail:":
		t.Detail = rest
	case "locks:":
		t.Locks = rest
	case "needs:":
		what, version, _ := strings.Cut(rest, " ")
		switch what {
		case "PostgreSQL":
			t.Needs.PostgreSQL = version
		case "TimescaleDB":
			t.Needs.TimescaleDB, t.Needs.Community = strings.CutSuffix(version, " community")
		default:
			return fmt.Errorf("needs what?")
		}
	case "snippet":
		t.Snippet = true
	case "statement":
		t.Statement = true
	case "test":
		t.Test = true
	case "field":
		name, value, ok := strings.Cut(rest, " = ")
		if !ok {
			return fmt.Errorf("a field has a default")
		}
		name, syntax, only := strings.Cut(name, ".")
		f := t.Field(name)
		if f == nil {
			t.Fields = append(t.Fields, Field{Name: name, defaults: map[Syntax]string{}})
			f = &t.Fields[len(t.Fields)-1]
		}
		for _, s := range []Syntax{Ecto, SQL} {
			if !only || Syntax(syntax) == s {
				f.defaults[s] = value
			}
		}
	case "unless":
		t.Parts[0].Unless = rest
	case "first:", "first,":
		_, why, _ := strings.Cut(line, ": ")
		t.Parts[0].NoTransaction, t.Parts[0].Why = word == "first,", why
	case "follow":
		what, why, _ := strings.Cut(rest, ": ")
		key, transaction, _ := strings.Cut(what, ", ")
		t.Parts = append(t.Parts, Part{Key: key, NoTransaction: transaction == "no transaction", Why: why})
	default:
		return fmt.Errorf("not understood")
	}
	return nil
}

// Field returns the field with the name, or nil.
func (t *Template) Field(name string) *Field {
	for i := range t.Fields {
		if t.Fields[i].Name == name {
			return &t.Fields[i]
		}
	}
	return nil
}

func (t *Template) body(file, text string) error {
	key, base, ok := strings.Cut(file, "/")
	if !ok {
		key, base = "", file
	}
	what, syntax, _ := strings.Cut(base, ".")
	for i := range t.Parts {
		p := &t.Parts[i]
		if p.Key != key {
			continue
		}
		if p.bodies == nil {
			p.bodies = map[Syntax]Body{}
		}
		b := p.bodies[Syntax(syntax)]
		switch what {
		case "change":
			b.Change = Text(text)
		case "up":
			b.Up = Text(text)
		case "down":
			b.Down = Text(text)
		case "column":
			b.InCreate, b.InAlter = Text(text), Text(text)
		case "in_create":
			b.InCreate = Text(text)
		case "in_alter":
			b.InAlter = Text(text)
		default:
			return fmt.Errorf("not understood")
		}
		p.bodies[Syntax(syntax)] = b
		return nil
	}
	return fmt.Errorf("no part is called %q", key)
}
