package snippets

import (
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
	"github.com/ddlsp/ddlsp/templates"
)

// existing puts tables and columns that there are in the place of a template's
// own examples, which there are not: a template is then about something of the
// project. What the migration's name says stays.
func (p Project) existing(t *templates.Template, s templates.Syntax, known map[string]string) {
	if p.Catalog == nil || t.Field("table") == nil {
		return
	}
	has := func(table string) bool { return p.Catalog.Table(migration.Name{Name: table}) != nil }
	suggest := func(field string, tables ...string) bool {
		f := t.Field(field)
		if f == nil || known[field] != "" || has(f.Default(s)) {
			return false
		}
		for _, table := range tables {
			if templates.IsIdentifier(table) && has(table) {
				known[field] = table
				return true
			}
		}
		return false
	}
	makes := makesTable(t)
	if !makes && t.Needs.TimescaleDB != "" {
		suggest("table", p.Hypertable)
	} else if !makes {
		suggest("table", p.Tables...)
	}
	table := known["table"]
	if table == "" {
		table = t.Field("table").Default(s)
	}
	// A reference leads to another table, by a column that is called after it.
	others := slices.DeleteFunc(slices.Clone(p.Tables), func(other string) bool { return other == table })
	for _, r := range []struct{ field, key string }{{"referenced", "column"}, {"owner", "owner_key"}, {"parent", "parent_key"}} {
		if suggest(r.field, others...) {
			if known[r.key] == "" {
				known[r.key] = singular(known[r.field]) + "_id"
			}
			others = slices.DeleteFunc(others, func(other string) bool { return other == known[r.field] })
		}
	}
	if t.Field("function") != nil {
		for o := range p.Catalog.ObjectsOf("trigger") {
			// A function that other tables' triggers call for this.
			if name := o.Function.String(); strings.Contains(name, "updated_at") || strings.Contains(name, "touch") {
				known["function"] = name
			}
		}
	}
	if r := p.Catalog.Table(migration.Name{Name: table}); r != nil && !makes && !r.Partial {
		columns(t, s, r, known)
	}
}

// singular is the name of one row of a table, as far as English is regular.
func singular(table string) string {
	for _, end := range [][2]string{{"ies", "y"}, {"sses", "ss"}, {"xes", "x"}, {"ches", "ch"}, {"shes", "sh"}, {"ss", "ss"}, {"people", "person"}, {"s", ""}} {
		if stem, ok := strings.CutSuffix(table, end[0]); ok && stem+end[1] != "" {
			return stem + end[1]
		}
	}
	return table
}

// makesTable reports whether a template creates the table it is about.
func makesTable(t *templates.Template) bool {
	for _, s := range []templates.Syntax{templates.Ecto, templates.SQL} {
		for _, p := range t.PartsIn(s) {
			b, _ := p.Body(s)
			if strings.Contains(string(b.Up), "create table(:{{table}}") || strings.Contains(string(b.Up), "CREATE TABLE {{table}}") {
				return true
			}
		}
	}
	return false
}

// Kinds of types, as templates need them.
var (
	textTypes   = []string{"text", "varchar", "citext"}
	numberTypes = []string{"numeric", "double precision", "real", "bigint", "integer", "smallint"}
	groupTypes  = []string{"text", "varchar", "citext", "uuid", "bigint", "integer", "smallint"}
)

// columns suggests columns of the table for the fields whose example it has
// not.
func columns(t *templates.Template, s templates.Syntax, r *schema.Relation, known map[string]string) {
	time := ""
	if r.Hypertable != nil {
		time = r.Hypertable.TimeColumn
	}
	taken := map[string]bool{time: true}
	if key := r.PrimaryKey(); key != nil {
		for _, c := range key.Columns {
			taken[c] = true
		}
	}
	for _, i := range r.Indexes { // another index is for another column
		if len(i.Keys) > 0 {
			taken[i.Keys[0].Column] = true
		}
	}
	pick := func(field string, types ...string) {
		f := t.Field(field)
		if f == nil || known[field] != "" || r.Column(f.Default(s)) != nil {
			return
		}
		for _, c := range r.Columns {
			if !taken[c.Name] && templates.IsIdentifier(c.Name) && (len(types) == 0 || slices.Contains(types, c.Type.Name)) {
				known[field], taken[c.Name] = c.Name, true
				return
			}
		}
	}
	if time != "" && t.Field("time") != nil && templates.IsIdentifier(time) {
		known["time"] = time
	}
	switch t.Name {
	case "add_index", "concurrent_index", "add_unique_index", "add_composite_index", "add_partial_index":
		pick("column")
		pick("second")
	case "add_gin_index":
		pick("column", "jsonb")
	case "add_search_index":
		pick("column", textTypes...)
		pick("second", textTypes...)
	case "comments":
		pick("column")
	case "continuous_aggregate":
		pick("by", groupTypes...)
		pick("value", numberTypes...)
	case "compression_policy":
		pick("segment_by", groupTypes...)
	}
}

// keyOf is the type of the keys that a template's references point at.
func (p Project) keyOf(t *templates.Template, s templates.Syntax, known map[string]string) string {
	if p.Catalog == nil || t.Field("key_type") == nil {
		return p.KeyType
	}
	for _, field := range []string{"referenced", "owner"} {
		f := t.Field(field)
		if f == nil {
			continue
		}
		table := known[field]
		if table == "" {
			table = f.Default(s)
		}
		r := p.Catalog.Table(migration.Name{Name: table})
		if r == nil {
			continue
		}
		if key := r.PrimaryKey(); key != nil && len(key.Columns) == 1 {
			if c := r.Column(key.Columns[0]); c != nil && c.Type.Name != "" && len(c.Type.Args) == 0 {
				return c.Type.Name
			}
		}
	}
	return p.KeyType
}
