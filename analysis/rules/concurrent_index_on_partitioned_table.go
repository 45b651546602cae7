package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// concurrent-index-on-partitioned-table reports concurrent builds on a
// partitioned table.
//
// PostgreSQL cannot build an index on a partitioned table concurrently. The way
// round it: create the index on the parent only (it stays invalid), build one
// concurrently on each partition, and attach each to the parent's; the last one
// makes the parent's index valid.
//
// # Bad: sql
//
//	-- 001_events.up.sql --
//	CREATE TABLE events (id bigint, day date NOT NULL) PARTITION BY RANGE (day);
//	-- 002_index.up.sql --
//	CREATE INDEX CONCURRENTLY events_day_idx ON events (day);
//
// # Good: sql
//
//	-- 001_events.up.sql --
//	CREATE TABLE events (id bigint, day date NOT NULL) PARTITION BY RANGE (day);
//	-- 002_index.up.sql --
//	CREATE INDEX events_day_idx ON ONLY events (day);
var concurrentIndexOnPartitionedTable = &analysis.Rule{
	ID:       "concurrent-index-on-partitioned-table",
	Summary:  "a partitioned table cannot have an index built concurrently",
	Severity: analysis.Error,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	On:       []migration.Op{(*migration.CreateIndex)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.CreateIndex)
		r := s.Before.Relation(op.Table)
		if !op.Concurrently || op.Only || r == nil || r.PartitionBy == "" {
			return
		}
		report := analysis.Report{
			On:      op.Table.Span,
			Message: fmt.Sprintf("CREATE INDEX CONCURRENTLY fails on %s: it is partitioned", quoted(op.Table.String())),
			Help:    "create the index ON ONLY the parent, build one concurrently on each partition, then attach them with ALTER INDEX ... ATTACH PARTITION",
			Related: analysis.RelatedTo(r.Created, quoted(op.Table.String())+" is partitioned here"),
		}
		if word, ok := concurrentlySpan(s.Statement.SQL, op.Keyword); ok {
			at := op.Table.Span
			at.End = at.Start
			report.Fixes = fixes("Create the index on the parent only", false, edit(s, word, ""), edit(s, at, "ONLY "))
		}
		p.Report(s, report)
	},
}
