package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// truncate reports tables that are emptied.
//
// TRUNCATE removes every row under an ACCESS EXCLUSIVE lock: reads and writes
// wait until the transaction ends, and rolling the migration back does not
// bring the rows back.
//
// # Bad: ecto
//
//	execute "TRUNCATE sessions", ""
//
// # Good: ecto
//
//	execute "DELETE FROM sessions WHERE expires_at < now()", ""
//
// # Bad: sql
//
//	TRUNCATE TABLE sessions;
//
// # Good: sql
//
//	CREATE TABLE sessions_new (id bigint PRIMARY KEY);
//	TRUNCATE sessions_new;
//
// # Exceptions
//
// Tables that the same migration creates, and tables listed as small. TRUNCATE
// CASCADE has a rule of its own.
var truncate = &analysis.Rule{
	ID:       "truncate",
	Summary:  "TRUNCATE removes every row and blocks reads and writes",
	Severity: analysis.Warning,
	Default:  true,
	Aliases:  []string{"pgls/banTruncate", "pgfence/truncate"},
	On:       []migration.Op{(*migration.Write)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.Write)
		t, ok := truncated(p, s, op)
		if !ok || op.Cascade || p.Small(t) {
			return
		}
		p.Report(s, analysis.Report{
			On:      t.Span,
			Message: fmt.Sprintf("this removes every row of %s and blocks reads and writes on it until the transaction ends (ACCESS EXCLUSIVE lock)", quoted(t.String())),
			Help:    "delete in steps what is meant",
		})
	},
}

// truncated returns the first table of a TRUNCATE that was there before the
// migration.
func truncated(p *analysis.Pass, s *analysis.Step, op *migration.Write) (migration.Name, bool) {
	if op.Verb == "truncate" {
		for _, t := range op.Tables {
			if p.Existing(s, t) {
				return t, true
			}
		}
	}
	return migration.Name{}, false
}
