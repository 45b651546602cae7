package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// adding-serial-or-identity-column reports new columns that number the rows.
//
// A serial or identity column gives every row a number, so the table and its
// indexes are written anew under an ACCESS EXCLUSIVE lock: reads and writes
// wait. Add a plain column, set its default to a sequence for new rows, and
// number the old ones in steps.
//
// # Bad: ecto
//
//	alter table(:orders) do
//	  add :number, :bigserial
//	end
//
// # Good: ecto
//
//	alter table(:orders) do
//	  add :number, :bigint
//	end
//
// # Bad: sql
//
//	ALTER TABLE orders ADD COLUMN number bigserial;
//
// # Good: sql
//
//	CREATE SEQUENCE orders_number_seq;
//	ALTER TABLE orders ADD COLUMN number bigint;
//	ALTER TABLE orders ALTER COLUMN number SET DEFAULT nextval('orders_number_seq');
//
// # Bad: sql
//
//	ALTER TABLE orders ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY;
//
// # Exceptions
//
// Tables that the same migration creates, tables listed as small, and columns
// that are the primary key, which have a rule of their own.
var addingSerialOrIdentityColumn = &analysis.Rule{
	ID:       "adding-serial-or-identity-column",
	Summary:  "a new serial or identity column rewrites the table under a lock",
	Severity: analysis.Warning,
	Default:  true,
	Aliases:  []string{"pgls/addSerialColumn", "eugene/E11", "pgfence/add-column-serial"},
	On:       []migration.Op{(*migration.AddColumn)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.AddColumn)
		c := &op.Column
		if c.Type.Serial == "" && c.Identity == "" || ofColumn(c, migration.PrimaryKey) != nil {
			return
		}
		if s.After == s.Before || !p.Existing(s, op.Table) || p.Small(op.Table) {
			return
		}
		p.Report(s, analysis.Report{
			On:      c.Span,
			Message: fmt.Sprintf("adding %s blocks reads and writes on %s while every row is rewritten with a number (ACCESS EXCLUSIVE lock)", quoted(c.Name), quoted(op.Table.String())),
			Help:    "add a plain column, set a sequence as its default, and number the old rows in steps",
		})
	},
}
