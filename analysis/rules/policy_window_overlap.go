package rules

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// policy-window-overlap reports TimescaleDB policies that work against each
// other.
//
// A retention policy drops the chunks of a hypertable that are older than its
// drop_after. When a refresh policy of a continuous aggregate reaches back
// further, the next refresh finds no rows there and deletes what the aggregate
// had: the history that it was made to keep is lost, without a word. A policy
// that compresses later than rows are dropped never does anything. And a
// drop_after of zero or less drops everything. One that does not fit the type of
// the time column, or a refresh window that is empty, fails.
//
// # Bad: sql
//
//	-- 001_metrics.up.sql --
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float);
//	SELECT create_hypertable('metrics', 'time');
//	CREATE MATERIALIZED VIEW hourly WITH (timescaledb.continuous) AS
//	SELECT time_bucket('1 hour', time) AS hour, avg(value) FROM metrics GROUP BY 1 WITH NO DATA;
//	SELECT add_continuous_aggregate_policy('hourly', INTERVAL '30 days', INTERVAL '1 hour', INTERVAL '1 hour');
//	-- 002_retention.up.sql --
//	SELECT add_retention_policy('metrics', INTERVAL '7 days');
//
// # Good: sql
//
//	-- 001_metrics.up.sql --
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float);
//	SELECT create_hypertable('metrics', 'time');
//	CREATE MATERIALIZED VIEW hourly WITH (timescaledb.continuous) AS
//	SELECT time_bucket('1 hour', time) AS hour, avg(value) FROM metrics GROUP BY 1 WITH NO DATA;
//	SELECT add_continuous_aggregate_policy('hourly', INTERVAL '3 days', INTERVAL '1 hour', INTERVAL '1 hour');
//	-- 002_retention.up.sql --
//	SELECT add_retention_policy('metrics', INTERVAL '7 days');
var policyWindowOverlap = &analysis.Rule{
	ID:       "policy-window-overlap",
	Summary:  "TimescaleDB policies work against each other",
	Severity: analysis.Warning,
	Default:  true,
	On:       []migration.Op{(*migration.Policy)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.Policy)
		r := s.After.Relation(op.Relation)
		if op.Remove || r == nil {
			return
		}
		report := func(on source.Span, severity analysis.Severity, help, format string, args ...any) {
			p.Report(s, analysis.Report{On: on, Severity: severity, Help: help, Message: fmt.Sprintf(format, args...)})
		}
		name := quoted(r.Ref.String())
		if age, typ := otherUnit(r, op); age != nil {
			report(age.Span, analysis.Error, "give the age as a number, and a function that says what is now with set_integer_now_func",
				"this fails: the age is %s, and the time column of %s %s", age.Value[strings.LastIndex(age.Value, ">")+1:], name, typ)
			return
		}
		switch op.Kind {
		case "retention":
			drop, ok := days(dropAfter(op))
			if !ok {
				return
			}
			on := dropAfter(op).Span
			if drop <= 0 {
				report(on, analysis.Off, "give the age of the oldest rows to keep", "every row of %s will be dropped: nothing is younger than %s", name, dropAfter(op).Value)
				return
			}
			if after, ok := days(compressAfter(jobOf(r, "compression"))); ok && after >= drop {
				report(on, analysis.Off, "compress earlier, or drop later", "rows of %s are dropped before they are compressed", name)
				return
			}
			if start, whole, ok := refreshStart(jobOf(r, "refresh")); ok && (whole || start > drop) {
				report(on, analysis.Off, "keep more than the refresh policy's start_offset", "%s drops what its own refresh policy makes again: TimescaleDB refuses that", name)
				return
			}
			for _, agg := range aggregatesOf(p, s, r.Ref) {
				if start, whole, ok := refreshStart(jobOf(agg, "refresh")); ok && (whole || start > drop) {
					report(on, analysis.Off, "keep more than the refresh policy's start_offset, or let it reach back less",
						"continuous aggregate %s will lose its history: its refresh policy reaches further back than the rows of %s are kept", quoted(agg.Ref.String()), name)
					return
				}
			}
		case "compression":
			after, ok := days(compressAfter(op))
			if !ok {
				return
			}
			if drop, ok := days(dropAfter(jobOf(r, "retention"))); ok && after >= drop {
				report(compressAfter(op).Span, analysis.Off, "compress earlier, or drop later", "rows of %s are dropped before they are compressed", name)
			}
		case "refresh":
			start, whole, ok := refreshStart(op)
			if !ok {
				return
			}
			on := op.Call.Span
			if end, ok := days(op.Call.Arg("end_offset", 2)); ok && !whole && start <= end {
				report(on, analysis.Error, "give a start_offset that is at least two buckets larger than the end_offset",
					"this fails: the refresh window is empty, start_offset is not larger than end_offset")
				return
			}
			for _, from := range r.From {
				table := s.After.Lookup(from)
				if table == nil {
					continue
				}
				if drop, ok := days(dropAfter(jobOf(table, "retention"))); ok && (whole || start > drop) {
					report(on, analysis.Off, "let the refresh policy reach back less than the rows are kept",
						"continuous aggregate %s will lose its history: this policy reaches further back than the rows of %s are kept", name, quoted(from.String()))
					return
				}
			}
			if drop, ok := days(dropAfter(jobOf(r, "retention"))); ok && (whole || start > drop) {
				report(on, analysis.Off, "let it reach back less than its rows are kept", "%s drops what this policy makes again: TimescaleDB refuses that", name)
			}
		}
	},
}

