package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
)

// prefer-text-field reports columns of the type varchar(n).
//
// text and varchar(n) are kept alike and are equally fast. To make n smaller
// later PostgreSQL reads or rewrites the whole table under an ACCESS EXCLUSIVE
// lock; the limit of a check constraint can be changed without. Ecto's :string
// is varchar(255).
//
// # Bad: sql
//
//	CREATE TABLE users (id bigint PRIMARY KEY, email varchar(100));
//
// # Good: sql
//
//	CREATE TABLE users (id bigint PRIMARY KEY, email text CHECK (length(email) <= 100));
//
// # Bad: ecto
//
//	create table(:users) do
//	  add :email, :string
//	end
//
// # Good: ecto
//
//	create table(:users) do
//	  add :email, :text
//	end
//
// # Exceptions
//
// varchar without a length, and temporary tables.
var preferTextField = &analysis.Rule{
	ID:       "prefer-text-field",
	Summary:  "a varchar's limit is hard to change",
	Severity: analysis.Hint,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"squawk/prefer-text-field", "pgls/preferTextField", "pgfence/prefer-text-field"},
	On:       definesColumns,
	Op: func(p *analysis.Pass, s *analysis.Step) {
		for _, c := range typedColumns(s) {
			if c.typ.Name != "varchar" || len(c.typ.Args) == 0 {
				continue
			}
			ecto := rewording{stringEcto, ":text"}
			if sub := analysis.SubCommand(s.Statement, c.Span); sub != nil && sub.Option("size") != nil {
				ecto.to = "" // :text takes no size
			}
			p.Report(s, analysis.Report{
				On:      c.at(),
				Message: fmt.Sprintf("a smaller limit of %s than %s characters will need a lock while every row is read", c.String(), c.typ.Args[0]),
				Help:    "use text, with a check constraint for the length where it matters",
				Fixes:   fixes("Use text", false, retype(s, &c, rewording{varcharSQL, "text$1"}, ecto)),
			})
		}
	},
}

var (
	varcharSQL = regex.MustCompile(`(?i)\b(?:varchar|character\s+varying|char\s+varying)\s*\(\s*\d+\s*\)((?:\s*\[\d*\])*)$`)
	stringEcto = regex.MustCompile(`:string\b`)
)
