package ecto

import (
	"strings"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration/ecto/internal/syntax"
)

// A record is one of the structs that Ecto's DSL passes around: what table/2,
// index/3, constraint/3 and references/2 return. Records never change.
type record struct {
	kind   recordKind
	fields []field
	// call is where it was made, maker the function that made it.
	call  *syntax.Node
	maker string
	opts  []pair
}

type recordKind string

const (
	tableRecord      recordKind = "Table"
	indexRecord      recordKind = "Index"
	constraintRecord recordKind = "Constraint"
	referenceRecord  recordKind = "Reference"
)

type field struct {
	name  string
	value value
}

// recordFields are the fields of each struct with their defaults, in the order
// that Ecto prints them.
var recordFields = map[recordKind][]field{
	tableRecord: {{"name", nilValue}, {"prefix", nilValue}, {"comment", nilValue}, {"primary_key", value{data: atomTrue}},
		{"engine", nilValue}, {"options", nilValue}, {"modifiers", nilValue}},
	indexRecord: {{"table", nilValue}, {"prefix", nilValue}, {"name", nilValue}, {"columns", value{data: &list{}}},
		{"unique", value{data: atomFalse}}, {"concurrently", value{data: atomFalse}}, {"using", nilValue}, {"include", value{data: &list{}}},
		{"only", value{data: atomFalse}}, {"nulls_distinct", nilValue}, {"where", nilValue}, {"comment", nilValue}, {"options", nilValue}},
	constraintRecord: {{"name", nilValue}, {"table", nilValue}, {"check", nilValue}, {"exclude", nilValue}, {"prefix", nilValue},
		{"comment", nilValue}, {"validate", value{data: atomTrue}}},
	referenceRecord: {{"name", nilValue}, {"prefix", nilValue}, {"table", nilValue}, {"column", value{data: atom("id")}},
		{"type", value{data: atom("bigserial")}}, {"on_delete", value{data: atom("nothing")}}, {"on_update", value{data: atom("nothing")}},
		{"validate", value{data: atomTrue}}, {"with", value{data: &list{}}}, {"match", nilValue}, {"options", value{data: &list{}}}},
}

var nilValue = value{data: atomNil}

func newRecord(kind recordKind, call *syntax.Node, maker string) *record {
	r := &record{kind: kind, fields: append([]field(nil), recordFields[kind]...), call: call, maker: maker}
	for i := range r.fields {
		r.fields[i].value.span = call.Span
	}
	return r
}

func (r *record) get(name string) value {
	for _, f := range r.fields {
		if f.name == name {
			return f.value
		}
	}
	return nilValue
}

// with returns a copy with one field set; ok is false when there is no such
// field.
func (r *record) with(name string, v value) (*record, bool) {
	for i, f := range r.fields {
		if f.name == name {
			c := *r
			c.fields = append([]field(nil), r.fields...)
			c.fields[i].value = v
			return &c, true
		}
	}
	return r, false
}

func (r *record) must(name string, v value) *record {
	c, _ := r.with(name, v)
	return c
}

// loose reports whether the project's Ecto is one that ignores unknown options
// of tables, indexes, constraints and references.
func (c *compiler) loose() bool { return c.repo != nil && c.repo.Config.looseOptions }

// merge sets fields from options as struct! does: an unknown one is a
// KeyError; loose ignores it, as struct does.
func (r *record) merge(opts []pair, loose bool) *record {
	for _, p := range opts {
		name, _ := p.key.name()
		next, ok := r.with(name, p.value)
		if !ok && !loose {
			throw("KeyError", "key "+inspect(p.key)+" not found in: "+r.inspect(), p.key.span)
		}
		r = next
	}
	return r
}

func (r *record) inspect() string {
	parts := make([]string, len(r.fields))
	for i, f := range r.fields {
		parts[i] = f.name + ": " + inspect(f.value)
	}
	return "%Ecto.Migration." + string(r.kind) + "{\n  " + strings.Join(parts, ",\n  ") + "\n}"
}

// optionSpan is where an option was written, else the call.
func (r *record) optionSpan(key string) source.Span {
	for _, p := range r.opts {
		if p.key.data == atom(key) {
			return p.key.span.Union(p.value.span)
		}
	}
	return r.call.Span
}
