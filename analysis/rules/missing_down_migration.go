package rules

import (
	"errors"
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// missing-down-migration reports migrations that say nothing of how they are
// undone.
//
// What happens at a rollback depends on the tool, and it is rarely what one
// hopes for: goose and golang-migrate run nothing, record the older version and
// report success, so that the schema and the version no longer agree; Ecto and
// tern stop with an error; dbmate refuses the file even on the way up. Write
// what undoes the migration, or say that nothing can.
//
// # Bad: ecto
//
//	def up do
//	  execute "CREATE VIEW open_orders AS SELECT * FROM orders"
//	end
//
// # Good: ecto
//
//	def up do
//	  execute "CREATE VIEW open_orders AS SELECT * FROM orders"
//	end
//
//	def down do
//	  execute "DROP VIEW open_orders"
//	end
//
// # Bad: sql
//
//	-- 001_orders.up.sql --
//	CREATE TABLE orders (id bigint PRIMARY KEY);
//
// # Good: sql
//
//	-- 001_orders.up.sql --
//	CREATE TABLE orders (id bigint PRIMARY KEY);
//	-- 001_orders.down.sql --
//	DROP TABLE orders;
//
// # Bad: goose
//
//	-- +goose Up
//	CREATE TABLE orders (id bigint PRIMARY KEY);
//
// # Good: goose
//
//	-- +goose Up
//	CREATE TABLE orders (id bigint PRIMARY KEY);
//	-- +goose Down
//	DROP TABLE orders;
//
// # Exceptions
//
// Formats that have no down; a comment "ddlsp:irreversible" with a reason;
// projects with rollback = "forward-only" in their configuration.
var missingDownMigration = &analysis.Rule{
	ID:       "missing-down-migration",
	Summary:  "a migration does not say how it is undone",
	Severity: analysis.Warning,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Migration: func(p *analysis.Pass) {
		m := p.Migration
		if m.Format == migration.Ecto && m.Down.Origin == migration.Derived && m.Up.Span != m.Down.Span && !p.Settings.ForwardOnly {
			p.ReportAt(m.Up.Path, line(p, m.Up.Path, m.Up.Span.Start), analysis.Report{
				Message: "a rollback does not undo this up: there is no down, so Ecto runs change backwards, which up never ran",
				Help:    "delete change and write down, or delete up and keep change",
			})
			return
		}
		if m.Down.Origin != migration.Missing || m.Up.Origin == migration.Missing || !m.Format.HasDown() || p.Settings.ForwardOnly {
			return
		}
		r := analysis.Report{
			Message: "a rollback cannot undo this migration: it has no down",
			Help:    "write the statements that undo it, or say with a comment \"ddlsp:irreversible\" and a reason that none can",
			Fixes:   downFixes(p),
		}
		switch m.Format {
		case migration.Goose, migration.GolangMigrate, migration.SQLMigrate, migration.Sqlx:
			r.Message = fmt.Sprintf("a rollback will undo nothing and report success: %s finds no down for this migration and records the older version", m.Format)
		case migration.Dbmate:
			r.Message = "dbmate refuses this file, on the way up too: it has no migrate:down block"
			r.Severity = analysis.Error
		case migration.Ecto:
			r.Message = "a rollback raises an error: the migration has up but no down"
		}
		p.ReportAt(m.Down.Path, line(p, m.Down.Path, m.Down.Span.Start), r)
	},
}

// line is the rest of the line at an offset, for findings about a whole
// section or definition.
func line(p *analysis.Pass, path string, at int) source.Span {
	f := p.Migration.File(path)
	if f == nil || at >= len(f.Text) {
		return source.Span{Start: at, End: at}
	}
	end := at
	for end < len(f.Text) && f.Text[end] != '\n' && f.Text[end] != '\r' {
		end++
	}
	return source.Span{Start: at, End: end}
}

// undoLimit is the number of statements up to which a down is written for the
// user: nobody reads a longer one, and every key pressed would compute it.
const undoLimit = 300

// downFixes offers the down that undoes up, or one that fails honestly.
func downFixes(p *analysis.Pass) []analysis.Fix {
	m := p.Migration
	if m.Editor == nil || len(p.Steps) > undoLimit {
		return nil
	}
	sql, err := schema.Undo(m, migration.Up, p.Before)
	if err == nil && len(sql) > 0 {
		return fixes("Write the down migration", false, func() ([]source.Edit, error) { return m.Editor.SetDown(m, sql) })
	}
	reason := "nothing undoes it"
	var irreversible *schema.IrreversibleError
	if errors.As(err, &irreversible) {
		reason = irreversible.Reason
	}
	return fixes("Write a down that fails with the reason", false, func() ([]source.Edit, error) { return m.Editor.RaiseInDown(m, reason) })
}
