package migration

import (
	"strconv"
	"strings"

	"github.com/ddlsp/ddlsp/internal/pgparse"
	"github.com/ddlsp/ddlsp/internal/source"
)

func itoa(n int) string { return strconv.Itoa(n) }

// constant returns the value of a literal, casts of one included, as a person
// writes it without quotes. NULL is the empty text.
func constant(n *pgparse.Node) (string, bool) {
	switch {
	case n == nil:
		return "", false
	case n.GetTypeCast() != nil:
		return constant(n.GetTypeCast().Arg)
	case n.GetAConst() != nil:
		c := n.GetAConst()
		switch {
		case c.Isnull:
			return "", true
		case c.GetSval() != nil:
			return c.GetSval().Sval, true
		case c.GetFval() != nil:
			return c.GetFval().Fval, true
		case c.GetBoolval() != nil:
			return strconv.FormatBool(c.GetBoolval().Boolval), true
		case c.GetBsval() != nil:
			return c.GetBsval().Bsval, true
		default:
			return itoa(int(c.GetIval().GetIval())), true
		}
	case n.GetAExpr() != nil: // -1
		e := n.GetAExpr()
		if e.Lexpr == nil && len(e.Name) == 1 && e.Name[0].GetString_().GetSval() == "-" {
			if v, ok := constant(e.Rexpr); ok {
				return "-" + v, true
			}
		}
	case n.GetAArrayExpr() != nil:
		for _, e := range n.GetAArrayExpr().Elements {
			if _, ok := constant(e); !ok {
				return "", false
			}
		}
		return "array", true
	}
	return "", false
}

// expr describes an expression that stands at span.
func (r *reader) expr(n *pgparse.Node, span source.Span) *Expr {
	if n == nil {
		return nil
	}
	e := &Expr{SQL: span.Of(r.sql), Span: span}
	_, e.Constant = constant(n)
	if c := n.GetAConst(); c != nil && c.Isnull {
		e.Null = true
	} else if t := n.GetTypeCast(); t != nil && t.Arg.GetAConst() != nil && t.Arg.GetAConst().Isnull {
		e.Null = true
	}
	pgparse.Walk(n, func(n *pgparse.Node) bool {
		switch {
		case n.GetFuncCall() != nil:
			e.Functions = append(e.Functions, functionName(n.GetFuncCall().Funcname))
		case n.GetSqlvalueFunction() != nil:
			name := n.GetSqlvalueFunction().Op.String()
			e.Functions = append(e.Functions, strings.TrimSuffix(strings.ToLower(strings.TrimPrefix(name, "SVFOP_")), "_n"))
		}
		return true
	})
	return e
}

func functionName(parts []*pgparse.Node) string {
	names := stringsOf(parts)
	if len(names) > 1 && names[0] == "pg_catalog" {
		names = names[1:]
	}
	return strings.ToLower(strings.Join(names, "."))
}

// clauseWords end the expression of a DEFAULT in a column definition.
var clauseWords = map[string]bool{
	"not": true, "null": true, "constraint": true, "primary": true, "unique": true, "check": true,
	"references": true, "generated": true, "collate": true, "deferrable": true, "initially": true, "default": true,
}

// exprSpan is the place of an expression that starts at token i inside an
// element that ends at end; clause words end it too.
func (r *reader) exprSpan(i, end int, clauses bool) source.Span {
	if i >= len(r.toks) {
		return source.Span{Start: end, End: end}
	}
	s := r.toks[i].Span
	depth := 0
	for first := true; i < len(r.toks) && r.toks[i].Start < end; i++ {
		t := r.toks[i]
		switch {
		case t.IsPunct(r.sql, '('):
			depth++
		case t.IsPunct(r.sql, ')'):
			depth--
			if depth < 0 {
				return s
			}
		case clauses && depth == 0 && !first && t.Kind == pgparse.Word && clauseWords[strings.ToLower(t.Of(r.sql))]:
			return s
		}
		s.End = t.End
		first = false
	}
	return s
}

// typeNames are the short names of the types that the grammar turns into
// catalog names.
var typeNames = map[string]string{
	"int2": "smallint", "int4": "integer", "int8": "bigint", "float4": "real", "float8": "double precision",
	"bool": "boolean", "bpchar": "char", "decimal": "numeric", "int": "integer",
}

var serials = map[string]string{
	"smallserial": "smallint", "serial2": "smallint", "serial": "integer", "serial4": "integer", "bigserial": "bigint", "serial8": "bigint",
}

var serialNames = map[string]string{"smallint": "smallserial", "integer": "serial", "bigint": "bigserial"}

// typ reads a type name.
func (r *reader) typ(t *pgparse.TypeName) Type {
	if t == nil {
		return Type{}
	}
	names := stringsOf(t.Names)
	if len(names) > 1 && names[0] == "pg_catalog" {
		names = names[1:]
	}
	out := Type{Name: strings.Join(names, "."), Array: len(t.ArrayBounds) > 0}
	if len(names) == 1 {
		if n, ok := typeNames[names[0]]; ok {
			out.Name = n
		}
		if n, ok := serials[names[0]]; ok {
			out.Name, out.Serial = n, serialNames[n]
		}
	}
	if out.Name != "interval" { // its modifiers are bit masks
		for _, m := range t.Typmods {
			if v, ok := constant(m); ok {
				out.Args = append(out.Args, v)
			}
		}
	}
	out.Span = r.typeSpan(int(t.Location))
	return out
}

// typeTails are the words that may follow the first word of a type's name.
var typeTails = map[string]bool{"precision": true, "varying": true, "with": true, "without": true, "time": true, "zone": true, "array": true, "year": true, "month": true, "day": true, "hour": true, "minute": true, "second": true, "to": true}

func (r *reader) typeSpan(offset int) source.Span {
	s := r.dotted(offset)
	i := r.tok(s.End)
	for i < len(r.toks) {
		t := r.toks[i]
		switch {
		case t.Kind == pgparse.Word && typeTails[strings.ToLower(t.Of(r.sql))]:
			s.End = t.End
			i++
		case t.IsPunct(r.sql, '(') || t.IsPunct(r.sql, '['):
			depth := 0
			for ; i < len(r.toks); i++ {
				u := r.toks[i]
				if u.IsPunct(r.sql, '(') || u.IsPunct(r.sql, '[') {
					depth++
				}
				if u.IsPunct(r.sql, ')') || u.IsPunct(r.sql, ']') {
					depth--
				}
				s.End = u.End
				if depth == 0 {
					i++
					break
				}
			}
		default:
			return s
		}
	}
	return s
}
