package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// security-definer-search-path reports SECURITY DEFINER functions whose names
// the caller decides.
//
// Such a function runs with the rights of its owner, but without a search_path
// of its own it looks its names up where the caller says: whoever can make a
// table, function or operator in a schema that the path finds first runs code
// as the owner. The same is true of a path that has the schema of temporary
// tables anywhere but last; where it is not named, it comes first.
//
// # Bad: sql
//
//	CREATE FUNCTION app.close_orders() RETURNS void LANGUAGE sql SECURITY DEFINER
//	AS $$ UPDATE app.orders SET state = 'closed' $$;
//
// # Good: sql
//
//	CREATE FUNCTION app.close_orders() RETURNS void LANGUAGE sql SECURITY DEFINER
//	SET search_path = pg_catalog, pg_temp
//	AS $$ UPDATE app.orders SET state = 'closed' $$;
//
// # Bad: ecto
//
//	def up do
//	  execute """
//	  CREATE FUNCTION app.close_orders() RETURNS void LANGUAGE sql SECURITY DEFINER
//	  AS $$ UPDATE app.orders SET state = 'closed' $$
//	  """
//	end
//
//	def down do
//	  execute "DROP FUNCTION app.close_orders()"
//	end
//
// # Good: ecto
//
//	def up do
//	  execute """
//	  CREATE FUNCTION app.close_orders() RETURNS void LANGUAGE sql SECURITY DEFINER
//	  SET search_path = ''
//	  AS $$ UPDATE app.orders SET state = 'closed' $$
//	  """
//	end
//
//	def down do
//	  execute "DROP FUNCTION app.close_orders()"
//	end
//
// # Exceptions
//
// Functions with a standard body (BEGIN ATOMIC, RETURN): their names are looked
// up when they are made. An empty path: then only names with a schema are
// found. A path that the same migration gives the function with ALTER FUNCTION.
var securityDefinerSearchPath = &analysis.Rule{
	ID:       "security-definer-search-path",
	Summary:  "the caller of a SECURITY DEFINER function decides what its names mean",
	Severity: analysis.Warning,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"pgspot/PS003", "pgspot/PS004", "eslint-plugin-postgresql/no-security-definer-without-search-path"},
	On:       []migration.Op{(*migration.CreateFunction)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.CreateFunction)
		if !op.SecurityDefiner || op.Atomic || op.Language == "c" || op.Language == "internal" {
			return
		}
		report := analysis.Report{On: op.Function.Span}
		what := "function"
		if op.Procedure {
			what = "procedure"
		}
		path, set := searchPathOf(op.Settings)
		switch {
		case pathGivenLater(p, s, op.Function):
			return
		case !set:
			report.Message = fmt.Sprintf("whoever calls %s %s decides where its names are looked up, and it runs with its owner's rights", what, quoted(op.Function.String()))
			report.Help = "give it a search_path that nobody else can write to: SET search_path = pg_catalog, pg_temp, with a schema before every other name"
		case unsafePath(path):
			report.Message = fmt.Sprintf("a temporary table of whoever calls %s %s can stand in for one of its tables: pg_temp is not the last schema of its search_path", what, quoted(op.Function.String()))
			report.Help = "write pg_temp at the end of its search_path"
		default:
			return
		}
		if !set && op.Clause.Start > 0 {
			report.Fixes = fixes("Set its search_path; names in it then need their schema", false, edit(s, op.Clause, "SET search_path = pg_catalog, pg_temp "))
		} else if span := searchPathSpan(op.Settings); set && span.End > 0 {
			kept := slices.DeleteFunc(slices.Clone(path), func(v string) bool { return v == "pg_temp" })
			report.Fixes = fixes("Move pg_temp to the end", false, edit(s, span, searchPath(append(kept, "pg_temp"))))
		}
		p.Report(s, report)
	},
}

// unsafePath reports whether temporary objects are found before others.
func unsafePath(path []string) bool {
	if len(path) == 0 || len(path) == 1 && strings.TrimSpace(path[0]) == "" {
		return false // the session's path taken over on purpose, or none at all
	}
	if len(path) == 1 && path[0] == "pg_catalog" {
		return false // it has nothing that a temporary table could hide but itself
	}
	return path[len(path)-1] != "pg_temp"
}

// pathGivenLater reports whether the direction sets the search_path of a
// function after its creation.
func pathGivenLater(p *analysis.Pass, s *analysis.Step, function migration.Name) bool {
	type key struct{}
	given := p.Once(key{}, func() any {
		out := map[schema.Ref]bool{}
		for i := range p.Steps {
			op, ok := p.Steps[i].Op.(*migration.Other)
			if !ok || op.Tag != "alter function" && op.Tag != "alter procedure" && op.Tag != "alter routine" {
				continue
			}
			if path, set := searchPathOf(op.Settings); set && !unsafePath(path) {
				out[schema.RefOf(op.Object)] = true
			}
		}
		return out
	}).(map[schema.Ref]bool)
	return given[schema.RefOf(function)]
}
