package rules

import (
	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
)

// prefer-timestamptz reports columns of the type timestamp without time zone.
//
// timestamp keeps the digits of a clock and forgets where that clock hung: two
// sessions with different time zones write different moments for the same
// instant, and now() - column is wrong by the difference. timestamptz keeps the
// moment, in the same eight bytes.
//
// All of Ecto's time types (:naive_datetime, :utc_datetime and the like,
// timestamps()) are timestamp, and Ecto itself writes UTC into them. That is
// reported only where the configuration names the rule.
//
// # Bad: sql
//
//	CREATE TABLE orders (id bigint PRIMARY KEY, placed_at timestamp NOT NULL);
//
// # Good: sql
//
//	CREATE TABLE orders (id bigint PRIMARY KEY, placed_at timestamptz NOT NULL);
//
// # Bad: ecto
//
//	create table(:orders) do
//	  add :placed_at, :utc_datetime
//	end
//
// # Good: ecto
//
//	create table(:orders) do
//	  add :placed_at, :timestamptz
//	  timestamps(type: :timestamptz)
//	end
var preferTimestamptz = &analysis.Rule{
	ID:       "prefer-timestamptz",
	Summary:  "a timestamp without time zone forgets which moment was meant",
	Severity: analysis.Hint,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"squawk/prefer-timestamp-tz", "squawk/prefer-timestamptz", "pgls/preferTimestamptz", "pgfence/prefer-timestamptz"},
	On:       definesColumns,
	Op: func(p *analysis.Pass, s *analysis.Step) {
		for _, c := range typedColumns(s) {
			if c.typ.Name != "timestamp" || inDSL(s) && !p.Asked() {
				continue
			}
			p.Report(s, analysis.Report{
				On:      c.at(),
				Message: c.String() + " means another moment in each session's time zone: it is a timestamp without one",
				Help:    "use timestamptz",
				Fixes:   fixes("Use timestamptz", false, retype(s, &c, rewording{timestampSQL, "timestamptz$1$2"}, rewording{timestampEcto, ":timestamptz"})),
			})
		}
	},
}

var (
	timestampSQL  = regex.MustCompile(`(?i)\btimestamp(\s*\(\d+\))?(?:\s+without\s+time\s+zone)?((?:\s*\[\d*\])*)$`)
	timestampEcto = regex.MustCompile(`^:(?:timestamp|naive_datetime|utc_datetime)(?:_usec)?$`)
)
