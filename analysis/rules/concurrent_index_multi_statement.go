package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
)

// concurrent-index-multi-statement reports concurrent work that is sent
// together with other statements.
//
// Some tools send a whole file as one query. PostgreSQL runs a query of two or
// more statements as one transaction, although nobody wrote BEGIN, and
// CREATE INDEX CONCURRENTLY refuses to run inside a transaction. A file with
// such a statement must hold nothing else.
//
// # Bad: sql
//
//	CREATE INDEX CONCURRENTLY orders_user_id_idx ON orders (user_id);
//	CREATE INDEX CONCURRENTLY orders_state_idx ON orders (state);
//
// # Good: sql
//
//	CREATE INDEX CONCURRENTLY orders_user_id_idx ON orders (user_id);
var concurrentIndexMultiStatement = &analysis.Rule{
	ID:       "concurrent-index-multi-statement",
	Summary:  "a concurrent build fails when its file is sent as one query with other statements",
	Severity: analysis.Error,
	Default:  true,
	Down:     true,
	On:       concurrentOps,
	Op: func(p *analysis.Pass, s *analysis.Step) {
		what, on := concurrent(s)
		if what == "" || s.Tx != analysis.ByUnit {
			return
		}
		p.Report(s, analysis.Report{
			On: on,
			Message: fmt.Sprintf("%s fails here: %s sends the file's %d statements as one query, which PostgreSQL runs as one transaction",
				what, p.Migration.Format, len(s.Unit.Statements)),
			Help: "put each concurrent statement in a migration of its own",
		})
	},
}
