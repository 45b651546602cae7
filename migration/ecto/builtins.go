package ecto

import (
	"math/big"
	"strconv"
	"strings"

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
	case "Path":
		v, ok = pathModule(name, args, n.Span)
	case "File":
		v, ok = e.fileModule(n, name, args)
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
	v, set := e.env(key)
	if !e.config {
		if secretVariable(key) {
			return e.notKnown(n, false, "reads %s, which may be a secret and is not looked at,", key), true
		}
		fact := key + " is not set"
		if set {
			fact = key + " is set"
		}
		e.environment = append(e.environment, fact)
	}
	if set {
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

// secretVariable reports whether an environment variable sounds like one whose
// value must not appear in a preview or a finding.
func secretVariable(key string) bool {
	for _, word := range []string{"PASS", "SECRET", "TOKEN", "KEY", "CREDENTIAL", "URL", "DSN", "PWD"} {
		if strings.Contains(strings.ToUpper(key), word) {
			return true
		}
	}
	return false
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
