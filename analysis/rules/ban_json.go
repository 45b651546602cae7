package rules

import (
	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
)

// ban-json reports columns of the type json.
//
// PostgreSQL keeps json as the text it was given, and cannot tell whether two
// values are equal: DISTINCT, GROUP BY, ORDER BY and UNION over a row with such
// a column fail, and no index finds anything in it. jsonb compares, can be
// indexed, and is read faster.
//
// # Bad: sql
//
//	ALTER TABLE orders ADD COLUMN payload json;
//
// # Good: sql
//
//	ALTER TABLE orders ADD COLUMN payload jsonb;
//
// # Bad: ecto
//
//	alter table(:orders) do
//	  add :payload, :json
//	end
//
// # Good: ecto
//
//	alter table(:orders) do
//	  add :payload, :map
//	end
//
// # Exceptions
//
// Temporary tables. Where the exact text matters (white space, the order of
// keys, keys that come twice), json is right: say so in a comment
// "ddlsp:ignore ban-json".
var banJSON = &analysis.Rule{
	ID:       "ban-json",
	Summary:  "a json column cannot be compared or indexed",
	Severity: analysis.Info,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"excellent_migrations/json_column_added", "strong_migrations/add_column_json", "eugene/E3", "pgls/preferJsonb", "pgfence/add-column-json"},
	On:       definesColumns,
	Op: func(p *analysis.Pass, s *analysis.Step) {
		for _, c := range typedColumns(s) {
			if c.typ.Name != "json" {
				continue
			}
			p.Report(s, analysis.Report{
				On:      c.at(),
				Message: "DISTINCT, GROUP BY and UNION over " + c.String() + " fail: json values cannot be compared",
				Help:    "use jsonb",
				Fixes:   fixes("Use jsonb", false, retype(s, &c, rewording{jsonSQL, "jsonb"}, rewording{jsonEcto, ":jsonb"})),
			})
		}
	},
}

var (
	jsonSQL  = regex.MustCompile(`(?i)\bjson\b`)
	jsonEcto = regex.MustCompile(`:json\b`)
)
