package rules

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// adding-foreign-key-constraint reports foreign keys that check every row.
//
// ADD FOREIGN KEY holds a SHARE ROW EXCLUSIVE lock on both tables while it
// looks up every row of the referencing one: writes to either wait. With NOT
// VALID nothing is looked up, new rows are checked all the same, and VALIDATE
// CONSTRAINT in a later migration checks the old ones without blocking writes.
//
// Ecto adds a column and its reference in one ALTER TABLE, which holds an
// ACCESS EXCLUSIVE lock: reads wait too, even though the new column is empty.
//
// # Bad: ecto
//
//	alter table(:orders) do
//	  add :user_id, references(:users)
//	end
//
// # Good: ecto
//
//	alter table(:orders) do
//	  add :user_id, references(:users, validate: false)
//	end
//
// # Bad: sql
//
//	ALTER TABLE orders ADD CONSTRAINT orders_user_fk FOREIGN KEY (user_id) REFERENCES users (id);
//
// # Good: sql
//
//	ALTER TABLE orders ADD CONSTRAINT orders_user_fk FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID;
//
// # Bad: sql
//
//	ALTER TABLE orders ADD COLUMN user_id bigint DEFAULT 1 REFERENCES users (id);
//
// # Good: sql
//
//	ALTER TABLE orders ADD COLUMN user_id bigint REFERENCES users (id);
//
// # Exceptions
//
// Tables that the same migration creates, and tables listed as small. A
// nullable column without a default that is added with REFERENCES in its own
// definition is not checked. Partitioned tables cannot have a foreign key that
// is NOT VALID.
var addingForeignKeyConstraint = &analysis.Rule{
	ID:       "adding-foreign-key-constraint",
	Summary:  "a new foreign key blocks writes while it checks every row",
	Severity: analysis.Warning,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Aliases: []string{"squawk/adding-foreign-key-constraint", "pgls/addingForeignKeyConstraint", "excellent_migrations/column_reference_added",
		"pgfence/add-constraint-fk-no-not-valid"},
	On: []migration.Op{(*migration.AddConstraint)(nil), (*migration.AddColumn)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		var table migration.Name
		var con *migration.Constraint
		blocks, locks := "writes", "SHARE ROW EXCLUSIVE lock on both"
		var mend change
		switch op := s.Op.(type) {
		case *migration.AddConstraint:
			table, con = op.Table, &op.Constraint
			if con.Kind != migration.ForeignKey || con.NotValid {
				return
			}
			mend = notValid(p, s, con)
			if len(con.Columns) == 1 {
				if r := s.Before.Relation(table); r != nil {
					if c := r.Column(con.Columns[0].Name); c != nil && c.Created != nil && c.Created.Statement == s.Statement {
						blocks, locks = "reads and writes", "ACCESS EXCLUSIVE lock, SHARE ROW EXCLUSIVE on the other"
					}
				}
			}
		case *migration.AddColumn:
			table, con = op.Table, ofColumn(&op.Column, migration.ForeignKey)
			if con == nil || !filled(&op.Column) || s.After == s.Before {
				return
			}
			blocks, locks = "reads and writes", "ACCESS EXCLUSIVE lock, SHARE ROW EXCLUSIVE on the other"
		}
		if !p.Existing(s, table) || p.Small(table) {
			return
		}
		if r := s.Before.Relation(table); r != nil && r.PartitionBy != "" {
			return
		}
		also := ", and writes on " + quoted(con.Ref.String()) + ","
		if schema.RefOf(con.Ref) == schema.RefOf(table) {
			also, locks = "", strings.NewReplacer(" on both", "", ", SHARE ROW EXCLUSIVE on the other", "").Replace(locks)
		}
		r := analysis.Report{
			On:      con.Span,
			Message: fmt.Sprintf("adding this foreign key blocks %s on %s%s while every row is looked up (%s)", blocks, quoted(table.String()), also, locks),
			Help:    "add it NOT VALID, and validate it in a later migration",
		}
		if mend != nil && hypertable(s.Before, table) == nil {
			r.Fixes = append(validateLater(p, s, table, migration.ForeignKey, mend), fixes("Do not check the existing rows now", false, mend)...)
		}
		p.Report(s, r)
	},
}
