package migration

import (
	"strings"

	"github.com/ddlsp/ddlsp/internal/pgparse"
	"github.com/ddlsp/ddlsp/internal/source"
)

// readSimple reads the statements that migrations hold most of - DROP, CREATE
// INDEX on plain columns, the short commands of ALTER TABLE - from their tokens
// alone: PostgreSQL's parser needs ten times as long to hand its tree over. It
// knows less than the grammar and answers nil for whatever it does not know
// for sure; what it answers is what the tree would have said, which a test
// compares.
func readSimple(sql string, toks []pgparse.Token) []Op {
	if n := len(toks); n > 0 && toks[n-1].IsPunct(sql, ';') {
		toks = toks[:n-1]
	}
	s := simple{sql: sql, toks: toks}
	var ops []Op
	switch {
	case s.is("drop"):
		ops = s.drop()
	case s.is("create"):
		ops = s.createIndex()
	case s.is("alter"):
		ops = s.alterTable()
	}
	if s.bad || s.at != len(s.toks) {
		return nil
	}
	return ops
}

// simple reads tokens one after the other. After the first that it does not
// know it is bad, and what it read means nothing.
type simple struct {
	sql  string
	toks []pgparse.Token
	at   int
	bad  bool
}

// is steps over words if they are the next ones.
func (s *simple) is(words ...string) bool {
	if s.at+len(words) > len(s.toks) {
		return false
	}
	for i, w := range words {
		if !s.toks[s.at+i].Is(s.sql, w) {
			return false
		}
	}
	s.at += len(words)
	return true
}

func (s *simple) punct(c byte) bool {
	if s.at < len(s.toks) && s.toks[s.at].IsPunct(s.sql, c) {
		s.at++
		return true
	}
	return false
}

// ident reads an identifier that can only be one.
func (s *simple) ident() Ident {
	if s.at >= len(s.toks) {
		s.bad = true
		return Ident{}
	}
	t := s.toks[s.at]
	text := t.Of(s.sql)
	s.at++
	switch {
	case t.Open || len(text) > maxIdent || !ascii(text):
	case t.Kind == pgparse.Word:
		if name := strings.ToLower(text); !notNames[name] {
			return Ident{name, t.Span}
		}
	case t.Kind == pgparse.Quoted && len(text) > 2 && text[0] == '"' && !strings.Contains(text[1:len(text)-1], `"`):
		return Ident{text[1 : len(text)-1], t.Span}
	}
	s.bad = true
	return Ident{}
}

// maxIdent is how long an identifier may be before PostgreSQL cuts it.
const maxIdent = 63

func ascii(text string) bool {
	for i := range len(text) {
		if text[i] >= 0x80 {
			return false
		}
	}
	return true
}

// name reads a name with or without a schema.
func (s *simple) name() Name {
	first := s.ident()
	if !s.punct('.') {
		return Name{Name: first.Name, Span: first.Span}
	}
	last := s.ident()
	if first.Name == last.Name { // which is which is told by the tree
		s.bad = true
	}
	return Name{Schema: first.Name, Name: last.Name, Span: source.Span{Start: first.Span.Start, End: last.Span.End}}
}

func (s *simple) names() []Name {
	var out []Name
	for {
		n := s.name()
		for _, o := range out {
			if o.Name == n.Name || o.Schema == n.Name || o.Name == n.Schema {
				s.bad = true
			}
		}
		out = append(out, n)
		if s.bad || !s.punct(',') {
			return out
		}
	}
}

func (s *simple) ifExists() bool { return s.is("if", "exists") }

func (s *simple) cascade() bool {
	return s.is("cascade") || s.is("restrict") && false
}

