package ecto

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration/ecto/internal/syntax"
)

// call evaluates a call; piped is the value that |> puts before its
// arguments, whole the expression that the call ends.
func (e *evaluator) call(n *syntax.Node, s *scope, piped *value, whole *syntax.Node) value {
	if len(n.Kids) == 0 {
		return e.notKnown(n, true, "has a syntax error")
	}
	target := n.Kids[0]
	args := n.Kid(syntax.Arguments)
	switch target.Kind {
	case syntax.Identifier:
		name := e.of(target)
		if v, ok := e.special(name, n, args, s, piped); ok {
			return v
		}
		site := &callSite{name: name, node: n, whole: whole, do: n.Kid(syntax.DoBlock), scope: s}
		if site.do == nil && blockFunctions[name] {
			if v := keywordNode(e.text, args, "do"); v != nil {
				site.do = &syntax.Node{Kind: syntax.DoBlock, Span: v.Span, Kids: []*syntax.Node{v}}
			}
		}
		if !e.resolves(name) {
			e.foreign++
			defer func() { e.foreign-- }()
		}
		site.args = e.arguments(args, s, piped, site.do != nil)
		return e.callLocal(site)
	case syntax.Dot:
		return e.dotCall(n, target, args, s, piped)
	}
	return e.notKnown(n, true, "calls something that is not understood")
}

// resolves reports whether a bare name is a function that is known not to be
// a macro of another module.
func (e *evaluator) resolves(name string) bool {
	if dslFunctions[name] || kernelFunctions[name] || e.mod == nil {
		return true
	}
	for _, f := range e.mod.functions {
		if f.name == name {
			return true
		}
	}
	return e.mod.imported() == ""
}

// builtinModules are modules without macros that take unbound variables.
var builtinModules = names("Enum String Keyword Map List Integer Atom Float IO Logger System timer Process Kernel Ecto.Migration")

// blockFunctions are the functions of the DSL that take a do-block.
var blockFunctions = map[string]bool{"create": true, "create_if_not_exists": true, "alter": true}

// arguments evaluates the arguments of a call; trailing pairs are one keyword
// list. skipDo leaves a `do:` pair out.
func (e *evaluator) arguments(args *syntax.Node, s *scope, piped *value, skipDo bool) []value {
	var out []value
	if piped != nil {
		out = append(out, *piped)
	}
	if args == nil {
		return out
	}
	for _, a := range args.Kids {
		if a.Kind == syntax.Keywords {
			if skipDo {
				if v := keywordNode(e.text, args, "do"); v != nil {
					rest := &syntax.Node{Kind: syntax.Keywords, Span: a.Span}
					for _, p := range a.Kids {
						if len(p.Kids) == 2 && p.Kids[1] != v {
							rest.Kids = append(rest.Kids, p)
						}
					}
					if len(rest.Kids) == 0 {
						continue
					}
					a = rest
				}
			}
			out = append(out, newList(e.pairs(a, s), a.Span))
			continue
		}
		out = append(out, e.eval(a, s))
	}
	return out
}

// special evaluates the forms that do not evaluate all their arguments.
func (e *evaluator) special(name string, n, args *syntax.Node, s *scope, piped *value) (value, bool) {
	switch name {
	case "if", "unless":
		return e.ifForm(name == "unless", n, args, s, piped), true
	case "case":
		return e.caseForm(n, args, s, piped), true
	case "cond":
		return e.condForm(n, s), true
	case "for":
		return e.forForm(n, args, s), true
	case "raise", "reraise":
		if e.config {
			return e.notKnown(n, false, "raises an exception"), true
		}
		e.raiseForm(n, args, s)
	case "with":
		return e.withForm(n, args, s), true
	case "try", "receive", "quote", "unquote", "super":
		return e.notKnown(n, true, "uses %s", name), true
	case "alias", "require":
		if e.mod != nil {
			e.mod.declare(e.text, n, nil)
		}
		return value{atomOK, n.Span}, true
	case "import", "use":
		if e.mod != nil {
			e.mod.declare(e.text, n, nil)
		}
		return value{atomOK, n.Span}, true
	case "def", "defp", "defmacro", "defmodule":
		return e.notKnown(n, true, "defines something inside a function"), true
	case "then", "tap":
		if piped != nil && args != nil && len(args.Kids) == 1 {
			v := e.apply(e.eval(args.Kids[0], s), []value{*piped}, n)
			if name == "tap" {
				v = *piped
			}
			return v, true
		}
	case "dbg":
		if piped != nil {
			return *piped, true
		}
	}
	return value{}, false
}

