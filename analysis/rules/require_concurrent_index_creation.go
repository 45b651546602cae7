package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// require-concurrent-index-creation reports index builds that block writes.
//
// CREATE INDEX holds a SHARE lock on its table from start to end: reads go on,
// but every INSERT, UPDATE and DELETE waits until the whole table has been
// read. CREATE INDEX CONCURRENTLY takes longer and lets writes go on. It cannot
// run inside a transaction, so the migration must leave its own.
//
// # Bad: ecto
//
//	create index(:orders, [:user_id])
//
// # Good: ecto
//
//	@disable_ddl_transaction true
//	@disable_migration_lock true
//
//	def change do
//	  create index(:orders, [:user_id], concurrently: true)
//	end
//
// # Bad: sql
//
//	CREATE INDEX orders_user_id_idx ON orders (user_id);
//
// # Good: sql
//
//	CREATE INDEX CONCURRENTLY orders_user_id_idx ON orders (user_id);
//
// # Bad: goose
//
//	-- +goose Up
//	CREATE INDEX orders_user_id_idx ON orders (user_id);
//	-- +goose Down
//	DROP INDEX orders_user_id_idx;
//
// # Good: goose
//
//	-- +goose NO TRANSACTION
//	-- +goose Up
//	CREATE INDEX CONCURRENTLY orders_user_id_idx ON orders (user_id);
//	-- +goose Down
//	DROP INDEX orders_user_id_idx;
//
// # Exceptions
//
// Tables that the same migration creates, temporary tables, tables listed as
// small in the configuration, and CREATE INDEX ... ON ONLY. Partitioned tables
// and hypertables cannot have an index built concurrently; other rules speak
// of them. When a concurrent build fails it leaves an invalid index behind,
// which must be dropped before the next try.
var requireConcurrentIndexCreation = &analysis.Rule{
	ID:       "require-concurrent-index-creation",
	Summary:  "an index build blocks writes to its table",
	Severity: analysis.Warning,
	Default:  true,
	Fix:      analysis.SafeFix,
	Aliases: []string{"squawk/require-concurrent-index-creation", "pgls/requireConcurrentIndexCreation", "excellent_migrations/index_not_concurrently",
		"eugene/E6", "atlas/PG101", "pgfence/create-index-not-concurrent"},
	On: []migration.Op{(*migration.CreateIndex)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.CreateIndex)
		if !blockingBuild(p, s, op) {
			return
		}
		p.Report(s, analysis.Report{
			On:      op.Table.Span,
			Message: fmt.Sprintf("building this index blocks every write to %s until it is finished (SHARE lock)", quoted(op.Table.String())),
			Help:    "build it concurrently, outside a transaction",
			Fixes:   fixes("Build the index concurrently", leavingIsSafe(p), concurrently(p, s), leaveTransaction(p)),
		})
	},
}

// blockingBuild reports whether an index build blocks writes to a table that
// others use, and need not.
func blockingBuild(p *analysis.Pass, s *analysis.Step, op *migration.CreateIndex) bool {
	return !op.Concurrently && !op.Only && p.Existing(s, op.Table) && !p.Small(op.Table) && !special(s.Before.Relation(op.Table))
}

// builtAnew reports whether another rule already asks for the index to be
// built in another way: what is to be said of the index itself can wait.
func builtAnew(p *analysis.Pass, s *analysis.Step, op *migration.CreateIndex) bool {
	return p.Runs("require-concurrent-index-creation") && blockingBuild(p, s, op)
}
