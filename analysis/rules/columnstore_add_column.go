package rules

import (
	"fmt"
	"slices"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// columnstore-add-column reports column changes that a compressed hypertable
// refuses.
//
// Once the columnstore (compression) of a hypertable is on, TimescaleDB accepts
// new columns only if they are nullable or have a constant default. NOT NULL
// without a default, computed defaults, identity, generated columns, unique and
// foreign keys are refused, and so is dropping a column that data is segmented
// or ordered by.
//
// The type of a column cannot change once a chunk is compressed (a warning,
// because the migrations do not show whether one is).
//
// A serial column is not refused, and worse: in all rows that are compressed it
// is NULL although it is NOT NULL, and columns that were added before with a
// default lose it there.
//
// # Bad: sql
//
//	-- 001_metrics.up.sql --
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float) WITH (tsdb.hypertable);
//	-- 002_column.up.sql --
//	ALTER TABLE metrics ADD COLUMN source text NOT NULL;
//
// # Good: sql
//
//	-- 001_metrics.up.sql --
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float) WITH (tsdb.hypertable);
//	-- 002_column.up.sql --
//	ALTER TABLE metrics ADD COLUMN source text NOT NULL DEFAULT 'unknown';
var columnstoreAddColumn = &analysis.Rule{
	ID:       "columnstore-add-column",
	Summary:  "a compressed hypertable refuses the column",
	Severity: analysis.Error,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	On:       []migration.Op{(*migration.AddColumn)(nil), (*migration.DropColumn)(nil), (*migration.AlterColumnType)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		switch op := s.Op.(type) {
		case *migration.AddColumn:
			r := hypertable(s.Before, op.Table)
			if r == nil || !r.Hypertable.Columnstore {
				return
			}
			why := refusedColumn(&op.Column)
			if op.Column.Type.Serial != "" && why == "" {
				p.Report(s, analysis.Report{
					On: op.Column.Span,
					Message: fmt.Sprintf("%s will be NULL in every compressed row of %s, in spite of NOT NULL, and columns added before with a default lose it there",
						quoted(op.Column.Name), quoted(r.Ref.String())),
					Help: "decompress all chunks before, or add a bigint column that the application fills",
				})
				return
			}
			if why == "" {
				return
			}
			report := analysis.Report{
				On:      op.Column.Span,
				Message: fmt.Sprintf("adding %s fails: the columnstore of %s is on and takes no column with %s", quoted(op.Column.Name), quoted(r.Ref.String()), why),
				Help:    "make the column nullable or give it a constant default",
			}
			if m := notNullWords.FindStringIndex(op.Column.Def.Of(s.Statement.SQL)); m != nil && op.Column.Default == nil {
				span := source.Span{Start: op.Column.Def.Start + m[0], End: op.Column.Def.Start + m[1]}
				report.Fixes = fixes("Make the column nullable", false, edit(s, span, ""))
			}
			p.Report(s, report)
		case *migration.AlterColumnType:
			r := hypertable(s.Before, op.Table)
			if r == nil || !r.Hypertable.Columnstore || p.CreatedHere(r) {
				return
			}
			p.Report(s, analysis.Report{
				On:       op.Column.Span,
				Severity: analysis.Warning,
				Message:  fmt.Sprintf("changing the type of %s fails as soon as a chunk of %s is compressed", quoted(op.Column.Name), quoted(r.Ref.String())),
				Help:     "add a column of the new type, or decompress all chunks before",
			})
		case *migration.DropColumn:
			r := hypertable(s.Before, op.Table)
			if r == nil || !r.Hypertable.Columnstore || !slices.Contains(append(slices.Clone(r.Hypertable.SegmentBy), r.Hypertable.OrderBy...), op.Column.Name) {
				return
			}
			p.Report(s, analysis.Report{
				On:      op.Column.Span,
				Message: fmt.Sprintf("dropping %s fails: the columnstore of %s segments or orders by it", quoted(op.Column.Name), quoted(r.Ref.String())),
				Help:    "change the columnstore's settings first",
			})
		}
	},
}

var notNullWords = regex.MustCompile(`(?i)\s+not\s+null\b`)

// refusedColumn says what of a column the columnstore does not take.
func refusedColumn(c *migration.Column) string {
	for _, con := range c.Constraints {
		switch con.Kind {
		case migration.PrimaryKey, migration.Unique, migration.Exclude:
			return "a unique key"
		case migration.ForeignKey:
			return "a foreign key"
		}
	}
	switch {
	case c.Identity != "":
		return "an identity"
	case c.Generated != nil:
		return "a generated value"
	case c.Type.Serial != "":
		return "" // accepted, and worse
	case c.Default != nil && !c.Default.Constant:
		return "a default that is not constant"
	case c.NotNull && (c.Default == nil || c.Default.Null):
		return "NOT NULL and no default"
	}
	return ""
}
