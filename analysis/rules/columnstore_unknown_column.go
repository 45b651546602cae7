package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// columnstore-unknown-column reports columnstore settings that name columns
// which they cannot use.
//
// segmentby and orderby fail when the hypertable has no such column, and when
// one column is in both. The time column may be in segmentby, but then every
// compressed row is a segment of its own, and compression makes the table
// larger.
//
// # Bad: sql
//
//	CREATE TABLE metrics (time timestamptz NOT NULL, device bigint, value float);
//	SELECT create_hypertable('metrics', 'time');
//	ALTER TABLE metrics SET (timescaledb.compress, timescaledb.compress_segmentby = 'device_id');
//
// # Good: sql
//
//	CREATE TABLE metrics (time timestamptz NOT NULL, device bigint, value float);
//	SELECT create_hypertable('metrics', 'time');
//	ALTER TABLE metrics SET (timescaledb.compress, timescaledb.compress_segmentby = 'device');
var columnstoreUnknownColumn = &analysis.Rule{
	ID:       "columnstore-unknown-column",
	Summary:  "segmentby or orderby names a column that it cannot use",
	Severity: analysis.Error,
	Default:  true,
	On:       []migration.Op{(*migration.SetTableOptions)(nil), (*migration.CreateTable)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		var options []migration.RelOption
		var r *schema.Relation
		switch op := s.Op.(type) {
		case *migration.SetTableOptions:
			if op.Reset {
				return
			}
			options, r = op.Options, hypertable(s.After, op.Table)
		case *migration.CreateTable:
			if op.Hypertable != nil {
				options, r = op.Options, hypertable(s.After, op.Table)
			}
		}
		if r == nil || !s.After.Complete(r) {
			return
		}
		var segment []string
		for _, o := range options {
			if o.Namespace != "timescaledb" && o.Namespace != "tsdb" {
				continue
			}
			by := strings.TrimPrefix(o.Name, "compress_")
			if by != "segmentby" && by != "orderby" {
				continue
			}
			for _, name := range settingColumns(o.Value) {
				report := analysis.Report{On: o.Span}
				switch {
				case r.Column(name) == nil:
					report.Message = fmt.Sprintf("this fails: %s has no column %s", quoted(r.Ref.String()), quoted(name))
					report.Help = "name one of its columns"
				case by == "segmentby" && name == r.Hypertable.TimeColumn:
					report.Severity = analysis.Warning
					report.Message = fmt.Sprintf("every compressed row of %s becomes a segment of its own: %s is its time column", quoted(r.Ref.String()), quoted(name))
					report.Help = "segment by the column that tells the series apart"
				case by == "orderby" && slices.Contains(segment, name):
					report.Message = fmt.Sprintf("this fails: %s cannot be segmented and ordered by the same column %s", quoted(r.Ref.String()), quoted(name))
					report.Help = "leave it out of orderby"
				default:
					continue
				}
				p.Report(s, report)
				return
			}
			if by == "segmentby" {
				segment = settingColumns(o.Value)
			}
		}
	},
}

// settingColumns are the columns of a segmentby or orderby setting; those that
// are no plain names are left out.
func settingColumns(v string) []string {
	var out []string
	for _, part := range strings.Split(v, ",") {
		f := strings.Fields(part)
		if len(f) == 0 || strings.Count(f[0], `"`) == 1 {
			continue
		}
		if name := strings.Trim(f[0], `"`); name != f[0] {
			out = append(out, name)
		} else {
			out = append(out, strings.ToLower(name))
		}
	}
	return out
}
