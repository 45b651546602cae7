package templates

import (
	"fmt"
	"strings"

	"golang.org/x/tools/txtar"

	"github.com/ddlsp/ddlsp/internal/regex"
)

// Extension is how the files of templates end.
const Extension = ".txtar"

// An Error is what is wrong with the file of a template.
type Error struct {
	// Path is the file; empty where the caller knows it.
	Path string
	// Line counts from 1.
	Line    int
	Message string
}

func (e *Error) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("line %d: %s", e.Line, e.Message)
	}
	return fmt.Sprintf("%s:%d: %s", e.Path, e.Line, e.Message)
}

// name is what templates, fields and parts can be called.
var name = regex.MustCompile(`^[a-z][a-z0-9_]*$`)

// Parse reads the file of a template: a txtar archive. The comment at its head
// has a line for each of
//
//	title: TEXT, detail: TEXT, locks: TEXT
//	needs: PostgreSQL 13 | needs: TimescaleDB 2.13 [community]
//	snippet, statement, test
//	field NAME[.SYNTAX] = DEFAULT
//	unless SQL                            (of the first part)
//	first[, no transaction]: WHY          (of the first part, if there is something to say)
//	follow KEY[, no transaction]: WHY     (a further part)
//	# for people
//
// and its files are named [KEY/]{change,up,down}.SYNTAX; column.exs stands in
// a table's block, in_create.exs and in_alter.exs only in one of the two kinds.
//
// Only a title and one text must be there. An error is an *Error without a
// path.
func Parse(called, text string) (*Template, error) {
	r := reader{t: &Template{Name: called, Parts: []Part{{}}}, lines: map[string]int{}}
	r.t.lines = r.lines
	if !name.MatchString(called) {
		return nil, &Error{Line: 1, Message: fmt.Sprintf("a template cannot be called %q: use lower case letters, digits and underscores, a letter first", called)}
	}
	// As editors on Windows write it.
	text = strings.ReplaceAll(strings.TrimPrefix(text, "\ufeff"), "\r\n", "\n")
	if err := r.read(text); err != nil {
		return nil, err
	}
	return r.t, nil
}

// A reader reads one template.
type reader struct {
	t *Template
	// line is where it is; lines are where fields and parts are declared.
	line  int
	lines map[string]int
}

func (r *reader) errorf(format string, args ...any) error {
	return &Error{Line: r.line, Message: fmt.Sprintf(format, args...)}
}

func (r *reader) read(text string) error {
	t := r.t
	archive := txtar.Parse([]byte(text))
	r.line = 1
	for line := range strings.Lines(string(archive.Comment)) {
		if err := r.header(strings.TrimSpace(line)); err != nil {
			return err
		}
		r.line++
	}
	if t.Title == "" {
		r.line = 1
		return r.errorf("the head must say what it is: \"title: Add a tenant's column\"")
	}
	for _, f := range archive.Files {
		if err := r.body(f.Name, strings.Trim(string(f.Data), "\n"), r.line+1+blankLines(string(f.Data))); err != nil {
			return err
		}
		r.line += 1 + strings.Count(string(f.Data), "\n")
	}
	if t.Detail == "" {
		t.Detail = t.Title
	}
	for i := range t.Parts {
		p := &t.Parts[i]
		r.line = max(1, r.lines["part "+p.Key])
		if len(p.bodies) == 0 {
			if p.Key == "" {
				return r.errorf("it has no text: write it below a line like \"-- up.sql --\" or \"-- change.exs --\"")
			}
			return r.errorf("the part %s has no text: write it below a line like \"-- %s/up.sql --\"", p.Key, p.Key)
		}
		for s, b := range p.bodies {
			if b.Up == "" {
				b.Up = b.Change
				p.bodies[s] = b
			}
			if b.Up == "" && b.Down != "" {
				r.line = r.lines[p.Key+"/down."+string(s)]
				return r.errorf("it has a way down and no way up in .%s", s)
			}
		}
	}
	return nil
}

// blankLines counts the empty lines at the beginning of a text.
func blankLines(text string) int {
	return len(text) - len(strings.TrimLeft(text, "\n"))
}

