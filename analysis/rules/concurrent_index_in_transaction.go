package rules

import (
	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// concurrent-index-in-transaction reports concurrent work inside a transaction.
//
// CREATE INDEX CONCURRENTLY, DROP INDEX CONCURRENTLY, REINDEX CONCURRENTLY and
// DETACH PARTITION CONCURRENTLY wait for other transactions in the middle of
// their work and refuse to run inside one of their own. Most migration tools
// open a transaction around each migration, so the statement fails unless the
// file tells its tool not to.
//
// # Bad: ecto
//
//	create index(:orders, [:user_id], concurrently: true)
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
// # Bad: goose
//
//	-- +goose Up
//	CREATE INDEX CONCURRENTLY orders_user_id_idx ON orders (user_id);
//	-- +goose Down
//	SELECT 1;
//
// # Good: goose
//
//	-- +goose NO TRANSACTION
//	-- +goose Up
//	CREATE INDEX CONCURRENTLY orders_user_id_idx ON orders (user_id);
//	-- +goose Down
//	SELECT 1;
var concurrentIndexInTransaction = &analysis.Rule{
	ID:       "concurrent-index-in-transaction",
	Summary:  "a concurrent build or drop inside a transaction fails",
	Severity: analysis.Error,
	Default:  true,
	Fix:      analysis.SafeFix,
	Down:     true,
	Aliases: []string{"squawk/ban-concurrent-index-creation-in-transaction", "pgls/banConcurrentIndexCreationInTransaction",
		"excellent_migrations/index_concurrently_without_disable_ddl_transaction", "atlas/PG103", "pgfence/concurrent-in-transaction"},
	On: concurrentOps,
	Op: func(p *analysis.Pass, s *analysis.Step) {
		what, on := concurrent(s)
		if what == "" || !s.Tx.Certain() || s.Tx == analysis.ByUnit {
			return
		}
		r := analysis.Report{On: on, Message: what + " fails here: it cannot run inside a transaction, and " + transactionOwner(p, s)}
		switch s.Tx {
		case analysis.ByTool:
			r.Help = "turn the tool's transaction off for this file"
			r.Fixes = fixes("Run this migration outside a transaction", leavingIsSafe(p), leaveTransaction(p))
		case analysis.ByFile:
			r.Help = "take it out of BEGIN and COMMIT"
			r.Fixes = fixes("Remove BEGIN and COMMIT", leavingIsSafe(p), withoutTransaction(p))
		default:
			r.Help = "move it out of the DO block into a statement of its own"
		}
		p.Report(s, r)
	},
}

// concurrentOps are the operations that have a CONCURRENTLY.
var concurrentOps = []migration.Op{(*migration.CreateIndex)(nil), (*migration.DropIndex)(nil), (*migration.Reindex)(nil), (*migration.DetachPartition)(nil)}

// concurrent names a concurrent operation; "" for one that is not, or that
// fails for a reason of its own.
func concurrent(s *analysis.Step) (what string, on source.Span) {
	switch op := s.Op.(type) {
	case *migration.CreateIndex:
		if op.Concurrently && !special(s.Before.Relation(op.Table)) {
			return "CREATE INDEX CONCURRENTLY", op.Table.Span
		}
	case *migration.DropIndex:
		if op.Concurrently && len(op.Indexes) > 0 {
			return "DROP INDEX CONCURRENTLY", op.Indexes[0].Span
		}
	case *migration.Reindex:
		if op.Concurrently {
			return "REINDEX CONCURRENTLY", op.Object.Span
		}
	case *migration.DetachPartition:
		if op.Concurrently {
			return "DETACH PARTITION CONCURRENTLY", op.Partition.Span
		}
	}
	return "", source.Span{}
}

// transactionOwner says who opened the transaction.
func transactionOwner(p *analysis.Pass, s *analysis.Step) string {
	switch s.Tx {
	case analysis.ByFile:
		return "a BEGIN above opened one"
	case analysis.ByBlock:
		return "a DO block is always in one"
	}
	if p.Migration.Format == migration.Ecto {
		return "Ecto opens one around the migration"
	}
	return string(p.Migration.Format) + " opens one around the migration"
}

// withoutTransaction removes the file's own BEGIN and COMMIT.
func withoutTransaction(p *analysis.Pass) change {
	return func() ([]source.Edit, error) {
		if p.Body.Tx == migration.Explicit || p.Body.Tx == migration.ImplicitIfMulti && len(p.Body.Statements()) > 3 {
			return nil, migration.ErrNotExpressible // it would still be in one
		}
		var out []source.Edit
		for i := range p.Steps {
			if t, ok := p.Steps[i].Op.(*migration.TxControl); ok {
				switch t.Verb {
				case "begin", "start transaction", "commit":
					e, err := without(p, &p.Steps[i])()
					if err != nil {
						return nil, err
					}
					out = append(out, e...)
				default:
					return nil, migration.ErrNotExpressible
				}
			}
		}
		return out, nil
	}
}
