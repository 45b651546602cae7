package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// adding-unique-constraint reports unique constraints that build their index
// under a lock.
//
// ADD UNIQUE builds an index while it holds an ACCESS EXCLUSIVE lock: reads
// and writes wait until the whole table has been read. Build the unique index
// concurrently in a migration of its own; then ADD CONSTRAINT ... UNIQUE USING
// INDEX takes an instant. Where nothing needs the constraint, the index alone
// does the same.
//
// # Bad: ecto
//
//	execute "ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE (email)",
//	        "ALTER TABLE users DROP CONSTRAINT users_email_key"
//
// # Good: ecto
//
//	execute "ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE USING INDEX users_email_key",
//	        "ALTER TABLE users DROP CONSTRAINT users_email_key"
//
// # Bad: sql
//
//	ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE (email);
//
// # Good: sql
//
//	ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE USING INDEX users_email_key;
//
// # Bad: sql
//
//	ALTER TABLE users ADD COLUMN code int DEFAULT 1 UNIQUE;
//
// # Good: sql
//
//	ALTER TABLE users ADD COLUMN code int UNIQUE;
//
// # Exceptions
//
// Tables that the same migration creates, tables listed as small, and new
// columns that are empty in every row.
var addingUniqueConstraint = &analysis.Rule{
	ID:       "adding-unique-constraint",
	Summary:  "a new unique constraint blocks reads and writes while its index is built",
	Severity: analysis.Warning,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"squawk/disallowed-unique-constraint", "pgls/disallowUniqueConstraint", "eugene/E7", "atlas/PG105", "pgfence/add-constraint-unique"},
	On:       []migration.Op{(*migration.AddConstraint)(nil), (*migration.AddColumn)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		table, con := indexConstraint(s, migration.Unique)
		if con == nil || !p.Existing(s, table) || p.Small(table) {
			return
		}
		help := "build a unique index concurrently first, then add the constraint with USING INDEX"
		if special(s.Before.Relation(table)) {
			help = "set a lock_timeout and choose a quiet hour"
		}
		p.Report(s, analysis.Report{
			On:      con.Span,
			Message: fmt.Sprintf("adding this unique constraint blocks reads and writes on %s while its index is built (ACCESS EXCLUSIVE lock)", quoted(table.String())),
			Help:    help,
			Fixes:   keyInStages(p, s, table, con),
		})
	},
}

// indexConstraint returns the constraint of a kind that the step adds with an
// index over existing rows, or nil.
func indexConstraint(s *analysis.Step, kind migration.ConstraintKind) (migration.Name, *migration.Constraint) {
	switch op := s.Op.(type) {
	case *migration.AddConstraint:
		if op.Constraint.Kind == kind && op.Constraint.UsingIndex == "" {
			return op.Table, &op.Constraint
		}
	case *migration.AddColumn:
		if s.After != s.Before && (kind == migration.PrimaryKey || filled(&op.Column)) {
			return op.Table, ofColumn(&op.Column, kind)
		}
	}
	return migration.Name{}, nil
}
