// Package snippets turns the migration templates into completions for the
// place the cursor is in: a whole file where it is empty, statements inside a
// direction, a column inside a table's block. It knows no editor protocol; an
// editor's server converts the items.
//
// Everything here is a pure function of its arguments. Offsets are bytes.
package snippets

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
	"github.com/ddlsp/ddlsp/templates"
)

// A Context is the place to complete at, and what is known of the project.
type Context struct {
	// Path is the file's path; only its last element is looked at.
	Path string
	// Text is what the editor shows, Offset where the cursor stands in it.
	Text   string
	Offset int
	// Format is the format of the file's project.
	Format migration.Format
	Project

	first []*templates.Template // those that come before the others
}

// Project is what templates are filled in with.
type Project struct {
	// Name is the migration's name without its version ("create_orders").
	Name string
	// Module is the full name of the Elixir module to write, and Use the
	// module that migrations of the project use; empty is Ecto.Migration.
	Module, Use string
	// AdvisoryLock is set when the Ecto repo's migration lock is an advisory
	// lock.
	AdvisoryLock bool
	// KeyType is the type of the keys that references point at, in SQL
	// ("bigint"); empty when it is not known, and then it is uuid.
	KeyType string
	// Tables are those that the project's migrations make, the newest first,
	// without hypertables; Hypertable is the newest of those, empty without any.
	Tables     []string
	Hypertable string
	// Catalog is the schema that the project's migrations leave; nil when it is
	// not known.
	Catalog *schema.Catalog
	// Templates are those to offer, in order; nil is those that are built in.
	Templates []*templates.Template
	// Has reports whether the project's migrations contain the SQL text (lower
	// case, single spaces); nil when that is not known.
	Has func(sql string) bool
	// Render returns the files of a whole SQL migration, by path; the first
	// file is the one that is completed in. noTransaction asks for no
	// transaction around it. It must keep words it does not know as they are.
	Render func(up, down string, noTransaction bool) ([]File, error)
}

// A File is the whole text of one file.
type File struct{ Path, Text string }

// An Edit replaces the bytes [Start, End) of the completed text.
type Edit struct {
	Start, End int
	Text       string
}

// An Item is one completion.
type Item struct {
	Kind Kind
	// Label is the template's name, for a part that comes later with the
	// part's key ("add_foreign_key: index").
	Label string
	// Detail says what it does, in one line.
	Detail string
	// Documentation is Markdown: what it locks, what it needs, the result.
	Documentation string
	// Filter is what the user's word is compared with, Sort orders the items.
	Filter, Sort string
	// Snippet is the text in the syntax of the language server protocol, with
	// tab stops; Plain the same text with the fields' defaults. Lines after
	// the first are not indented to the cursor's line: Indent is what to put
	// before them, unless the editor does that by itself.
	Snippet, Plain string
	Indent         string
	// Start and End are the bytes that the text replaces: the word before the
	// cursor.
	Start, End int
	// Edits are changes elsewhere in the same text. Fields in them have their
	// defaults.
	Edits []Edit
	// Files are other files that belong to it: the down file of a pair.
	Files []File
	// Template and Part are where an item of the kind Template comes from.
	Template *templates.Template
	Part     templates.Part
}

// Completions returns what fits the place, in order: templates where a
// statement can begin, the names of tables and columns where one is meant.
func Completions(c Context) []Item {
	if c.Offset < 0 || c.Offset > len(c.Text) {
		return nil
	}
	if names := nameItems(c); len(names) > 0 {
		return names
	}
	c.first = templates.Likely(c.templates(), c.Name)
	items := sqlItems
	if c.Format == migration.Ecto {
		items = elixirItems
	}
	out := items(c)
	slices.SortStableFunc(out, func(a, b Item) int { return strings.Compare(a.Sort, b.Sort) })
	return slices.DeleteFunc(out, func(it Item) bool { return !fits(c.Text[it.Start:it.End], it.Filter) })
}

// fits reports whether the letters of a typed word stand in a name in their
// order, as editors compare them. Not all editors do it themselves.
func fits(word, name string) bool {
	word = strings.ToLower(word)
	for i := 0; i < len(name) && word != ""; i++ {
		if name[i] == word[0] {
			word = word[1:]
		}
	}
	return word == ""
}

// Values returns the fields of a template as the project suggests them.
func (p Project) Values(t *templates.Template, s templates.Syntax) map[string]string {
	known := templates.Guess(p.Name)
	for field, value := range known {
		if !templates.IsIdentifier(value) {
			delete(known, field)
		}
	}
	if column := known["column"]; column != "" && t.Field("referenced") != nil {
		// A column called after the table that it points at.
		stem := strings.TrimSuffix(column, "_id")
		known["column"], known["referenced"] = stem+"_id", stem+"s"
	}
	p.existing(t, s, known)
	if key := p.keyOf(t, s, known); key != "" && key != "uuid" {
		known["key_type"] = key
		if s == templates.Ecto {
			known["key_type"] = ":" + key
		}
	}
	return t.Defaults(s, known)
}

