package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// bad-search-path-literal reports a search_path whose schemas stand in one pair
// of quotes.
//
// SET search_path = 'app, public' names one schema, which is called "app,
// public". There is none of that name, so the path is empty: what follows
// fails, or is found in pg_catalog only. Each schema is an item of its own. In
// set_config('search_path', 'app, public', false) the text is a list, and
// right.
//
// # Bad: sql
//
//	SET search_path = 'app, public';
//
// # Good: sql
//
//	SET search_path = app, public;
//
// # Bad: ecto
//
//	execute "ALTER ROLE shop SET search_path = 'app, public'", ""
//
// # Good: ecto
//
//	execute "ALTER ROLE shop SET search_path = app, public", ""
var badSearchPathLiteral = &analysis.Rule{
	ID:       "bad-search-path-literal",
	Summary:  "a search_path is one quoted name with a comma in it",
	Severity: analysis.Error,
	Default:  true,
	Fix:      analysis.SafeFix,
	Aliases:  []string{"pgspot/PS018"},
	On:       []migration.Op{(*migration.Set)(nil), (*migration.CreateFunction)(nil), (*migration.Other)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		var sets []migration.Set
		switch op := s.Op.(type) {
		case *migration.Set:
			sets = []migration.Set{*op}
		case *migration.CreateFunction:
			sets = op.Settings
		case *migration.Other:
			sets = op.Settings
		}
		for _, set := range sets {
			i := slices.IndexFunc(set.Values, func(v string) bool { return strings.Contains(v, ",") })
			if set.Name != "search_path" || set.Call || i < 0 {
				continue
			}
			p.Report(s, analysis.Report{
				On:      set.Span,
				Message: fmt.Sprintf("the path is empty: %s is the name of one schema, which does not exist", quoted(set.Values[i])),
				Help:    "write the schemas without the quotes around them all",
				Fixes:   fixes("Name each schema on its own", true, edit(s, set.Span, searchPath(set.Values))),
			})
		}
	},
}

// searchPath writes a search_path of items that may be lists.
func searchPath(values []string) string {
	var out []string
	for _, v := range values {
		for _, name := range strings.Split(v, ",") {
			if name = strings.Trim(strings.TrimSpace(name), `"`); name != "" {
				out = append(out, schema.Quote(name))
			}
		}
	}
	if len(out) == 0 {
		return "''"
	}
	return strings.Join(out, ", ")
}
