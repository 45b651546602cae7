package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// function-search-path reports functions without a search_path of their own.
//
// The names in the body of such a function are looked up in the search_path of
// whoever calls it. It fails, or does something else, where that is another
// one: in a trigger, an index, a restore from a dump.
//
// # Bad: sql
//
//	CREATE FUNCTION app.total(o bigint) RETURNS numeric LANGUAGE sql
//	AS $$ SELECT sum(price) FROM items WHERE order_id = o $$;
//
// # Good: sql
//
//	CREATE FUNCTION app.total(o bigint) RETURNS numeric LANGUAGE sql
//	SET search_path = app, pg_temp
//	AS $$ SELECT sum(price) FROM items WHERE order_id = o $$;
//
// # Bad: ecto
//
//	def up do
//	  execute """
//	  CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql
//	  AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$
//	  """
//	end
//
//	def down do
//	  execute "DROP FUNCTION touch()"
//	end
//
// # Exceptions
//
// Functions in C, and those with a standard body (BEGIN ATOMIC, RETURN). A
// function that runs with its owner's rights has a rule of its own.
var functionSearchPath = &analysis.Rule{
	ID:       "function-search-path",
	Summary:  "a function has no search_path of its own",
	Severity: analysis.Hint,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"pgspot/PS005", "pgls/functionSearchPathMutable"},
	On:       []migration.Op{(*migration.CreateFunction)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.CreateFunction)
		if _, set := searchPathOf(op.Settings); set || op.SecurityDefiner || op.Atomic || op.Language == "c" || op.Language == "internal" || pathGivenLater(p, s, op.Function) {
			return
		}
		r := analysis.Report{
			On:      op.Function.Span,
			Message: fmt.Sprintf("the names in %s mean what its caller's search_path says", quoted(op.Function.String())),
			Help:    "give it a search_path with SET search_path = ...",
		}
		if op.Clause.Start > 0 {
			r.Fixes = fixes("Set its search_path; names in it then need their schema", false, edit(s, op.Clause, "SET search_path = pg_catalog, pg_temp "))
		}
		p.Report(s, r)
	},
}
