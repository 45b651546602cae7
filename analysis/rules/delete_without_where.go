package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// delete-without-where reports deletes of whole tables.
//
// DELETE without WHERE removes every row, one by one, in one long transaction,
// and cannot be undone by rolling the migration back. Delete in steps what is
// meant.
//
// # Bad: ecto
//
//	execute "DELETE FROM sessions", ""
//
// # Good: ecto
//
//	execute "DELETE FROM sessions WHERE expires_at < now()", ""
//
// # Bad: ecto
//
//	def up do
//	  Shop.Repo.delete_all("sessions")
//	end
//
//	def down do
//	  :ok
//	end
//
// # Bad: sql
//
//	DELETE FROM sessions;
//
// # Good: sql
//
//	DELETE FROM sessions WHERE expires_at < now();
//
// # Exceptions
//
// Tables that the same migration creates, and tables listed as small. WHERE
// true says that every row is meant.
var deleteWithoutWhere = &analysis.Rule{
	ID:       "delete-without-where",
	Summary:  "a DELETE without WHERE removes every row",
	Severity: analysis.Warning,
	Default:  true,
	Aliases:  []string{"pgls/banDeleteWithoutWhere", "pgfence/delete-without-where"},
	On:       []migration.Op{(*migration.Write)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.Write)
		if op.Verb != "delete" || op.Where || op.Table.IsZero() || !p.Existing(s, op.Table) || p.Small(op.Table) {
			return
		}
		p.Report(s, analysis.Report{
			On:      op.Table.Span,
			Message: fmt.Sprintf("this removes every row of %s, and rolling back does not bring them back", quoted(op.Table.String())),
			Help:    "say with WHERE which rows are meant; WHERE true says that all are",
		})
	}, Body: func(p *analysis.Pass) {
		wholeTable(p, "delete_all", func(st *migration.Statement, name string) {
			p.ReportAt(st.Path, st.Command.Span, analysis.Report{
				Message: fmt.Sprintf("this removes every row of %s, and rolling back does not bring them back", quoted(name)),
				Help:    "say with a query which rows are meant",
			})
		})
	},
}
