package ecto

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

func itoa(n int) string { return strconv.Itoa(n) }

// A sqlWriter writes the SQL of one command, every piece with the place in the
// file that it comes from.
type sqlWriter struct {
	b       source.Builder
	unknown []source.Span
}

// put writes text that comes from the whole of at.
func (w *sqlWriter) put(s string, at source.Span) { w.b.From(s, at) }

// raw writes a value as it is.
func (w *sqlWriter) raw(v value) {
	switch d := v.data.(type) {
	case *text:
		for _, u := range d.unknown {
			w.unknown = append(w.unknown, u.Shift(w.b.Len()))
		}
		w.b.Append(d.Fragment)
	case unknown:
		w.placeholder(v.span)
	default:
		s, ok := (*evaluator)(nil).toString(v)
		if !ok {
			throw("Protocol.UndefinedError", "protocol String.Chars not implemented for "+inspect(v), v.span)
		}
		w.put(s, v.span)
	}
}

func (w *sqlWriter) placeholder(at source.Span) {
	name := "unknown_" + itoa(len(w.unknown)+1)
	w.unknown = append(w.unknown, source.Span{Start: w.b.Len(), End: w.b.Len() + len(name)})
	w.put(name, at)
}

// name writes a quoted identifier. The opening quote comes from lead, so that
// a definition which begins with a name begins at its command.
func (w *sqlWriter) name(v value, lead source.Span) {
	s, ok := v.name()
	if !ok {
		if t, isText := v.data.(*text); isText {
			s = t.Text
		} else if v.isUnknown() {
			w.put(`"`, lead)
			w.placeholder(v.span)
			w.put(`"`, v.span)
			return
		} else {
			throw("FunctionClauseError", "no function clause matching in Ecto.Adapters.Postgres.Connection.quote_name/1", v.span)
		}
	}
	if strings.Contains(s, `"`) {
		throw("ArgumentError", "bad literal/field/index/table name "+inspectString(s)+" (\" is not permitted)", v.span)
	}
	w.put(`"`, lead)
	w.raw(v)
	w.put(`"`, v.span)
}

// qualified writes prefix.name.
func (w *sqlWriter) qualified(prefix, name value, lead source.Span) {
	if !prefix.isNil() {
		w.name(prefix, lead)
		w.put(".", lead)
	}
	w.name(name, lead)
}

// quoted writes a string literal, only ' doubled.
func (w *sqlWriter) quoted(v value, lead source.Span) {
	t, ok := v.data.(*text)
	if !ok {
		if v.isUnknown() {
			w.put("'", lead)
			w.placeholder(v.span)
			w.put("'", lead)
			return
		}
		throw("FunctionClauseError", "no function clause matching in Ecto.Adapters.Postgres.Connection.escape_string/1", v.span)
	}
	w.put("'", lead)
	for at := 0; at < len(t.Text); {
		cut := strings.IndexByte(t.Text[at:], '\'')
		if cut < 0 {
			w.piece(t, at, len(t.Text))
			break
		}
		w.piece(t, at, at+cut)
		w.put("''", t.Map.Span(source.Span{Start: at + cut, End: at + cut + 1}))
		at += cut + 1
	}
	w.put("'", lead)
}

func (w *sqlWriter) piece(t *text, start, end int) {
	if start == end {
		return
	}
	for _, u := range t.unknown {
		if u.Start >= start && u.End <= end {
			w.unknown = append(w.unknown, u.Shift(w.b.Len()-start))
		}
	}
	w.b.Append(t.Slice(source.Span{Start: start, End: end}))
}

// render turns a command into its statements.
func (c *compiler) render(cmd *command) {
	if cmd.object == nil {
		c.renderHypertable(cmd)
		return
	}
	switch cmd.object.kind {
	case tableRecord:
		c.renderTable(cmd)
	case indexRecord:
		c.renderIndex(cmd)
	case constraintRecord:
		c.renderConstraint(cmd)
	}
}

