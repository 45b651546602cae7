package rules

import (
	"fmt"
	"slices"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// changing-type-of-used-column reports type changes of columns that something
// else is built on.
//
// PostgreSQL refuses to change the type of a column that a view, a
// materialized view, a generated column, a row security policy or the
// definition of a trigger (UPDATE OF, WHEN) uses, even to a longer varchar: drop
// what uses it, change the type, and make it again, in one transaction.
//
// A check constraint on the column is checked again for every row, under the
// ACCESS EXCLUSIVE lock of the change: reads and writes wait, even where the
// change itself would have taken an instant.
//
// # Bad: sql
//
//	-- 001_orders.up.sql --
//	CREATE TABLE orders (id bigint PRIMARY KEY, state varchar(10));
//	CREATE VIEW states AS SELECT DISTINCT state FROM orders;
//	-- 002_state.up.sql --
//	ALTER TABLE orders ALTER COLUMN state TYPE varchar(20);
//
// # Good: sql
//
//	-- 001_orders.up.sql --
//	CREATE TABLE orders (id bigint PRIMARY KEY, state varchar(10));
//	CREATE VIEW states AS SELECT DISTINCT state FROM orders;
//	-- 002_state.up.sql --
//	DROP VIEW states;
//	ALTER TABLE orders ALTER COLUMN state TYPE varchar(20);
//	CREATE VIEW states AS SELECT DISTINCT state FROM orders;
//
// # Bad: ecto
//
//	create table(:orders) do
//	  add :state, :string
//	end
//
//	execute("CREATE VIEW states AS SELECT DISTINCT state FROM orders", "DROP VIEW states")
//
//	alter table(:orders) do
//	  modify :state, :text, from: :string
//	end
//
// # Exceptions
//
// Check constraints of tables that the same migration creates, of tables
// listed as small, and where the change rewrites the table anyway
// (changing-column-type).
var changingTypeOfUsedColumn = &analysis.Rule{
	ID:       "changing-type-of-used-column",
	Summary:  "the type of a column is changed that a view or a constraint uses",
	Severity: analysis.Error,
	Default:  true,
	Down:     true,
	Aliases:  []string{"strong_migrations/change_column_constraint"},
	On:       []migration.Op{(*migration.AlterColumnType)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.AlterColumnType)
		r := s.Before.Table(op.Table)
		if r == nil {
			return
		}
		column := quoted(op.Table.String() + "." + op.Column.Name)
		for v := range s.Before.Users(r.Ref) {
			if slices.Contains(v.Uses, schema.Use{Ref: r.Ref, Column: op.Column.Name}) && s.Before.Certain(v) {
				p.Report(s, analysis.Report{
					On:      op.Column.Span,
					Message: fmt.Sprintf("this fails: the %s %s uses %s", v.Kind, quoted(v.Ref.String()), column),
					Help:    fmt.Sprintf("drop the %s first and make it again afterwards, in the same transaction", v.Kind),
					Related: analysis.RelatedTo(v.Created, quoted(v.Ref.String())+" is made here"),
				})
				return
			}
		}
		for _, c := range r.Columns {
			if c.Generated != "" && c.Name != op.Column.Name && s.Before.Certain(r) && mentionsWord(c.Generated, op.Column.Name) {
				p.Report(s, analysis.Report{
					On:      op.Column.Span,
					Message: fmt.Sprintf("this fails: the generated column %s uses %s", quoted(c.Name), column),
					Help:    "drop the generated column first and add it again afterwards",
					Related: analysis.RelatedTo(c.Created, quoted(c.Name)+" is made here"),
				})
				return
			}
		}
		if o := definedOn(s.Before, r, op.Column.Name); o != nil {
			p.Report(s, analysis.Report{
				On:      op.Column.Span,
				Message: fmt.Sprintf("this fails: the definition of the %s %s uses %s", o.Kind, quoted(o.Name), column),
				Help:    fmt.Sprintf("drop the %s first and make it again afterwards, in the same transaction", o.Kind),
				Related: analysis.RelatedTo(o.Created, quoted(o.Name)+" is made here"),
			})
			return
		}
		if p.Direction != migration.Up || !p.Existing(s, op.Table) || p.Small(op.Table) {
			return
		}
		if old, known := formerType(s, op); !known || op.Using != nil || sameType(old, op.Type) || !keepsRows(old, op.Type) {
			return
		}
		for _, con := range r.Constraints {
			if con.Kind == migration.Check && mentionsWord(con.Expr, op.Column.Name) {
				p.Report(s, analysis.Report{
					On:       op.Column.Span,
					Severity: analysis.Warning,
					Message: fmt.Sprintf("changing the type of %s blocks reads and writes while the check %s reads every row again (ACCESS EXCLUSIVE lock)",
						column, quoted(con.Name)),
					Help:    "drop the check, change the type, and add the check again NOT VALID; validate it in a later migration",
					Related: analysis.RelatedTo(con.Created, quoted(con.Name)+" is made here"),
				})
				return
			}
		}
	},
}

// definedOn is a trigger or policy of the table whose definition names the
// column, or nil.
func definedOn(c *schema.Catalog, r *schema.Relation, column string) *schema.Object {
	if !c.Certain(r) {
		return nil
	}
	for _, t := range c.Of("trigger", r.Ref) {
		if slices.Contains(t.Columns, column) {
			return t
		}
	}
	for _, policy := range c.Of("policy", r.Ref) {
		if policy.Created == nil {
			continue
		}
		for _, made := range policy.Created.Statement.Ops() {
			op, ok := made.(*migration.Create)
			if !ok || op.Kind != "policy" || op.Object.Name != policy.Name {
				continue
			}
			for _, o := range op.Options {
				if (o.Name == "using" || o.Name == "with check") && mentionsWord(o.Value, column) {
					return policy
				}
			}
		}
	}
	return nil
}
