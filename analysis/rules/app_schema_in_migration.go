package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
)

// app-schema-in-migration reports migrations that query through the
// application's schemas.
//
// A migration runs again on every new database, for years. The schema that it
// names goes on changing: it asks for a column that a later migration adds, or
// is deleted, and the old migration fails. Name the table instead, or define a
// small schema inside the migration.
//
// # Bad: ecto
//
//	def up do
//	  Shop.Repo.update_all(Shop.Orders.Order, set: [state: "new"])
//	end
//
//	def down do
//	  :ok
//	end
//
// # Good: ecto
//
//	def up do
//	  Shop.Repo.update_all("orders", set: [state: "new"])
//	end
//
//	def down do
//	  :ok
//	end
//
// # Good: ecto
//
//	defmodule Order do
//	  use Ecto.Schema
//
//	  schema "orders" do
//	    field :state, :string
//	  end
//	end
//
//	def up do
//	  Shop.Repo.update_all(Order, set: [state: "new"])
//	end
//
//	def down do
//	  :ok
//	end
//
// # Exceptions
//
// Modules that the migration's own file defines.
var appSchemaInMigration = &analysis.Rule{
	ID:       "app-schema-in-migration",
	Summary:  "a later change of the application's schema breaks the migration",
	Severity: analysis.Info,
	Default:  true,
	Migration: func(p *analysis.Pass) {
		for _, s := range p.Migration.Schemas {
			p.ReportAt(p.Migration.Path(), s.Span, analysis.Report{
				Message: fmt.Sprintf("this migration fails one day: it queries through %s, which goes on changing while the migration must not", s.Name),
				Help:    "query the table by its name (from(o in \"orders\")), or define a small schema inside the migration",
			})
		}
	},
}
