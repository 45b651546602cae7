package rules

import (
	"github.com/ddlsp/ddlsp/analysis"
)

// numeric-without-precision reports numeric columns without a precision.
//
// numeric alone keeps whatever number of digits it is given, up to tens of
// thousands: 0.1 + 0.2 computed elsewhere and stored with sixteen decimals is no
// longer equal to 0.3, and sums show it. numeric(12, 2) rounds on the way in.
//
// # Bad: sql
//
//	ALTER TABLE orders ADD COLUMN total numeric;
//
// # Good: sql
//
//	ALTER TABLE orders ADD COLUMN total numeric(12, 2);
//
// # Bad: ecto
//
//	alter table(:orders) do
//	  add :total, :decimal
//	end
//
// # Good: ecto
//
//	alter table(:orders) do
//	  add :total, :decimal, precision: 12, scale: 2
//	end
var numericWithoutPrecision = &analysis.Rule{
	ID:       "numeric-without-precision",
	Summary:  "a numeric column keeps any number of digits",
	Severity: analysis.Hint,
	Aliases:  []string{"eslint/no-numeric-without-precision"},
	On:       definesColumns,
	Op: func(p *analysis.Pass, s *analysis.Step) {
		for _, c := range typedColumns(s) {
			if c.typ.Name != "numeric" || len(c.typ.Args) > 0 {
				continue
			}
			p.Report(s, analysis.Report{
				On:      c.at(),
				Message: c.String() + " keeps every digit that it is given, also those of a rounding error",
				Help:    "say how many digits it has, as numeric(12, 2); in Ecto precision: and scale:",
			})
		}
	},
}
