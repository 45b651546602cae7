package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
)

// require-statement-timeout reports migrations whose statements may run without
// a limit.
//
// lock_timeout ends the wait for a lock, statement_timeout the work under it:
// a rewrite that takes longer than was thought is stopped before the
// application is.
//
// # Bad: ecto
//
//	alter table(:orders) do
//	  modify :total, :bigint, from: :integer
//	end
//
// # Good: ecto
//
//	execute "SET LOCAL statement_timeout = '1min'", ""
//
//	alter table(:orders) do
//	  modify :total, :bigint, from: :integer
//	end
//
// # Bad: sql
//
//	ALTER TABLE orders ALTER COLUMN total TYPE bigint;
//
// # Good: sql
//
//	SET statement_timeout = '1min';
//	ALTER TABLE orders ALTER COLUMN total TYPE bigint;
//
// # Exceptions
//
// Those of require-lock-timeout.
var requireStatementTimeout = &analysis.Rule{
	ID:       "require-statement-timeout",
	Summary:  "a statement may hold its lock without a limit",
	Severity: analysis.Hint,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"pgls/requireStatementTimeout", "pgfence/missing-statement-timeout"},
	Body: func(p *analysis.Pass) {
		s, l := firstUnset(p, "statement_timeout")
		if s == nil {
			return
		}
		p.Report(s, analysis.Report{
			Message: fmt.Sprintf("%s are blocked for as long as this takes: there is no statement_timeout", blocked(l)),
			Help:    "set statement_timeout first",
			Fixes:   setFirst(p, s, "statement_timeout", "1min"),
		})
	},
}
