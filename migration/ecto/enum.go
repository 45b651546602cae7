package ecto

import (
	"sort"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration/ecto/internal/syntax"
)

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