// send appends the statement that w holds.
func (c *compiler) send(w *sqlWriter, span source.Span, cmd *command) *migration.Statement {
	f := w.b.Fragment()
	return c.emit(&migration.Statement{SQL: f.Text, Map: f.Map, Span: span, Command: cmd.info, Unknown: w.unknown, Quote: quoteStyle{close: '"'}.escape})
}

// comment appends a COMMENT ON statement, where there is a comment.
func (c *compiler) comment(cmd *command, comment value, span source.Span, target func(w *sqlWriter)) {
	if comment.data == nil || comment.isNil() {
		return
	}
	w := &sqlWriter{}
	w.put("COMMENT ON ", span)
	target(w)
	w.put(" IS ", span)
	w.quoted(comment, comment.span)
	c.send(w, span, cmd)
}

func (c *compiler) renderTable(cmd *command) {
	t, kw := cmd.object, cmd.keyword
	name, prefix := t.get("name"), t.get("prefix")
	w := &sqlWriter{}
	switch cmd.op {
	case opCreate, opCreateIfMissing:
		w.put("CREATE ", kw)
		switch m := t.get("modifiers"); m.data.(type) {
		case *text:
			w.raw(m)
			w.put(" ", kw)
		default:
			if m.isUnknown() {
				c.emitOpaque(cmd.node.Span, cmd.info, "the table's modifiers are not known")
				return
			}
			if !m.isNil() {
				throw("ArgumentError", "PostgreSQL adapter expects :modifiers to be a string or nil, got "+inspect(m), m.span)
			}
		}
		w.put("TABLE ", kw)
		if cmd.op == opCreateIfMissing {
			w.put("IF NOT EXISTS ", kw)
		}
		w.qualified(prefix, name, t.call.Span)
		w.put(" (", t.call.Span)
		for i, ch := range cmd.changes {
			if i > 0 {
				w.put(", ", ch.node.Span)
			}
			c.columnDefinition(w, t, ch)
		}
		primaryKeyClause(w, cmd, ", ")
		w.put(")", t.call.Span)
		switch o := t.get("options"); o.data.(type) {
		case *list:
			throw("ArgumentError", "PostgreSQL adapter does not support keyword lists in :options", o.span)
		default:
			if !o.isNil() {
				w.put(" ", o.span)
				w.raw(o)
			}
		}
		c.send(w, cmd.node.Span, cmd)
		c.tableComments(cmd)
	case opAlter:
		w.put("ALTER TABLE ", kw)
		w.qualified(prefix, name, t.call.Span)
		w.put(" ", kw)
		for i, ch := range cmd.changes {
			if i > 0 {
				w.put(", ", ch.node.Span)
			}
			c.columnChange(w, t, ch)
		}
		primaryKeyClause(w, cmd, ", ADD ")
		c.send(w, cmd.node.Span, cmd)
		c.tableComments(cmd)
	case opDrop, opDropIfExists:
		w.put("DROP TABLE ", kw)
		if cmd.op == opDropIfExists {
			w.put("IF EXISTS ", kw)
		}
		w.qualified(prefix, name, t.call.Span)
		cmd.dropMode(w)
		c.send(w, cmd.node.Span, cmd)
	case opRename:
		to := cmd.to.data.(*record)
		w.put("ALTER TABLE ", kw)
		w.qualified(prefix, name, t.call.Span)
		w.put(" RENAME TO ", kw)
		w.name(to.get("name"), to.call.Span)
		c.send(w, cmd.node.Span, cmd)
	case opRenameColumn:
		w.put("ALTER TABLE ", kw)
		w.qualified(prefix, name, t.call.Span)
		w.put(" RENAME ", kw)
		w.name(cmd.from, cmd.from.span)
		w.put(" TO ", kw)
		w.name(cmd.to, cmd.to.span)
		c.send(w, cmd.node.Span, cmd)
	}
}

// dropMode writes CASCADE; anything but :restrict and :cascade is refused.
func (c *command) dropMode(w *sqlWriter) {
	switch {
	case c.mode.is("cascade"):
		w.put(" CASCADE", c.mode.span)
	case !c.mode.is("restrict"):
		throw("FunctionClauseError", "no function clause matching in Ecto.Migration.Runner.drop_mode/1", c.mode.span)
	}
}

