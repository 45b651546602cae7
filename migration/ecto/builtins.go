package ecto

import (
	"math/big"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration/ecto/internal/syntax"
)

// kernelFunctions are the functions and macros that every module has without
// an import. A call of any other name that the file does not define does not
// compile.
var kernelFunctions = names(`abs apply binary_part binary_slice bit_size byte_size ceil dbg div elem exit floor function_exported?
	get_and_update_in get_in hd inspect is_atom is_binary is_bitstring is_boolean is_exception is_float is_function is_integer
	is_list is_map is_map_key is_nil is_number is_pid is_port is_reference is_struct is_tuple length macro_exported? make_ref
	map_size max min node not pop_in put_elem put_in rem round self send spawn spawn_link spawn_monitor struct struct! tap then
	throw tl to_charlist to_string to_timeout trunc tuple_size update_in use var! binding match? sigil_r destructure
	def defp defmacro defmacrop defmodule defstruct defexception defguard defguardp defimpl defprotocol defdelegate defoverridable
	if unless case cond for with try receive quote unquote unquote_splicing raise reraise alias_ import require super fn and or in`)

func names(s string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

// kernel calls the functions of Kernel that migrations use.
func (e *evaluator) kernel(c *callSite) (value, bool) {
	span := c.node.Span
	a := c.args
	if len(a) == 0 {
		return value{}, false
	}
	if len(a) >= 1 && kernelFunctions[c.name] {
		if u, ok := a[0].data.(unknown); ok {
			return value{unknown{reason: u.reason}, span}, true
		}
	}
	one := len(a) == 1
	switch {
	case c.name == "to_string" && one:
		if s, ok := e.toString(a[0]); ok {
			if t, ok := a[0].data.(*text); ok {
				return value{t, span}, true
			}
			return newText(s, a[0].span), true
		}
	case c.name == "inspect":
		if a[0].known() {
			return newText(inspect(a[0]), span), true
		}
	case c.name == "length" && one:
		if items, ok := a[0].list(); ok {
			return integer(int64(len(items)), span), true
		}
	case c.name == "hd" && one:
		if items, ok := a[0].list(); ok && len(items) > 0 {
			return items[0], true
		}
	case c.name == "tl" && one:
		if items, ok := a[0].list(); ok && len(items) > 0 {
			return newList(items[1:], span), true
		}
	case c.name == "elem" && len(a) == 2:
		t, ok := a[0].data.(*tuple)
		i, ok2 := a[1].int()
		if ok && ok2 && i >= 0 && int(i) < len(t.items) {
			return t.items[i], true
		}
	case c.name == "tuple_size" && one:
		if t, ok := a[0].data.(*tuple); ok {
			return integer(int64(len(t.items)), span), true
		}
	case c.name == "map_size" && one:
		if m, ok := a[0].data.(*mapping); ok {
			return integer(int64(len(m.pairs)), span), true
		}
	case c.name == "byte_size" && one:
		if s, ok := a[0].string(); ok {
			return integer(int64(len(s)), span), true
		}
	case c.name == "apply" && len(a) == 2:
		if items, ok := a[1].list(); ok {
			return e.apply(a[0], items, c.node), true
		}
	case (c.name == "div" || c.name == "rem") && len(a) == 2:
		x, ok := a[0].data.(*big.Int)
		y, ok2 := a[1].data.(*big.Int)
		if ok && ok2 {
			if y.Sign() == 0 {
				throw("ArithmeticError", "bad argument in arithmetic expression", span)
			}
			if c.name == "div" {
				return value{new(big.Int).Quo(x, y), span}, true
			}
			return value{new(big.Int).Rem(x, y), span}, true
		}
	case (c.name == "max" || c.name == "min") && len(a) == 2 && a[1].known() && a[0].known():
		if (compare(a[0], a[1]) >= 0) == (c.name == "max") {
			return a[0], true
		}
		return a[1], true
	case c.name == "abs" && one:
		if x, ok := a[0].data.(*big.Int); ok {
			return value{new(big.Int).Abs(x), span}, true
		}
	case strings.HasPrefix(c.name, "is_") && one:
		if is, ok := isType(c.name, a[0]); ok {
			return boolean(is, span), true
		}
	}
	return value{}, false
}

func isType(name string, v value) (is, ok bool) {
	switch name {
	case "is_nil":
		return v.isNil(), true
	case "is_atom":
		_, is = v.data.(atom)
	case "is_binary":
		_, is = v.data.(*text)
	case "is_boolean":
		is = v.is(atomTrue) || v.is(atomFalse)
	case "is_integer":
		_, is = v.data.(*big.Int)
	case "is_float":
		_, is = v.data.(float64)
	case "is_number":
		_, is = number(v)
	case "is_list":
		_, is = v.data.(*list)
	case "is_tuple":
		_, is = v.data.(*tuple)
	case "is_map":
		_, is = v.data.(*mapping)
	case "is_function":
		_, is = v.data.(*closure)
	default:
		return false, false
	}
	return is, true
}

// remote calls Module.function.
func (e *evaluator) remote(n *syntax.Node, module atom, name string, args []value) value {
	mod := strings.TrimPrefix(string(module), modulePrefix)
	if e.mod != nil && mod == e.mod.name && e.mod.name != "" {
		return e.callLocal(&callSite{name: name, node: n, whole: n, args: args, scope: &scope{}})
	}
	var v value
	ok := false
	switch mod {
	case "Enum":
		v, ok = e.enum(n, name, args)
	case "String":
		v, ok = stringModule(name, args, n.Span)
	case "Keyword", "Map":
		v, ok = e.keyed(n, mod, name, args)
	case "List":
		v, ok = listModule(name, args, n.Span)
	case "Integer", "Atom", "Float", "Kernel", "Macro":
		v, ok = e.conversions(n, mod, name, args)
	case "Ecto.Migration":
		if e.dsl != nil {
			if v, ok := e.dsl.call(&callSite{name: name, node: n, whole: n, args: args, scope: &scope{}}); ok {
				e.effects++
				return v
			}
		}
	case "IO", "Logger", "Mix.shell":
		if name == "inspect" && len(args) > 0 {
			return args[0]
		}
		return value{atomOK, n.Span}
	case "System":
		v, ok = e.system(n, name, args)
	case "timer":
		v, ok = timer(name, args, n.Span)
	case "Mix":
		if name == "env" && e.config {
			return value{atom(e.mixEnv), n.Span}
		}
	case "Code":
		if name == "ensure_loaded?" || name == "ensure_compiled" {
			return e.notKnown(n, false, "calls %s.%s", mod, name)
		}
	case "Process":
		if name == "sleep" {
			e.needBeam(e.reasonFor(n, "calls Process.sleep/1"))
			return value{atomOK, n.Span}
		}
	}
	if ok {
		return v
	}
	for _, a := range args {
		if u, bad := a.data.(unknown); bad && pureModules[mod] {
			return value{unknown{reason: u.reason}, n.Span}
		}
	}
	called := oneLine(mod + "." + name)
	if module != "" && !strings.HasPrefix(string(module), modulePrefix) {
		called = ":" + called
	}
	called += "/" + strconv.Itoa(len(args))
	if isRepo(mod) && e.dsl != nil {
		return e.dsl.query(n, mod+"."+name, args)
	}
	v = e.notKnown(n, !pureModules[mod], "calls %s", called)
	e.needBeam(v.data.(unknown).reason)
	return v
}

func (e *evaluator) reasonFor(n *syntax.Node, what string) string {
	return what + " at line " + strconv.Itoa(e.line(n.Span.Start))
}

// pureModules are those whose functions change nothing.
var pureModules = names(`Enum String Keyword Map List Integer Atom Float Kernel Macro Tuple MapSet Range Regex URI Base Path Access Module
	Date Time DateTime NaiveDateTime Calendar Decimal Ecto.UUID UUID Jason Version System Application Code Bitwise Stream crypto erlang
	maps lists binary unicode string calendar os timer Ecto.Query Function Inspect StringIO Mix Config Date.Range`)

// isRepo reports whether a module looks like an Ecto repository.
func isRepo(mod string) bool {
	last := mod[strings.LastIndexByte(mod, '.')+1:]
	return strings.HasSuffix(last, "Repo") || mod == "Ecto.Adapters.SQL"
}

// system evaluates the environment, where it was opted in.
func (e *evaluator) system(n *syntax.Node, name string, args []value) (value, bool) {
	if name != "get_env" && name != "fetch_env!" || len(args) == 0 {
		return value{}, false
	}
	key, ok := args[0].string()
	if !ok || e.env == nil {
		return value{}, false
	}
	if v, ok := e.env(key); ok {
		t := newText(v, n.Span)
		t.data.(*text).variable = key
		return t, true
	}
	if len(args) > 1 {
		return args[1], true
	}
	if name == "fetch_env!" {
		v := e.notKnown(n, false, "reads %s, which is not set,", key)
		u := v.data.(unknown)
		u.variable = key
		v.data = u
		return v, true
	}
	return value{atomNil, n.Span}, true
}

func timer(name string, args []value, span source.Span) (value, bool) {
	scale := map[string]int64{"seconds": 1000, "minutes": 60_000, "hours": 3_600_000}[name]
	if scale == 0 || len(args) != 1 {
		return value{}, false
	}
	n, ok := args[0].data.(*big.Int)
	if !ok {
		return value{}, false
	}
	return value{new(big.Int).Mul(n, big.NewInt(scale)), span}, true
}

func (e *evaluator) conversions(n *syntax.Node, mod, name string, args []value) (value, bool) {
	if len(args) == 0 {
		return value{}, false
	}
	span := n.Span
	switch mod + "." + name {
	case "Integer.to_string", "Atom.to_string", "Float.to_string", "Kernel.to_string":
		if len(args) != 1 {
			return value{}, false
		}
		if s, ok := e.toString(args[0]); ok {
			return newText(s, args[0].span), true
		}
	case "Integer.parse":
		return value{}, false
	case "Macro.underscore":
		if s, ok := args[0].name(); ok {
			return newText(underscore(strings.TrimPrefix(s, modulePrefix)), span), true
		}
	}
	if mod == "Kernel" {
		return e.kernel(&callSite{name: name, node: n, whole: n, args: args})
	}
	return value{}, false
}

// enum calls the functions of Enum that migrations use.
func (e *evaluator) enum(n *syntax.Node, name string, args []value) (value, bool) {
	if len(args) == 0 {
		return value{}, false
	}
	span := n.Span
	items, ok := e.enumerate(args[0])
	if !ok {
		// A loop over something unknown does something unknown.
		if len(args) > 1 {
			if _, fn := args[1].data.(*closure); fn {
				return e.notKnown(n, true, "loops over a value that is not known"), true
			}
		}
		return value{}, false
	}
	each := func(f func(i int, v value)) {
		for i, it := range items {
			e.step()
			f(i, it)
		}
	}
	var out []value
	switch name {
	case "each", "map", "flat_map", "filter", "reject", "any?", "all?", "find", "map_join", "sort_by", "group_by", "into", "reduce", "with_index", "uniq_by":
	default:
		return e.enumPlain(n, name, items, args)
	}
	if len(args) == 1 {
		switch name {
		case "with_index":
			each(func(i int, v value) { out = append(out, value{&tuple{[]value{v, integer(int64(i), v.span)}}, v.span}) })
			return newList(out, span), true
		case "any?", "all?":
			hit := name == "all?"
			each(func(_ int, v value) {
				if v.truthy() != (name == "all?") {
					hit = name == "any?"
				}
			})
			return boolean(hit, span), true
		}
		return value{}, false
	}
	switch name {
	case "with_index":
		offset, ok := args[1].int()
		if !ok {
			return value{}, false
		}
		each(func(i int, v value) {
			out = append(out, value{&tuple{[]value{v, integer(int64(i)+offset, v.span)}}, v.span})
		})
		return newList(out, span), true
	case "each":
		each(func(_ int, v value) { e.apply(args[1], []value{v}, n) })
		return value{atomOK, span}, true
	case "map":
		each(func(_ int, v value) { out = append(out, e.apply(args[1], []value{v}, n)) })
		return newList(out, span), true
	case "flat_map":
		for _, it := range items {
			more, ok := e.apply(args[1], []value{it}, n).list()
			if !ok {
				return value{}, false
			}
			out = append(out, more...)
			if len(out) > maxItems {
				panic(&tooMuch{"builds a list that is too long"})
			}
		}
		return newList(out, span), true
	case "filter", "reject", "find", "any?", "all?":
		for _, it := range items {
			keep := e.apply(args[1], []value{it}, n)
			if keep.isUnknown() {
				return e.notKnown(n, true, "chooses by a value that is not known"), true
			}
			yes := keep.truthy()
			switch {
			case name == "find" && yes:
				return it, true
			case name == "any?" && yes:
				return boolean(true, span), true
			case name == "all?" && !yes:
				return boolean(false, span), true
			case name == "filter" && yes, name == "reject" && !yes:
				out = append(out, it)
			}
		}
		switch name {
		case "find":
			return value{atomNil, span}, true
		case "any?":
			return boolean(false, span), true
		case "all?":
			return boolean(true, span), true
		}
		return newList(out, span), true
	case "map_join":
		if len(args) != 3 {
			return value{}, false
		}
		each(func(_ int, v value) { out = append(out, e.apply(args[2], []value{v}, n)) })
		return e.join(out, args[1], span)
	case "reduce":
		if len(args) != 3 {
			return value{}, false
		}
		acc := args[1]
		each(func(_ int, v value) { acc = e.apply(args[2], []value{v, acc}, n) })
		return acc, true
	case "into":
		m, ok := args[1].data.(*mapping)
		if !ok {
			return value{}, false
		}
		for _, it := range items {
			t, ok := it.data.(*tuple)
			if !ok || len(t.items) != 2 {
				return value{}, false
			}
			m = m.put(t.items[0], t.items[1])
		}
		return value{m, span}, true
	}
	return value{}, false
}

// join joins texts, each keeping the place it came from.
func (e *evaluator) join(items []value, separator value, span source.Span) (value, bool) {
	sep, ok := separator.data.(*text)
	if !ok {
		return value{}, false
	}
	joined := &text{}
	for i, it := range items {
		if i > 0 {
			joined = concat(joined, sep)
		}
		t, ok := it.data.(*text)
		if !ok {
			s, ok := e.toString(it)
			if !ok {
				return value{}, false
			}
			t = newText(s, it.span).data.(*text)
		}
		joined = concat(joined, t)
	}
	return value{joined, span}, true
}

// enumPlain calls the functions of Enum that take no function.
func (e *evaluator) enumPlain(n *syntax.Node, name string, items, args []value) (value, bool) {
	span := n.Span
	if name == "join" {
		sep := newText("", span)
		if len(args) > 1 {
			sep = args[1]
		}
		return e.join(items, sep, span)
	}
	switch name {
	case "to_list":
		return newList(items, span), true
	case "count":
		if len(args) == 1 {
			return integer(int64(len(items)), span), true
		}
		return value{}, false
	case "reverse":
		out := make([]value, len(items))
		for i, it := range items {
			out[len(items)-1-i] = it
		}
		return newList(out, span), true
	case "concat":
		if len(args) == 2 {
			more, ok := e.enumerate(args[1])
			if !ok {
				return value{}, false
			}
			return newList(append(append([]value(nil), items...), more...), span), true
		}
		var out []value
		for _, it := range items {
			more, ok := e.enumerate(it)
			if !ok {
				return value{}, false
			}
			out = append(out, more...)
		}
		return newList(out, span), true
	case "zip":
		if len(args) != 2 {
			return value{}, false
		}
		other, ok := e.enumerate(args[1])
		if !ok {
			return value{}, false
		}
		var out []value
		for i := range min(len(items), len(other)) {
			out = append(out, value{&tuple{[]value{items[i], other[i]}}, items[i].span})
		}
		return newList(out, span), true
	case "empty?":
		return boolean(len(items) == 0, span), true
	}
	if _, unknown := firstUnknown(args); unknown {
		return value{}, false
	}
	switch name {
	case "sort", "uniq", "dedup":
		if len(args) > 1 {
			return value{}, false
		}
		out := append([]value(nil), items...)
		if name == "sort" {
			sort.SliceStable(out, func(i, j int) bool { return compare(out[i], out[j]) < 0 })
			return newList(out, span), true
		}
		out = nil
		for _, it := range items {
			seen := false
			from := 0
			if name == "dedup" {
				from = max(0, len(out)-1)
			}
			for _, o := range out[from:] {
				if equal(o, it) {
					seen = true
				}
			}
			if !seen {
				out = append(out, it)
			}
			e.step()
		}
		return newList(out, span), true
	case "member?":
		for _, it := range items {
			if len(args) > 1 && equal(it, args[1]) {
				return boolean(true, span), true
			}
		}
		return boolean(false, span), true
	case "at", "take", "drop", "chunk_every", "intersperse":
		if len(args) != 2 {
			return value{}, false
		}
		return enumCounted(name, items, args[1], span)
	case "sum":
		sum := integer(0, span)
		for _, it := range items {
			var ok bool
			if sum, ok = arithmetic("+", sum, it, span); !ok {
				return value{}, false
			}
		}
		return sum, true
	case "max", "min":
		if len(items) == 0 || len(args) > 1 {
			return value{}, false
		}
		best := items[0]
		for _, it := range items[1:] {
			if (compare(it, best) > 0) == (name == "max") {
				best = it
			}
		}
		return best, true
	}
	return value{}, false
}

func enumCounted(name string, items []value, arg value, span source.Span) (value, bool) {
	if name == "intersperse" {
		var out []value
		for i, it := range items {
			if i > 0 {
				out = append(out, arg)
			}
			out = append(out, it)
		}
		return newList(out, span), true
	}
	c, ok := arg.int()
	if !ok {
		return value{}, false
	}
	switch name {
	case "at":
		if c < 0 {
			c += int64(len(items))
		}
		if c < 0 || c >= int64(len(items)) {
			return value{atomNil, span}, true
		}
		return items[c], true
	case "take", "drop":
		if c < 0 {
			return value{}, false
		}
		c = min(c, int64(len(items)))
		if name == "take" {
			return newList(items[:c], span), true
		}
		return newList(items[c:], span), true
	case "chunk_every":
		if c <= 0 {
			return value{}, false
		}
		var out []value
		for len(items) > 0 {
			k := min(int(c), len(items))
			out = append(out, newList(items[:k], span))
			items = items[k:]
		}
		return newList(out, span), true
	}
	return value{}, false
}

// stringModule calls the functions of String that migrations use.
func stringModule(name string, args []value, span source.Span) (value, bool) {
	if len(args) == 0 {
		return value{}, false
	}
	s, ok := args[0].string()
	if !ok {
		return value{}, false
	}
	argument := func(i int) (string, bool) {
		if i >= len(args) {
			return "", false
		}
		return args[i].string()
	}
	result := func(r string) (value, bool) { return newText(r, span), true }
	if len(args) == 1 {
		switch name {
		case "upcase":
			return result(strings.ToUpper(s))
		case "downcase":
			return result(strings.ToLower(s))
		case "capitalize":
			_, n := utf8.DecodeRuneInString(s)
			return result(strings.ToUpper(s[:n]) + strings.ToLower(s[n:]))
		case "trim", "trim_leading", "trim_trailing":
			t := args[0].data.(*text)
			start, end := 0, len(s)
			if name != "trim_trailing" {
				start = len(s) - len(strings.TrimLeft(s, " \t\r\n\v\f"))
			}
			if name != "trim_leading" {
				end = max(start, len(strings.TrimRight(s, " \t\r\n\v\f")))
			}
			return value{&text{Fragment: t.Slice(source.Span{Start: start, End: end}), quote: t.quote}, span}, true
		case "to_atom", "to_existing_atom":
			return value{atom(s), span}, true
		case "to_integer":
			i, ok := new(big.Int).SetString(s, 10)
			return value{i, span}, ok
		case "length":
			return integer(int64(utf8.RuneCountInString(s)), span), true
		case "reverse":
			r := []rune(s)
			for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
				r[i], r[j] = r[j], r[i]
			}
			return result(string(r))
		case "split":
			var out []value
			for _, w := range strings.Fields(s) {
				out = append(out, newText(w, span))
			}
			return newList(out, span), true
		}
		return value{}, false
	}
	a, ok := argument(1)
	switch name {
	case "duplicate":
		n, ok := args[1].int()
		if !ok || n < 0 || n*int64(len(s)) > maxBytes {
			return value{}, false
		}
		return result(strings.Repeat(s, int(n)))
	case "starts_with?":
		return boolean(strings.HasPrefix(s, a), span), ok
	case "ends_with?":
		return boolean(strings.HasSuffix(s, a), span), ok
	case "contains?":
		return boolean(strings.Contains(s, a), span), ok
	case "split":
		if !ok || a == "" || len(args) > 2 {
			return value{}, false
		}
		var out []value
		for _, w := range strings.Split(s, a) {
			out = append(out, newText(w, span))
		}
		return newList(out, span), true
	case "replace":
		b, ok2 := argument(2)
		if !ok || !ok2 || len(args) > 3 || a == "" {
			return value{}, false
		}
		if len(s) > 0 && (len(s)/len(a)+1)*len(b) > maxBytes {
			return value{}, false
		}
		return result(strings.ReplaceAll(s, a, b))
	case "trim_leading":
		return newText(trimAll(s, a, strings.CutPrefix), span), ok
	case "trim_trailing":
		return newText(trimAll(s, a, strings.CutSuffix), span), ok
	case "replace_prefix", "replace_suffix":
		b, ok2 := argument(2)
		if !ok || !ok2 {
			return value{}, false
		}
		if rest, cut := strings.CutPrefix(s, a); cut && name == "replace_prefix" {
			return result(b + rest)
		}
		if rest, cut := strings.CutSuffix(s, a); cut && name == "replace_suffix" {
			return result(rest + b)
		}
		return result(s)
	case "pad_leading":
		n, ok := args[1].int()
		fill := " "
		if f, ok := argument(2); ok {
			fill = f
		}
		if !ok || len(fill) != 1 || n > 10_000 {
			return value{}, false
		}
		return result(strings.Repeat(fill, max(0, int(n)-utf8.RuneCountInString(s))) + s)
	}
	return value{}, false
}

