package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// drop-table reports tables that are dropped.
//
// The data is gone, and running code that still uses the table fails. The drop
// takes an ACCESS EXCLUSIVE lock on the table and on every table that its
// foreign keys point at.
//
// # Bad: ecto
//
//	def up do
//	  drop table(:orders)
//	end
//
//	def down do
//	  raise Ecto.MigrationError, "the orders are gone"
//	end
//
// # Bad: sql
//
//	DROP TABLE orders;
//
// # Exceptions
//
// Tables that the same migration creates, temporary tables, and the down
// direction; tables that are made again (create-table-force tells of those). Once nothing uses the table, say so: "ddlsp:ignore drop-table:
// unused since ...".
var dropTable = &analysis.Rule{
	ID:       "drop-table",
	Summary:  "a dropped table breaks the code that still uses it",
	Severity: analysis.Warning,
	Default:  true,
	Aliases:  []string{"squawk/ban-drop-table", "pgls/banDropTable", "excellent_migrations/table_dropped", "atlas/DS102", "pgfence/drop-table"},
	On:       []migration.Op{(*migration.Drop)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.Drop)
		if op.Kind != "table" {
			return
		}
		for _, n := range op.Names {
			if !p.Existing(s, n) || madeAgain(p)[dropped{s, schema.RefOf(n)}] != nil {
				continue
			}
			p.Report(s, analysis.Report{
				On:      n.Span,
				Message: fmt.Sprintf("dropping %s loses its data and breaks running code that still uses it", quoted(n.String())),
				Help:    "stop using it first and deploy that, then drop it; a comment \"ddlsp:ignore drop-table\" says that this was done",
			})
			return
		}
	},
}
