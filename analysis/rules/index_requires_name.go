package rules

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// index-requires-name reports indexes whose name is left to chance.
//
// PostgreSQL names an index after its columns, and puts "expr" where a column
// is an expression; a condition is not in the name, and neither is one in the
// name that Ecto chooses. Two such indexes get the same name or a number behind
// it, and nobody can tell from the name what to drop. An unnamed index that is
// built concurrently and fails comes again under another name on the next try.
//
// # Bad: sql
//
//	CREATE TABLE users (email text);
//	CREATE INDEX ON users (lower(email));
//
// # Good: sql
//
//	CREATE TABLE users (email text);
//	CREATE INDEX users_lower_email ON users (lower(email));
//
// # Bad: ecto
//
//	create table(:users) do
//	  add :email, :text
//	end
//
//	create index(:users, ["lower(email)"])
//
// # Good: ecto
//
//	create table(:users) do
//	  add :email, :text
//	end
//
//	create index(:users, ["lower(email)"], name: :users_lower_email)
//
// # Exceptions
//
// Indexes of plain columns without a condition, which are not built
// concurrently. A build that blocks writes is left to
// require-concurrent-index-creation where that rule runs.
var indexRequiresName = &analysis.Rule{
	ID:       "index-requires-name",
	Summary:  "the name of an index is left to chance",
	Severity: analysis.Hint,
	Fix:      analysis.UnsafeFix,
	On:       []migration.Op{(*migration.CreateIndex)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.CreateIndex)
		if builtAnew(p, s, op) {
			return
		}
		plain := op.Where == nil
		for _, k := range op.Keys {
			plain = plain && k.Expr == nil
		}
		what := "an expression"
		switch {
		case inDSL(s):
			if s.Statement.Command.Option("name") != nil || plain {
				return
			}
		case !op.Index.IsZero() || plain && !op.Concurrently:
			return
		}
		if op.Where != nil {
			what = "a condition"
		}
		m := fmt.Sprintf("nobody can tell this index of %s from others by its name: it has %s and no name of its own", quoted(op.Table.String()), what)
		if plain {
			m = fmt.Sprintf("when this build fails, the next one makes a second index of %s: it has no name", quoted(op.Table.String()))
		}
		p.Report(s, analysis.Report{
			On:      op.Table.Span,
			Message: m,
			Help:    "give it a name",
			Fixes:   fixes("Give it a name", false, nameIndex(p, s, op)),
		})
	},
}

var nameWord = regex.MustCompile(`[a-z_][a-z0-9_]*`)

// nameIndex writes a name made of the table, the keys and the condition.
func nameIndex(p *analysis.Pass, s *analysis.Step, op *migration.CreateIndex) change {
	return func() ([]source.Edit, error) {
		parts := []string{op.Table.Name}
		for _, k := range op.Keys {
			if k.Expr == nil {
				parts = append(parts, k.Column.Name)
				continue
			}
			parts = append(parts, nameWord.FindAllString(strings.ToLower(stringLiterals.ReplaceAllString(k.Expr.SQL, "")), -1)...)
		}
		if op.Where != nil {
			parts = append(parts, "where")
			parts = append(parts, nameWord.FindAllString(strings.ToLower(op.Where.SQL), -1)...)
		}
		name := strings.Join(append(parts, "idx"), "_")
		if len(name) > 63 || s.Inner {
			return nil, migration.ErrNotExpressible
		}
		if i, _ := s.Before.Index(migration.Name{Schema: op.Table.Schema, Name: name}); i != nil {
			return nil, migration.ErrNotExpressible
		}
		if inDSL(s) {
			if p.Migration.Editor == nil || !nameWord.MatchString(name) || nameWord.FindString(name) != name {
				return nil, migration.ErrNotExpressible
			}
			return p.Migration.Editor.SetOption(p.Migration, s.Statement.Command, "name", ":"+name)
		}
		at := op.Keyword.End
		if span, ok := concurrentlySpan(s.Statement.SQL, op.Keyword); ok {
			at = span.End
		}
		return edit(s, source.Span{Start: at, End: at}, " "+schema.Quote(name))()
	}
}
