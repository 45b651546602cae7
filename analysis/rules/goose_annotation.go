package rules

import "github.com/ddlsp/ddlsp/analysis"

// goose-annotation reports that goose refuses the file.
//
// goose reads its files line by line: statements end with a semicolon at the end
// of a line, and one that holds semicolons inside stands between StatementBegin
// and StatementEnd. A file that breaks these rules is refused whole.
//
// # Bad: goose
//
//	-- +goose Up
//	CREATE TABLE orders (id bigint)
//	-- +goose Down
//	DROP TABLE orders;
//
// # Good: goose
//
//	-- +goose Up
//	CREATE TABLE orders (id bigint);
//	-- +goose Down
//	DROP TABLE orders;
var gooseAnnotation = &analysis.Rule{
	ID:       "goose-annotation",
	Summary:  "goose refuses the file",
	Severity: analysis.Error,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Down:     true,
}
