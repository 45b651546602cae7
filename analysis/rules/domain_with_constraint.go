package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// domain-with-constraint reports constraints of domains, which are checked in
// every table that uses the domain.
//
// ALTER DOMAIN ... ADD CONSTRAINT and SET NOT NULL read every table with a
// column of the domain under a SHARE lock: writes to all of them wait. With NOT
// VALID nothing is read and no table is locked, new values are checked all the
// same.
//
// A constraint in CREATE DOMAIN locks nothing, but to change it later is just
// that. A check constraint of the table can be changed table by table. This is
// reported only where the configuration names the rule.
//
// # Bad: sql
//
//	ALTER DOMAIN email ADD CONSTRAINT email_has_at CHECK (VALUE LIKE '%@%');
//
// # Good: sql
//
//	ALTER DOMAIN email ADD CONSTRAINT email_has_at CHECK (VALUE LIKE '%@%') NOT VALID;
//
// # Bad: ecto
//
//	execute(
//	  "ALTER DOMAIN email ADD CONSTRAINT email_has_at CHECK (VALUE LIKE '%@%')",
//	  "ALTER DOMAIN email DROP CONSTRAINT email_has_at"
//	)
//
// # Exceptions
//
// Domains that the same migration creates.
var domainWithConstraint = &analysis.Rule{
	ID:       "domain-with-constraint",
	Summary:  "a domain's constraint is checked in every table that uses it, under a lock",
	Severity: analysis.Warning,
	Default:  true,
	Aliases: []string{"squawk/ban-create-domain-with-constraint", "squawk/ban-alter-domain-with-add-constraint", "pgfence/ban-create-domain-with-constraint",
		"pgfence/ban-alter-domain-with-add-constraint"},
	On: []migration.Op{(*migration.AlterDomain)(nil), (*migration.CreateType)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		switch op := s.Op.(type) {
		case *migration.AlterDomain:
			adds := op.What == "add constraint" && !op.Constraint.NotValid || op.What == "set not null"
			if !adds || typeMadeHere(p, s.Before, op.Domain) {
				return
			}
			help := "add it NOT VALID, and validate it in a later migration at a quiet hour"
			if op.What == "set not null" || op.Constraint.Kind == migration.NotNullCon {
				help = "set a lock_timeout and choose a quiet hour, or let each table say NOT NULL"
			}
			p.Report(s, analysis.Report{
				On:      op.Domain.Span,
				Message: fmt.Sprintf("this blocks writes to every table with a column of the domain %s while all their rows are read (SHARE lock)", quoted(op.Domain.String())),
				Help:    help,
			})
		case *migration.CreateType:
			if op.Kind != "domain" || len(op.Constraints) == 0 || !p.Asked() {
				return
			}
			p.Report(s, analysis.Report{
				On:       op.Type.Span,
				Severity: analysis.Info,
				Message:  fmt.Sprintf("a later change of this constraint blocks writes to every table that uses the domain %s", quoted(op.Type.String())),
				Help:     "use the plain type, and a check constraint in each table",
			})
		}
	},
}
