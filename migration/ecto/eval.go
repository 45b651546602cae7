package ecto

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/migration/ecto/internal/syntax"
)

// Bounds of the evaluator. A migration that needs more is opaque.
const (
	maxSteps = 400_000
	maxCalls = 60
	maxItems = 20_000
	maxBytes = 1 << 20
)

// A raised is an Elixir exception on its way up; it is thrown by panic.
type raised struct {
	// exception is the module ("ArgumentError"), message its text.
	exception, message string
	span               source.Span
	// written is set for the author's own raise.
	written bool
	kind    migration.RaiseKind
}

// tooMuch is thrown when a bound is hit.
type tooMuch struct{ reason string }

func throw(exception, message string, span source.Span) {
	panic(&raised{exception: exception, message: message, span: span})
}

// throwKind throws an Ecto.MigrationError, RuntimeError or FunctionClauseError
// that has a kind of its own.
func throwKind(kind migration.RaiseKind, exception, message string, span source.Span) {
	panic(&raised{exception: exception, message: message, span: span, kind: kind})
}

// A scope holds the variables of one block. Elixir's blocks see the variables
// around them but do not change them.
type scope struct {
	vars   map[string]value
	parent *scope
	// args are those of a capture (&1, &2).
	args []value
}

func (s *scope) child() *scope { return &scope{parent: s} }

func (s *scope) get(name string) (value, bool) {
	for ; s != nil; s = s.parent {
		if v, ok := s.vars[name]; ok {
			return v, true
		}
	}
	return value{}, false
}

func (s *scope) set(name string, v value) {
	if s.vars == nil {
		s.vars = map[string]value{}
	}
	s.vars[name] = v
}

func (s *scope) capture(n int) (value, bool) {
	for ; s != nil; s = s.parent {
		if s.args != nil {
			if n >= 1 && n <= len(s.args) {
				return s.args[n-1], true
			}
			return value{}, false
		}
	}
	return value{}, false
}

// An evaluator evaluates the small part of Elixir that migrations are written
// in. It calls nothing outside the file, is bounded in time and memory, and
// says what it does not know. It is used by one goroutine.
type evaluator struct {
	text  string
	lines *source.Lines
	mod   *module
	// direction is the migrator's; prefix its --prefix, or nil.
	direction migration.Direction
	prefix    value
	env       func(string) (string, bool)
	// path is the file's, "" when it is not known; readFile reads files that
	// the migration names, nil for none.
	path     string
	readFile func(string) (string, error)
	// config is set while a configuration is read: an exception there is only
	// a value that is missing. mixEnv is its environment.
	config bool
	mixEnv string
	// dsl takes the calls of Ecto's DSL; nil where there is none (the
	// configuration).
	dsl dsl

	steps, calls int
	// foreign counts the calls around that may be macros, whose arguments
	// follow rules of their own.
	foreign int
	// effects counts the commands queued and sent, so that a block can tell
	// whether an unknown call has left a trace.
	effects int
	// beam is the first reason that the real Elixir is needed.
	beam     string
	problems map[source.Span]string
	onlyOnce []source.Span
	// environment are the variables that were read, and what was found.
	environment []string
}

// dsl is what the evaluator hands calls of Ecto's DSL to.
type dsl interface {
	// call handles a call of the DSL. ok is false when the name is not one of
	// its functions.
	call(c *callSite) (v value, ok bool)
	// opaque notes that something unreadable happens here.
	opaque(n *syntax.Node, reason string)
	// query notes a call that talks to the database at once.
	query(n *syntax.Node, name string, args []value) value
}

// A callSite is one call of a local function, its arguments evaluated.
type callSite struct {
	name string
	// node is the call, whole the expression that it is the end of (a pipe).
	node, whole *syntax.Node
	args        []value
	do          *syntax.Node
	scope       *scope
}

func (e *evaluator) of(n *syntax.Node) string { return n.Span.Of(e.text) }

// line is the 1-based line of an offset, for messages.
func (e *evaluator) line(offset int) int {
	if e.lines == nil {
		e.lines = source.NewLines(e.text)
	}
	return e.lines.Position(offset, source.UTF8).Line + 1
}

