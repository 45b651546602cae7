package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// down-loses-data reports rollbacks that do not bring the data back.
//
// A down that adds a dropped column or table again makes it empty: the schema
// is as before, and the data is gone. And a down that drops what the up did not
// make takes rows along that were there before, as after CREATE TABLE IF NOT
// EXISTS of a table that was there. Both look reversible. Say that it is not,
// or keep the data until nobody will roll back.
//
// # Bad: sql
//
//	-- 001_orders.up.sql --
//	CREATE TABLE orders (id bigint PRIMARY KEY, note text);
//	-- 001_orders.down.sql --
//	DROP TABLE orders;
//	-- 002_note.up.sql --
//	ALTER TABLE orders DROP COLUMN note;
//	-- 002_note.down.sql --
//	ALTER TABLE orders ADD COLUMN note text;
//
// # Good: sql
//
//	-- 001_orders.up.sql --
//	CREATE TABLE orders (id bigint PRIMARY KEY, note text);
//	-- 001_orders.down.sql --
//	DROP TABLE orders;
//	-- 002_note.up.sql --
//	ALTER TABLE orders DROP COLUMN note;
//	-- 002_note.down.sql --
//	-- ddlsp:irreversible the notes are gone
//
// # Exceptions
//
// What the migration itself made, and tables that no migration shows. Columns
// whose value is computed.
var downLosesData = &analysis.Rule{
	ID:       "down-loses-data",
	Summary:  "a rollback makes empty again what had data",
	Severity: analysis.Info,
	Default:  true,
	Migration: func(up *analysis.Pass) {
		down := up.Other
		if up.Settings.ForwardOnly || down.Body.Err != nil || down.Body.Origin == migration.Raises || len(down.Body.Statements()) == 0 {
			return
		}
		tables, columns := map[schema.Ref]bool{}, map[[2]string]bool{}
		for i := range down.Steps {
			switch op := down.Steps[i].Op.(type) {
			case *migration.CreateTable:
				tables[schema.RefOf(op.Table)] = !op.AsQuery
			case *migration.AddColumn:
				columns[[2]string{schema.RefOf(op.Table).String(), op.Column.Name}] = op.Column.Generated == nil
			}
		}
		refilled := refills(down)
		for i := range up.Steps {
			s := &up.Steps[i]
			switch op := s.Op.(type) {
			case *migration.Drop:
				for _, n := range op.Names {
					r := s.Before.Relation(n)
					if op.Kind != "table" || !tables[schema.RefOf(n)] || r == nil || r.Created == nil || up.CreatedHere(r) || refilled[schema.RefOf(n)] {
						continue
					}
					up.Report(s, analysis.Report{
						On:      n.Span,
						Message: fmt.Sprintf("a rollback makes %s again, without its rows", quoted(n.String())),
						Help:    "keep the rows elsewhere, or say that the migration cannot be undone",
					})
				}
			case *migration.DropColumn:
				ref := schema.RefOf(op.Table)
				r := s.Before.Relation(op.Table)
				if !columns[[2]string{ref.String(), op.Column.Name}] || r == nil || r.Created == nil || up.CreatedHere(r) || refilled[ref] || up.Small(op.Table) {
					continue
				}
				if c := r.Column(op.Column.Name); c != nil && (c.Generated != "" || c.Created != nil && c.Created.Migration == up.Migration) {
					continue
				}
				up.Report(s, analysis.Report{
					On:      op.Column.Span,
					Message: fmt.Sprintf("a rollback adds %s to %s again, without its values", quoted(op.Column.Name), quoted(op.Table.String())),
					Help:    "keep the values elsewhere, or say that the migration cannot be undone",
				})
			}
		}
		if !down.Derived() {
			takenAlong(up, down)
		}
	},
}

// refills are the tables that a direction writes to.
func refills(p *analysis.Pass) map[schema.Ref]bool {
	out := map[schema.Ref]bool{}
	for i := range p.Steps {
		if op, ok := p.Steps[i].Op.(*migration.Write); ok {
			out[schema.RefOf(op.Table)] = true
		}
	}
	return out
}

// takenAlong reports what down drops and up did not make.
func takenAlong(up, down *analysis.Pass) {
	for i := range down.Steps {
		s := &down.Steps[i]
		switch op := s.Op.(type) {
		case *migration.Drop:
			for _, n := range op.Names {
				r := s.Before.Relation(n)
				if op.Kind != "table" || r == nil || r.Created == nil || r.Created.Migration == up.Migration || up.Before.Lookup(r.Ref) == nil {
					continue
				}
				down.Report(s, analysis.Report{
					On:      n.Span,
					Message: fmt.Sprintf("a rollback drops %s with all its rows, which this migration did not make", quoted(n.String())),
					Help:    "drop only what the migration itself made",
					Related: analysis.RelatedTo(r.Created, "it is made here"),
				})
			}
		case *migration.DropColumn:
			r := s.Before.Relation(op.Table)
			if r == nil || up.Before.Lookup(r.Ref) == nil {
				continue
			}
			c := r.Column(op.Column.Name)
			old := up.Before.Lookup(r.Ref).Column(op.Column.Name)
			if c == nil || old == nil || c.Created == nil || c.Created.Migration == up.Migration {
				continue
			}
			down.Report(s, analysis.Report{
				On:      op.Column.Span,
				Message: fmt.Sprintf("a rollback drops %s of %s with its values, which this migration did not add", quoted(op.Column.Name), quoted(op.Table.String())),
				Help:    "drop only what the migration itself made",
				Related: analysis.RelatedTo(c.Created, "it is added here"),
			})
		}
	}
}
