package rules

import "github.com/ddlsp/ddlsp/analysis"

// migration-filename reports that a file's name is not one that the tool reads.
//
// Most tools skip files whose names they do not know, without a word; goose
// refuses the whole directory, and tern wants its numbers without a gap.
var migrationFilename = &analysis.Rule{
	ID:       "migration-filename",
	Summary:  "a file's name is not one that the tool reads",
	Severity: analysis.Warning,
	Default:  true,
	Down:     true,
}