// notKnown is the value of an expression that cannot be evaluated.
func (e *evaluator) notKnown(n *syntax.Node, effect bool, format string, args ...any) value {
	reason := fmt.Sprintf(format, args...) + fmt.Sprintf(" at line %d", e.line(n.Span.Start))
	return value{unknown{reason: reason, effect: effect}, n.Span}
}

// needBeam notes that only Elixir can run the migration.
func (e *evaluator) needBeam(reason string) {
	if e.beam == "" {
		e.beam = reason
	}
}

// problem notes something that Elixir itself would not compile.
func (e *evaluator) problem(span source.Span, message string) {
	if e.problems == nil {
		e.problems = map[source.Span]string{}
	}
	if _, ok := e.problems[span]; !ok {
		e.problems[span] = message
		e.onlyOnce = append(e.onlyOnce, span)
	}
}

func (e *evaluator) step() {
	if e.steps++; e.steps > maxSteps {
		panic(&tooMuch{"takes too many steps to evaluate"})
	}
}

// block evaluates expressions in order and returns the last value.
func (e *evaluator) block(nodes []*syntax.Node, s *scope) value {
	last := value{data: atomNil}
	for _, n := range nodes {
		before := e.effects
		last = e.eval(n, s)
		e.settle(n, last, before)
	}
	return last
}

// settle makes sure that an unknown call that stands for itself leaves an
// opaque statement, so that nothing it may do is passed over in silence.
func (e *evaluator) settle(n *syntax.Node, v value, before int) {
	if u, ok := v.data.(unknown); ok && u.effect && e.effects == before && e.dsl != nil {
		e.dsl.opaque(n, u.reason)
	}
}

// eval evaluates one expression.
func (e *evaluator) eval(n *syntax.Node, s *scope) value {
	e.step()
	switch n.Kind {
	case syntax.Identifier:
		return e.identifier(n, s)
	case syntax.Call:
		return e.call(n, s, nil, n)
	case syntax.Atom:
		return value{atom(strings.TrimPrefix(e.of(n), ":")), n.Span}
	case syntax.QuotedAtom:
		return e.quotedAtom(n, s)
	case syntax.String:
		return e.quoted(n, s, true)
	case syntax.Charlist:
		return charlist(e.quoted(n, s, true))
	case syntax.Sigil:
		return e.sigil(n, s)
	case syntax.Integer:
		return e.integerLiteral(n)
	case syntax.Float:
		return e.floatLiteral(n)
	case syntax.Char:
		return e.charLiteral(n)
	case syntax.Boolean, syntax.Nil:
		return value{atom(e.of(n)), n.Span}
	case syntax.Alias:
		return value{e.resolveAlias(e.of(n)), n.Span}
	case syntax.List:
		return newList(e.items(n.Kids, s), n.Span)
	case syntax.Tuple:
		items := make([]value, 0, len(n.Kids))
		for _, k := range n.Kids { // trailing pairs are one keyword list
			items = append(items, e.eval(k, s))
		}
		return value{&tuple{items}, n.Span}
	case syntax.Keywords:
		return newList(e.pairs(n, s), n.Span)
	case syntax.Map:
		return e.mapLiteral(n, s)
	case syntax.Bitstring:
		return e.bitstring(n, s)
	case syntax.Unary:
		return e.unary(n, s)
	case syntax.Binary:
		return e.binary(n, s)
	case syntax.AccessCall:
		return e.access(n, s)
	case syntax.AnonymousFunction:
		return value{&closure{scope: s, clauses: n.Kids}, n.Span}
	case syntax.Block, syntax.Body, syntax.Source:
		if len(n.Kids) > 0 && n.Kids[0].Kind == syntax.StabClause {
			return e.notKnown(n, true, "uses an expression that is not understood")
		}
		return e.block(n.Kids, s).at(n.Span)
	case syntax.Dot:
		return e.notKnown(n, true, "uses an expression that is not understood")
	case syntax.Error:
		return e.notKnown(n, true, "has a syntax error")
	}
	return e.notKnown(n, true, "uses an expression that is not understood (%s)", n.Kind)
}

