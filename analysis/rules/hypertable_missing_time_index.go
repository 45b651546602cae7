package rules

import (
	"fmt"
	"slices"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// hypertable-missing-time-index reports hypertables without an index that
// starts with their time column.
//
// create_hypertable builds an index on (time DESC) by itself, unless it is told
// not to or that index is dropped later. Without it, queries by time still skip
// whole chunks, but ORDER BY time LIMIT n, max(time), last(value, time) and
// ranges shorter than a chunk read every row of each chunk that is left. Only a
// b-tree whose first key is the time column helps; (device, time), BRIN,
// partial and expression indexes do not.
//
// # Bad: sql
//
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float);
//	SELECT create_hypertable('metrics', 'time', create_default_indexes => FALSE);
//
// # Good: sql
//
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float);
//	SELECT create_hypertable('metrics', 'time');
//
// # Bad: ecto
//
//	def up do
//	  create table(:metrics, primary_key: false) do
//	    add :time, :timestamptz, null: false
//	    add :value, :float
//	  end
//
//	  execute "SELECT create_hypertable('metrics', 'time', create_default_indexes => FALSE)"
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
//	    add :value, :float
//	  end
//
//	  execute "SELECT create_hypertable('metrics', 'time', create_default_indexes => FALSE)"
//	  create index(:metrics, ["time DESC"])
//	end
//
//	def down do
//	  drop table(:metrics)
//	end
//
// # Exceptions
//
// An index that a later migration adds counts. Tables that the history does not
// show whole are left alone.
var hypertableMissingTimeIndex = &analysis.Rule{
	ID:       "hypertable-missing-time-index",
	Summary:  "a hypertable has no index on its time column",
	Severity: analysis.Warning,
	Default:  true,
	Fix:      analysis.SafeFix,
	Body: func(p *analysis.Pass) {
		for i := range p.Steps {
			s := &p.Steps[i]
			switch op := s.Op.(type) {
			case *migration.CreateHypertable:
				missingTimeIndex(p, s, op, op.Table)
			case *migration.CreateTable:
				if op.Hypertable != nil {
					missingTimeIndex(p, s, op.Hypertable, op.Table)
				}
			case *migration.DropIndex:
				droppedTimeIndex(p, s, op)
			}
		}
	},
}

func missingTimeIndex(p *analysis.Pass, s *analysis.Step, op *migration.CreateHypertable, table migration.Name) {
	if s.After.Relation(table) == nil || hypertable(s.Before, table) != nil {
		return
	}
	r := atEnd(p, s.After.Relation(table))
	if r == nil || op.DefaultIndexes || !unindexed(p, r) {
		return
	}
	report := timeIndexReport(r)
	report.On = op.Span
	if op.Flag != (source.Span{}) {
		report.Fixes = fixes("Let TimescaleDB build its index on the time column", true, withoutArgument(s, op.Flag, "true"))
	}
	report.Fixes = append(report.Fixes, fixes("Create an index on the time column", true, insertAfter(p, s, timeIndexSQL(r)))...)
	p.Report(s, report)
}

func timeIndexSQL(r *schema.Relation) string {
	return fmt.Sprintf("CREATE INDEX ON %s (%s DESC)", r.SQL(), schema.Quote(r.Hypertable.TimeColumn))
}

func timeIndexReport(r *schema.Relation) analysis.Report {
	report := analysis.Report{
		Message: fmt.Sprintf("reading the newest rows of %s will scan whole chunks: no index starts with its time column %s",
			quoted(r.Ref.String()), quoted(r.Hypertable.TimeColumn)),
		Help: fmt.Sprintf("leave create_default_indexes on, or create an index on (%s DESC)", schema.Quote(r.Hypertable.TimeColumn)),
	}
	for _, i := range r.Indexes {
		if i.Method == "btree" && i.Where == "" && slices.Contains(i.ColumnKeys(), r.Hypertable.TimeColumn) {
			report.Severity = analysis.Info // queries by its first column are served
		}
	}
	return report
}

// atEnd is the relation at the end of the direction, whatever its name is then.
func atEnd(p *analysis.Pass, r *schema.Relation) *schema.Relation {
	if now := p.After.Lookup(r.Ref); now != nil && now.Created == r.Created {
		return now
	}
	for o := range p.After.Relations() {
		if r.Created != nil && o.Created == r.Created && o.Kind == r.Kind {
			return o
		}
	}
	return nil
}

// unindexed reports whether a hypertable has no time index for sure, now and
// at the end of the history.
func unindexed(p *analysis.Pass, r *schema.Relation) bool {
	if r.Hypertable == nil || r.Hypertable.TimeColumn == "" || r.TimeIndex() != nil || !p.After.Complete(r) {
		return false
	}
	if len(p.Later()) == 0 {
		return true
	}
	later, c := laterRelation(p, r)
	return later != nil && later.TimeIndex() == nil && c.Complete(later)
}

// droppedTimeIndex reports a DROP INDEX that takes the last time index.
func droppedTimeIndex(p *analysis.Pass, s *analysis.Step, op *migration.DropIndex) {
	for _, n := range op.Indexes {
		i, r := s.Before.Index(n)
		if i == nil || r.Hypertable == nil || r.TimeIndex() == nil {
			continue
		}
		after := s.After.Lookup(r.Ref)
		if after == nil || after.TimeIndex() != nil {
			continue
		}
		end := atEnd(p, after)
		if end == nil || !unindexed(p, end) {
			continue
		}
		report := timeIndexReport(end)
		report.On = n.Span
		report.Help = "keep the index, or create another one whose first key is the time column"
		p.Report(s, report)
	}
}
