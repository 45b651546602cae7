package migration

import (
	"strings"

	"github.com/ddlsp/ddlsp/internal/pgparse"
	"github.com/ddlsp/ddlsp/internal/source"
)

func (r *reader) createTable(s *pgparse.CreateStmt) {
	t := &CreateTable{
		Table:       r.relation(s.Relation),
		IfNotExists: s.IfNotExists,
		Temp:        s.Relation.GetRelpersistence() == "t",
		Unlogged:    s.Relation.GetRelpersistence() == "u",
		Options:     r.options(s.Options),
	}
	for _, n := range s.TableElts {
		switch {
		case n.GetColumnDef() != nil:
			t.Columns = append(t.Columns, r.column(n.GetColumnDef()))
		case n.GetConstraint() != nil:
			if c, ok := r.constraint(n.GetConstraint()); ok {
				t.Constraints = append(t.Constraints, c)
			}
		case n.GetTableLikeClause() != nil:
			t.Like = append(t.Like, r.relation(n.GetTableLikeClause().Relation))
		}
	}
	for _, n := range s.InhRelations {
		t.Inherits = append(t.Inherits, r.relation(n.GetRangeVar()))
	}
	if s.Partbound != nil && len(t.Inherits) > 0 {
		t.PartitionOf, t.Inherits = t.Inherits[0], nil
		t.Bound = r.bound(t.PartitionOf.Span.End)
	}
	if p := s.Partspec; p != nil {
		switch p.Strategy {
		case 1:
			t.PartitionBy = "list"
		case 2:
			t.PartitionBy = "range"
		case 3:
			t.PartitionBy = "hash"
		}
		for _, n := range p.PartParams {
			if e := n.GetPartitionElem(); e != nil && e.Name != "" {
				t.PartitionKey = append(t.PartitionKey, Ident{e.Name, r.find(r.tok(int(e.Location)), e.Name)})
			}
		}
	}
	t.Hypertable = hypertableOptions(t)
	r.add(t)
}

// bound is the FOR VALUES or DEFAULT of a partition, the first at or after an
// offset that stands in no parentheses; nil when there is none.
func (r *reader) bound(offset int) *Expr {
	depth := 0
	for i := r.tok(offset); i < len(r.toks); i++ {
		t := r.toks[i]
		span := t.Span
		switch {
		case t.IsPunct(r.sql, '('):
			depth++
			continue
		case t.IsPunct(r.sql, ')'):
			depth--
			continue
		case t.IsPunct(r.sql, ';'):
			return nil
		case depth > 0:
			continue
		case t.Is(r.sql, "default"):
		case t.Is(r.sql, "for"):
			span.End = r.parens(i).End + 1
			// FROM (...) TO (...) has two lists.
			if j := r.tok(span.End); j < len(r.toks) && r.toks[j].Is(r.sql, "to") {
				span.End = r.parens(j).End + 1
			}
			span.End = min(span.End, len(r.sql))
		default:
			continue
		}
		return &Expr{SQL: span.Of(r.sql), Span: span}
	}
	return nil
}

// hypertableOptions reads CREATE TABLE ... WITH (timescaledb.hypertable) of
// TimescaleDB 2.20 and later; tsdb is its short name.
func hypertableOptions(t *CreateTable) *CreateHypertable {
	h := &CreateHypertable{Table: t.Table, DefaultIndexes: true}
	found := false
	for _, o := range t.Options {
		if o.Namespace != "timescaledb" && o.Namespace != "tsdb" {
			continue
		}
		switch o.Name {
		case "hypertable":
			found = o.Value == "" || truth(o.Value)
			h.Span = o.Span
		case "partition_column", "time_column":
			h.TimeColumn = o.Value
		case "create_default_indexes":
			h.DefaultIndexes = o.Value == "" || truth(o.Value)
			h.Flag = o.Span
		case "chunk_interval", "chunk_time_interval":
			h.ChunkInterval = o.Value
		}
	}
	if !found {
		return nil
	}
	if h.TimeColumn == "" { // since 2.23 the first column that can be one
		for _, c := range t.Columns {
			switch c.Type.Name {
			case "timestamptz", "timestamp", "date":
				h.TimeColumn = c.Name
			default:
				continue
			}
			break
		}
	}
	return h
}

