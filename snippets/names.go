package snippets

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// A Kind is what an Item stands for.
type Kind string

const (
	Template Kind = "template"
	Table    Kind = "table"
	Column   Kind = "column"
)

// near is how far back names are looked for: a statement's beginning.
const near = 4096

// A namePlace is a way to write the name of a table or a column of one: the
// last group is the word before the cursor, group 1 of a column's place the
// table.
type namePlace struct {
	re     *regex.Regexp
	column bool
}

// elixirNames are the places of names in Ecto's DSL.
var elixirNames = []namePlace{
	{regex.MustCompile(`\brename\(?\s*table\(:(\w+)[^()]*\),\s*:(\w*)$`), true},
	{regex.MustCompile(`\b(?:unique_)?index\(\s*:(\w+)\s*,\s*\[[^\]]*:(\w*)$`), true},
	{regex.MustCompile(`\breferences\(\s*:(\w+)\s*,[^()]*\bcolumn:\s*:(\w*)$`), true},
	{regex.MustCompile(`\b(?:alter|drop|drop_if_exists|rename)\(?\s*table\(\s*:(\w*)$`), false},
	{regex.MustCompile(`\b(?:index|unique_index|constraint|references)\(\s*:(\w*)$`), false},
}

// inAlter is the name of a column in the block of alter table.
var (
	inAlter    = regex.MustCompile(`^\s*(?:modify|remove|remove_if_exists)\(?\s*:(\w*)$`)
	alterTable = regex.MustCompile(`^alter\b[\s(]*table\(?\s*:(\w+)`)
)

// sqlNames are the places of names in SQL.
var sqlNames = []namePlace{
	{regex.MustCompile(`(?is)\bon\s+(?:only\s+)?([\w.]+)\s*(?:using\s+\w+\s*)?\(\s*(?:[^();]*,\s*)?(\w*)$`), true},
	{regex.MustCompile(`(?is)\breferences\s+([\w.]+)\s*\(\s*(\w*)$`), true},
	{regex.MustCompile(`(?is)\binsert\s+into\s+([\w.]+)\s*\(\s*(?:[^();]*,\s*)?(\w*)$`), true},
	{regex.MustCompile(`(?is)\balter\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?([\w.]+)\s[^;]*\b(?:drop|alter|rename)\s+column\s+(?:if\s+exists\s+)?(\w*)$`), true},
	{regex.MustCompile(`(?is)\bcomment\s+on\s+column\s+(\w+)\.(\w*)$`), true},
	{regex.MustCompile(`(?is)\b(?:create_hypertable|add_(?:compression|retention|columnstore)_policy)\s*\(\s*'(\w*)$`), false},
	{regex.MustCompile(`(?is)\b(?:alter|drop|truncate|lock|on)\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?(\w*)$`), false},
	{regex.MustCompile(`(?is)\b(?:from|join|into|update|references|truncate)\s+(?:only\s+)?(\w*)$`), false},
	{regex.MustCompile(`(?is)\b(?:index|trigger|policy|rule)\b[^;]*\son\s+(?:only\s+)?(\w*)$`), false},
}

// nameItems completes the names of tables and columns that the project's
// migrations leave.
func nameItems(c Context) []Item {
	if c.Catalog == nil {
		return nil
	}
	before := c.Text[max(0, c.Offset-near):c.Offset]
	places, spell := sqlNames, quoted
	if c.Format == migration.Ecto {
		o := readOutline(c.Text, c.Offset)
		line := before[strings.LastIndexByte(before, '\n')+1:]
		if !o.inString {
			places, spell = elixirNames, atoms
			if m := alterTable.FindStringSubmatch(o.head); m != nil && inAlter.MatchString(line) {
				return c.columns(atoms, m[1], line[strings.LastIndexByte(line, ':')+1:])
			}
			before = line // a call may stand on several lines, but a name is near
		} else {
			spell = unquoted
		}
	} else if inComment(c.Text, c.Offset) {
		return nil
	}
	for _, p := range places {
		m := p.re.FindStringSubmatch(before)
		if m == nil {
			continue
		}
		word := m[len(m)-1]
		if p.column {
			return c.columns(spell, m[1], word)
		}
		return c.tables(spell, word)
	}
	return nil
}

// inComment reports whether offset lies in a line comment of SQL.
func inComment(text string, offset int) bool {
	line := text[strings.LastIndexByte(text[:offset], '\n')+1 : offset]
	return strings.Contains(line, "--")
}

// A spelling is how a name is written at a place; ok is false where it cannot
// be. plain is the name as it is, sql with the quotes that SQL needs.
type spelling func(plain, sql string) (text string, ok bool)

func quoted(_, sql string) (string, bool)   { return sql, true }
func unquoted(_, sql string) (string, bool) { return sql, !strings.Contains(sql, `"`) }
func atoms(plain, _ string) (string, bool)  { return plain, identifier.MatchString(plain) }

func (c Context) tables(spell spelling, word string) []Item {
	var out []Item
	for r := range c.Catalog.Relations() {
		name, ok := spell(r.String(), r.SQL())
		if !ok {
			continue
		}
		it := c.nameItem(Table, name, word)
		it.Detail = string(r.Kind)
		if !r.Partial && len(r.Columns) > 0 {
			it.Detail += fmt.Sprintf(" of %d columns", len(r.Columns))
		}
		out = append(out, it)
	}
	return out
}

var identifier = regex.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (c Context) columns(spell spelling, table, word string) []Item {
	name := migration.Name{Name: table}
	if s, t, ok := strings.Cut(table, "."); ok {
		name = migration.Name{Schema: s, Name: t}
	}
	r := c.Catalog.Relation(name)
	if r == nil {
		return nil
	}
	var out []Item
	for i, col := range r.Columns {
		text, ok := spell(col.Name, schema.Quote(col.Name))
		if !ok {
			continue
		}
		it := c.nameItem(Column, text, word)
		it.Sort = fmt.Sprintf("%04d", i)
		it.Detail = r.String() + "." + col.Name + ": " + typeName(col.Type)
		if col.NotNull {
			it.Detail += " not null"
		}
		out = append(out, it)
	}
	return out
}

func (c Context) nameItem(kind Kind, text, word string) Item {
	return Item{Kind: kind, Label: text, Filter: text, Sort: text, Plain: text, Snippet: escape.Replace(text),
		Start: c.Offset - len(word), End: c.Offset}
}

// typeName is a type as people write it.
func typeName(t migration.Type) string {
	out := t.Name
	if len(t.Args) > 0 {
		out += "(" + strings.Join(t.Args, ", ") + ")"
	}
	if t.Array {
		out += "[]"
	}
	return out
}
