package ecto

import (
	"math/big"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration/ecto/internal/syntax"
)

// binary evaluates an operator with two operands.
func (e *evaluator) binary(n *syntax.Node, s *scope) value {
	if len(n.Kids) != 2 {
		return e.notKnown(n, true, "has a syntax error")
	}
	left, right := n.Kids[0], n.Kids[1]
	switch n.Op {
	case "|>":
		return e.pipe(n, left, right, s)
	case "=":
		before := e.effects
		v := e.eval(right, s)
		e.settle(right, v, before)
		if u, ok := v.data.(unknown); ok {
			// What is bound to it later has no effect of its own.
			v = value{unknown{reason: u.reason, variable: u.variable}, v.span}
		}
		if e.match(left, v, s) == mismatch && v.known() {
			throw("MatchError", "no match of right hand side value: "+inspect(v), n.Span)
		}
		return v
	case "&&", "and":
		l := e.eval(left, s)
		if l.isUnknown() {
			return e.notKnown(n, true, "depends on a value that is not known")
		}
		if !l.truthy() {
			return l
		}
		return e.eval(right, s)
	case "||", "or":
		l := e.eval(left, s)
		if l.isUnknown() {
			return e.notKnown(n, false, "depends on a value that is not known")
		}
		if l.truthy() {
			return l
		}
		r := e.eval(right, s)
		if u, ok := r.data.(unknown); ok && e.config && u.variable == "" {
			if m := environmentCall.FindStringSubmatch(e.of(left)); m != nil {
				u.variable = m[1]
				r.data = u
			}
		}
		return r
	case "::", "when", "<-", "->", "|", "\\\\", "=>":
		return e.notKnown(n, true, "uses the operator %s in a way that is not understood", n.Op)
	}
	l, r := e.eval(left, s), e.eval(right, s)
	if u, ok := l.data.(unknown); ok {
		return value{unknown{reason: u.reason}, n.Span}
	}
	if u, ok := r.data.(unknown); ok {
		return value{unknown{reason: u.reason}, n.Span}
	}
	if v, ok := e.operate(n.Op, l, r, n); ok {
		return v
	}
	return e.notKnown(n, false, "uses the operator %s in a way that is not understood", n.Op)
}

func (e *evaluator) operate(op string, l, r value, n *syntax.Node) (value, bool) {
	switch op {
	case "<>":
		a, ok := l.data.(*text)
		b, ok2 := r.data.(*text)
		if ok && ok2 {
			return value{concat(a, b), n.Span}, true
		}
	case "++":
		a, ok := l.list()
		b, ok2 := r.list()
		if ok && ok2 && len(a)+len(b) <= maxItems {
			return newList(append(append(make([]value, 0, len(a)+len(b)), a...), b...), n.Span), true
		}
	case "--":
		a, ok := l.list()
		b, ok2 := r.list()
		if ok && ok2 && len(a)*len(b) < maxSteps {
			out := append([]value(nil), a...)
			for _, x := range b {
				for i, y := range out {
					if equal(x, y) {
						out = append(out[:i], out[i+1:]...)
						break
					}
				}
			}
			return newList(out, n.Span), true
		}
	case "..":
		a, ok := l.int()
		b, ok2 := r.int()
		if ok && ok2 {
			step := int64(1)
			if a > b {
				step = -1
			}
			return value{&rangeValue{a, b, step}, n.Span}, true
		}
	case "//":
		a, ok := l.data.(*rangeValue)
		b, ok2 := r.int()
		if ok && ok2 && b != 0 {
			return value{&rangeValue{a.first, a.last, b}, n.Span}, true
		}
	}
	if !l.known() || !r.known() {
		return value{}, false
	}
	switch op {
	case "==":
		return boolean(compare(l, r) == 0, n.Span), true
	case "!=":
		return boolean(compare(l, r) != 0, n.Span), true
	case "===":
		return boolean(equal(l, r), n.Span), true
	case "!==":
		return boolean(!equal(l, r), n.Span), true
	case "<":
		return boolean(compare(l, r) < 0, n.Span), true
	case "<=":
		return boolean(compare(l, r) <= 0, n.Span), true
	case ">":
		return boolean(compare(l, r) > 0, n.Span), true
	case ">=":
		return boolean(compare(l, r) >= 0, n.Span), true
	case "in", "not in":
		items, ok := e.enumerate(r)
		if !ok {
			return value{}, false
		}
		found := false
		for _, it := range items {
			if compare(it, l) == 0 {
				found = true
			}
		}
		return boolean(found == (op == "in"), n.Span), true
	case "+", "-", "*", "/":
		return arithmetic(op, l, r, n.Span)
	}
	return value{}, false
}

func concat(a, b *text) *text {
	var out source.Builder
	out.Append(a.Fragment)
	out.Append(b.Fragment)
	t := &text{Fragment: out.Fragment(), quote: a.quote}
	t.unknown = append(t.unknown, a.unknown...)
	for _, u := range b.unknown {
		t.unknown = append(t.unknown, u.Shift(len(a.Text)))
	}
	if len(t.Text) > maxBytes {
		panic(&tooMuch{"builds a text that is too long"})
	}
	return t
}

func arithmetic(op string, l, r value, span source.Span) (value, bool) {
	a, ok := l.data.(*big.Int)
	b, ok2 := r.data.(*big.Int)
	if ok && ok2 {
		if a.BitLen()+b.BitLen() > 4096 {
			panic(&tooMuch{"computes a number that is too large"})
		}
		switch op {
		case "+":
			return value{new(big.Int).Add(a, b), span}, true
		case "-":
			return value{new(big.Int).Sub(a, b), span}, true
		case "*":
			return value{new(big.Int).Mul(a, b), span}, true
		}
	}
	x, ok := number(l)
	y, ok2 := number(r)
	if !ok || !ok2 {
		return value{}, false
	}
	switch op {
	case "+":
		return value{x + y, span}, true
	case "-":
		return value{x - y, span}, true
	case "*":
		return value{x * y, span}, true
	}
	if y == 0 {
		throw("ArithmeticError", "bad argument in arithmetic expression", span)
	}
	return value{x / y, span}, true
}

func number(v value) (float64, bool) {
	switch d := v.data.(type) {
	case float64:
		return d, true
	case *big.Int:
		f, _ := new(big.Float).SetInt(d).Float64()
		return f, true
	}
	return 0, false
}

// pipe evaluates left |> right.
func (e *evaluator) pipe(n, left, right *syntax.Node, s *scope) value {
	before := e.effects
	v := e.eval(left, s)
	e.settle(left, v, before)
	if right.Kind == syntax.Call {
		return e.call(right, s, &v, n)
	}
	if right.Kind == syntax.Identifier { // x |> f without parentheses
		return e.callLocal(&callSite{name: e.of(right), node: right, whole: n, args: []value{v}, scope: s})
	}
	return e.notKnown(n, true, "pipes into something that is not a call")
}
