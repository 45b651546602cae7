package schema

import (
	"iter"
	"regexp"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/migration"
)

// A Difference is an object that is there after up and down and was not
// before, or the other way round.
type Difference struct {
	// Object says what it is, as "table orders" or "column orders.state".
	Object string
	// Left is set for an object that up made and down leaves; else it is one
	// that was there before and is gone.
	Left bool
	// By is the statement that made or dropped it.
	By *migration.Statement
}

// A Change is one operation of a direction with the catalogs around it.
type Change struct {
	Direction     migration.Direction
	Statement     *migration.Statement
	Op            migration.Op
	Before, After *Catalog
}

// RoundTrip replays up and down of a migration by the names of what they make
// and drop, and returns what is not as it was before. What cannot be told for
// sure (IF EXISTS, DO blocks, names chosen by the server) is left out. known is
// false when a statement cannot be read.
func RoundTrip(m *migration.Migration, before *Catalog) (diffs []Difference, known bool) {
	return RoundTripOf(m, func(yield func(Change) bool) {
		c := before
		for _, d := range []migration.Direction{migration.Up, migration.Down} {
			for _, s := range m.Body(d).Statements() {
				at := &Origin{Migration: m, Direction: d, Statement: s}
				for _, op := range s.Ops() {
					next := c.Apply(at, op)
					if !yield(Change{d, s, op, c, next}) {
						return
					}
					c = next
				}
			}
		}
	})
}

// RoundTripOf is RoundTrip for one whose operations, those of up and then
// those of down, were applied already.
func RoundTripOf(m *migration.Migration, changes iter.Seq[Change]) (diffs []Difference, known bool) {
	for _, d := range []migration.Direction{migration.Up, migration.Down} {
		if slices.ContainsFunc(m.Body(d).Statements(), Unreadable) {
			return nil, false
		}
	}
	e := &effects{marks: map[markKey]*mark{}, made: map[Ref]bool{}}
	for c := range changes {
		e.by, e.down = c.Statement, c.Direction == migration.Down
		e.op(c.Op, c.Before, c.After)
	}
	return e.differences(), !e.lost
}

type markKey struct {
	kind  string
	table Ref // of a part of a relation
	name  Ref
}

// A mark is what is known of one object that the migration touches.
type mark struct {
	before, now bool
	// vague marks are never reported.
	vague bool
	// columns are those of an index or constraint, expr its other text.
	columns []string
	expr    string
	by      *migration.Statement
	order   int
}

type effects struct {
	marks map[markKey]*mark
	// made are the relations that up or down made and that are there: their
	// parts are not looked at.
	made map[Ref]bool
	// loose are the relations that lost a column and whose constraints are not
	// all known.
	loose map[Ref]bool
	by    *migration.Statement
	vague bool // inside a DO block
	down  bool // of the two directions
	lost  bool
	n     int
}

func (e *effects) touch(k markKey, before, now, vague bool) *mark {
	m, ok := e.marks[k]
	if !ok {
		e.n++
		m = &mark{before: before, order: e.n}
		e.marks[k] = m
	}
	m.now, m.by = now, e.by
	m.vague = m.vague || vague || e.vague
	return m
}

// create marks what an operation makes. What only down makes may have been
// there before up, which took it along without a word (the sequence of a
// column, the index behind a constraint).
func (e *effects) create(k markKey, vague bool) *mark {
	_, touched := e.marks[k]
	return e.touch(k, false, true, vague || e.down && !touched)
}

func (e *effects) drop(k markKey, vague bool) *mark { return e.touch(k, true, false, vague) }

// parts reports whether the parts of a relation are of interest.
func (e *effects) parts(n migration.Name) bool { return !e.made[RefOf(n)] }

func relationKey(r Ref) markKey { return markKey{kind: "relation", name: r} }

func part(kind string, table migration.Name, name string) markKey {
	return markKey{kind: kind, table: RefOf(table), name: Ref{Name: name}}
}