func (e *evaluator) ifForm(negate bool, n, args *syntax.Node, s *scope, piped *value) value {
	var condition value
	switch {
	case piped != nil:
		condition = *piped
	case args != nil && len(args.Kids) > 0:
		condition = e.eval(args.Kids[0], s)
	default:
		return e.notKnown(n, true, "has a syntax error")
	}
	if u, ok := condition.data.(unknown); ok {
		return e.undecided(n, u, func() {
			var yes, no []*syntax.Node
			if do := n.Kid(syntax.DoBlock); do != nil {
				for _, k := range do.Kids {
					if k.Kind == syntax.ElseBlock {
						no = k.Kids
					} else {
						yes = append(yes, k)
					}
				}
			}
			for _, key := range []string{"do", "else"} {
				if b := keywordNode(e.text, args, key); b != nil {
					yes = append(yes, b)
				}
			}
			e.block(yes, s.child())
			e.block(no, s.child())
		})
	}
	yes := condition.truthy() != negate
	if do := n.Kid(syntax.DoBlock); do != nil {
		var body []*syntax.Node
		var other *syntax.Node
		for _, k := range do.Kids {
			if k.Kind == syntax.ElseBlock {
				other = k
				continue
			}
			body = append(body, k)
		}
		if yes {
			return e.block(body, s.child())
		}
		if other != nil {
			return e.block(other.Kids, s.child())
		}
		return value{atomNil, n.Span}
	}
	branch := keywordNode(e.text, args, "do")
	if !yes {
		branch = keywordNode(e.text, args, "else")
	}
	if branch == nil {
		return value{atomNil, n.Span}
	}
	return e.block([]*syntax.Node{branch}, s.child())
}

// A brancher is a dsl that can follow every branch of a choice that is not
// known, as one that may not be taken.
type brancher interface{ branches(run func()) }

// undecided is a choice by a value that is not known. A migration does not go
// on there; the configuration looks at what each branch would set.
func (e *evaluator) undecided(n *syntax.Node, u unknown, branches func()) value {
	b, ok := e.dsl.(brancher)
	if ok {
		b.branches(branches)
	}
	return e.notKnown(n, !ok, "depends on a value that is not known (%s)", u.reason)
}

// anyClause evaluates the bodies of all clauses, the names in their heads
// unknown.
func (e *evaluator) anyClause(clauses []*syntax.Node, s *scope) {
	for _, c := range clauses {
		if c.Kind != syntax.StabClause || len(c.Kids) < 2 {
			continue
		}
		inner := s.child()
		var bind func(n *syntax.Node)
		bind = func(n *syntax.Node) {
			if n.Kind == syntax.Identifier {
				inner.set(e.of(n), value{unknown{reason: "depends on a condition that is not known"}, n.Span})
			}
			for _, k := range n.Kids {
				bind(k)
			}
		}
		bind(c.Kids[0])
		e.block([]*syntax.Node{c.Kids[len(c.Kids)-1]}, inner)
	}
}

func (e *evaluator) caseForm(n, args *syntax.Node, s *scope, piped *value) value {
	var subject value
	switch {
	case piped != nil:
		subject = *piped
	case args != nil && len(args.Kids) > 0:
		subject = e.eval(args.Kids[0], s)
	default:
		return e.notKnown(n, true, "has a syntax error")
	}
	do := n.Kid(syntax.DoBlock)
	if do == nil {
		return e.notKnown(n, true, "has a syntax error")
	}
	if u, ok := subject.data.(unknown); ok {
		return e.undecided(n, u, func() { e.anyClause(do.Kids, s) })
	}
	v, _, ok := e.clauses(do.Kids, []value{subject}, s, n)
	if !ok {
		throw("CaseClauseError", "no case clause matching: "+inspect(subject), n.Span)
	}
	return v
}

func (e *evaluator) condForm(n *syntax.Node, s *scope) value {
	do := n.Kid(syntax.DoBlock)
	if do == nil {
		return e.notKnown(n, true, "has a syntax error")
	}
	for i, c := range do.Kids {
		if c.Kind != syntax.StabClause || len(c.Kids) != 2 {
			continue
		}
		head := flatArguments(c.Kids[0])
		if len(head) != 1 {
			continue
		}
		inner := s.child()
		v := e.eval(head[0], inner)
		if u, ok := v.data.(unknown); ok {
			return e.undecided(n, u, func() { e.anyClause(do.Kids[i:], s) })
		}
		if v.truthy() {
			return e.eval(c.Kids[1], inner)
		}
	}
	throw("CondClauseError", "no cond clause evaluated to a truthy value", n.Span)
	return value{}
}

