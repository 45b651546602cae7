package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// redundant-index reports indexes that another index makes needless.
//
// Every write to the table maintains every index. An index on (a) finds nothing
// that one on (a, b) does not find, and a primary key or unique constraint has
// an index already.
//
// # Bad: sql
//
//	CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint, placed_at timestamptz);
//	CREATE INDEX orders_user_placed ON orders (user_id, placed_at);
//	CREATE INDEX orders_user ON orders (user_id);
//
// # Good: sql
//
//	CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint, placed_at timestamptz);
//	CREATE INDEX orders_user_placed ON orders (user_id, placed_at);
//	CREATE INDEX orders_placed ON orders (placed_at);
//
// # Bad: ecto
//
//	create table(:members) do
//	  add :team_id, :bigint
//	  add :user_id, :bigint
//	end
//
//	create index(:members, [:team_id])
//	create unique_index(:members, [:team_id, :user_id])
//
// # Good: ecto
//
//	create table(:members) do
//	  add :team_id, :bigint
//	  add :user_id, :bigint
//	end
//
//	create index(:members, [:user_id])
//	create unique_index(:members, [:team_id, :user_id])
//
// # Exceptions
//
// A unique index that is the beginning of another, which keeps its columns
// unique; indexes with other methods, expressions, operator classes, collations
// or conditions; a unique index that comes after a plain one on the same
// columns; pairs of which a later statement or migration drops one. The
// shorter index is smaller, and can be worth its cost where it is read far
// more often than written.
var redundantIndex = &analysis.Rule{
	ID:       "redundant-index",
	Summary:  "another index makes an index needless",
	Severity: analysis.Info,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"pgls/duplicateIndex"},
	On:       []migration.Op{(*migration.CreateIndex)(nil), (*migration.AddConstraint)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		var table migration.Name
		on := migration.Name{}.Span
		switch op := s.Op.(type) {
		case *migration.CreateIndex:
			table, on = op.Table, op.Table.Span
			if op.Only {
				return
			}
		case *migration.AddConstraint:
			table, on = op.Table, op.Constraint.Span
			if op.Constraint.UsingIndex != "" || op.Constraint.Kind != migration.Unique && op.Constraint.Kind != migration.PrimaryKey {
				return
			}
		}
		before, after := s.Before.Relation(table), s.After.Relation(table)
		if before == nil || after == nil || len(after.Indexes) != len(before.Indexes)+1 {
			return
		}
		mine := after.Indexes[len(after.Indexes)-1]
		for _, other := range before.Indexes {
			if other.Default {
				continue // a rule of its own tells of TimescaleDB's
			}
			needless, by, why := mine, other, "finds all that this one finds"
			switch {
			case covers(other, mine) && mine.Constraint != "" && other.Constraint == "" && covers(mine, other):
				needless, by = other, mine // a constraint has an index of its own
			case covers(other, mine):
				if len(other.Keys) == len(mine.Keys) {
					why = "has the same columns"
				}
			case len(mine.Keys) > len(other.Keys) && covers(mine, other) && other.Constraint == "":
				needless, by = other, mine
			default:
				continue
			}
			if !stays(p, table, mine.Name) || !stays(p, table, other.Name) {
				continue
			}
			r := analysis.Report{
				On: on,
				Message: fmt.Sprintf("every write to %s will maintain two indexes where one is enough: %s %s", quoted(table.String()),
					quoted(by.Name), why),
				Help:    "leave this one out",
				Related: analysis.RelatedTo(other.Created, quoted(other.Name)+" is made here"),
			}
			if needless == other {
				r.Message = fmt.Sprintf("every write to %s will maintain two indexes where one is enough: this one finds all that %s finds", quoted(table.String()), quoted(other.Name))
				r.Help = "drop " + quoted(other.Name) + " once this index is there"
				if other.Created != nil && other.Created.Migration == p.Migration {
					r.Help = "leave " + quoted(other.Name) + " out"
					if made := stepOf(p, other.Created.Statement); made != nil {
						r.Fixes = fixes("Delete the index "+other.Name, false, without(p, made))
					}
				}
			} else if _, ok := s.Op.(*migration.CreateIndex); ok && len(s.Statement.Ops()) == 1 {
				r.Fixes = fixes("Delete the index", false, without(p, s))
			}
			p.Report(s, r)
			return
		}
	},
}

// stepOf is the step of a statement of this direction that makes an index and
// nothing else, or nil.
func stepOf(p *analysis.Pass, st *migration.Statement) *analysis.Step {
	for i := range p.Steps {
		s := &p.Steps[i]
		if _, ok := s.Op.(*migration.CreateIndex); ok && s.Statement == st && !s.Inner && len(st.Ops()) == 1 {
			return s
		}
	}
	return nil
}

// stays reports whether an index is there at the end of the migration, and of
// the history.
func stays(p *analysis.Pass, table migration.Name, index string) bool {
	has := func(c *schema.Catalog) bool {
		r := c.Relation(table)
		return r != nil && r.Index(index) != nil
	}
	return has(p.After) && (p.Direction == migration.Down || has(p.End()))
}

// covers reports whether the index a finds and ensures all that b does: the
// same keys, or more keys behind those of a b-tree that is not unique.
func covers(a, b *schema.Index) bool {
	if a.Method != b.Method || words(a.Where) != words(b.Where) || len(a.Keys) < len(b.Keys) || len(b.Keys) == 0 {
		return false
	}
	equal := len(a.Keys) == len(b.Keys)
	switch {
	case b.Unique && (!equal || !a.Unique || a.NullsNotDistinct != b.NullsNotDistinct):
		return false
	case !equal && a.Method != "btree":
		return false
	case a.Unique && !b.Unique && a.NullsNotDistinct:
		return false
	}
	for _, c := range b.Include {
		if !slices.Contains(a.Include, c) && !slices.Contains(a.ColumnKeys(), c) {
			return false
		}
	}
	if equal && len(b.Keys) == 1 && b.Keys[0].Nulls == "" && a.Keys[0].Nulls == "" {
		return sameKey(a.Keys[0], b.Keys[0]) // either is read backwards as well
	}
	turned := a.Keys[0].Desc != b.Keys[0].Desc
	for i := range b.Keys {
		x, y := a.Keys[i], b.Keys[i]
		if !sameKey(x, y) || (x.Desc != y.Desc) != turned || x.Nulls != y.Nulls || turned && x.Nulls != "" {
			return false
		}
	}
	return true
}

func sameKey(a, b schema.Key) bool {
	text := func(k schema.Key) string { // the direction stands in it
		t := strings.TrimSpace(words(k.Expr))
		return strings.TrimSpace(strings.TrimSuffix(strings.TrimSuffix(t, " desc"), " asc"))
	}
	return a.Column == b.Column && text(a) == text(b) && a.OpClass == b.OpClass && a.Collation == b.Collation
}
