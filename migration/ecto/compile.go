package ecto

import (
	"strings"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/migration/ecto/internal/syntax"
)

// A compiler runs one direction of a migration as Ecto's runner does: it
// queues what the DSL calls ask for and, at a flush and at the end, turns the
// queue into the SQL that Ecto would send.
type compiler struct {
	ev   *evaluator
	mod  *module
	file *source.File
	repo *Repo
	opts Options
	body *migration.Body
	// backward is set while change/0 is rolled back.
	backward bool
	// infoIrreversible is set while change/0 is read: commands say whether
	// Ecto can reverse them.
	infoIrreversible bool
	// lenient is set for a file that does not parse: what is torn is opaque,
	// the rest keeps being read.
	lenient bool
	// inExecute is set while the function of an execute runs, which Ecto runs
	// in its turn; a repo call elsewhere runs at once.
	inExecute bool
	broken    []source.Span
	queue     []*command
	open      *command
	// executing is set while a function given to execute runs.
	executing bool
	infos     map[*syntax.Node][]*migration.Command
}

func (c *compiler) config() *RepoConfig {
	if c.repo == nil {
		return &noConfig
	}
	return &c.repo.Config
}

var noConfig RepoConfig

// run evaluates functions one after the other, flushing after each as Ecto
// does, and returns what happened.
func (c *compiler) run(functions ...*function) {
	defer c.markRepeated()
	for _, f := range functions {
		if !c.runOne(f) {
			return
		}
	}
}

// runOne reports whether the migration goes on after f.
func (c *compiler) runOne(f *function) (ok bool) {
	defer func() {
		switch r := recover().(type) {
		case nil:
			ok = true
		case *raised:
			c.raise(r, f)
		case *tooMuch:
			c.open, c.queue = nil, nil
			reason := "line " + lineText(c.ev, f.span.Start) + " " + r.reason
			c.ev.needBeam(reason)
			c.emitOpaque(f.head.Span, &migration.Command{Name: f.name, Span: f.span}, reason)
		default:
			panic(r)
		}
	}()
	if f.rescue {
		c.opaque(f.head, c.ev.reasonFor(f.head, "handles exceptions"))
	} else if c.lenient {
		c.runLeniently(f)
	} else {
		c.ev.block(f.body, &scope{})
	}
	c.flush()
	return true
}

// runLeniently evaluates each expression of a torn function by itself, so that
// one that fails does not silence the others.
func (c *compiler) runLeniently(f *function) {
	s := &scope{}
	for _, n := range f.body {
		func() {
			defer func() {
				r, ok := recover().(*raised)
				if !ok {
					return
				}
				c.open = nil
				if r.written {
					panic(r)
				}
				c.opaque(n, r.message)
			}()
			c.ev.block([]*syntax.Node{n}, s)
		}()
	}
}

func lineText(e *evaluator, offset int) string { return itoa(e.line(offset)) }

// raise ends the direction with an exception.
func (c *compiler) raise(r *raised, f *function) {
	message := "** (" + r.exception + ") " + r.message
	if r.written && len(c.body.Units) == 0 && len(c.queue) == 0 {
		c.body.Origin = migration.Raises
		c.body.Reason = r.message
	}
	span := r.span
	if span == (source.Span{}) || span.End > len(c.file.Text) {
		span = f.head.Span
	}
	kind := r.kind
	if r.written {
		kind = migration.ByAuthor
	}
	c.body.Err = &migration.RaiseError{Message: message, Path: c.file.Path, Span: span, Kind: kind}
	c.open, c.queue = nil, nil
}

// flush runs the queue: in order, or for change/0 backward in reverse, each
// command reversed.
func (c *compiler) flush() {
	queue := c.queue
	c.queue = nil
	for i := range queue {
		cmd := queue[i]
		if c.backward {
			cmd = queue[len(queue)-1-i]
		}
		c.perform(cmd)
	}
}

