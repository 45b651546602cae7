package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// drop-database reports databases that are dropped.
//
// Everything in the database is gone, and no rollback brings it back. It has no
// place in a migration: the statement cannot run inside a transaction, and not
// in the database that it drops.
//
// # Bad: ecto
//
//	@disable_ddl_transaction true
//	@disable_migration_lock true
//
//	def up do
//	  execute "DROP DATABASE shop_old"
//	end
//
//	def down do
//	  raise Ecto.MigrationError, "the database is gone"
//	end
//
// # Good: ecto
//
//	execute "ALTER TABLE orders RENAME TO orders_old", "ALTER TABLE orders_old RENAME TO orders"
//
// # Bad: sql
//
//	DROP DATABASE shop_old;
//
// # Good: sql
//
//	DROP TABLE orders_old;
//
// # Exceptions
//
// Databases that the same migration creates, and the down direction.
var dropDatabase = &analysis.Rule{
	ID:       "drop-database",
	Summary:  "a dropped database is gone for good",
	Severity: analysis.Error,
	Default:  true,
	Aliases:  []string{"squawk/ban-drop-database", "pgls/banDropDatabase", "pgfence/drop-database"},
	Body: func(p *analysis.Pass) {
		made := map[string]bool{}
		for i := range p.Steps {
			s := &p.Steps[i]
			op, ok := s.Op.(*migration.Maintain)
			if !ok || len(op.Objects) == 0 {
				continue
			}
			switch name := op.Objects[0].Name; op.Verb {
			case "create database":
				made[name] = true
			case "drop database":
				if made[name] || len(s.Statement.Unknown) > 0 {
					continue
				}
				p.Report(s, analysis.Report{
					Message: fmt.Sprintf("the database %s is gone for good, with all its data", quoted(name)),
					Help:    "drop databases by hand, not in a migration",
				})
			}
		}
	},
}
