package rules

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
)

// ban-char-field reports columns of the type char(n).
//
// char(n) fills every value up with spaces to n characters, and forgets the
// spaces again in comparisons but not everywhere: LIKE and regular expressions
// see them. It is no faster than text and takes more room. A bare char is
// char(1).
//
// # Bad: sql
//
//	CREATE TABLE countries (code char(2) PRIMARY KEY);
//
// # Good: sql
//
//	CREATE TABLE countries (code text PRIMARY KEY CHECK (length(code) = 2));
//
// # Bad: ecto
//
//	create table(:countries) do
//	  add :code, :char, size: 2
//	end
//
// # Good: ecto
//
//	create table(:countries) do
//	  add :code, :string, size: 2
//	end
//
// # Exceptions
//
// The type "char" in double quotes, which is PostgreSQL's own one-byte type.
var banCharField = &analysis.Rule{
	ID:       "ban-char-field",
	Summary:  "a char(n) column fills its values up with spaces",
	Severity: analysis.Hint,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"squawk/ban-char-field", "pgls/banCharField", "pgfence/ban-char-field"},
	On:       definesColumns,
	Op: func(p *analysis.Pass, s *analysis.Step) {
		for _, c := range typedColumns(s) {
			if c.typ.Name != "char" || strings.Contains(c.typ.Span.Of(s.Statement.SQL), `"`) {
				continue
			}
			n := "1"
			if len(c.typ.Args) > 0 {
				n = c.typ.Args[0]
			}
			to := rewording{charSQL, "varchar(" + n + ")$1"}
			if strings.HasPrefix(strings.ToLower(c.typ.Span.Of(s.Statement.SQL)), "bpchar") && len(c.typ.Args) == 0 {
				n, to.to = "", "text$1"
			}
			p.Report(s, analysis.Report{
				On:      c.at(),
				Message: fmt.Sprintf("%s is filled up with spaces to %s, which some comparisons see and some do not", c.String(), plural(n, "character")),
				Help:    "use text or varchar, with a check constraint for the length",
				Fixes:   fixes("Use varchar", false, retype(s, &c, to, rewording{charEcto, ":string"})),
			})
		}
	},
}

func plural(n, what string) string {
	switch n {
	case "":
		return "its length"
	case "1":
		return n + " " + what
	}
	return n + " " + what + "s"
}

var (
	charSQL  = regex.MustCompile(`(?i)\b(?:national\s+)?(?:character|bpchar|nchar|char)(?:\s*\(\d+\))?((?:\s*\[\d*\])*)$`)
	charEcto = regex.MustCompile(`:char\b`)
)
