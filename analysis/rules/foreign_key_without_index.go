package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// foreign-key-without-index reports foreign keys whose columns have no index.
//
// PostgreSQL makes no index for them. Each DELETE in the referenced table, and
// each change of its key, then reads the whole referencing table, and so does
// each join from there.
//
// # Bad: sql
//
//	CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES users (id));
//
// # Good: sql
//
//	CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES users (id));
//	CREATE INDEX ON orders (user_id);
//
// # Bad: ecto
//
//	create table(:orders) do
//	  add :user_id, references(:users)
//	end
//
// # Good: ecto
//
//	create table(:orders) do
//	  add :user_id, references(:users)
//	end
//
//	create index(:orders, [:user_id])
//
// # Exceptions
//
// Columns that an index, primary key or unique constraint begins with, also one
// that comes later in the file or in a later migration; of a key of several
// columns one at the front is enough. Columns of tables that were there before
// all migrations, whose indexes are not known; partitions, whose parent has the
// index; tables listed as small; constraints that are dropped again.
var foreignKeyWithoutIndex = &analysis.Rule{
	ID:       "foreign-key-without-index",
	Summary:  "a foreign key's columns have no index",
	Severity: analysis.Info,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"eugene/E15", "pgfence/fk-missing-index", "pgls/unindexedForeignKeys"},
	On:       addsForeignKeys,
	Op: func(p *analysis.Pass, s *analysis.Step) {
		foreignKeys(s, func(table migration.Name, con *migration.Constraint, columns []migration.Ident) {
			now := s.After.Table(table)
			if now == nil || now.Temp || now.PartitionOf.Name != "" || p.Small(table) || len(columns) == 0 {
				return
			}
			if !s.After.Complete(now) && !newColumns(s, now, columns) {
				return
			}
			end := p.End()
			if end.Taints() != s.After.Taints() {
				return // what cannot be read may have made the index
			}
			then := end.Table(table)
			if then == nil || !slices.ContainsFunc(then.Constraints, func(c *schema.Constraint) bool {
				return c.Kind == migration.ForeignKey && slices.Equal(c.Columns, names(columns))
			}) || indexed(then, names(columns)) {
				return
			}
			r := analysis.Report{
				On: columns[0].Span,
				Message: fmt.Sprintf("every DELETE from %s reads all of %s: no index begins with %s", quoted(con.Ref.String()), quoted(table.String()),
					quoted(strings.Join(names(columns), ", "))),
				Help: "add an index on the foreign key",
			}
			if con.Span.Len() > 0 {
				r.On = con.Span
			}
			if p.CreatedHere(now) {
				r.Fixes = fixes("Add an index", false, indexAfter(p, s, table, columns))
			} else {
				r.Help = "add an index on the foreign key, concurrently, in a migration of its own"
			}
			p.Report(s, r)
		})
	},
}

// newColumns reports whether the statement itself makes all the columns: no
// index can have been there before.
func newColumns(s *analysis.Step, r *schema.Relation, columns []migration.Ident) bool {
	for _, id := range columns {
		c := r.Column(id.Name)
		if c == nil || c.Created == nil || c.Created.Statement != s.Statement {
			return false
		}
	}
	return true
}

// indexed reports whether an index serves a search for values of the columns.
func indexed(r *schema.Relation, columns []string) bool {
	for _, i := range r.Indexes {
		if len(i.Keys) == 0 || !slices.Contains(columns, i.Keys[0].Column) {
			continue
		}
		if i.Where != "" && !slices.ContainsFunc(columns, func(c string) bool { return isNotNull(strings.ToLower(i.Where), c) }) {
			continue
		}
		switch i.Method {
		case "brin", "gin", "gist", "spgist":
			continue
		}
		return true
	}
	return false
}

func indexAfter(p *analysis.Pass, s *analysis.Step, table migration.Name, columns []migration.Ident) change {
	return func() ([]source.Edit, error) {
		if s.Inner || p.Migration.Editor == nil {
			return nil, migration.ErrNotExpressible
		}
		cols := make([]string, len(columns))
		for i, c := range columns {
			cols[i] = schema.Quote(c.Name)
		}
		name := schema.Quote(table.Name)
		if table.Schema != "" {
			name = schema.Quote(table.Schema) + "." + name
		}
		sql := "CREATE INDEX ON " + name + " (" + strings.Join(cols, ", ") + ")"
		return p.Migration.Editor.IndexAfter(p.Migration, s.Statement, table, names(columns), sql)
	}
}