// forForm evaluates a comprehension over known lists.
func (e *evaluator) forForm(n, args *syntax.Node, s *scope) value {
	if args == nil {
		return e.notKnown(n, true, "has a syntax error")
	}
	var steps []*syntax.Node
	var into, acc value
	var reduces, uniq bool
	for _, a := range args.Kids {
		if a.Kind != syntax.Keywords {
			steps = append(steps, a)
			continue
		}
		if v := keywordNode(e.text, args, "reduce"); v != nil {
			acc = e.eval(v, s)
			reduces = true
		}
		if v := keywordNode(e.text, args, "uniq"); v != nil {
			u := e.eval(v, s)
			if !u.known() {
				return e.notKnown(n, true, "uses a comprehension that is not understood")
			}
			uniq = u.truthy()
		}
		if v := keywordNode(e.text, args, "into"); v != nil {
			into = e.eval(v, s)
		}
	}
	var body []*syntax.Node
	if do := n.Kid(syntax.DoBlock); do != nil {
		body = do.Kids
	} else if v := keywordNode(e.text, args, "do"); v != nil {
		body = []*syntax.Node{v}
	}
	var out []value
	var failed *value
	var run func(i int, s *scope)
	run = func(i int, s *scope) {
		if failed != nil {
			return
		}
		if i == len(steps) && reduces {
			v, _, ok := e.clauses(body, []value{acc}, s.child(), n)
			if !ok {
				throw("CaseClauseError", "no case clause matching: "+inspect(acc), n.Span)
			}
			acc = v
			return
		}
		if i == len(steps) {
			v := e.block(body, s.child())
			if uniq {
				if !v.known() {
					bad := e.notKnown(n, true, "collects values that are not known")
					failed = &bad
					return
				}
				if slices.ContainsFunc(out, func(o value) bool { return equal(o, v) }) {
					return
				}
			}
			out = append(out, v)
			if len(out) > maxItems {
				panic(&tooMuch{"loops too often"})
			}
			return
		}
		step := steps[i]
		if step.Kind != syntax.Binary || step.Op != "<-" || len(step.Kids) != 2 {
			v := e.eval(step, s)
			if u, ok := v.data.(unknown); ok {
				bad := e.notKnown(n, true, "loops by a value that is not known (%s)", u.reason)
				failed = &bad
				return
			}
			if v.truthy() {
				run(i+1, s)
			}
			return
		}
		over := e.eval(step.Kids[1], s)
		items, ok := e.enumerate(over)
		if !ok {
			bad := e.notKnown(n, true, "loops over %s, which is not known,", oneLine(e.of(step.Kids[1])))
			failed = &bad
			return
		}
		pattern, guard := step.Kids[0], (*syntax.Node)(nil)
		if pattern.Kind == syntax.Binary && pattern.Op == "when" && len(pattern.Kids) == 2 {
			pattern, guard = pattern.Kids[0], pattern.Kids[1]
		}
		for _, it := range items {
			e.step()
			inner := s.child()
			switch e.match(pattern, it, inner) {
			case mismatch:
				continue
			case undecided:
				bad := e.notKnown(n, true, "loops over values that are not known")
				failed = &bad
				return
			}
			if guard != nil {
				g := e.eval(guard, inner)
				if g.isUnknown() {
					bad := e.notKnown(n, true, "loops over values that are not known")
					failed = &bad
					return
				}
				if !g.truthy() {
					continue
				}
			}
			run(i+1, inner)
		}
	}
	run(0, s)
	if failed != nil {
		return *failed
	}
	if reduces {
		return acc
	}
	if m, ok := into.data.(*mapping); ok {
		for _, v := range out {
			t, ok := v.data.(*tuple)
			if !ok || len(t.items) != 2 {
				return e.notKnown(n, false, "collects into a map what is no pair")
			}
			m = m.put(t.items[0], t.items[1])
		}
		return value{m, n.Span}
	}
	return newList(out, n.Span)
}

