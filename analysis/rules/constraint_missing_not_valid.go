package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// constraint-missing-not-valid reports check constraints that read every row.
//
// ADD CHECK holds an ACCESS EXCLUSIVE lock while the whole table is read:
// reads and writes wait. With NOT VALID it takes an instant, new rows are
// checked all the same, and VALIDATE CONSTRAINT in a later migration reads the
// table without blocking anybody.
//
// # Bad: ecto
//
//	create constraint(:orders, :total_is_positive, check: "total > 0")
//
// # Good: ecto
//
//	create constraint(:orders, :total_is_positive, check: "total > 0", validate: false)
//
// # Bad: sql
//
//	ALTER TABLE orders ADD CONSTRAINT total_is_positive CHECK (total > 0);
//
// # Good: sql
//
//	ALTER TABLE orders ADD CONSTRAINT total_is_positive CHECK (total > 0) NOT VALID;
//
// # Bad: sql
//
//	ALTER TABLE orders ADD COLUMN total numeric CHECK (total > 0);
//
// # Exceptions
//
// Tables that the same migration creates, and tables listed as small. Unique,
// primary key and exclusion constraints cannot be NOT VALID; other rules speak
// of them and of foreign keys.
var constraintMissingNotValid = &analysis.Rule{
	ID:       "constraint-missing-not-valid",
	Summary:  "a new check constraint blocks reads and writes while it reads every row",
	Severity: analysis.Warning,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Aliases: []string{"squawk/constraint-missing-not-valid", "pgls/constraintMissingNotValid", "excellent_migrations/check_constraint_added",
		"atlas/PG305", "pgfence/add-constraint-check-no-not-valid", "eugene/E1"},
	On: []migration.Op{(*migration.AddConstraint)(nil), (*migration.AddColumn)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		var table migration.Name
		var con *migration.Constraint
		help := "add it NOT VALID, and validate it in a later migration"
		var mend change
		switch op := s.Op.(type) {
		case *migration.AddConstraint:
			table, con = op.Table, &op.Constraint
			if con.Kind != migration.Check || con.NotValid {
				return
			}
			mend = notValid(p, s, con)
		case *migration.AddColumn:
			table, con = op.Table, ofColumn(&op.Column, migration.Check)
			if con == nil || s.After == s.Before {
				return
			}
			help = "add the column first, then the constraint NOT VALID, and validate it in a later migration"
		}
		if !p.Existing(s, table) || p.Small(table) {
			return
		}
		r := analysis.Report{
			On:      con.Span,
			Message: fmt.Sprintf("adding this check blocks reads and writes on %s while every row is read (ACCESS EXCLUSIVE lock)", quoted(table.String())),
			Help:    help,
		}
		if mend != nil && hypertable(s.Before, table) == nil {
			r.Fixes = append(validateLater(p, s, table, migration.Check, mend), fixes("Do not check the existing rows now", false, mend)...)
		}
		p.Report(s, r)
	},
}