// otherUnit is the age of a retention policy that is an interval where the time
// column is an integer.
func otherUnit(r *schema.Relation, op *migration.Policy) (age *migration.Arg, typ string) {
	if age = dropAfter(op); op.Kind != "retention" || r.Hypertable == nil || age == nil || age.Literal == nil {
		return nil, ""
	}
	col := r.Column(r.Hypertable.TimeColumn)
	if col == nil {
		return nil, ""
	}
	_, err := strconv.ParseInt(*age.Literal, 10, 64)
	_, interval := days(age)
	if integer[col.Type.Name] != "" && interval && err != nil {
		return age, col.Type.Name
	}
	return nil, ""
}

// jobOf is the call that added a policy of a kind, nil without one.
func jobOf(r *schema.Relation, kind string) *migration.Policy {
	for _, j := range r.Jobs {
		if j.Kind == kind {
			return j.Op
		}
	}
	return nil
}

func dropAfter(op *migration.Policy) *migration.Arg {
	if op == nil {
		return nil
	}
	return op.Call.Arg("drop_after", 1)
}

func compressAfter(op *migration.Policy) *migration.Arg {
	if op == nil {
		return nil
	}
	if a := op.Call.Arg("compress_after", 1); a != nil {
		return a
	}
	return op.Call.Arg("after", 1)
}

// refreshStart is how many days a refresh policy reaches back; whole is set
// when it has no start.
func refreshStart(op *migration.Policy) (d float64, whole, ok bool) {
	if op == nil {
		return 0, false, false
	}
	a := op.Call.Arg("start_offset", 1)
	if a != nil && strings.EqualFold(strings.TrimSpace(a.Value[strings.LastIndex(a.Value, ">")+1:]), "null") {
		return 0, true, true
	}
	d, ok = days(a)
	return d, false, ok
}

// aggregatesOf are the continuous aggregates that read a relation.
func aggregatesOf(p *analysis.Pass, s *analysis.Step, ref schema.Ref) []*schema.Relation {
	type key struct{ c *schema.Catalog }
	all := p.Once(key{s.After}, func() any {
		out := map[schema.Ref][]*schema.Relation{}
		for r := range s.After.Relations() {
			if r.Kind == schema.ContinuousAggregate {
				for _, f := range r.From {
					out[f] = append(out[f], r)
				}
			}
		}
		return out
	}).(map[schema.Ref][]*schema.Relation)
	return all[ref]
}
