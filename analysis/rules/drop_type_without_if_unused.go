package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// drop-type-without-if-unused reports types that are dropped while a column is
// of that type.
//
// DROP TYPE and DROP DOMAIN fail as long as a column uses the type. Drop the
// column, or change its type, before. (In a down the rule down-wrong-order says
// so.)
//
// # Bad: sql
//
//	-- 001_mood.up.sql --
//	CREATE TYPE mood AS ENUM ('good');
//	CREATE TABLE users (id bigint PRIMARY KEY, mood mood);
//	-- 002_no_mood.up.sql --
//	DROP TYPE mood;
//	ALTER TABLE users DROP COLUMN mood;
//
// # Good: sql
//
//	-- 001_mood.up.sql --
//	CREATE TYPE mood AS ENUM ('good');
//	CREATE TABLE users (id bigint PRIMARY KEY, mood mood);
//	-- 002_no_mood.up.sql --
//	ALTER TABLE users DROP COLUMN mood;
//	DROP TYPE mood;
//
// # Bad: ecto
//
//	def up do
//	  execute("CREATE TYPE mood AS ENUM ('good')")
//
//	  create table(:users) do
//	    add :mood, :mood
//	  end
//
//	  execute("DROP TYPE mood")
//	end
//
//	def down do
//	  drop table(:users)
//	end
//
// # Exceptions
//
// DROP TYPE ... CASCADE, which drops the columns.
var dropTypeWithoutIfUnused = &analysis.Rule{
	ID:       "drop-type-without-if-unused",
	Summary:  "a type is dropped that a column still uses",
	Severity: analysis.Error,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	On:       []migration.Op{(*migration.Drop)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.Drop)
		if p.Direction != migration.Up || op.Cascade || op.Kind != "type" && op.Kind != "domain" {
			return
		}
		for _, n := range op.Names {
			ref := schema.RefOf(n)
			user, what := userOf(s.Before, op, ref)
			if user == (schema.Ref{}) || !s.Before.Certain(s.Before.Lookup(user)) {
				continue
			}
			r := analysis.Report{
				On:      n.Span,
				Message: fmt.Sprintf("dropping the type %s fails: %s is of that type", quoted(ref.String()), what),
				Help:    "drop the column first, or give it another type",
			}
			if !s.Inner {
				r.Fixes = dropLater(p, s, op, ref)
			}
			p.Report(s, r)
			return
		}
	},
}
