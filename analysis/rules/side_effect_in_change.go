package rules

import (
	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// side-effect-in-change reports repo calls in change.
//
// Ecto calls change for a rollback as well, to collect the commands that it
// then turns around. A call that goes to the repo is no such command: it runs
// at once, before the collected commands, and it runs the same way in both
// directions. Write up and down, give execute two functions, or guard the call
// with direction().
//
// # Bad: ecto
//
//	def change do
//	  repo().query!("UPDATE orders SET state = 'new' WHERE state IS NULL")
//	end
//
// # Good: ecto
//
//	def up do
//	  repo().query!("UPDATE orders SET state = 'new' WHERE state IS NULL")
//	end
//
//	def down do
//	  # ddlsp:irreversible the rows that had no state are not known
//	  :ok
//	end
var sideEffectInChange = &analysis.Rule{
	ID:       "side-effect-in-change",
	Summary:  "a repo call in change runs in both directions",
	Severity: analysis.Warning,
	Default:  true,
	Migration: func(p *analysis.Pass) {
		if p.Migration.Down.Origin != migration.Derived {
			return
		}
		down := map[source.Span]bool{} // a call guarded with direction() is not among them
		for _, s := range p.Migration.Down.Statements() {
			if s.Command != nil {
				down[s.Command.Span] = true
			}
		}
		for _, s := range p.Migration.Up.Statements() {
			if s.Command == nil || s.Command.Name != "repo" || s.Command.Object == "execute" || !down[s.Command.Span] {
				continue
			}
			p.ReportAt(s.Path, s.Command.Span, analysis.Report{
				Message: "this call runs on a rollback too, and before the commands around it: it goes to the repo at once",
				Help:    "write up and down, give execute two functions, or guard it with direction()",
			})
		}
	},
}
