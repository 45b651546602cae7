package migration

import (
	"strings"

	"github.com/ddlsp/ddlsp/internal/pgparse"
	"github.com/ddlsp/ddlsp/internal/source"
)

// The grammar that reads SQL is PostgreSQL 16's. Statements that only 17 and
// 18 accept are no errors.

// A newerSyntax is a place where a newer form was replaced by one of the same
// length that the older grammar knows.
type newerSyntax struct {
	at source.Span
	// column is set for a named NOT NULL constraint, which is read as a CHECK.
	column string
}

// mend gives an operation that was read from the replaced text its true
// meaning.
func (n newerSyntax) mend(op Op) {
	fix := func(c *Constraint) {
		if n.column == "" || c.Expr == nil || c.Span.Start > n.at.Start || n.at.End > c.Span.End {
			return
		}
		c.Kind, c.Expr = NotNullCon, nil
		c.Columns = []Ident{{Name: n.column, Span: n.at}}
	}
	switch op := op.(type) {
	case *AddConstraint:
		fix(&op.Constraint)
	case *CreateTable:
		for i := range op.Constraints {
			fix(&op.Constraints[i])
		}
	}
}

// substituteNewer replaces the newer forms that can be written in an older one
// of the same length; nil when there are none.
func substituteNewer(sql string) (string, []newerSyntax) {
	toks := pgparse.Tokens(sql)
	text := []byte(sql)
	var found []newerSyntax
	blank := func(s source.Span) {
		for i := s.Start; i < s.End; i++ {
			text[i] = ' '
		}
	}
	is := func(i int, words ...string) bool {
		if i+len(words) > len(toks) {
			return false
		}
		for k, w := range words {
			if !toks[i+k].Is(sql, w) {
				return false
			}
		}
		return true
	}
	for i := range toks {
		switch {
		case is(i, "virtual"): // GENERATED ALWAYS AS (...) VIRTUAL, 18
			copy(text[toks[i].Start:], "STORED ")
			found = append(found, newerSyntax{at: toks[i].Span})
		case is(i, "not", "enforced"): // 18
			s := toks[i].Union(toks[i+1].Span)
			blank(s)
			found = append(found, newerSyntax{at: s})
		case is(i, "enforced") && (i == 0 || !toks[i-1].Is(sql, "not")):
			blank(toks[i].Span)
			found = append(found, newerSyntax{at: toks[i].Span})
		case is(i, "constraint") && is(i+2, "not", "null") && i+4 < len(toks) && (toks[i+4].Kind == pgparse.Word || toks[i+4].Kind == pgparse.Quoted):
			// CONSTRAINT n NOT NULL c, 18, read as CHECK (c).
			s := toks[i+2].Union(toks[i+4].Span)
			name := toks[i+4].Of(sql)
			blank(s)
			copy(text[s.Start:], "CHECK("+name)
			text[s.End-1] = ')'
			column := strings.ToLower(name)
			if toks[i+4].Kind == pgparse.Quoted {
				column = strings.Trim(name, `"`)
			}
			found = append(found, newerSyntax{at: s, column: column})
		case is(i, "without", "overlaps"): // 18
			s := toks[i].Union(toks[i+1].Span)
			blank(s)
			found = append(found, newerSyntax{at: s})
		}
	}
	return string(text), found
}

// newerOnly names the newer form that a text which the grammar refused uses,
// or is empty when it uses none.
func newerOnly(sql string) string {
	words := make([]string, 0, 16)
	for _, t := range pgparse.Tokens(sql) {
		if t.Kind == pgparse.Word {
			words = append(words, strings.ToLower(t.Of(sql)))
		}
	}
	text := " " + strings.Join(words, " ") + " "
	for _, f := range []struct{ words, name string }{
		{" not matched by source ", "MERGE ... WHEN NOT MATCHED BY SOURCE of PostgreSQL 17"},
		{" not matched by target ", "MERGE ... WHEN NOT MATCHED BY TARGET of PostgreSQL 17"},
		{" set expression ", "ALTER COLUMN ... SET EXPRESSION of PostgreSQL 17"},
		{" json_table ", "JSON_TABLE of PostgreSQL 17"},
		{" without overlaps ", "WITHOUT OVERLAPS of PostgreSQL 18"},
		{" period ", "PERIOD foreign keys of PostgreSQL 18"},
		{" not enforced ", "NOT ENFORCED of PostgreSQL 18"},
		{" virtual ", "virtual generated columns of PostgreSQL 18"},
		{" json_exists ", "JSON_EXISTS of PostgreSQL 17"},
		{" json_query ", "JSON_QUERY of PostgreSQL 17"},
		{" json_value ", "JSON_VALUE of PostgreSQL 17"},
		{" split partition ", "SPLIT PARTITION of PostgreSQL 19"},
		{" merge partitions ", "MERGE PARTITIONS of PostgreSQL 19"},
	} {
		if strings.Contains(text, f.words) {
			return f.name
		}
	}
	if strings.HasPrefix(text, " merge into ") && strings.Contains(text, " returning ") {
		return "MERGE ... RETURNING of PostgreSQL 17"
	}
	return ""
}
