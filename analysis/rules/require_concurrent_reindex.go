package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// require-concurrent-reindex reports REINDEX that blocks writes.
//
// REINDEX holds a SHARE lock on the table, which blocks writes, and an ACCESS
// EXCLUSIVE lock on each index, which blocks every query that is planned with
// it. REINDEX CONCURRENTLY, since PostgreSQL 12, blocks neither and runs outside
// a transaction.
//
// # Bad: sql
//
//	REINDEX TABLE orders;
//
// # Good: sql
//
//	REINDEX TABLE CONCURRENTLY orders;
//
// # Bad: ecto
//
//	execute "REINDEX INDEX orders_user_id_index", ""
var requireConcurrentReindex = &analysis.Rule{
	ID:       "require-concurrent-reindex",
	Summary:  "REINDEX blocks writes to its table",
	Severity: analysis.Warning,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"squawk/require-concurrent-reindex", "pgls/requireConcurrentReindex", "pgfence/reindex-non-concurrent"},
	On:       []migration.Op{(*migration.Reindex)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.Reindex)
		if op.Concurrently || op.Kind == "system" || p.Settings.PostgresVersion != 0 && p.Settings.PostgresVersion < 12 {
			return
		}
		what := "its tables"
		switch op.Kind {
		case "table":
			if !p.Existing(s, op.Object) || p.Small(op.Object) || hypertable(s.Before, op.Object) != nil {
				return
			}
			what = quoted(op.Object.String())
		case "index":
			what = "its table"
			if _, r := s.Before.Index(op.Object); r != nil {
				if p.CreatedHere(r) || r.Hypertable != nil {
					return
				}
				what = quoted(r.Ref.String())
			}
		}
		p.Report(s, analysis.Report{
			On:      op.Object.Span,
			Message: fmt.Sprintf("rebuilding indexes blocks every write to %s, and reads that use them (SHARE lock, ACCESS EXCLUSIVE on the index)", what),
			Help:    "reindex concurrently, outside a transaction",
			Fixes:   fixes("Reindex concurrently", false, reindexConcurrently(s), leaveTransaction(p)),
		})
	},
}

var reindexWords = regex.MustCompile(`(?i)^\s*reindex\s+(\([^)]*\)\s*)?(index|table|schema|database)\b`)

func reindexConcurrently(s *analysis.Step) change {
	return func() ([]source.Edit, error) {
		m := reindexWords.FindStringIndex(s.Statement.SQL)
		if m == nil {
			return nil, migration.ErrNotExpressible
		}
		return edit(s, source.Span{Start: m[1], End: m[1]}, " CONCURRENTLY")()
	}
}
