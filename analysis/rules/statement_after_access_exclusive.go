package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// statement-after-access-exclusive reports slow work that is done while a table
// is closed to everybody.
//
// Most changes of a table take an ACCESS EXCLUSIVE lock and are done at once.
// But the lock is held until the transaction ends: an index build, a
// validation or a write to a large table that follows in the same transaction
// keeps reads and writes waiting for all of its time. Do the slow part in a
// migration of its own.
//
// # Bad: ecto
//
//	def change do
//	  alter table(:orders) do
//	    add :state, :text
//	  end
//
//	  create index(:orders, [:state])
//	end
//
// # Good: ecto
//
//	@disable_ddl_transaction true
//	@disable_migration_lock true
//
//	def change do
//	  create index(:orders, [:state], concurrently: true)
//	end
//
// # Bad: goose
//
//	-- +goose Up
//	ALTER TABLE orders DROP COLUMN note;
//	ALTER TABLE items VALIDATE CONSTRAINT items_order_fk;
//	-- +goose Down
//	ALTER TABLE orders ADD COLUMN note text;
//
// # Good: goose
//
//	-- +goose Up
//	ALTER TABLE items VALIDATE CONSTRAINT items_order_fk;
//	-- +goose Down
//	SELECT 1;
//
// # Bad: sql
//
//	ALTER TABLE orders ADD COLUMN state text;
//	CREATE INDEX orders_state_idx ON orders (state);
//
// # Exceptions
//
// Changes that are done at once, ALTER TABLE of any kind (their own rules tell
// what is slow), work on tables that the same migration creates or that are
// listed as small, statements without a common transaction. Writes to the
// locked table itself are for backfill-in-schema-migration, the validation of a
// constraint added in the same transaction for
// validate-constraint-in-same-transaction. The first slow statement of a
// transaction is reported.
var statementAfterAccessExclusive = &analysis.Rule{
	ID:       "statement-after-access-exclusive",
	Summary:  "slow work while the transaction keeps a table closed to reads and writes",
	Severity: analysis.Warning,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"pgls/runningStatementWhileHoldingAccessExclusive", "pgfence/statement-after-access-exclusive", "eugene/E4"},
	Body: func(p *analysis.Pass) {
		held := holds(p, schema.AccessExclusive)
		told := map[*analysis.Step]bool{} // by the step that took the lock
		for i := range p.Steps {
			s := &p.Steps[i]
			list := held(s)
			if len(list) == 0 {
				continue
			}
			what, on := slowWork(p, s)
			if what == "" {
				continue
			}
			h := list[0]
			if told[h.by] {
				continue
			}
			told[h.by] = true
			p.Report(s, analysis.Report{
				On:      on,
				Message: fmt.Sprintf("%s are blocked while %s: the lock of the change above is held until the transaction ends", blocked(h.Lock), what),
				Help:    "do this in a migration of its own",
				Fixes:   movedOut(p, s, "after_"+nameOfMigration(p)),
				Related: []analysis.Related{{Message: "the lock is taken here", Path: h.by.Statement.Path, Span: h.by.Statement.Span}},
			})
		}
	},
}

// slowWork says in words what a step does that may take as long as a table
// that was there before is large; "" for everything else.
func slowWork(p *analysis.Pass, s *analysis.Step) (what string, on source.Span) {
	large := func(n migration.Name) bool {
		return !n.IsZero() && !systemTable(n) && p.Existing(s, n) && !p.Small(n)
	}
	switch op := s.Op.(type) {
	case *migration.CreateIndex:
		if !op.Concurrently && !op.Only && large(op.Table) {
			return "the index on " + quoted(op.Table.String()) + " is built", op.Table.Span
		}
	case *migration.ValidateConstraint:
		if !large(op.Table) {
			break
		}
		if r := s.Before.Relation(op.Table); r != nil && constraintMadeHere(p, r.Constraint(op.Constraint.Name)) {
			break
		}
		return "every row of " + quoted(op.Table.String()) + " is checked", op.Table.Span
	case *migration.RefreshView:
		if !op.NoData && large(op.View) {
			return quoted(op.View.String()) + " is filled again", op.View.Span
		}
	case *migration.CreateView:
		if op.Materialized && !op.NoData && !op.Continuous {
			for _, n := range op.From {
				if large(n) {
					return quoted(n.String()) + " is read", n.Span
				}
			}
		}
	case *migration.Write:
		if slowWrite(p, s, op) && !lockedHere(p, s, op.Table) {
			return "rows of " + quoted(op.Table.String()) + " are written", op.Table.Span
		}
	case *migration.Query:
		if op.Point || quickCall(op) {
			break
		}
		for _, n := range op.From {
			if large(n) {
				return quoted(n.String()) + " is read", n.Span
			}
		}
	case *migration.Reindex:
		if !op.Concurrently && op.Kind == "table" && large(op.Object) {
			return "the indexes of " + quoted(op.Object.String()) + " are built again", op.Object.Span
		}
	}
	return "", source.Span{}
}

// lockedHere reports whether an earlier statement of the transaction locked the
// table against writes.
func lockedHere(p *analysis.Pass, s *analysis.Step, n migration.Name) bool {
	for _, h := range holds(p, schema.ShareRowExclusive)(s) {
		if h.Relation == schema.RefOf(n) {
			return true
		}
	}
	return false
}

// quickCall reports whether a query is one of those that an index answers at
// once, such as SELECT setval('s', max(id)) FROM t.
func quickCall(q *migration.Query) bool {
	for _, c := range q.Calls {
		switch c.Function.Name {
		case "setval", "max", "min", "nextval", "pg_get_serial_sequence":
			return true
		}
	}
	return false
}