func (e *effects) op(op migration.Op, before, after *Catalog) {
	switch op := op.(type) {
	case *migration.CreateTable:
		if op.Temp {
			return
		}
		e.createRelation(op.Table, op.IfNotExists, before)
	case *migration.CreateView:
		if op.Temp {
			return
		}
		e.createRelation(op.View, op.IfNotExists || op.Replace, before)
	case *migration.AddColumn:
		if !e.parts(op.Table) {
			return
		}
		e.create(part("column", op.Table, op.Column.Name), op.IfNotExists)
		for i := range op.Column.Constraints {
			e.constraint(op.Table, &op.Column.Constraints[i], op.Column.Name, after, op.IfNotExists)
		}
	case *migration.DropColumn:
		if !e.parts(op.Table) {
			return
		}
		e.drop(part("column", op.Table, op.Column.Name), op.IfExists)
		word := regexp.MustCompile(`(?i)\b` + regexp.QuoteMeta(op.Column.Name) + `\b`)
		for k, m := range e.marks {
			if k.table == RefOf(op.Table) && (k.kind == "index" || k.kind == "constraint") && m.now {
				if slices.Contains(m.columns, op.Column.Name) || m.expr != "" && word.MatchString(m.expr) {
					m.now = false
				}
			}
		}
		e.fallWith(op, before, after)
		e.cascade(op.Cascade)
	case *migration.AddConstraint:
		if e.parts(op.Table) {
			e.constraint(op.Table, &op.Constraint, "", after, false)
		}
	case *migration.DropConstraint:
		if e.parts(op.Table) {
			e.drop(part("constraint", op.Table, op.Constraint.Name), op.IfExists)
		}
		e.cascade(op.Cascade)
	case *migration.AttachPartition:
		e.create(markKey{"partition", RefOf(op.Table), RefOf(op.Partition)}, false)
	case *migration.DetachPartition:
		e.drop(markKey{"partition", RefOf(op.Table), RefOf(op.Partition)}, false)
	case *migration.Rename:
		e.rename(op)
	case *migration.SetSchema:
		switch op.Kind {
		case "table", "view", "materialized view":
			e.move(RefOf(op.Object), Ref{op.Schema, op.Object.Name})
		default:
			e.drop(markKey{kind: op.Kind, name: RefOf(op.Object)}, false)
			e.create(markKey{kind: op.Kind, name: Ref{op.Schema, op.Object.Name}}, false)
		}
	case *migration.CreateIndex:
		if !e.parts(op.Table) {
			return
		}
		r := after.Relation(op.Table)
		if r == nil || len(r.Indexes) == 0 {
			return
		}
		i := r.Indexes[len(r.Indexes)-1]
		if !op.Index.IsZero() {
			if i = r.Index(op.Index.Name); i == nil {
				return // another relation has the name
			}
		}
		mk := e.create(markKey{"index", RefOf(op.Table), i.Ref}, op.IfNotExists || i.Guessed)
		mk.columns, mk.expr = append(i.ColumnKeys(), i.Include...), i.Where
		for _, k := range i.Keys {
			mk.expr += " " + k.Expr
		}
	case *migration.DropIndex:
		for _, n := range op.Indexes {
			table := Ref{}
			if _, r := before.Index(n); r != nil {
				table = r.Ref
				if e.made[table] {
					continue
				}
			}
			ref := RefOf(n)
			if k, m := e.index(ref); m != nil {
				e.drop(k, op.IfExists)
			} else {
				// The unnamed index of an expression may be meant.
				e.drop(markKey{"index", table, ref}, op.IfExists || e.anyGuessed())
			}
		}
		e.cascade(op.Cascade)
	case *migration.Drop:
		e.dropped(op, before)
	case *migration.CreateType:
		e.create(markKey{kind: "type", name: RefOf(op.Type)}, false)
	case *migration.CreateFunction:
		kind := "function"
		if op.Procedure {
			kind = "procedure"
		}
		k := markKey{kind: kind, name: RefOf(op.Function)}
		_, again := e.marks[k]
		e.create(k, op.Replace && before.Object(kind, op.Function) != nil || op.Replace && before.Taints() > 0 || again)
	case *migration.CreateTrigger:
		if e.parts(op.Table) {
			e.create(part("trigger", op.Table, op.Trigger.Name), op.Replace)
		}
	case *migration.Create:
		switch op.Kind {
		case "policy", "rule":
			if e.parts(op.Table) {
				e.create(part(op.Kind, op.Table, op.Object.Name), op.Replace)
			}
		case "schema":
			e.create(markKey{kind: "schema", name: Ref{Name: op.Object.Name}}, op.IfNotExists)
		case "sequence", "statistics", "publication":
			e.create(markKey{kind: op.Kind, name: RefOf(op.Object)}, op.IfNotExists)
		}
	case *migration.Policy:
		if op.Relation.IsZero() || !e.parts(op.Relation) {
			return
		}
		k := markKey{op.Kind + " policy", RefOf(op.Relation), Ref{}}
		vague := strings.Contains(strings.ToLower(callText(op.Call)), "exists")
		if op.Remove {
			e.drop(k, vague)
		} else {
			e.create(k, vague)
		}
	case *migration.Do:
		if op.Opaque != "" {
			e.lost = true
			return
		}
		was := e.vague
		e.vague = true
		for _, inner := range op.Ops {
			next := before.Apply(nil, inner.Op)
			e.op(inner.Op, before, next)
			before = next
		}
		e.vague = was
	case *migration.AlterSequence:
		// It falls with its table, whatever is said of it.
		if m := e.marks[markKey{kind: "sequence", name: RefOf(op.Sequence)}]; m != nil && op.Owned {
			m.vague = true
		}
	case *migration.TxControl:
		e.lost = e.lost || strings.HasPrefix(op.Verb, "rollback")
	case *migration.AlterColumnType, *migration.SetNotNull, *migration.SetDefault, *migration.ValidateConstraint,
		*migration.SetTableOptions, *migration.AlterTable, *migration.Reindex, *migration.AlterDomain, *migration.AlterEnum,
		*migration.Comment, *migration.Grant, *migration.Write, *migration.RefreshView, *migration.Set, *migration.LockTable,
		*migration.Maintain, *migration.Query, *migration.CallProcedure, *migration.CreateHypertable, *migration.AddDimension,
		*migration.Other:
		// makes and drops no object
	}
}

