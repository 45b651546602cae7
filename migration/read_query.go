package migration

import (
	"strings"

	"github.com/ddlsp/ddlsp/internal/pgparse"
	"github.com/ddlsp/ddlsp/internal/source"
)

// query reads a SELECT: what it calls may change the schema (TimescaleDB's API
// is functions), and its WITH may write.
func (r *reader) query(s *pgparse.SelectStmt) {
	if s.IntoClause != nil {
		rel := s.IntoClause.Rel
		r.add(&CreateTable{Table: r.relation(rel), Temp: rel.GetRelpersistence() == "t", Unlogged: rel.GetRelpersistence() == "u", AsQuery: true})
		return
	}
	for _, n := range s.GetWithClause().GetCtes() {
		if q := n.GetCommonTableExpr().GetCtequery(); q != nil && q.GetSelectStmt() == nil {
			r.dispatch(q)
		}
	}
	var calls []Call
	for _, n := range s.TargetList {
		if f := funcCall(n.GetResTarget().GetVal()); f != nil {
			calls = append(calls, r.call(f))
		}
	}
	for _, n := range s.FromClause {
		for _, item := range n.GetRangeFunction().GetFunctions() {
			for _, x := range item.GetList().GetItems() {
				if f := x.GetFuncCall(); f != nil {
					calls = append(calls, r.call(f))
				}
			}
		}
	}
	known := false
	for _, c := range calls {
		if op := meaning(c); op != nil {
			r.add(op)
			known = true
		}
	}
	if !known {
		op := &Query{Calls: calls, Point: s.LimitCount != nil || len(equals(s.WhereClause)) > 0}
		op.From, _ = r.reads(&pgparse.Node{Node: &pgparse.Node_SelectStmt{SelectStmt: s}})
		r.add(op)
	}
}

// equals are the columns that a condition, or one of its parts joined by AND,
// holds equal to a constant or to one of a list of constants.
func equals(n *pgparse.Node) []string {
	if b := n.GetBoolExpr(); b != nil {
		var out []string
		if b.Boolop.String() == "AND_EXPR" {
			for _, a := range b.Args {
				out = append(out, equals(a)...)
			}
		}
		return out
	}
	e := n.GetAExpr()
	if e == nil || len(e.Name) != 1 || e.Name[0].GetString_().GetSval() != "=" {
		return nil
	}
	column := func(n *pgparse.Node) string {
		fields := n.GetColumnRef().GetFields()
		if len(fields) == 0 {
			return ""
		}
		return fields[len(fields)-1].GetString_().GetSval()
	}
	fixed := func(n *pgparse.Node) bool {
		if l := n.GetList(); l != nil {
			for _, x := range l.Items {
				if _, ok := constant(x); !ok {
					return false
				}
			}
			return true
		}
		_, ok := constant(n)
		return ok
	}
	if c := column(e.Lexpr); c != "" && fixed(e.Rexpr) {
		return []string{c}
	}
	if c := column(e.Rexpr); c != "" && fixed(e.Lexpr) {
		return []string{c}
	}
	return nil
}

// funcCall looks through casts: SELECT create_hypertable(...)::text.
func funcCall(n *pgparse.Node) *pgparse.FuncCall {
	for n.GetTypeCast() != nil {
		n = n.GetTypeCast().Arg
	}
	if n.GetAIndirection() != nil { // (create_hypertable(...)).hypertable_id
		n = n.GetAIndirection().Arg
	}
	return n.GetFuncCall()
}

func (r *reader) call(f *pgparse.FuncCall) Call {
	at := int(f.Location)
	c := Call{Function: r.qualified(f.Funcname, r.tok(at))}
	c.Function.Name = strings.ToLower(c.Function.Name)
	inside := r.parens(r.tok(at))
	c.Span = source.Span{Start: at, End: min(inside.End+1, len(r.sql))}
	i := r.tok(inside.Start)
	for _, n := range f.Args {
		a := Arg{Span: r.list(i)}
		value := a.Span
		if named := n.GetNamedArgExpr(); named != nil {
			a.Name = strings.ToLower(named.Name)
			n = named.Arg
			if i+2 < len(r.toks) {
				value.Start = r.toks[i+2].Start // name => value
			}
		}
		a.Value = value.Of(r.sql)
		if v, ok := constant(n); ok {
			a.Literal = &v
		}
		if g := funcCall(n); g != nil {
			inner := r.call(g)
			a.Call = &inner
		}
		c.Args = append(c.Args, a)
		i = r.tok(a.Span.End) + 1
	}
	return c
}

