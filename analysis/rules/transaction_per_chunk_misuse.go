package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// transaction-per-chunk-misuse reports indexes that cannot be built chunk by
// chunk.
//
// An index WITH (timescaledb.transaction_per_chunk) opens and commits a
// transaction for each chunk: it cannot run inside another one, a file that is
// sent as one query of several statements included, and it cannot be unique.
//
// # Bad: goose
//
//	-- +goose Up
//	CREATE INDEX metrics_device_idx ON metrics (device) WITH (timescaledb.transaction_per_chunk);
//	-- +goose Down
//	DROP INDEX metrics_device_idx;
//
// # Good: goose
//
//	-- +goose NO TRANSACTION
//	-- +goose Up
//	CREATE INDEX metrics_device_idx ON metrics (device) WITH (timescaledb.transaction_per_chunk);
//	-- +goose Down
//	DROP INDEX metrics_device_idx;
var transactionPerChunkMisuse = &analysis.Rule{
	ID:       "transaction-per-chunk-misuse",
	Summary:  "an index cannot be built chunk by chunk here",
	Severity: analysis.Error,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Down:     true,
	On:       []migration.Op{(*migration.CreateIndex)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.CreateIndex)
		if !perChunk(op) {
			return
		}
		if op.Unique {
			p.Report(s, analysis.Report{
				On:      op.Table.Span,
				Message: "this fails: a unique index cannot be built chunk by chunk",
				Help:    "leave timescaledb.transaction_per_chunk out, and build the index at a quiet time",
			})
			return
		}
		if !s.Tx.Certain() {
			return
		}
		r := analysis.Report{On: op.Table.Span, Help: "run it outside a transaction"}
		if s.Tx == analysis.ByUnit {
			r.Message = fmt.Sprintf("this fails: an index is built chunk by chunk outside a transaction only, and PostgreSQL runs the file's %d statements as one", len(s.Unit.Statements))
			r.Help = "put it in a migration of its own"
		} else {
			r.Message = "this fails: an index is built chunk by chunk outside a transaction only, and " + transactionOwner(p, s)
		}
		if s.Tx == analysis.ByTool {
			r.Fixes = fixes("Run this migration outside a transaction", false, leaveTransaction(p))
		}
		p.Report(s, r)
	},
}
