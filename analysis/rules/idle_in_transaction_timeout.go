package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
)

// idle-in-transaction-timeout reports migrations whose locks stay when the tool
// stops in the middle.
//
// A transaction keeps its locks while nothing happens in it: when the tool is
// halted, or waits for a prompt or a slow network, everybody else waits with
// it. idle_in_transaction_session_timeout ends such a session.
//
// # Bad: ecto
//
//	alter table(:orders) do
//	  add :state, :text
//	end
//
// # Good: ecto
//
//	execute "SET LOCAL idle_in_transaction_session_timeout = '10s'", ""
//
//	alter table(:orders) do
//	  add :state, :text
//	end
//
// # Bad: sql
//
//	BEGIN;
//	ALTER TABLE orders ADD COLUMN state text;
//	COMMIT;
//
// # Good: sql
//
//	BEGIN;
//	SET LOCAL idle_in_transaction_session_timeout = '10s';
//	ALTER TABLE orders ADD COLUMN state text;
//	COMMIT;
//
// # Exceptions
//
// Those of require-lock-timeout, and statements outside of a transaction.
var idleInTransactionTimeout = &analysis.Rule{
	ID:       "idle-in-transaction-timeout",
	Summary:  "locks stay when the migration stops in the middle of its transaction",
	Severity: analysis.Hint,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"pgls/requireIdleInTransactionTimeout", "pgfence/missing-idle-timeout"},
	Body: func(p *analysis.Pass) {
		const setting = "idle_in_transaction_session_timeout"
		s, l := firstUnset(p, setting)
		if s == nil || s.Tx != analysis.ByTool && s.Tx != analysis.ByFile {
			return
		}
		p.Report(s, analysis.Report{
			Message: fmt.Sprintf("%s stay blocked when the migration stops in the middle: there is no %s", blocked(l), setting),
			Help:    "set " + setting + " first",
			Fixes:   setFirst(p, s, setting, "10s"),
		})
	},
}
