package rules

import (
	"fmt"
	"slices"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// unique-index-on-existing-data reports unique indexes of tables that hold rows
// already.
//
// The build fails at the first two rows that are equal, which a test database
// seldom has. A concurrent build that fails leaves an invalid index behind,
// which every write maintains. Look for duplicates first, and remove them in a
// migration of its own.
//
// # Bad: sql
//
//	CREATE UNIQUE INDEX CONCURRENTLY users_email ON users (email);
//
// # Good: sql
//
//	DELETE FROM users u USING users o WHERE u.email = o.email AND u.id > o.id;
//	CREATE UNIQUE INDEX users_email ON users (email);
//
// # Bad: ecto
//
//	@disable_ddl_transaction true
//	@disable_migration_lock true
//
//	def change do
//	  create unique_index(:users, [:email], concurrently: true)
//	end
//
// # Good: ecto
//
//	create table(:users) do
//	  add :email, :text
//	end
//
//	create unique_index(:users, [:email])
//
// # Exceptions
//
// Tables and columns that the same migration creates, and tables whose rows it
// deletes or updates before; columns of which some are unique already. A build
// that blocks writes is left to require-concurrent-index-creation where that
// rule runs.
var uniqueIndexOnExistingData = &analysis.Rule{
	ID:       "unique-index-on-existing-data",
	Summary:  "a unique index fails when existing rows are equal",
	Severity: analysis.Info,
	Aliases:  []string{"atlas/MF101", "atlas/MF102"},
	On:       []migration.Op{(*migration.CreateIndex)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.CreateIndex)
		if !op.Unique || !p.Existing(s, op.Table) || cleanedBefore(p, s, op.Table) || builtAnew(p, s, op) || uniqueAlready(s, op) {
			return
		}
		if slices.ContainsFunc(op.Keys, func(k migration.IndexKey) bool {
			return k.Column.Name != "" && columnMadeHere(p, s, op.Table, k.Column.Name)
		}) {
			return
		}
		m := fmt.Sprintf("this fails if two rows of %s are equal in these columns", quoted(op.Table.String()))
		if op.Concurrently {
			m += ", and leaves an invalid index behind"
		}
		p.Report(s, analysis.Report{
			On:      op.Table.Span,
			Message: m,
			Help:    "look for duplicates first, and remove them in a migration of its own",
		})
	},
}

// cleanedBefore reports whether an earlier step of the direction deletes or
// updates rows of the table.
func cleanedBefore(p *analysis.Pass, s *analysis.Step, table migration.Name) bool {
	type key struct{}
	first := p.Once(key{}, func() any {
		out := map[schema.Ref]int{}
		for i := range p.Steps {
			w, ok := p.Steps[i].Op.(*migration.Write)
			if !ok || w.Verb == "insert" || w.Verb == "copy" {
				continue
			}
			for _, n := range append([]migration.Name{w.Table}, w.Tables...) {
				if _, seen := out[schema.RefOf(n)]; !seen {
					out[schema.RefOf(n)] = i
				}
			}
		}
		return out
	}).(map[schema.Ref]int)
	at, ok := first[schema.RefOf(table)]
	return ok && at < stepIndex(p)[s]
}

// uniqueAlready reports whether another index already keeps some of the columns
// unique.
func uniqueAlready(s *analysis.Step, op *migration.CreateIndex) bool {
	r := s.Before.Relation(op.Table)
	if r == nil || op.NullsNotDistinct {
		return false
	}
	var columns []string
	for _, k := range op.Keys {
		if k.Expr == nil {
			columns = append(columns, k.Column.Name)
		}
	}
	return slices.ContainsFunc(r.Indexes, func(i *schema.Index) bool {
		return i.Unique && i.Where == "" && len(i.Keys) > 0 && !slices.ContainsFunc(i.ColumnKeys(), func(c string) bool { return !slices.Contains(columns, c) })
	})
}
