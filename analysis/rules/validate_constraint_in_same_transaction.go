package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// validate-constraint-in-same-transaction reports validations that gain
// nothing.
//
// VALIDATE CONSTRAINT lets others write while it reads the table. But locks
// last until the end of their transaction: when the constraint was added in the
// same one, its lock is held through the whole validation, as if NOT VALID had
// not been written. Validate in a migration of its own.
//
// # Bad: ecto
//
//	def up do
//	  create constraint(:orders, :total_is_positive, check: "total > 0", validate: false)
//	  execute "ALTER TABLE orders VALIDATE CONSTRAINT total_is_positive"
//	end
//
//	def down do
//	  drop constraint(:orders, :total_is_positive)
//	end
//
// # Good: ecto
//
//	def up do
//	  execute "ALTER TABLE orders VALIDATE CONSTRAINT total_is_positive"
//	end
//
//	def down do
//	  :ok
//	end
//
// # Bad: goose
//
//	-- +goose Up
//	ALTER TABLE orders ADD CONSTRAINT orders_user_fk FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID;
//	ALTER TABLE orders VALIDATE CONSTRAINT orders_user_fk;
//	-- +goose Down
//	ALTER TABLE orders DROP CONSTRAINT orders_user_fk;
//
// # Bad: sql
//
//	ALTER TABLE orders ADD CONSTRAINT total_is_positive CHECK (total > 0) NOT VALID;
//	ALTER TABLE orders VALIDATE CONSTRAINT total_is_positive;
//
// # Good: goose
//
//	-- +goose NO TRANSACTION
//	-- +goose Up
//	ALTER TABLE orders ADD CONSTRAINT orders_user_fk FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID;
//	ALTER TABLE orders VALIDATE CONSTRAINT orders_user_fk;
//	-- +goose Down
//	ALTER TABLE orders DROP CONSTRAINT orders_user_fk;
//
// # Exceptions
//
// Migrations without a transaction, a COMMIT between the two, and tables that
// the same migration creates.
var validateConstraintInSameTransaction = &analysis.Rule{
	ID:       "validate-constraint-in-same-transaction",
	Summary:  "a constraint is validated under the lock that adding it took",
	Severity: analysis.Warning,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"pgls/requireSeparateConstraintValidation", "pgfence/not-valid-validate-same-tx", "eugene/E4", "squawk/constraint-missing-not-valid"},
	On:       []migration.Op{(*migration.ValidateConstraint)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.ValidateConstraint)
		r := s.Before.Relation(op.Table)
		if r == nil || !p.Existing(s, op.Table) || p.Small(op.Table) {
			return
		}
		c := r.Constraint(op.Constraint.Name)
		if !constraintMadeHere(p, c) || !c.NotValid || !together(p, c.Created.Statement, s.Statement) {
			return
		}
		lock := "reads and writes on " + quoted(op.Table.String()) + " (ACCESS EXCLUSIVE lock)"
		if c.Kind == migration.ForeignKey {
			lock = "writes on " + quoted(op.Table.String()) + " and " + quoted(c.Ref.String()) + " (SHARE ROW EXCLUSIVE lock)"
		}
		var mend []analysis.Fix
		if len(s.Statement.Ops()) == 1 && (s.Statement.Command == nil || !s.Statement.Command.Repeated) {
			mend = following(p, "Validate it in a new migration", []change{without(p, s)}, validation(op.Table, op.Constraint.Name))
		}
		p.Report(s, analysis.Report{
			Fixes:   mend,
			On:      op.Constraint.Span,
			Message: fmt.Sprintf("validating %s here blocks %s: the lock of ADD CONSTRAINT is held until the transaction ends", quoted(op.Constraint.Name), lock),
			Help:    "validate it in a later migration",
			Related: analysis.RelatedTo(c.Created, "the constraint is added here"),
		})
	},
}
