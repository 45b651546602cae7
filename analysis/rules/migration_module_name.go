package rules

import "github.com/ddlsp/ddlsp/analysis"

// migration-module-name reports that a migration's module cannot be loaded.
//
// Ecto loads each migration file and expects one module that uses Ecto.Migration,
// with a name that no other migration has.
var migrationModuleName = &analysis.Rule{
	ID:       "migration-module-name",
	Summary:  "a migration's module cannot be loaded",
	Severity: analysis.Error,
	Default:  true,
	Down:     true,
}
