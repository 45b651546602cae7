package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// adding-primary-key-constraint reports primary keys that are added to tables
// with rows.
//
// ADD PRIMARY KEY reads the whole table for nulls and builds an index, all
// under an ACCESS EXCLUSIVE lock: reads and writes wait. Make the columns NOT
// NULL and build a unique index concurrently beforehand; then PRIMARY KEY USING
// INDEX takes an instant.
//
// # Bad: ecto
//
//	alter table(:orders) do
//	  add :uid, :uuid, primary_key: true
//	end
//
// # Good: ecto
//
//	alter table(:orders) do
//	  add :uid, :uuid
//	end
//
// # Bad: sql
//
//	ALTER TABLE orders ADD PRIMARY KEY (id);
//
// # Good: sql
//
//	ALTER TABLE orders ADD CONSTRAINT orders_pkey PRIMARY KEY USING INDEX orders_id_idx;
//
// # Bad: sql
//
//	ALTER TABLE orders ADD COLUMN id bigserial PRIMARY KEY;
//
// # Exceptions
//
// Tables that the same migration creates, and tables listed as small.
var addingPrimaryKeyConstraint = &analysis.Rule{
	ID:       "adding-primary-key-constraint",
	Summary:  "a new primary key blocks reads and writes while its index is built",
	Severity: analysis.Warning,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"squawk/adding-serial-primary-key-field", "pgls/addingPrimaryKeyConstraint", "atlas/PG104", "pgfence/add-pk-without-using-index", "eugene/E7"},
	On:       []migration.Op{(*migration.AddConstraint)(nil), (*migration.AddColumn)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		table, con := indexConstraint(s, migration.PrimaryKey)
		if con == nil || !p.Existing(s, table) || p.Small(table) {
			return
		}
		help := "make the columns NOT NULL and build a unique index concurrently first, then add the key with USING INDEX"
		if special(s.Before.Relation(table)) {
			help = "set a lock_timeout and choose a quiet hour"
		}
		p.Report(s, analysis.Report{
			On:      con.Span,
			Message: fmt.Sprintf("adding this primary key blocks reads and writes on %s while every row is read and its index is built (ACCESS EXCLUSIVE lock)", quoted(table.String())),
			Help:    help,
			Fixes:   keyInStages(p, s, table, con),
		})
	},
}
