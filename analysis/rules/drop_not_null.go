package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// drop-not-null reports columns that may be NULL from now on.
//
// The change takes an instant. But code that reads the column, and never saw a
// NULL in it, may fail on the first one: comparisons with NULL are neither true
// nor false, and a field that must not be empty is.
//
// # Bad: sql
//
//	ALTER TABLE users ALTER COLUMN email DROP NOT NULL;
//
// # Bad: ecto
//
//	alter table(:users) do
//	  modify :email, :text, null: true, from: {:text, null: false}
//	end
//
// # Exceptions
//
// Tables and columns that the same migration creates.
var dropNotNull = &analysis.Rule{
	ID:       "drop-not-null",
	Summary:  "a column may be NULL that code never saw NULL",
	Severity: analysis.Hint,
	Aliases:  []string{"squawk/ban-drop-not-null", "pgls/banDropNotNull", "pgfence/drop-not-null"},
	On:       []migration.Op{(*migration.SetNotNull)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.SetNotNull)
		if !op.Drop || !p.Existing(s, op.Table) || columnMadeHere(p, s, op.Table, op.Column.Name) {
			return
		}
		if r := s.Before.Relation(op.Table); r != nil {
			if c := r.Column(op.Column.Name); c != nil && !c.NotNull && s.Before.Complete(r) {
				return // it is so already
			}
		}
		p.Report(s, analysis.Report{
			On:      op.Column.Span,
			Message: fmt.Sprintf("code that reads %s may fail on its first NULL", quoted(op.Table.String()+"."+op.Column.Name)),
			Help:    "make the code ready for NULL and deploy it first",
		})
	},
}
