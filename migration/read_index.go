package migration

import (
	"strings"

	"github.com/ddlsp/ddlsp/internal/pgparse"
	"github.com/ddlsp/ddlsp/internal/source"
)

func (r *reader) createIndex(s *pgparse.IndexStmt) {
	op := &CreateIndex{
		Table:            r.relation(s.Relation),
		Unique:           s.Unique,
		Concurrently:     s.Concurrent,
		IfNotExists:      s.IfNotExists,
		Only:             s.Relation != nil && !s.Relation.Inh,
		Method:           s.AccessMethod,
		NullsNotDistinct: s.NullsNotDistinct,
		Options:          r.options(s.Options),
	}
	word := r.word(r.from, "index")
	if word >= 0 {
		op.Keyword = r.toks[word].Span
	}
	if s.Idxname != "" {
		op.Index = Name{Name: s.Idxname, Span: r.find(word+1, s.Idxname)}
	}
	after := r.tok(op.Table.Span.End)
	op.KeySpan = r.parens(after)
	i := r.tok(op.KeySpan.Start)
	for _, n := range s.IndexParams {
		e := n.GetIndexElem()
		if e == nil {
			continue
		}
		k := IndexKey{Span: r.list(i), Desc: e.Ordering.String() == "SORTBY_DESC", OpClass: strings.Join(stringsOf(e.Opclass), "."), Collation: strings.Join(stringsOf(e.Collation), ".")}
		switch e.NullsOrdering.String() {
		case "SORTBY_NULLS_FIRST":
			k.Nulls = "first"
		case "SORTBY_NULLS_LAST":
			k.Nulls = "last"
		}
		if e.Name != "" {
			k.Column = Ident{e.Name, r.find(i, e.Name)}
		} else {
			k.Expr = r.expr(e.Expr, k.Span)
		}
		op.Keys = append(op.Keys, k)
		i = r.tok(k.Span.End) + 1
	}
	rest := r.tok(op.KeySpan.End)
	for _, n := range s.IndexIncludingParams {
		if e := n.GetIndexElem(); e != nil {
			op.Include = append(op.Include, Ident{e.Name, r.find(rest, e.Name)})
		}
	}
	if s.WhereClause != nil {
		if w := r.word(rest, "where"); w >= 0 {
			op.Where = r.expr(s.WhereClause, r.exprSpan(w+1, r.end(w), false))
		}
	}
	r.add(op)
}

// end is where the statement that holds token i ends.
func (r *reader) end(i int) int {
	depth := 0
	last := 0
	for ; i < len(r.toks); i++ {
		t := r.toks[i]
		if t.IsPunct(r.sql, '(') {
			depth++
		}
		if t.IsPunct(r.sql, ')') {
			depth--
		}
		if depth == 0 && t.IsPunct(r.sql, ';') {
			break
		}
		last = t.End
	}
	return last
}

func (r *reader) drop(s *pgparse.DropStmt) {
	k := kind(s.RemoveType)
	cascade := s.Behavior.String() == "DROP_CASCADE"
	i := r.from + 1 + len(strings.Fields(k)) // after DROP and the kind
	if k == "index" {
		op := &DropIndex{Concurrently: s.Concurrent, IfExists: s.MissingOk, Cascade: cascade}
		if w := r.word(r.from, "index"); w >= 0 {
			op.Keyword = r.toks[w].Span
			i = w + 1
		}
		if s.Concurrent {
			i++
		}
		if s.MissingOk {
			i += 2
		}
		for _, n := range s.Objects {
			name := r.object(n, i)
			op.Indexes = append(op.Indexes, name)
			i = r.after(name.Span, i)
		}
		r.add(op)
		return
	}
	if s.MissingOk {
		i += 2
	}
	op := &Drop{Kind: k, IfExists: s.MissingOk, Cascade: cascade}
	for _, n := range s.Objects {
		switch k {
		case "trigger", "policy", "rule": // the list is the table and then the name
			parts := n.GetList().GetItems()
			names := stringsOf(parts)
			if len(names) < 2 {
				continue
			}
			last := names[len(names)-1]
			op.Names = append(op.Names, Name{Name: last, Span: r.find(i, last)})
			on := max(r.word(i, "on"), 0)
			op.Table = r.qualified(parts[:len(parts)-1], on+1)
		default:
			name := r.object(n, i)
			op.Names = append(op.Names, name)
			i = r.after(name.Span, i)
		}
	}
	r.add(op)
}

func (r *reader) after(s source.Span, i int) int {
	if s == (source.Span{}) {
		return i
	}
	return r.tok(s.End)
}

func (r *reader) reindex(s *pgparse.ReindexStmt) {
	op := &Reindex{Kind: strings.ToLower(strings.TrimPrefix(s.Kind.String(), "REINDEX_OBJECT_"))}
	if s.Relation != nil {
		op.Object = r.relation(s.Relation)
	} else if s.Name != "" {
		op.Object = Name{Name: s.Name, Span: r.find(r.from+2, s.Name)}
	}
	for _, n := range s.Params {
		if d := n.GetDefElem(); d != nil && d.Defname == "concurrently" {
			op.Concurrently = d.Arg == nil || truth(defValue(d.Arg))
		}
	}
	r.add(op)
}