func (s *simple) drop() []Op {
	for _, kind := range []string{"table", "view", "sequence", "type", "materialized view"} {
		if s.is(strings.Fields(kind)...) {
			op := &Drop{Kind: kind, IfExists: s.ifExists(), Names: s.names()}
			op.Cascade = s.cascade()
			return []Op{op}
		}
	}
	for _, kind := range []string{"trigger", "policy"} {
		if s.is(kind) {
			op := &Drop{Kind: kind, IfExists: s.ifExists()}
			n := s.ident()
			op.Names = []Name{{Name: n.Name, Span: n.Span}}
			if !s.is("on") {
				return nil
			}
			op.Table = s.name()
			if op.Table.Name == n.Name || op.Table.Schema == n.Name {
				return nil
			}
			op.Cascade = s.cascade()
			return []Op{op}
		}
	}
	at := s.at
	if s.is("index") {
		op := &DropIndex{Keyword: s.toks[at].Span, Concurrently: s.is("concurrently"), IfExists: s.ifExists(), Indexes: s.names()}
		op.Cascade = s.cascade()
		return []Op{op}
	}
	return nil
}

func (s *simple) createIndex() []Op {
	op := &CreateIndex{Unique: s.is("unique"), Method: "btree"}
	at := s.at
	if !s.is("index") {
		return nil
	}
	op.Keyword = s.toks[at].Span
	op.Concurrently = s.is("concurrently")
	op.IfNotExists = s.is("if", "not", "exists")
	if !s.is("on") {
		n := s.ident()
		op.Index = Name{Name: n.Name, Span: n.Span}
		if !s.is("on") {
			return nil
		}
	} else if op.IfNotExists {
		return nil
	}
	op.Only = s.is("only")
	op.Table = s.name()
	if s.is("using") {
		op.Method = s.ident().Name
	}
	if !s.punct('(') {
		return nil
	}
	op.KeySpan.Start = s.toks[s.at-1].End
	for !s.bad {
		k := IndexKey{Column: s.ident()}
		k.Span = k.Column.Span
		if s.is("desc") {
			k.Desc = true
			k.Span.End = s.toks[s.at-1].End
		} else if s.is("asc") {
			k.Span.End = s.toks[s.at-1].End
		}
		op.Keys = append(op.Keys, k)
		if !s.punct(',') {
			break
		}
	}
	if s.bad || !s.punct(')') {
		return nil
	}
	op.KeySpan.End = s.toks[s.at-1].Start
	return []Op{op}
}

func (s *simple) alterTable() []Op {
	if !s.is("table") {
		return nil
	}
	s.ifExists()
	s.is("only")
	table := s.name()
	var ops []Op
	for !s.bad {
		op := s.alterCommand(table)
		if op == nil {
			return nil
		}
		ops = append(ops, op)
		if !s.punct(',') {
			break
		}
	}
	return ops
}

func (s *simple) alterCommand(table Name) Op {
	switch {
	case s.is("drop", "column"):
		op := &DropColumn{Table: table, IfExists: s.ifExists(), Column: s.ident()}
		op.Cascade = s.cascade()
		return op
	case s.is("drop", "constraint"):
		op := &DropConstraint{Table: table, IfExists: s.ifExists(), Constraint: s.ident()}
		op.Cascade = s.cascade()
		return op
	case s.is("validate", "constraint"):
		return &ValidateConstraint{Table: table, Constraint: s.ident()}
	case s.is("alter", "column"):
		column := s.ident()
		switch {
		case s.is("set", "not", "null"):
			return &SetNotNull{Table: table, Column: column}
		case s.is("drop", "not", "null"):
			return &SetNotNull{Table: table, Column: column, Drop: true}
		case s.is("drop", "default"):
			return &SetDefault{Table: table, Column: column}
		}
	}
	return nil
}

// notNames are the words that cannot name a table or column without quotes, and
// those that could be taken for a part of a statement.
var notNames = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(`
		all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation
		column concurrently constraint create cross current_catalog current_date current_role current_schema current_time
		current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze
		from full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit
		localtime localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references
		returning right select session_user similar some symmetric system_user table tablesample then to trailing true
		union unique user using variadic verbose when where window with
		alter cascade drop exists if include index materialized nulls policy restrict sequence set trigger
		validate view`) {
		m[w] = true
	}
	return m
}()