func trimAll(s, cut string, f func(s, cut string) (string, bool)) string {
	for cut != "" {
		rest, ok := f(s, cut)
		if !ok {
			break
		}
		s = rest
	}
	return s
}

func listModule(name string, args []value, span source.Span) (value, bool) {
	if len(args) == 0 {
		return value{}, false
	}
	if name == "wrap" {
		if _, ok := args[0].list(); ok {
			return args[0], true
		}
		if args[0].isUnknown() {
			return value{}, false
		}
		if args[0].isNil() {
			return newList(nil, span), true
		}
		return newList(args[:1], span), true
	}
	items, ok := args[0].list()
	if !ok {
		return value{}, false
	}
	switch name {
	case "first", "last":
		if len(items) == 0 {
			return value{atomNil, span}, true
		}
		if name == "first" {
			return items[0], true
		}
		return items[len(items)-1], true
	case "to_tuple":
		return value{&tuple{items}, span}, true
	case "flatten":
		var out []value
		var flat func(items []value)
		flat = func(items []value) {
			for _, it := range items {
				if inner, ok := it.list(); ok {
					flat(inner)
					continue
				}
				out = append(out, it)
			}
		}
		flat(items)
		return newList(out, span), true
	case "delete":
		if len(args) == 2 && args[1].known() {
			for i, it := range items {
				if equal(it, args[1]) {
					return newList(append(append([]value(nil), items[:i]...), items[i+1:]...), span), true
				}
			}
			return args[0], true
		}
	}
	return value{}, false
}

