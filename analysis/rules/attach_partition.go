package rules

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// attach-partition reports partitions that are attached without a CHECK that
// proves their bound.
//
// ATTACH PARTITION reads every row of the table to see that it is within the
// bound, and keeps others from reading and writing it meanwhile (ACCESS
// EXCLUSIVE lock on the partition; the parent is only closed to other schema
// changes). Where a validated CHECK constraint says the same as the bound, the
// rows are not read. Add it NOT VALID, validate it in a migration of its own,
// attach, and drop it.
//
// # Bad: ecto
//
//	execute "ALTER TABLE orders ATTACH PARTITION orders_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
//	        "ALTER TABLE orders DETACH PARTITION orders_2024"
//
// # Good: ecto
//
//	execute "ALTER TABLE orders_2024 ADD CONSTRAINT orders_2024_bound CHECK (placed_at >= '2024-01-01' AND placed_at < '2025-01-01') NOT VALID",
//	        "ALTER TABLE orders_2024 DROP CONSTRAINT orders_2024_bound"
//
// # Bad: sql
//
//	ALTER TABLE orders ATTACH PARTITION orders_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
//
// # Bad: goose
//
//	-- +goose NO TRANSACTION
//	-- +goose Up
//	CREATE TABLE orders (id bigint, placed_at timestamptz NOT NULL) PARTITION BY RANGE (placed_at);
//	ALTER TABLE orders ATTACH PARTITION orders_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
//	-- +goose Down
//	ALTER TABLE orders DETACH PARTITION orders_2024;
//
// # Good: goose
//
//	-- +goose NO TRANSACTION
//	-- +goose Up
//	ALTER TABLE orders_2024 ADD CONSTRAINT orders_2024_bound CHECK (placed_at >= '2024-01-01' AND placed_at < '2025-01-01') NOT VALID;
//	ALTER TABLE orders_2024 VALIDATE CONSTRAINT orders_2024_bound;
//	ALTER TABLE orders ATTACH PARTITION orders_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
//	ALTER TABLE orders_2024 DROP CONSTRAINT orders_2024_bound;
//	-- +goose Down
//	ALTER TABLE orders DETACH PARTITION orders_2024;
//
// # Exceptions
//
// Tables that the same migration creates, tables listed as small, and tables
// with a validated CHECK of the partition key: whether it implies the bound is
// for PostgreSQL to say.
var attachPartition = &analysis.Rule{
	ID:       "attach-partition",
	Summary:  "an attached partition is read whole, under a lock, to prove its bound",
	Severity: analysis.Warning,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"pgls/avoidAttachingPartition", "pgfence/attach-partition"},
	On:       []migration.Op{(*migration.AttachPartition)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.AttachPartition)
		if op.Bound == nil || !p.Existing(s, op.Partition) || p.Small(op.Partition) {
			return
		}
		var keys []string
		by := ""
		if parent := s.Before.Table(op.Table); parent != nil {
			keys, by = parent.PartitionKey, parent.PartitionBy
		}
		if provesBound(s.Before.Table(op.Partition), keys) {
			return
		}
		r := analysis.Report{
			On:      op.Partition.Span,
			Message: fmt.Sprintf("reads and writes on %s are blocked while every row of it is checked against the bound (ACCESS EXCLUSIVE lock)", quoted(op.Partition.String())),
			Help:    "add a CHECK that says the same as the bound NOT VALID, validate it in a migration of its own, attach then, and drop it",
		}
		check := boundCheck(op.Bound.SQL, by, keys)
		if check != "" {
			r.Help = fmt.Sprintf("add CHECK (%s) NOT VALID, validate it in a migration of its own, attach then, and drop it", check)
		}
		if check != "" && s.Tx == analysis.NoTransaction {
			table := schema.RefOf(op.Partition)
			name := schema.Quote(table.Name + "_bound")
			r.Fixes = fixes("Prove the bound by a CHECK first", false,
				insertBefore(p, s, fmt.Sprintf("ALTER TABLE %s ADD CONSTRAINT %s CHECK (%s) NOT VALID", table.SQL(), name, check),
					fmt.Sprintf("ALTER TABLE %s VALIDATE CONSTRAINT %s", table.SQL(), name)),
				insertAfter(p, s, fmt.Sprintf("ALTER TABLE %s DROP CONSTRAINT %s", table.SQL(), name)))
		}
		p.Report(s, r)
	},
}

// provesBound reports whether a table has a validated CHECK of the columns: one
// that may imply the bound.
func provesBound(r *schema.Relation, keys []string) bool {
	if r == nil {
		return false
	}
	text := ""
	for _, c := range r.Constraints {
		if c.Kind == migration.Check && !c.NotValid {
			text += " " + strings.ToLower(c.Expr)
		}
	}
	for _, k := range keys {
		if !regexp.MustCompile(`(^|[^\w])` + regexp.QuoteMeta(strings.ToLower(k)) + `([^\w]|$)`).MatchString(text) {
			return false
		}
	}
	return text != ""
}

var (
	rangeBound = regex.MustCompile(`(?is)^for\s+values\s+from\s*\(([^(),]+)\)\s*to\s*\(([^(),]+)\)$`)
	listBound  = regex.MustCompile(`(?is)^for\s+values\s+in\s*\(([^()]+)\)$`)
	nullWord   = regex.MustCompile(`(?i)\bnull\b`)
)

// boundCheck is the condition that a bound of a single key stands for, "" where
// it cannot be written.
func boundCheck(bound, by string, keys []string) string {
	if len(keys) != 1 {
		return ""
	}
	k := schema.Quote(keys[0])
	switch by {
	case "range":
		m := rangeBound.FindStringSubmatch(bound)
		if m == nil {
			return ""
		}
		out := k + " IS NOT NULL"
		if !strings.EqualFold(strings.TrimSpace(m[1]), "minvalue") {
			out += " AND " + k + " >= " + strings.TrimSpace(m[1])
		}
		if !strings.EqualFold(strings.TrimSpace(m[2]), "maxvalue") {
			out += " AND " + k + " < " + strings.TrimSpace(m[2])
		}
		return out
	case "list":
		if m := listBound.FindStringSubmatch(bound); m != nil && !nullWord.MatchString(m[1]) {
			return k + " IS NOT NULL AND " + k + " IN (" + strings.TrimSpace(m[1]) + ")"
		}
	}
	return ""
}
