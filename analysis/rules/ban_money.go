package rules

import (
	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
)

// ban-money reports columns of the type money.
//
// money knows no currency: it shows the same number as dollars or as yen, and
// with another number of decimals, by the lc_monetary of the session. A dump
// read back under another setting changes every amount. Use numeric, and a
// column for the currency.
//
// # Bad: sql
//
//	ALTER TABLE orders ADD COLUMN total money;
//
// # Good: sql
//
//	ALTER TABLE orders ADD COLUMN total numeric(12, 2);
//
// # Bad: ecto
//
//	alter table(:orders) do
//	  add :total, :money
//	end
//
// # Good: ecto
//
//	alter table(:orders) do
//	  add :total, :decimal, precision: 12, scale: 2
//	end
var banMoney = &analysis.Rule{
	ID:       "ban-money",
	Summary:  "a money column means other amounts under other settings",
	Severity: analysis.Hint,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"eslint/no-money-type", "pgfence/ban-money"},
	On:       definesColumns,
	Op: func(p *analysis.Pass, s *analysis.Step) {
		for _, c := range typedColumns(s) {
			if c.typ.Name != "money" {
				continue
			}
			p.Report(s, analysis.Report{
				On:      c.at(),
				Message: c.String() + " means another amount under another lc_monetary: money knows no currency",
				Help:    "use numeric, and a column for the currency",
				Fixes:   fixes("Use numeric", false, retype(s, &c, rewording{moneySQL, "numeric(12, 2)"}, rewording{moneyEcto, ":decimal, precision: 12, scale: 2"})),
			})
		}
	},
}

var (
	moneySQL  = regex.MustCompile(`(?i)\bmoney\b`)
	moneyEcto = regex.MustCompile(`^:money$`)
)
