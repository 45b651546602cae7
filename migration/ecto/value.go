package ecto

import (
	"math/big"
	"sort"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration/ecto/internal/syntax"
)

// A value is what an expression evaluates to, and the place in the file where
// it was written. data is one of: atom, *text, *bits, *big.Int, float64,
// *list, *tuple, *rangeValue, *mapping, *closure, *literalTerm, repoHandle, unknown, or a
// *record of Ecto's DSL. Values never change.
type value struct {
	data any
	span source.Span
}

// An atom is an atom; a module is one that begins with "Elixir.".
type atom string

const (
	atomNil   atom = "nil"
	atomTrue  atom = "true"
	atomFalse atom = "false"
	atomOK    atom = "ok"
)

const modulePrefix = "Elixir."

// A text is a binary. Every byte of it maps to where it came from; unknown are
// the ranges that stand for something that could not be evaluated.
type text struct {
	source.Fragment
	unknown []source.Span
	// quote is how the literal that the text begins with must escape text put
	// into it; nil when it was not a literal.
	quote func(string) string
	// variable is the environment variable that it was read from.
	variable string
}

// bits is a bitstring that is no binary.
type bits struct {
	data *big.Int
	size int
}

type list struct{ items []value }

type tuple struct{ items []value }

type mapping struct{ pairs []pair }

type pair struct{ key, value value }

// A closure is fn or &: its clauses, or a captured expression with its arity,
// or a named function.
type closure struct {
	scope   *scope
	clauses []*syntax.Node
	capture *syntax.Node
	name    string // of a captured local function
	module  string // of a captured remote function
	arity   int
}

// A rangeValue is first..last//step.
type rangeValue struct{ first, last, step int64 }

// A literalTerm is a term that is only carried around and printed, as ~D[...].
type literalTerm struct{ source string }

// unknown stands for what could not be evaluated.
type unknown struct {
	// reason says what and where, for people.
	reason string
	// effect is set when evaluating it for real may do something.
	effect bool
	// variable is the environment variable that it hangs on.
	variable string
}

func (v value) isUnknown() bool { _, ok := v.data.(unknown); return ok }

// known reports whether v and all that it holds is known.
func (v value) known() bool { _, ok := v.findUnknown(); return !ok }

// findUnknown returns the first unknown in v.
func (v value) findUnknown() (unknown, bool) {
	switch d := v.data.(type) {
	case unknown:
		return d, true
	case *text:
		if len(d.unknown) > 0 {
			return unknown{reason: "an interpolation that is not known"}, true
		}
	case *list:
		return firstUnknown(d.items)
	case *tuple:
		return firstUnknown(d.items)
	case *mapping:
		for _, p := range d.pairs {
			if u, ok := p.key.findUnknown(); ok {
				return u, true
			}
			if u, ok := p.value.findUnknown(); ok {
				return u, true
			}
		}
	}
	return unknown{}, false
}

func firstUnknown(vs []value) (unknown, bool) {
	for _, v := range vs {
		if u, ok := v.findUnknown(); ok {
			return u, true
		}
	}
	return unknown{}, false
}

// truthy reports whether v counts as true; it is meaningless for an unknown.
func (v value) truthy() bool { return v.data != atomNil && v.data != atomFalse }

func (v value) isNil() bool { return v.data == atomNil }

func (v value) is(a atom) bool { return v.data == a }

// at returns v as if it were written at span.
func (v value) at(span source.Span) value { v.span = span; return v }

func boolean(b bool, span source.Span) value {
	if b {
		return value{atomTrue, span}
	}
	return value{atomFalse, span}
}

func integer(n int64, span source.Span) value { return value{big.NewInt(n), span} }

// newText is a text made from the whole of span.
func newText(s string, span source.Span) value {
	var b source.Builder
	b.From(s, span)
	return value{&text{Fragment: b.Fragment()}, span}
}

func newList(items []value, span source.Span) value { return value{&list{items}, span} }

// string returns the bytes of a text, or the name of an atom.
func (v value) string() (string, bool) {
	switch d := v.data.(type) {
	case *text:
		return d.Text, len(d.unknown) == 0
	}
	return "", false
}

// name returns the name that an atom or a text gives.
func (v value) name() (string, bool) {
	if a, ok := v.data.(atom); ok {
		return string(a), true
	}
	return v.string()
}

func (v value) int() (int64, bool) {
	n, ok := v.data.(*big.Int)
	if !ok || !n.IsInt64() {
		return 0, false
	}
	return n.Int64(), true
}