func (e *evaluator) items(nodes []*syntax.Node, s *scope) []value {
	out := make([]value, 0, len(nodes))
	for _, n := range nodes {
		switch {
		case n.Kind == syntax.Keywords:
			out = append(out, e.pairs(n, s)...)
		case n.Kind == syntax.Binary && n.Op == "|" && len(n.Kids) == 2:
			out = append(out, e.eval(n.Kids[0], s))
			tail := e.eval(n.Kids[1], s)
			if items, ok := tail.list(); ok {
				out = append(out, items...)
			} else {
				out = append(out, e.notKnown(n, false, "builds a list from something that is not known"))
			}
		default:
			out = append(out, e.eval(n, s))
		}
	}
	if len(out) > maxItems {
		panic(&tooMuch{"builds a list that is too long"})
	}
	return out
}

// pairs evaluates key: value pairs to two-element tuples whose span is the
// pair.
func (e *evaluator) pairs(n *syntax.Node, s *scope) []value {
	out := make([]value, 0, len(n.Kids))
	for _, p := range n.Kids {
		if p.Kind != syntax.Pair || len(p.Kids) != 2 {
			continue
		}
		out = append(out, value{&tuple{[]value{e.key(p.Kids[0], s), e.eval(p.Kids[1], s)}}, p.Span})
	}
	return out
}

// key evaluates `name:` and `"name":`.
func (e *evaluator) key(n *syntax.Node, s *scope) value {
	if n.Kind == syntax.QuotedKeyword {
		v := e.quoted(n, s, true)
		if name, ok := v.string(); ok {
			return value{atom(name), n.Span}
		}
		return e.notKnown(n, false, "builds a key from something that is not known")
	}
	name := strings.TrimRight(e.of(n), " \t\r\n")
	name = strings.TrimSuffix(name, ":")
	return value{atom(name), source.Span{Start: n.Span.Start, End: n.Span.Start + len(name)}}
}

func (e *evaluator) identifier(n *syntax.Node, s *scope) value {
	name := e.of(n)
	if v, ok := s.get(name); ok {
		return v.at(v.span)
	}
	switch name {
	case "__MODULE__":
		if e.mod == nil {
			return e.notKnown(n, false, "uses __MODULE__ outside a module")
		}
		return value{atom(modulePrefix + e.mod.name), n.Span}
	case "__DIR__":
		if own := e.ownFile(); own != "" {
			return newText(own[:max(1, strings.LastIndexByte(own, '/'))], n.Span)
		}
		return e.notKnown(n, false, "uses %s", name)
	case "__ENV__", "__CALLER__", "__STACKTRACE__":
		return e.notKnown(n, false, "uses %s", name)
	}
	// Before Elixir 1.15 a bare name could still be a call; the newer ones do
	// not compile it.
	if e.dsl != nil && e.mod != nil {
		if e.foreign == 0 {
			e.problem(n.Span, fmt.Sprintf("undefined variable %q", name))
		}
		if dslFunctions[name] || e.mod.has(name, 0) {
			return e.callLocal(&callSite{name: name, node: n, whole: n, scope: s})
		}
	}
	return e.notKnown(n, true, "uses %s, which is not defined,", name)
}

func (e *evaluator) mapLiteral(n *syntax.Node, s *scope) value {
	if st := n.Kid(syntax.Struct); st != nil {
		return e.notKnown(n, false, "builds a %%%s{}", e.of(st))
	}
	m := &mapping{}
	content := n.Kid(syntax.MapContent)
	if content == nil {
		return value{m, n.Span}
	}
	for _, k := range content.Kids {
		switch {
		case k.Kind == syntax.Keywords:
			for _, p := range e.pairs(k, s) {
				t := p.data.(*tuple)
				m = m.put(t.items[0], t.items[1])
			}
		case k.Kind == syntax.Binary && k.Op == "=>":
			m = m.put(e.eval(k.Kids[0], s), e.eval(k.Kids[1], s))
		case k.Kind == syntax.Binary && k.Op == "|":
			base := e.eval(k.Kids[0], s)
			old, ok := base.data.(*mapping)
			if !ok {
				return e.notKnown(n, false, "updates a map that is not known")
			}
			m = old
			if k.Kids[1].Kind == syntax.Keywords {
				for _, p := range e.pairs(k.Kids[1], s) {
					t := p.data.(*tuple)
					m = m.put(t.items[0], t.items[1])
				}
				continue
			}
			if k.Kids[1].Kind == syntax.Binary && k.Kids[1].Op == "=>" {
				m = m.put(e.eval(k.Kids[1].Kids[0], s), e.eval(k.Kids[1].Kids[1], s))
			}
		default:
			return e.notKnown(n, false, "builds a map in a way that is not understood")
		}
	}
	return value{m, n.Span}
}

