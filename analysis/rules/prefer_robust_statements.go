package rules

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// prefer-robust-statements reports statements outside of a transaction that
// cannot be run again.
//
// When a later statement of such a migration fails, the earlier ones stay done,
// and the tool runs all of them again: the first then fails because its table
// is there already. IF NOT EXISTS and IF EXISTS let the second try pass over
// what is done.
//
// # Bad: goose
//
//	-- +goose NO TRANSACTION
//	-- +goose Up
//	ALTER TABLE orders ADD COLUMN state text;
//	CREATE INDEX CONCURRENTLY orders_state ON orders (state);
//	-- +goose Down
//	DROP INDEX CONCURRENTLY orders_state;
//
// # Good: goose
//
//	-- +goose NO TRANSACTION
//	-- +goose Up
//	ALTER TABLE orders ADD COLUMN IF NOT EXISTS state text;
//	CREATE INDEX CONCURRENTLY orders_state ON orders (state);
//	-- +goose Down
//	DROP INDEX CONCURRENTLY orders_state;
//
// # Bad: ecto
//
//	@disable_ddl_transaction true
//	@disable_migration_lock true
//
//	def change do
//	  create table(:orders)
//	  create index(:items, [:order_id], concurrently: true)
//	end
//
// # Good: ecto
//
//	@disable_ddl_transaction true
//	@disable_migration_lock true
//
//	def change do
//	  create_if_not_exists table(:orders)
//	  create index(:items, [:order_id], concurrently: true)
//	end
//
// # Exceptions
//
// Migrations in a transaction, those of one statement, and the last statement,
// after which nothing can fail. CREATE INDEX CONCURRENTLY, of which IF NOT
// EXISTS would keep an invalid index. Statements that have no such clause.
var preferRobustStatements = &analysis.Rule{
	ID:       "prefer-robust-statements",
	Summary:  "a statement outside a transaction cannot be run again",
	Severity: analysis.Hint,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"squawk/prefer-robust-stmts", "pgls/preferRobustStmts"},
	Body: func(p *analysis.Pass) {
		if p.Direction != migration.Up || p.Body.Tx != migration.None || len(p.Steps) == 0 {
			return
		}
		last := p.Steps[len(p.Steps)-1].Statement
		for i := range p.Steps {
			s := &p.Steps[i]
			if s.Statement == last || s.Inner || s.Tx != analysis.NoTransaction {
				continue
			}
			on, clause := unguarded(s.Op)
			if clause == "" {
				continue
			}
			p.Report(s, analysis.Report{
				On:      on.Span,
				Message: fmt.Sprintf("if a later statement fails, the migration cannot be run again: %s is %s then", quoted(on.String()), map[string]string{"IF NOT EXISTS": "there", "IF EXISTS": "gone"}[clause]),
				Help:    "write " + clause,
				Fixes:   fixes("Write "+clause, false, guard(s, on.Span, clause)),
			})
		}
	},
}

// unguarded is what an operation makes or drops, and the clause that would let
// it run twice; "" when it has the clause, or none is right.
func unguarded(op migration.Op) (migration.Name, string) {
	const not, is = "IF NOT EXISTS", "IF EXISTS"
	switch op := op.(type) {
	case *migration.CreateTable:
		if !op.IfNotExists && !op.Temp && !op.AsQuery {
			return op.Table, not
		}
	case *migration.CreateIndex:
		if !op.IfNotExists && !op.Concurrently && !op.Index.IsZero() {
			return op.Index, not
		}
	case *migration.AddColumn:
		if !op.IfNotExists {
			return migration.Name{Name: op.Column.Name, Span: op.Column.Span}, not
		}
	case *migration.Create:
		if !op.IfNotExists && (op.Kind == "extension" || op.Kind == "schema" || op.Kind == "sequence") {
			return op.Object, not
		}
	case *migration.Drop:
		if !op.IfExists && len(op.Names) == 1 {
			return op.Names[0], is
		}
	case *migration.DropIndex:
		if !op.IfExists && len(op.Indexes) == 1 {
			return op.Indexes[0], is
		}
	case *migration.DropColumn:
		if !op.IfExists {
			return migration.Name{Name: op.Column.Name, Span: op.Column.Span}, is
		}
	case *migration.DropConstraint:
		if !op.IfExists {
			return migration.Name{Name: op.Constraint.Name, Span: op.Constraint.Span}, is
		}
	}
	return migration.Name{}, ""
}

// guard writes the clause before a name, or the DSL command that has it.
func guard(s *analysis.Step, name source.Span, clause string) change {
	return func() ([]source.Edit, error) {
		c := s.Statement.Command
		if c == nil || c.Name == "execute" || c.Name == "execute_file" {
			if name.Len() == 0 {
				return nil, migration.ErrNotExpressible
			}
			return edit(s, source.Span{Start: name.Start, End: name.Start}, clause+" ")()
		}
		if sub := analysis.SubCommand(s.Statement, name); sub != nil {
			c = sub
		} else if len(c.Sub) > 0 && !strings.HasPrefix(c.Name, "create") {
			return nil, migration.ErrNotExpressible
		}
		guarded := map[string]string{"create": "create_if_not_exists", "add": "add_if_not_exists", "drop": "drop_if_exists", "remove": "remove_if_exists"}[c.Name]
		if guarded == "" || c.Repeated || c.Object == "constraint" {
			return nil, migration.ErrNotExpressible
		}
		return []source.Edit{{Path: s.Statement.Path, Span: source.Span{Start: c.Span.Start, End: c.Span.Start + len(c.Name)}, New: guarded}}, nil
	}
}
