package rules

import (
	"fmt"
	"slices"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// hypertable-down-order reports downs that drop a hypertable before its
// continuous aggregate.
//
// The aggregate depends on the hypertable, so PostgreSQL refuses to drop the
// table first. Drop the aggregate, then the table; the policies of both go with
// them.
//
// # Bad: sql
//
//	-- 001_metrics.up.sql --
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float);
//	SELECT create_hypertable('metrics', 'time');
//	CREATE MATERIALIZED VIEW hourly WITH (timescaledb.continuous) AS
//	SELECT time_bucket('1 hour', time) AS hour, avg(value) FROM metrics GROUP BY 1 WITH NO DATA;
//	-- 001_metrics.down.sql --
//	DROP TABLE metrics;
//	DROP MATERIALIZED VIEW hourly;
//
// # Good: sql
//
//	-- 001_metrics.up.sql --
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float);
//	SELECT create_hypertable('metrics', 'time');
//	CREATE MATERIALIZED VIEW hourly WITH (timescaledb.continuous) AS
//	SELECT time_bucket('1 hour', time) AS hour, avg(value) FROM metrics GROUP BY 1 WITH NO DATA;
//	-- 001_metrics.down.sql --
//	DROP MATERIALIZED VIEW hourly;
//	DROP TABLE metrics;
var hypertableDownOrder = &analysis.Rule{
	ID:       "hypertable-down-order",
	Summary:  "a hypertable is dropped before its continuous aggregate",
	Severity: analysis.Error,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Down:     true,
	On:       []migration.Op{(*migration.Drop)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.Drop)
		if p.Direction != migration.Down || op.Kind != "table" || op.Cascade || s.Before.Taints() != p.Before.Taints() {
			return
		}
		for _, n := range op.Names {
			ref := schema.RefOf(n)
			agg := aggregateOf(s.Before, ref)
			if agg == nil {
				continue
			}
			p.Report(s, analysis.Report{
				On:      n.Span,
				Message: fmt.Sprintf("dropping hypertable %s fails: continuous aggregate %s still depends on it", quoted(ref.String()), quoted(agg.Ref.String())),
				Help:    "drop the continuous aggregate first",
				Fixes:   dropAfterAggregates(p, s, ref),
				Related: analysis.RelatedTo(agg.Created, "the aggregate is made here"),
			})
			return
		}
	},
}

func aggregateOf(c *schema.Catalog, ref schema.Ref) *schema.Relation {
	for r := range c.Users(ref) {
		if r.Kind == schema.ContinuousAggregate && slices.Contains(r.From, ref) {
			return r
		}
	}
	return nil
}

func dropAfterAggregates(p *analysis.Pass, s *analysis.Step, ref schema.Ref) []analysis.Fix {
	past := false
	for i := range p.Steps {
		t := &p.Steps[i]
		if t == s {
			past = true
		} else if past && aggregateOf(t.After, ref) == nil {
			return fixes("Drop it after its continuous aggregates", false, without(p, s), func() ([]source.Edit, error) {
				if p.Migration.Editor == nil {
					return nil, migration.ErrNotExpressible
				}
				return p.Migration.Editor.InsertAfter(p.Migration, t.Statement, []string{s.Statement.SQL})
			})
		}
	}
	return nil
}