func truth(s string) bool {
	switch strings.ToLower(s) {
	case "true", "t", "on", "yes", "1":
		return true
	}
	return false
}

func (r *reader) column(d *pgparse.ColumnDef) Column {
	i := r.tok(int(d.Location))
	def := r.list(i)
	c := Column{Type: r.typ(d.TypeName), Def: def}
	c.Name = d.Colname
	c.Span = r.find(i, d.Colname)
	if d.CollClause != nil {
		c.Collation = strings.Join(stringsOf(d.CollClause.Collname), ".")
	}
	for k, n := range d.Constraints {
		x := n.GetConstraint()
		if x == nil {
			continue
		}
		at := r.tok(int(x.Location))
		switch x.Contype.String() {
		case "CONSTR_NOTNULL":
			c.NotNull = true
		case "CONSTR_NULL":
		case "CONSTR_DEFAULT":
			c.Default = r.expr(x.RawExpr, r.exprSpan(at+1, def.End, true))
		case "CONSTR_IDENTITY":
			c.Identity = "always"
			if x.GeneratedWhen == "d" {
				c.Identity = "by default"
			}
			c.NotNull = true
		case "CONSTR_GENERATED":
			c.Generated = r.expr(x.RawExpr, r.parens(at))
		case "CONSTR_ATTR_DEFERRABLE", "CONSTR_ATTR_DEFERRED":
			if n := len(c.Constraints); n > 0 {
				c.Constraints[n-1].Deferrable = true
			}
		default:
			con, ok := r.constraint(x)
			if !ok {
				continue
			}
			// A column's constraint ends where the next clause starts.
			con.Span.End = def.End
			for _, m := range d.Constraints[k+1:] {
				if y := m.GetConstraint(); y != nil && int(y.Location) > con.Span.Start {
					if j := r.tok(int(y.Location)); j > 0 {
						con.Span.End = r.toks[j-1].End
					}
					break
				}
			}
			if len(con.Columns) == 0 && con.Kind != Check {
				con.Columns = []Ident{c.Ident}
			}
			if con.Kind == PrimaryKey {
				c.NotNull = true
			}
			c.Constraints = append(c.Constraints, con)
		}
	}
	return c
}

var fkActions = map[string]string{"c": "cascade", "r": "restrict", "n": "set null", "d": "set default"}

// constraint reads a table or column constraint; ok is false for what is none
// (DEFAULT, NOT NULL and the like are read with their column).
func (r *reader) constraint(x *pgparse.Constraint) (Constraint, bool) {
	at := r.tok(int(x.Location))
	c := Constraint{Name: x.Conname, Deferrable: x.Deferrable, NotValid: x.SkipValidation, Span: r.list(at)}
	keys := at
	if x.Conname != "" && at < len(r.toks) && r.toks[at].Is(r.sql, "constraint") {
		keys = at + 2
	}
	switch x.Contype.String() {
	case "CONSTR_PRIMARY":
		c.Kind = PrimaryKey
	case "CONSTR_UNIQUE":
		c.Kind = Unique
	case "CONSTR_FOREIGN":
		c.Kind = ForeignKey
		c.Columns = r.idents(x.FkAttrs, keys+2)
		c.Ref = r.relation(x.Pktable)
		c.RefColumns = r.idents(x.PkAttrs, r.tok(c.Ref.Span.End))
		c.OnDelete = fkActions[x.FkDelAction]
		c.OnUpdate = fkActions[x.FkUpdAction]
		return c, true
	case "CONSTR_CHECK":
		c.Kind = Check
		c.NoInherit = x.IsNoInherit
		c.Expr = r.expr(x.RawExpr, r.parens(keys))
		return c, true
	case "CONSTR_EXCLUSION":
		c.Kind = Exclude
		i := keys
		for _, n := range x.Exclusions {
			for _, item := range n.GetList().GetItems() {
				if e := item.GetIndexElem(); e != nil && e.Name != "" {
					span := r.find(i, e.Name)
					c.Columns = append(c.Columns, Ident{e.Name, span})
					if span != (source.Span{}) {
						i = r.tok(span.End)
					}
				}
			}
		}
		return c, true
	default:
		return c, false
	}
	c.UsingIndex = x.Indexname
	c.Columns = r.idents(x.Keys, keys+1)
	c.Include = r.idents(x.Including, r.word(keys, "include"))
	return c, true
}

