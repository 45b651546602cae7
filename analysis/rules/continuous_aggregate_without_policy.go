package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// continuous-aggregate-without-policy reports continuous aggregates that
// nothing refreshes.
//
// A continuous aggregate shows what its last refresh computed, and nothing
// refreshes it unless a policy does. WITH NO DATA and without a policy it stays
// empty for ever.
//
// # Bad: sql
//
//	-- 001_metrics.up.sql --
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float);
//	SELECT create_hypertable('metrics', 'time');
//	-- 002_hourly.up.sql --
//	CREATE MATERIALIZED VIEW hourly WITH (timescaledb.continuous) AS
//	SELECT time_bucket('1 hour', time) AS hour, avg(value) FROM metrics GROUP BY 1 WITH NO DATA;
//
// # Good: sql
//
//	-- 001_metrics.up.sql --
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float);
//	SELECT create_hypertable('metrics', 'time');
//	-- 002_hourly.up.sql --
//	CREATE MATERIALIZED VIEW hourly WITH (timescaledb.continuous) AS
//	SELECT time_bucket('1 hour', time) AS hour, avg(value) FROM metrics GROUP BY 1 WITH NO DATA;
//	SELECT add_continuous_aggregate_policy('hourly', start_offset => INTERVAL '3 days', end_offset => INTERVAL '1 hour', schedule_interval => INTERVAL '1 hour');
var continuousAggregateWithoutPolicy = &analysis.Rule{
	ID:       "continuous-aggregate-without-policy",
	Summary:  "nothing refreshes a continuous aggregate",
	Severity: analysis.Info,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Body: func(p *analysis.Pass) {
		if p.Direction != migration.Up || !p.Readable() {
			return
		}
		for i := range p.Steps {
			s := &p.Steps[i]
			op, ok := s.Op.(*migration.CreateView)
			if !ok || !op.Continuous || s.After == s.Before {
				continue
			}
			r := p.After.Relation(op.View)
			if r == nil || slices.Contains(r.Policies, "refresh") {
				continue
			}
			if later, c := laterRelation(p, r); later == nil || slices.Contains(later.Policies, "refresh") || c.Taints() != p.After.Taints() {
				continue
			}
			sql := fmt.Sprintf("SELECT add_continuous_aggregate_policy('%s', start_offset => INTERVAL '3 days', end_offset => INTERVAL '1 hour', schedule_interval => INTERVAL '1 hour')",
				strings.ReplaceAll(schema.RefOf(op.View).SQL(), "'", "''"))
			report := analysis.Report{
				On:      op.View.Span,
				Message: fmt.Sprintf("%s will never show newer data: nothing refreshes it", quoted(op.View.String())),
				Help:    "add a policy with add_continuous_aggregate_policy",
			}
			// Beside a view that is filled outside a transaction a second
			// statement may make one transaction of both.
			if op.NoData || p.Body.Tx != migration.ImplicitIfMulti {
				report.Fixes = fixes("Add a refresh policy", false, insertAfter(p, s, sql))
			}
			p.Report(s, report)
		}
	},
}