func (v value) list() ([]value, bool) {
	if l, ok := v.data.(*list); ok {
		return l.items, true
	}
	return nil, false
}

// keywords returns the pairs of a keyword list; ok is false for anything else.
func (v value) keywords() ([]pair, bool) {
	items, ok := v.list()
	if !ok {
		return nil, false
	}
	out := make([]pair, 0, len(items))
	for _, it := range items {
		t, ok := it.data.(*tuple)
		if !ok || len(t.items) != 2 {
			return nil, false
		}
		if _, ok := t.items[0].data.(atom); !ok {
			return nil, false
		}
		out = append(out, pair{t.items[0], t.items[1]})
	}
	return out, true
}

// option returns the first value of a key in a keyword list.
func option(kw []pair, key string) (value, bool) {
	for _, p := range kw {
		if p.key.data == atom(key) {
			return p.value, true
		}
	}
	return value{}, false
}

// equal is Elixir's ===; both must be known.
func equal(a, b value) bool { return compare(a, b) == 0 && sameKind(a, b) }

func sameKind(a, b value) bool {
	_, f := a.data.(float64)
	_, g := b.data.(float64)
	return f == g
}

// rank is the order of types in Erlang's term order.
func rank(v value) int {
	switch v.data.(type) {
	case *big.Int, float64:
		return 0
	case atom:
		return 1
	case *closure:
		return 2
	case *tuple:
		return 3
	case *mapping, *record, *rangeValue, *literalTerm:
		return 4
	case *list:
		return 5
	default:
		return 6
	}
}

// compare is Erlang's term order, == for numbers.
func compare(a, b value) int {
	if ra, rb := rank(a), rank(b); ra != rb {
		return cmpInt(ra, rb)
	}
	switch x := a.data.(type) {
	case atom:
		return strings.Compare(string(x), string(b.data.(atom)))
	case *big.Int:
		if y, ok := b.data.(*big.Int); ok {
			return x.Cmp(y)
		}
		return new(big.Float).SetInt(x).Cmp(big.NewFloat(b.data.(float64)))
	case float64:
		if y, ok := b.data.(*big.Int); ok {
			return big.NewFloat(x).Cmp(new(big.Float).SetInt(y))
		}
		y := b.data.(float64)
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	case *text:
		if y, ok := b.data.(*text); ok {
			return strings.Compare(x.Text, y.Text)
		}
		return -1
	case *list:
		return compareLists(x.items, b.data.(*list).items)
	case *tuple:
		y := b.data.(*tuple)
		if len(x.items) != len(y.items) {
			return cmpInt(len(x.items), len(y.items))
		}
		return compareLists(x.items, y.items)
	case *mapping:
		y, ok := b.data.(*mapping)
		if !ok {
			return -1
		}
		if len(x.pairs) != len(y.pairs) {
			return cmpInt(len(x.pairs), len(y.pairs))
		}
		for _, p := range x.pairs {
			other, ok := y.get(p.key)
			if !ok {
				return -1
			}
			if c := compare(p.value, other); c != 0 {
				return c
			}
		}
		return 0
	}
	if a.data == b.data {
		return 0
	}
	return -1
}

func compareLists(a, b []value) int {
	for i := range a {
		if i >= len(b) {
			return 1
		}
		if c := compare(a[i], b[i]); c != 0 {
			return c
		}
	}
	return cmpInt(len(a), len(b))
}

func cmpInt(a, b int) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (m *mapping) get(key value) (value, bool) {
	for _, p := range m.pairs {
		if equal(p.key, key) {
			return p.value, true
		}
	}
	return value{}, false
}

func (m *mapping) put(key, v value) *mapping {
	out := &mapping{append([]pair(nil), m.pairs...)}
	for i, p := range out.pairs {
		if equal(p.key, key) {
			out.pairs[i].value = v
			return out
		}
	}
	out.pairs = append(out.pairs, pair{key, v})
	return out
}

// sorted returns the pairs in term order of their keys.
func (m *mapping) sorted() []pair {
	out := append([]pair(nil), m.pairs...)
	sort.SliceStable(out, func(i, j int) bool { return compare(out[i].key, out[j].key) < 0 })
	return out
}

