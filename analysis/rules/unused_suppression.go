package rules

import "github.com/ddlsp/ddlsp/analysis"

// unused-suppression reports that a suppression comment hides nothing.
//
// The comment names a rule that finds nothing at its place: what it excused is
// gone, or it never was there. Left alone, it would hide the next finding that
// comes along. So does a comment that names no rule: it hides all of them, and
// is reported with the names of what it hides.
//
// Comments take the names of rules, parted by commas, and a reason after a
// colon. In SQL they begin with two hyphens, in Elixir with #:
//
//   - ddlsp:ignore is about the next statement, or the line that it ends
//   - ddlsp:ignore-start and ddlsp:ignore-end are about what stands between
//   - ddlsp:ignore-file is about the whole file
//
// The comments of squawk, the Postgres language server, excellent_migrations,
// Atlas, eugene and pgfence are understood as well.
//
// # Bad: sql
//
//	-- ddlsp:ignore drop-table
//	CREATE TABLE orders (id bigint PRIMARY KEY);
var unusedSuppression = &analysis.Rule{
	ID:       "unused-suppression",
	Summary:  "a suppression comment hides nothing, or everything",
	Severity: analysis.Hint,
	Default:  true,
	Fix:      analysis.SafeFix,
	Down:     true,
}
