package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// missing-timestamps reports Ecto tables without timestamps().
//
// Once a row is there nobody can say when it came or changed. timestamps() adds
// inserted_at and updated_at, which Ecto fills by itself where the schema has
// timestamps() too.
//
// # Bad: ecto
//
//	create table(:orders) do
//	  add :state, :text
//	end
//
// # Good: ecto
//
//	create table(:orders) do
//	  add :state, :text
//
//	  timestamps()
//	end
//
// # Exceptions
//
// Tables with a column of a time of their own, join tables (which hold nothing
// but references), partitions, temporary tables, and tables listed as small.
var missingTimestamps = &analysis.Rule{
	ID:       "missing-timestamps",
	Summary:  "a table does not say when its rows were made",
	Severity: analysis.Hint,
	Fix:      analysis.UnsafeFix,
	On:       []migration.Op{(*migration.CreateTable)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.CreateTable)
		cmd := s.Statement.Command
		if !inDSL(s) || op.Temp || !op.PartitionOf.IsZero() || p.Small(op.Table) || s.After == s.Before || len(cmd.Sub) == 0 {
			return
		}
		if slices.ContainsFunc(op.Columns, func(c migration.Column) bool {
			switch c.Type.Name {
			case "timestamp", "timestamptz", "date":
				return true
			}
			return false
		}) {
			return
		}
		if !slices.ContainsFunc(cmd.Sub, func(c *migration.Command) bool { return c.Object != "references" }) {
			return
		}
		p.Report(s, analysis.Report{
			On:      op.Table.Span,
			Message: fmt.Sprintf("nobody will be able to say when a row of %s was made or changed", quoted(op.Table.String())),
			Help:    "add timestamps()",
			Fixes:   fixes("Add timestamps()", false, withTimestamps(p, s)),
		})
	},
}

// withTimestamps writes timestamps() below the last column of a table.
func withTimestamps(p *analysis.Pass, s *analysis.Step) change {
	return func() ([]source.Edit, error) {
		f := p.Migration.File(s.Statement.Path)
		subs := s.Statement.Command.Sub
		last := subs[len(subs)-1]
		if f == nil || s.Inner || s.Statement.Command.Repeated || last.Repeated || last.Span.Start < s.Statement.Command.Span.Start || last.Span.End > s.Statement.Command.Span.End {
			return nil, migration.ErrNotExpressible
		}
		start := strings.LastIndexByte(f.Text[:last.Span.Start], '\n') + 1
		indent := f.Text[start:last.Span.Start]
		rest, _, _ := strings.Cut(f.Text[last.Span.End:], "\n")
		if strings.TrimSpace(indent) != "" || strings.TrimSpace(rest) != "" {
			return nil, migration.ErrNotExpressible
		}
		nl := "\n"
		if strings.HasSuffix(rest, "\r") {
			nl = "\r\n"
		}
		at := source.Span{Start: last.Span.End, End: last.Span.End}
		return []source.Edit{{Path: f.Path, Span: at, New: nl + nl + indent + "timestamps()"}}, nil
	}
}
