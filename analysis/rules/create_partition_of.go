package rules

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// create-partition-of reports partitions that are made in place.
//
// CREATE TABLE ... PARTITION OF takes an ACCESS EXCLUSIVE lock on the parent.
// It is quick once it has the lock, but it waits for every query on the parent
// that is running, and whatever comes after it waits too. A table of its own
// that is attached then locks the parent only against other schema changes.
//
// # Bad: ecto
//
//	execute "CREATE TABLE orders_2025 PARTITION OF orders FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
//	        "DROP TABLE orders_2025"
//
// # Good: ecto
//
//	execute "CREATE TABLE orders_2025 (LIKE orders INCLUDING DEFAULTS INCLUDING CONSTRAINTS)", "DROP TABLE orders_2025"
//
//	execute "ALTER TABLE orders ATTACH PARTITION orders_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
//	        "ALTER TABLE orders DETACH PARTITION orders_2025"
//
// # Bad: sql
//
//	CREATE TABLE orders_2025 PARTITION OF orders FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
//
// # Good: sql
//
//	CREATE TABLE orders_2025 (LIKE orders INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
//	ALTER TABLE orders ATTACH PARTITION orders_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
//
// # Exceptions
//
// Parents that the same migration creates.
var createPartitionOf = &analysis.Rule{
	ID:       "create-partition-of",
	Summary:  "a partition made in place locks its parent against everything",
	Severity: analysis.Info,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	On:       []migration.Op{(*migration.CreateTable)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.CreateTable)
		if op.PartitionOf.IsZero() || !p.Existing(s, op.PartitionOf) {
			return
		}
		if r := s.Before.Relation(op.Table); op.IfNotExists && r != nil {
			return // it is there: nothing happens
		}
		p.Report(s, analysis.Report{
			On:      op.PartitionOf.Span,
			Message: fmt.Sprintf("reads and writes on %s wait for this, and this waits for every query on it (ACCESS EXCLUSIVE lock on the parent)", quoted(op.PartitionOf.String())),
			Help:    "create the table by itself (LIKE the parent) and attach it: that keeps out only other schema changes",
			Fixes:   fixes("Create the table by itself and attach it", false, apart(p, s, op)),
		})
	},
}

// apart writes a partition as a table of its own that is attached.
func apart(p *analysis.Pass, s *analysis.Step, op *migration.CreateTable) change {
	return func() ([]source.Edit, error) {
		sql := s.Statement.SQL
		if op.Bound == nil || s.Inner || op.IfNotExists || len(op.Columns)+len(op.Constraints) > 0 || op.Bound.Span.End > len(sql) ||
			strings.TrimRight(sql[op.Bound.Span.End:], "; \t\r\n") != "" || op.Table.Span.End > op.PartitionOf.Span.Start {
			return nil, migration.ErrNotExpressible
		}
		table, parent := schema.RefOf(op.Table), schema.RefOf(op.PartitionOf)
		edits, err := edit(s, source.Span{Start: op.Table.Span.End, End: op.Bound.Span.End}, " (LIKE "+parent.SQL()+" INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")()
		if err != nil {
			return nil, err
		}
		more, err := insertAfter(p, s, fmt.Sprintf("ALTER TABLE %s ATTACH PARTITION %s %s", parent.SQL(), table.SQL(), op.Bound.SQL))()
		return append(edits, more...), err
	}
}
