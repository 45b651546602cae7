package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// empty-down-migration reports downs that do nothing although up changes the
// schema.
//
// The rollback succeeds, the version is recorded as rolled back, and the schema
// stays as it was. The next migrate then runs up again and fails because what
// it makes exists already. Write what undoes up, or make the down fail.
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
//	  :ok
//	end
//
// # Good: ecto
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
// # Bad: goose
//
//	-- +goose Up
//	CREATE TABLE orders (id bigint PRIMARY KEY);
//	-- +goose Down
//
// # Good: goose
//
//	-- +goose Up
//	CREATE TABLE orders (id bigint PRIMARY KEY);
//	-- +goose Down
//	DROP TABLE orders;
//
// # Bad: sql
//
//	-- 001_orders.up.sql --
//	CREATE TABLE orders (id bigint PRIMARY KEY);
//	-- 001_orders.down.sql --
//	SELECT 1;
//
// # Good: sql
//
//	-- 001_orders.up.sql --
//	CREATE TABLE orders (id bigint PRIMARY KEY);
//	-- 001_orders.down.sql --
//	DROP TABLE orders;
//
// # Exceptions
//
// Migrations whose up only validates constraints or changes data; a comment
// "ddlsp:irreversible" with a reason, or a down that raises an exception.
var emptyDownMigration = &analysis.Rule{
	ID:       "empty-down-migration",
	Summary:  "a down does nothing although up changes the schema",
	Severity: analysis.Warning,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Migration: func(p *analysis.Pass) {
		m := p.Migration
		if m.Down.Origin != migration.Empty || p.Settings.ForwardOnly {
			return
		}
		var left *analysis.Step
		for i := range p.Steps {
			if schema.LeavesSomething(p.Steps[i].Op) && p.Steps[i].After != p.Steps[i].Before {
				left = &p.Steps[i]
				break
			}
		}
		if left == nil || p.Before == p.After {
			return
		}
		p.ReportAt(m.Down.Path, line(p, m.Down.Path, m.Down.Span.Start), analysis.Report{
			Message: "a rollback changes nothing and reports success: this down is empty, and what up did to the schema stays",
			Help:    fmt.Sprintf("write the statements that undo it, or say with a comment %q and a reason that none can", "ddlsp:irreversible"),
			Fixes:   downFixes(p),
		})
	},
}
