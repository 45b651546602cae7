package ecto

import (
	"strings"
	"unicode/utf8"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration/ecto/internal/syntax"
)

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

func (c *compiler) table(s *callSite) value {
	if u, ok := unknownArgument(s.args); ok {
		return value{unknown{reason: u.reason}, s.node.Span}
	}
	name, ok := tableName(s.args[0])
	opts, ok2 := optionsAt(s.args, 1)
	if !ok || !ok2 {
		noClause("table", 2, s.node.Span)
	}
	r := newRecord(tableRecord, s.node, s.name).must("name", name).merge(opts, c.loose())
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
	r := newRecord(indexRecord, s.node, s.name).must("table", name).must("columns", columns).merge(opts, c.loose())
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
	r := newRecord(constraintRecord, s.node, s.name).must("table", name).must("name", s.args[1]).merge(opts, c.loose())
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
	r := newRecord(referenceRecord, s.node, s.name).must("table", name).merge(opts, c.loose())
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
			return r.must("prefix", moved(c.ev.prefix, r.call.Span))
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
