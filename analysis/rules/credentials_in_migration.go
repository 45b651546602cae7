package rules

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// credentials-in-migration reports passwords that stand in a migration.
//
// A migration is kept for ever: in version control, in every checkout, in the
// server's log. A password in it (of a role, a foreign server, a user mapping,
// a subscription, a dblink) is known to everybody who can read one of them, and
// cannot be changed without leaving it behind.
//
// # Bad: sql
//
//	CREATE ROLE reporting LOGIN PASSWORD 'Tr0ub4dor';
//
// # Good: sql
//
//	CREATE ROLE reporting LOGIN;
//
// # Bad: ecto
//
//	execute "ALTER ROLE reporting PASSWORD 'Tr0ub4dor'", ""
//
// # Good: ecto
//
//	execute "ALTER ROLE reporting PASSWORD '#{System.fetch_env!("REPORTING_PASSWORD")}'", ""
//
// # Exceptions
//
// Placeholders of a tool or the environment, such as ${PASSWORD} or :'pw'.
var credentialsInMigration = &analysis.Rule{
	ID:       "credentials-in-migration",
	Summary:  "a password stands in the migration",
	Severity: analysis.Warning,
	Default:  true,
	Aliases:  []string{"eslint-plugin-postgresql/no-create-role"},
	On:       []migration.Op{(*migration.Other)(nil), (*migration.Query)(nil), (*migration.CallProcedure)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		report := func(on source.Span, whose string) {
			p.Report(s, analysis.Report{
				On:      on,
				Message: fmt.Sprintf("everybody who can read this file or the server's log knows the password %s", whose),
				Help:    "set the password outside of migrations, or take it from the environment when the migration runs",
			})
		}
		switch op := s.Op.(type) {
		case *migration.Other:
			for _, o := range op.Options {
				switch {
				case o.Name == "password" && secret(o.Value) && !userMapping.MatchString(s.Statement.SQL):
					report(o.Span, "of "+quoted(op.Object.Name))
				case o.Name == "password" && secret(o.Value):
					report(o.Span, "for the server "+quoted(op.Object.Name))
				case o.Name == "connection" && passwordIn(o.Value):
					report(o.Span, "of the subscription's connection")
				default:
					continue
				}
				return
			}
		case *migration.Query:
			connects(op.Calls, report)
		case *migration.CallProcedure:
			connects([]migration.Call{op.Call}, report)
		}
	},
}

// connects looks for a connection string with a password among the arguments
// of dblink's functions.
func connects(calls []migration.Call, report func(source.Span, string)) {
	for _, c := range calls {
		if !strings.HasPrefix(c.Function.Name, "dblink") {
			continue
		}
		for _, a := range c.Args {
			if a.Literal != nil && passwordIn(*a.Literal) {
				report(a.Span, "of the other database")
				return
			}
		}
	}
}

var (
	userMapping = regex.MustCompile(`(?i)^[^']*\b(?:user\s+mapping|server)\b`)
	placeholder = regex.MustCompile(`\$\{|\{\{|\$\(|#\{|^:|^<.*>$|^%.*%$|^@.*@$|^__.*__$|^\$[A-Z_]`)
	// A password of a URL, and one of "key=value" pairs.
	urlPassword = regex.MustCompile(`^[a-z][a-z0-9+]*://[^/@:]*:([^/@]+)@`)
	keyPassword = regex.MustCompile(`(?i)(?:^|\s)password\s*=\s*('[^']*'|[^\s']+)`)
)

// secret reports whether a value is a password and not a place for one.
func secret(value string) bool { return value != "" && !placeholder.MatchString(value) }

// passwordIn reports whether a connection string holds a password.
func passwordIn(text string) bool {
	for _, re := range []*regex.Regexp{urlPassword, keyPassword} {
		if m := re.FindStringSubmatch(text); m != nil && secret(strings.Trim(m[1], "'")) {
			return true
		}
	}
	return false
}