// Arg returns the argument that is named so, or that stands at the 0-based
// position among the unnamed ones; nil when it is not given.
func (c Call) Arg(name string, position int) *Arg {
	for i := range c.Args {
		a := &c.Args[i]
		if a.Name == name || a.Name == "" && i == position {
			return a
		}
	}
	return nil
}

func (a *Arg) text() string {
	if a == nil || a.Literal == nil {
		return ""
	}
	return *a.Literal
}

// RegClass reads a relation name as PostgreSQL reads the text of a regclass.
func RegClass(text string) Name {
	toks := pgparse.Tokens(text)
	var parts []string
	for _, t := range toks {
		s := t.Of(text)
		switch t.Kind {
		case pgparse.Word:
			parts = append(parts, strings.ToLower(s))
		case pgparse.Quoted:
			parts = append(parts, strings.ReplaceAll(strings.Trim(s, `"`), `""`, `"`))
		}
	}
	switch len(parts) {
	case 0:
		return Name{Name: text}
	case 1:
		return Name{Name: parts[0]}
	}
	return Name{Schema: parts[len(parts)-2], Name: parts[len(parts)-1]}
}

func (a *Arg) relation() Name {
	if a == nil || a.Literal == nil {
		return Name{}
	}
	n := RegClass(*a.Literal)
	n.Span = a.Span
	return n
}

// meaning reads the function calls that change the schema or the session; nil
// for every other.
func meaning(c Call) Op {
	switch c.Function.Name {
	case "create_hypertable", "create_distributed_hypertable":
		return hypertable(c)
	case "add_dimension":
		d := &AddDimension{Table: c.Arg("hypertable", 0).relation(), Span: c.Span}
		col := c.Arg("dimension", 1)
		if col != nil && col.Call != nil {
			d.Column = col.Call.Arg("column_name", 0).text()
		} else {
			d.Column = c.Arg("column_name", 1).text()
		}
		return d
	case "set_config":
		if len(c.Args) == 3 {
			return &Set{Name: strings.ToLower(c.Args[0].text()), Value: c.Args[1].text(), Local: truth(c.Args[2].text()), Span: c.Args[1].Span, Call: true}
		}
	}
	if kind, remove, ok := policyKind(c.Function.Name); ok {
		p := &Policy{Kind: kind, Remove: remove, Call: c}
		if len(c.Args) > 0 {
			p.Relation = c.Args[0].relation()
		}
		return p
	}
	return nil
}

func policyKind(function string) (kind string, remove, ok bool) {
	name, found := strings.CutSuffix(function, "_policy")
	if !found {
		return "", false, false
	}
	verb, kind, found := strings.Cut(name, "_")
	if !found || verb != "add" && verb != "remove" {
		return "", false, false
	}
	switch kind {
	case "compression", "columnstore":
		kind = "compression"
	case "continuous_aggregate":
		kind = "refresh"
	case "retention", "reorder":
	default:
		return "", false, false
	}
	return kind, verb == "remove", true
}

// hypertable reads both forms of create_hypertable: (relation, time column,
// partitioning column, partitions, schema, prefix, interval, default indexes,
// if not exists, function, migrate data, ...) and, since 2.13, (relation,
// dimension, default indexes, if not exists, migrate data).
func hypertable(c Call) Op {
	h := &CreateHypertable{DefaultIndexes: true, Span: c.Span, Table: c.Arg("relation", 0).relation(), Call: &c}
	defaults, exists, migrate := 7, 8, 10
	dimension := c.Arg("dimension", 1)
	if dimension != nil && dimension.Call != nil {
		defaults, exists, migrate = 2, 3, 4
		d := dimension.Call
		h.TimeColumn = d.Arg("column_name", 0).text()
		if a := d.Arg("partition_interval", 1); a != nil {
			h.ChunkInterval = a.Value
		}
	} else {
		h.TimeColumn = c.Arg("time_column_name", 1).text()
		if p := c.Arg("partitioning_column", 2).text(); p != "" {
			h.Partition = append(h.Partition, p)
		}
		if a := c.Arg("chunk_time_interval", 6); a != nil {
			h.ChunkInterval = a.Value
		}
	}
	if a := c.Arg("create_default_indexes", defaults); a != nil && a.Literal != nil && !truth(*a.Literal) {
		h.DefaultIndexes, h.Flag = false, a.Span
	}
	h.IfNotExists = truth(c.Arg("if_not_exists", exists).text())
	h.MigrateData = truth(c.Arg("migrate_data", migrate).text())
	return h
}
