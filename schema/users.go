package schema

import (
	"iter"
	"unsafe"
)

// Users are the relations that name a relation: views that read it, tables
// whose foreign keys point at it (it may be one itself), its partitions; in the
// order of their names.
func (c *Catalog) Users(of Ref) iter.Seq[*Relation] {
	return func(yield func(*Relation) bool) {
		if c == nil {
			return
		}
		users, _ := c.users.get(of)
		users.all(func(u Ref, _ struct{}) bool {
			r := c.Lookup(u)
			return r == nil || yield(r)
		})
	}
}

// named calls yield for every relation that a relation names, some twice.
func (r *Relation) named(yield func(Ref)) {
	if r == nil {
		return
	}
	if r.PartitionOf != (Ref{}) {
		yield(r.PartitionOf)
	}
	for _, f := range r.From {
		yield(f)
	}
	for _, con := range r.Constraints {
		if con.Ref != (Ref{}) {
			yield(con.Ref)
		}
	}
}

// namesTheSame reports whether two states of a relation name the same ones for
// sure; it does not look long.
func namesTheSame(a, b *Relation) bool {
	return a != nil && b != nil && a.PartitionOf == b.PartitionOf && sameSlice(a.From, b.From) && sameSlice(a.Constraints, b.Constraints)
}

func sameSlice[T any](a, b []T) bool {
	return len(a) == len(b) && unsafe.SliceData(a) == unsafe.SliceData(b)
}

// put adds or replaces a relation.
func (c *Catalog) put(r *Relation) {
	old, _ := c.relations.get(r.Ref)
	c.relations = c.relations.set(r.Ref, r)
	if namesTheSame(old, r) {
		return
	}
	r.named(func(to Ref) {
		users, _ := c.users.get(to)
		if _, ok := users.get(r.Ref); !ok {
			c.users = c.users.set(to, users.set(r.Ref, struct{}{}))
		}
	})
	c.unname(old, r)
}

// remove takes a relation away.
func (c *Catalog) remove(r *Relation) {
	c.relations = c.relations.delete(r.Ref)
	c.unname(r, nil)
}

// unname takes a relation from the users of those that its new state does not
// name any more.
func (c *Catalog) unname(old, now *Relation) {
	old.named(func(to Ref) {
		still := false
		now.named(func(n Ref) { still = still || n == to })
		if still {
			return
		}
		users, _ := c.users.get(to)
		if users = users.delete(old.Ref); users.root == nil {
			c.users = c.users.delete(to)
		} else {
			c.users = c.users.set(to, users)
		}
	})
}