// elixirFloat prints a float as Elixir's to_string does: the shortest digits
// that read back, decimal below 1.0e16 and scientific beyond.
func elixirFloat(f float64) string {
	exp := strconv.FormatFloat(f, 'e', -1, 64)
	mantissa, exponent, _ := strings.Cut(exp, "e")
	n, _ := strconv.Atoi(exponent)
	if n >= -5 && n < 16 || f == 0 {
		dec := strconv.FormatFloat(f, 'f', -1, 64)
		if !strings.Contains(dec, ".") {
			dec += ".0"
		}
		sci := scientific(mantissa, n)
		// The shorter of the two forms is printed, decimal when they tie.
		if len(dec) <= len(sci) || f == 0 {
			return dec
		}
		return sci
	}
	return scientific(mantissa, n)
}

func scientific(mantissa string, exponent int) string {
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	return mantissa + "e" + strconv.Itoa(exponent)
}

// inspect prints a value as Elixir's inspect/1 does.
func inspect(v value) string {
	switch d := v.data.(type) {
	case atom:
		return inspectAtom(d)
	case *text:
		if !utf8.ValidString(d.Text) || !printable(d.Text) {
			parts := make([]string, len(d.Text))
			for i := range d.Text {
				parts[i] = strconv.Itoa(int(d.Text[i]))
			}
			return "<<" + strings.Join(parts, ", ") + ">>"
		}
		return inspectString(d.Text)
	case *bits:
		return "<<" + d.data.String() + "::size(" + strconv.Itoa(d.size) + ")>>"
	case *big.Int:
		return d.String()
	case float64:
		return elixirFloat(d)
	case *list:
		return "[" + inspectItems(d.items, true) + "]"
	case *tuple:
		return "{" + inspectItems(d.items, false) + "}"
	case *mapping:
		var parts []string
		atoms := true
		for _, p := range d.pairs {
			if _, ok := p.key.data.(atom); !ok {
				atoms = false
			}
		}
		for _, p := range d.sorted() {
			if atoms {
				parts = append(parts, inspectKey(p.key.data.(atom))+" "+inspect(p.value))
			} else {
				parts = append(parts, inspect(p.key)+" => "+inspect(p.value))
			}
		}
		return "%{" + strings.Join(parts, ", ") + "}"
	case *literalTerm:
		return d.source
	case *closure:
		return "#Function<>"
	case *rangeValue:
		return strconv.FormatInt(d.first, 10) + ".." + strconv.FormatInt(d.last, 10)
	case *record:
		return d.inspect()
	}
	return "..."
}

// inspectItems prints the items of a list or tuple; keywords prints a list
// whose items are all pairs as key: value.
func inspectItems(items []value, keywords bool) string {
	parts := make([]string, len(items))
	kw, ok := (value{data: &list{items}}).keywords()
	for i, it := range items {
		if keywords && ok {
			parts[i] = inspectKey(kw[i].key.data.(atom)) + " " + inspect(kw[i].value)
			continue
		}
		parts[i] = inspect(it)
	}
	return strings.Join(parts, ", ")
}

func inspectAtom(a atom) string {
	switch a {
	case atomNil, atomTrue, atomFalse:
		return string(a)
	}
	if m, ok := strings.CutPrefix(string(a), modulePrefix); ok {
		return m
	}
	if plainAtom(string(a)) {
		return ":" + string(a)
	}
	return ":" + inspectString(string(a))
}

func inspectKey(a atom) string {
	if plainAtom(string(a)) {
		return string(a) + ":"
	}
	return inspectString(string(a)) + ":"
}

// plainAtom reports whether a name needs no quotes as an atom.
func plainAtom(s string) bool {
	for i, r := range s {
		switch {
		case r == '_' || unicode.IsLetter(r):
		case i > 0 && (unicode.IsDigit(r) || r == '@'):
		case i > 0 && i == len(s)-1 && (r == '?' || r == '!'):
		default:
			return false
		}
	}
	return s != ""
}

func printable(s string) bool {
	for _, r := range s {
		if r < 0x20 && !strings.ContainsRune("\a\b\t\n\v\f\r\x1b", r) || r == 0x7f {
			return false
		}
	}
	return true
}

func inspectString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i, r := range s {
		switch r {
		case '"':
			b.WriteString(`\"`)
		case '\\':
			b.WriteString(`\\`)
		case '\n':
			b.WriteString(`\n`)
		case '\t':
			b.WriteString(`\t`)
		case '\r':
			b.WriteString(`\r`)
		case '\a':
			b.WriteString(`\a`)
		case '\b':
			b.WriteString(`\b`)
		case '\v':
			b.WriteString(`\v`)
		case '\f':
			b.WriteString(`\f`)
		case 0x1b:
			b.WriteString(`\e`)
		case '#':
			if i+1 < len(s) && s[i+1] == '{' {
				b.WriteByte('\\')
			}
			b.WriteByte('#')
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