// withForm evaluates with, whose clauses match one after the other; the first
// that does not ends it with its value, or with what the else says of it.
func (e *evaluator) withForm(n, args *syntax.Node, s *scope) value {
	if args == nil {
		return e.notKnown(n, true, "has a syntax error")
	}
	inner := s.child()
	var body, other []*syntax.Node
	if do := n.Kid(syntax.DoBlock); do != nil {
		for _, k := range do.Kids {
			if k.Kind == syntax.ElseBlock {
				other = k.Kids
			} else {
				body = append(body, k)
			}
		}
	} else if v := keywordNode(e.text, args, "do"); v != nil {
		body = []*syntax.Node{v}
		if keywordNode(e.text, args, "else") != nil {
			return e.notKnown(n, true, "uses with in a way that is not understood")
		}
	}
	for _, a := range args.Kids {
		if a.Kind == syntax.Keywords {
			continue
		}
		if a.Kind != syntax.Binary || a.Op != "<-" || len(a.Kids) != 2 {
			before := e.effects
			e.settle(a, e.eval(a, inner), before)
			continue
		}
		v := e.eval(a.Kids[1], inner)
		if u, ok := v.data.(unknown); ok {
			return e.notKnown(n, true, "depends on a value that is not known (%s)", u.reason)
		}
		pattern, guard := a.Kids[0], (*syntax.Node)(nil)
		if pattern.Kind == syntax.Binary && pattern.Op == "when" && len(pattern.Kids) == 2 {
			pattern, guard = pattern.Kids[0], pattern.Kids[1]
		}
		bound := inner.child()
		result := e.match(pattern, v, bound)
		if result == matches && guard != nil {
			switch g := e.eval(guard, bound); {
			case g.isUnknown():
				result = undecided
			case !g.truthy():
				result = mismatch
			}
		}
		switch result {
		case undecided:
			return e.notKnown(n, true, "depends on a value that is not known")
		case mismatch:
			if other == nil {
				return v
			}
			out, _, ok := e.clauses(other, []value{v}, s, n)
			if !ok {
				throw("WithClauseError", "no with clause matching: "+inspect(v), n.Span)
			}
			return out
		}
		inner = bound
	}
	return e.block(body, inner.child())
}

// enumerate returns the items of a list, range or map.
func (e *evaluator) enumerate(v value) ([]value, bool) {
	switch d := v.data.(type) {
	case *list:
		return d.items, true
	case *rangeValue:
		var out []value
		for i := d.first; d.step > 0 && i <= d.last || d.step < 0 && i >= d.last; i += d.step {
			out = append(out, integer(i, v.span))
			if len(out) > maxItems {
				panic(&tooMuch{"loops too often"})
			}
		}
		return out, true
	case *mapping:
		var out []value
		for _, p := range d.sorted() {
			out = append(out, value{&tuple{[]value{p.key, p.value}}, p.key.span.Union(p.value.span)})
		}
		return out, true
	}
	return nil, false
}

// raiseForm throws the exception that raise asks for.
func (e *evaluator) raiseForm(n, args *syntax.Node, s *scope) {
	r := &raised{exception: "RuntimeError", message: "unexpected error", span: n.Span, written: true}
	vs := e.arguments(args, s, nil, false)
	message := func(v value) string {
		if t, ok := v.data.(*text); ok {
			return t.Text
		}
		if kw, ok := v.keywords(); ok {
			if m, ok := option(kw, "message"); ok {
				if t, ok := m.data.(*text); ok {
					return t.Text
				}
			}
		}
		return ""
	}
	if len(vs) > 0 {
		if m, ok := vs[0].data.(atom); ok {
			r.exception, r.message = strings.TrimPrefix(string(m), modulePrefix), ""
			if len(vs) > 1 {
				r.message = message(vs[1])
			}
		} else if msg := message(vs[0]); msg != "" {
			r.message = msg
		}
	}
	panic(r)
}

// callLocal calls a function by its bare name.
func (e *evaluator) callLocal(c *callSite) value {
	if e.mod != nil && e.mod.has(c.name, len(c.args)) {
		return e.callFunction(c)
	}
	if e.dsl != nil {
		if v, ok := e.dsl.call(c); ok {
			e.effects++
			return v
		}
	}
	if v, ok := e.kernel(c); ok {
		return v
	}
	if e.mod == nil || e.dsl == nil {
		return e.notKnown(c.node, true, "calls %s/%d", c.name, len(c.args))
	}
	if from := e.mod.imported(); from != "" {
		return e.notKnown(c.node, true, "calls %s/%d, which is not defined in this file,", c.name, len(c.args))
	}
	if !kernelFunctions[c.name] {
		e.problem(calleeSpan(c.node), fmt.Sprintf("undefined function %s/%d", c.name, len(c.args)))
	}
	return e.notKnown(c.node, true, "calls %s/%d", c.name, len(c.args))
}