// primaryKeyClause writes PRIMARY KEY (...) for the columns marked so.
func primaryKeyClause(w *sqlWriter, cmd *command, lead string) {
	n := 0
	var at source.Span
	for _, ch := range cmd.changes {
		pk, ok := ch.opt("primary_key")
		if !ok || !pk.truthy() || !ch.hasType || ch.action == "remove" || ch.action == "remove_if_exists" {
			continue
		}
		span := pairSpan(ch.opts, "primary_key")
		if n++; n == 1 {
			at = span
			w.put(lead+"PRIMARY KEY (", span)
		} else {
			w.put(",", span)
		}
		w.name(ch.name.at(span), span)
	}
	if n > 0 {
		w.put(")", at)
	}
}

// pairSpan is where an option stands.
func pairSpan(opts []pair, key string) source.Span {
	for _, p := range opts {
		if p.key.data == atom(key) {
			return p.key.span.Union(p.value.span)
		}
	}
	return source.Span{}
}

func (c *compiler) tableComments(cmd *command) {
	t := cmd.object
	c.comment(cmd, t.get("comment"), cmd.node.Span, func(w *sqlWriter) {
		w.put("TABLE ", cmd.keyword)
		w.qualified(t.get("prefix"), t.get("name"), t.call.Span)
	})
	for _, ch := range cmd.changes {
		if ch.action == "remove" || ch.action == "remove_if_exists" {
			continue
		}
		comment, ok := ch.opt("comment")
		if !ok {
			continue
		}
		c.comment(cmd, comment, ch.node.Span, func(w *sqlWriter) {
			w.put("COLUMN ", ch.node.Span)
			w.qualified(t.get("prefix"), t.get("name"), t.call.Span)
			w.put(".", ch.node.Span)
			w.name(ch.name, ch.name.span)
		})
	}
}

// columnDefinition writes a column of CREATE TABLE.
func (c *compiler) columnDefinition(w *sqlWriter, t *record, ch *change) {
	at := ch.node.Span
	if ch.action != "add" {
		throw("FunctionClauseError", "no function clause matching in Ecto.Adapters.Postgres.Connection.column_definition/2", at)
	}
	w.name(ch.name, at)
	w.put(" ", at)
	if ref, ok := ch.typ.data.(*record); ok {
		c.referenceType(w, ref, ch)
		c.columnOptions(w, ref.get("type"), ch)
		w.put(", ", at)
		c.referenceClause(w, ref, t, ch.name, at)
		return
	}
	c.columnType(w, ch.typ, ch)
	c.columnOptions(w, ch.typ, ch)
}

