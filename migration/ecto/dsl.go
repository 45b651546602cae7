package ecto

import (
	"strconv"
	"strings"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// dslFunctions are the functions and macros of Ecto.Migration.
var dslFunctions = names(`create create_if_not_exists alter drop drop_if_exists table index unique_index constraint references add
	add_if_not_exists modify remove remove_if_exists rename timestamps execute execute_file fragment flush prefix direction repo`)

// call evaluates a call of the DSL as Ecto's functions do: commands are queued,
// wrong arguments raise at once.
func (c *compiler) call(s *callSite) (value, bool) {
	if !dslFunctions[s.name] {
		return c.timescale(s)
	}
	span := s.node.Span
	n := len(s.args)
	switch s.name {
	case "table":
		if n == 1 || n == 2 {
			return c.table(s), true
		}
	case "index", "unique_index":
		if n == 2 || n == 3 {
			return c.index(s), true
		}
	case "constraint":
		if n == 2 || n == 3 {
			return c.constraint(s), true
		}
	case "references":
		if n == 1 || n == 2 {
			return c.references(s), true
		}
	case "create", "create_if_not_exists", "alter":
		if n == 1 {
			return c.createOrAlter(s), true
		}
	case "drop", "drop_if_exists":
		if n == 1 || n == 2 {
			return c.drop(s), true
		}
	case "rename":
		if n == 2 || n == 3 {
			return c.rename(s), true
		}
	case "add", "add_if_not_exists", "modify":
		if n == 2 || n == 3 {
			return c.change(s, true), true
		}
	case "remove", "remove_if_exists":
		if n >= 1 && n <= 3 {
			return c.change(s, n > 1), true
		}
	case "timestamps":
		if n <= 1 {
			return c.timestamps(s), true
		}
	case "execute":
		if n == 1 || n == 2 {
			return c.execute(s), true
		}
	case "execute_file":
		if n == 1 || n == 2 {
			return c.executeFile(s), true
		}
	case "fragment":
		if n == 1 {
			if u, ok := s.args[0].data.(unknown); ok {
				return value{unknown{reason: u.reason}, span}, true
			}
			return value{&tuple{[]value{{atom("fragment"), span}, s.args[0]}}, span}, true
		}
	case "flush":
		if n == 0 {
			if c.ev.direction == migration.Down && c.mod.function("down", 0) == nil {
				throwKind(migration.FlushedBack, "RuntimeError", "calling flush() inside change when doing rollback is not supported.", span)
			}
			c.flush()
			return value{atomOK, span}, true
		}
	case "prefix":
		if n == 0 {
			return moved(c.ev.prefix, span), true
		}
	case "direction":
		if n == 0 {
			return value{atom(c.ev.direction), span}, true
		}
	case "repo":
		if n == 0 {
			return value{repoHandle{}, span}, true
		}
	}
	c.ev.problem(calleeSpan(s.node), "undefined function "+s.name+"/"+strconv.Itoa(n))
	return c.ev.notKnown(s.node, true, "calls %s/%d", s.name, n), true
}

// unknownArgument returns the first argument that is not known at all.
func unknownArgument(args []value) (unknown, bool) {
	for _, a := range args {
		if u, ok := a.data.(unknown); ok {
			return u, true
		}
	}
	return unknown{}, false
}

// optionsAt reads the keyword list at args[i], if there is one. ok is false when
// it is something else.
func optionsAt(args []value, i int) ([]pair, bool) {
	if i >= len(args) {
		return nil, true
	}
	return args[i].keywords()
}

func noClause(name string, arity int, span source.Span) {
	throw("FunctionClauseError", "no function clause matching in Ecto.Migration."+name+"/"+strconv.Itoa(arity), span)
}

// newCommand starts a command of the call s.
func (c *compiler) newCommand(op commandOp, s *callSite, object *record, opts []pair) *command {
	return &command{op: op, object: object, node: s.whole, keyword: calleeSpan(s.node), info: c.commandInfo(s, object, opts)}
}

func (c *compiler) createOrAlter(s *callSite) value {
	if u, ok := unknownArgument(s.args); ok {
		c.opaque(s.whole, u.reason)
		return value{atomOK, s.node.Span}
	}
	r, ok := s.args[0].data.(*record)
	op := commandOp(s.name)
	if !ok || s.name == "alter" && (r.kind != tableRecord || s.do == nil) || s.do != nil && r.kind != tableRecord {
		if s.do != nil && ok {
			throw("MatchError", "no match of right hand side value: "+r.inspect(), s.node.Span)
		}
		noClause(s.name, 1, s.node.Span)
	}
	if r.kind == referenceRecord || r.kind == constraintRecord && op == opCreateIfMissing {
		noClause(s.name, 1, s.node.Span)
	}
	cmd := c.newCommand(op, s, c.withPrefix(r), nil)
	if r.kind == tableRecord && op != opAlter {
		if pk := c.primaryKey(cmd.object, s.node); pk != nil {
			cmd.changes = append(cmd.changes, pk)
		}
	}
	if s.do == nil {
		c.enqueue(cmd)
		return value{r, s.node.Span}
	}
	if c.open != nil {
		c.nested(s.node.Span)
	}
	outer := c.open
	c.open = cmd
	c.ev.block(s.do.Kids, s.scope.child())
	c.open = outer
	cmd.changesInfo()
	c.noteIrreversible(cmd)
	c.queue = append(c.queue, cmd)
	return value{r, s.node.Span}
}

// nested is what Ecto raises for a command inside a block. In a half-typed
// file the block may be only torn open: the command is taken for itself.
func (c *compiler) nested(span source.Span) {
	if !c.lenient {
		throw("Ecto.MigrationError", "cannot execute nested commands", span)
	}
}

// enqueue puts a command at the end of the queue.
func (c *compiler) enqueue(cmd *command) {
	if c.open != nil {
		c.nested(cmd.node.Span)
	}
	c.noteIrreversible(cmd)
	c.queue = append(c.queue, cmd)
}

// noteIrreversible says on a command of change/0 whether Ecto can reverse it.
func (c *compiler) noteIrreversible(cmd *command) {
	if !c.infoIrreversible || cmd.opaque != "" || cmd.op == opOpaque || cmd.op == opCreateHypertable {
		return
	}
	if cmd.op == opExecute && cmd.reversible || cmd.op != opExecute && cmd.reversed() != nil {
		return
	}
	cmd.info.Irreversible = cmd.describe()
}

func (c *compiler) drop(s *callSite) value {
	if u, ok := unknownArgument(s.args); ok {
		c.opaque(s.whole, u.reason)
		return value{atomOK, s.node.Span}
	}
	r, ok := s.args[0].data.(*record)
	opts, ok2 := optionsAt(s.args, 1)
	if !ok || !ok2 || r.kind == referenceRecord {
		noClause(s.name, 2, s.node.Span)
	}
	cmd := c.newCommand(commandOp(s.name), s, c.withPrefix(r), opts)
	cmd.mode = value{atom("restrict"), s.node.Span}
	if m, ok := option(opts, "mode"); ok {
		cmd.mode = m
	}
	c.enqueue(cmd)
	return value{r, s.node.Span}
}

func (c *compiler) rename(s *callSite) value {
	if u, ok := unknownArgument(s.args); ok {
		c.opaque(s.whole, u.reason)
		return value{atomOK, s.node.Span}
	}
	r, ok := s.args[0].data.(*record)
	opts, ok2 := optionsAt(s.args, len(s.args)-1)
	if !ok || !ok2 || len(opts) != 1 || !opts[0].key.is("to") {
		noClause("rename", len(s.args), s.node.Span)
	}
	to := opts[0].value
	cmd := c.newCommand(opRename, s, nil, opts)
	cmd.info.Object, cmd.info.ObjectSpan = r.maker, r.call.Span
	cmd.object = c.withPrefix(r)
	cmd.to = to
	if len(s.args) == 3 {
		_, a := s.args[1].data.(atom)
		_, b := to.data.(atom)
		if r.kind != tableRecord || !a || !b {
			noClause("rename", 3, s.node.Span)
		}
		cmd.op, cmd.from = opRenameColumn, s.args[1]
		cmd.info.Column = plainName(s.args[1])
		c.enqueue(cmd)
		return value{r, s.node.Span}
	}
	switch r.kind {
	case tableRecord:
		other, ok := to.data.(*record)
		if !ok || other.kind != tableRecord {
			noClause("rename", 2, s.node.Span)
		}
		cmd.to = value{c.withPrefix(other), to.span}
	case indexRecord:
		if _, ok := to.name(); !ok {
			noClause("rename", 2, s.node.Span)
		}
	default:
		noClause("rename", 2, s.node.Span)
	}
	c.enqueue(cmd)
	return value{r, s.node.Span}
}

func (c *compiler) execute(s *callSite) value {
	done := value{atomOK, s.node.Span}
	cmd := c.newCommand(opExecute, s, nil, nil)
	cmd.up = s.args[0]
	if len(s.args) == 2 {
		cmd.down, cmd.reversible = s.args[1], true
	}
	for _, a := range s.args {
		switch a.data.(type) {
		case *text, *closure, *list, unknown:
		default:
			noClause("execute", len(s.args), s.node.Span)
		}
	}
	c.enqueue(cmd)
	return done
}

func (c *compiler) executeFile(s *callSite) value {
	done := value{atomOK, s.node.Span}
	cmd := c.newCommand(opExecute, s, nil, nil)
	cmd.reversible = len(s.args) == 2
	for i, a := range s.args {
		path, ok := a.string()
		if !ok || c.opts.ReadFile == nil {
			c.opaque(s.whole, c.ev.reasonFor(s.node, "runs a file with execute_file"))
			if n := len(c.queue); c.infoIrreversible && !cmd.reversible && c.open == nil && n > 0 {
				c.queue[n-1].info.Irreversible = "execute_file/1"
			}
			return done
		}
		body, err := c.opts.ReadFile(path)
		if err != nil {
			throw("File.Error", "could not read file "+inspectString(path)+": no such file or directory", a.span)
		}
		v := newText(body, a.span)
		if i == 0 {
			cmd.up = v
		} else {
			cmd.down = v
		}
	}
	c.enqueue(cmd)
	return done
}

// timescale reads the one call of the timescale package that makes schema
// history: create_hypertable/2.
func (c *compiler) timescale(s *callSite) (value, bool) {
	if s.name != "create_hypertable" || len(s.args) < 2 || !strings.Contains(c.mod.imported(), "Timescale") {
		return value{}, false
	}
	if _, bad := unknownArgument(s.args); bad {
		return value{}, false
	}
	cmd := c.newCommand(opCreateHypertable, s, nil, nil)
	cmd.from, cmd.to = s.args[0], s.args[1]
	c.enqueue(cmd)
	c.ev.needBeam(c.ev.reasonFor(s.node, "calls create_hypertable of the timescale package"))
	return value{atomOK, s.node.Span}, true
}
