package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// grant-to-public reports rights that are given to everybody, or all at once.
//
// PUBLIC is every role, those that will be made later too: read-only ones, those
// of other services, those of other tenants. And GRANT ALL gives more than a
// role needs: on a table also TRUNCATE, REFERENCES and TRIGGER. Name the role,
// and what it may do.
//
// # Bad: sql
//
//	GRANT SELECT ON invoices TO PUBLIC;
//
// # Good: sql
//
//	GRANT SELECT ON invoices TO reporting;
//
// # Bad: ecto
//
//	execute "GRANT ALL ON invoices TO shop", "REVOKE ALL ON invoices FROM shop"
//
// # Good: ecto
//
//	execute "GRANT SELECT, INSERT ON invoices TO shop", "REVOKE SELECT, INSERT ON invoices FROM shop"
//
// # Exceptions
//
// USAGE on a schema, and what whoever runs the migration grants to itself.
var grantToPublic = &analysis.Rule{
	ID:       "grant-to-public",
	Summary:  "a right is given to everybody, or every right to a role",
	Severity: analysis.Info,
	Default:  true,
	Aliases:  []string{"eslint-plugin-postgresql/no-grant-to-public"},
	On:       []migration.Op{(*migration.Grant)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.Grant)
		if op.Revoke || len(op.Objects) == 0 {
			return
		}
		object := op.Kind + " " + quoted(op.Objects[0].String())
		usage := op.Kind == "schema" && slices.Equal(op.Privileges, []string{"usage"})
		r := analysis.Report{On: op.Objects[0].Span}
		switch all := len(op.Privileges) == 0; {
		case usage, slices.ContainsFunc(op.To, func(to string) bool { return to == "current_user" || to == "session_user" || to == "current_role" }):
			return // whoever runs the migration gives it to itself
		case slices.Contains(op.To, "public") && all:
			r.Message = fmt.Sprintf("every role, later ones included, gets every right on %s", object)
			r.Help = "grant what is needed to the roles that need it"
		case slices.Contains(op.To, "public"):
			r.Message = fmt.Sprintf("every role, later ones included, gets %s on %s", strings.ToUpper(strings.Join(op.Privileges, ", ")), object)
			r.Help = "grant it to the roles that need it"
		case all && op.Kind == "table":
			r.Message = fmt.Sprintf("%s may also empty %s and hang triggers on it: ALL is every right", strings.Join(op.To, ", "), object)
			r.Help = "name the rights that the role needs"
		case all && op.Kind == "schema":
			r.Message = fmt.Sprintf("%s may also make objects in %s: ALL is every right", strings.Join(op.To, ", "), object)
			r.Help = "name the rights that the role needs"
		case all && op.Kind == "database":
			r.Message = fmt.Sprintf("%s may also make schemas in %s: ALL is every right", strings.Join(op.To, ", "), object)
			r.Help = "name the rights that the role needs"
		default:
			return
		}
		p.Report(s, r)
	},
}
