package rules

import "github.com/ddlsp/ddlsp/analysis"

// unused-suppression reports that a suppression comment hides nothing.
//
// The comment names a rule that finds nothing at its place: what it excused is
// gone, or it never was there. Left alone, it would hide the next finding that
// comes along.
//
// # Bad: sql
//
//	-- ddlsp:ignore drop-table
//	CREATE TABLE orders (id bigint PRIMARY KEY);
var unusedSuppression = &analysis.Rule{
	ID:       "unused-suppression",
	Summary:  "a suppression comment hides nothing",
	Severity: analysis.Hint,
	Default:  true,
	Fix:      analysis.SafeFix,
	Down:     true,
}