// callFunction calls a function that the module defines.
func (e *evaluator) callFunction(c *callSite) value {
	e.enter()
	defer e.leave()
	// Defaults may stand at a head without a body.
	var defaults []*syntax.Node
	for _, f := range e.mod.functions {
		if f.name == c.name && f.defaults > 0 && len(c.args) <= len(f.args) && len(c.args) >= len(f.args)-f.defaults {
			defaults = f.args
			break
		}
	}
	args := c.args
	if defaults != nil && len(defaults) > len(args) {
		required := 0
		for _, d := range defaults {
			if d.Kind != syntax.Binary || d.Op != "\\\\" {
				required++
			}
		}
		spare := len(args) - required
		var full []value
		next := 0
		for _, d := range defaults {
			if d.Kind == syntax.Binary && d.Op == "\\\\" {
				if spare <= 0 {
					full = append(full, e.eval(d.Kids[1], &scope{}))
					continue
				}
				spare--
			}
			full = append(full, args[next])
			next++
		}
		args = full
	}
	for _, f := range e.mod.functions {
		if f.name != c.name || len(f.args) != len(args) || f.body == nil && f.defaults > 0 {
			continue
		}
		s := &scope{}
		switch e.matchAll(f.args, args, s) {
		case mismatch:
			continue
		case undecided:
			return e.notKnown(c.node, true, "calls %s/%d with a value that is not known", c.name, len(c.args))
		}
		if f.guard != nil {
			g := e.eval(f.guard, s)
			if g.isUnknown() {
				return e.notKnown(c.node, true, "calls %s/%d with a value that is not known", c.name, len(c.args))
			}
			if !g.truthy() {
				continue
			}
		}
		if f.rescue {
			return e.notKnown(c.node, true, "calls %s/%d, which handles exceptions,", c.name, len(c.args))
		}
		return e.block(f.body, s)
	}
	throw("FunctionClauseError", fmt.Sprintf("no function clause matching in %s.%s/%d", e.mod.name, c.name, len(args)), c.node.Span)
	return value{}
}

// dotCall evaluates Module.function(...), value.field, f.(...) and
// repo().query!(...).
func (e *evaluator) dotCall(n, dot, args *syntax.Node, s *scope, piped *value) value {
	if len(dot.Kids) == 0 {
		return e.notKnown(n, true, "has a syntax error")
	}
	if len(dot.Kids) == 2 && args == nil && e.of(dot.Kids[0]) == "__ENV__" && e.of(dot.Kids[1]) == "file" {
		if own := e.ownFile(); own != "" {
			return newText(own, n.Span)
		}
	}
	left := e.eval(dot.Kids[0], s)
	if len(dot.Kids) == 1 { // f.(x)
		return e.apply(left, e.arguments(args, s, piped, false), n)
	}
	name := e.of(dot.Kids[1])
	switch d := left.data.(type) {
	case atom:
		if mod := strings.TrimPrefix(string(d), modulePrefix); !builtinModules[mod] {
			e.foreign++
			defer func() { e.foreign-- }()
		}
		return e.remote(n, d, name, e.arguments(args, s, piped, false))
	case *mapping:
		if args == nil {
			if v, ok := d.get(value{data: atom(name)}); ok {
				return v
			}
			throw("KeyError", fmt.Sprintf("key :%s not found in: %s", name, inspect(left)), n.Span)
		}
	case repoHandle:
		vs := e.arguments(args, s, piped, false)
		if e.dsl != nil {
			return e.dsl.query(n, "repo()."+name, vs)
		}
	case unknown:
		return value{unknown{reason: d.reason, effect: d.effect || args != nil}, n.Span}
	}
	return e.notKnown(n, args != nil, "calls %s", oneLine(e.of(n.Kids[0])))
}

// repoHandle is what repo() returns.
type repoHandle struct{}

// resolveAlias expands a module name by the aliases of the module.
func (e *evaluator) resolveAlias(name string) atom {
	first, rest, _ := strings.Cut(name, ".")
	if first == "Elixir" {
		return atom(name)
	}
	if e.mod != nil {
		if full, ok := e.mod.aliases[first]; ok {
			first = full
		}
	}
	if rest != "" {
		first += "." + rest
	}
	return atom(modulePrefix + first)
}

// oneLine shortens source for a message.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 60 {
		cut := 57
		for cut > 0 && s[cut]&0xC0 == 0x80 {
			cut--
		}
		s = s[:cut] + "..."
	}
	return s
}

// calleeSpan is the place of the function's name in a call.
func calleeSpan(n *syntax.Node) source.Span {
	if n.Kind == syntax.Call && len(n.Kids) > 0 {
		return n.Kids[0].Span
	}
	return n.Span
}
