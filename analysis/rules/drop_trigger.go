package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// drop-trigger reports triggers that are dropped.
//
// DROP TRIGGER takes an ACCESS EXCLUSIVE lock on its table: it waits for every
// query, and every later one waits for it. What the trigger took care of is
// taken care of no longer. To change a trigger, CREATE OR REPLACE TRIGGER, since
// PostgreSQL 14, keeps only writes waiting.
//
// # Bad: ecto
//
//	execute "DROP TRIGGER touch ON orders",
//	        "CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch()"
//
// # Good: ecto
//
//	execute "CREATE OR REPLACE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch_all()",
//	        "CREATE OR REPLACE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch()"
//
// # Bad: sql
//
//	DROP TRIGGER touch ON orders;
//
// # Good: sql
//
//	CREATE OR REPLACE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch_all();
//
// # Exceptions
//
// The down direction, tables that the same migration creates, and triggers
// that it makes again.
var dropTrigger = &analysis.Rule{
	ID:       "drop-trigger",
	Summary:  "dropping a trigger locks its table, and what it did is done no longer",
	Severity: analysis.Hint,
	Aliases:  []string{"pgls/banDropTrigger", "pgfence/drop-trigger"},
	On:       []migration.Op{(*migration.Drop)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.Drop)
		if op.Kind != "trigger" || len(op.Names) == 0 || !existingOf(p, s, op.Table) {
			return
		}
		name := op.Names[0].Name
		if t := s.Before.Trigger("trigger", op.Table, name); t != nil && madeHere(p, t.Created) {
			return
		}
		again := false
		later(p, s, func(n *analysis.Step) bool {
			c, ok := n.Op.(*migration.CreateTrigger)
			again = ok && c.Trigger.Name == name && sameTable(c.Table, op.Table)
			return !again
		})
		if again {
			return
		}
		p.Report(s, analysis.Report{
			On:      op.Table.Span,
			Message: fmt.Sprintf("reads and writes on %s wait for this (ACCESS EXCLUSIVE lock), and what trigger %s did is done no longer", quoted(op.Table.String()), quoted(name)),
			Help:    "set a lock_timeout before it; to change a trigger, use CREATE OR REPLACE TRIGGER",
		})
	},
}
