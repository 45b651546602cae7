package rules

import "github.com/ddlsp/ddlsp/analysis"

// unreadable-migration reports that a part of a migration cannot be read.
//
// Half-typed Elixir, or code that only the running project can evaluate. What
// cannot be read is judged by no rule, shown as such in previews, and not run
// natively.
var unreadableMigration = &analysis.Rule{
	ID:       "unreadable-migration",
	Summary:  "a part of a migration cannot be read",
	Severity: analysis.Warning,
	Default:  true,
	Down:     true,
}
