package rules

import (
	"fmt"
	"slices"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// concurrent-index-if-not-exists reports guards that keep a broken index.
//
// A concurrent build that fails leaves an invalid index of the same name
// behind, which PostgreSQL maintains on every write and uses for no query. The
// next run sees that the name exists, skips the build and succeeds: the broken
// index stays for good. Drop it first, then build.
//
// # Bad: ecto
//
//	@disable_ddl_transaction true
//	@disable_migration_lock true
//
//	def change do
//	  create_if_not_exists index(:orders, [:user_id], concurrently: true)
//	end
//
// # Bad: sql
//
//	CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_user_id_idx ON orders (user_id);
//
// # Good: goose
//
//	-- +goose NO TRANSACTION
//	-- +goose Up
//	DROP INDEX CONCURRENTLY IF EXISTS orders_user_id_idx;
//	CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_user_id_idx ON orders (user_id);
//	-- +goose Down
//	DROP INDEX CONCURRENTLY orders_user_id_idx;
var concurrentIndexIfNotExists = &analysis.Rule{
	ID:       "concurrent-index-if-not-exists",
	Summary:  "IF NOT EXISTS keeps the invalid index of a failed concurrent build",
	Severity: analysis.Info,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	On:       []migration.Op{(*migration.CreateIndex)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.CreateIndex)
		if !op.Concurrently || !op.IfNotExists || op.Index.IsZero() || !p.Existing(s, op.Table) {
			return
		}
		for i := range p.Steps {
			if &p.Steps[i] == s {
				break
			}
			d, ok := p.Steps[i].Op.(*migration.DropIndex)
			if ok && slices.ContainsFunc(d.Indexes, func(n migration.Name) bool { return n.Name == op.Index.Name }) {
				return
			}
		}
		r := analysis.Report{
			On:      op.Table.Span,
			Message: fmt.Sprintf("a failed earlier build of %s is kept as an invalid index: IF NOT EXISTS looks at the name only", quoted(op.Index.Name)),
			Help:    "drop the index if it exists, then build it",
		}
		// A second statement would put both in one transaction where the tool
		// sends the file at once; a derived down could not be reversed.
		if p.Body.Tx == migration.None && p.Body.Origin == migration.Written && p.Migration.Down.Origin != migration.Derived {
			name := schema.Ref{Schema: op.Table.Schema, Name: op.Index.Name}
			r.Fixes = fixes("Drop the index first", false, insertBefore(p, s, "DROP INDEX CONCURRENTLY IF EXISTS "+name.SQL()))
		}
		p.Report(s, r)
	},
}
