package rules

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/migration"
)

// bad-timeout-value reports a lock_timeout that does not help.
//
// A statement that waits for a lock makes everybody wait who comes after it.
// lock_timeout ends that after a while, so that the migration fails and can be
// tried again. 0 means without end; minutes are as good as without end for
// those who wait; a number without a unit is milliseconds; and a timeout that
// is set after the first statement that waits for a lock comes too late.
//
// # Bad: ecto
//
//	execute "SET LOCAL lock_timeout = '10min'", ""
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
//	SET lock_timeout = 5;
//	ALTER TABLE orders ADD COLUMN state text;
//
// # Good: sql
//
//	SET lock_timeout = '5s';
//	ALTER TABLE orders ADD COLUMN state text;
//
// # Bad: sql
//
//	ALTER TABLE orders ADD COLUMN state text;
//	SET lock_timeout = '5s';
//	ALTER TABLE items ADD COLUMN state text;
//
// # Exceptions
//
// Migrations that lock nothing which was there before.
var badTimeoutValue = &analysis.Rule{
	ID:       "bad-timeout-value",
	Summary:  "a lock_timeout is without effect: off, too long, in milliseconds, or too late",
	Severity: analysis.Warning,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"pgfence/lock-timeout-zero", "pgfence/lock-timeout-too-long", "pgfence/lock-timeout-after-dangerous-statement", "pgfence/statement-timeout-too-long"},
	Body: func(p *analysis.Pass) {
		var first *analysis.Step // that waits for a lock
		guarded := givenBySession(p, "lock_timeout")
		var sets []*analysis.Step
		late := map[*analysis.Step]*analysis.Step{}
		locked := map[*analysis.Step]bool{} // sets that something follows which waits
		for i := range p.Steps {
			s := &p.Steps[i]
			if len(blocking(p, s)) > 0 {
				if first == nil {
					first = s
				}
				for _, set := range sets {
					locked[set] = true
				}
			}
			op, ok := s.Op.(*migration.Set)
			if !ok || op.Name != "lock_timeout" || op.Reset {
				continue
			}
			if first != nil && !guarded && first.Statement != s.Statement {
				late[s] = first
			}
			guarded = true
			sets = append(sets, s)
		}
		for _, s := range sets {
			op := s.Op.(*migration.Set)
			r, to := timeoutReport(op, locked[s])
			if r.Message == "" && late[s] != nil {
				b := late[s]
				r = analysis.Report{
					Message: fmt.Sprintf("this comes too late: the statement above waits without a limit for its lock, which blocks %s", blocked(blocking(p, b)[0])),
					Help:    "set the timeout first",
					Related: []analysis.Related{{Message: "this waits without a limit", Path: b.Statement.Path, Span: b.Statement.Span}},
				}
				if !s.Inner && !b.Inner && s.Statement.Command == nil {
					r.Fixes = fixes("Set the timeout first", false, insertBefore(p, b, strings.TrimRight(s.Statement.SQL, "; \t\r\n")), without(p, s))
				}
			}
			if r.Message == "" {
				continue
			}
			if to != "" && op.Span.Len() > 0 {
				r.Fixes = fixes("Set it to "+to, false, edit(s, op.Span, "'"+to+"'"))
			}
			p.Report(s, r)
		}
	},
}

// longWait is the lock_timeout from which on those who queue behind the
// statement must think that the table is gone.
const longWait = time.Minute

// timeoutReport judges the value of a lock_timeout; to is a better one.
func timeoutReport(op *migration.Set, locked bool) (r analysis.Report, to string) {
	value, unit, ok := duration(op.Value)
	switch {
	case !ok || value < 0: // PostgreSQL refuses it
		return r, ""
	case value == 0 && locked:
		r.Message = "a lock_timeout of 0 is none: while a statement below waits for its lock, everybody who comes after it waits too, without a limit"
		r.Help = "set it to some seconds and try again when it runs out"
		return r, "5s"
	case !unit && value > 0 && value < 100*time.Millisecond:
		r.Message = fmt.Sprintf("this is %d milliseconds: a number without a unit is not seconds", value.Milliseconds())
		r.Help = "write the unit"
		return r, fmt.Sprintf("%ds", value.Milliseconds())
	case value > longWait && locked:
		r.Message = fmt.Sprintf("while a statement below waits up to %s for its lock, everybody who comes after it waits too", op.Value)
		r.Help = "set it to some seconds and try again when it runs out"
		return r, "5s"
	}
	return r, ""
}

var durationText = regex.MustCompile(`^\s*(-?\d+(?:\.\d+)?)\s*(us|ms|s|min|h|d)?\s*$`)

// duration reads a time as PostgreSQL's settings in milliseconds do; unit tells
// whether one was written.
func duration(text string) (d time.Duration, unit, ok bool) {
	m := durationText.FindStringSubmatch(text)
	if m == nil {
		return 0, false, false
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil || n > 1e9 {
		return 0, false, false
	}
	units := map[string]time.Duration{"": time.Millisecond, "us": time.Microsecond, "ms": time.Millisecond, "s": time.Second, "min": time.Minute, "h": time.Hour, "d": 24 * time.Hour}
	return time.Duration(n * float64(units[m[2]])), m[2] != "", true
}