// perform renders one command in the direction of the run.
func (c *compiler) perform(cmd *command) {
	if cmd.op == opExecute {
		c.performExecute(cmd)
		return
	}
	if cmd.opaque != "" {
		c.emitOpaque(cmd.node.Span, cmd.info, cmd.opaque)
		return
	}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *unreadable:
			c.ev.needBeam(r.reason)
			c.emitOpaque(cmd.node.Span, cmd.info, r.reason)
		default:
			panic(r)
		}
	}()
	if c.backward && cmd.op == opCreateHypertable {
		c.emitOpaque(cmd.node.Span, cmd.info, "undoes create_hypertable of the timescale package, which decides how")
		return
	}
	if c.backward {
		reversed := cmd.reversed()
		if reversed == nil {
			throwKind(migration.CannotReverse, "Ecto.MigrationError", "cannot reverse migration command: "+cmd.describe()+
				". You will need to explicitly define up/0 and down/0 in your migration", cmd.node.Span)
		}
		cmd = reversed
	}
	c.render(cmd)
}

func (c *compiler) performExecute(cmd *command) {
	what := cmd.up
	if c.backward {
		if !cmd.reversible {
			if _, fn := cmd.up.data.(*closure); fn {
				throwKind(migration.CannotReverse, "FunctionClauseError", "no function clause matching in Ecto.Migration.Runner.command/1", cmd.node.Span)
			}
			if u, ok := cmd.up.data.(unknown); ok {
				c.emitOpaque(cmd.node.Span, cmd.info, u.reason)
				return
			}
			throwKind(migration.CannotReverse, "Ecto.MigrationError", "cannot reverse migration command: "+cmd.describe()+
				". You will need to explicitly define up/0 and down/0 in your migration", cmd.node.Span)
		}
		what = cmd.down
	}
	switch d := what.data.(type) {
	case *text:
		c.emitText(cmd.node.Span, cmd.info, d)
	case *closure:
		before := c.ev.effects
		c.executing = true
		c.inExecute = true
		v := c.ev.apply(what, nil, cmd.node)
		c.inExecute = false
		c.executing = false
		if u, ok := v.data.(unknown); ok && u.effect && c.ev.effects == before {
			c.ev.needBeam(u.reason)
			c.emitOpaque(cmd.node.Span, cmd.info, u.reason)
		}
	case *list:
		throw("ArgumentError", "PostgreSQL adapter does not support keyword lists in execute", what.span)
	case unknown:
		c.ev.needBeam(d.reason)
		c.emitOpaque(cmd.node.Span, cmd.info, d.reason)
	}
}

// reversed is the command that undoes c, or nil when Ecto knows none.
func (c *command) reversed() *command {
	r := *c
	r.mode = value{atom("restrict"), c.keyword}
	switch {
	case c.op == opCreate:
		r.op = opDrop
	case c.op == opCreateIfMissing:
		r.op = opDropIfExists
	case c.op == opDrop && c.object.kind == indexRecord:
		r.op = opCreate
	case c.op == opDropIfExists && c.object.kind == indexRecord:
		r.op = opCreateIfMissing
	case c.op == opRenameColumn:
		r.from, r.to = c.to, c.from
	case c.op == opRename && c.object.kind == tableRecord:
		r.object = c.to.data.(*record)
		r.to = value{c.object, c.object.call.Span}
	case c.op == opRename:
		r.object = c.object.must("name", c.to)
		r.to = c.object.get("name")
	case c.op == opAlter:
		r.changes = nil
		for i := len(c.changes) - 1; i >= 0; i-- {
			ch := c.changes[i].reversed()
			if ch == nil {
				return nil
			}
			r.changes = append(r.changes, ch)
		}
	default:
		return nil
	}
	return &r
}

