package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// require-concurrent-index-deletion reports index drops that block reads and
// writes.
//
// DROP INDEX takes an ACCESS EXCLUSIVE lock on the table. The drop itself is
// quick, but it waits for every running query, and everything that comes after
// waits behind it. DROP INDEX CONCURRENTLY lets both go on, outside a
// transaction.
//
// # Bad: ecto
//
//	drop index(:orders, [:user_id])
//
// # Good: ecto
//
//	@disable_ddl_transaction true
//	@disable_migration_lock true
//
//	def change do
//	  drop index(:orders, [:user_id], concurrently: true)
//	end
//
// # Bad: sql
//
//	DROP INDEX orders_user_id_idx;
//
// # Good: sql
//
//	DROP INDEX CONCURRENTLY orders_user_id_idx;
//
// # Exceptions
//
// Indexes and tables that the same migration creates, tables that it drops,
// and the indexes of partitioned tables and hypertables.
var requireConcurrentIndexDeletion = &analysis.Rule{
	ID:       "require-concurrent-index-deletion",
	Summary:  "an index drop blocks reads and writes while it waits",
	Severity: analysis.Info,
	Default:  true,
	Fix:      analysis.SafeFix,
	Aliases: []string{"squawk/require-concurrent-index-deletion", "pgls/requireConcurrentIndexDeletion", "atlas/PG102",
		"pgfence/drop-index-not-concurrent", "excellent_migrations/index_not_concurrently"},
	On: []migration.Op{(*migration.DropIndex)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.DropIndex)
		if op.Concurrently || s.Before.Taints() != p.Before.Taints() {
			return
		}
		for _, name := range op.Indexes {
			table := "its table"
			if i, r := s.Before.Index(name); i != nil {
				made := i.Created != nil && i.Created.Migration == p.Migration
				if made || p.CreatedHere(r) || special(r) || p.Small(migration.Name{Schema: r.Schema, Name: r.Name}) || p.After.Lookup(r.Ref) == nil {
					continue
				}
				table = quoted(r.Ref.String())
			}
			var fix []analysis.Fix
			if len(op.Indexes) == 1 && !op.Cascade {
				fix = fixes("Drop the index concurrently", leavingIsSafe(p), concurrently(p, s), leaveTransaction(p))
			}
			p.Report(s, analysis.Report{
				On:      name.Span,
				Message: fmt.Sprintf("dropping %s blocks reads and writes of %s while it waits for running queries (ACCESS EXCLUSIVE lock)", quoted(name.String()), table),
				Help:    "drop it concurrently, outside a transaction",
				Fixes:   fix,
			})
			return // one finding for the statement
		}
	},
}
