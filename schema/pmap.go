package schema

import "strings"

// A pmap is a persistent sorted map: set and delete return a new map that
// shares almost everything with the old one, so that one catalog per migration
// of a long history costs only what each migration changed. It is a treap
// whose priorities are hashes of the keys; its shape does not depend on the
// order of insertion. The zero value is empty.
type pmap[V any] struct {
	root *pnode[V]
}

type pnode[V any] struct {
	key         Ref
	prio        uint32
	val         V
	left, right *pnode[V]
}

func (r Ref) compare(o Ref) int {
	if r.Schema != o.Schema {
		return strings.Compare(r.Schema, o.Schema)
	}
	return strings.Compare(r.Name, o.Name)
}

func (r Ref) hash() uint32 {
	// FNV-1a of both names.
	x := uint32(2166136261)
	for i := range len(r.Schema) {
		x = (x ^ uint32(r.Schema[i])) * 16777619
	}
	x *= 16777619
	for i := range len(r.Name) {
		x = (x ^ uint32(r.Name[i])) * 16777619
	}
	// A final mix: the high bits decide the shape.
	x ^= x >> 16
	x *= 0x7feb352d
	x ^= x >> 15
	return x
}

func (m pmap[V]) get(key Ref) (V, bool) {
	for n := m.root; n != nil; {
		switch c := key.compare(n.key); {
		case c < 0:
			n = n.left
		case c > 0:
			n = n.right
		default:
			return n.val, true
		}
	}
	var zero V
	return zero, false
}

func (m pmap[V]) set(key Ref, val V) pmap[V] {
	m.root = insert(m.root, key, key.hash(), val)
	return m
}

func insert[V any](n *pnode[V], key Ref, prio uint32, val V) *pnode[V] {
	if n == nil {
		return &pnode[V]{key: key, prio: prio, val: val}
	}
	c := key.compare(n.key)
	if c == 0 {
		copied := *n
		copied.val = val
		return &copied
	}
	if prio > n.prio {
		left, right := split(n, key)
		return &pnode[V]{key: key, prio: prio, val: val, left: left, right: right}
	}
	copied := *n
	if c < 0 {
		copied.left = insert(n.left, key, prio, val)
	} else {
		copied.right = insert(n.right, key, prio, val)
	}
	return &copied
}

// split cuts a treap that does not hold key into the keys before and after it.
func split[V any](n *pnode[V], key Ref) (before, after *pnode[V]) {
	if n == nil {
		return nil, nil
	}
	copied := *n
	if key.compare(n.key) < 0 {
		before, copied.left = split(n.left, key)
		return before, &copied
	}
	copied.right, after = split(n.right, key)
	return &copied, after
}

func (m pmap[V]) delete(key Ref) pmap[V] {
	if _, ok := m.get(key); !ok {
		return m
	}
	m.root = remove(m.root, key)
	return m
}

func remove[V any](n *pnode[V], key Ref) *pnode[V] {
	copied := *n
	switch c := key.compare(n.key); {
	case c < 0:
		copied.left = remove(n.left, key)
	case c > 0:
		copied.right = remove(n.right, key)
	default:
		return merge(n.left, n.right)
	}
	return &copied
}

func merge[V any](a, b *pnode[V]) *pnode[V] {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case a.prio > b.prio:
		copied := *a
		copied.right = merge(a.right, b)
		return &copied
	default:
		copied := *b
		copied.left = merge(a, b.left)
		return &copied
	}
}

// all calls yield for every entry in key order until it returns false.
func (m pmap[V]) all(yield func(Ref, V) bool) { walk(m.root, yield) }

func walk[V any](n *pnode[V], yield func(Ref, V) bool) bool {
	return n == nil || walk(n.left, yield) && yield(n.key, n.val) && walk(n.right, yield)
}

// from calls yield for every entry whose key is not before start, in key order,
// until it returns false.
func (m pmap[V]) from(start Ref, yield func(Ref, V) bool) { walkFrom(m.root, start, yield) }

func walkFrom[V any](n *pnode[V], start Ref, yield func(Ref, V) bool) bool {
	if n == nil {
		return true
	}
	if n.key.compare(start) < 0 {
		return walkFrom(n.right, start, yield)
	}
	return walkFrom(n.left, start, yield) && yield(n.key, n.val) && walk(n.right, yield)
}
