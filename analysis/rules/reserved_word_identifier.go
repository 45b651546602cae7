package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// reserved-word-identifier reports tables and columns named like reserved words
// of SQL.
//
// Ecto quotes every name, so that a column named order works there. In
// hand-written SQL it works in double quotes only, and some words fail without
// an error: SELECT user gives the name of the database user, not the column.
//
// # Bad: sql
//
//	CREATE TABLE shifts (id bigint PRIMARY KEY, "user" text);
//
// # Good: sql
//
//	CREATE TABLE shifts (id bigint PRIMARY KEY, user_name text);
//
// # Bad: ecto
//
//	create table(:shifts) do
//	  add :order, :integer
//	end
//
// # Good: ecto
//
//	create table(:shifts) do
//	  add :position, :integer
//	  add :timestamp, :timestamptz
//	end
//
// # Exceptions
//
// Words that are no keywords everywhere, such as timestamp, name or type, which
// work without quotes.
var reservedWordIdentifier = &analysis.Rule{
	ID:       "reserved-word-identifier",
	Summary:  "a name is a reserved word and works in double quotes only",
	Severity: analysis.Hint,
	On:       []migration.Op{(*migration.CreateTable)(nil), (*migration.CreateView)(nil), (*migration.AddColumn)(nil), (*migration.Rename)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		report := func(what string, id migration.Ident) {
			if !schema.Reserved(id.Name) {
				return
			}
			p.Report(s, analysis.Report{
				On:      id.Span,
				Message: fmt.Sprintf("SQL that names the %s %s without double quotes fails or means something else: it is a reserved word", what, quoted(id.Name)),
				Help:    "choose another name",
			})
		}
		switch op := s.Op.(type) {
		case *migration.CreateTable:
			report("table", migration.Ident{Name: op.Table.Name, Span: op.Table.Span})
			for i := range op.Columns {
				report("column", op.Columns[i].Ident)
			}
		case *migration.CreateView:
			report("view", migration.Ident{Name: op.View.Name, Span: op.View.Span})
		case *migration.AddColumn:
			report("column", op.Column.Ident)
		case *migration.Rename:
			switch op.Kind {
			case "table", "view", "column", "materialized view":
				report(op.Kind, migration.Ident{Name: op.To, Span: op.Object.Span})
			}
		}
	},
}
