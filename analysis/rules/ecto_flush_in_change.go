package rules

import (
	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// ecto-flush-in-change reports flush in change.
//
// For a rollback Ecto calls change to collect its commands, and runs them
// backward only when all are there. flush would run a part of them before, so
// it raises: the migration goes up, and cannot be rolled back.
//
// # Bad: ecto
//
//	def change do
//	  create table(:orders)
//	  flush()
//	  create table(:items)
//	end
//
// # Good: ecto
//
//	def up do
//	  create table(:orders)
//	  flush()
//	  create table(:items)
//	end
//
//	def down do
//	  drop table(:items)
//	  drop table(:orders)
//	end
var ectoFlushInChange = &analysis.Rule{
	ID:       "ecto-flush-in-change",
	Summary:  "a change that calls flush cannot be rolled back",
	Severity: analysis.Warning,
	Default:  true,
	Down:     true,
	Migration: func(p *analysis.Pass) {
		p = p.Other
		e := p.Body.Err
		if e == nil || e.Kind != migration.FlushedBack || p.Settings.ForwardOnly {
			return
		}
		p.ReportAt(e.Path, e.Span, analysis.Report{
			Message: "a rollback stops here with an error: Ecto does not flush while it turns change around",
			Help:    "write up and down instead of change",
		})
	},
}
