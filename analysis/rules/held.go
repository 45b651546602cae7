package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// nameOf is a qualified name as operations have it.
func nameOf(r schema.Ref) migration.Name {
	if r.Schema == schema.DefaultSchema {
		return migration.Name{Name: r.Name}
	}
	return migration.Name{Schema: r.Schema, Name: r.Name}
}

// blocking are the locks of a step that keep others from reading or writing
// tables that were there before the migration. Those of a DO block are told by
// the steps inside it. What the step drops is left out: nobody can use it
// later anyway.
func blocking(p *analysis.Pass, s *analysis.Step) []schema.Lock {
	if _, ok := s.Op.(*migration.Do); ok || len(s.Statement.Unknown) > 0 {
		return nil
	}
	type key struct{}
	memo := p.Once(key{}, func() any { return map[*analysis.Step][]schema.Lock{} }).(map[*analysis.Step][]schema.Lock)
	locks, ok := memo[s]
	if ok {
		return locks
	}
	for _, l := range schema.Locks(s.Op, s.Before) {
		if l.Mode != schema.Share && !l.Mode.Stronger(schema.Share) || !p.Existing(s, nameOf(l.Relation)) {
			continue
		}
		if isIndex(s, l.Relation) {
			continue // of a table that is told, or is not known
		}
		if d, ok := s.Op.(*migration.Drop); ok && slices.ContainsFunc(d.Names, func(n migration.Name) bool { return schema.RefOf(n) == l.Relation }) {
			continue
		}
		locks = append(locks, l)
	}
	memo[s] = locks
	return locks
}

// isIndex reports whether a lock of a step is one of an index.
func isIndex(s *analysis.Step, r schema.Ref) bool {
	if i, _ := s.Before.Index(nameOf(r)); i != nil {
		return true
	}
	switch op := s.Op.(type) {
	case *migration.DropIndex:
		return slices.ContainsFunc(op.Indexes, func(n migration.Name) bool { return schema.RefOf(n) == r })
	case *migration.Reindex:
		return op.Kind == "index" && schema.RefOf(op.Object) == r
	}
	return false
}

// blocked says in words what a lock keeps others from.
func blocked(l schema.Lock) string {
	return fmt.Sprintf("%s on %s (%s lock)", l.Mode.Blocks(), quoted(l.Relation.String()), l.Mode)
}

// A hold is a lock that a transaction keeps until its end.
type hold struct {
	schema.Lock
	by *analysis.Step
}

// holds returns for each step the locks of the strongest kinds that earlier
// statements of its transaction took: at most one of each table, the first of
// its strongest.
func holds(p *analysis.Pass, least schema.Mode) func(s *analysis.Step) []hold {
	type key schema.Mode
	all := p.Once(key(least), func() any {
		out := map[*analysis.Step][]hold{}
		numbers := transactions(p)
		var now []hold
		var pending []hold // of the statement that is being read
		var last *migration.Statement
		tx := 0
		for i := range p.Steps {
			s := &p.Steps[i]
			if s.Statement != last {
				now, pending, last = keep(now, pending), nil, s.Statement
				if n := numbers[s.Statement]; n == 0 || n != tx {
					now, tx = nil, n
				}
			}
			if len(now) > 0 {
				out[s] = now
			}
			if tx == 0 && !s.Inner {
				continue
			}
			for _, l := range blocking(p, s) {
				if l.Mode != least && !l.Mode.Stronger(least) {
					continue
				}
				if s.Inner { // each is a statement of its own
					now = keep(now, []hold{{l, s}})
				} else {
					pending = append(pending, hold{l, s})
				}
			}
		}
		return out
	}).(map[*analysis.Step][]hold)
	return func(s *analysis.Step) []hold { return all[s] }
}

// maxHolds bounds how many locks of one transaction are told apart.
const maxHolds = 64

// keep returns now with more. What was returned before does not change.
func keep(now, more []hold) []hold {
	for _, h := range more {
		i := slices.IndexFunc(now, func(o hold) bool { return o.Relation == h.Relation })
		switch {
		case i < 0 && len(now) < maxHolds:
			now = append(slices.Clip(now), h)
		case i >= 0 && h.Mode.Stronger(now[i].Mode):
			now = slices.Clone(now)
			now[i] = h
		}
	}
	return now
}

// madeHere reports whether the same direction made an object of the catalog.
func madeHere(p *analysis.Pass, o *schema.Origin) bool {
	return o != nil && o.Migration == p.Migration && o.Direction == p.Direction
}

// movedOut offers to move a statement that nothing undoes to a migration of its
// own. It must be the last one of its direction: what comes after may need it.
func movedOut(p *analysis.Pass, s *analysis.Step, name string) []analysis.Fix {
	c := s.Statement.Command
	if s.Inner || len(s.Statement.Ops()) != 1 || len(s.Statement.Unknown) > 0 || p.Steps[len(p.Steps)-1].Statement != s.Statement ||
		c != nil && (c.Name != "execute" || c.Repeated || p.Migration.Down.Origin == migration.Derived) {
		return nil
	}
	switch s.Op.(type) {
	case *migration.Write, *migration.ValidateConstraint, *migration.RefreshView:
		sql := strings.TrimRight(s.Statement.SQL, "; \t\r\n")
		return following(p, "Move it to a new migration", []change{without(p, s)}, analysis.Followup{Name: name, Up: []string{sql}})
	}
	return nil
}
