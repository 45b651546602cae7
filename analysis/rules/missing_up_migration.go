package rules

import "github.com/ddlsp/ddlsp/analysis"

// missing-up-migration reports that a migration has nothing to run.
//
// Ecto calls up/0 or change/0 of the module, goose and dbmate look for their Up
// section. Without it the tool stops with an error before anything runs.
//
// # Bad: ecto
//
//	def go do
//	  create table(:orders)
//	end
//
// # Good: ecto
//
//	def change do
//	  create table(:orders)
//	end
var missingUpMigration = &analysis.Rule{
	ID:       "missing-up-migration",
	Summary:  "a migration has nothing to run",
	Severity: analysis.Error,
	Default:  true,
	Down:     true,
}