// createTableAs reads CREATE TABLE AS, SELECT INTO and CREATE MATERIALIZED
// VIEW.
func (r *reader) createTableAs(s *pgparse.CreateTableAsStmt) {
	into := s.Into
	if s.Objtype.String() == "OBJECT_MATVIEW" {
		v := &CreateView{View: r.relation(into.GetRel()), Materialized: true, IfNotExists: s.IfNotExists, NoData: into.GetSkipData(), Options: r.options(into.GetOptions())}
		for _, o := range v.Options {
			if o.Namespace == "timescaledb" && o.Name == "continuous" {
				v.Continuous = o.Value == "" || truth(o.Value)
			}
		}
		v.From, v.GroupBy = r.reads(s.Query)
		v.Uses = r.uses(s.Query, v.From)
		if v.Continuous {
			v.Shape = queryShape(s.Query.GetSelectStmt())
		}
		r.add(v)
		return
	}
	r.add(&CreateTable{
		Table:       r.relation(into.GetRel()),
		IfNotExists: s.IfNotExists,
		Temp:        into.GetRel().GetRelpersistence() == "t",
		Unlogged:    into.GetRel().GetRelpersistence() == "u",
		AsQuery:     true,
		Options:     r.options(into.GetOptions()),
	})
}

func (r *reader) createView(s *pgparse.ViewStmt) {
	v := &CreateView{View: r.relation(s.View), Replace: s.Replace, Temp: s.View.GetRelpersistence() == "t", Options: r.options(s.Options)}
	v.From, v.GroupBy = r.reads(s.Query)
	v.Uses = r.uses(s.Query, v.From)
	r.add(v)
}

// uses lists the columns that a query names. from are the relations it reads.
func (r *reader) uses(q *pgparse.Node, from []Name) []ColumnUse {
	// A name that stands for two things in different parts of the query stands
	// for none here.
	names := map[string]Name{}
	put := func(name string, is Name) {
		if old, ok := names[name]; ok && (old.Schema != is.Schema || old.Name != is.Name) {
			is = Name{}
		}
		names[name] = is
	}
	only := Name{}
	if len(from) == 1 {
		only = from[0]
	}
	pgparse.Walk(q, func(n *pgparse.Node) bool {
		switch {
		case n.GetRangeVar() != nil:
			v := n.GetRangeVar()
			is := r.relation(v)
			for _, f := range from {
				if f.Span == is.Span {
					name := v.Relname
					if a := v.Alias.GetAliasname(); a != "" {
						name = a
					}
					put(name, is)
					return true
				}
			}
			only = Name{} // a common table expression
			name := v.Relname
			if a := v.Alias.GetAliasname(); a != "" {
				name = a
			}
			put(name, Name{})
		case n.GetRangeSubselect() != nil, n.GetRangeFunction() != nil, n.GetRangeTableFunc() != nil:
			only = Name{}
		}
		return true
	})
	var out []ColumnUse
	seen := map[ColumnUse]bool{}
	pgparse.Walk(q, func(n *pgparse.Node) bool {
		c := n.GetColumnRef()
		if c == nil || len(c.Fields) == 0 {
			return true
		}
		use := ColumnUse{Relation: only}
		use.Column = c.Fields[len(c.Fields)-1].GetString_().GetSval()
		if len(c.Fields) > 1 {
			use.Relation = names[c.Fields[len(c.Fields)-2].GetString_().GetSval()]
		}
		if !seen[use] {
			seen[use] = true
			out = append(out, use)
		}
		return true
	})
	return out
}

// reads lists the relations that a query names.
func (r *reader) reads(q *pgparse.Node) (from []Name, group bool) {
	ctes := map[string]bool{}
	pgparse.Walk(q, func(n *pgparse.Node) bool {
		switch {
		case n.GetCommonTableExpr() != nil:
			ctes[n.GetCommonTableExpr().Ctename] = true
		case n.GetSelectStmt() != nil:
			group = group || len(n.GetSelectStmt().GroupClause) > 0
		case n.GetRangeVar() != nil:
			from = append(from, r.relation(n.GetRangeVar()))
		}
		return true
	})
	out := from[:0]
	for _, n := range from {
		if n.Schema == "" && ctes[n.Name] {
			continue
		}
		out = append(out, n)
	}
	return out, group
}
