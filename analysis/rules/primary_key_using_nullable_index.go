package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// primary-key-using-nullable-index reports primary keys over columns that may
// be NULL.
//
// PRIMARY KEY USING INDEX takes an instant only where all columns are NOT NULL
// already. Otherwise PostgreSQL sets them NOT NULL by itself and reads every row
// for it, under an ACCESS EXCLUSIVE lock: reads and writes wait. Make them NOT
// NULL before, by way of a validated check constraint.
//
// # Bad: sql
//
//	-- 001_orders.up.sql --
//	CREATE TABLE orders (id bigint);
//	CREATE UNIQUE INDEX orders_id ON orders (id);
//	-- 002_key.up.sql --
//	ALTER TABLE orders ADD CONSTRAINT orders_pkey PRIMARY KEY USING INDEX orders_id;
//
// # Good: sql
//
//	-- 001_orders.up.sql --
//	CREATE TABLE orders (id bigint NOT NULL);
//	CREATE UNIQUE INDEX orders_id ON orders (id);
//	-- 002_key.up.sql --
//	ALTER TABLE orders ADD CONSTRAINT orders_pkey PRIMARY KEY USING INDEX orders_id;
//
// # Exceptions
//
// Tables that the same migration creates, tables listed as small, columns with
// a validated check that they are not NULL (PostgreSQL 12), and columns that no
// migration shows.
var primaryKeyUsingNullableIndex = &analysis.Rule{
	ID:       "primary-key-using-nullable-index",
	Summary:  "a primary key over an index reads every row because a column may be NULL",
	Severity: analysis.Info,
	Default:  true,
	Aliases:  []string{"eugene/W14", "atlas/PG304", "pgfence/add-pk-using-index"},
	On:       []migration.Op{(*migration.AddConstraint)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.AddConstraint)
		if op.Constraint.Kind != migration.PrimaryKey || op.Constraint.UsingIndex == "" || !p.Existing(s, op.Table) || p.Small(op.Table) {
			return
		}
		r := s.Before.Relation(op.Table)
		if r == nil {
			return
		}
		i := r.Index(op.Constraint.UsingIndex)
		if i == nil {
			return
		}
		v := p.Settings.PostgresVersion
		for _, name := range i.ColumnKeys() {
			c := r.Column(name)
			if c == nil || c.NotNull || (v == 0 || v >= 12) && provenNotNull(r, name) {
				continue
			}
			p.Report(s, analysis.Report{
				On:      op.Constraint.Span,
				Message: fmt.Sprintf("this blocks reads and writes on %s while every row is read (ACCESS EXCLUSIVE lock): %s may be NULL", quoted(op.Table.String()), quoted(name)),
				Help:    "make the column NOT NULL first: add CHECK (" + name + " IS NOT NULL) NOT VALID, validate it in a later migration, then SET NOT NULL",
				Related: analysis.RelatedTo(c.Created, quoted(name)+" is made here"),
			})
			return
		}
	},
}
