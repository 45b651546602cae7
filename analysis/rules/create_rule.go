package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// create-rule reports rules, and rules on hypertables, which TimescaleDB
// refuses.
//
// A rule rewrites every query of its table before it is planned. What comes out
// surprises: a volatile function of the query may be called twice, and COPY
// passes the rule by. A trigger does what its name says. CREATE RULE also takes an ACCESS EXCLUSIVE lock on the table. On a
// hypertable it fails. Outside of hypertables the rule reports where it is
// named in the configuration.
//
// # Bad: ecto
//
//	def up do
//	  create table(:readings, primary_key: false) do
//	    add :time, :timestamptz, null: false
//	  end
//
//	  execute "SELECT create_hypertable('readings', 'time')"
//	  execute "CREATE RULE no_delete AS ON DELETE TO readings DO INSTEAD NOTHING"
//	end
//
//	def down do
//	  drop table(:readings)
//	end
//
// # Bad: sql
//
//	CREATE RULE no_delete AS ON DELETE TO orders DO INSTEAD NOTHING;
//
// # Good: sql
//
//	REVOKE DELETE ON orders FROM shop;
//
// # Exceptions
//
// Views, whose rules make them writable.
var createRule = &analysis.Rule{
	ID:       "create-rule",
	Summary:  "a rule rewrites every query of its table; a hypertable refuses it",
	Severity: analysis.Info,
	Default:  true,
	On:       []migration.Op{(*migration.Create)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.Create)
		if op.Kind != "rule" || s.Statement.IsUnknown(op.Table.Span) {
			return
		}
		r := s.Before.Relation(op.Table)
		switch {
		case r != nil && r.Hypertable != nil:
			p.Report(s, analysis.Report{
				On:       op.Table.Span,
				Severity: analysis.Error,
				Message:  fmt.Sprintf("this fails: %s is a hypertable, and hypertables take no rules", quoted(op.Table.String())),
				Help:     "use a trigger, or take the right away with REVOKE",
			})
		case p.Asked() && (r == nil || r.Kind == "table"):
			p.Report(s, analysis.Report{
				On:      op.Table.Span,
				Message: fmt.Sprintf("every query of %s is rewritten by this rule, with results that surprise, and reads and writes on it wait for this (ACCESS EXCLUSIVE lock)", quoted(op.Table.String())),
				Help:    "use a trigger",
			})
		}
	},
}
