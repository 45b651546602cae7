package rules

import (
	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// existingOf is the table of a trigger or rule, when it was there before the
// migration.
func existingOf(p *analysis.Pass, s *analysis.Step, table migration.Name) bool {
	return !table.IsZero() && p.Existing(s, table)
}

// later calls visit for every step after s in the same direction, until it
// returns false.
func later(p *analysis.Pass, s *analysis.Step, visit func(*analysis.Step) bool) {
	found := false
	for i := range p.Steps {
		if found && !visit(&p.Steps[i]) {
			return
		}
		found = found || &p.Steps[i] == s
	}
}

// sameTable reports whether two names are of one table.
func sameTable(a, b migration.Name) bool { return schema.RefOf(a) == schema.RefOf(b) }