// bitstring evaluates <<1, 2>>, <<5::3>> and <<"a", 0>>.
func (e *evaluator) bitstring(n *syntax.Node, s *scope) value {
	sum, size := new(big.Int), 0
	push := func(v *big.Int, width int) {
		mask := new(big.Int).Lsh(big.NewInt(1), uint(width))
		mask.Sub(mask, big.NewInt(1))
		sum.Lsh(sum, uint(width))
		sum.Or(sum, new(big.Int).And(v, mask))
		size += width
	}
	for _, k := range n.Kids {
		width := 8
		if k.Kind == syntax.Binary && k.Op == "::" && len(k.Kids) == 2 {
			w, ok := e.eval(k.Kids[1], s).int()
			if !ok || w < 0 || w > 4096 {
				return e.notKnown(n, false, "builds a binary with a type that is not understood")
			}
			width, k = int(w), k.Kids[0]
		}
		switch d := e.eval(k, s).data.(type) {
		case *big.Int:
			push(d, width)
		case *text:
			if width != 8 || len(d.unknown) > 0 || len(d.Text) > 4096 {
				return e.notKnown(n, false, "builds a binary that is not understood")
			}
			for i := range len(d.Text) {
				push(big.NewInt(int64(d.Text[i])), 8)
			}
		default:
			return e.notKnown(n, false, "builds a binary from something that is not known")
		}
	}
	if size%8 != 0 {
		return value{&bits{sum, size}, n.Span}
	}
	raw := make([]byte, size/8)
	return newText(string(sum.FillBytes(raw)), n.Span)
}

func (e *evaluator) unary(n *syntax.Node, s *scope) value {
	if len(n.Kids) == 0 {
		return e.notKnown(n, true, "has a syntax error")
	}
	operand := n.Kids[0]
	switch n.Op {
	case "@":
		return e.attribute(n, operand, s)
	case "&":
		return e.captureOperator(n, operand, s)
	}
	v := e.eval(operand, s)
	if v.isUnknown() {
		return v
	}
	switch n.Op {
	case "-":
		switch d := v.data.(type) {
		case *big.Int:
			return value{new(big.Int).Neg(d), n.Span}
		case float64:
			return value{-d, n.Span}
		}
	case "+":
		return v.at(n.Span)
	case "not", "!":
		return boolean(!v.truthy(), n.Span)
	}
	return e.notKnown(n, false, "uses the operator %s in a way that is not understood", n.Op)
}

// attribute reads @name. Definitions were gathered when the module was read.
func (e *evaluator) attribute(n, operand *syntax.Node, s *scope) value {
	if operand.Kind == syntax.Call && len(operand.Kids) > 0 {
		return value{atomOK, n.Span} // a definition inside a function: no effect here
	}
	name := e.of(operand)
	if e.mod == nil {
		return e.notKnown(n, false, "reads @%s outside a module", name)
	}
	// The value is the last one given above the reader.
	for i := len(e.mod.attributes) - 1; i >= 0; i-- {
		a := e.mod.attributes[i]
		if a.name != name || a.span.Start > n.Span.Start {
			continue
		}
		if a.busy {
			break
		}
		a.busy = true
		v := e.eval(a.value, &scope{})
		a.busy = false
		return v
	}
	return value{atomNil, n.Span}
}

func (e *evaluator) captureOperator(n, operand *syntax.Node, s *scope) value {
	if operand.Kind == syntax.Integer {
		if i, ok := e.integerLiteral(operand).int(); ok {
			if v, ok := s.capture(int(i)); ok {
				return v
			}
		}
		return e.notKnown(n, false, "uses &%s outside a capture", e.of(operand))
	}
	if operand.Kind == syntax.Binary && operand.Op == "/" && len(operand.Kids) == 2 {
		if arity, ok := e.eval(operand.Kids[1], s).int(); ok {
			target := operand.Kids[0]
			switch {
			case target.Kind == syntax.Identifier:
				return value{&closure{scope: s, name: e.of(target), arity: int(arity)}, n.Span}
			case target.Kind == syntax.Call && len(target.Kids) == 1 && target.Kids[0].Kind == syntax.Dot && len(target.Kids[0].Kids) == 2:
				dot := target.Kids[0]
				if m, ok := e.eval(dot.Kids[0], s).data.(atom); ok {
					return value{&closure{scope: s, module: string(m), name: e.of(dot.Kids[1]), arity: int(arity)}, n.Span}
				}
			}
		}
	}
	return value{&closure{scope: s, capture: operand, arity: -1}, n.Span}
}

