package rules

import (
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// ecto-invalid-option reports commands that Ecto itself refuses.
//
// An option that a table, an index, a constraint or references do not have, a
// type that does not exist, a default that cannot be written, a constraint with
// neither check nor exclude, a quote in a name: Ecto raises before or while it
// makes the SQL. Options and types are looked at first, when nothing was sent
// yet. What only shows when a command's turn comes stops a migration that left
// its transaction half way.
//
// # Bad: ecto
//
//	create index(:orders, [:state], uniqe: true)
//
// # Good: ecto
//
//	create index(:orders, [:state], unique: true)
//
// # Bad: ecto
//
//	create table(:orders) do
//	  add :placed_at, :datetime
//	end
//
// # Good: ecto
//
//	create table(:orders) do
//	  add :placed_at, :utc_datetime
//	end
//
// # Bad: ecto
//
//	create table(:orders) do
//	  add :settings, :jsonb, default: %{}
//	end
//
// # Good: ecto
//
//	create table(:orders) do
//	  add :settings, :map, default: %{}
//	end
var ectoInvalidOption = &analysis.Rule{
	ID:       "ecto-invalid-option",
	Summary:  "Ecto refuses a command, its type or one of its options",
	Severity: analysis.Error,
	Default:  true,
	Down:     true,
	Migration: func(p *analysis.Pass) {
		if p.Migration.Format != migration.Ecto || p.Migration.Broken != nil {
			return
		}
		refusedBy(p, "the migration stops here")
		if !p.Settings.ForwardOnly {
			refusedBy(p.Other, "a rollback stops here")
		}
	},
}

// refusedBy reports the error of one direction; a command that is refused in
// both is reported once.
func refusedBy(p *analysis.Pass, when string) {
	e := p.Body.Err
	if e == nil || e.Kind != migration.Refused {
		return
	}
	p.ReportAt(e.Path, e.Span, analysis.Report{
		Message: when + " with an error of Ecto: " + refusal(e.Message),
		Help:    "correct the command; Ecto.Migration's documentation lists what it takes",
	})
}

// refusal is what an exception says, without the dump of a whole value.
func refusal(message string) string {
	message = strings.TrimPrefix(message, "** ")
	exception, text, ok := strings.Cut(message, ") ")
	if !ok {
		return message
	}
	text, _, _ = strings.Cut(text, "\n")
	if key, _, ok := strings.Cut(text, " not found in: %"); ok && exception == "(KeyError" {
		return "there is no option " + strings.TrimPrefix(key, "key ")
	}
	return text
}
