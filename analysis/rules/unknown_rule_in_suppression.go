package rules

import "github.com/ddlsp/ddlsp/analysis"

// unknown-rule-in-suppression reports that a suppression comment names no rule.
//
// The name is misspelt, or belongs to another tool. The comment has no effect.
//
// # Bad: sql
//
//	-- ddlsp:ignore drop-tabel
//	DROP TABLE orders;
var unknownRuleInSuppression = &analysis.Rule{
	ID:       "unknown-rule-in-suppression",
	Summary:  "a suppression comment names no rule",
	Severity: analysis.Hint,
	Default:  true,
	Fix:      analysis.SafeFix,
	Down:     true,
}
