package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// irreversible-change reports commands in change that Ecto cannot turn around.
//
// Ecto runs change backwards for a rollback. It knows what undoes create, add
// and rename, but not what a raw SQL statement did, what a dropped table looked
// like, or which type a column had. At such a command the rollback raises
// Ecto.MigrationError and stops. Give the command what it needs to be reversed,
// or write up and down.
//
// # Bad: ecto
//
//	def change do
//	  execute "CREATE EXTENSION pg_trgm"
//	end
//
// # Good: ecto
//
//	def change do
//	  execute "CREATE EXTENSION pg_trgm", "DROP EXTENSION pg_trgm"
//	end
//
// # Bad: ecto
//
//	def change do
//	  alter table(:orders) do
//	    remove :state
//	  end
//	end
//
// # Good: ecto
//
//	def change do
//	  alter table(:orders) do
//	    remove :state, :text, null: true
//	  end
//	end
var irreversibleChange = &analysis.Rule{
	ID:       "irreversible-change",
	Summary:  "Ecto cannot reverse a command in change",
	Severity: analysis.Warning,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Migration: func(p *analysis.Pass) {
		m := p.Migration
		if m.Down.Origin != migration.Derived || p.Settings.ForwardOnly {
			return
		}
		for _, s := range m.Up.Statements() {
			if s.Command == nil {
				continue
			}
			if len(s.Command.Sub) == 0 || s.Command.Irreversible != "" && !anyIrreversible(s.Command.Sub) {
				reportIrreversible(p, s, s.Command)
				continue
			}
			for _, c := range s.Command.Sub {
				reportIrreversible(p, s, c)
			}
		}
	},
}

func anyIrreversible(cs []*migration.Command) bool {
	for _, c := range cs {
		if c.Irreversible != "" {
			return true
		}
	}
	return false
}

func reportIrreversible(p *analysis.Pass, s *migration.Statement, c *migration.Command) {
	if c.Irreversible == "" {
		return
	}
	m := p.Migration
	r := analysis.Report{
		Message: fmt.Sprintf("a rollback stops here with an error: Ecto cannot reverse %s", c.Irreversible),
		Help:    "give the command what its reversal needs, or write up and down instead of change",
	}
	switch c.Name {
	case "execute", "execute_file":
		r.Help = "give " + c.Name + " a second argument that undoes it, or write up and down"
	case "remove":
		r.Help = "name the column's type and options after it, so that it can be added again"
	case "modify":
		r.Help = "say with from: what the column was"
	}
	if m.Editor != nil && !c.Repeated {
		known := knownBefore(p, s, c)
		r.Fixes = fixes("Make the command reversible", false, func() ([]source.Edit, error) { return m.Editor.Reverse(m, c, known) })
	}
	span := c.Span
	if c == s.Command {
		span = s.Span // inside execute, the line of its SQL
		if c.Name == "execute" || c.Name == "execute_file" {
			span = c.Span
		}
	}
	p.ReportAt(s.Path, span, r)
}

// knownBefore gathers what the catalog knows of the state before a command.
func knownBefore(p *analysis.Pass, s *migration.Statement, c *migration.Command) migration.Known {
	var known migration.Known
	before := p.Before
	for i := range p.Steps {
		if p.Steps[i].Statement == s {
			before = p.Steps[i].Before
			break
		}
	}
	if c == s.Command {
		if sql, err := schema.UndoStatement(p.Migration, migration.Up, s, before); err == nil {
			known.SQL = sql
		}
		return known
	}
	for _, op := range s.Ops() {
		var table migration.Name
		var column string
		switch op := op.(type) {
		case *migration.DropColumn:
			table, column = op.Table, op.Column.Name
		case *migration.AlterColumnType:
			table, column = op.Table, op.Column.Name
		case *migration.SetNotNull:
			table, column = op.Table, op.Column.Name
		default:
			continue
		}
		if column != c.Column {
			continue
		}
		if rel := before.Relation(table); rel != nil {
			if col := rel.Column(column); col != nil {
				known.Type, known.NotNull, known.Default = schema.TypeSQL(col.Type), col.NotNull, col.Default
			}
		}
	}
	return known
}
