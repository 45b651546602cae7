package rules

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// set-logged-unlogged reports unlogged tables, and tables that are made so or
// logged again.
//
// SET LOGGED and SET UNLOGGED write the whole table anew under an ACCESS
// EXCLUSIVE lock: reads and writes wait until it is done. And the rows of an
// unlogged table are not safe: after a crash the table is empty, and replicas
// never have them.
//
// # Bad: ecto
//
//	execute "ALTER TABLE sessions SET UNLOGGED", "ALTER TABLE sessions SET LOGGED"
//
// # Bad: ecto
//
//	create table(:sessions, modifiers: "UNLOGGED") do
//	  add :token, :text
//	end
//
// # Good: ecto
//
//	create table(:sessions) do
//	  add :token, :text
//	end
//
// # Bad: sql
//
//	ALTER TABLE sessions SET LOGGED;
//
// # Bad: sql
//
//	CREATE UNLOGGED TABLE sessions (token text PRIMARY KEY);
//
// # Good: sql
//
//	CREATE TABLE sessions (token text PRIMARY KEY);
//
// # Exceptions
//
// SET LOGGED and SET UNLOGGED of tables that the same migration creates, and
// of tables listed as small. A new unlogged table is no more than a hint.
var setLoggedUnlogged = &analysis.Rule{
	ID:       "set-logged-unlogged",
	Summary:  "SET LOGGED or UNLOGGED rewrites the table; unlogged rows do not survive a crash",
	Severity: analysis.Warning,
	Default:  true,
	Aliases:  []string{"pgfence/set-logged-unlogged"},
	On:       []migration.Op{(*migration.AlterTable)(nil), (*migration.CreateTable)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		switch op := s.Op.(type) {
		case *migration.CreateTable:
			if op.Unlogged {
				p.Report(s, analysis.Report{
					On:       op.Table.Span,
					Severity: analysis.Hint,
					Message:  fmt.Sprintf("after a crash %s is empty, and replicas never have its rows: it is unlogged", quoted(op.Table.String())),
					Help:     "make it a plain table unless its rows can be done without",
				})
			}
		case *migration.AlterTable:
			if op.What != "set logged" && op.What != "set unlogged" || !p.Existing(s, op.Table) || p.Small(op.Table) {
				return
			}
			p.Report(s, analysis.Report{
				On:      op.Table.Span,
				Message: fmt.Sprintf("%s blocks reads and writes on %s while the whole table is written anew (ACCESS EXCLUSIVE lock)", strings.ToUpper(op.What), quoted(op.Table.String())),
				Help:    "copy the rows to a new table of the other kind in steps, and change the names then",
			})
		}
	},
}
