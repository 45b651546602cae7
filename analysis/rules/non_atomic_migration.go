package rules

import (
	"fmt"
	"slices"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// non-atomic-migration reports migrations that can be left half done.
//
// Outside a transaction each statement stays as soon as it is done. When a
// later one fails, the migration is neither applied nor not applied: the next
// run fails at the first statement because its object exists already, and
// somebody has to clean up by hand. Keep such a migration to the one statement
// that needs it, or make every statement safe to repeat.
//
// # Bad: ecto
//
//	@disable_ddl_transaction true
//	@disable_migration_lock true
//
//	def change do
//	  alter table(:orders) do
//	    add :state, :text
//	  end
//
//	  create index(:orders, [:state], concurrently: true)
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
//	-- +goose NO TRANSACTION
//	-- +goose Up
//	ALTER TABLE orders ADD COLUMN state text;
//	CREATE INDEX CONCURRENTLY orders_state_idx ON orders (state);
//	-- +goose Down
//	ALTER TABLE orders DROP COLUMN IF EXISTS state;
//
// # Good: goose
//
//	-- +goose NO TRANSACTION
//	-- +goose Up
//	ALTER TABLE orders ADD COLUMN IF NOT EXISTS state text;
//	CREATE INDEX CONCURRENTLY orders_state_idx ON orders (state);
//	-- +goose Down
//	ALTER TABLE orders DROP COLUMN IF EXISTS state;
//
// # Exceptions
//
// Migrations of concurrent indexes on one table, and those whose statements
// can all be run again.
var nonAtomicMigration = &analysis.Rule{
	ID:       "non-atomic-migration",
	Summary:  "a failure leaves the migration half done",
	Severity: analysis.Warning,
	Default:  true,
	Body: func(p *analysis.Pass) {
		if p.Body.Tx != migration.None {
			return
		}
		var first *analysis.Step
		changes := map[*migration.Statement]bool{}
		tables := map[string]bool{}
		onlyConcurrent := true
		for i := range p.Steps {
			s := &p.Steps[i]
			if s.Tx == analysis.ByFile || s.Inner || !changesSchema(s.Op) {
				continue
			}
			changes[s.Statement] = true
			if c, ok := s.Op.(*migration.CreateIndex); ok && c.Concurrently {
				tables[c.Table.String()] = true
			} else {
				onlyConcurrent = false
			}
			if first == nil && !repeatable(s.Op) {
				first = s
			}
		}
		if first == nil || len(changes) < 2 || onlyConcurrent && len(tables) == 1 {
			return
		}
		// The last statement may fail freely: nothing of it is kept.
		if last := p.Steps[len(p.Steps)-1].Statement; first.Statement == last {
			return
		}
		p.ReportAt(p.Body.Path, line(p, p.Body.Path, p.Body.Span.Start), analysis.Report{
			Message: fmt.Sprintf("when a later one of the %d statements fails, the first ones stay and the migration cannot be run again: it runs outside a transaction", len(changes)),
			Help:    "move what needs no transaction of its own to another migration, or make each statement safe to repeat (IF NOT EXISTS, IF EXISTS)",
			Related: []analysis.Related{{Message: "this stays and cannot be repeated", Path: first.Statement.Path, Span: first.Statement.Span}},
		})
	},
}

// changesSchema reports whether an operation leaves something behind that a
// second run would meet.
func changesSchema(op migration.Op) bool {
	switch op := op.(type) {
	case *migration.Query, *migration.Set, *migration.TxControl, *migration.LockTable, *migration.Maintain, *migration.RefreshView,
		*migration.Reindex, *migration.Other, *migration.CallProcedure, *migration.Comment:
		return false
	case *migration.Do:
		return slices.ContainsFunc(op.Ops, func(i migration.InnerOp) bool { return changesSchema(i.Op) })
	}
	return true
}

// repeatable reports whether an operation succeeds when it was done before.
func repeatable(op migration.Op) bool {
	switch op := op.(type) {
	case *migration.CreateTable:
		return op.IfNotExists
	case *migration.CreateView:
		return op.IfNotExists || op.Replace
	case *migration.AddColumn:
		return op.IfNotExists
	case *migration.DropColumn:
		return op.IfExists
	case *migration.DropConstraint:
		return op.IfExists
	case *migration.CreateIndex:
		return op.IfNotExists
	case *migration.DropIndex:
		return op.IfExists
	case *migration.Drop:
		return op.IfExists
	case *migration.AlterEnum:
		return op.IfNotExists
	case *migration.CreateFunction:
		return op.Replace
	case *migration.CreateTrigger:
		return op.Replace
	case *migration.Create:
		return op.IfNotExists || op.Replace
	case *migration.CreateHypertable:
		return op.IfNotExists
	case *migration.Write:
		return op.Verb != "insert" && op.Verb != "copy"
	case *migration.Do:
		return true // whoever writes a block guards it
	case *migration.AddConstraint, *migration.Rename, *migration.SetSchema, *migration.CreateType, *migration.AttachPartition,
		*migration.DetachPartition, *migration.AddDimension, *migration.Policy:
		return false
	}
	return true
}
