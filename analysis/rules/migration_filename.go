package rules

import "github.com/ddlsp/ddlsp/analysis"

// migration-filename reports that a file's name is not one that the tool reads.
//
// The tool skips files whose names it does not know, without a word.
var migrationFilename = &analysis.Rule{
	ID:       "migration-filename",
	Summary:  "a file's name is not one that the tool reads",
	Severity: analysis.Warning,
	Default:  true,
	Down:     true,
}
