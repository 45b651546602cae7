package rules

import (
	"fmt"
	"slices"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// set-null-on-not-null-column reports foreign keys that want to set NULL what
// cannot be NULL.
//
// ON DELETE SET NULL on a NOT NULL column is accepted, and then every delete of
// a referenced row that is in use fails. Let the column be NULL, or choose
// another action.
//
// # Bad: ecto
//
//	create table(:orders) do
//	  add :user_id, references(:users, on_delete: :nilify_all), null: false
//	end
//
// # Good: ecto
//
//	create table(:orders) do
//	  add :user_id, references(:users, on_delete: :nilify_all)
//	end
//
// # Bad: sql
//
//	CREATE TABLE orders (user_id bigint NOT NULL REFERENCES users (id) ON DELETE SET NULL);
//
// # Good: sql
//
//	CREATE TABLE orders (user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE);
//
// # Bad: sql
//
//	CREATE TABLE orders (id bigint, user_id bigint, PRIMARY KEY (id, user_id));
//	ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE SET NULL;
//
// # Exceptions
//
// SET NULL with a list of columns, and columns that are no longer NOT NULL at
// the end of the migration.
var setNullOnNotNullColumn = &analysis.Rule{
	ID:       "set-null-on-not-null-column",
	Summary:  "a foreign key sets a column NULL that is NOT NULL",
	Severity: analysis.Error,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	On:       []migration.Op{(*migration.CreateTable)(nil), (*migration.AddColumn)(nil), (*migration.AddConstraint)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		if s.After == s.Before {
			return
		}
		switch op := s.Op.(type) {
		case *migration.CreateTable:
			for i := range op.Columns {
				if con := ofColumn(&op.Columns[i], migration.ForeignKey); con != nil {
					reportSetNull(p, s, op.Table, con, op.Columns[i].Ident)
				}
			}
			for i := range op.Constraints {
				reportSetNull(p, s, op.Table, &op.Constraints[i], op.Constraints[i].Columns...)
			}
		case *migration.AddColumn:
			if con := ofColumn(&op.Column, migration.ForeignKey); con != nil {
				reportSetNull(p, s, op.Table, con, op.Column.Ident)
			}
		case *migration.AddConstraint:
			reportSetNull(p, s, op.Table, &op.Constraint, op.Constraint.Columns...)
		}
	},
}

var setNullList = regex.MustCompile(`(?i)\bset\s+null\s*\(`)

func reportSetNull(p *analysis.Pass, s *analysis.Step, table migration.Name, con *migration.Constraint, columns ...migration.Ident) {
	event := "deleted"
	switch {
	case con.Kind != migration.ForeignKey:
		return
	case con.OnDelete == "set null":
	case con.OnUpdate == "set null":
		event = "given another key"
	default:
		return
	}
	then, now := p.After.Relation(table), s.After.Relation(table)
	text := con.Span
	if s.Inner {
		text = s.Span
	}
	if then == nil || now == nil || setNullList.MatchString(text.Of(s.Statement.SQL)) {
		return
	}
	for _, name := range columns {
		c := then.Column(name.Name)
		if c == nil || now.Column(name.Name) == nil {
			continue
		}
		why := "NOT NULL"
		if pk := then.PrimaryKey(); pk != nil && slices.Contains(pk.Columns, name.Name) {
			why = "part of the primary key"
		} else if !c.NotNull {
			continue
		}
		p.Report(s, analysis.Report{
			On:      con.Span,
			Message: fmt.Sprintf("a row of %s that is in use cannot be %s: %s would be set NULL and is %s", quoted(con.Ref.String()), event, quoted(table.String()+"."+name.Name), why),
			Help:    "let the column be NULL, or choose CASCADE or RESTRICT",
			Fixes:   fixes("Let the column be NULL", false, mayBeNull(s, name.Name, why)),
		})
		return
	}
}

// mayBeNull takes NOT NULL off the column, where the statement makes it and no
// key needs it.
func mayBeNull(s *analysis.Step, column, why string) change {
	return func() ([]source.Edit, error) {
		var defs []migration.Column
		for _, op := range s.Statement.Ops() {
			switch op := op.(type) {
			case *migration.CreateTable:
				defs = append(defs, op.Columns...)
			case *migration.AddColumn:
				defs = append(defs, op.Column)
			}
		}
		i := slices.IndexFunc(defs, func(c migration.Column) bool { return c.Name == column })
		if i < 0 || s.Inner || why != "NOT NULL" {
			return nil, migration.ErrNotExpressible
		}
		return nullable(s, &defs[i])()
	}
}
