package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// column-alignment reports tables whose rows hold bytes of padding that another
// order of the columns would not need.
//
// PostgreSQL puts a bigint or a timestamp at a multiple of eight bytes, an
// integer at one of four; a boolean before a bigint wastes seven bytes in every
// row. Columns of a fixed size, the largest first, need none; texts and the like
// come last.
//
// # Bad: sql
//
//	CREATE TABLE events (seen boolean, id bigint PRIMARY KEY, kind integer, at timestamptz);
//
// # Good: sql
//
//	CREATE TABLE events (id bigint PRIMARY KEY, at timestamptz, kind integer, seen boolean);
//
// # Bad: ecto
//
//	create table(:events) do
//	  add :seen, :boolean
//	  add :user_id, :bigint
//	  add :kind, :integer
//	  add :shop_id, :bigint
//	end
//
// # Good: ecto
//
//	create table(:events) do
//	  add :user_id, :bigint
//	  add :shop_id, :bigint
//	  add :kind, :integer
//	  add :seen, :boolean
//	end
//
// # Exceptions
//
// Fewer than eight bytes a row; columns behind the first of a size that varies,
// whose place nobody knows; partitioned tables and hypertables.
var columnAlignment = &analysis.Rule{
	ID:       "column-alignment",
	Summary:  "the order of the columns wastes room in every row",
	Severity: analysis.Hint,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"atlas/PG110"},
	On:       []migration.Op{(*migration.CreateTable)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.CreateTable)
		if op.Temp || op.PartitionBy != "" || !op.PartitionOf.IsZero() || s.After == s.Before {
			return
		}
		if r := p.After.Table(op.Table); r != nil && r.Hypertable != nil {
			return
		}
		n := slices.IndexFunc(op.Columns, func(c migration.Column) bool { return fixedSize(c.Type) == room{} })
		if n < 0 {
			n = len(op.Columns)
		}
		fixed := op.Columns[:n]
		sorted := slices.Clone(fixed)
		slices.SortStableFunc(sorted, func(a, b migration.Column) int { return fixedSize(b.Type).align - fixedSize(a.Type).align })
		saved := rowSize(fixed) - rowSize(sorted)
		if saved < 8 {
			return
		}
		p.Report(s, analysis.Report{
			On:      op.Table.Span,
			Message: fmt.Sprintf("every row of %s will hold %d bytes of padding that another order of its columns would save", quoted(op.Table.String()), saved),
			Help:    "put the columns of eight bytes first, then those of four, two and one, then text and the like",
			Fixes:   fixes("Put the largest columns first", false, reorder(p, s, fixed, sorted)),
		})
	},
}

// room is what a value takes in a row, in bytes.
type room struct{ size, align int }

var rooms = map[string]room{
	"boolean": {1, 1}, "smallint": {2, 2}, "integer": {4, 4}, "bigint": {8, 8}, "real": {4, 4}, "double precision": {8, 8}, "date": {4, 4},
	"time": {8, 8}, "timetz": {12, 8}, "timestamp": {8, 8}, "timestamptz": {8, 8}, "interval": {16, 8}, "uuid": {16, 1}, "oid": {4, 4},
	"money": {8, 8}, "macaddr": {6, 4}, "point": {16, 8},
}

// fixedSize is the room of a type of a fixed size, the zero room of others.
func fixedSize(t migration.Type) room {
	if t.Array {
		return room{}
	}
	return rooms[t.Name]
}

// rowSize is the room of the columns in this order, and of what follows at a
// multiple of eight.
func rowSize(columns []migration.Column) int {
	n := 0
	for _, c := range columns {
		r := fixedSize(c.Type)
		n = (n+r.align-1)/r.align*r.align + r.size
	}
	return (n + 7) / 8 * 8
}

// reorder writes the definitions of the columns in another order.
func reorder(p *analysis.Pass, s *analysis.Step, from, to []migration.Column) change {
	return func() ([]source.Edit, error) {
		f := p.Migration.File(s.Statement.Path)
		if s.Inner || f == nil {
			return nil, migration.ErrNotExpressible
		}
		var edits []source.Edit
		if !inDSL(s) {
			between := source.Span{Start: from[0].Def.Start, End: from[len(from)-1].Def.End}.Of(s.Statement.SQL)
			if strings.Contains(between, "--") || strings.Contains(between, "/*") {
				return nil, migration.ErrNotExpressible
			}
			for i := range from {
				if from[i].Name == to[i].Name {
					continue
				}
				e, ok := s.Statement.Edit(from[i].Def, to[i].Def.Of(s.Statement.SQL))
				if !ok {
					return nil, migration.ErrNotExpressible
				}
				edits = append(edits, e)
			}
			return edits, nil
		}
		sub := func(c migration.Column) *migration.Command { return analysis.SubCommand(s.Statement, c.Span) }
		for i := range from {
			if from[i].Name == to[i].Name {
				continue
			}
			a, b := sub(from[i]), sub(to[i])
			if a == nil || b == nil || a.Name != "add" || b.Name != "add" || a.Repeated || b.Repeated {
				return nil, migration.ErrNotExpressible
			}
			edits = append(edits, source.Edit{Path: f.Path, Span: a.Span, New: b.Span.Of(f.Text)})
		}
		return edits, nil
	}
}
