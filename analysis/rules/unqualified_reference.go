package rules

import (
	"fmt"
	"slices"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// unqualified-reference reports tables that a SECURITY DEFINER function names
// without their schema, while its caller decides where they are looked up.
//
// The function runs with the rights of its owner. Whoever can make a table that
// is found first, a temporary one for instance, makes it read or write that.
//
// # Bad: sql
//
//	CREATE FUNCTION close_orders() RETURNS void LANGUAGE sql SECURITY DEFINER
//	AS $$ UPDATE orders SET state = 'closed' $$;
//
// # Good: sql
//
//	CREATE FUNCTION close_orders() RETURNS void LANGUAGE sql SECURITY DEFINER
//	AS $$ UPDATE app.orders SET state = 'closed' $$;
//
// # Bad: ecto
//
//	def up do
//	  execute """
//	  CREATE FUNCTION close_orders() RETURNS void LANGUAGE sql SECURITY DEFINER
//	  AS $$ UPDATE orders SET state = 'closed' $$
//	  """
//	end
//
//	def down do
//	  execute "DROP FUNCTION close_orders()"
//	end
//
// # Exceptions
//
// Functions that run with their caller's rights, and those whose own
// search_path nobody else can get in front of.
var unqualifiedReference = &analysis.Rule{
	ID:       "unqualified-reference",
	Summary:  "a SECURITY DEFINER function names a table without its schema",
	Severity: analysis.Hint,
	Aliases:  []string{"pgspot/PS001", "pgspot/PS016", "pgspot/PS017", "pgspot/PS009"},
	On:       []migration.Op{(*migration.CreateFunction)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.CreateFunction)
		path, set := searchPathOf(op.Settings)
		if !op.SecurityDefiner || op.Atomic || set && !unsafePath(path) || pathGivenLater(p, s, op.Function) {
			return
		}
		table := unqualifiedTable(op)
		if table == "" {
			return
		}
		p.Report(s, analysis.Report{
			On:      op.Function.Span,
			Message: fmt.Sprintf("whoever calls %s decides which table %s is in it", quoted(op.Function.String()), quoted(table)),
			Help:    "write the schema before the table's name",
		})
	},
}

// unqualifiedTable is the first table that the body of a function names
// without a schema, "" when there is none or the body cannot be read.
func unqualifiedTable(op *migration.CreateFunction) string {
	var ops []migration.Op
	switch op.Language {
	case "sql":
		ops = migration.ReadSQL(op.Body).Ops
	case "plpgsql":
		for _, o := range migration.ReadSQL("DO $function_body$" + op.Body + "$function_body$").Ops {
			if do, ok := o.(*migration.Do); ok {
				for _, in := range do.Ops {
					ops = append(ops, in.Op)
				}
			}
		}
	}
	var made []string
	for _, o := range ops {
		names := []migration.Name{}
		switch o := o.(type) {
		case *migration.CreateTable:
			made = append(made, o.Table.Name)
		case *migration.Write:
			names = append(names, o.Table)
		case *migration.Query:
			names = append(names, o.From...)
		default:
			for _, m := range schema.Mentions(o) {
				if m.Kind == schema.RelationMention && m.Ref.Schema == schema.DefaultSchema && !m.Defines {
					names = append(names, migration.Name{Name: m.Ref.Name})
				}
			}
		}
		for _, n := range names {
			if n.Name != "" && n.Schema == "" && !slices.Contains(made, n.Name) && n.Name != "new" && n.Name != "old" {
				return n.Name
			}
		}
	}
	return ""
}
