package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/migration"
)

// notWord are the characters that Mermaid does not take in the type or name of
// an attribute.
var notWord = regex.MustCompile(`[^A-Za-z0-9_()\[\]-]+`)

func word(s string) string {
	s = notWord.ReplaceAllString(s, "_")
	if s == "" || s[0] < 'A' || s[0] > 'z' || s[0] == '[' || s[0] == '_' {
		s = "x" + s
	}
	return s
}

// Mermaid draws the tables and their foreign keys as an entity-relationship
// diagram.
func (d *Description) Mermaid() string {
	var b strings.Builder
	b.WriteString("erDiagram\n")
	for _, m := range d.Missing {
		fmt.Fprintf(&b, "    %%%% Not shown: %s\n", m)
	}
	var relations []*Relation
	for r := range d.Catalog.Relations() {
		if r.Kind == Table && !r.Temp && r.PartitionOf.zero() {
			relations = append(relations, r)
		}
	}
	for _, r := range relations {
		fmt.Fprintf(&b, "    %s {\n", entity(r.Ref))
		for _, col := range r.Columns {
			fmt.Fprintf(&b, "        %s %s", word(TypeSQL(col.Type)), word(col.Name))
			if k := r.keys(col.Name); len(k) > 0 {
				b.WriteString(" " + strings.Join(k, ", "))
			}
			if !col.NotNull {
				b.WriteString(` "null"`)
			}
			b.WriteString("\n")
		}
		b.WriteString("    }\n")
	}
	for _, r := range relations {
		for _, con := range r.Constraints {
			if con.Kind != migration.ForeignKey {
				continue
			}
			one, many := "||", "}o"
			for _, name := range con.Columns {
				if col := r.Column(name); col != nil && !col.NotNull {
					one = "o|"
				}
			}
			if r.uniqueOn(con.Columns) {
				many = "|o"
			}
			fmt.Fprintf(&b, "    %s %s--%s %s : %q\n", entity(r.Ref), many, one, entity(con.Ref), strings.ReplaceAll(strings.Join(con.Columns, ", "), `"`, "'"))
		}
	}
	return b.String()
}

// entity is a table's name as Mermaid takes any name: in quotes.
func entity(r Ref) string { return `"` + strings.ReplaceAll(r.String(), `"`, "'") + `"` }

// keys are the kinds of keys that a column is part of.
func (r *Relation) keys(column string) []string {
	var out []string
	add := func(k string) {
		if !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	for _, con := range r.Constraints {
		if !slices.Contains(con.Columns, column) {
			continue
		}
		switch con.Kind {
		case migration.PrimaryKey:
			add("PK")
		case migration.ForeignKey:
			add("FK")
		case migration.Unique:
			if len(con.Columns) == 1 {
				add("UK")
			}
		}
	}
	return out
}

// uniqueOn reports whether no two rows agree in the columns.
func (r *Relation) uniqueOn(columns []string) bool {
	for _, i := range r.Indexes {
		if i.Unique && i.Where == "" && len(i.Keys) > 0 && !slices.ContainsFunc(i.ColumnKeys(), func(k string) bool { return !slices.Contains(columns, k) }) {
			return true
		}
	}
	return false
}
