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
// them. A table that stays keeps its columnstore policy, which fails every time
// that it runs once the columnstore is off: remove it before (a warning).
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
	On:       []migration.Op{(*migration.Drop)(nil), (*migration.SetTableOptions)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		if off, ok := s.Op.(*migration.SetTableOptions); ok {
			policyKept(p, s, off)
			return
		}
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

// policyKept reports a columnstore that down switches off while its policy
// stays.
func policyKept(p *analysis.Pass, s *analysis.Step, op *migration.SetTableOptions) {
	r := hypertable(s.Before, op.Table)
	after := hypertable(s.After, op.Table)
	if p.Direction != migration.Down || r == nil || after == nil || !r.Hypertable.Columnstore || after.Hypertable.Columnstore || s.Before.Taints() != p.Before.Taints() {
		return
	}
	job := jobOf(r, "compression")
	if job == nil {
		return
	}
	remove := fmt.Sprintf("SELECT remove_compression_policy('%s', if_exists => true)", r.SQL())
	if job.Call.Function.Name == "add_columnstore_policy" {
		remove = fmt.Sprintf("CALL remove_columnstore_policy('%s', if_exists => true)", r.SQL())
	}
	p.Report(s, analysis.Report{
		On:       op.Table.Span,
		Severity: analysis.Warning,
		Message:  fmt.Sprintf("the columnstore policy of %s stays and fails every time that it runs", quoted(r.Ref.String())),
		Help:     "remove the policy before the columnstore is switched off",
		Fixes:    fixes("Remove the policy before", false, insertBefore(p, s, remove)),
	})
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
