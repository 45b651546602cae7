package rules

import (
	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
)

// float-for-money reports amounts of money that are kept as floating point
// numbers.
//
// real and double precision cannot hold 0.10 exactly. Sums of such amounts are
// wrong by a cent sooner or later, and two equal amounts are not equal. Use
// numeric, or a bigint of cents.
//
// # Bad: sql
//
//	ALTER TABLE orders ADD COLUMN total_price double precision;
//
// # Good: sql
//
//	ALTER TABLE orders ADD COLUMN total_price numeric(12, 2);
//
// # Bad: ecto
//
//	alter table(:orders) do
//	  add :total_price, :float
//	end
//
// # Good: ecto
//
//	alter table(:orders) do
//	  add :total_price, :decimal, precision: 12, scale: 2
//	end
//
// # Exceptions
//
// Only columns are reported whose name says money: price, amount, cost, fee,
// salary, wage, balance, payment, revenue, tax, discount, refund, budget.
var floatForMoney = &analysis.Rule{
	ID:       "float-for-money",
	Summary:  "an amount of money is kept as a floating point number",
	Severity: analysis.Hint,
	Fix:      analysis.UnsafeFix,
	On:       definesColumns,
	Op: func(p *analysis.Pass, s *analysis.Step) {
		for _, c := range typedColumns(s) {
			if c.typ.Name != "real" && c.typ.Name != "double precision" || !moneyName.MatchString(c.Name) || notMoney.MatchString(c.Name) {
				continue
			}
			p.Report(s, analysis.Report{
				On:      c.at(),
				Message: "sums of " + c.String() + " will be wrong by a cent: a floating point number cannot hold 0.10",
				Help:    "use numeric, or a bigint of cents",
				Fixes:   fixes("Use numeric", false, retype(s, &c, rewording{floatSQL, "numeric(12, 2)"}, rewording{floatEcto, ":decimal, precision: 12, scale: 2"})),
			})
		}
	},
}

var (
	moneyName = regex.MustCompile(`(?i)(^|_)(price|amount|cost|fee|salary|wage|balance|payment|revenue|tax|discount|refund|budget)s?($|_)`)
	notMoney  = regex.MustCompile(`(?i)(^|_)(rate|ratio|percent|percentage|pct|factor|share|weight)s?($|_)`)
	floatSQL  = regex.MustCompile(`(?i)^(?:real|float4|float8|float(?:\s*\(\d+\))?|double\s+precision)$`)
	floatEcto = regex.MustCompile(`^:\w+$`)
)