// Parts returns the parts of a template that the project does not have yet.
func (p Project) Parts(t *templates.Template, s templates.Syntax) []templates.Part {
	var out []templates.Part
	for _, part := range t.PartsIn(s) {
		if part.Unless != "" && p.Has != nil && p.Has(part.Unless.Fill(p.Values(t, s))) {
			continue
		}
		out = append(out, part)
	}
	return out
}

func (p Project) templates() []*templates.Template {
	if p.Templates == nil {
		return templates.All()
	}
	return p.Templates
}

// each calls f for every template and part that the project may want.
func (p Project) each(s templates.Syntax, f func(t *templates.Template, part templates.Part, later []templates.Part)) {
	for _, t := range p.templates() {
		if t.Test {
			continue
		}
		parts := p.Parts(t, s)
		for i, part := range parts {
			f(t, part, parts[i+1:])
		}
	}
}

// A place is where a completion goes: the word that it replaces.
type place struct {
	start, end int
	indent     string
}

// at finds the word before the cursor. ok is false when the line has anything
// else before it.
func at(text string, offset int) (p place, ok bool) {
	start := offset
	for start > 0 && isWord(text[start-1]) {
		start--
	}
	line := strings.LastIndexByte(text[:start], '\n') + 1
	indent := strings.TrimPrefix(text[line:start], "\ufeff")
	return place{start: start, end: offset, indent: indent}, strings.Trim(indent, " \t") == ""
}

func isWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// item builds the common parts of an Item.
func (c Context) item(p place, t *templates.Template, part templates.Part, later []templates.Part, s templates.Syntax, text templates.Text) Item {
	values := c.Values(t, s)
	it := Item{
		Kind: Template, Label: t.Name, Filter: t.Name, Detail: t.Detail, Indent: p.indent,
		Snippet: encode(t, text, values), Plain: text.Fill(values),
		Start: p.start, End: p.end, Template: t, Part: part,
	}
	if part.Key != "" {
		it.Label += ": " + part.Key
		it.Detail = t.Title + ": " + part.Why
		it.Filter += "_" + part.Key
	}
	if i := slices.Index(c.first, t); i >= 0 {
		it.Sort = fmt.Sprintf("0%03d_%s", i, it.Label)
	} else {
		it.Sort = fmt.Sprintf("1%03d_%s", slices.Index(c.templates(), t), it.Label)
	}
	it.Documentation = document(t, part, later, s, it.Plain)
	return it
}

// About is the Markdown about a template: what it does, locks and needs, and
// what it writes in each of the languages, with the fields' defaults. It is
// empty when the template has no text in any of them.
func About(t *templates.Template, languages ...templates.Syntax) string {
	var b strings.Builder
	head(&b, t)
	n := 0
	for _, s := range languages {
		values := t.Defaults(s, nil)
		parts := t.PartsIn(s)
		for i, p := range parts {
			n++
			if p.Key != "" && i > 0 {
				b.WriteString("\nA migration of its own, `" + p.Key + "`: " + p.Why + ".\n")
			}
			body, _ := p.Body(s)
			switch {
			case t.Test:
				fenced(&b, s, body.Up.Fill(values))
			case body.Up == "":
				fenced(&b, s, body.InAlter.Fill(values))
			case s == templates.Ecto:
				fenced(&b, s, p.EctoText(templates.EctoFile{Module: "Repo.Migrations." + Camelize(t.Name)}).Fill(values))
			default:
				text := body.Up.Fill(values)
				if body.Down != "" {
					text = "-- up\n" + text + "\n\n-- down\n" + body.Down.Fill(values)
				}
				fenced(&b, s, text)
			}
		}
	}
	if n == 0 {
		return ""
	}
	return b.String()
}

// head is what is to be said of a template whatever its parts.
func head(b *strings.Builder, t *templates.Template) {
	b.WriteString("**" + t.Title + "**")
	if t.Detail != t.Title {
		b.WriteString(": " + t.Detail)
	}
	b.WriteString(".\n")
	if t.Locks != "" {
		b.WriteString("\nLocks: " + t.Locks + ".\n")
	}
	if n := t.Needs.String(); n != "" {
		b.WriteString("\nNeeds " + n + ".\n")
	}
	if t.Path != "" {
		b.WriteString("\nThe project's own template, `" + filepath.Base(t.Path) + "`.\n")
	}
}

func fenced(b *strings.Builder, s templates.Syntax, text string) {
	language := "sql"
	if s == templates.Ecto {
		language = "elixir"
	}
	b.WriteString("\n```" + language + "\n" + strings.TrimRight(text, "\n") + "\n```\n")
}

// document is the Markdown about one part of a template: what it does, locks
// and needs, which parts follow it, and the result.
func document(t *templates.Template, part templates.Part, later []templates.Part, s templates.Syntax, result string) string {
	var b strings.Builder
	head(&b, t)
	if part.NoTransaction {
		b.WriteString("\nRuns outside a transaction: " + part.Why + ".\n")
	}
	for _, l := range later {
		b.WriteString("\nA migration follows, `" + t.Name + ": " + l.Key + "`: " + l.Why + ".\n")
	}
	fenced(&b, s, result)
	return b.String()
}
