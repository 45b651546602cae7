package ecto

import (
	"strings"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration/ecto/internal/syntax"
)

// A module is what stands in one defmodule.
type module struct {
	name string
	// head is the defmodule, up to its name.
	head source.Span
	span source.Span
	// uses are its `use` calls, in order; first the one that makes it a
	// migration.
	use        *syntax.Node
	attributes []*attribute
	functions  []*function
	aliases    map[string]string
	// imports are the modules whose functions are imported or `use`d beside
	// Ecto.Migration: a call that is not defined here may be one of theirs.
	imports []string
	// dynamic says what may define functions that cannot be seen: a `use`, or
	// code in the body of the module.
	dynamic string
}

type attribute struct {
	name  string
	value *syntax.Node
	span  source.Span
	busy  bool // its value is being evaluated
}

// A function is one clause of a def.
type function struct {
	name    string
	private bool
	args    []*syntax.Node
	guard   *syntax.Node
	body    []*syntax.Node
	// defaults is the number of arguments with a default value.
	defaults int
	// rescue is set when the body has rescue, after, catch or else.
	rescue bool
	span   source.Span
	head   *syntax.Node
}

func (m *module) has(name string, arity int) bool {
	for _, f := range m.functions {
		if f.name == name && arity <= len(f.args) && arity >= len(f.args)-f.defaults {
			return true
		}
	}
	return false
}

// function returns the first clause of a function.
func (m *module) function(name string, arity int) *function {
	for _, f := range m.functions {
		if f.name == name && len(f.args) == arity {
			return f
		}
	}
	return nil
}

// attribute returns the last definition of an attribute, or nil.
func (m *module) attribute(name string) *attribute {
	for i := len(m.attributes) - 1; i >= 0; i-- {
		if m.attributes[i].name == name {
			return m.attributes[i]
		}
	}
	return nil
}

// imported is the reason a call cannot be resolved, or "" when the module is
// closed: whatever is not defined in it does not exist.
func (m *module) imported() string { return strings.Join(m.imports, ", ") }

// findModule returns the first migration of a file. A half-typed file whose
// defmodule was lost to an error is found by its `use`.
func findModule(text string, root *syntax.Node, isMigration func(name string) bool) *module {
	var found *module
	var walk func(n *syntax.Node, head *syntax.Node, name string)
	walk = func(n *syntax.Node, head *syntax.Node, name string) {
		for i, k := range n.Kids {
			if found != nil {
				return
			}
			if k.Kind != syntax.Call || len(k.Kids) == 0 {
				if k.Kind == syntax.Error && n.Kind == syntax.Source && i > 0 && head == nil {
					// `defmodule V` stands before the error that swallowed its block.
					if prev := n.Kids[i-1]; callee(text, prev) == "defmodule" {
						walk(k, prev, moduleName(text, prev))
						continue
					}
				}
				walk(k, head, name)
				continue
			}
			switch callee(text, k) {
			case "use":
				if target := argument(k, 0); target != nil && isMigration(target.Span.Of(text)) {
					found = readModule(text, n.Kids, k)
					if wrapper := target.Span.Of(text); wrapper != "Ecto.Migration" {
						found.imports = append(found.imports, "use "+wrapper)
					}
					found.name = name
					found.span = n.Span
					if head != nil {
						found.head = source.Span{Start: head.Span.Start, End: head.Span.Start + len("defmodule")}
						if a := head.Kid(syntax.Arguments); a != nil {
							found.head.End = a.Span.End
						}
						if n.Kind == syntax.DoBlock {
							found.span = head.Span
						}
					}
					return
				}
			case "defmodule":
				inner := moduleName(text, k)
				if name != "" && inner != "" {
					inner = name + "." + inner
				}
				if do := k.Kid(syntax.DoBlock); do != nil {
					walk(do, k, inner)
				}
			case "def", "defp", "defmacro", "defmacrop":
			default:
				walk(k, head, name)
			}
		}
	}
	walk(root, nil, "")
	return found
}

func moduleName(text string, n *syntax.Node) string {
	if a := argument(n, 0); a != nil && a.Kind == syntax.Alias {
		return strings.TrimPrefix(a.Span.Of(text), modulePrefix)
	}
	return ""
}

// callee is the name of the local function that a call calls, or "".
func callee(text string, n *syntax.Node) string {
	if n.Kind == syntax.Call && len(n.Kids) > 0 && n.Kids[0].Kind == syntax.Identifier {
		return n.Kids[0].Span.Of(text)
	}
	return ""
}

// argument returns the i-th argument of a call, or nil.
func argument(n *syntax.Node, i int) *syntax.Node {
	args := n.Kid(syntax.Arguments)
	if args == nil || i >= len(args.Kids) {
		return nil
	}
	return args.Kids[i]
}

