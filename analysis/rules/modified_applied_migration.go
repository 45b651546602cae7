package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
)

// modified-applied-migration reports changes of a migration that others have
// run already.
//
// A migration runs once. Whoever has run it keeps what it did then; only fresh
// databases get what it says now, and the two are no longer alike. Some tools
// (Flyway, Atlas, sqlx, Prisma) compare checksums and refuse to go on. Write a
// new migration instead.
//
// The rule knows what others have with lint --since REF, which asks git; the
// command status says it of a database. Changes of comments and layout are not
// reported.
var modifiedAppliedMigration = &analysis.Rule{
	ID:       "modified-applied-migration",
	Summary:  "a migration that others have already was changed",
	Severity: analysis.Warning,
	Default:  true,
	Migration: func(p *analysis.Pass) {
		for _, past := range p.Settings.Pasts {
			if there, edited := past.Has(p.Migration); there && edited {
				p.ReportAt(p.Migration.Path(), head(p.Migration.Up.Span), analysis.Report{
					Message: fmt.Sprintf("whoever has run this migration as %s has it will not get the change", past.Where),
					Help:    "leave it as it was, and write a new migration",
				})
				return
			}
		}
	},
}
