package rules

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// create-hypertable-on-existing-data reports create_hypertable on a table from
// an earlier migration.
//
// A table that has rows is refused with "table is not empty", unless
// migrate_data is given; then all rows are copied into chunks under an ACCESS
// EXCLUSIVE lock, which blocks reads and writes for the whole copy. For a large
// table make a new hypertable and copy in steps.
//
// # Bad: sql
//
//	-- 001_metrics.up.sql --
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float);
//	-- 002_hypertable.up.sql --
//	SELECT create_hypertable('metrics', 'time');
//
// # Good: sql
//
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float);
//	SELECT create_hypertable('metrics', 'time');
var createHypertableOnExistingData = &analysis.Rule{
	ID:       "create-hypertable-on-existing-data",
	Summary:  "create_hypertable fails on a table with rows, or locks it while it copies them",
	Severity: analysis.Error,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	On:       []migration.Op{(*migration.CreateHypertable)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.CreateHypertable)
		if op.Table.IsZero() || !p.Existing(s, op.Table) || hypertable(s.Before, op.Table) != nil {
			return
		}
		r := analysis.Report{
			On:      op.Span,
			Message: fmt.Sprintf("create_hypertable fails when %s has rows: it was made by an earlier migration", quoted(op.Table.String())),
			Help:    "convert the table in the migration that creates it, or give migrate_data => true and accept that reads and writes wait for the copy",
		}
		if op.MigrateData {
			r.Severity = analysis.Warning
			r.Message = fmt.Sprintf("converting %s blocks reads and writes while all its rows are copied (ACCESS EXCLUSIVE lock)", quoted(op.Table.String()))
			r.Help = "for a large table, make a new hypertable and copy the rows in steps"
		} else if end := op.Span.End; end > 0 && end <= len(s.Statement.SQL) && strings.HasSuffix(op.Span.Of(s.Statement.SQL), ")") {
			r.Fixes = fixes("Move the rows into chunks", false, edit(s, source.Span{Start: end - 1, End: end - 1}, ", migrate_data => true"))
		}
		p.Report(s, r)
	},
}
