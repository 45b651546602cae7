package rules

import (
	"fmt"
	"slices"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// require-concurrent-refresh-matview reports refreshes that block readers.
//
// REFRESH MATERIALIZED VIEW holds an ACCESS EXCLUSIVE lock while its query
// runs: everybody who reads the view waits. REFRESH ... CONCURRENTLY lets them
// read on; it needs a unique index on plain columns of the view, and the view
// must hold data already. It may run inside a transaction.
//
// # Bad: ecto
//
//	execute "REFRESH MATERIALIZED VIEW totals", ""
//
// # Good: ecto
//
//	execute "REFRESH MATERIALIZED VIEW CONCURRENTLY totals", ""
//
// # Bad: sql
//
//	-- 001_totals.up.sql --
//	CREATE MATERIALIZED VIEW totals AS SELECT user_id, count(*) FROM orders GROUP BY user_id;
//	CREATE UNIQUE INDEX totals_user_id_idx ON totals (user_id);
//	-- 002_refresh.up.sql --
//	REFRESH MATERIALIZED VIEW totals;
//
// # Good: sql
//
//	-- 001_totals.up.sql --
//	CREATE MATERIALIZED VIEW totals AS SELECT user_id, count(*) FROM orders GROUP BY user_id;
//	CREATE UNIQUE INDEX totals_user_id_idx ON totals (user_id);
//	-- 002_refresh.up.sql --
//	REFRESH MATERIALIZED VIEW CONCURRENTLY totals;
//
// # Exceptions
//
// Views that the same migration creates, WITH NO DATA, views listed as small,
// and continuous aggregates. Where no unique index of the view is known, the
// finding is an info.
var requireConcurrentRefreshMatview = &analysis.Rule{
	ID:       "require-concurrent-refresh-matview",
	Summary:  "refreshing a materialized view blocks its readers",
	Severity: analysis.Warning,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"pgls/requireConcurrentRefreshMatview", "pgfence/refresh-matview-blocking"},
	On:       []migration.Op{(*migration.RefreshView)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.RefreshView)
		if op.Concurrently || op.NoData || !p.Existing(s, op.View) || p.Small(op.View) {
			return
		}
		r := s.Before.Relation(op.View)
		if r != nil && r.Kind != schema.MaterializedView {
			return
		}
		report := analysis.Report{
			On:       op.View.Span,
			Message:  fmt.Sprintf("this blocks everybody who reads %s until its query is done (ACCESS EXCLUSIVE lock)", quoted(op.View.String())),
			Help:     "give the view a unique index, then refresh it CONCURRENTLY",
			Severity: analysis.Info,
		}
		if r != nil && slices.ContainsFunc(r.Indexes, wholeUnique) {
			report.Severity = analysis.Off
			report.Help = "refresh it CONCURRENTLY: it has a unique index"
			report.Fixes = fixes("Refresh concurrently", false, edit(s, source.Span{Start: op.View.Span.Start, End: op.View.Span.Start}, "CONCURRENTLY "))
		}
		p.Report(s, report)
	},
}

// wholeUnique reports whether an index is one that a concurrent refresh can
// use.
func wholeUnique(i *schema.Index) bool {
	return i.Unique && i.Where == "" && !slices.Contains(i.ColumnKeys(), "")
}
