package ecto

import (
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/migration/ecto/internal/syntax"
)

// A command is one entry of Ecto's queue.
type command struct {
	op commandOp
	// object is what create, drop, alter and rename act on.
	object *record
	// changes are those of a create or alter block.
	changes []*change
	mode    value // of drop
	// to is the new table, index name or column name; from the old column.
	from, to value
	// up and down are what execute runs; reversible is set when it was given
	// both.
	up, down   value
	reversible bool
	// opaque says why the command cannot be read.
	opaque string
	// node is the whole expression, keyword the place of the function's name.
	node    *syntax.Node
	keyword source.Span
	info    *migration.Command
}

type commandOp string

const (
	opCreate           commandOp = "create"
	opCreateIfMissing  commandOp = "create_if_not_exists"
	opAlter            commandOp = "alter"
	opDrop             commandOp = "drop"
	opDropIfExists     commandOp = "drop_if_exists"
	opRename           commandOp = "rename"
	opRenameColumn     commandOp = "rename column"
	opExecute          commandOp = "execute"
	opOpaque           commandOp = "opaque"
	opCreateHypertable commandOp = "create_hypertable"
)

// A change is one command inside a create or alter block.
type change struct {
	action  string // "add", "add_if_not_exists", "modify", "remove", "remove_if_exists"
	name    value
	typ     value
	hasType bool
	opts    []pair
	node    *syntax.Node
	info    *migration.Command
}

func (c *change) opt(key string) (value, bool) { return option(c.opts, key) }

// describe is how Ecto's log names the command; its errors use the same words.
func (c *command) describe() string {
	if c.op == opExecute {
		return "execute " + inspect(c.up)
	}
	if c.object == nil {
		return string(c.op)
	}
	name := plainName(c.object.get("name"))
	qualified := name
	if p := c.object.get("prefix"); !p.isNil() {
		qualified = plainName(p) + "." + name
	}
	switch c.object.kind {
	case tableRecord:
		switch c.op {
		case opCreate:
			return "create table " + qualified
		case opCreateIfMissing:
			return "create table if not exists " + qualified
		case opAlter:
			return "alter table " + qualified
		case opDrop:
			return "drop table " + qualified + c.modeWord()
		case opDropIfExists:
			return "drop table if exists " + qualified + c.modeWord()
		case opRename:
			return "rename table " + qualified + " to " + plainName(c.to)
		case opRenameColumn:
			return "rename column " + plainName(c.from) + " to " + plainName(c.to) + " on table " + qualified
		}
	case indexRecord:
		switch c.op {
		case opCreate:
			return "create index " + qualified
		case opCreateIfMissing:
			return "create index if not exists " + qualified
		case opDrop:
			return "drop index " + qualified + c.modeWord()
		case opDropIfExists:
			return "drop index if exists " + qualified + c.modeWord()
		case opRename:
			return "rename index " + qualified + " to " + plainName(c.to)
		}
	case constraintRecord:
		table := plainName(c.object.get("table"))
		if p := c.object.get("prefix"); !p.isNil() {
			table = plainName(p) + "." + table
		}
		switch c.op {
		case opDrop:
			return "drop constraint " + name + " from table " + table
		case opDropIfExists:
			return "drop constraint if exists " + name + " from table " + table
		default:
			return "create constraint " + name + " on table " + table
		}
	}
	return string(c.op)
}

func (c *command) modeWord() string {
	if c.mode.is("cascade") {
		return " cascade"
	}
	return ""
}

func plainName(v value) string {
	if r, ok := v.data.(*record); ok {
		return plainName(r.get("name"))
	}
	s, _ := v.name()
	return s
}

// commandInfo builds what rules see of a call.
func (c *compiler) commandInfo(site *callSite, object *record, opts []pair) *migration.Command {
	info := &migration.Command{Name: site.name, Span: site.whole.Span}
	if object != nil {
		info.Object = object.maker
		info.ObjectSpan = object.call.Span
		info.Options = append(info.Options, c.objectOptions(object)...)
	}
	info.Options = append(info.Options, c.options(opts)...)
	c.infos[site.node] = append(c.infos[site.node], info)
	return info
}

func (c *compiler) options(opts []pair) []migration.Option {
	var out []migration.Option
	for _, p := range opts {
		key, _ := p.key.name()
		o := migration.Option{Key: key, Span: p.key.span.Union(p.value.span), Value: p.value.span}
		if o.Value.End <= len(c.file.Text) && o.Value.Start >= 0 {
			o.Text = o.Value.Of(c.file.Text)
		}
		out = append(out, o)
	}
	return out
}

func (c *compiler) objectOptions(r *record) []migration.Option {
	out := c.options(r.opts)
	for i := range out {
		out[i].OfObject = true
	}
	return out
}

// changeInfo builds what rules see of add, modify, remove and timestamps.
func (c *compiler) changeInfo(site *callSite, ch *change) *migration.Command {
	info := c.commandInfo(site, nil, nil)
	if r, ok := ch.typ.data.(*record); ok && ch.hasType {
		info.Object = r.maker
		info.ObjectSpan = r.call.Span
		info.Options = append(info.Options, c.objectOptions(r)...)
	}
	info.Options = append(info.Options, c.options(ch.opts)...)
	info.Column = plainName(ch.name)
	if ch.hasType {
		info.TypeSpan = ch.typ.span
		if ch.typ.span.End <= len(c.file.Text) {
			info.Type = ch.typ.span.Of(c.file.Text)
		}
	}
	return info
}

// markRepeated sets Repeated on the commands that one call made several of.
func (c *compiler) markRepeated() {
	for _, infos := range c.infos {
		if len(infos) < 2 {
			continue
		}
		for _, i := range infos {
			i.Repeated = i.Name != "timestamps" || i.Repeated
		}
	}
}
