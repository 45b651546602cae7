package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// drop-constraint reports foreign keys that are dropped.
//
// The drop takes an instant, but it needs an ACCESS EXCLUSIVE lock on both
// tables, the referenced one too: while it waits behind a long query on either,
// every later read and write of that table waits behind it. Set a lock_timeout
// and try again.
//
// Other constraints lock their own table only; they are reported where the
// configuration names the rule.
//
// # Bad: sql
//
//	-- 001_orders.up.sql --
//	CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint CONSTRAINT orders_user REFERENCES users (id));
//	-- 002_free.up.sql --
//	ALTER TABLE orders DROP CONSTRAINT orders_user;
//
// # Bad: ecto
//
//	drop constraint(:orders, :orders_user_id_fkey)
//
// # Exceptions
//
// Constraints of the same migration, and those that the same ALTER TABLE adds
// again. A constraint that no migration shows counts as a foreign key when its
// name ends as PostgreSQL and Ecto name one, in _fkey.
var dropConstraint = &analysis.Rule{
	ID:       "drop-constraint",
	Summary:  "dropping a foreign key locks both of its tables",
	Severity: analysis.Info,
	Default:  true,
	Aliases:  []string{"atlas/CD101", "pgfence/drop-constraint"},
	On:       []migration.Op{(*migration.DropConstraint)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.DropConstraint)
		if !p.Existing(s, op.Table) {
			return
		}
		r := s.Before.Relation(op.Table)
		other, foreign, kind := "", strings.HasSuffix(op.Constraint.Name, "_fkey"), "constraint"
		if r != nil {
			if con := r.Constraint(op.Constraint.Name); con != nil {
				if constraintMadeHere(p, con) {
					return
				}
				foreign, other, kind = con.Kind == migration.ForeignKey, con.Ref.String(), string(con.Kind)+" constraint"
				if con.Ref == r.Ref {
					other = "" // its own table
				}
			} else if s.Before.Complete(r) && op.IfExists {
				return // it is not there
			}
		}
		if !foreign && !p.Asked() || addedAgain(s, op) {
			return
		}
		m := fmt.Sprintf("dropping this %s blocks reads and writes on %s", kind, quoted(op.Table.String()))
		if foreign {
			m = fmt.Sprintf("dropping this foreign key blocks reads and writes on %s", quoted(op.Table.String()))
			switch {
			case other != "":
				m += " and on " + quoted(other)
			case r == nil || r.Constraint(op.Constraint.Name) == nil:
				m += " and on the table that it references"
			}
		}
		p.Report(s, analysis.Report{
			On:      op.Constraint.Span,
			Message: m + " until the transaction ends (ACCESS EXCLUSIVE lock)",
			Help:    "set a lock_timeout, do nothing else in this transaction, and try again when it times out",
		})
	},
}

// addedAgain reports whether the same statement adds a constraint in place of
// the one that it drops.
func addedAgain(s *analysis.Step, op *migration.DropConstraint) bool {
	if s.Inner {
		return false
	}
	return slices.ContainsFunc(s.Statement.Ops(), func(o migration.Op) bool {
		add, ok := o.(*migration.AddConstraint)
		if !ok {
			return false
		}
		if add.Constraint.Name == op.Constraint.Name {
			return true
		}
		r := s.Before.Relation(op.Table)
		if r == nil {
			return false
		}
		con := r.Constraint(op.Constraint.Name)
		return con != nil && con.Kind == add.Constraint.Kind && slices.Equal(con.Columns, names(add.Constraint.Columns))
	})
}
