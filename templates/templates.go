// Package templates holds the migration templates: embedded texts with named
// fields, each for Ecto and for SQL, up and down.
//
// A template is one migration or several: an index on an existing table, for
// instance, is built outside a transaction and so stands in a migration of its
// own after the one that adds the column. Package snippets turns templates
// into completions; the command `ddlsp new` writes them as files.
//
// Templates do not change and are safe for concurrent use.
package templates

import (
	"embed"
	"fmt"
	"sync"
)

//go:embed text/*.txtar
var texts embed.FS

// A Syntax is the language that a text is written in.
type Syntax string

const (
	// Ecto is Elixir with Ecto's migration DSL.
	Ecto Syntax = "exs"
	// SQL is PostgreSQL's.
	SQL Syntax = "sql"
)

// A Template is the text of one change of a schema, with fields to fill in.
type Template struct {
	// Name is what the user asks for it by: "create_table".
	Name string
	// Path is the file of a template that a project brings itself; empty for
	// those that are built in.
	Path string
	// Title names it for people, Detail says what it does and Locks what it
	// holds while it does; a project's own template may leave Locks empty.
	Title, Detail, Locks string
	// Needs is the least version it runs on; the zero value is any PostgreSQL
	// that is still maintained.
	Needs Needs
	// Snippet marks the smaller ones, listed after the six templates.
	Snippet bool
	// Statement marks one that is a single statement and no migration.
	Statement bool
	// Test marks the text of a test for a migration that is there already: the
	// Up of its one part is the whole file.
	Test bool
	// Fields are in the order in which the user fills them in.
	Fields []Field
	// Parts are its migrations, in the order in which they run.
	Parts []Part

	lines map[string]int // where texts begin in its file
}

// Line is the line of the template's file in which a text begins: what is
// "up", "down" or "change".
func (t *Template) Line(p Part, what string, s Syntax) int {
	return t.lines[p.Key+"/"+what+"."+string(s)]
}

// Needs is what a template asks of the server.
type Needs struct {
	// PostgreSQL is a major version, TimescaleDB a version ("2.13"); empty
	// when the template does not use it.
	PostgreSQL, TimescaleDB string
	// Community is set where TimescaleDB's Apache edition is not enough.
	Community bool
}

// String is the sentence for people; empty for the zero value.
func (n Needs) String() string {
	switch {
	case n.TimescaleDB != "" && n.Community:
		return "TimescaleDB " + n.TimescaleDB + " or later (community edition)"
	case n.TimescaleDB != "":
		return "TimescaleDB " + n.TimescaleDB + " or later"
	case n.PostgreSQL != "":
		return "PostgreSQL " + n.PostgreSQL + " or later"
	}
	return ""
}

// A Field is a named place in the texts of a template. The same name in
// several places is the same value.
type Field struct {
	Name     string
	defaults map[Syntax]string
}

// Default is the value that a field has when nothing better is known.
func (f Field) Default(s Syntax) string { return f.defaults[s] }

// A Part is one migration of a template.
type Part struct {
	// Key is appended to the migration's name ("index"); empty for the first.
	Key string
	// NoTransaction is set when the tool must not open a transaction around
	// it.
	NoTransaction bool
	// Why says why it stands alone, in words for a comment or a message.
	Why string
	// Unless is SQL in lower case with single spaces. A project whose
	// migrations have it already does not need the part. It may have fields.
	Unless Text

	bodies map[Syntax]Body
}

// Body returns the texts of the part in a syntax; ok is false when the syntax
// does not need the part.
func (p Part) Body(s Syntax) (b Body, ok bool) {
	b, ok = p.bodies[s]
	return b, ok
}

// A Body is the text of one part in one syntax: its statements without what a
// format puts around them, not indented, with no newline at the end.
type Body struct {
	// Change is what both directions of an Ecto migration are made of; empty
	// where only Up and Down can say it.
	Change Text
	// Up and Down are the directions. Where Change is there, Up equals it, as
	// what can be reversed can also be run. Up is empty where the text stands
	// in a table's block only, Down where nothing undoes it.
	Up, Down Text
	// InCreate and InAlter are what to write inside the block of an Ecto table
	// that is created or altered instead.
	InCreate, InAlter Text
}

// PartsIn returns the parts that a syntax needs, in order.
func (t *Template) PartsIn(s Syntax) []Part {
	var out []Part
	for _, p := range t.Parts {
		if _, ok := p.Body(s); ok {
			out = append(out, p)
		}
	}
	return out
}

// Defaults returns the fields' values: those of known where it has them, else
// the template's own.
func (t *Template) Defaults(s Syntax, known map[string]string) map[string]string {
	out := make(map[string]string, len(t.Fields))
	for _, f := range t.Fields {
		out[f.Name] = f.Default(s)
		if v := known[f.Name]; v != "" {
			out[f.Name] = v
		}
	}
	return out
}

var all = sync.OnceValue(func() []*Template {
	var out []*Template
	for _, name := range order {
		text, err := texts.ReadFile("text/" + name + ".txtar")
		if err != nil {
			panic(err) // the file is embedded: only a wrong name in order can do this
		}
		t, err := Parse(name, string(text))
		if err != nil {
			panic(fmt.Sprintf("template %s: %v", name, err))
		}
		out = append(out, t)
	}
	return out
})

// order is that of lists and completions: the six templates, then the smaller
// ones from the frequent to the rare.
var order = []string{
	"create_table", "create_hypertable", "alter_table", "add_index", "add_foreign_key", "add_triggers",

	"add_column", "up_down", "reversible_execute", "concurrent_index", "check_constraint",
	"add_unique_index", "add_composite_index", "add_partial_index", "add_gin_index", "add_search_index",
	"add_foreign_key_constraint", "updated_at_trigger", "comments", "enum_type", "soft_delete", "uuid_key", "uuid_v7_key", "polymorphic",
	"create_plain_hypertable", "continuous_aggregate", "compression_policy", "retention_policy",
	"lock_timeout", "backfill", "migration_test",
}

// All returns every template that is built in, in the order in which to list
// them. The caller must not change them.
func All() []*Template { return all() }

// With returns those that are built in together with projects' own: an own one
// takes the place of the one with its name, the others come first.
func With(own []*Template) []*Template {
	if len(own) == 0 {
		return All()
	}
	var first, rest []*Template
	for _, t := range own {
		if !BuiltIn(t.Name) {
			first = append(first, t)
		}
	}
	for _, t := range All() {
		replaced := false
		for _, o := range own {
			if o.Name == t.Name {
				rest, replaced = append(rest, o), true
			}
		}
		if !replaced {
			rest = append(rest, t)
		}
	}
	return append(first, rest...)
}

// BuiltIn reports whether a template of the name is built in.
func BuiltIn(name string) bool { return Find(All(), name) != nil }

// Find returns the template with the name, or nil.
func Find(in []*Template, name string) *Template {
	for _, t := range in {
		if t.Name == name {
			return t
		}
	}
	return nil
}
