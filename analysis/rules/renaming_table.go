package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// renaming-table reports renamed tables.
//
// Between the migration and the last restart of the application, running code
// uses the old name and fails. A view with the old name, made in the same
// migration, keeps it working: PostgreSQL lets simple views be written to.
//
// # Bad: ecto
//
//	rename table(:orders), to: table(:purchases)
//
// # Bad: goose
//
//	-- +goose Up
//	ALTER TABLE orders RENAME TO purchases;
//	-- +goose Down
//	ALTER TABLE purchases RENAME TO orders;
//
// # Good: goose
//
//	-- +goose Up
//	ALTER TABLE orders RENAME TO purchases;
//	CREATE VIEW orders AS SELECT * FROM purchases;
//	-- +goose Down
//	DROP VIEW orders;
//	ALTER TABLE purchases RENAME TO orders;
var renamingTable = &analysis.Rule{
	ID:       "renaming-table",
	Summary:  "a renamed table breaks the code that still uses its old name",
	Severity: analysis.Warning,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"squawk/renaming-table", "pgls/renamingTable", "excellent_migrations/table_renamed", "pgfence/rename-table", "atlas/BC101"},
	On:       []migration.Op{(*migration.Rename)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.Rename)
		if op.Kind != "table" || !p.Existing(s, op.Object) {
			return
		}
		old := schema.RefOf(op.Object)
		if i, _ := s.Before.Index(op.Object); i != nil {
			return // ALTER TABLE renames indexes too
		}
		// A view, or a new table, of the old name keeps old code going.
		if followedBy(p, s, old) {
			return
		}
		r := analysis.Report{
			On:      op.Object.Span,
			Message: fmt.Sprintf("renaming %s breaks running code that still uses the old name", quoted(op.Object.String())),
			Help:    "create a view with the old name in the same migration, and drop it later",
		}
		// What Ecto derives from change would have to drop the view first.
		if p.Migration.Down.Origin != migration.Derived {
			view := fmt.Sprintf("CREATE VIEW %s AS SELECT * FROM %s", old.SQL(), schema.Ref{Schema: old.Schema, Name: op.To}.SQL())
			r.Fixes = fixes("Keep the old name as a view", false, insertAfter(p, s, view), func() ([]source.Edit, error) {
				down := p.Migration.Down.Statements()
				if p.Migration.Down.Origin != migration.Written || len(down) == 0 {
					return nil, nil
				}
				return p.Migration.Editor.InsertBefore(p.Migration, down[0], []string{"DROP VIEW " + old.SQL()})
			})
		}
		p.Report(s, r)
	},
}

// followedBy reports whether a later statement makes a relation of the name.
func followedBy(p *analysis.Pass, s *analysis.Step, name schema.Ref) bool {
	past := false
	for i := range p.Steps {
		if &p.Steps[i] == s {
			past = true
			continue
		}
		if !past {
			continue
		}
		switch op := p.Steps[i].Op.(type) {
		case *migration.CreateView:
			if schema.RefOf(op.View) == name {
				return true
			}
		case *migration.CreateTable:
			if schema.RefOf(op.Table) == name {
				return true
			}
		}
	}
	return false
}
