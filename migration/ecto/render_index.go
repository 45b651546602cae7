package ecto

import (
	"github.com/ddlsp/ddlsp/internal/source"
)

var indexDirections = map[atom]string{
	"asc": " ASC", "asc_nulls_first": " ASC NULLS FIRST", "asc_nulls_last": " ASC NULLS LAST",
	"desc": " DESC", "desc_nulls_first": " DESC NULLS FIRST", "desc_nulls_last": " DESC NULLS LAST",
}

func (c *compiler) renderIndex(cmd *command) {
	ix, kw := cmd.object, cmd.keyword
	call := ix.call.Span
	name, prefix := ix.get("name"), ix.get("prefix")
	for _, f := range ix.fields {
		if f.name != "where" && f.name != "comment" && f.name != "options" && f.value.isUnknown() {
			throwUnknown(f.value)
		}
	}
	w := &sqlWriter{}
	concurrently := func() {
		if ix.get("concurrently").truthy() {
			w.put("CONCURRENTLY ", ix.optionSpan("concurrently"))
		}
	}
	switch cmd.op {
	case opCreate, opCreateIfMissing:
		w.put("CREATE ", kw)
		if ix.get("unique").truthy() {
			at := ix.optionSpan("unique")
			if at == call { // unique_index: the function's name says it
				at = calleeSpan(ix.call)
			}
			w.put("UNIQUE ", at)
		}
		w.put("INDEX ", kw)
		concurrently()
		if cmd.op == opCreateIfMissing {
			w.put("IF NOT EXISTS ", kw)
		}
		w.name(name, ix.optionSpan("name"))
		w.put(" ON ", call)
		if ix.get("only").truthy() {
			w.put("ONLY ", ix.optionSpan("only"))
		}
		w.qualified(prefix, ix.get("table"), call)
		if using := ix.get("using"); using.truthy() {
			w.put(" USING ", ix.optionSpan("using"))
			w.raw(using)
		}
		columns := ix.get("columns")
		w.put(" (", columns.span)
		for i, col := range listItems(columns) {
			if i > 0 {
				w.put(", ", columns.span)
			}
			indexKey(w, col)
		}
		w.put(")", columns.span)
		if include, ok := ix.get("include").list(); ok && len(include) > 0 {
			at := ix.optionSpan("include")
			w.put(" INCLUDE (", at)
			for i, col := range include {
				if i > 0 {
					w.put(", ", at)
				}
				indexKey(w, col)
			}
			w.put(")", at)
		}
		switch nulls := ix.get("nulls_distinct"); {
		case nulls.isNil():
		case nulls.is(atomTrue):
			w.put(" NULLS DISTINCT", ix.optionSpan("nulls_distinct"))
		case nulls.is(atomFalse):
			w.put(" NULLS NOT DISTINCT", ix.optionSpan("nulls_distinct"))
		default:
			throw("CaseClauseError", "no case clause matching: "+inspect(nulls), nulls.span)
		}
		if o := ix.get("options"); !o.isNil() {
			w.put(" WITH (", ix.optionSpan("options"))
			w.raw(o)
			w.put(")", ix.optionSpan("options"))
		}
		if where := ix.get("where"); where.truthy() {
			w.put(" WHERE ", ix.optionSpan("where"))
			w.raw(where)
		}
		c.send(w, cmd.node.Span, cmd)
		c.comment(cmd, ix.get("comment"), cmd.node.Span, func(w *sqlWriter) {
			w.put("INDEX ", kw)
			w.qualified(prefix, name, call)
		})
	case opDrop, opDropIfExists:
		w.put("DROP INDEX ", kw)
		concurrently()
		if cmd.op == opDropIfExists {
			w.put("IF EXISTS ", kw)
		}
		w.qualified(prefix, name, call)
		cmd.dropMode(w)
		c.send(w, cmd.node.Span, cmd)
	case opRename:
		w.put("ALTER INDEX ", kw)
		w.qualified(prefix, name, call)
		w.put(" RENAME TO ", kw)
		w.name(cmd.to, cmd.to.span)
		c.send(w, cmd.node.Span, cmd)
	}
}

// indexKey writes a column, an expression, or either with a direction.
func indexKey(w *sqlWriter, v value) {
	switch d := v.data.(type) {
	case *text:
		w.raw(v)
		return
	case *tuple:
		if len(d.items) == 2 {
			dir, ok := d.items[0].data.(atom)
			if ok && indexDirections[dir] != "" {
				indexKey(w, d.items[1])
				w.put(indexDirections[dir], d.items[0].span)
				return
			}
		}
		throw("FunctionClauseError", "no function clause matching in Ecto.Adapters.Postgres.Connection.index_dir/2", v.span)
	}
	w.name(v, v.span)
}

func (c *compiler) renderConstraint(cmd *command) {
	k, kw := cmd.object, cmd.keyword
	call := k.call.Span
	name, prefix, table := k.get("name"), k.get("prefix"), k.get("table")
	if name.isUnknown() {
		throwUnknown(name)
	}
	w := &sqlWriter{}
	if cmd.op == opDrop || cmd.op == opDropIfExists {
		w.put("ALTER TABLE ", kw)
		w.qualified(prefix, table, call)
		w.put(" DROP CONSTRAINT ", kw)
		if cmd.op == opDropIfExists {
			w.put("IF EXISTS ", kw)
		}
		w.name(name, name.span)
		cmd.dropMode(w)
		c.send(w, cmd.node.Span, cmd)
		return
	}
	check, exclude := k.get("check"), k.get("exclude")
	var at source.Span
	switch {
	case check.isNil() && exclude.isNil():
		throw("ArgumentError", "a constraint must have either a check or exclude option", call)
	case !check.isNil() && !exclude.isNil():
		throw("ArgumentError", "a constraint must not have both check and exclude options", call)
	}
	w.put("ALTER TABLE ", kw)
	w.qualified(prefix, table, call)
	w.put(" ADD CONSTRAINT ", kw)
	w.name(name, name.span)
	if !check.isNil() {
		at = k.optionSpan("check")
		w.put(" CHECK (", at)
		w.raw(check)
		w.put(")", at)
	} else {
		at = k.optionSpan("exclude")
		w.put(" EXCLUDE USING ", at)
		w.raw(exclude)
	}
	if k.get("validate").is(atomFalse) {
		w.put(" NOT VALID", k.optionSpan("validate"))
	}
	c.send(w, cmd.node.Span, cmd)
	c.comment(cmd, k.get("comment"), cmd.node.Span, func(w *sqlWriter) {
		w.put("CONSTRAINT ", kw)
		w.name(name, name.span)
		w.put(" ON ", kw)
		w.qualified(prefix, table, call)
	})
}

// renderHypertable writes what the timescale package's macro amounts to. It is
// for reading only: the package decides what is really sent.
func (c *compiler) renderHypertable(cmd *command) {
	table, ok := tableName(cmd.from)
	column, ok2 := tableName(cmd.to)
	if !ok || !ok2 {
		c.emitOpaque(cmd.node.Span, cmd.info, "calls create_hypertable in a way that is not understood")
		return
	}
	w := &sqlWriter{}
	w.put("SELECT create_hypertable(", cmd.keyword)
	w.quoted(table, table.span)
	w.put(", ", cmd.keyword)
	w.quoted(column, column.span)
	w.put(")", cmd.keyword)
	st := c.send(w, cmd.node.Span, cmd)
	st.NotRunnable = "it is a macro of the timescale package"
}
