package rules

import (
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/migration"
)

// sql-string-interpolation reports SQL that is put together from parts that
// are not quoted.
//
// A name or value that holds a quote, a space or a capital letter makes other
// SQL than was meant, and if it comes from outside, whatever its author wants.
// And nobody, ddlsp included, can tell before it runs what it does. Quote names
// with quote_ident or %I, values with quote_literal or %L, or give values to
// EXECUTE with USING.
//
// # Bad: ecto
//
//	def up do
//	  execute "CREATE INDEX orders_state ON #{Shop.Tenants.main()}.orders (state)"
//	end
//
//	def down do
//	  :ok
//	end
//
// # Good: ecto
//
//	def up do
//	  for schema <- ~w(eu us) do
//	    execute "CREATE INDEX orders_state ON #{schema}.orders (state)"
//	  end
//	end
//
//	def down do
//	  :ok
//	end
//
// # Bad: sql
//
//	DO $$
//	DECLARE t text;
//	BEGIN
//	  FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'audit' LOOP
//	    EXECUTE 'ANALYZE audit.' || t;
//	  END LOOP;
//	END $$;
//
// # Good: sql
//
//	DO $$
//	DECLARE t text;
//	BEGIN
//	  FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'audit' LOOP
//	    EXECUTE format('ANALYZE audit.%I', t);
//	  END LOOP;
//	END $$;
//
// # Exceptions
//
// Interpolations whose value is known: module attributes, prefix(), lists that
// are written out.
var sqlStringInterpolation = &analysis.Rule{
	ID:       "sql-string-interpolation",
	Summary:  "SQL is put together from unquoted parts",
	Severity: analysis.Hint,
	Default:  true,
	Body: func(p *analysis.Pass) {
		for _, st := range p.Body.Statements() {
			if st.Opaque != "" || len(st.Unknown) == 0 || st.Command == nil || st.Command.Name != "execute" && st.Command.Name != "repo" {
				continue
			}
			f := p.Migration.File(st.Path)
			for _, u := range st.Unknown {
				at := st.Where(u)
				if f != nil && at.End <= len(f.Text) && ownConstant.MatchString(at.Of(f.Text)) {
					continue
				}
				p.ReportAt(st.Path, at, analysis.Report{
					Message: "a quote, a space or a capital letter in this makes other SQL than is meant, and what it does cannot be checked: its value is not known here",
					Help:    "write the values out, quote names and values, or give values to the query as parameters",
				})
				break
			}
		}
		for i := range p.Steps {
			s := &p.Steps[i]
			do, ok := s.Op.(*migration.Do)
			if !ok {
				continue
			}
			for _, e := range do.Computed {
				if unquotedPart(e.SQL) {
					p.ReportAt(s.Statement.Path, s.Statement.Where(e.Span), analysis.Report{
						Message: "a quote, a space or a capital letter in a part of this makes other SQL than is meant: the parts are not quoted",
						Help:    "use format with %I for names and %L for values, or EXECUTE ... USING",
					})
				}
			}
		}
	},
}

var (
	// ownConstant is an interpolated module attribute or prefix(), whatever its
	// value is.
	ownConstant = regex.MustCompile(`^\s*(#\{)?\s*(@\w+|prefix\(\))\s*\}?\s*$`)

	formatCall   = regex.MustCompile(`(?is)^\s*format\s*\(\s*'((?:[^']|'')*)'\s*,`)
	formatPlain  = regex.MustCompile(`%(\d+\$)?-?\d*s`)
	sqlLiteral   = regex.MustCompile(`(?is)(e|u&)?'(?:[^']|'')*'|\$\w*\$.*?\$\w*\$`)
	quotedByCall = regex.MustCompile(`(?is)^\(*\s*(pg_catalog\.)?(quote_ident|quote_literal|quote_nullable|format|chr|pg_get_\w+|to_regclass)\s*\(`)
	plainOperand = regex.MustCompile(`(?is)^(''|[\d.\s+*/()-]*|.*::\s*(regclass|regtype|regproc|regprocedure|regrole|regnamespace|oid|int|integer|bigint))(::text)?$`)
)

// unquotedPart reports whether an expression of EXECUTE surely puts something
// unquoted into its SQL: %s of format, or an operand of || that nothing quotes.
// A variable alone may hold anything.
func unquotedPart(expr string) bool {
	if m := formatCall.FindStringSubmatch(expr); m != nil {
		return formatPlain.MatchString(strings.ReplaceAll(m[1], "%%", ""))
	}
	expr = sqlLiteral.ReplaceAllString(expr, "''")
	parts, depth, from := []string(nil), 0, 0
	for i := 0; i < len(expr); i++ {
		switch expr[i] {
		case '(', '[':
			depth++
		case ')', ']':
			depth--
		case '|':
			if depth == 0 && strings.HasPrefix(expr[i:], "||") {
				parts = append(parts, expr[from:i])
				i++
				from = i + 1
			}
		}
	}
	if from == 0 {
		return false
	}
	for _, part := range append(parts, expr[from:]) {
		part = strings.TrimSpace(part)
		if !quotedByCall.MatchString(part) && !plainOperand.MatchString(part) {
			return true
		}
	}
	return false
}