// columnChange writes one action of ALTER TABLE.
func (c *compiler) columnChange(w *sqlWriter, t *record, ch *change) {
	at := ch.node.Span
	ref, isRef := ch.typ.data.(*record)
	switch ch.action {
	case "add", "add_if_not_exists":
		w.put("ADD COLUMN ", at)
		if ch.action == "add_if_not_exists" {
			w.put("IF NOT EXISTS ", at)
		}
		w.name(ch.name, ch.name.span)
		w.put(" ", at)
		if isRef {
			c.referenceType(w, ref, ch)
			c.columnOptions(w, ref.get("type"), ch)
			w.put(", ADD ", at)
			c.referenceClause(w, ref, t, ch.name, at)
			return
		}
		c.columnType(w, ch.typ, ch)
		c.columnOptions(w, ch.typ, ch)
	case "modify":
		from, _ := ch.opt("from")
		if tup, ok := from.data.(*tuple); ok && len(tup.items) == 2 {
			from = tup.items[0]
		}
		if old, ok := from.data.(*record); ok {
			w.put("DROP CONSTRAINT ", at)
			referenceName(w, old, t, ch.name, at)
			w.put(", ", at)
		}
		w.put("ALTER COLUMN ", at)
		w.name(ch.name, ch.name.span)
		w.put(" TYPE ", at)
		typ := ch.typ
		if isRef {
			typ = ref.get("type")
			c.referenceType(w, ref, ch)
			w.put(", ADD ", at)
			c.referenceClause(w, ref, t, ch.name, at)
		} else {
			c.columnType(w, typ, ch)
		}
		if null, ok := ch.opt("null"); ok && !null.isNil() {
			span := pairSpan(ch.opts, "null")
			w.put(", ALTER COLUMN ", at)
			w.name(ch.name, ch.name.span)
			switch {
			case null.is(atomTrue):
				w.put(" DROP NOT NULL", span)
			case null.is(atomFalse):
				w.put(" SET NOT NULL", span)
			default:
				throw("CaseClauseError", "no case clause matching: "+inspect(null), null.span)
			}
		}
		if def, ok := ch.opt("default"); ok {
			w.put(", ALTER COLUMN ", at)
			w.name(ch.name, ch.name.span)
			w.put(" SET", pairSpan(ch.opts, "default"))
			c.defaultClause(w, def, typ, ch)
		}
		collation(w, ch)
	case "remove":
		if isRef {
			w.put("DROP CONSTRAINT ", at)
			referenceName(w, ref, t, ch.name, at)
			w.put(", ", at)
		}
		w.put("DROP COLUMN ", at)
		w.name(ch.name, ch.name.span)
	case "remove_if_exists":
		if isRef {
			w.put("DROP CONSTRAINT IF EXISTS ", at)
			referenceName(w, ref, t, ch.name, at)
			w.put(", ", at)
		}
		w.put("DROP COLUMN IF EXISTS ", at)
		w.name(ch.name, ch.name.span)
	}
}

func (c *compiler) columnOptions(w *sqlWriter, typ value, ch *change) {
	if def, ok := ch.opt("default"); ok {
		c.defaultClause(w, def, typ, ch)
	}
	if null, ok := ch.opt("null"); ok {
		switch {
		case null.is(atomFalse):
			w.put(" NOT NULL", pairSpan(ch.opts, "null"))
		case null.is(atomTrue):
			w.put(" NULL", pairSpan(ch.opts, "null"))
		case null.isUnknown():
			throwUnknown(null)
		}
	}
	collation(w, ch)
}

func collation(w *sqlWriter, ch *change) {
	if v, ok := ch.opt("collation"); ok {
		w.put(` COLLATE "`, pairSpan(ch.opts, "collation"))
		w.raw(v)
		w.put(`"`, v.span)
	}
}

func (c *compiler) defaultClause(w *sqlWriter, def, typ value, ch *change) {
	w.put(" DEFAULT ", pairSpan(ch.opts, "default"))
	if def.isNil() {
		w.put("NULL", def.span)
		return
	}
	c.defaultValue(w, def, typ)
}

func (c *compiler) defaultValue(w *sqlWriter, def, typ value) {
	switch d := def.data.(type) {
	case unknown:
		w.placeholder(def.span)
		return
	case *list:
		if t, ok := typ.data.(*tuple); ok && len(t.items) == 2 && t.items[0].is("array") {
			w.put("ARRAY[", def.span)
			for i, it := range d.items {
				if i > 0 {
					w.put(",", def.span)
				}
				c.defaultValue(w, it, t.items[1])
			}
			w.put("]::"+c.databaseType(typ), def.span)
			return
		}
	case *text:
		checkDefaultText(d, def.span)
		w.quoted(def, def.span)
		return
	case *bits:
		s := d.data.Text(2)
		if d.data.Sign() == 0 {
			s = ""
		}
		w.put("b'"+strings.Repeat("0", d.size-len(s))+s+"'", def.span)
		return
	case *big.Int:
		w.put(d.String(), def.span)
		return
	case float64:
		w.put(elixirFloat(d), def.span)
		return
	case atom:
		if d == atomTrue || d == atomFalse {
			w.put(string(d), def.span)
			return
		}
	case *mapping:
		if typ.is("map") {
			if !def.known() {
				w.placeholder(def.span)
				return
			}
			w.put("'"+strings.ReplaceAll(encodeJSON(def), "'", "''")+"'", def.span)
			return
		}
	case *tuple:
		if len(d.items) == 2 && d.items[0].is("fragment") {
			w.raw(d.items[1])
			return
		}
	}
	throw("ArgumentError", "unknown default `"+inspect(def)+"` for type `"+inspect(typ)+"`. "+
		":default may be a string, number, boolean, list of strings, list of integers, map (when type is Map), or a fragment(...)", def.span)
}

