package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// rollback-recreates-index-blocking reports rollbacks that build an index and
// block writes.
//
// What drops an index is undone by building it again. Without CONCURRENTLY the
// rollback, which somebody runs in a hurry, blocks writes to the table until
// the index is built. Ecto builds it the way the drop says: with concurrently:
// true in both directions.
//
// # Bad: sql
//
//	-- 001_orders.up.sql --
//	CREATE TABLE orders (id bigint PRIMARY KEY, state text);
//	CREATE INDEX orders_state ON orders (state);
//	-- 001_orders.down.sql --
//	DROP TABLE orders;
//	-- 002_index.up.sql --
//	DROP INDEX CONCURRENTLY orders_state;
//	-- 002_index.down.sql --
//	CREATE INDEX orders_state ON orders (state);
//
// # Good: sql
//
//	-- 001_orders.up.sql --
//	CREATE TABLE orders (id bigint PRIMARY KEY, state text);
//	CREATE INDEX orders_state ON orders (state);
//	-- 001_orders.down.sql --
//	DROP TABLE orders;
//	-- 002_index.up.sql --
//	DROP INDEX CONCURRENTLY orders_state;
//	-- 002_index.down.sql --
//	CREATE INDEX CONCURRENTLY orders_state ON orders (state);
//
// # Exceptions
//
// Tables that the migration itself makes or that no migration shows, small
// tables, hypertables and partitioned tables.
var rollbackRecreatesIndexBlocking = &analysis.Rule{
	ID:       "rollback-recreates-index-blocking",
	Summary:  "a rollback builds an index and blocks writes",
	Severity: analysis.Hint,
	Fix:      analysis.UnsafeFix,
	Migration: func(up *analysis.Pass) {
		down := up.Other
		if up.Settings.ForwardOnly {
			return
		}
		for i := range down.Steps {
			s := &down.Steps[i]
			op, ok := s.Op.(*migration.CreateIndex)
			if !ok || op.Concurrently || s.Inner {
				continue
			}
			r := s.Before.Relation(op.Table)
			if r == nil || r.Created == nil || up.CreatedHere(r) || down.CreatedHere(r) || special(r) || up.Small(op.Table) {
				continue
			}
			report := analysis.Report{
				On:      op.Table.Span,
				Message: fmt.Sprintf("a rollback blocks writes to %s while it builds the index (SHARE lock)", quoted(op.Table.String())),
				Help:    "build it with CONCURRENTLY, outside a transaction",
			}
			if !down.Derived() {
				report.Fixes = fixes("Build it concurrently", false, concurrently(down, s), leaveTransaction(down))
				down.Report(s, report)
				continue
			}
			report.Help = "drop it with concurrently: true: Ecto then builds it concurrently in a rollback"
			if of := undone(up, s); of != nil {
				report.On = op.Table.Span
				report.Fixes = fixes("Drop it concurrently", false, concurrently(up, of), leaveTransaction(up))
				report.On = of.Statement.Parse().Ops[0].(*migration.DropIndex).Indexes[0].Span
				up.Report(of, report)
			}
		}
	},
}

// undone is the step of up whose command a step of a derived down undoes, when
// it drops one index.
func undone(up *analysis.Pass, s *analysis.Step) *analysis.Step {
	for i := range up.Steps {
		u := &up.Steps[i]
		if d, ok := u.Op.(*migration.DropIndex); ok && len(d.Indexes) == 1 && u.Statement.Span == s.Statement.Span && u.Statement.Path == s.Statement.Path && len(u.Statement.Ops()) == 1 {
			return u
		}
	}
	return nil
}
