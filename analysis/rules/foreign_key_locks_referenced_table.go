package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// foreign-key-locks-referenced-table reports foreign keys of new tables, which
// lock the tables that they point at.
//
// CREATE TABLE ... REFERENCES users holds a SHARE ROW EXCLUSIVE lock on users
// until the transaction ends: writes to users wait as long. It is short where
// the migration does nothing else, and long where it also fills the new table.
// With foreign keys to several tables the migration waits for one while it
// holds the others.
//
// # Bad: sql
//
//	CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES users (id));
//
// # Good: sql
//
//	CREATE TABLE users (id bigint PRIMARY KEY);
//	CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES users (id));
//
// # Bad: ecto
//
//	create table(:orders) do
//	  add :user_id, references(:users)
//	end
//
// # Exceptions
//
// Tables that the same migration creates, and tables listed as small. The
// finding is an info where the migration writes rows or has foreign keys to
// several tables.
var foreignKeyLocksReferencedTable = &analysis.Rule{
	ID:       "foreign-key-locks-referenced-table",
	Summary:  "a new table's foreign key blocks writes to the table that it references",
	Severity: analysis.Hint,
	On:       addsForeignKeys,
	Op: func(p *analysis.Pass, s *analysis.Step) {
		foreignKeys(s, func(table migration.Name, con *migration.Constraint, _ []migration.Ident) {
			_, creates := s.Op.(*migration.CreateTable)
			if !creates && !p.CreatedHere(s.Before.Relation(table)) || !p.Existing(s, con.Ref) || p.Small(con.Ref) ||
				schema.RefOf(con.Ref) == schema.RefOf(table) {
				return
			}
			r := analysis.Report{
				On:      con.Span,
				Message: fmt.Sprintf("this foreign key blocks writes to %s until the transaction ends (SHARE ROW EXCLUSIVE lock)", quoted(con.Ref.String())),
				Help:    "do nothing else in this transaction, and set a lock_timeout",
			}
			switch w := referencesOf(p); {
			case w.writes:
				r.Severity = analysis.Info
				r.Help = "write the rows in a migration of its own, after this one"
			case w.tables > 1:
				r.Severity = analysis.Info
				r.Help = "add the foreign keys to the several tables in a transaction each"
			}
			p.Report(s, r)
		})
	},
}

type referenced struct {
	// writes is set when the direction writes rows; tables is the number of
	// existing tables that its new tables reference.
	writes bool
	tables int
}

func referencesOf(p *analysis.Pass) referenced {
	type key struct{}
	return p.Once(key{}, func() any {
		var out referenced
		tables := map[schema.Ref]bool{}
		for i := range p.Steps {
			s := &p.Steps[i]
			if _, ok := s.Op.(*migration.Write); ok {
				out.writes = true
			}
			foreignKeys(s, func(table migration.Name, con *migration.Constraint, _ []migration.Ident) {
				if p.Existing(s, con.Ref) && schema.RefOf(con.Ref) != schema.RefOf(table) {
					tables[schema.RefOf(con.Ref)] = true
				}
			})
		}
		out.tables = len(tables)
		return out
	}).(referenced)
}
