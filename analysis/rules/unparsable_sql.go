package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// unparsable-sql reports statements that PostgreSQL's grammar does not know.
//
// The server will refuse the statement, and the migration stops there. No other
// rule can judge it.
//
// # Bad: ecto
//
//	execute "CREATE TABEL orders (id bigint)", "DROP TABLE orders"
//
// # Good: ecto
//
//	execute "CREATE TABLE orders (id bigint)", "DROP TABLE orders"
//
// # Bad: sql
//
//	CREATE TABEL orders (id bigint);
//
// # Good: sql
//
//	CREATE TABLE orders (id bigint);
//
// # Exceptions
//
// Statements with parts that cannot be told, such as an interpolation, are only
// hinted at: the unknown part may make them whole. So are statements whose
// nesting or chains of operators are too deep to be read safely. Statements with
// a variable of a template ({{ .Schema }}, ${schema}) or of psql (:schema) are
// left alone: what is sent is not what stands there.
var unparsableSQL = &analysis.Rule{
	ID:       "unparsable-sql",
	Summary:  "PostgreSQL does not understand a statement",
	Severity: analysis.Error,
	Default:  true,
	Down:     true,
	Aliases:  []string{"squawk/syntax-error"},
	Body: func(p *analysis.Pass) {
		for _, u := range p.Body.Units {
			for _, s := range u.Statements {
				if s.Opaque != "" || s.Command != nil && s.Command.Name != "execute" {
					continue
				}
				if s.Parse().Opaque == migration.TooComplex {
					p.Report(&analysis.Step{Unit: u, Statement: s}, analysis.Report{
						Severity: analysis.Hint,
						Message:  "this statement is too complex to read: no other rule looks at it",
						Help:     "shorten its chains of operators or its nesting, if they were not meant",
					})
					continue
				}
				err := s.Parse().Err
				if err == nil {
					tooNew(p, u, s)
					continue
				}
				if filledIn.MatchString(s.SQL) {
					continue
				}
				r := analysis.Report{Message: "PostgreSQL refuses this statement: " + err.Message, Help: "correct the SQL"}
				if len(s.Unknown) > 0 {
					r.Severity = analysis.Hint
				}
				step := &analysis.Step{Unit: u, Statement: s}
				place := p.Place(step, source.Span{})
				if at := s.Where(err.At()).Start; at > place.Start && at <= place.End {
					place.End = wordEnd(p, s, at)
				}
				p.ReportAt(s.Path, place, r)
			}
		}
	},
}

// tooNew reports what the configured version of PostgreSQL does not know yet,
// though the grammar that reads it does.
func tooNew(p *analysis.Pass, u *migration.Unit, s *migration.Statement) {
	if v := p.Settings.PostgresVersion; v == 0 || v >= 14 {
		return
	}
	for _, op := range s.Ops() {
		if t, ok := op.(*migration.CreateTrigger); ok && t.Replace {
			p.Report(&analysis.Step{Unit: u, Statement: s, Op: op}, analysis.Report{
				Message: fmt.Sprintf("PostgreSQL %d refuses this statement: CREATE OR REPLACE TRIGGER came with PostgreSQL 14", p.Settings.PostgresVersion),
				Help:    "write DROP TRIGGER IF EXISTS and CREATE TRIGGER",
			})
		}
	}
}

// filledIn is a part that some program fills in before the statement is sent.
// psql's variables must not be taken for a cast (::) or a slice (a[1:n]).
var filledIn = regex.MustCompile(`\{\{.*?\}\}|\$\{[^}]*\}|(?:^|[\s(,.=])(?::[a-zA-Z_]\w*|:'[a-zA-Z_]\w*'|:"[a-zA-Z_]\w*")`)

// wordEnd is the end of the word at an offset of a statement's file.
func wordEnd(p *analysis.Pass, s *migration.Statement, at int) int {
	f := p.Migration.File(s.Path)
	if f == nil {
		return at
	}
	end := at
	for end < len(f.Text) && (f.Text[end] == '_' || f.Text[end] >= '0' && f.Text[end] <= '9' || f.Text[end]|0x20 >= 'a' && f.Text[end]|0x20 <= 'z') {
		end++
	}
	return end
}