// apply calls a function value. node is the place of the call.
func (e *evaluator) apply(fn value, args []value, node *syntax.Node) value {
	f, ok := fn.data.(*closure)
	if !ok {
		if u, bad := fn.data.(unknown); bad {
			return value{unknown{reason: u.reason, effect: true}, node.Span}
		}
		throw("BadFunctionError", "expected a function, got: "+inspect(fn), node.Span)
	}
	e.enter()
	defer e.leave()
	switch {
	case f.name != "" && f.module != "":
		return e.remote(node, atom(f.module), f.name, args)
	case f.name != "":
		return e.callLocal(&callSite{name: f.name, node: node, whole: node, args: args, scope: f.scope})
	case f.capture != nil:
		s := f.scope.child()
		s.args = args
		if s.args == nil {
			s.args = []value{}
		}
		before := e.effects
		v := e.eval(f.capture, s)
		e.settle(f.capture, v, before)
		return v
	}
	v, _, ok := e.clauses(f.clauses, args, f.scope, node)
	if !ok {
		throw("FunctionClauseError", "no function clause matching in an anonymous function", node.Span)
	}
	return v
}

func (e *evaluator) enter() {
	if e.calls++; e.calls > maxCalls {
		panic(&tooMuch{"calls itself too deeply"})
	}
}

func (e *evaluator) leave() { e.calls-- }

// clauses evaluates the first stab clause that matches; ok is false when none
// does.
func (e *evaluator) clauses(clauses []*syntax.Node, args []value, s *scope, node *syntax.Node) (v value, matched *syntax.Node, ok bool) {
	for _, c := range clauses {
		if c.Kind != syntax.StabClause || len(c.Kids) == 0 {
			continue
		}
		var patterns []*syntax.Node
		var guard *syntax.Node
		head, body := c.Kids[0], c.Kids[len(c.Kids)-1]
		switch {
		case len(c.Kids) == 1: // fn -> body end
			if head.Kind != syntax.Body { // a clause without a body: a -> (nothing)
				patterns, body = flatArguments(head), nil
			}
		case head.Kind == syntax.Binary && head.Op == "when" && len(head.Kids) == 2:
			patterns, guard = flatArguments(head.Kids[0]), head.Kids[1]
		default:
			patterns = flatArguments(head)
		}
		if len(patterns) != len(args) {
			continue
		}
		inner := s.child()
		switch e.matchAll(patterns, args, inner) {
		case mismatch:
			continue
		case undecided:
			return e.notKnown(node, true, "chooses by a value that is not known"), c, true
		}
		if guard != nil {
			g := e.eval(guard, inner)
			if g.isUnknown() {
				return e.notKnown(node, true, "chooses by a value that is not known"), c, true
			}
			if !g.truthy() {
				continue
			}
		}
		if body == nil {
			return value{atomNil, c.Span}, c, true
		}
		return e.eval(body, inner), c, true
	}
	return value{}, nil, false
}

func flatArguments(n *syntax.Node) []*syntax.Node {
	if n.Kind == syntax.Arguments {
		return n.Kids
	}
	return []*syntax.Node{n}
}

// access evaluates container[key].
func (e *evaluator) access(n *syntax.Node, s *scope) value {
	if len(n.Kids) != 2 {
		return e.notKnown(n, true, "has a syntax error")
	}
	c, k := e.eval(n.Kids[0], s), e.eval(n.Kids[1], s)
	if c.isUnknown() || k.isUnknown() {
		return e.notKnown(n, false, "reads a value that is not known")
	}
	if m, ok := c.data.(*mapping); ok {
		if v, ok := m.get(k); ok {
			return v
		}
		return value{atomNil, n.Span}
	}
	if kw, ok := c.keywords(); ok {
		if a, ok := k.data.(atom); ok {
			if v, ok := option(kw, string(a)); ok {
				return v
			}
		}
		return value{atomNil, n.Span}
	}
	if c.isNil() {
		return c
	}
	return e.notKnown(n, false, "reads a value that is not known")
}