func callText(c migration.Call) string {
	var b strings.Builder
	for _, a := range c.Args {
		b.WriteString(a.Name + " ")
	}
	return b.String()
}

func (e *effects) createRelation(n migration.Name, guarded bool, before *Catalog) {
	ref := RefOf(n)
	if guarded && before.Lookup(ref) != nil && e.marks[relationKey(ref)] == nil {
		return // it is there
	}
	// A guard on a name that nothing made so far counts as making it only when
	// the whole history can be read.
	e.create(relationKey(ref), guarded && before.Taints() > 0)
	e.made[ref] = true
}

// fallWith marks the constraints that go with a dropped column: what up makes
// in their place may have the same name, and then down does not leave it
// behind. Those of a table that is not known whole cannot be told.
func (e *effects) fallWith(op *migration.DropColumn, before, after *Catalog) {
	was, is := before.Relation(op.Table), after.Relation(op.Table)
	if was == nil || is == nil || !before.Complete(was) {
		if e.loose == nil {
			e.loose = map[Ref]bool{}
		}
		e.loose[RefOf(op.Table)] = true
		return
	}
	for _, c := range was.Constraints {
		if is.Constraint(c.Name) == nil {
			m := e.drop(part("constraint", op.Table, c.Name), op.IfExists || c.Guessed)
			m.columns, m.expr = c.Columns, c.Expr
		}
	}
}

func (e *effects) constraint(table migration.Name, con *migration.Constraint, column string, after *Catalog, vague bool) {
	name := con.Name
	r := after.Relation(table)
	if r == nil {
		return
	}
	var c *Constraint
	if name == "" {
		for _, x := range r.Constraints { // the newest of its kind and columns
			if x.Kind == con.Kind && (column == "" || slices.Contains(x.Columns, column)) {
				c = x
			}
		}
	} else {
		c = r.Constraint(name)
	}
	if c == nil {
		return
	}
	m := e.create(part("constraint", table, c.Name), vague || c.Guessed || e.loose[RefOf(table)])
	m.columns, m.expr = c.Columns, c.Expr
}

// index finds the mark of an index by its name: indexes of one schema share
// their names, whatever the table.
func (e *effects) index(ref Ref) (markKey, *mark) {
	var key markKey
	var found *mark
	for k, m := range e.marks {
		// One that is there goes before one that a DROP IF EXISTS named.
		if k.kind == "index" && k.name == ref && (found == nil || m.now) {
			key, found = k, m
		}
	}
	return key, found
}

func (e *effects) anyGuessed() bool {
	for k, m := range e.marks {
		if k.kind == "index" && m.vague && m.now {
			return true
		}
	}
	return false
}

// cascade notes that a CASCADE may have taken anything along.
func (e *effects) cascade(yes bool) {
	if !yes {
		return
	}
	for _, m := range e.marks {
		if m.now && !m.before {
			m.vague = true
		}
	}
}

