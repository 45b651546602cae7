package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// create-trigger reports triggers that are added to tables in use.
//
// CREATE TRIGGER takes a SHARE ROW EXCLUSIVE lock on its table. It is done at
// once when it has the lock, but it waits for every transaction that has
// written to the table, and every later write waits for it. From then on each
// write runs the trigger's function too.
//
// # Bad: ecto
//
//	execute "CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch()",
//	        "DROP TRIGGER touch ON orders"
//
// # Good: ecto
//
//	create table(:orders)
//
//	execute "CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch()", ""
//
// # Bad: sql
//
//	CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
//
// # Good: sql
//
//	CREATE TABLE orders (id bigint PRIMARY KEY, touched_at timestamptz);
//	CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
//
// # Exceptions
//
// Tables that the same migration creates.
var createTrigger = &analysis.Rule{
	ID:       "create-trigger",
	Summary:  "a new trigger locks its table against writes, and runs at each from then on",
	Severity: analysis.Hint,
	Aliases:  []string{"pgls/avoidCreateTrigger", "pgfence/create-trigger"},
	On:       []migration.Op{(*migration.CreateTrigger)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.CreateTrigger)
		if !existingOf(p, s, op.Table) {
			return
		}
		p.Report(s, analysis.Report{
			On:      op.Table.Span,
			Message: fmt.Sprintf("writes on %s wait for this (SHARE ROW EXCLUSIVE lock), and this waits for every transaction that has written to it", quoted(op.Table.String())),
			Help:    "set a lock_timeout before it, so that nobody waits for long",
		})
	},
}
