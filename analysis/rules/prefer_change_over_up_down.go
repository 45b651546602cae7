package rules

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// prefer-change-over-up-down reports up and down that say the same twice.
//
// Ecto undoes create, add and rename by itself. Where down is exactly that, one
// change is shorter, and the two cannot grow apart.
//
// # Bad: ecto
//
//	def up do
//	  create table(:orders) do
//	    add :state, :text
//	  end
//	end
//
//	def down do
//	  drop table(:orders)
//	end
//
// # Good: ecto
//
//	def change do
//	  create table(:orders) do
//	    add :state, :text
//	  end
//	end
//
// # Exceptions
//
// Anything that Ecto does not undo by itself, such as execute.
var preferChangeOverUpDown = &analysis.Rule{
	ID:       "prefer-change-over-up-down",
	Summary:  "down is what Ecto does by itself",
	Severity: analysis.Hint,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"jump_credo_checks/PreferChangeOverUpDownMigrations"},
	Migration: func(up *analysis.Pass) {
		m := up.Migration
		if m.Format != migration.Ecto || m.Up.Origin != migration.Written || m.Down.Origin != migration.Written || m.Up.Err != nil || m.Down.Err != nil || m.Up.Path != m.Down.Path {
			return
		}
		forward, ok := reversible(up)
		if !ok || len(forward) == 0 {
			return
		}
		back, ok := inverses(up.Other)
		if !ok || len(back) != len(forward) {
			return
		}
		for i := range forward {
			if forward[i] != back[len(back)-1-i] {
				return
			}
		}
		f := m.File(m.Up.Path)
		if f == nil {
			return
		}
		r := analysis.Report{
			Message: "down is what Ecto does by itself to undo up",
			Help:    "rename up to change, and delete down",
		}
		const word = "def up"
		if a, b := m.Up.Span, m.Down.Span; a.Start >= 0 && b.End <= len(f.Text) && strings.HasPrefix(f.Text[a.Start:], word) && a.End <= b.Start && strings.Count(f.Text, "def ") == 2 {
			r.Fixes = fixes("Write change instead", false, func() ([]source.Edit, error) {
				return []source.Edit{
					{Path: f.Path, Span: source.Span{Start: a.Start, End: a.Start + len(word)}, New: "def change"},
					{Path: f.Path, Span: source.Span{Start: a.End, End: b.End}},
				}, nil
			})
		}
		up.ReportAt(m.Up.Path, source.Span{Start: m.Up.Span.Start, End: m.Up.Span.Start + len("def up")}, r)
	},
}

// reversible are the operations of a direction, in words, when every one is a
// DSL command that Ecto undoes by itself.
func reversible(p *analysis.Pass) ([]string, bool) {
	var out []string
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.Statement.Command == nil || s.Inner || schema.Unreadable(s.Statement) {
			return nil, false
		}
		switch s.Statement.Command.Name {
		case "create", "alter", "rename":
		default:
			return nil, false
		}
		switch op := s.Op.(type) {
		case *migration.CreateTable:
			out = append(out, "table "+schema.RefOf(op.Table).String())
		case *migration.CreateIndex:
			out = append(out, fmt.Sprintf("index %s %v", op.Index.Name, op.Concurrently))
		case *migration.AddColumn:
			out = append(out, "column "+schema.RefOf(op.Table).String()+" "+op.Column.Name)
		case *migration.AddConstraint:
			out = append(out, "constraint "+schema.RefOf(op.Table).String()+" "+op.Constraint.Name)
		case *migration.Rename:
			out = append(out, "rename "+op.Kind+" "+schema.RefOf(op.Object).Schema+" "+renamedIn(op)+" "+op.From+" "+op.To)
		default:
			return nil, false
		}
	}
	return out, true
}

// inverses are the operations of a direction in the words of what they undo.
func inverses(p *analysis.Pass) ([]string, bool) {
	var out []string
	for i := range p.Steps {
		s := &p.Steps[i]
		c := s.Statement.Command
		if c == nil || s.Inner || schema.Unreadable(s.Statement) || c.Name != "drop" && c.Name != "alter" && c.Name != "rename" {
			return nil, false
		}
		switch op := s.Op.(type) {
		case *migration.Drop:
			if op.Kind != "table" || op.Cascade || op.IfExists || len(op.Names) != 1 {
				return nil, false
			}
			out = append(out, "table "+schema.RefOf(op.Names[0]).String())
		case *migration.DropIndex:
			if op.Cascade || op.IfExists || len(op.Indexes) != 1 {
				return nil, false
			}
			out = append(out, fmt.Sprintf("index %s %v", op.Indexes[0].Name, op.Concurrently))
		case *migration.DropColumn:
			if op.Cascade || op.IfExists {
				return nil, false
			}
			out = append(out, "column "+schema.RefOf(op.Table).String()+" "+op.Column.Name)
		case *migration.DropConstraint:
			if op.Cascade || op.IfExists {
				return nil, false
			}
			out = append(out, "constraint "+schema.RefOf(op.Table).String()+" "+op.Constraint.Name)
		case *migration.Rename:
			out = append(out, "rename "+op.Kind+" "+schema.RefOf(op.Object).Schema+" "+renamedIn(op)+" "+op.To+" "+op.From)
		default:
			return nil, false
		}
	}
	return out, true
}

// renamedIn is the table of a renamed column; a renamed table is in none.
func renamedIn(op *migration.Rename) string {
	if op.Kind == "table" {
		return ""
	}
	return op.Object.Name
}
