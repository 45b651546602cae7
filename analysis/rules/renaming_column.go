package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// renaming-column reports renamed columns.
//
// Between the migration and the last restart of the application, running code
// asks for the old name and fails. Add a column with the new name, write both,
// copy, switch the reads, then drop the old one; or leave the column's name and
// change the name in the application only (Ecto: field ..., source: ...).
//
// # Bad: ecto
//
//	rename table(:orders), :state, to: :status
//
// # Bad: sql
//
//	ALTER TABLE orders RENAME COLUMN state TO status;
//
// # Good: sql
//
//	ALTER TABLE orders RENAME COLUMN state TO status;
//	ALTER TABLE orders RENAME TO sales;
//	CREATE VIEW orders AS SELECT id, status AS state FROM sales;
//
// # Exceptions
//
// Tables and columns that the same migration creates; a migration that leaves
// the old name in its place, as a generated column, or in a view with the name
// of the table.
var renamingColumn = &analysis.Rule{
	ID:       "renaming-column",
	Summary:  "a renamed column breaks the code that still uses its old name",
	Severity: analysis.Warning,
	Default:  true,
	Aliases:  []string{"squawk/renaming-column", "pgls/renamingColumn", "excellent_migrations/column_renamed", "pgfence/rename-column", "atlas/BC102"},
	On:       []migration.Op{(*migration.Rename)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.Rename)
		if op.Kind != "column" || !p.Existing(s, op.Object) || columnMadeHere(p, s, op.Object, op.From) || oldNameStays(p, op) {
			return
		}
		p.Report(s, analysis.Report{
			On:      op.Object.Span,
			Message: fmt.Sprintf("renaming %s breaks running code that still asks for the old name", quoted(op.Object.String()+"."+op.From)),
			Help:    "add a column with the new name and move over in steps, or rename it in the application only",
		})
	},
}

// oldNameStays reports whether the old name of a column can still be read after
// the migration: as a generated column, or through a view that has taken the
// table's name.
func oldNameStays(p *analysis.Pass, op *migration.Rename) bool {
	r := p.After.Relation(op.Object)
	if r == nil {
		return false
	}
	if r.Kind == schema.View {
		return true
	}
	c := r.Column(op.From)
	return c != nil && mentionsWord(c.Generated, op.To)
}
