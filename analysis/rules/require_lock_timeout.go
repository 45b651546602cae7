package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
)

// require-lock-timeout reports migrations that wait for a lock without a limit.
//
// A statement that waits for its lock makes everybody wait who comes after it,
// even if the statement itself would be done at once: one long query before it
// is enough to stop the application. With a lock_timeout the migration fails
// after some seconds and can be tried again.
//
// # Bad: ecto
//
//	alter table(:orders) do
//	  add :state, :text
//	end
//
// # Good: ecto
//
//	execute "SET LOCAL lock_timeout = '5s'", ""
//
//	alter table(:orders) do
//	  add :state, :text
//	end
//
// # Bad: sql
//
//	ALTER TABLE orders ADD COLUMN state text;
//
// # Good: sql
//
//	SET lock_timeout = '5s';
//	ALTER TABLE orders ADD COLUMN state text;
//
// # Exceptions
//
// Tables that the same migration creates, locks that let others read and write
// (CONCURRENTLY, VALIDATE CONSTRAINT), and a lock_timeout that comes from
// elsewhere: the repo's parameters, the URL or lock_timeout of a configured
// database, a role or database that a migration gave it to, the project's own
// module that is used instead of Ecto.Migration.
var requireLockTimeout = &analysis.Rule{
	ID:       "require-lock-timeout",
	Summary:  "a migration waits for a lock without a limit, and everybody behind it",
	Severity: analysis.Info,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"squawk/require-timeout-settings", "pgls/lockTimeoutWarning", "pgfence/missing-lock-timeout", "strong_migrations/lock_timeout", "eugene/E9"},
	Body: func(p *analysis.Pass) {
		s, l := firstUnset(p, "lock_timeout")
		if s == nil {
			return
		}
		p.Report(s, analysis.Report{
			Message: fmt.Sprintf("%s wait for this without a limit while it waits for its own lock: there is no lock_timeout", blocked(l)),
			Help:    "set lock_timeout to some seconds first, and try again when it runs out",
			Fixes:   setFirst(p, s, "lock_timeout", "5s"),
		})
	},
}
