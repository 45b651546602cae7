package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// drop-column reports columns that are dropped.
//
// The drop is quick, but the data is gone, indexes and constraints on the column
// go with it, and every running instance of the application that still names
// the column fails: Ecto names every field of a schema in each query. Remove it
// from the code first, deploy, then drop it.
//
// # Bad: ecto
//
//	alter table(:orders) do
//	  remove :state, :text
//	end
//
// # Bad: sql
//
//	ALTER TABLE orders DROP COLUMN state;
//
// # Exceptions
//
// Columns and tables that the same migration creates. Once the code no longer
// uses the column, say so: "ddlsp:ignore drop-column: unused since ...".
var dropColumn = &analysis.Rule{
	ID:       "drop-column",
	Summary:  "a dropped column breaks the code that still names it",
	Severity: analysis.Warning,
	Default:  true,
	Aliases:  []string{"squawk/ban-drop-column", "pgls/banDropColumn", "excellent_migrations/column_removed", "atlas/DS103", "pgfence/drop-column"},
	On:       []migration.Op{(*migration.DropColumn)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.DropColumn)
		if !p.Existing(s, op.Table) || columnMadeHere(p, s, op.Table, op.Column.Name) {
			return
		}
		p.Report(s, analysis.Report{
			On:      op.Column.Span,
			Message: fmt.Sprintf("dropping %s loses its data and breaks running code that still names it", quoted(op.Table.String()+"."+op.Column.Name)),
			Help:    "remove it from the application first and deploy that, then drop it; a comment \"ddlsp:ignore drop-column\" says that this was done",
		})
	},
}

// columnMadeHere reports whether the same direction added the column.
func columnMadeHere(p *analysis.Pass, s *analysis.Step, table migration.Name, column string) bool {
	r := s.Before.Relation(table)
	if r == nil {
		return false
	}
	c := r.Column(column)
	return c != nil && c.Created != nil && c.Created.Migration == p.Migration && c.Created.Direction == p.Direction
}
