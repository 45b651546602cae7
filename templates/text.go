package templates

import (
	"strings"

	"github.com/ddlsp/ddlsp/internal/regex"
)

// Text is text with fields in it, each written {{name}}. What stands between
// such braces and is no name, as in Elixir's {{1, 2}, 3}, is text.
type Text string

// A Segment is a piece of a Text: literal text, or a field.
type Segment struct {
	Literal string
	// Field is the name of a field; empty for literal text.
	Field string
}

var field = regex.MustCompile(`\{\{([a-z][a-z0-9_]*)\}\}`)

// Segments cuts the text into literals and fields, in order.
func (t Text) Segments() []Segment {
	var out []Segment
	rest := 0
	for _, m := range field.FindAllStringSubmatchIndex(string(t), -1) {
		if rest < m[0] {
			out = append(out, Segment{Literal: string(t[rest:m[0]])})
		}
		out = append(out, Segment{Field: string(t[m[2]:m[3]])})
		rest = m[1]
	}
	if rest < len(t) {
		out = append(out, Segment{Literal: string(t[rest:])})
	}
	return out
}

// Fields returns the names of the fields in the text, each once, in the order
// of their first place.
func (t Text) Fields() []string {
	var out []string
	seen := map[string]bool{}
	for _, s := range t.Segments() {
		if s.Field != "" && !seen[s.Field] {
			seen[s.Field] = true
			out = append(out, s.Field)
		}
	}
	return out
}

// Fill puts values in the place of the fields. A field without a value stays
// as it is.
func (t Text) Fill(values map[string]string) string {
	var b strings.Builder
	for _, s := range t.Segments() {
		switch v, ok := values[s.Field]; {
		case s.Field == "":
			b.WriteString(s.Literal)
		case ok:
			b.WriteString(v)
		default:
			b.WriteString("{{" + s.Field + "}}")
		}
	}
	return b.String()
}

// Mark returns the text with each field as one word that PostgreSQL's lexer
// takes for an identifier, so that a program which cuts SQL into statements
// can work on it. Unmark is the way back.
func (t Text) Mark() string {
	var b strings.Builder
	for _, s := range t.Segments() {
		if s.Field == "" {
			b.WriteString(s.Literal)
		} else {
			b.WriteString(markStart + s.Field + markEnd)
		}
	}
	return b.String()
}

// Unmark turns marked text back into text with fields.
func Unmark(s string) Text {
	return Text(strings.NewReplacer(markStart, "{{", markEnd, "}}").Replace(s))
}

// Characters for private use: letters to the lexer, and in no template.
const (
	markStart = "\uE000"
	markEnd   = "\uE001"
)

// Indent puts a prefix before every line that is not empty.
func (t Text) Indent(prefix string) Text {
	lines := strings.Split(string(t), "\n")
	for i, l := range lines {
		if l != "" {
			lines[i] = prefix + l
		}
	}
	return Text(strings.Join(lines, "\n"))
}

// EctoFile says what a whole Ecto migration is written with.
type EctoFile struct {
	// Module is the full name of the migration's module.
	Module string
	// Use is the module to use; empty is Ecto.Migration.
	Use string
	// AdvisoryLock is set when the repo's migration lock is an advisory lock:
	// an index can then be built concurrently under it.
	AdvisoryLock bool
}

// EctoText returns the whole file of an Ecto part, with its fields, and a
// newline at its end. It is formatted as mix format would.
func (p Part) EctoText(f EctoFile) Text {
	b, _ := p.Body(Ecto)
	use := f.Use
	if use == "" {
		use = "Ecto.Migration"
	}
	var out strings.Builder
	out.WriteString("defmodule " + f.Module + " do\n  use " + use + "\n\n")
	if p.NoTransaction {
		out.WriteString("  @disable_ddl_transaction true\n")
		if !f.AdvisoryLock {
			out.WriteString("  @disable_migration_lock true\n")
		}
		out.WriteString("\n")
	}
	if b.Change != "" {
		out.WriteString("  def change do\n" + string(b.Change.Indent("    ")) + "\n  end\n")
	} else {
		out.WriteString("  def up do\n" + string(b.Up.Indent("    ")) + "\n  end\n")
		if b.Down != "" {
			out.WriteString("\n  def down do\n" + string(b.Down.Indent("    ")) + "\n  end\n")
		}
	}
	out.WriteString("end\n")
	return Text(out.String())
}
