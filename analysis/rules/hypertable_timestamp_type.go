package rules

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// hypertable-timestamp-type reports time columns without a time zone.
//
// A hypertable may be partitioned by timestamp without time zone, and
// TimescaleDB warns of it: policies compare the column with now(), so what is
// kept, compressed and refreshed depends on the time zone of the session. In
// Ecto :utc_datetime, :utc_datetime_usec and :naive_datetime are such columns;
// :timestamptz is not. Columns of type varchar and char are warned of as well:
// text does the same.
//
// # Bad: sql
//
//	CREATE TABLE metrics (time timestamp NOT NULL, value float);
//	SELECT create_hypertable('metrics', 'time');
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
//	    add :time, :utc_datetime_usec, null: false
//	  end
//
//	  execute "SELECT create_hypertable('metrics', 'time')"
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
//	  execute "SELECT create_hypertable('metrics', 'time')"
//	end
//
//	def down do
//	  drop table(:metrics)
//	end
//
// # Exceptions
//
// Dates, integers and UUIDs of version 7.
var hypertableTimestampType = &analysis.Rule{
	ID:       "hypertable-timestamp-type",
	Summary:  "TimescaleDB warns of the type of a hypertable's column",
	Severity: analysis.Hint,
	Default:  true,
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
		if op == nil || hypertable(s.Before, op.Table) != nil {
			return
		}
		rel := s.After.Relation(op.Table)
		if rel == nil {
			return
		}
		var strs []string
		for _, c := range rel.Columns {
			if (c.Type.Name == "varchar" || c.Type.Name == "char") && !c.Type.Array {
				strs = append(strs, quoted(c.Name))
			}
		}
		col := timeColumnOf(s.After, op)
		switch {
		case col != nil && col.Type.Name == "timestamp":
			p.Report(s, analysis.Report{
				On:      op.Span,
				Message: fmt.Sprintf("what policies of %s keep and drop depends on the session's time zone: its time column %s has none", quoted(rel.Ref.String()), quoted(col.Name)),
				Help:    "make the column timestamptz",
				Fixes:   newType(p, col, "timestamptz", ":timestamptz"),
				Related: analysis.RelatedTo(col.Created, "the column is made here"),
			})
		case len(strs) > 0:
			p.Report(s, analysis.Report{
				On:      op.Span,
				Message: fmt.Sprintf("TimescaleDB will warn of %s in %s: varchar and char do nothing there that text does not", strings.Join(strs, ", "), quoted(rel.Ref.String())),
				Help:    "make such columns text",
			})
		}
	},
}

// newType writes another type where this migration made a column.
func newType(p *analysis.Pass, col *schema.Column, sqlType, ectoType string) []analysis.Fix {
	if col.Created == nil || col.Created.Migration != p.Migration || col.Created.Direction != p.Direction {
		return nil
	}
	st := col.Created.Statement
	return fixes("Make "+quoted(col.Name)+" "+sqlType, false, func() ([]source.Edit, error) {
		if st.Command != nil && st.Command.Name != "execute" {
			var found *migration.Command
			for _, c := range st.Command.Sub {
				if c.Column == col.Name && c.TypeSpan.Len() > 0 && !c.Repeated {
					if found != nil {
						return nil, migration.ErrNotExpressible
					}
					found = c
				}
			}
			if found == nil {
				return nil, migration.ErrNotExpressible
			}
			return []source.Edit{{Path: st.Path, Span: found.TypeSpan, New: ectoType}}, nil
		}
		for _, op := range st.Ops() {
			var span source.Span
			switch op := op.(type) {
			case *migration.CreateTable:
				for _, c := range op.Columns {
					if c.Name == col.Name {
						span = c.Type.Span
					}
				}
			case *migration.AddColumn:
				if op.Column.Name == col.Name {
					span = op.Column.Type.Span
				}
			}
			if span.Len() > 0 {
				if e, ok := st.Edit(span, sqlType); ok {
					return []source.Edit{e}, nil
				}
			}
		}
		return nil, migration.ErrNotExpressible
	})
}
