package rules

import (
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// empty-migration reports migrations that do nothing.
//
// A migration without a statement is recorded as applied all the same. When it
// is filled later, the databases that have run it never get what it says.
//
// # Bad: ecto
//
//	def change do
//	end
//
// # Bad: goose
//
//	-- +goose Up
//	-- +goose Down
//
// # Exceptions
//
// A comment in the empty direction that says why it is.
var emptyMigration = &analysis.Rule{
	ID:       "empty-migration",
	Summary:  "a migration does nothing",
	Severity: analysis.Hint,
	Default:  true,
	Migration: func(p *analysis.Pass) {
		b := p.Migration.Up
		f := p.Migration.File(b.Path)
		if b.Origin != migration.Empty || f == nil || p.Migration.Broken != nil || p.Migration.Beam != "" || len(b.Statements()) > 0 {
			return
		}
		if b.Span.Start < 0 || b.Span.End > len(f.Text) || explained(f.Text[b.Span.Start:b.Span.End]) {
			return
		}
		p.ReportAt(b.Path, head(b.Span), analysis.Report{
			Message: "this runs nothing, and is recorded as applied: what is added to it later never reaches a database that has run it",
			Help:    "delete the file, fill it before anybody runs it, or say in a comment why it is empty",
		})
	},
}

// explained reports whether a text holds a comment of a person.
func explained(text string) bool {
	for line := range strings.Lines(text) {
		for _, mark := range []string{"--", "#", "/*"} {
			_, words, ok := strings.Cut(line, mark)
			words = strings.TrimSpace(words)
			if ok && words != "" && !strings.HasPrefix(words, "+") && !strings.HasPrefix(words, "migrate:") && !strings.HasPrefix(words, "ddlsp:") {
				return true
			}
		}
	}
	return false
}
