package analysis

import (
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// Emptied reports whether this direction took every row out of the table
// before the step, by TRUNCATE or a DELETE without WHERE, and has put none in
// since as far as can be read. What fails or takes long because of rows does
// not then.
func (p *Pass) Emptied(s *Step, table migration.Name) bool {
	e := p.Once(emptyingKey{}, func() any { return p.emptying() }).(*emptying)
	at, empty := e.order[s.Statement], false
	for _, w := range e.writes[schema.RefOf(table)] {
		if w.at >= at {
			break
		}
		empty = w.empties
	}
	return empty
}

type emptyingKey struct{}

// emptying is what a direction does to the rows of whole tables.
type emptying struct {
	order  map[*migration.Statement]int
	writes map[schema.Ref][]write // in order
}

type write struct {
	at      int // of the statement
	empties bool
}

func (p *Pass) emptying() *emptying {
	e := &emptying{order: map[*migration.Statement]int{}, writes: map[schema.Ref][]write{}}
	for i := range p.Steps {
		s := &p.Steps[i]
		if _, ok := e.order[s.Statement]; !ok {
			e.order[s.Statement] = i
		}
		w, ok := s.Op.(*migration.Write)
		if !ok || s.Inner && w.Verb != "insert" { // a DO block may not come to it
			continue
		}
		note := func(t migration.Name, empties bool) {
			if !t.IsZero() {
				r := schema.RefOf(t)
				e.writes[r] = append(e.writes[r], write{e.order[s.Statement], empties})
			}
		}
		switch {
		case w.Verb == "truncate":
			for _, t := range w.Tables {
				note(t, true)
			}
		case w.Verb == "delete" && !w.Where:
			note(w.Table, true)
		case w.Verb == "insert", w.Verb == "copy", w.Verb == "merge":
			note(w.Table, false)
		}
	}
	return e
}
