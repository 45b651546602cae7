package ecto

import (
	"github.com/ddlsp/ddlsp/migration/ecto/internal/syntax"
)

// A matching is the outcome of a pattern match.
type matching int

const (
	mismatch matching = iota
	matches
	// undecided: it rests on a value that is not known.
	undecided
)

func (e *evaluator) matchAll(patterns []*syntax.Node, args []value, s *scope) matching {
	result := matches
	for i, p := range patterns {
		switch e.match(p, args[i], s) {
		case mismatch:
			return mismatch
		case undecided:
			result = undecided
		}
	}
	return result
}

// match binds the variables of a pattern to the parts of v.
func (e *evaluator) match(p *syntax.Node, v value, s *scope) matching {
	e.step()
	switch p.Kind {
	case syntax.Identifier:
		name := e.of(p)
		if name != "_" {
			s.set(name, v)
		}
		return matches
	case syntax.Binary:
		switch p.Op {
		case "=":
			if m := e.match(p.Kids[0], v, s); m != matches {
				return m
			}
			return e.match(p.Kids[1], v, s)
		case "\\\\":
			return e.match(p.Kids[0], v, s)
		}
	case syntax.Unary:
		if p.Op == "^" {
			return e.sameAs(e.eval(p.Kids[0], s), v)
		}
		return e.sameAs(e.eval(p, s), v)
	case syntax.Tuple:
		if v.isUnknown() {
			return e.bindUnknown(p, v, s)
		}
		t, ok := v.data.(*tuple)
		if !ok || len(t.items) != len(p.Kids) {
			return mismatch
		}
		return e.matchAll(p.Kids, t.items, s)
	case syntax.List:
		if v.isUnknown() {
			return e.bindUnknown(p, v, s)
		}
		items, ok := v.list()
		if !ok {
			return mismatch
		}
		return e.matchList(p, items, v, s)
	case syntax.Keywords:
		return e.matchList(&syntax.Node{Kind: syntax.List, Span: p.Span, Kids: []*syntax.Node{p}}, listItems(v), v, s)
	case syntax.Map:
		if v.isUnknown() {
			return e.bindUnknown(p, v, s)
		}
		return e.matchMap(p, v, s)
	case syntax.Atom, syntax.QuotedAtom, syntax.String, syntax.Charlist, syntax.Integer, syntax.Float, syntax.Char, syntax.Boolean, syntax.Nil, syntax.Alias, syntax.Sigil:
		return e.sameAs(e.eval(p, s), v)
	}
	return undecided
}

func listItems(v value) []value { items, _ := v.list(); return items }

func (e *evaluator) sameAs(want, v value) matching {
	if !want.known() || !v.known() {
		return undecided
	}
	if equal(want, v) {
		return matches
	}
	return mismatch
}

// bindUnknown binds every variable of p to the unknown v.
func (e *evaluator) bindUnknown(p *syntax.Node, v value, s *scope) matching {
	if p.Kind == syntax.Identifier {
		s.set(e.of(p), v)
	}
	for _, k := range p.Kids {
		e.bindUnknown(k, v, s)
	}
	return undecided
}

func (e *evaluator) matchList(p *syntax.Node, items []value, v value, s *scope) matching {
	result := matches
	note := func(m matching) bool {
		if m == undecided {
			result = undecided
		}
		return m != mismatch
	}
	i := 0
	for _, k := range p.Kids {
		switch {
		case k.Kind == syntax.Keywords:
			for _, pair := range k.Kids {
				if i >= len(items) || len(pair.Kids) != 2 {
					return mismatch
				}
				t, ok := items[i].data.(*tuple)
				if !ok || len(t.items) != 2 || !equal(e.key(pair.Kids[0], s), t.items[0]) {
					return mismatch
				}
				if !note(e.match(pair.Kids[1], t.items[1], s)) {
					return mismatch
				}
				i++
			}
		case k.Kind == syntax.Binary && k.Op == "|":
			if i >= len(items) || !note(e.match(k.Kids[0], items[i], s)) {
				return mismatch
			}
			if !note(e.match(k.Kids[1], newList(items[i+1:], v.span), s)) {
				return mismatch
			}
			return result
		default:
			if i >= len(items) || !note(e.match(k, items[i], s)) {
				return mismatch
			}
			i++
		}
	}
	if i != len(items) {
		return mismatch
	}
	return result
}

func (e *evaluator) matchMap(p *syntax.Node, v value, s *scope) matching {
	m, ok := v.data.(*mapping)
	if !ok {
		return mismatch
	}
	content := p.Kid(syntax.MapContent)
	if content == nil {
		return matches
	}
	result := matches
	one := func(key value, pattern *syntax.Node) bool {
		got, ok := m.get(key)
		if !ok {
			return false
		}
		switch e.match(pattern, got, s) {
		case mismatch:
			return false
		case undecided:
			result = undecided
		}
		return true
	}
	for _, k := range content.Kids {
		switch {
		case k.Kind == syntax.Keywords:
			for _, pair := range k.Kids {
				if len(pair.Kids) != 2 || !one(e.key(pair.Kids[0], s), pair.Kids[1]) {
					return mismatch
				}
			}
		case k.Kind == syntax.Binary && k.Op == "=>":
			if !one(e.eval(k.Kids[0], s), k.Kids[1]) {
				return mismatch
			}
		default:
			return undecided
		}
	}
	return result
}
