package rules

import (
	"fmt"
	"slices"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// compress-without-segmentby reports compression that is told nothing of the
// data.
//
// Before TimescaleDB 2.18 a hypertable that is compressed without
// compress_segmentby is compressed as one series: rows of all devices are mixed,
// values compress badly, and reading one device decompresses them all. Since
// 2.18 TimescaleDB chooses the columns by itself, and this rule is silent unless
// timescaledb_version in the configuration says that the server is older.
//
// # Exceptions
//
// Tables with nothing to tell series apart by: no column of a text, uuid or
// integer type beside the time.
var compressWithoutSegmentby = &analysis.Rule{
	ID:       "compress-without-segmentby",
	Summary:  "compression is switched on without segmentby",
	Severity: analysis.Hint,
	On:       []migration.Op{(*migration.SetTableOptions)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.SetTableOptions)
		r := hypertable(s.After, op.Table)
		if op.Reset || r == nil || !timescaleBefore(p, 2, 18) || len(r.Hypertable.SegmentBy) > 0 || !severalSeries(r) {
			return
		}
		i := slices.IndexFunc(op.Options, func(o migration.RelOption) bool {
			return o.Namespace == "timescaledb" && o.Name == "compress" && (o.Value == "" || o.Value == "true" || o.Value == "on")
		})
		if i < 0 {
			return
		}
		p.Report(s, analysis.Report{
			On:      op.Options[i].Span,
			Message: fmt.Sprintf("the rows of all series of %s are compressed together, badly", quoted(r.Ref.String())),
			Help:    "add timescaledb.compress_segmentby with the column that tells the series apart",
		})
	},
}

// severalSeries reports whether a column can tell series apart.
func severalSeries(r *schema.Relation) bool {
	return slices.ContainsFunc(r.Columns, func(c *schema.Column) bool {
		switch c.Type.Name {
		case "text", "varchar", "char", "uuid", "integer", "bigint", "smallint":
			return c.Name != r.Hypertable.TimeColumn
		}
		return false
	})
}
