package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// hypertable-duplicate-time-index reports a second index on the time column.
//
// create_hypertable has built an index on (time DESC) already. Another one on
// the time column alone, in either direction, serves no query that the first
// does not, and every insert pays for both. An index that begins with the time
// makes the first one needless: that is only hinted at, as leaving it out is
// an option of create_hypertable.
//
// # Bad: sql
//
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float);
//	SELECT create_hypertable('metrics', 'time');
//	CREATE INDEX metrics_time ON metrics (time DESC);
//
// # Good: sql
//
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float);
//	SELECT create_hypertable('metrics', 'time');
//
// # Exceptions
//
// An index that is there before create_hypertable: TimescaleDB then builds
// none.
var hypertableDuplicateTimeIndex = &analysis.Rule{
	ID:       "hypertable-duplicate-time-index",
	Summary:  "an index repeats the one that TimescaleDB made",
	Severity: analysis.Info,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	On:       []migration.Op{(*migration.CreateIndex)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.CreateIndex)
		r := hypertable(s.Before, op.Table)
		if r == nil || op.Method != "" && op.Method != "btree" || op.Where != nil ||
			len(op.Keys) == 0 || op.Keys[0].Column.Name != r.Hypertable.TimeColumn || op.Keys[0].OpClass != "" {
			return
		}
		for _, i := range r.Indexes {
			if i.Default && len(op.Keys) > 1 && len(i.Keys) == 1 && i.Keys[0].Column == r.Hypertable.TimeColumn && stays(p, op.Table, i.Name) {
				p.Report(s, analysis.Report{
					On:       op.Table.Span,
					Severity: analysis.Hint,
					Message: fmt.Sprintf("every insert into %s will maintain two indexes where one is enough: this one begins with %s, and finds all that TimescaleDB's own %s finds",
						quoted(r.Ref.String()), quoted(r.Hypertable.TimeColumn), quoted(i.Name)),
					Help:    "call create_hypertable with create_default_indexes => FALSE, or drop " + quoted(i.Name) + " once this index is there",
					Related: analysis.RelatedTo(i.Created, quoted(i.Name)+" is made here"),
				})
				return
			}
			if len(op.Keys) > 1 || op.Unique || len(op.Include) > 0 {
				continue
			}
			if i.Default && len(i.Keys) == 1 && i.Keys[0].Column == r.Hypertable.TimeColumn && i.Name != op.Index.Name {
				p.Report(s, analysis.Report{
					On:      op.Table.Span,
					Message: fmt.Sprintf("every insert into %s will maintain two indexes on %s: TimescaleDB made %s already", quoted(r.Ref.String()), quoted(r.Hypertable.TimeColumn), quoted(i.Name)),
					Help:    "leave this index out",
					Fixes:   fixes("Delete the index", false, without(p, s)),
					Related: analysis.RelatedTo(i.Created, quoted(i.Name)+" is made here"),
				})
				return
			}
		}
	},
}
