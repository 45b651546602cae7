package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// full-text-index reports indexes for full-text search that are slow, or that
// miss rows.
//
// A GiST index of documents keeps signatures, which lose information: every
// match must be looked up in the table again. A GIN index finds the rows
// directly and is what PostgreSQL prefers for text search. And NULL swallows
// text: name || ' ' || description is NULL when one of them is, and then the
// row is never found.
//
// # Bad: sql
//
//	CREATE INDEX CONCURRENTLY orders_search ON orders USING gist (to_tsvector('english', state || ' ' || note));
//
// # Good: sql
//
//	CREATE INDEX CONCURRENTLY orders_search ON orders
//	  USING gin (to_tsvector('english', coalesce(state, '') || ' ' || coalesce(note, '')));
//
// # Exceptions
//
// Columns that are NOT NULL. An index that is not only of the document: GIN
// cannot hold every type.
var fullTextIndex = &analysis.Rule{
	ID:       "full-text-index",
	Summary:  "an index for full-text search is slow or misses rows",
	Severity: analysis.Info,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	On:       []migration.Op{(*migration.CreateIndex)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.CreateIndex)
		if len(op.Keys) != 1 || op.Keys[0].Expr == nil || !slices.Contains(op.Keys[0].Expr.Functions, "to_tsvector") || s.Statement.IsUnknown(op.Keys[0].Expr.Span) {
			return
		}
		expr := op.Keys[0].Expr
		if strings.EqualFold(op.Method, "gist") {
			p.Report(s, analysis.Report{
				On:      op.Table.Span,
				Message: "full-text search will be slower than it need be: a GiST index looks every match up in the table again",
				Help:    "build it USING gin",
				Fixes:   fixes("Build it with GIN", false, withGIN(p, s, op)),
			})
		}
		if !strings.Contains(expr.SQL, "||") || slices.Contains(expr.Functions, "coalesce") || slices.Contains(expr.Functions, "concat_ws") {
			return
		}
		r := s.Before.Relation(op.Table)
		if r == nil || !s.Before.Complete(r) || strings.Contains(strings.ToLower(expr.SQL), "coalesce") {
			return
		}
		for _, c := range r.Columns {
			if !c.NotNull && regexp.MustCompile(`\b`+regexp.QuoteMeta(c.Name)+`\b`).MatchString(expr.SQL) {
				p.Report(s, analysis.Report{
					On:      op.KeySpan,
					Message: fmt.Sprintf("rows without %s are never found: NULL makes the whole text NULL", quoted(c.Name)),
					Help:    fmt.Sprintf("write coalesce(%s, '') for each column that may be NULL, in the queries as well", c.Name),
					Fixes:   fixes("Take NULL for no text", false, withCoalesce(p, s, r, expr)),
				})
				return
			}
		}
	},
}

// word is a name in SQL that needs no quotes, or text in quotes.
var word = regex.MustCompile(`'(?:[^']|'')*'|"(?:[^"]|"")*"|[A-Za-z_][A-Za-z0-9_$.]*`)

// withCoalesce takes each text column of an expression that may be NULL for
// empty text.
func withCoalesce(p *analysis.Pass, s *analysis.Step, r *schema.Relation, expr *migration.Expr) change {
	return func() ([]source.Edit, error) {
		if inDSL(s) && s.Statement.Command.Repeated {
			return nil, migration.ErrNotExpressible
		}
		nullable := map[string]bool{}
		for _, c := range r.Columns {
			if !c.NotNull {
				nullable[c.Name] = true
				if t := c.Type.Name; t != "text" && t != "varchar" && t != "citext" {
					nullable[c.Name] = false // '' is no number
				}
			}
		}
		text := expr.Span.Of(s.Statement.SQL)
		var b strings.Builder
		last := 0
		for _, m := range word.FindAllStringIndex(text, -1) {
			if !nullable[strings.ToLower(text[m[0]:m[1]])] {
				continue
			}
			b.WriteString(text[last:m[0]] + "coalesce(" + text[m[0]:m[1]] + ", '')")
			last = m[1]
		}
		if last == 0 {
			return nil, migration.ErrNotExpressible
		}
		return edit(s, expr.Span, b.String()+text[last:])()
	}
}

var usingGist = regex.MustCompile(`(?i)\bUSING\s+(gist)\b`)

// withGIN makes a GiST index a GIN one.
func withGIN(p *analysis.Pass, s *analysis.Step, op *migration.CreateIndex) change {
	return func() ([]source.Edit, error) {
		if len(op.Include) > 0 || op.Keys[0].OpClass != "" {
			return nil, migration.ErrNotExpressible // not in GIN
		}
		if inDSL(s) {
			if p.Migration.Editor == nil || s.Statement.Command.Repeated {
				return nil, migration.ErrNotExpressible
			}
			return p.Migration.Editor.SetOption(p.Migration, s.Statement.Command, "using", ":gin")
		}
		m := usingGist.FindStringSubmatchIndex(s.Statement.SQL[:max(op.KeySpan.Start, 0)])
		if m == nil {
			return nil, migration.ErrNotExpressible
		}
		return edit(s, source.Span{Start: m[2], End: m[3]}, "gin")()
	}
}