// keyed calls the functions that Keyword and Map share.
func (e *evaluator) keyed(n *syntax.Node, mod, name string, args []value) (value, bool) {
	span := n.Span
	if name == "new" && len(args) == 0 {
		if mod == "Map" {
			return value{&mapping{}, span}, true
		}
		return newList(nil, span), true
	}
	if len(args) == 0 {
		return value{}, false
	}
	var pairs []pair
	switch d := args[0].data.(type) {
	case *mapping:
		pairs = d.pairs
	default:
		kw, ok := args[0].keywords()
		if !ok {
			return value{}, false
		}
		pairs = kw
	}
	build := func(pairs []pair) value {
		if mod == "Map" {
			m := &mapping{}
			for _, p := range pairs {
				m = m.put(p.key, p.value)
			}
			return value{m, span}
		}
		items := make([]value, len(pairs))
		for i, p := range pairs {
			items[i] = value{&tuple{[]value{p.key, p.value}}, p.key.span.Union(p.value.span)}
		}
		return newList(items, span)
	}
	find := func(key value) (value, bool) {
		for _, p := range pairs {
			if equal(p.key, key) {
				return p.value, true
			}
		}
		return value{}, false
	}
	without := func(key value) []pair {
		var out []pair
		for _, p := range pairs {
			if !equal(p.key, key) {
				out = append(out, p)
			}
		}
		return out
	}
	switch name {
	case "new":
		return build(pairs), true
	case "keys", "values":
		var out []value
		ordered := pairs
		if m, ok := args[0].data.(*mapping); ok {
			ordered = m.sorted()
		}
		for _, p := range ordered {
			if name == "keys" {
				out = append(out, p.key)
			} else {
				out = append(out, p.value)
			}
		}
		return newList(out, span), true
	case "to_list":
		items, ok := e.enumerate(args[0])
		return newList(items, span), ok
	}
	if len(args) < 2 || args[1].isUnknown() {
		return value{}, false
	}
	switch name {
	case "get", "fetch!":
		if v, ok := find(args[1]); ok {
			return v, true
		}
		if name == "fetch!" {
			throw("KeyError", "key "+inspect(args[1])+" not found in: "+inspect(args[0]), span)
		}
		if len(args) > 2 {
			return args[2], true
		}
		return value{atomNil, span}, true
	case "has_key?":
		_, ok := find(args[1])
		return boolean(ok, span), true
	case "delete":
		return build(without(args[1])), true
	case "put", "put_new":
		if len(args) != 3 {
			return value{}, false
		}
		if _, ok := find(args[1]); ok && name == "put_new" {
			return args[0], true
		}
		if mod == "Map" {
			return build(append(append([]pair(nil), pairs...), pair{args[1], args[2]})), true
		}
		return build(append([]pair{{args[1], args[2]}}, without(args[1])...)), true
	case "merge":
		if len(args) != 2 {
			return value{}, false
		}
		var more []pair
		if m, ok := args[1].data.(*mapping); ok {
			more = m.pairs
		} else if kw, ok := args[1].keywords(); ok {
			more = kw
		} else {
			return value{}, false
		}
		return build(mergePairs(pairs, more)), true
	case "take", "drop":
		keys, ok := args[1].list()
		if !ok {
			return value{}, false
		}
		var out []pair
		for _, p := range pairs {
			in := false
			for _, k := range keys {
				in = in || equal(k, p.key)
			}
			if in == (name == "take") {
				out = append(out, p)
			}
		}
		return build(out), true
	}
	return value{}, false
}

// mergePairs is Keyword.merge: what b does not name, in order, then b.
func mergePairs(a, b []pair) []pair {
	var out []pair
	for _, p := range a {
		named := false
		for _, q := range b {
			named = named || equal(p.key, q.key)
		}
		if !named {
			out = append(out, p)
		}
	}
	return append(out, b...)
}
