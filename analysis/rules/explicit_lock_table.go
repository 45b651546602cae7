package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// explicit-lock-table reports LOCK TABLE that waits without a limit.
//
// LOCK TABLE waits for everybody who uses the table, and everybody who comes
// after it waits for LOCK TABLE, even while it has not got the lock yet. With
// NOWAIT, or under a lock_timeout, the migration fails instead and can be tried
// again.
//
// # Bad: ecto
//
//	execute "LOCK TABLE orders IN ACCESS EXCLUSIVE MODE", ""
//
// # Good: ecto
//
//	execute "LOCK TABLE orders IN ACCESS EXCLUSIVE MODE NOWAIT", ""
//
// # Bad: sql
//
//	BEGIN;
//	LOCK TABLE orders IN SHARE MODE;
//	ALTER TABLE orders ADD COLUMN state text;
//	COMMIT;
//
// # Good: sql
//
//	BEGIN;
//	SET LOCAL lock_timeout = '5s';
//	LOCK TABLE orders IN SHARE MODE;
//	ALTER TABLE orders ADD COLUMN state text;
//	COMMIT;
//
// # Exceptions
//
// Tables that the same migration creates, and modes below SHARE, which let
// others write. A lock_timeout of the session that the project's configuration
// sets.
var explicitLockTable = &analysis.Rule{
	ID:       "explicit-lock-table",
	Summary:  "LOCK TABLE waits without a limit, and everybody behind it",
	Severity: analysis.Info,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Body: func(p *analysis.Pass) {
		limited := givenBySession(p, "lock_timeout")
		for i := range p.Steps {
			s := &p.Steps[i]
			switch op := s.Op.(type) {
			case *migration.Set:
				if op.Name == "lock_timeout" {
					value, _, ok := duration(op.Value)
					limited = !op.Reset && !(ok && value <= 0)
				}
			case *migration.LockTable:
				mode := schema.Mode(op.Mode)
				if limited || op.NoWait || mode != schema.Share && !mode.Stronger(schema.Share) {
					continue
				}
				n := slices.IndexFunc(op.Tables, func(n migration.Name) bool { return p.Existing(s, n) })
				if n < 0 {
					continue
				}
				p.Report(s, analysis.Report{
					On:      op.Tables[n].Span,
					Message: fmt.Sprintf("%s wait for this, and this waits without a limit for whoever uses the table", blocked(schema.Lock{Relation: schema.RefOf(op.Tables[n]), Mode: mode})),
					Help:    "write NOWAIT, or set a lock_timeout first",
					Fixes:   fixes("Do not wait", false, noWait(s)),
				})
			}
		}
	},
}

func noWait(s *analysis.Step) change {
	return func() ([]source.Edit, error) {
		end := len(strings.TrimRight(s.Statement.SQL, "; \t\r\n"))
		if len(s.Statement.Ops()) != 1 || strings.Contains(s.Statement.SQL, "--") {
			return nil, migration.ErrNotExpressible
		}
		return edit(s, source.Span{Start: end, End: end}, " NOWAIT")()
	}
}

// givenBySession reports whether the migration's connection has a setting
// before it starts, as far as the project says.
func givenBySession(p *analysis.Pass, setting string) bool {
	return slices.Contains(p.Settings.Session, setting) || slices.Contains(p.Settings.Session, "*") || p.Migration.Wrapper != "" ||
		p.Before.RoleSetting(setting)
}
