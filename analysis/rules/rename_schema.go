package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// rename-schema reports schemas that get another name.
//
// Running code finds nothing under the old name from the moment the migration
// commits, and the new code finds nothing under the new name before it: there
// is no order in which both work. Create the new schema, move the objects to
// it one by one, and leave views under the old names until nobody reads them.
//
// # Bad: ecto
//
//	execute "ALTER SCHEMA audit RENAME TO history", "ALTER SCHEMA history RENAME TO audit"
//
// # Good: ecto
//
//	execute "CREATE SCHEMA history", "DROP SCHEMA history"
//
// # Bad: sql
//
//	ALTER SCHEMA audit RENAME TO history;
//
// # Good: sql
//
//	CREATE SCHEMA history;
//
// # Exceptions
//
// Schemas that the same migration creates, and the down direction.
var renameSchema = &analysis.Rule{
	ID:       "rename-schema",
	Summary:  "a renamed schema breaks the code that uses the old name",
	Severity: analysis.Warning,
	Default:  true,
	Aliases:  []string{"strong_migrations/rename_schema", "pgfence/rename-schema"},
	On:       []migration.Op{(*migration.Rename)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.Rename)
		if op.Kind != "schema" {
			return
		}
		if o := s.Before.Object("schema", op.Object); o != nil && madeHere(p, o.Created) {
			return
		}
		p.Report(s, analysis.Report{
			On:      op.Object.Span,
			Message: fmt.Sprintf("running code that still says %s fails as soon as the schema is called %s", quoted(op.From), quoted(op.To)),
			Help:    "make the new schema beside it, move the objects there, and keep views under the old names until nothing uses them",
		})
	},
}