// readModule gathers what is defined between the nodes of a module's block.
func readModule(text string, nodes []*syntax.Node, use *syntax.Node) *module {
	m := &module{use: use, aliases: map[string]string{}}
	var gather func(nodes []*syntax.Node, depth int)
	gather = func(nodes []*syntax.Node, depth int) {
		for _, n := range nodes {
			switch n.Kind {
			case syntax.Unary:
				if n.Op != "@" || len(n.Kids) == 0 || n.Kids[0].Kind != syntax.Call {
					continue
				}
				name := callee(text, n.Kids[0])
				if v := argument(n.Kids[0], 0); name != "" && v != nil {
					m.attributes = append(m.attributes, &attribute{name: name, value: v, span: n.Span})
				}
			case syntax.Call:
				m.declare(text, n, use)
			case syntax.Error:
				// What stands in an error is still what the author is typing:
				// the definitions in it are read.
				if depth < 3 {
					gather(n.Kids, depth+1)
				}
			}
		}
	}
	gather(nodes, 0)
	return m
}

func (m *module) declare(text string, n *syntax.Node, use *syntax.Node) {
	switch callee(text, n) {
	case "def", "defp":
		if f := readFunction(text, n); f != nil {
			m.functions = append(m.functions, f)
		}
	case "alias":
		target := argument(n, 0)
		if target == nil || target.Kind != syntax.Alias {
			return
		}
		full := target.Span.Of(text)
		short := full[strings.LastIndexByte(full, '.')+1:]
		if kw := argument(n, 1); kw != nil && kw.Kind == syntax.Keywords {
			for _, p := range kw.Kids {
				if len(p.Kids) == 2 && strings.HasPrefix(p.Kids[0].Span.Of(text), "as:") {
					short = p.Kids[1].Span.Of(text)
				}
			}
		}
		m.aliases[short] = full
	case "import", "use", "require", "defmacro", "defmacrop", "defdelegate", "defguard", "defguardp":
		if n == use {
			return
		}
		name := callee(text, n)
		if a := argument(n, 0); a != nil {
			name += " " + a.Span.Of(text)
		}
		if name != "import Ecto.Migration" && !strings.HasPrefix(name, "require") {
			m.imports = append(m.imports, name)
			if c := callee(text, n); c == "use" || c == "defdelegate" {
				m.dynamic = name
			}
		}
	case "if", "unless", "for", "case", "cond", "unquote", "with":
		m.dynamic = callee(text, n)
	default:
		// A macro may define functions. One without a module in front must come
		// from an import; without any, it is a word half typed.
		if name := calleeSpan(n).Of(text); callee(text, n) == "" || len(m.imports) > 0 {
			m.dynamic = name
		}
	}
}

func readFunction(text string, n *syntax.Node) *function {
	args := n.Kid(syntax.Arguments)
	if args == nil || len(args.Kids) == 0 {
		return nil
	}
	f := &function{span: n.Span, private: callee(text, n) == "defp", head: args.Kids[0]}
	head := args.Kids[0]
	if head.Kind == syntax.Binary && head.Op == "when" && len(head.Kids) == 2 {
		f.guard, head = head.Kids[1], head.Kids[0]
	}
	switch head.Kind {
	case syntax.Identifier:
		f.name = head.Span.Of(text)
	case syntax.Call:
		f.name = callee(text, head)
		if a := head.Kid(syntax.Arguments); a != nil {
			f.args = a.Kids
		}
	}
	if f.name == "" {
		return nil
	}
	for _, a := range f.args {
		if a.Kind == syntax.Binary && a.Op == "\\\\" {
			f.defaults++
		}
	}
	if do := n.Kid(syntax.DoBlock); do != nil {
		for _, k := range do.Kids {
			switch k.Kind {
			case syntax.RescueBlock, syntax.AfterBlock, syntax.CatchBlock, syntax.ElseBlock:
				f.rescue = true
			default:
				f.body = append(f.body, k)
			}
		}
		return f
	}
	if v := keywordNode(text, args, "do"); v != nil {
		f.body = []*syntax.Node{v}
	}
	return f
}

// keywordNode returns the value of a key among the keyword arguments, or nil.
func keywordNode(text string, args *syntax.Node, key string) *syntax.Node {
	if args == nil {
		return nil
	}
	for _, a := range args.Kids {
		if a.Kind != syntax.Keywords {
			continue
		}
		for _, p := range a.Kids {
			if len(p.Kids) == 2 && strings.TrimRight(p.Kids[0].Span.Of(text), " \t\r\n") == key+":" {
				return p.Kids[1]
			}
		}
	}
	return nil
}