func (e *effects) dropped(op *migration.Drop, before *Catalog) {
	for _, n := range op.Names {
		ref := RefOf(n)
		switch op.Kind {
		case "table", "view", "materialized view", "foreign table":
			for _, p := range before.partitions(ref) { // they fall with their parent
				e.dropped(&migration.Drop{Kind: "table", Names: []migration.Name{{Schema: p.Schema, Name: p.Name}}}, before)
			}
			if r := before.Lookup(ref); r != nil && r.Temp {
				continue
			}
			e.drop(relationKey(ref), op.IfExists && !e.made[ref])
			delete(e.made, ref)
			for k, m := range e.marks {
				if k.table == ref {
					m.now = m.before // gone with the table, which is reported itself
					if k.kind == "partition" {
						m.now = false
					}
				} else if k.kind == "partition" && k.name == ref {
					m.now = false
				}
			}
		case "trigger", "policy", "rule":
			if e.parts(op.Table) {
				e.drop(part(op.Kind, op.Table, n.Name), op.IfExists)
			}
		case "schema":
			e.drop(markKey{kind: "schema", name: Ref{Name: n.Name}}, op.IfExists)
		case "domain":
			e.drop(markKey{kind: "type", name: ref}, op.IfExists)
		case "type", "function", "procedure", "sequence", "statistics", "publication":
			k := markKey{kind: op.Kind, name: ref}
			// A sequence that a serial column made has no mark of its own.
			e.drop(k, op.IfExists && e.marks[k] == nil)
		case "index":
			e.drop(markKey{kind: "index", name: ref}, true)
		}
	}
	e.cascade(op.Cascade)
}

func (e *effects) rename(op *migration.Rename) {
	ref := RefOf(op.Object)
	switch op.Kind {
	case "table", "view", "materialized view", "foreign table":
		e.move(ref, Ref{ref.Schema, op.To})
	case "column":
		if !e.parts(op.Object) {
			return
		}
		e.drop(part("column", op.Object, op.From), false)
		e.create(part("column", op.Object, op.To), false)
		for k, m := range e.marks {
			if k.table != ref {
				continue
			}
			m.columns = slices.Clone(m.columns)
			for i := range m.columns {
				if m.columns[i] == op.From {
					m.columns[i] = op.To
				}
			}
		}
	case "constraint", "trigger", "policy", "rule":
		if e.parts(op.Object) {
			e.drop(part(op.Kind, op.Object, op.From), false)
			e.create(part(op.Kind, op.Object, op.To), false)
		}
	case "index":
		table := Ref{}
		if k, m := e.index(ref); m != nil {
			table = k.table
		}
		e.drop(markKey{"index", table, ref}, false)
		e.create(markKey{"index", table, Ref{ref.Schema, op.To}}, false)
	case "type", "function", "procedure", "sequence":
		from := markKey{kind: op.Kind, name: ref}
		// A sequence that nothing made so far is one that a column made.
		vague := op.Kind == "sequence" && e.marks[from] == nil
		e.drop(from, vague)
		e.create(markKey{kind: op.Kind, name: Ref{ref.Schema, op.To}}, vague)
	case "domain":
		e.drop(markKey{kind: "type", name: ref}, false)
		e.create(markKey{kind: "type", name: Ref{ref.Schema, op.To}}, false)
	case "schema":
		e.lost = true
	}
}

// move renames a relation; the marks of its parts go with it.
func (e *effects) move(from, to Ref) {
	e.drop(relationKey(from), false)
	e.create(relationKey(to), false)
	if e.made[from] {
		delete(e.made, from)
		e.made[to] = true
	}
	moved := map[markKey]*mark{}
	for k, m := range e.marks {
		if k.table == from {
			delete(e.marks, k)
			k.table = to
			moved[k] = m
		}
	}
	for k, m := range moved {
		e.marks[k] = m
	}
}

func (e *effects) differences() []Difference {
	type entry struct {
		k markKey
		m *mark
	}
	var changed []entry
	for k, m := range e.marks {
		if m.before != m.now && !m.vague {
			changed = append(changed, entry{k, m})
		}
	}
	slices.SortFunc(changed, func(a, b entry) int { return a.m.order - b.m.order })
	out := make([]Difference, len(changed))
	for i, c := range changed {
		out[i] = Difference{Object: c.k.String(), Left: c.m.now, By: c.m.by}
	}
	return out
}

func (k markKey) String() string {
	switch {
	case k.kind == "relation":
		return "table " + k.name.String()
	case k.kind == "index":
		return "index " + k.name.String()
	case k.kind == "partition":
		return "partition " + k.name.String() + " of " + k.table.String()
	case k.table.Name != "" && k.name.Name == "":
		return k.kind + " of " + k.table.String()
	case k.kind == "column":
		return "column " + k.table.String() + "." + k.name.Name
	case k.table.Name != "":
		return k.kind + " " + k.name.Name + " of " + k.table.String()
	}
	return k.kind + " " + k.name.String()
}
