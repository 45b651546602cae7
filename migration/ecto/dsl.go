package ecto

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/migration/ecto/internal/syntax"
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
				throw("RuntimeError", "calling flush() inside change when doing rollback is not supported.", span)
			}
			c.flush()
			return value{atomOK, span}, true
		}
	case "prefix":
		if n == 0 {
			return c.ev.prefix.at(span), true
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

// tableName reads the name that table, index, references and constraint take.
func tableName(v value) (value, bool) {
	switch d := v.data.(type) {
	case atom:
		b := &source.Builder{}
		b.From(string(d), v.span)
		return value{&text{Fragment: b.Fragment()}, v.span}, true
	case *text:
		return v, true
	}
	return v, false
}

func noClause(name string, arity int, span source.Span) {
	throw("FunctionClauseError", "no function clause matching in Ecto.Migration."+name+"/"+strconv.Itoa(arity), span)
}

func (c *compiler) table(s *callSite) value {
	if u, ok := unknownArgument(s.args); ok {
		return value{unknown{reason: u.reason}, s.node.Span}
	}
	name, ok := tableName(s.args[0])
	opts, ok2 := optionsAt(s.args, 1)
	if !ok || !ok2 {
		noClause("table", 2, s.node.Span)
	}
	r := newRecord(tableRecord, s.node, s.name).must("name", name).merge(opts)
	r.opts = opts
	return value{r, s.node.Span}
}

func (c *compiler) index(s *callSite) value {
	if u, ok := unknownArgument(s.args); ok {
		return value{unknown{reason: u.reason}, s.node.Span}
	}
	name, ok := tableName(s.args[0])
	written, ok2 := optionsAt(s.args, 2)
	columns := s.args[1]
	if _, single := columns.data.(atom); single {
		columns = newList([]value{columns}, columns.span)
	}
	items, ok3 := columns.list()
	if !ok || !ok2 || !ok3 {
		noClause(s.name, 3, s.node.Span)
	}
	if u, bad := firstUnknown(items); bad {
		return value{unknown{reason: u.reason}, s.node.Span}
	}
	opts := written
	if s.name == "unique_index" {
		opts = append([]pair{{value{atom("unique"), s.node.Span}, value{atomTrue, s.node.Span}}}, written...)
	}
	nulls, _ := option(opts, "nulls_distinct")
	unique, _ := option(opts, "unique")
	if nulls.data != nil && !nulls.isNil() && !unique.is(atomTrue) {
		throw("ArgumentError", "the `nulls_distinct` option can only be used with unique indexes", s.node.Span)
	}
	wheres := 0
	for _, p := range opts {
		if p.key.is("where") {
			wheres++
		}
	}
	if wheres > 1 {
		throw("ArgumentError", "only one `where` keyword is supported when declaring a partial index. "+
			"To specify multiple conditions, write a single WHERE clause using AND between them", s.node.Span)
	}
	r := newRecord(indexRecord, s.node, s.name).must("table", name).must("columns", columns).merge(opts)
	r.opts = written
	if n := r.get("name"); n.isNil() || n.is(atomFalse) {
		r = r.must("name", defaultIndexName(name, columns, items, s.node.Span))
	}
	return value{r, s.node.Span}
}

// defaultIndexName is the name that Ecto gives an index.
func defaultIndexName(table, columns value, items []value, span source.Span) value {
	parts := []string{namePart(table)}
	for _, it := range items {
		if t, ok := it.data.(*tuple); ok && len(t.items) == 2 {
			it = t.items[1]
		}
		parts = append(parts, namePart(it))
	}
	name := strings.Join(append(parts, "index"), "_")
	if !utf8.ValidString(name) {
		throw("ArgumentError", "errors were found at the given arguments:\n\n  * 1st argument: invalid UTF8 encoding\n", span)
	}
	return value{atom(name), table.span.Union(columns.span)}
}

// namePart replaces every byte that is no word character by an underscore and
// drops the underscores at the end.
func namePart(v value) string {
	s, _ := v.name()
	b := []byte(s)
	for i, ch := range b {
		if !wordByte(ch) {
			b[i] = '_'
		}
	}
	return strings.TrimRight(string(b), "_")
}

// wordByte is \w of a pattern that is matched byte for byte in Latin-1.
func wordByte(b byte) bool {
	switch {
	case b == '_', b >= '0' && b <= '9', b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z':
		return true
	case b == 0xAA, b == 0xB5, b == 0xBA:
		return true
	}
	return b >= 0xC0 && b != 0xD7 && b != 0xF7
}

func (c *compiler) constraint(s *callSite) value {
	if u, ok := unknownArgument(s.args); ok {
		return value{unknown{reason: u.reason}, s.node.Span}
	}
	name, ok := tableName(s.args[0])
	opts, ok2 := optionsAt(s.args, 2)
	if !ok || !ok2 {
		noClause("constraint", 3, s.node.Span)
	}
	r := newRecord(constraintRecord, s.node, s.name).must("table", name).must("name", s.args[1]).merge(opts)
	r.opts = opts
	return value{r, s.node.Span}
}

func (c *compiler) references(s *callSite) value {
	if u, ok := unknownArgument(s.args); ok {
		return value{unknown{reason: u.reason}, s.node.Span}
	}
	name, ok := tableName(s.args[0])
	written, ok2 := optionsAt(s.args, 1)
	if !ok || !ok2 {
		noClause("references", 2, s.node.Span)
	}
	var defaults []pair
	cfg := c.config()
	if t, ok := option(cfg.primaryKey, "type"); ok && !cfg.noPrimaryKey {
		defaults = append(defaults, pair{value{atom("type"), s.node.Span}, moved(t, s.node.Span)})
	}
	defaults = mergePairs(defaults, movedPairs(cfg.foreignKey, s.node.Span))
	var kept []value
	for _, p := range written {
		if p.key.is("prefix") {
			kept = append(kept, value{&tuple{[]value{p.key, p.value}}, p.key.span})
		}
	}
	opts := append([]pair{{value{atom("options"), s.node.Span}, newList(kept, s.node.Span)}}, mergePairs(defaults, written)...)
	r := newRecord(referenceRecord, s.node, s.name).must("table", name).merge(opts)
	r.opts = written
	c.checkReference(r)
	return value{r, s.node.Span}
}

func (c *compiler) checkReference(r *record) {
	onDelete := r.get("on_delete")
	valid := false
	switch d := onDelete.data.(type) {
	case atom:
		switch d {
		case "nothing", "delete_all", "nilify_all", "default_all", "restrict":
			valid = true
		}
	case *tuple:
		if len(d.items) == 2 && (d.items[0].is("nilify") || d.items[0].is("default")) {
			if columns, ok := d.items[1].list(); ok {
				valid = true
				for _, col := range columns {
					if _, ok := col.data.(atom); !ok {
						throw("ArgumentError", "expected `columns` in `{"+inspect(d.items[0])+", columns}` to be a list of atoms, got: "+inspect(d.items[1]), onDelete.span)
					}
				}
			}
		}
	case unknown:
		valid = true
	}
	if !valid {
		throw("ArgumentError", "unknown :on_delete value: "+inspect(onDelete), onDelete.span)
	}
	onUpdate := r.get("on_update")
	switch onUpdate.data {
	case atom("nothing"), atom("update_all"), atom("nilify_all"), atom("restrict"):
		return
	}
	if !onUpdate.isUnknown() {
		throw("ArgumentError", "unknown :on_update value: "+inspect(onUpdate), onUpdate.span)
	}
}

// withPrefix sets the prefix that an object really has.
func (c *compiler) withPrefix(r *record) *record {
	p := r.get("prefix")
	if p.isNil() {
		switch {
		case !c.ev.prefix.isNil():
			return r.must("prefix", c.ev.prefix.at(r.call.Span))
		case c.config().DefaultPrefix != "":
			return r.must("prefix", newText(c.config().DefaultPrefix, r.call.Span))
		}
		return r
	}
	own, ok := p.name()
	runner, ok2 := c.ev.prefix.string()
	if ok && ok2 && own != runner {
		throw("Ecto.MigrationError", "the :prefix option `"+own+"` does not match the migrator prefix `"+runner+"`", p.span)
	}
	return r
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

// changesInfo gathers what rules see of the commands in the block.
func (c *command) changesInfo() {
	seen := map[*migration.Command]bool{}
	for _, ch := range c.changes {
		if ch.info != nil && !seen[ch.info] {
			seen[ch.info] = true
			c.info.Sub = append(c.info.Sub, ch.info)
		}
	}
}

// primaryKey is the column that create adds by itself, or nil.
func (c *compiler) primaryKey(t *record, node *syntax.Node) *change {
	pk := t.get("primary_key")
	span := t.optionSpan("primary_key")
	var opts []pair
	cfg := c.config()
	switch {
	case pk.is(atomFalse):
		return nil
	case pk.is(atomTrue):
		if cfg.noPrimaryKey {
			return nil
		}
		opts = movedPairs(cfg.primaryKey, span)
	default:
		kw, ok := pk.keywords()
		if !ok {
			throw("ArgumentError", ":primary_key option must be either a boolean or a keyword list of options", span)
		}
		opts = kw
	}
	ch := &change{action: "add", node: t.call, hasType: true}
	ch.name, ch.typ = value{atom("id"), span}, value{atom("bigserial"), span}
	for _, p := range opts {
		switch {
		case p.key.is("name"):
			ch.name = p.value
		case p.key.is("type"):
			ch.typ = p.value
		case p.key.is("primary_key"):
		default:
			ch.opts = append(ch.opts, p)
		}
	}
	ch.opts = append([]pair{{value{atom("primary_key"), span}, value{atomTrue, span}}}, ch.opts...)
	return ch
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

// change adds one column command to the open block.
func (c *compiler) change(s *callSite, typed bool) value {
	ch := &change{action: s.name, name: s.args[0], node: s.whole, hasType: typed}
	if typed {
		ch.typ = s.args[1]
	}
	done := value{atomOK, s.node.Span}
	for _, a := range s.args {
		if u, ok := a.data.(unknown); ok {
			c.opaque(s.whole, u.reason)
			return done
		}
	}
	var ok bool
	if ch.opts, ok = optionsAt(s.args, 2); !ok {
		noClause(s.name, len(s.args), s.node.Span)
	}
	if _, isAtom := ch.name.data.(atom); !isAtom {
		noClause(s.name, len(s.args), s.node.Span)
	}
	if typed {
		if s.name != "remove" && s.name != "remove_if_exists" {
			checkPrecision(ch)
		}
		checkType(ch.typ)
	}
	ch.info = c.changeInfo(s, ch)
	c.addChange(ch)
	return done
}

func (c *compiler) addChange(ch *change) {
	if c.open == nil {
		throw("Ecto.MigrationError", "cannot execute command outside of block", ch.node.Span)
	}
	if c.infoIrreversible {
		ch.info.Irreversible = ch.irreversible(plainName(c.open.object.get("name")))
	}
	c.open.changes = append(c.open.changes, ch)
}

func (c *compiler) timestamps(s *callSite) value {
	done := value{atomOK, s.node.Span}
	if u, ok := unknownArgument(s.args); ok {
		c.opaque(s.whole, u.reason)
		return done
	}
	written, ok := optionsAt(s.args, 0)
	if !ok {
		noClause("timestamps", 1, s.node.Span)
	}
	opts := mergePairs(movedPairs(c.config().timestamps, s.node.Span), written)
	if _, ok := option(opts, "null"); !ok {
		opts = append([]pair{{value{atom("null"), s.node.Span}, value{atomFalse, s.node.Span}}}, opts...)
	}
	names := []value{{atom("inserted_at"), s.node.Span}, {atom("updated_at"), s.node.Span}}
	typ := value{atom("naive_datetime"), s.node.Span}
	var rest []pair
	for _, p := range opts {
		switch {
		case p.key.is("type"):
			typ = p.value
		case p.key.is("inserted_at"):
			names[0] = p.value
		case p.key.is("updated_at"):
			names[1] = p.value
		default:
			rest = append(rest, p)
		}
	}
	info := c.commandInfo(s, nil, written)
	for _, name := range names {
		if name.is(atomFalse) {
			continue
		}
		if _, isAtom := name.data.(atom); !isAtom {
			noClause("add", 3, s.node.Span)
		}
		ch := &change{action: "add", name: name, typ: typ, hasType: true, opts: rest, node: s.whole, info: info}
		checkPrecision(ch)
		checkType(typ)
		c.addChange(ch)
	}
	return done
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

// opaque notes that something unreadable happens here: in an open block the
// whole command is unreadable, else a statement of its own is.
func (c *compiler) opaque(n *syntax.Node, reason string) {
	c.ev.effects++
	c.ev.needBeam(reason)
	if c.open != nil {
		if c.open.opaque == "" {
			c.open.opaque = reason
		}
		return
	}
	if c.inExecute {
		c.emitOpaque(n.Span, &migration.Command{Name: callName(c.file.Text, n), Span: n.Span}, reason)
		return
	}
	c.queue = append(c.queue, &command{op: opOpaque, node: n, opaque: reason, keyword: calleeSpan(n),
		info: &migration.Command{Name: callName(c.file.Text, n), Span: n.Span}})
}

// callName is what a call calls, for Command.Name.
func callName(text string, n *syntax.Node) string {
	if n.Kind == syntax.Binary && n.Op == "|>" && len(n.Kids) == 2 {
		n = n.Kids[1]
	}
	if n.Kind == syntax.Call && len(n.Kids) > 0 {
		return oneLine(n.Kids[0].Span.Of(text))
	}
	return oneLine(n.Span.Of(text))
}

// query notes a call of the repository. It runs at once, before what is
// queued.
func (c *compiler) query(n *syntax.Node, name string, args []value) value {
	result := c.ev.notKnown(n, false, "calls %s/%d", name, len(args))
	switch function := name[strings.LastIndexByte(name, '.')+1:]; function {
	case "__adapter__":
		return value{atom("Elixir.Ecto.Adapters.Postgres"), n.Span}
	case "config", "get_dynamic_repo", "in_transaction?", "default_options", "to_sql":
		return result
	case "query", "query!", "query_many", "query_many!":
		for _, a := range args {
			if t, ok := a.data.(*text); ok {
				c.immediate(n, t, result.data.(unknown).reason)
				return result
			}
		}
	}
	c.immediate(n, nil, result.data.(unknown).reason)
	return result
}

// immediate puts a statement that is sent outside the queue.
func (c *compiler) immediate(n *syntax.Node, t *text, reason string) {
	c.ev.effects++
	c.ev.needBeam(reason)
	info := &migration.Command{Name: "repo", Span: n.Span}
	if c.inExecute {
		info.Object = "execute"
	}
	if c.executing {
		info.Object = "execute"
	}
	if t == nil {
		c.emitOpaque(n.Span, info, reason)
		return
	}
	st := c.emitText(n.Span, info, t)
	if st.NotRunnable == "" && st.Opaque == "" {
		st.NotRunnable = reason
	}
}
