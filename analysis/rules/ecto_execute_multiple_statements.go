package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// ecto-execute-multiple-statements reports an execute with several statements.
//
// Ecto prepares what it sends, and PostgreSQL prepares one statement at a time:
// it refuses "CREATE TABLE a (); CREATE TABLE b ()" with "cannot insert multiple
// commands into a prepared statement". A semicolon at the end is fine, and so
// are those inside a function's body or a DO block.
//
// # Bad: ecto
//
//	def up do
//	  execute "CREATE TYPE state AS ENUM ('new', 'paid'); CREATE TYPE size AS ENUM ('s', 'l')"
//	end
//
//	def down do
//	  execute "DROP TYPE size, state"
//	end
//
// # Good: ecto
//
//	def up do
//	  execute "CREATE TYPE state AS ENUM ('new', 'paid')"
//	  execute "CREATE TYPE size AS ENUM ('s', 'l')"
//	end
//
//	def down do
//	  execute "DROP TYPE size, state"
//	end
var ectoExecuteMultipleStatements = &analysis.Rule{
	ID:       "ecto-execute-multiple-statements",
	Summary:  "an execute holds several statements, which PostgreSQL refuses",
	Severity: analysis.Error,
	Default:  true,
	Down:     true,
	Migration: func(p *analysis.Pass) {
		if p.Migration.Format != migration.Ecto {
			return
		}
		severalInOne(p)
		if !p.Settings.ForwardOnly {
			severalInOne(p.Other)
		}
	},
}

func severalInOne(p *analysis.Pass) {
	for _, u := range p.Body.Units {
		for _, s := range u.Statements {
			if s.Opaque != "" || len(s.Unknown) > 0 || s.Command == nil {
				continue
			}
			parsed := s.Parse()
			if parsed.Count < 2 || parsed.Err != nil {
				continue
			}
			command := s.Command.Name
			if command == "repo" {
				command = "query"
			}
			p.ReportAt(s.Path, p.Place(&analysis.Step{Unit: u, Statement: s}, source.Span{}), analysis.Report{
				Message: fmt.Sprintf("PostgreSQL refuses this: %d statements in one %s, and Ecto sends one at a time", parsed.Count, command),
				Help:    "give each statement an execute of its own",
			})
		}
	}
}
