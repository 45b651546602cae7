package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// hypertable-blocking-index reports index builds that block writes to every
// chunk of a hypertable.
//
// A plain CREATE INDEX on a hypertable holds a SHARE lock on the table and on
// all of its chunks until the last one is done. WITH
// (timescaledb.transaction_per_chunk) locks one chunk at a time; it runs outside
// a transaction. When it fails half way, drop the index before the next try.
//
// # Bad: sql
//
//	-- 001_metrics.up.sql --
//	CREATE TABLE metrics (time timestamptz NOT NULL, device int);
//	SELECT create_hypertable('metrics', 'time');
//	-- 002_index.up.sql --
//	CREATE INDEX metrics_device_idx ON metrics (device, time DESC);
//
// # Good: sql
//
//	-- 001_metrics.up.sql --
//	CREATE TABLE metrics (time timestamptz NOT NULL, device int);
//	SELECT create_hypertable('metrics', 'time');
//	-- 002_index.up.sql --
//	CREATE INDEX metrics_device_idx ON metrics (device, time DESC) WITH (timescaledb.transaction_per_chunk);
var hypertableBlockingIndex = &analysis.Rule{
	ID:       "hypertable-blocking-index",
	Summary:  "an index build blocks writes to a hypertable and all its chunks",
	Severity: analysis.Warning,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	On:       []migration.Op{(*migration.CreateIndex)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.CreateIndex)
		if op.Concurrently || perChunk(op) || hypertable(s.Before, op.Table) == nil || !p.Existing(s, op.Table) || p.Small(op.Table) {
			return
		}
		report := analysis.Report{
			On:      op.Table.Span,
			Message: fmt.Sprintf("building this index blocks every write to hypertable %s and all its chunks until it is finished (SHARE lock)", quoted(op.Table.String())),
			Help:    "build it WITH (timescaledb.transaction_per_chunk), outside a transaction",
			Fixes:   fixes("Build it chunk by chunk", false, withPerChunk(s, op), leaveTransaction(p)),
		}
		if op.Unique {
			report.Help = "run it at a quiet time: a unique index cannot be built chunk by chunk"
		}
		p.Report(s, report)
	},
}
