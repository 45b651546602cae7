package rules

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// down-does-not-undo-up reports downs that leave the schema different from what
// it was before up.
//
// Up and down are replayed by the names of what they make and drop: tables,
// columns, indexes, constraints, types, triggers and so on. What up made and
// down leaves will make the next up fail with "already exists"; what down drops
// although up did not make it is lost.
//
// # Bad: sql
//
//	-- 001_orders.up.sql --
//	CREATE TABLE orders (id bigint PRIMARY KEY);
//	CREATE TABLE lines (id bigint PRIMARY KEY);
//	-- 001_orders.down.sql --
//	DROP TABLE orders;
//
// # Good: sql
//
//	-- 001_orders.up.sql --
//	CREATE TABLE orders (id bigint PRIMARY KEY);
//	CREATE TABLE lines (id bigint PRIMARY KEY);
//	-- 001_orders.down.sql --
//	DROP TABLE lines;
//	DROP TABLE orders;
//
// # Bad: ecto
//
//	def up do
//	  execute "CREATE TYPE mood AS ENUM ('good')"
//
//	  create table(:orders) do
//	    add :mood, :mood
//	  end
//	end
//
//	def down do
//	  drop table(:orders)
//	end
//
// # Good: ecto
//
//	def up do
//	  execute "CREATE TYPE mood AS ENUM ('good')"
//
//	  create table(:orders) do
//	    add :mood, :mood
//	  end
//	end
//
//	def down do
//	  drop table(:orders)
//	  execute "DROP TYPE mood"
//	end
//
// # Exceptions
//
// IF EXISTS and IF NOT EXISTS, extensions, what DO blocks do, and whatever a
// CASCADE may have taken along.
var downDoesNotUndoUp = &analysis.Rule{
	ID:       "down-does-not-undo-up",
	Summary:  "after up and down the schema is not what it was",
	Severity: analysis.Warning,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Migration: func(p *analysis.Pass) {
		m := p.Migration
		if m.Down.Origin != migration.Written || m.Up.Origin != migration.Written || p.Settings.ForwardOnly || m.Up.Err != nil || m.Down.Err != nil {
			return
		}
		diffs, known := schema.RoundTripOf(m, func(yield func(schema.Change) bool) {
			more := true
			p.Changes(func(c schema.Change) bool { more = yield(c); return more })
			if more {
				p.Other.Changes(yield)
			}
		})
		if !known || len(diffs) == 0 {
			return
		}
		var left, gone []string
		for _, d := range diffs {
			if d.Left {
				left = append(left, d.Object)
			} else {
				gone = append(gone, d.Object)
			}
		}
		r := analysis.Report{Help: "write the inverse of what up does, in the opposite order"}
		switch {
		case len(gone) == 0:
			r.Message = fmt.Sprintf("a rollback leaves %s behind: up makes it and down does not drop it", strings.Join(left, ", "))
		case len(left) == 0:
			r.Message = fmt.Sprintf("a rollback loses %s: it was there before up and is not after down", strings.Join(gone, ", "))
		default:
			r.Message = fmt.Sprintf("a rollback leaves %s behind and loses %s", strings.Join(left, ", "), strings.Join(gone, ", "))
		}
		for _, d := range diffs {
			for _, s := range m.Up.Statements() {
				if s == d.By {
					r.Related = append(r.Related, analysis.Related{Message: d.Object, Path: s.Path, Span: s.Span})
				}
			}
		}
		down := m.Down.Statements()
		if len(down) == 0 {
			return
		}
		// Where only things are left behind, what undoes the statements that
		// made them goes before the rest.
		if len(gone) == 0 && m.Editor != nil {
			r.Fixes = missingInverse(p, diffs, down)
		}
		at := down[0]
		p.ReportAt(at.Path, p.Place(&analysis.Step{Statement: at}, source.Span{}), r)
	},
}

// missingInverse inserts what undoes the statements whose objects are left.
func missingInverse(p *analysis.Pass, diffs []schema.Difference, down []*migration.Statement) []analysis.Fix {
	m := p.Migration
	var sql []string
	seen := map[*migration.Statement]bool{}
	up := m.Up.Statements()
	for i := len(up) - 1; i >= 0; i-- {
		for _, d := range diffs {
			if d.By != up[i] || seen[up[i]] {
				continue
			}
			seen[up[i]] = true
			before := p.Before
			if s := p.Step(up[i]); s != nil {
				before = s.Before
			}
			back, err := schema.UndoStatement(m, migration.Up, up[i], before)
			if err != nil {
				return nil
			}
			sql = append(sql, back...)
		}
	}
	if len(sql) == 0 {
		return nil
	}
	// A type can only go once its columns are gone; other things go first.
	types := true
	for _, q := range sql {
		types = types && (strings.HasPrefix(q, "DROP TYPE") || strings.HasPrefix(q, "DROP FUNCTION") || strings.HasPrefix(q, "DROP DOMAIN"))
	}
	return fixes("Undo what is left behind", false, func() ([]source.Edit, error) {
		if types {
			return m.Editor.InsertAfter(m, down[len(down)-1], sql)
		}
		return m.Editor.InsertBefore(m, down[0], sql)
	})
}
