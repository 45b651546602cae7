package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// drop-schema reports schemas that are dropped.
//
// With CASCADE everything in the schema goes with it: tables and their rows,
// views, functions, types, each under an ACCESS EXCLUSIVE lock. Without it the
// statement fails as long as anything is left in the schema. Code that still
// names the schema fails either way.
//
// # Bad: ecto
//
//	execute "DROP SCHEMA audit CASCADE", "CREATE SCHEMA audit"
//
// # Good: ecto
//
//	execute "ALTER TABLE audit.events SET SCHEMA public", "ALTER TABLE events SET SCHEMA audit"
//
// # Bad: sql
//
//	DROP SCHEMA audit CASCADE;
//
// # Good: sql
//
//	DROP TABLE audit.events;
//
// # Exceptions
//
// Schemas that the same migration creates, and the down direction.
var dropSchema = &analysis.Rule{
	ID:       "drop-schema",
	Summary:  "a dropped schema takes everything in it along",
	Severity: analysis.Error,
	Default:  true,
	Aliases:  []string{"pgls/banDropSchema", "atlas/DS101", "pgfence/drop-schema-cascade"},
	On:       []migration.Op{(*migration.Drop)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.Drop)
		if op.Kind != "schema" {
			return
		}
		for _, n := range op.Names {
			if o := s.Before.Object("schema", n); o != nil && madeHere(p, o.Created) || s.Statement.IsUnknown(n.Span) {
				continue
			}
			message := "dropping the schema %s breaks running code that still uses it, and fails while anything is left in it"
			if op.Cascade {
				message = "everything in the schema %s is dropped, its tables and their data too, and running code that still uses it breaks"
			}
			p.Report(s, analysis.Report{
				On:      n.Span,
				Message: fmt.Sprintf(message, quoted(n.Name)),
				Help:    "stop using it first and deploy that, then drop what is in it by name; a comment \"ddlsp:ignore drop-schema\" says that this was done",
			})
			return
		}
	},
}
