package rules

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// hypertable-chunk-interval reports hypertables whose chunk size nobody chose.
//
// A chunk should hold about as many rows as fit into a quarter of the memory
// with its indexes. Without an interval TimescaleDB takes 7 days, and for an
// integer time column 1,000,000 units, whatever a unit is: with milliseconds a
// chunk every 17 minutes.
//
// # Bad: sql
//
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float);
//	SELECT create_hypertable('metrics', 'time');
//
// # Good: sql
//
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float);
//	SELECT create_hypertable('metrics', by_range('time', INTERVAL '1 day'));
//
// # Bad: ecto
//
//	def up do
//	  create table(:metrics, primary_key: false) do
//	    add :time, :timestamptz, null: false
//	  end
//
//	  execute "SELECT create_hypertable('metrics', by_range('time'))"
//	end
//
//	def down do
//	  drop table(:metrics)
//	end
//
// # Good: ecto
//
//	def up do
//	  create table(:metrics, primary_key: false) do
//	    add :time, :timestamptz, null: false
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
	Summary:  "a hypertable has the default chunk interval",
	Severity: analysis.Hint,
	Fix:      analysis.UnsafeFix,
	On:       []migration.Op{(*migration.CreateHypertable)(nil), (*migration.CreateTable)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		var op *migration.CreateHypertable
		switch o := s.Op.(type) {
		case *migration.CreateHypertable:
			op = o
		case *migration.CreateTable:
			op = o.Hypertable
		}
		if op == nil || op.ChunkInterval != "" || hypertable(s.Before, op.Table) != nil {
			return
		}
		r := analysis.Report{
			On:      op.Span,
			Message: fmt.Sprintf("a chunk of %s will hold 7 days of rows, however many that are", quoted(op.Table.String())),
			Help:    "choose the interval so that a chunk with its indexes fills about a quarter of the memory",
		}
		value := "INTERVAL '1 day'"
		if col := timeColumnOf(s.After, op); col != nil && integer[col.Type.Name] != "" {
			r.Message = fmt.Sprintf("a chunk of %s will hold the rows of %s units of %s, whatever a unit is", quoted(op.Table.String()), integer[col.Type.Name], quoted(col.Name))
			value = ""
		}
		if value != "" {
			r.Fixes = fixes("Make a chunk for each day", false, withInterval(s, op, value))
		}
		p.Report(s, r)
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

// withInterval writes a chunk interval into the form that the call has.
func withInterval(s *analysis.Step, op *migration.CreateHypertable, value string) change {
	return func() ([]source.Edit, error) {
		end := op.Span.End
		if op.Call == nil { // tsdb.hypertable
			namespace, _, ok := strings.Cut(op.Span.Of(s.Statement.SQL), ".")
			if !ok {
				return nil, migration.ErrNotExpressible
			}
			value := strings.TrimPrefix(value, "INTERVAL ")
			return edit(s, source.Span{Start: end, End: end}, ", "+namespace+".chunk_interval = "+value)()
		}
		if d := op.Call.Arg("dimension", 1); d != nil && d.Call != nil {
			end = d.Call.Span.End
			value = ", " + value
		} else {
			value = ", chunk_time_interval => " + value
		}
		if end <= 0 || end > len(s.Statement.SQL) || s.Statement.SQL[end-1] != ')' {
			return nil, migration.ErrNotExpressible
		}
		return edit(s, source.Span{Start: end - 1, End: end - 1}, value)()
	}
}
