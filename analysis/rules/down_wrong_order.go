package rules

import (
	"fmt"
	"slices"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// down-wrong-order reports downs that drop something before what depends on it.
//
// PostgreSQL refuses to drop a type that a column uses, a table that a foreign
// key or a view points at, a function that a trigger calls. Undo things in the
// opposite order of making them.
//
// # Bad: sql
//
//	-- 001_mood.up.sql --
//	CREATE TYPE mood AS ENUM ('good');
//	ALTER TABLE users ADD COLUMN mood mood;
//	-- 001_mood.down.sql --
//	DROP TYPE mood;
//	ALTER TABLE users DROP COLUMN mood;
//
// # Good: sql
//
//	-- 001_mood.up.sql --
//	CREATE TYPE mood AS ENUM ('good');
//	ALTER TABLE users ADD COLUMN mood mood;
//	-- 001_mood.down.sql --
//	ALTER TABLE users DROP COLUMN mood;
//	DROP TYPE mood;
//
// # Bad: ecto
//
//	def up do
//	  create table(:orders) do
//	    add :state, :text
//	  end
//
//	  create table(:lines) do
//	    add :order_id, references(:orders)
//	  end
//	end
//
//	def down do
//	  drop table(:orders)
//	  drop table(:lines)
//	end
//
// # Good: ecto
//
//	def up do
//	  create table(:orders) do
//	    add :state, :text
//	  end
//
//	  create table(:lines) do
//	    add :order_id, references(:orders)
//	  end
//	end
//
//	def down do
//	  drop table(:lines)
//	  drop table(:orders)
//	end
//
// # Exceptions
//
// DROP ... CASCADE. Continuous aggregates have a rule of their own.
var downWrongOrder = &analysis.Rule{
	ID:       "down-wrong-order",
	Summary:  "a down drops something that is still in use",
	Severity: analysis.Error,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Down:     true,
	On:       []migration.Op{(*migration.Drop)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.Drop)
		if p.Direction != migration.Down || op.Cascade || s.Inner || s.Before.Taints() != p.Before.Taints() {
			return
		}
		for _, n := range op.Names {
			ref := schema.RefOf(n)
			user, what := userOf(s.Before, op, ref)
			if user == (schema.Ref{}) {
				continue
			}
			p.Report(s, analysis.Report{
				On:      n.Span,
				Message: fmt.Sprintf("dropping %s fails: %s still depends on it", quoted(ref.String()), what),
				Help:    "drop what depends on it first",
				Fixes:   dropLater(p, s, op, ref),
			})
			return
		}
	},
}

// userOf finds something that keeps an object from being dropped, with the
// words for it.
func userOf(c *schema.Catalog, op *migration.Drop, ref schema.Ref) (schema.Ref, string) {
	dropped := func(r schema.Ref) bool {
		return slices.ContainsFunc(op.Names, func(n migration.Name) bool { return schema.RefOf(n) == r })
	}
	switch op.Kind {
	case "type", "domain":
		for r := range c.Relations() {
			for _, col := range r.Columns {
				if col.Type.Name == ref.Name || col.Type.Name == ref.Schema+"."+ref.Name {
					return r.Ref, fmt.Sprintf("column %s of %s", quoted(col.Name), quoted(r.Ref.String()))
				}
			}
		}
	case "table", "view", "materialized view":
		for r := range c.Users(ref) {
			if r.Ref == ref || dropped(r.Ref) {
				continue
			}
			if slices.Contains(r.From, ref) && r.Kind != schema.ContinuousAggregate {
				return r.Ref, fmt.Sprintf("%s %s", r.Kind, quoted(r.Ref.String()))
			}
			for _, con := range r.Constraints {
				if con.Ref == ref {
					return r.Ref, fmt.Sprintf("foreign key %s of %s", quoted(con.Name), quoted(r.Ref.String()))
				}
			}
		}
	case "function":
		for o := range c.ObjectsOf("trigger") {
			if o.Function == ref {
				return o.Table, fmt.Sprintf("trigger %s of %s", quoted(o.Name), quoted(o.Table.String()))
			}
		}
	}
	return schema.Ref{}, ""
}

// dropLater moves the statement to just after the one that removes the last of
// its users.
func dropLater(p *analysis.Pass, s *analysis.Step, op *migration.Drop, ref schema.Ref) []analysis.Fix {
	var after *analysis.Step
	past := false
	for i := range p.Steps {
		t := &p.Steps[i]
		if t == s {
			past = true
			continue
		}
		if !past {
			continue
		}
		if user, _ := userOf(t.After, op, ref); user == (schema.Ref{}) {
			after = t
			break
		}
	}
	if after == nil || after.Statement == s.Statement || len(op.Names) > 1 {
		return nil
	}
	return fixes("Drop it after what depends on it", false, without(p, s), func() ([]source.Edit, error) {
		if p.Migration.Editor == nil {
			return nil, migration.ErrNotExpressible
		}
		return p.Migration.Editor.InsertAfter(p.Migration, after.Statement, []string{s.Statement.SQL})
	})
}
