package rules

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// require-concurrent-detach-partition reports partitions that are detached
// under a lock on the whole table.
//
// DETACH PARTITION takes an ACCESS EXCLUSIVE lock on the parent: it waits for
// every query on the partitioned table, and every later one waits for it.
// DETACH PARTITION ... CONCURRENTLY, since PostgreSQL 14, lets them go on. It
// cannot run inside a transaction.
//
// # Bad: ecto
//
//	execute "ALTER TABLE orders DETACH PARTITION orders_2020",
//	        "ALTER TABLE orders ATTACH PARTITION orders_2020 FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')"
//
// # Good: ecto
//
//	@disable_ddl_transaction true
//	@disable_migration_lock true
//
//	def up do
//	  execute "ALTER TABLE orders DETACH PARTITION orders_2020 CONCURRENTLY"
//	end
//
//	def down do
//	  execute "ALTER TABLE orders ATTACH PARTITION orders_2020 FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')"
//	end
//
// # Bad: sql
//
//	ALTER TABLE orders DETACH PARTITION orders_2020;
//
// # Good: sql
//
//	ALTER TABLE orders DETACH PARTITION orders_2020 CONCURRENTLY;
//
// # Exceptions
//
// PostgreSQL before 14, FINALIZE, tables that the same migration creates, and
// tables with a DEFAULT partition, of which PostgreSQL detaches nothing
// concurrently.
var requireConcurrentDetachPartition = &analysis.Rule{
	ID:       "require-concurrent-detach-partition",
	Summary:  "detaching a partition blocks reads and writes on the whole table",
	Severity: analysis.Warning,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"squawk/require-concurrent-partition-detach", "pgls/requireConcurrentDetachPartition", "pgfence/detach-partition"},
	On:       []migration.Op{(*migration.DetachPartition)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.DetachPartition)
		if v := p.Settings.PostgresVersion; v != 0 && v < 14 || op.Concurrently || op.Finalize {
			return
		}
		if !p.Existing(s, op.Table) || !p.Existing(s, op.Partition) || hasDefaultPartition(s.Before, schema.RefOf(op.Table)) {
			return
		}
		end := op.Partition.Span.End
		p.Report(s, analysis.Report{
			On:      op.Partition.Span,
			Message: fmt.Sprintf("reads and writes on %s and all its partitions wait for this, and this waits for every query on them (ACCESS EXCLUSIVE lock)", quoted(op.Table.String())),
			Help:    "detach it CONCURRENTLY, outside a transaction",
			Fixes:   fixes("Detach it concurrently", false, edit(s, source.Span{Start: end, End: end}, " CONCURRENTLY"), leaveTransaction(p)),
		})
	},
}

// hasDefaultPartition reports whether a DEFAULT partition of a table is known.
func hasDefaultPartition(c *schema.Catalog, parent schema.Ref) bool {
	for r := range c.Relations() {
		if r.PartitionOf == parent && strings.EqualFold(r.Bound, "default") {
			return true
		}
	}
	return false
}
