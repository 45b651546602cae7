package schema

import (
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// A MentionKind is what a Mention names.
type MentionKind string

const (
	RelationMention MentionKind = "relation"
	ColumnMention   MentionKind = "column"
	IndexMention    MentionKind = "index"
)

// A Target is what a Mention names. Targets can be compared.
type Target struct {
	Kind MentionKind
	// Ref is the relation or the index; of a column, its relation.
	Ref Ref
	// Column is the name of a column, "" for others.
	Column string
}

// Name is the name as it stands in a file, without its schema.
func (t Target) Name() string {
	if t.Kind == ColumnMention {
		return t.Column
	}
	return t.Ref.Name
}

// A Mention is one place where an operation names a relation, a column or an
// index.
type Mention struct {
	Target
	// Defines is set where the operation makes what it names, or gives it its
	// name.
	Defines bool
	// Span is a range of the statement's SQL, zero where it is not known.
	Span source.Span
}

// Mentions are the relations, columns and indexes that an operation names, as
// far as it says their kind. Names inside expressions are not among them.
func Mentions(op migration.Op) []Mention {
	var m mentions
	m.op(op)
	return m
}

type mentions []Mention

func (m *mentions) relation(n migration.Name, defines bool) {
	if !n.IsZero() {
		*m = append(*m, Mention{Target{Kind: RelationMention, Ref: RefOf(n)}, defines, n.Span})
	}
}

func (m *mentions) relations(names []migration.Name) {
	for _, n := range names {
		m.relation(n, false)
	}
}

func (m *mentions) index(n migration.Name, defines bool) {
	if !n.IsZero() {
		*m = append(*m, Mention{Target{Kind: IndexMention, Ref: RefOf(n)}, defines, n.Span})
	}
}

func (m *mentions) column(table migration.Name, name string, span source.Span, defines bool) {
	if name != "" && !table.IsZero() {
		*m = append(*m, Mention{Target{ColumnMention, RefOf(table), name}, defines, span})
	}
}

func (m *mentions) columns(table migration.Name, list []migration.Ident) {
	for _, c := range list {
		m.column(table, c.Name, c.Span, false)
	}
}

func (m *mentions) definition(table migration.Name, c *migration.Column) {
	m.column(table, c.Name, c.Span, true)
	for i := range c.Constraints {
		// The columns of a constraint written at a column are that column.
		m.relation(c.Constraints[i].Ref, false)
		m.columns(c.Constraints[i].Ref, c.Constraints[i].RefColumns)
	}
}

func (m *mentions) constraint(table migration.Name, c *migration.Constraint) {
	m.columns(table, c.Columns)
	m.columns(table, c.Include)
	m.relation(c.Ref, false)
	m.columns(c.Ref, c.RefColumns)
	if c.UsingIndex != "" {
		m.index(migration.Name{Schema: table.Schema, Name: c.UsingIndex}, false)
	}
}

func (m *mentions) op(op migration.Op) {
	switch op := op.(type) {
	case *migration.CreateTable:
		m.relation(op.Table, true)
		for i := range op.Columns {
			m.definition(op.Table, &op.Columns[i])
		}
		for i := range op.Constraints {
			m.constraint(op.Table, &op.Constraints[i])
		}
		m.columns(op.Table, op.PartitionKey)
		m.relation(op.PartitionOf, false)
		m.relations(op.Inherits)
		m.relations(op.Like)
	case *migration.CreateView:
		m.relation(op.View, true)
		m.relations(op.From)
	case *migration.AddColumn:
		m.relation(op.Table, false)
		m.definition(op.Table, &op.Column)
	case *migration.DropColumn:
		m.part(op.Table, op.Column)
	case *migration.AlterColumnType:
		m.part(op.Table, op.Column)
	case *migration.SetNotNull:
		m.part(op.Table, op.Column)
	case *migration.SetDefault:
		m.part(op.Table, op.Column)
	case *migration.AddConstraint:
		m.relation(op.Table, false)
		m.constraint(op.Table, &op.Constraint)
	case *migration.DropConstraint:
		m.relation(op.Table, false)
	case *migration.ValidateConstraint:
		m.relation(op.Table, false)
	case *migration.SetTableOptions:
		m.relation(op.Table, false)
	case *migration.AttachPartition:
		m.relations([]migration.Name{op.Table, op.Partition})
	case *migration.DetachPartition:
		m.relations([]migration.Name{op.Table, op.Partition})
	case *migration.AlterTable:
		m.relation(op.Table, false)
	case *migration.CreateIndex:
		index := op.Index
		if index.Schema == "" { // an index lives where its table does
			index.Schema = op.Table.Schema
		}
		m.index(index, true)
		m.relation(op.Table, false)
		for _, k := range op.Keys {
			m.column(op.Table, k.Column.Name, k.Column.Span, false)
		}
		m.columns(op.Table, op.Include)
	case *migration.DropIndex:
		for _, n := range op.Indexes {
			m.index(n, false)
		}
	case *migration.Reindex:
		m.named(op.Kind, op.Object, false)
	case *migration.Drop:
		m.relation(op.Table, false)
		for _, n := range op.Names {
			m.named(op.Kind, n, false)
		}
	case *migration.Rename:
		m.rename(op)
	case *migration.SetSchema:
		m.named(op.Kind, op.Object, false)
		m.named(op.Kind, migration.Name{Schema: op.Schema, Name: op.Object.Name, Span: op.Object.Span}, true)
	case *migration.CreateTrigger:
		m.relation(op.Table, false)
	case *migration.Create:
		m.relation(op.Table, false)
	case *migration.Comment:
		if op.Column != "" {
			m.relation(op.Object, false)
			m.column(op.Object, op.Column, source.Span{}, false)
		} else {
			m.named(op.Kind, op.Object, false)
		}
	case *migration.Grant:
		for _, n := range op.Objects {
			m.named(op.Kind, n, false)
		}
	case *migration.Write:
		m.relation(op.Table, false)
		m.relations(op.Tables)
	case *migration.RefreshView:
		m.relation(op.View, false)
	case *migration.LockTable:
		m.relations(op.Tables)
	case *migration.Maintain:
		m.relations(op.Objects)
	case *migration.CreateHypertable:
		m.relation(op.Table, false)
		m.column(op.Table, op.TimeColumn, op.Span, false)
		for _, c := range op.Partition {
			m.column(op.Table, c, op.Span, false)
		}
	case *migration.AddDimension:
		m.relation(op.Table, false)
		m.column(op.Table, op.Column, op.Span, false)
	case *migration.Policy:
		m.relation(op.Relation, false)
	case *migration.Do:
		for _, inner := range op.Ops {
			m.op(inner.Op)
		}
	}
}

// part is a change of one column.
func (m *mentions) part(table migration.Name, column migration.Ident) {
	m.relation(table, false)
	m.column(table, column.Name, column.Span, false)
}

// named is an object whose kind is given as a word.
func (m *mentions) named(kind string, n migration.Name, defines bool) {
	switch kind {
	case "table", "view", "materialized view", "foreign table":
		m.relation(n, defines)
	case "index":
		m.index(n, defines)
	}
}

func (m *mentions) rename(op *migration.Rename) {
	if op.Kind == "column" {
		m.relation(op.Object, false)
		m.column(op.Object, op.From, source.Span{}, false)
		m.column(op.Object, op.To, source.Span{}, true)
		return
	}
	m.named(op.Kind, op.Object, false)
	m.named(op.Kind, migration.Name{Schema: op.Object.Schema, Name: op.To}, true)
	if op.Kind == "constraint" || op.Kind == "trigger" || op.Kind == "policy" || op.Kind == "rule" {
		m.relation(op.Object, false)
	}
}
