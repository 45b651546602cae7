package rules

import (
	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// concurrent-index-without-migration-lock-opt-out reports concurrent builds
// under Ecto's migration lock.
//
// While a migration runs, Ecto holds a lock on schema_migrations in a second
// connection, inside a transaction that stays open. A concurrent index build
// waits for every transaction that is older than itself, that one included, so
// the migration waits for itself. Either the migration opts out of the lock, or
// the repo uses advisory locks (migration_lock: :pg_advisory_lock).
//
// # Bad: ecto
//
//	@disable_ddl_transaction true
//
//	def change do
//	  create index(:orders, [:user_id], concurrently: true)
//	end
//
// # Good: ecto
//
//	@disable_ddl_transaction true
//	@disable_migration_lock true
//
//	def change do
//	  create index(:orders, [:user_id], concurrently: true)
//	end
var concurrentIndexWithoutMigrationLockOptOut = &analysis.Rule{
	ID:       "concurrent-index-without-migration-lock-opt-out",
	Summary:  "a concurrent build waits for Ecto's own migration lock",
	Severity: analysis.Warning,
	Default:  true,
	Fix:      analysis.SafeFix,
	Down:     true,
	Aliases:  []string{"excellent_migrations/index_concurrently_without_disable_migration_lock"},
	On:       concurrentOps,
	Op: func(p *analysis.Pass, s *analysis.Step) {
		what, on := concurrent(s)
		if what == "" || !p.Migration.TableLock || s.Inner {
			return
		}
		p.Report(s, analysis.Report{
			On:      on,
			Message: what + " waits for the transaction in which Ecto holds its migration lock, and that one waits for the migration",
			Help:    "add @disable_migration_lock true, or configure migration_lock: :pg_advisory_lock for the repo",
			Fixes: fixes("Run this migration without the migration lock", true, func() ([]source.Edit, error) {
				if p.Migration.Editor == nil {
					return nil, migration.ErrNotExpressible
				}
				return p.Migration.Editor.DisableTableLock(p.Migration)
			}),
		})
	},
}