// referenceType writes the type of a column that references another.
func (c *compiler) referenceType(w *sqlWriter, ref *record, ch *change) {
	typ := ref.get("type")
	at := ref.optionSpan("type")
	switch typ.data {
	case atom("serial"):
		w.put("integer", at)
	case atom("bigserial"), atom("identity"):
		w.put("bigint", at)
	default:
		c.columnType(w, typ.at(at), ch)
	}
}

func referenceName(w *sqlWriter, ref, t *record, column value, at source.Span) {
	if n := ref.get("name"); !n.isNil() {
		w.name(n, at)
		return
	}
	w.name(newText(plainName(t.get("name"))+"_"+plainName(column)+"_fkey", ref.call.Span), at)
}

// referenceClause writes CONSTRAINT ... FOREIGN KEY ... REFERENCES ...
func (c *compiler) referenceClause(w *sqlWriter, ref, t *record, column value, at source.Span) {
	call := ref.call.Span
	w.put("CONSTRAINT ", at)
	referenceName(w, ref, t, column, call)
	w.put(" FOREIGN KEY (", call)
	w.name(column, column.span)
	with, ok := ref.get("with").keywords()
	if !ok {
		throw("ArgumentError", "the :with option must be a keyword list", ref.get("with").span)
	}
	for _, p := range with {
		w.put(",", p.key.span)
		w.name(p.key, p.key.span)
	}
	w.put(") REFERENCES ", call)
	prefix := t.get("prefix")
	if own, ok := ref.get("options").keywords(); ok {
		if p, ok := option(own, "prefix"); ok {
			prefix = p
		}
	}
	w.qualified(prefix, ref.get("table"), call)
	w.put("(", call)
	w.name(ref.get("column"), ref.optionSpan("column"))
	for _, p := range with {
		w.put(",", p.value.span)
		w.name(p.value, p.value.span)
	}
	w.put(")", call)
	if m := ref.get("match"); !m.isNil() {
		word := map[atom]string{"full": "FULL", "simple": "SIMPLE", "partial": "PARTIAL"}
		a, _ := m.data.(atom)
		if word[a] == "" {
			throw("FunctionClauseError", "no function clause matching in Ecto.Adapters.Postgres.Connection.reference_match/1", m.span)
		}
		w.put(" MATCH "+word[a], ref.optionSpan("match"))
	}
	referenceAction(w, ref, "on_delete", " ON DELETE ")
	referenceAction(w, ref, "on_update", " ON UPDATE ")
	if ref.get("validate").is(atomFalse) {
		w.put(" NOT VALID", ref.optionSpan("validate"))
	}
}

func referenceAction(w *sqlWriter, ref *record, key, words string) {
	v, at := ref.get(key), ref.optionSpan(key)
	switch d := v.data.(type) {
	case atom:
		switch d {
		case "nilify_all":
			w.put(words+"SET NULL", at)
		case "default_all":
			w.put(words+"SET DEFAULT", at)
		case "delete_all", "update_all":
			w.put(words+"CASCADE", at)
		case "restrict":
			w.put(words+"RESTRICT", at)
		}
	case *tuple:
		what := "SET NULL ("
		if d.items[0].is("default") {
			what = "SET DEFAULT ("
		}
		w.put(words+what, at)
		columns, _ := d.items[1].list()
		for i, col := range columns {
			if i > 0 {
				w.put(",", at)
			}
			w.name(col, col.span)
		}
		w.put(")", at)
	case unknown:
		throwUnknown(v)
	}
}

// throwUnknown gives up on a command because a part of it is not known.
func throwUnknown(v value) { panic(&unreadable{v.data.(unknown).reason}) }

// unreadable is thrown by throwUnknown.
type unreadable struct{ reason string }
