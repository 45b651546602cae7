package ecto

import (
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration/ecto/internal/syntax"
)

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
