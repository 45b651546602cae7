package rules

import (
	"fmt"
	"strconv"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// hypertable-chunk-interval reports chunk intervals that do not fit their
// time column.
//
// An INTERVAL for an integer time column is refused. A bare number for a
// timestamp is read as microseconds: with 86400 TimescaleDB makes a chunk for
// every 0.09 seconds, thousands a minute. Beside by_range the interval must
// stand inside it: create_hypertable with by_range has no chunk_time_interval.
//
// Without an interval a chunk holds 7 days, and for a bigint time column
// 1,000,000 units, whatever a unit is: with milliseconds a chunk every 17
// minutes. For integers, say how many (a hint).
//
// # Bad: sql
//
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float);
//	SELECT create_hypertable('metrics', 'time', chunk_time_interval => 86400);
//
// # Good: sql
//
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float);
//	SELECT create_hypertable('metrics', 'time', chunk_time_interval => INTERVAL '1 day');
//
// # Bad: ecto
//
//	def up do
//	  create table(:metrics, primary_key: false) do
//	    add :time, :bigint, null: false
//	  end
//
//	  execute "SELECT create_hypertable('metrics', by_range('time', INTERVAL '1 day'))"
//	end
//
//	def down do
//	  drop table(:metrics)
//	end
var hypertableChunkInterval = &analysis.Rule{
	ID:       "hypertable-chunk-interval",
	Summary:  "a chunk interval does not fit the time column",
	Severity: analysis.Error,
	Default:  true,
	On:       []migration.Op{(*migration.CreateHypertable)(nil), (*migration.Query)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		switch op := s.Op.(type) {
		case *migration.CreateHypertable:
			if op.Call == nil {
				return
			}
			arg := op.Call.Arg("chunk_time_interval", 6)
			if d := op.Call.Arg("dimension", 1); d != nil && d.Call != nil {
				if arg != nil && arg.Name != "" {
					p.Report(s, analysis.Report{
						On:      arg.Span,
						Message: fmt.Sprintf("this fails: with %s create_hypertable has no chunk_time_interval", d.Call.Function.Name),
						Help:    "give the interval as the second argument of by_range",
					})
					return
				}
				arg = d.Call.Arg("partition_interval", 1)
				if d.Call.Function.Name != "by_range" {
					return
				}
			}
			col := timeColumnOf(s.After, op)
			if col == nil {
				return
			}
			if arg == nil && integer[col.Type.Name] != "" && hypertable(s.Before, op.Table) == nil {
				p.Report(s, analysis.Report{
					On:       op.Span,
					Severity: analysis.Hint,
					Message:  fmt.Sprintf("a chunk of %s will hold the rows of %s units of %s, whatever a unit is", quoted(op.Table.String()), integer[col.Type.Name], quoted(col.Name)),
					Help:     "give the number of units that a chunk shall hold: with its indexes it should fill about a quarter of the memory",
				})
				return
			}
			unfit(p, s, arg, col.Name, col.Type.Name)
		case *migration.Query:
			for _, c := range op.Calls {
				if c.Function.Name != "set_chunk_time_interval" || len(c.Args) < 2 || c.Args[0].Literal == nil {
					continue
				}
				if r := hypertable(s.Before, migration.RegClass(*c.Args[0].Literal)); r != nil {
					if col := r.Column(r.Hypertable.TimeColumn); col != nil {
						unfit(p, s, c.Arg("chunk_time_interval", 1), col.Name, col.Type.Name)
					}
				}
			}
		}
	},
}

// integer are the integer types with their default chunk interval.
var integer = map[string]string{"bigint": "1,000,000", "integer": "100,000", "smallint": "10,000"}

// timeColumnOf is the time column as the catalog knows it, or nil.
func timeColumnOf(c *schema.Catalog, op *migration.CreateHypertable) *schema.Column {
	r := c.Relation(op.Table)
	if r == nil {
		return nil
	}
	name := op.TimeColumn
	if r.Hypertable != nil && r.Hypertable.TimeColumn != "" {
		name = r.Hypertable.TimeColumn
	}
	return r.Column(name)
}

// unfit reports an interval for a column of the other kind.
func unfit(p *analysis.Pass, s *analysis.Step, arg *migration.Arg, column, typ string) {
	if arg == nil || arg.Literal == nil {
		return
	}
	n, err := strconv.ParseInt(*arg.Literal, 10, 64)
	number := err == nil
	_, interval := days(arg)
	r := analysis.Report{On: arg.Span}
	switch {
	case integer[typ] != "" && interval && !number:
		r.Message = fmt.Sprintf("this fails: the time column %s is %s, and the chunk interval an INTERVAL", quoted(column), typ)
		r.Help = "give the number of units that a chunk shall hold"
	case (typ == "timestamptz" || typ == "timestamp" || typ == "date") && number && n < 60_000_000:
		r.Severity = analysis.Warning
		r.Message = fmt.Sprintf("a chunk will hold the rows of %g seconds: a number for %s is read as microseconds", float64(n)/1e6, quoted(column))
		r.Help = "give an INTERVAL"
	default:
		return
	}
	p.Report(s, r)
}
