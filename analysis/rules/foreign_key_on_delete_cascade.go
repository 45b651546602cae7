package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// foreign-key-on-delete-cascade reports foreign keys that delete rows by
// themselves.
//
// With ON DELETE CASCADE one DELETE removes rows of other tables that it does
// not name, and theirs in turn: more than was meant, or so many that it runs for
// minutes and holds locks on all of them. Delete what belongs together in the
// application, step by step.
//
// # Bad: sql
//
//	CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES users (id) ON DELETE CASCADE);
//
// # Good: sql
//
//	CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES users (id));
//
// # Bad: ecto
//
//	create table(:orders) do
//	  add :user_id, references(:users, on_delete: :delete_all)
//	end
//
// # Good: ecto
//
//	create table(:orders) do
//	  add :user_id, references(:users, on_delete: :restrict)
//	end
var foreignKeyOnDeleteCascade = &analysis.Rule{
	ID:       "foreign-key-on-delete-cascade",
	Summary:  "a DELETE removes rows of other tables that it does not name",
	Severity: analysis.Hint,
	Aliases:  []string{"eslint/no-on-delete-cascade"},
	On:       addsForeignKeys,
	Op: func(p *analysis.Pass, s *analysis.Step) {
		foreignKeys(s, func(table migration.Name, con *migration.Constraint, _ []migration.Ident) {
			if con.OnDelete != "cascade" {
				return
			}
			p.Report(s, analysis.Report{
				On:      con.Span,
				Message: fmt.Sprintf("deleting a row of %s will delete all its rows of %s without a word", quoted(con.Ref.String()), quoted(table.String())),
				Help:    "delete them in the application, or let the database refuse with RESTRICT",
			})
		})
	},
}
