package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// non-linear-migration reports a new migration that sorts before one that
// others have run already.
//
// While a branch was open, a migration with a later version got to the branch
// that it starts from. Where that one has run, the tools disagree about the
// older one: golang-migrate and tern never run it, goose and Flyway stop with an
// error, Ecto and dbmate run it late, in an order in which nobody tried it. Give
// it a new version.
//
// The rule knows what others have with lint --since REF, which asks git.
var nonLinearMigration = &analysis.Rule{
	ID:       "non-linear-migration",
	Summary:  "a new migration sorts before one that others have already",
	Severity: analysis.Warning,
	Default:  true,
	Aliases:  []string{"atlas/non_linear"},
	Migration: func(p *analysis.Pass) {
		m := p.Migration
		if m.Version == "" || m.Up.Origin == migration.Missing {
			return
		}
		for _, past := range p.Settings.Pasts {
			if there, _ := past.Has(m); there {
				continue
			}
			for _, later := range p.Later() {
				if there, _ := past.Has(later); !there || later.Version == m.Version {
					continue
				}
				r := analysis.Report{
					Message: fmt.Sprintf("%s has version %s already, which comes after this one: %s", past.Where, later.Version, outOfOrder(m.Format)),
					Help:    "give this migration a version that is later than all others",
				}
				if len(later.Files) > 0 {
					r.Related = analysis.RelatedTo(&schema.Origin{Migration: later, Statement: firstStatement(later)}, "the later one")
				}
				p.ReportAt(m.Path(), head(m.Up.Span), r)
				return
			}
		}
	},
}

// outOfOrder says what a tool does with a version that is older than the
// newest one of its database.
func outOfOrder(f migration.Format) string {
	switch f {
	case migration.GolangMigrate, migration.Tern:
		return "where that one has run, this one never will"
	case migration.Goose, migration.Flyway:
		return "where that one has run, the tool refuses this one"
	}
	return "where that one has run, this one runs after it"
}

func firstStatement(m *migration.Migration) *migration.Statement {
	for _, s := range m.Up.Statements() {
		return s
	}
	return nil
}
