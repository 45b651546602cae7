package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
)

// application-name reports migrations that cannot be told from other sessions.
//
// When queries pile up behind a lock, pg_stat_activity shows who holds it. A
// session with a name of its own is found at once.
//
// # Bad: ecto
//
//	alter table(:orders) do
//	  add :state, :text
//	end
//
// # Good: ecto
//
//	execute "SET LOCAL application_name = 'add_state_to_orders'", ""
//
//	alter table(:orders) do
//	  add :state, :text
//	end
//
// # Bad: sql
//
//	ALTER TABLE orders ADD COLUMN state text;
//
// # Good: sql
//
//	SET application_name = 'add_state_to_orders';
//	ALTER TABLE orders ADD COLUMN state text;
//
// # Exceptions
//
// Those of require-lock-timeout.
var applicationName = &analysis.Rule{
	ID:       "application-name",
	Summary:  "the session that holds the locks of a migration has no name of its own",
	Severity: analysis.Hint,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"pgfence/missing-application-name"},
	Body: func(p *analysis.Pass) {
		s, l := firstUnset(p, "application_name")
		if s == nil {
			return
		}
		p.Report(s, analysis.Report{
			Message: fmt.Sprintf("whoever looks for the reason why %s wait does not find this migration by its name: there is no application_name", blocked(l)),
			Help:    "set application_name first",
			Fixes:   setFirst(p, s, "application_name", plainWord(nameOfMigration(p))),
		})
	},
}

func nameOfMigration(p *analysis.Pass) string {
	if p.Migration.Name == "" {
		return "migration"
	}
	return p.Migration.Name
}

// plainWord is a name that can stand between quotes as it is.
func plainWord(name string) string {
	out := []byte(name)
	for i, c := range out {
		if c == '\'' || c == '\\' || c == '"' || c == '#' || c < ' ' {
			out[i] = '_'
		}
	}
	return string(out)
}
