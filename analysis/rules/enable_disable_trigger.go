package rules

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// enable-disable-trigger reports triggers that are left disabled.
//
// A migration that disables a trigger to write rows past it must enable it
// again: nothing tells later that the trigger is not running, and with DISABLE
// TRIGGER ALL foreign keys are not checked either. Where the rule is named in
// the configuration, it also reports the pair that is complete: both take a
// SHARE ROW EXCLUSIVE lock on the table, which keeps writes waiting until the
// transaction ends.
//
// # Bad: ecto
//
//	def up do
//	  execute "ALTER TABLE orders DISABLE TRIGGER touch"
//	  execute "UPDATE orders SET state = 'new' WHERE state IS NULL"
//	end
//
//	def down do
//	  :ok
//	end
//
// # Bad: sql
//
//	ALTER TABLE orders DISABLE TRIGGER ALL;
//	UPDATE orders SET state = 'new' WHERE state IS NULL;
//
// # Exceptions
//
// Tables that the same migration creates.
var enableDisableTrigger = &analysis.Rule{
	ID:       "enable-disable-trigger",
	Summary:  "a trigger is disabled and not enabled again",
	Severity: analysis.Warning,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"pgls/avoidEnableDisableTrigger", "pgfence/enable-disable-trigger"},
	On:       []migration.Op{(*migration.AlterTable)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.AlterTable)
		verb, what, _ := strings.Cut(op.What, " ")
		if !strings.Contains(what, "trigger") || verb != "enable" && verb != "disable" || !existingOf(p, s, op.Table) {
			return
		}
		if verb == "disable" && !enabledLater(p, s, op) {
			target, clause := quoted(op.Target), "TRIGGER "+schema.Quote(op.Target)
			switch what {
			case "trigger all":
				target, clause = "every trigger, those of foreign keys too,", "TRIGGER ALL"
			case "trigger user":
				target, clause = "every trigger", "TRIGGER USER"
			default:
				target = "trigger " + target
			}
			p.Report(s, analysis.Report{
				On:      op.Table.Span,
				Message: fmt.Sprintf("%s of %s stays disabled: nothing below enables it again", target, quoted(op.Table.String())),
				Help:    "enable it at the end",
				Fixes: fixes("Enable it again at the end", false,
					insertAfter(p, &p.Steps[len(p.Steps)-1], "ALTER TABLE "+schema.RefOf(op.Table).SQL()+" ENABLE "+clause)),
			})
			return
		}
		if p.Asked() {
			p.Report(s, analysis.Report{
				On:       op.Table.Span,
				Severity: analysis.Hint,
				Message:  fmt.Sprintf("writes on %s wait until the transaction ends (SHARE ROW EXCLUSIVE lock)", quoted(op.Table.String())),
				Help:     "let the trigger's function tell what it must not do instead, for instance by a setting",
			})
		}
	},
}

// enabledLater reports whether a later step enables what op disables, or drops
// it.
func enabledLater(p *analysis.Pass, s *analysis.Step, op *migration.AlterTable) bool {
	found := false
	later(p, s, func(n *analysis.Step) bool {
		switch o := n.Op.(type) {
		case *migration.AlterTable:
			if strings.HasPrefix(o.What, "enable") && strings.Contains(o.What, "trigger") && sameTable(o.Table, op.Table) {
				found = o.Target == op.Target || o.What == "enable trigger all" || o.What == "enable trigger user"
			}
		case *migration.Drop:
			for _, d := range o.Names {
				found = found || o.Kind == "table" && sameTable(d, op.Table) || o.Kind == "trigger" && d.Name == op.Target && sameTable(o.Table, op.Table)
			}
		}
		return !found
	})
	return found
}
