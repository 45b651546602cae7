package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// create-table-force reports tables that are dropped and made again.
//
// DROP TABLE IF EXISTS before a CREATE TABLE of the same name makes a script
// that can be run again, and that throws every row away when the table is
// there. What must change can be changed with ALTER TABLE.
//
// # Bad: ecto
//
//	def up do
//	  drop_if_exists table(:orders)
//
//	  create table(:orders) do
//	    add :total, :integer
//	  end
//	end
//
//	def down do
//	  drop table(:orders)
//	end
//
// # Good: ecto
//
//	create table(:orders) do
//	  add :total, :integer
//	end
//
// # Bad: sql
//
//	DROP TABLE IF EXISTS orders;
//	CREATE TABLE orders (id bigint PRIMARY KEY, total integer);
//
// # Good: sql
//
//	CREATE TABLE IF NOT EXISTS orders (id bigint PRIMARY KEY, total integer);
//
// # Exceptions
//
// Tables that the same migration creates before it drops them, temporary
// tables, the down direction, and migrations that copy rows before the drop or
// fill the new table from a query (CREATE TABLE AS, INSERT ... SELECT). Where no migration is known to have
// made the table, the finding is a warning: it may not be there.
var createTableForce = &analysis.Rule{
	ID:       "create-table-force",
	Summary:  "a table is dropped and made again, empty",
	Severity: analysis.Error,
	Default:  true,
	Aliases:  []string{"strong_migrations/create_table"},
	Body: func(p *analysis.Pass) {
		again := madeAgain(p)
		for i := range p.Steps {
			s := &p.Steps[i]
			op, ok := s.Op.(*migration.Drop)
			if !ok || op.Kind != "table" {
				continue
			}
			for _, n := range op.Names {
				made := again[dropped{s, schema.RefOf(n)}]
				if made == nil || !p.Existing(s, n) {
					continue
				}
				r := analysis.Report{
					On:      n.Span,
					Message: fmt.Sprintf("every row of %s is lost: it is dropped here, and made again empty", quoted(n.String())),
					Help:    "change the table with ALTER TABLE, or copy its rows to another one first",
				}
				if rel := s.Before.Relation(n); op.IfExists && (rel == nil || rel.Created == nil) {
					r.Severity = analysis.Warning
					r.Message = fmt.Sprintf("if %s is there, every row of it is lost: it is dropped here, and made again empty", quoted(n.String()))
				}
				r.Related = []analysis.Related{{Message: "it is made again here", Path: made.Statement.Path, Span: made.Statement.Span}}
				p.Report(s, r)
			}
		}
	},
}

type dropped struct {
	by    *analysis.Step
	table schema.Ref
}

// madeAgain leads from each table that the direction drops to the step that
// makes a table of that name later on. Where rows were copied before, or the
// table is filled from a query again, there is none.
func madeAgain(p *analysis.Pass) map[dropped]*analysis.Step {
	type key struct{}
	return p.Once(key{}, func() any {
		out := map[dropped]*analysis.Step{}
		last := map[schema.Ref]*analysis.Step{}
		for i := range p.Steps {
			s := &p.Steps[i]
			switch op := s.Op.(type) {
			case *migration.Drop:
				if op.Kind == "table" {
					for _, n := range op.Names {
						last[schema.RefOf(n)] = s
					}
				}
			case *migration.CreateTable:
				if op.AsQuery && len(last) == 0 {
					return out
				}
				if by := last[schema.RefOf(op.Table)]; by != nil && !op.Temp && !op.AsQuery {
					out[dropped{by, schema.RefOf(op.Table)}] = s
				}
			case *migration.Write:
				if op.Query && len(last) == 0 {
					return out
				}
				if by := last[schema.RefOf(op.Table)]; by != nil && op.Query {
					delete(out, dropped{by, schema.RefOf(op.Table)}) // filled again
				}
			}
		}
		return out
	}).(map[dropped]*analysis.Step)
}
