package rules

import (
	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// uncommitted-transaction reports transactions that a migration begins and
// does not commit.
//
// What the migration did is rolled back when its connection closes; until then
// its locks are held. A tool that goes on with the same connection writes its
// record of the migration into the open transaction too.
//
// # Bad: ecto
//
//	@disable_ddl_transaction true
//
//	def up do
//	  execute "BEGIN"
//	  execute "ALTER TABLE orders ADD COLUMN state text"
//	end
//
//	def down do
//	  execute "ALTER TABLE orders DROP COLUMN state"
//	end
//
// # Good: ecto
//
//	alter table(:orders) do
//	  add :state, :text
//	end
//
// # Bad: sql
//
//	BEGIN;
//	ALTER TABLE orders ADD COLUMN state text;
//
// # Good: sql
//
//	BEGIN;
//	ALTER TABLE orders ADD COLUMN state text;
//	COMMIT;
//
// # Exceptions
//
// Tools that have a transaction of their own around the migration commit it:
// there, transaction-nesting reports the BEGIN.
var uncommittedTransaction = &analysis.Rule{
	ID:       "uncommitted-transaction",
	Summary:  "a transaction is begun and never committed",
	Severity: analysis.Error,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Down:     true,
	Aliases:  []string{"squawk/ban-uncommitted-transaction", "pgfence/unclosed-transaction"},
	Body: func(p *analysis.Pass) {
		if p.Body.Tx == migration.Explicit || p.Body.Err != nil {
			return
		}
		var open *analysis.Step
		for _, s := range controls(p) {
			switch s.Op.(*migration.TxControl).Verb {
			case "begin", "start":
				if open == nil {
					open = s
				}
			default:
				open = nil
			}
		}
		if open == nil {
			return
		}
		after := false
		for _, st := range p.Body.Statements() {
			if after && schema.Unreadable(st) {
				return // it may commit
			}
			after = after || st == open.Statement
		}
		p.Report(open, analysis.Report{
			Message: "nothing after this BEGIN stays: it is never committed, its locks are held until the connection closes, and then all of it is rolled back",
			Help:    "commit at the end",
			Fixes:   fixes("Commit at the end", false, insertAfter(p, &p.Steps[len(p.Steps)-1], "COMMIT")),
		})
	},
}