func (r *reader) header(line string) error {
	t := r.t
	word, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	switch word {
	case "", "#":
	case "title:":
		t.Title = rest
	case "detail:":
		t.Detail = strings.TrimSuffix(rest, ".")
	case "locks:":
		t.Locks = strings.TrimSuffix(rest, ".")
	case "needs:":
		what, version, _ := strings.Cut(rest, " ")
		switch {
		case what == "PostgreSQL" && version != "":
			t.Needs.PostgreSQL = version
		case what == "TimescaleDB" && version != "":
			t.Needs.TimescaleDB, t.Needs.Community = strings.CutSuffix(version, " community")
		default:
			return r.errorf("it needs what? Write \"needs: PostgreSQL 13\" or \"needs: TimescaleDB 2.13\"")
		}
	case "snippet":
		t.Snippet = true
	case "statement":
		t.Statement = true
	case "test":
		t.Test = true
	case "field":
		called, value, ok := strings.Cut(rest, "=")
		called, syntax, only := strings.Cut(strings.TrimSpace(called), ".")
		value = strings.TrimSpace(value)
		switch {
		case !ok || value == "":
			return r.errorf("a field has a default: \"field %s = orders\"", called)
		case !name.MatchString(called):
			return r.errorf("a field cannot be called %q: use lower case letters, digits and underscores, a letter first", called)
		case only && !known(Syntax(syntax)):
			return r.errorf("a field is of .exs or of .sql, not of .%s", syntax)
		}
		f := t.Field(called)
		if f == nil {
			t.Fields = append(t.Fields, Field{Name: called, defaults: map[Syntax]string{}})
			f = &t.Fields[len(t.Fields)-1]
		}
		for _, s := range []Syntax{Ecto, SQL} {
			if !only || Syntax(syntax) == s {
				f.defaults[s] = value
			}
		}
	case "unless":
		t.Parts[0].Unless = Text(strings.ToLower(rest))
	case "first:", "first,":
		why, err := r.transaction(&t.Parts[0], strings.TrimPrefix(line, "first"))
		if err != nil {
			return err
		}
		t.Parts[0].Why = why
	case "follow":
		end := strings.IndexAny(rest, ",: ")
		if end < 0 {
			end = len(rest)
		}
		p := Part{Key: rest[:end]}
		if !name.MatchString(p.Key) {
			return r.errorf("a part that follows has a name: \"follow index, no transaction: it is built concurrently\"")
		}
		if _, twice := r.lines["part "+p.Key]; twice {
			return r.errorf("a part is called %s already", p.Key)
		}
		r.lines["part "+p.Key] = r.line
		why, err := r.transaction(&p, rest[end:])
		if err != nil {
			return err
		}
		p.Why = why
		t.Parts = append(t.Parts, p)
	default:
		return r.errorf("%q is not understood; the head has title, detail, locks, needs, field, follow, first, unless, snippet and statement", word)
	}
	return nil
}

// transaction reads "[, no transaction]: WHY".
func (r *reader) transaction(p *Part, text string) (why string, err error) {
	option, why, ok := strings.Cut(text, ":")
	option = strings.TrimSpace(strings.TrimPrefix(option, ","))
	if why = strings.TrimSpace(why); !ok || why == "" {
		return "", r.errorf("a migration of its own says why, behind a colon")
	}
	if option != "" && option != "no transaction" {
		return "", r.errorf("%q is not understood; write \"no transaction\" or nothing", option)
	}
	p.NoTransaction = option != ""
	return why, nil
}

func known(s Syntax) bool { return s == Ecto || s == SQL }

// Field returns the field with the name, or nil.
func (t *Template) Field(name string) *Field {
	for i := range t.Fields {
		if t.Fields[i].Name == name {
			return &t.Fields[i]
		}
	}
	return nil
}

// body reads one text of the archive; r.line is that of its heading, start
// that of its first line.
func (r *reader) body(file, text string, start int) error {
	key, base, ok := strings.Cut(file, "/")
	if !ok {
		key, base = "", file
	}
	what, syntax, _ := strings.Cut(base, ".")
	s := Syntax(syntax)
	if !known(s) {
		return r.errorf("%q is no name of a text, which ends in .sql or .exs. A comment of SQL must not end in --", file)
	}
	var p *Part
	for i := range r.t.Parts {
		if r.t.Parts[i].Key == key {
			p = &r.t.Parts[i]
		}
	}
	if p == nil {
		return r.errorf("no part is called %s; the head declares it: \"follow %s: why it is a migration of its own\"", key, key)
	}
	if text == "" {
		return r.errorf("%s is empty", file)
	}
	if _, twice := r.lines[key+"/"+base]; twice {
		return r.errorf("%s is there twice", file)
	}
	r.lines[key+"/"+base] = start
	if err := r.fields(text, start); err != nil {
		return err
	}
	if p.bodies == nil {
		p.bodies = map[Syntax]Body{}
	}
	b := p.bodies[s]
	switch {
	case what == "up":
		b.Up = Text(text)
	case what == "down":
		b.Down = Text(text)
	case s == SQL:
		return r.errorf("%s is not understood; SQL has up.sql and down.sql", file)
	case what == "change":
		b.Change = Text(text)
	case what == "column":
		b.InCreate, b.InAlter = Text(text), Text(text)
	case what == "in_create":
		b.InCreate = Text(text)
	case what == "in_alter":
		b.InAlter = Text(text)
	default:
		return r.errorf("%s is not understood; Ecto has change.exs, up.exs, down.exs, column.exs, in_create.exs and in_alter.exs", file)
	}
	p.bodies[s] = b
	return nil
}

// misspelled are fields as people may write them and as they are not read.
var misspelled = regex.MustCompile(`\{\{ *([A-Za-z_][A-Za-z0-9_]*) *\}\}`)

// fields checks the fields of a text that begins in the line start.
func (r *reader) fields(text string, start int) error {
	for i, line := range strings.Split(text, "\n") {
		for _, m := range misspelled.FindAllStringSubmatch(line, -1) {
			at := &Error{Line: start + i}
			switch {
			case m[0] != "{{"+strings.ToLower(m[1])+"}}":
				at.Message = fmt.Sprintf("a field is written {{%s}}, in lower case and without spaces", strings.ToLower(m[1]))
			case r.t.Field(m[1]) == nil:
				at.Message = fmt.Sprintf("the field %s is not declared; the head does it: \"field %s = its default\"", m[1], m[1])
			default:
				continue
			}
			return at
		}
	}
	return nil
}
