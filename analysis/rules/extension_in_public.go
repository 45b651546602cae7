package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// extension-in-public reports extensions that are put where the application's
// own objects are.
//
// Without SCHEMA an extension goes into the first schema of the search_path,
// mostly public. Its functions then stand among the application's, can be
// called by everybody who may use that schema, and a restore into another
// schema breaks what uses them.
//
// # Bad: sql
//
//	CREATE EXTENSION pg_trgm;
//
// # Good: sql
//
//	CREATE EXTENSION pg_trgm SCHEMA extensions;
//
// # Bad: ecto
//
//	execute "CREATE EXTENSION pg_trgm", "DROP EXTENSION pg_trgm"
//
// # Good: ecto
//
//	execute "CREATE EXTENSION pg_trgm SCHEMA extensions", "DROP EXTENSION pg_trgm"
//
// # Exceptions
//
// Extensions that choose their schema themselves or cannot be moved, such as
// timescaledb, plpgsql and pg_cron.
var extensionInPublic = &analysis.Rule{
	ID:       "extension-in-public",
	Summary:  "an extension is made without a schema of its own",
	Severity: analysis.Hint,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"pgls/extensionInPublic"},
	On:       []migration.Op{(*migration.Create)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.Create)
		if op.Kind != "extension" || immovable[op.Object.Name] || s.Before.Object("extension", op.Object) != nil ||
			slices.ContainsFunc(op.Options, func(o migration.RelOption) bool { return o.Name == "schema" }) {
			return
		}
		r := analysis.Report{
			On:      op.Object.Span,
			Message: fmt.Sprintf("the functions of %s will stand among the application's own, in the first schema of the search_path", quoted(op.Object.Name)),
			Help:    "make a schema for extensions, and add SCHEMA extensions",
		}
		title := "Put it into the schema extensions"
		if len(op.Options) > 0 {
			if at := op.Options[0].Span.Start; at > 0 {
				r.Fixes = fixes(title, false, edit(s, source.Span{Start: at, End: at}, "SCHEMA extensions "))
			}
		} else {
			end := len(strings.TrimRight(s.Statement.SQL, "; \t\r\n"))
			r.Fixes = fixes(title, false, edit(s, source.Span{Start: end, End: end}, " SCHEMA extensions"))
		}
		p.Report(s, r)
	},
}

// immovable are extensions that have a schema of their own or cannot be put
// elsewhere.
var immovable = map[string]bool{
	"timescaledb": true, "timescaledb_toolkit": true, "plpgsql": true, "plperl": true, "plperlu": true, "plpython3u": true,
	"pltcl": true, "plv8": true, "pg_cron": true, "pgsodium": true, "pg_graphql": true, "supabase_vault": true, "pgmq": true,
	"citus": true, "adminpack": true, "pg_tle": true, "postgis_topology": true, "postgis_tiger_geocoder": true, "pg_net": true,
}
