package rules

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// continuous-aggregate-unique-index reports what works on other views and fails
// on a continuous aggregate.
//
// A continuous aggregate looks like a materialized view and is none: it has no
// unique index, is not refreshed with REFRESH MATERIALIZED VIEW, and is neither
// altered nor dropped with ALTER VIEW and DROP VIEW. Its comment is one ON VIEW.
//
// # Bad: sql
//
//	-- 001_metrics.up.sql --
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float) WITH (tsdb.hypertable);
//	CREATE MATERIALIZED VIEW hourly WITH (timescaledb.continuous) AS
//	SELECT time_bucket('1 hour', time) AS hour, avg(value) FROM metrics GROUP BY 1 WITH NO DATA;
//	SELECT add_continuous_aggregate_policy('hourly', NULL, INTERVAL '1 hour', INTERVAL '1 hour');
//	-- 002_index.up.sql --
//	CREATE UNIQUE INDEX ON hourly (hour);
//
// # Good: sql
//
//	-- 001_metrics.up.sql --
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float) WITH (tsdb.hypertable);
//	CREATE MATERIALIZED VIEW hourly WITH (timescaledb.continuous) AS
//	SELECT time_bucket('1 hour', time) AS hour, avg(value) FROM metrics GROUP BY 1 WITH NO DATA;
//	SELECT add_continuous_aggregate_policy('hourly', NULL, INTERVAL '1 hour', INTERVAL '1 hour');
//	-- 002_index.up.sql --
//	CREATE INDEX ON hourly (hour);
var continuousAggregateUniqueIndex = &analysis.Rule{
	ID:       "continuous-aggregate-unique-index",
	Summary:  "a statement for ordinary views fails on a continuous aggregate",
	Severity: analysis.Error,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Down:     true,
	On: []migration.Op{(*migration.CreateIndex)(nil), (*migration.RefreshView)(nil), (*migration.Drop)(nil), (*migration.Rename)(nil),
		(*migration.SetSchema)(nil), (*migration.SetTableOptions)(nil), (*migration.Comment)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		if p.Derived() {
			return
		}
		sql := s.Statement.SQL
		refuse := func(view migration.Name, what, help string, fix ...analysis.Fix) {
			p.Report(s, analysis.Report{
				On: view.Span, Message: fmt.Sprintf("%s fails: %s is a continuous aggregate", what, quoted(view.String())), Help: help, Fixes: fix,
			})
		}
		// replace rewrites words of the statement's own text.
		replace := func(title string, re *regex.Regexp, text string) []analysis.Fix {
			m := re.FindStringSubmatchIndex(sql)
			if m == nil || s.Inner {
				return nil
			}
			return fixes(title, false, edit(s, source.Span{Start: m[2], End: m[3]}, text))
		}
		switch op := s.Op.(type) {
		case *migration.CreateIndex:
			if op.Unique && aggregate(s.Before, op.Table) != nil {
				refuse(op.Table, "a unique index", "its rows are unique by what it groups by: a plain index serves queries", replace("Make the index not unique", uniqueWord, "")...)
			}
		case *migration.RefreshView:
			if aggregate(s.Before, op.View) != nil {
				name := strings.ReplaceAll(op.View.Span.Of(sql), "'", "''")
				refuse(op.View, "REFRESH MATERIALIZED VIEW", "CALL refresh_continuous_aggregate outside a transaction, or let its policy refresh it",
					replace("Refresh it with its own procedure", wholeStatement, "CALL refresh_continuous_aggregate('"+name+"', NULL, NULL)")...)
			}
		case *migration.Drop:
			for _, n := range op.Names {
				if op.Kind == "view" && aggregate(s.Before, n) != nil {
					refuse(n, "DROP VIEW", "write DROP MATERIALIZED VIEW", replace("Write DROP MATERIALIZED VIEW", viewWord, "MATERIALIZED VIEW")...)
				}
			}
		case *migration.Rename:
			if viewWord.MatchString(sql) && !s.Inner && (op.Kind == "view" || op.Kind == "column") && aggregate(s.Before, op.Object) != nil {
				refuse(op.Object, "ALTER VIEW", "write ALTER MATERIALIZED VIEW", replace("Write ALTER MATERIALIZED VIEW", viewWord, "MATERIALIZED VIEW")...)
			}
		case *migration.SetSchema:
			if op.Kind == "view" && aggregate(s.Before, op.Object) != nil {
				refuse(op.Object, "ALTER VIEW", "write ALTER MATERIALIZED VIEW", replace("Write ALTER MATERIALIZED VIEW", viewWord, "MATERIALIZED VIEW")...)
			}
		case *migration.SetTableOptions:
			if viewWord.MatchString(sql) && !s.Inner && aggregate(s.Before, op.Table) != nil {
				refuse(op.Table, "ALTER VIEW", "write ALTER MATERIALIZED VIEW", replace("Write ALTER MATERIALIZED VIEW", viewWord, "MATERIALIZED VIEW")...)
			}
		case *migration.Comment:
			if op.Kind == "materialized view" && aggregate(s.Before, op.Object) != nil {
				refuse(op.Object, "COMMENT ON MATERIALIZED VIEW", "write COMMENT ON VIEW: in PostgreSQL's catalog it is a view", replace("Write COMMENT ON VIEW", materializedWord, "")...)
			}
		}
	},
}

var (
	uniqueWord       = regex.MustCompile(`(?i)^\s*create(\s+unique)\b`)
	viewWord         = regex.MustCompile(`(?i)^\s*(?:drop|alter)\s+(view)\b`)
	materializedWord = regex.MustCompile(`(?i)^\s*comment\s+on\s+(materialized\s+)view\b`)
	wholeStatement   = regex.MustCompile(`(?s)^\s*(\S.*?)[\s;]*$`)
)