// reversed is the change that undoes ch, or nil when Ecto knows none.
func (ch *change) reversed() *change {
	r := *ch
	switch {
	case ch.action == "add":
		r.action, r.opts = "remove", nil
	case ch.action == "remove" && ch.hasType:
		r.action = "add"
	case ch.action == "modify":
		from, ok := ch.opt("from")
		if !ok || from.isNil() {
			return nil
		}
		var rest []pair
		for _, p := range ch.opts {
			if !p.key.is("from") {
				rest = append(rest, p)
			}
		}
		key := value{atom("from"), from.span}
		if t, ok := from.data.(*tuple); ok && len(t.items) == 2 {
			if opts, ok := t.items[1].keywords(); ok {
				items := make([]value, len(rest))
				for i, p := range rest {
					items[i] = value{&tuple{[]value{p.key, p.value}}, p.key.span}
				}
				old := value{&tuple{[]value{ch.typ, newList(items, ch.typ.span)}}, ch.typ.span}
				r.typ, r.opts = t.items[0], append([]pair{{key, old}}, opts...)
				return &r
			}
		}
		r.typ, r.opts = from, append([]pair{{key, ch.typ}}, rest...)
	default:
		return nil
	}
	return &r
}

// irreversible says in words why Ecto cannot undo ch in change/0, or "".
func (ch *change) irreversible(table string) string {
	if ch.reversed() != nil {
		return ""
	}
	words := ch.action + " " + plainName(ch.name)
	switch ch.action {
	case "remove", "remove_if_exists":
		return words + " from table " + table
	case "modify":
		return words + " of table " + table + " without from:"
	}
	return words + " to table " + table
}

// emit appends one statement, which is one unit: Ecto sends each by itself.
func (c *compiler) emit(st *migration.Statement) *migration.Statement {
	st.Path = c.file.Path
	for _, b := range c.broken {
		if st.Command != nil && b.Start <= st.Command.Span.End && st.Command.Span.Start <= b.End && b.Len() < len(c.file.Text)/2 {
			st.Opaque = "has a syntax error"
		}
	}
	if st.Opaque == "" && len(st.Unknown) > 0 {
		st.NotRunnable = "a part of its text is not known"
		// What is put in its place must still read as SQL.
		if p := migration.ReadSQL(st.SQL); p.Err != nil {
			st.Opaque = "an interpolation is not known"
		}
	}
	if st.Opaque != "" {
		c.ev.needBeam(st.Opaque)
		st.NotRunnable = st.Opaque
	}
	c.body.Units = append(c.body.Units, &migration.Unit{SQL: st.SQL, Map: st.Map, Statements: []*migration.Statement{st}})
	return st
}

func (c *compiler) emitOpaque(span source.Span, info *migration.Command, reason string) {
	c.emit(&migration.Statement{Span: span, Map: wideMap("", span), Command: info, Opaque: reason})
}

// emitText appends a statement whose text the author wrote.
func (c *compiler) emitText(span source.Span, info *migration.Command, t *text) *migration.Statement {
	st := &migration.Statement{SQL: t.Text, Map: t.Map, Command: info, Unknown: t.unknown, Quote: t.quote, Span: span}
	if len(t.unknown) > 0 && strings.TrimSpace(t.Text) == "unknown_1" {
		st.Opaque = "runs a text that is not known"
	}
	if at, end := sqlExtent(t.Text); at < end {
		st.Span = t.Map.Span(source.Span{Start: at, End: end})
	}
	return c.emit(st)
}

// sqlExtent finds the first token of a SQL text, past white space and comments
// and the end of its last.
func sqlExtent(sql string) (start, end int) {
	end = len(strings.TrimRight(sql, " \t\r\n;"))
	for start < end {
		switch {
		case strings.IndexByte(" \t\r\n", sql[start]) >= 0:
			start++
		case strings.HasPrefix(sql[start:], "--"):
			nl := strings.IndexByte(sql[start:], '\n')
			if nl < 0 {
				return end, end
			}
			start += nl + 1
		case strings.HasPrefix(sql[start:], "/*"):
			depth, i := 1, start+2
			for i < end && depth > 0 {
				switch {
				case strings.HasPrefix(sql[i:], "/*"):
					depth++
					i += 2
				case strings.HasPrefix(sql[i:], "*/"):
					depth--
					i += 2
				default:
					i++
				}
			}
			start = i
		default:
			return start, end
		}
	}
	return end, end
}

func wideMap(s string, span source.Span) source.Map {
	var b source.Builder
	b.From(s, span)
	m := b.Fragment().Map
	if s == "" {
		return source.Identity(span.Start, 0)
	}
	return m
}
