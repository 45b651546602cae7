package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// update-without-where reports updates of whole tables.
//
// One UPDATE of every row writes the whole table a second time in one long
// transaction: every row stays locked until it ends, and the old versions are
// left for VACUUM. Update in steps of some thousand rows, outside the migration
// or in one without a transaction.
//
// # Bad: ecto
//
//	execute "UPDATE orders SET state = 'new'", ""
//
// # Good: ecto
//
//	execute "UPDATE orders SET state = 'new' WHERE id BETWEEN 1 AND 10000", ""
//
// # Bad: ecto
//
//	def up do
//	  Shop.Repo.update_all("orders", set: [state: "new"])
//	end
//
//	def down do
//	  :ok
//	end
//
// # Good: ecto
//
//	import Ecto.Query
//
//	def up do
//	  Shop.Repo.update_all(from(o in "orders", where: o.id <= 10_000), set: [state: "new"])
//	end
//
//	def down do
//	  :ok
//	end
//
// # Bad: sql
//
//	UPDATE orders SET state = 'new';
//
// # Good: sql
//
//	UPDATE orders SET state = 'new' WHERE state IS NULL AND id <= 10000;
//
// # Exceptions
//
// Tables that the same migration creates, and tables listed as small. WHERE
// true says that every row is meant.
var updateWithoutWhere = &analysis.Rule{
	ID:       "update-without-where",
	Summary:  "an UPDATE without WHERE writes and locks every row",
	Severity: analysis.Warning,
	Default:  true,
	Aliases:  []string{"pgls/banUpdateWithoutWhere", "pgfence/update-in-migration"},
	On:       []migration.Op{(*migration.Write)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.Write)
		if op.Verb != "update" || op.Where || op.Table.IsZero() || !p.Existing(s, op.Table) || p.Small(op.Table) {
			return
		}
		p.Report(s, analysis.Report{
			On:      op.Table.Span,
			Message: fmt.Sprintf("this rewrites every row of %s in one go and locks each until the transaction ends", quoted(op.Table.String())),
			Help:    "update in steps, outside the schema change; WHERE true says that all rows are meant",
		})
	}, Body: func(p *analysis.Pass) {
		wholeTable(p, "update_all", func(st *migration.Statement, name string) {
			p.ReportAt(st.Path, st.Command.Span, analysis.Report{
				Message: fmt.Sprintf("this rewrites every row of %s in one go and locks each until the transaction ends", quoted(name)),
				Help:    "update in steps, outside the schema change",
			})
		})
	},
}
