package rules

import (
	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
)

// ban-timetz reports columns of the type time with time zone.
//
// A time of day with an offset and without a date cannot say when it is: the
// offset of a place depends on the day. PostgreSQL has the type because the
// standard asks for it, and advises against it.
//
// # Bad: sql
//
//	ALTER TABLE shifts ADD COLUMN starts timetz;
//
// # Good: sql
//
//	ALTER TABLE shifts ADD COLUMN starts timestamptz;
//
// # Bad: ecto
//
//	alter table(:shifts) do
//	  add :starts, :timetz
//	end
//
// # Good: ecto
//
//	alter table(:shifts) do
//	  add :starts, :time
//	end
var banTimetz = &analysis.Rule{
	ID:       "ban-timetz",
	Summary:  "a time with time zone cannot say when it is",
	Severity: analysis.Hint,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"eslint/no-time-type", "pgfence/ban-timetz"},
	On:       definesColumns,
	Op: func(p *analysis.Pass, s *analysis.Step) {
		for _, c := range typedColumns(s) {
			if c.typ.Name != "timetz" {
				continue
			}
			p.Report(s, analysis.Report{
				On:      c.at(),
				Message: c.String() + " cannot say when it is: the offset of a place depends on the day, which a time does not have",
				Help:    "use timestamptz for a moment, time for a time of day",
				Fixes:   fixes("Use timestamptz", false, retype(s, &c, rewording{timetzSQL, "timestamptz$1"}, rewording{timetzEcto, ":timestamptz"})),
			})
		}
	},
}

var (
	timetzSQL  = regex.MustCompile(`(?i)\b(?:timetz|time(?:\s*\(\d+\))?\s+with\s+time\s+zone)((?:\s*\[\d*\])*)$`)
	timetzEcto = regex.MustCompile(`^:timetz$`)
)
