package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// hypertable-concurrent-index reports concurrent index work on hypertables.
//
// TimescaleDB refuses CREATE INDEX CONCURRENTLY and REINDEX CONCURRENTLY on a
// hypertable or a continuous aggregate. Its own way is an index WITH
// (timescaledb.transaction_per_chunk), which locks one chunk at a time and runs
// outside a transaction. A unique index cannot be built so.
//
// # Bad: sql
//
//	-- 001_metrics.up.sql --
//	CREATE TABLE metrics (time timestamptz NOT NULL, device int);
//	SELECT create_hypertable('metrics', 'time');
//	-- 002_index.up.sql --
//	CREATE INDEX CONCURRENTLY metrics_device_idx ON metrics (device, time DESC);
//
// # Good: sql
//
//	-- 001_metrics.up.sql --
//	CREATE TABLE metrics (time timestamptz NOT NULL, device int);
//	SELECT create_hypertable('metrics', 'time');
//	-- 002_index.up.sql --
//	CREATE INDEX metrics_device_idx ON metrics (device, time DESC) WITH (timescaledb.transaction_per_chunk);
var hypertableConcurrentIndex = &analysis.Rule{
	ID:       "hypertable-concurrent-index",
	Summary:  "a hypertable cannot have an index built concurrently",
	Severity: analysis.Error,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Down:     true,
	On:       []migration.Op{(*migration.CreateIndex)(nil), (*migration.Reindex)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		switch op := s.Op.(type) {
		case *migration.CreateIndex:
			r := s.Before.Relation(op.Table)
			if !op.Concurrently || r == nil || r.Hypertable == nil && r.Kind != schema.ContinuousAggregate {
				return
			}
			report := analysis.Report{
				On:      op.Table.Span,
				Message: fmt.Sprintf("CREATE INDEX CONCURRENTLY fails on %s: TimescaleDB has no concurrent builds", quoted(op.Table.String())),
				Help:    "build it WITH (timescaledb.transaction_per_chunk), outside a transaction",
			}
			if op.Unique {
				report.Help = "build it without CONCURRENTLY, at a quiet time: a unique index cannot be built chunk by chunk"
			}
			if word, ok := concurrentlySpan(s.Statement.SQL, op.Keyword); ok && !op.Unique {
				report.Fixes = fixes("Build it chunk by chunk", false, edit(s, word, ""), withPerChunk(s, op), leaveTransaction(p))
			}
			p.Report(s, report)
		case *migration.Reindex:
			if op.Concurrently && op.Kind == "table" && hypertable(s.Before, op.Object) != nil {
				p.Report(s, analysis.Report{
					On:      op.Object.Span,
					Message: fmt.Sprintf("REINDEX CONCURRENTLY fails on %s: TimescaleDB has no concurrent builds", quoted(op.Object.String())),
					Help:    "reindex its chunks one by one",
				})
			}
		}
	},
}
