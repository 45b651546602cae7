package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// drop-cascade reports drops that take along what they do not name.
//
// With CASCADE, views, foreign keys, functions and whatever else depends on the
// object go too, without a word, and the migration's way back does not know
// about them. Drop what depends on it by name; then PostgreSQL refuses when
// something was overlooked.
//
// # Bad: ecto
//
//	def up do
//	  drop table(:users), mode: :cascade
//	end
//
//	def down do
//	  raise Ecto.MigrationError, "the users are gone"
//	end
//
// # Good: ecto
//
//	def up do
//	  drop constraint(:orders, "orders_user_id_fkey")
//	  drop table(:users)
//	end
//
//	def down do
//	  raise Ecto.MigrationError, "the users are gone"
//	end
//
// # Bad: sql
//
//	DROP TABLE users CASCADE;
//
// # Good: sql
//
//	ALTER TABLE orders DROP CONSTRAINT orders_user_id_fkey;
//	DROP TABLE users;
//
// # Exceptions
//
// The down direction, and what the same migration creates. For schemas there
// is drop-schema.
var dropCascade = &analysis.Rule{
	ID:       "drop-cascade",
	Summary:  "CASCADE drops views and foreign keys that are not named",
	Severity: analysis.Info,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	On:       []migration.Op{(*migration.Drop)(nil), (*migration.DropColumn)(nil), (*migration.DropConstraint)(nil), (*migration.DropIndex)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		var name string
		var on source.Span
		var depends []string
		switch op := s.Op.(type) {
		case *migration.Drop:
			switch op.Kind {
			case "schema", "trigger", "policy", "rule":
				return
			}
			i := slices.IndexFunc(op.Names, func(n migration.Name) bool { return !goneAgain(p, s, op.Kind, n) })
			if !op.Cascade || i < 0 {
				return
			}
			name, on = op.Names[i].String(), op.Names[len(op.Names)-1].Span
			switch op.Kind {
			case "table", "view", "materialized view":
				depends = dependants(s.Before, schema.RefOf(op.Names[i]), "")
			}
		case *migration.DropColumn:
			if !op.Cascade || !p.Existing(s, op.Table) {
				return
			}
			name, on = op.Column.Name, op.Column.Span
			depends = dependants(s.Before, schema.RefOf(op.Table), op.Column.Name)
		case *migration.DropConstraint:
			if !op.Cascade || !p.Existing(s, op.Table) {
				return
			}
			name, on = op.Constraint.Name, op.Constraint.Span
		case *migration.DropIndex:
			if !op.Cascade || len(op.Indexes) == 0 {
				return
			}
			if x, _ := s.Before.Index(op.Indexes[0]); x != nil && madeHere(p, x.Created) {
				return
			}
			name, on = op.Indexes[0].String(), op.Indexes[len(op.Indexes)-1].Span
		}
		message := fmt.Sprintf("CASCADE also drops whatever depends on %s and is not named here, such as views and foreign keys", quoted(name))
		if len(depends) > 0 {
			message = fmt.Sprintf("CASCADE also drops what depends on %s: %s, and whatever else there is", quoted(name), list(depends))
		}
		p.Report(s, analysis.Report{
			On:      on,
			Message: message,
			Help:    "drop what depends on it by name first, and leave CASCADE out: PostgreSQL then tells what was overlooked",
			Fixes:   fixes("Remove CASCADE", false, withoutCascade(p, s, on)),
		})
	},
}

// goneAgain reports whether the same direction made what it drops.
func goneAgain(p *analysis.Pass, s *analysis.Step, kind string, n migration.Name) bool {
	switch kind {
	case "table", "view", "materialized view", "foreign table":
		return !p.Existing(s, n)
	case "domain":
		kind = "type"
	}
	if s.Statement.IsUnknown(n.Span) {
		return true
	}
	o := s.Before.Object(kind, n)
	return o != nil && madeHere(p, o.Created)
}

// dependants are the foreign keys and views that are known to need a relation,
// or one column of it.
func dependants(c *schema.Catalog, on schema.Ref, column string) []string {
	var out []string
	for r := range c.Relations() {
		for _, con := range r.Constraints {
			if con.Kind == migration.ForeignKey && con.Ref == on && r.Ref != on && (column == "" || slices.Contains(con.RefColumns, column)) {
				out = append(out, fmt.Sprintf("the foreign key %s of %s", quoted(con.Name), quoted(r.String())))
			}
		}
		if column == "" && slices.Contains(r.From, on) {
			out = append(out, fmt.Sprintf("the %s %s", r.Kind, quoted(r.String())))
		}
	}
	return out
}

// list joins the first few of many.
func list(items []string) string {
	const most = 3
	if len(items) > most {
		return strings.Join(items[:most], ", ") + fmt.Sprintf(" and %d more", len(items)-most)
	}
	return strings.Join(items, ", ")
}

var cascadeNext = regex.MustCompile(`(?i)^(?:\s*\([^()]*\))?(\s+cascade)\b`)

// withoutCascade removes the CASCADE behind a name, or Ecto's mode: :cascade.
func withoutCascade(p *analysis.Pass, s *analysis.Step, name source.Span) change {
	return func() ([]source.Edit, error) {
		c := s.Statement.Command
		if c != nil && c.Option("mode") != nil {
			return withoutOption(p, s, c.Option("mode"))()
		}
		if name.End > len(s.Statement.SQL) {
			return nil, migration.ErrNotExpressible
		}
		m := cascadeNext.FindStringSubmatchIndex(s.Statement.SQL[name.End:])
		if m == nil {
			return nil, migration.ErrNotExpressible
		}
		return edit(s, source.Span{Start: name.End + m[2], End: name.End + m[3]}, "")()
	}
}

// withoutOption removes an option of an Ecto call with the comma before it.
func withoutOption(p *analysis.Pass, s *analysis.Step, o *migration.Option) change {
	return func() ([]source.Edit, error) {
		f := p.Migration.File(s.Statement.Path)
		if f == nil || s.Statement.Command.Repeated {
			return nil, migration.ErrNotExpressible
		}
		start, text := o.Span.Start, f.Text
		for start > 0 && strings.ContainsRune(" \t\r\n", rune(text[start-1])) {
			start--
		}
		if start > 0 && text[start-1] == ',' {
			return []source.Edit{{Path: f.Path, Span: source.Span{Start: start - 1, End: o.Span.End}}}, nil
		}
		return nil, migration.ErrNotExpressible
	}
}
