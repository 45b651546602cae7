// Package schema keeps the catalog that a list of migrations leaves behind:
// tables with their columns, indexes and constraints, hypertables, types,
// functions and the rest, each with the statement that made it; the locks that
// an operation takes on it; and the SQL that undoes an operation.
//
// A Catalog never changes: applying an operation returns another one, which
// shares everything that the operation did not touch. All values of this
// package are safe for concurrent use.
package schema

import (
	"iter"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/migration"
)

// DefaultSchema is where names without a schema are looked for.
const DefaultSchema = "public"

// A Ref is a schema-qualified name. Schema is never empty for a real object.
type Ref struct{ Schema, Name string }

// RefOf qualifies a name by the default schema.
func RefOf(n migration.Name) Ref {
	if n.Schema == "" {
		return Ref{DefaultSchema, n.Name}
	}
	return Ref{n.Schema, n.Name}
}

// String is the name as a person would write it: without the default schema,
// without quotes.
func (r Ref) String() string {
	if r.Schema == DefaultSchema || r.Schema == "" {
		return r.Name
	}
	return r.Schema + "." + r.Name
}

// SQL is the name quoted where it must be, without the default schema.
func (r Ref) SQL() string {
	if r.Schema == DefaultSchema || r.Schema == "" {
		return Quote(r.Name)
	}
	return Quote(r.Schema) + "." + Quote(r.Name)
}

// An Origin says which statement of which migration made an object.
type Origin struct {
	Migration *migration.Migration
	Direction migration.Direction
	Statement *migration.Statement
}

// A Kind is what a relation is.
type Kind string

const (
	Table            Kind = "table"
	View             Kind = "view"
	MaterializedView Kind = "materialized view"
	// ContinuousAggregate is TimescaleDB's materialized view.
	ContinuousAggregate Kind = "continuous aggregate"
)

// A Relation is a table or a view. It must not be changed.
type Relation struct {
	Ref
	Kind Kind
	// Created is the statement that made it; nil when no migration of the
	// history did: it was there before, or the history does not show it.
	Created *Origin
	// Partial is set when not all of its columns, indexes and constraints are
	// known.
	Partial bool
	// taints is the number of unreadable statements before it was created.
	taints      int
	Temp        bool
	Unlogged    bool
	Columns     []*Column
	Indexes     []*Index
	Constraints []*Constraint
	// PartitionBy is "range", "list" or "hash" for a partitioned table.
	PartitionBy  string
	PartitionKey []string
	// PartitionOf is the parent of a partition, Bound its FOR VALUES or DEFAULT
	// as written.
	PartitionOf Ref
	Bound       string
	// RowSecurity is set while row level security is enabled.
	RowSecurity bool
	// Hypertable is set for TimescaleDB's tables.
	Hypertable *Hypertable
	// From are the relations that a view reads, Uses the columns of them that
	// it reads, as far as they are known.
	From []Ref
	Uses []Use
	// Policies are the kinds of TimescaleDB policies on it.
	Policies []string
	// Jobs are those policies in the order in which they were added.
	Jobs []Job
	// Options are its storage parameters, "namespace.name" to value.
	Options map[string]string
}

// A Job is a TimescaleDB policy of a relation.
type Job struct {
	Kind    string
	Created *Origin
	// Op is nil for the columnstore policy that CREATE TABLE ... WITH
	// (timescaledb.hypertable) adds by itself since TimescaleDB 2.23.
	Op *migration.Policy
}

// A Use is a column that a view reads.
type Use struct {
	Ref
	Column string
}

// A Hypertable is what TimescaleDB knows of a table.
type Hypertable struct {
	// Created is the statement that converted or made it, Op its operation.
	Created *Origin
	Op      *migration.CreateHypertable
	// TimeColumn is "" when it is not known.
	TimeColumn string
	// Dimensions are further partitioning columns.
	Dimensions []string
	// Columnstore is set when compression (the columnstore) is on.
	Columnstore bool
	// SegmentBy and OrderBy are the columns of the columnstore's settings.
	SegmentBy, OrderBy []string
}

// Columns are the partitioning columns that are known, the time column first.
func (h *Hypertable) Columns() []string {
	if h.TimeColumn == "" {
		return h.Dimensions
	}
	return append([]string{h.TimeColumn}, h.Dimensions...)
}

// A Column is a column of a relation.
type Column struct {
	Name    string
	Type    migration.Type
	NotNull bool
	// Default is the expression's SQL, "" for none.
	Default   string
	Identity  string
	Generated string
	Collation string
	Created   *Origin
}

// An Index is an index of a relation, that of a constraint too.
type Index struct {
	Ref
	Created *Origin
	Unique  bool
	// NullsNotDistinct is set for a unique index that takes nulls for equal.
	NullsNotDistinct bool
	Method           string
	// Keys are its keys in order; Column is "" for an expression.
	Keys    []Key
	Include []string
	// Where is the predicate of a partial index, "" without one.
	Where string
	// Constraint is the constraint that it belongs to, "" for none.
	Constraint string
	// Default is set for the index that TimescaleDB made by itself.
	Default bool
	// Guessed is set when the name is PostgreSQL's choice and cannot be told
	// for sure.
	Guessed bool
	// Definition is the CREATE INDEX statement, "" when there was none.
	Definition string
}

// A Key is one key of an index.
type Key struct {
	Column string
	// Expr is the SQL of an expression.
	Expr string
	Desc bool
	// OpClass and Collation are as written; Nulls is "first", "last" or "".
	OpClass, Collation, Nulls string
}

// ColumnKeys are the key columns, "" for expressions.
func (i *Index) ColumnKeys() []string {
	out := make([]string, len(i.Keys))
	for n, k := range i.Keys {
		out[n] = k.Column
	}
	return out
}

// A Constraint is a constraint of a relation.
type Constraint struct {
	Name    string
	Created *Origin
	Kind    migration.ConstraintKind
	Columns []string
	Ref     Ref
	// RefColumns may be empty for the primary key of Ref.
	RefColumns         []string
	OnDelete, OnUpdate string
	// Expr is the SQL of a CHECK.
	Expr     string
	NotValid bool
	// Guessed is set when the name is PostgreSQL's choice and cannot be told
	// for sure.
	Guessed bool
}

// An Object is anything else: a type, function, trigger, sequence, schema,
// extension, policy, ...
type Object struct {
	Kind string
	Ref
	// Table is the relation of a trigger, policy or rule; the zero Ref for
	// others.
	Table   Ref
	Created *Origin
	// Type is what a type is: "enum", "composite", "range", "domain" or "base".
	Type string
	// Base is the type behind a domain.
	Base migration.Type
	// Values are the labels of an enum type.
	Values []string
	// Function is what a trigger calls, Columns those that its definition names.
	Function Ref
	Columns  []string
}

// A Catalog is a schema at one point of a history. The nil Catalog is empty.
type Catalog struct {
	relations pmap[*Relation]
	// indexes leads from an index's name to its relation.
	indexes pmap[Ref]
	// users leads from a relation's name to those of the relations that name
	// it; the relation itself may not be known.
	users pmap[pmap[struct{}]]
	// objects are keyed by kind (as the schema part) and a name that tells
	// them apart.
	objects pmap[*Object]
	// taints counts the statements that could not be read.
	taints int
	// roleSettings are the settings that roles or databases were given, sorted.
	roleSettings []string
}

// RoleSetting reports whether a migration gave a role or a database a setting:
// ALTER ROLE ... SET. Sessions may then begin with it.
func (c *Catalog) RoleSetting(name string) bool {
	if c == nil {
		return false
	}
	_, ok := slices.BinarySearch(c.roleSettings, name)
	return ok
}

// New returns an empty catalog.
func New() *Catalog { return &Catalog{} }

// Relation returns the relation of a name, or nil.
func (c *Catalog) Relation(n migration.Name) *Relation { return c.Lookup(RefOf(n)) }

// Table returns the table of a name, or nil; views are no tables.
func (c *Catalog) Table(n migration.Name) *Relation {
	if r := c.Relation(n); r != nil && r.Kind == Table {
		return r
	}
	return nil
}

// Lookup returns the relation of a qualified name, or nil.
func (c *Catalog) Lookup(r Ref) *Relation {
	if c == nil {
		return nil
	}
	rel, _ := c.relations.get(r)
	return rel
}

// Index returns an index by its name and the relation it belongs to, or nils.
func (c *Catalog) Index(n migration.Name) (*Index, *Relation) {
	if c == nil {
		return nil, nil
	}
	ref, ok := c.indexes.get(RefOf(n))
	if !ok {
		return nil, nil
	}
	rel := c.Lookup(ref)
	if rel == nil {
		return nil, nil
	}
	return rel.Index(RefOf(n).Name), rel
}

// Object returns an object that is no relation and belongs to none, or nil.
func (c *Catalog) Object(kind string, n migration.Name) *Object {
	if c == nil {
		return nil
	}
	ref := RefOf(n)
	if kind == "schema" || kind == "extension" {
		ref = Ref{Name: n.Name} // they are in no schema
	}
	o, _ := c.objects.get(objectKey(kind, ref, Ref{}))
	return o
}

// Trigger returns a trigger, policy or rule of a table, or nil.
func (c *Catalog) Trigger(kind string, table migration.Name, name string) *Object {
	if c == nil {
		return nil
	}
	o, _ := c.objects.get(objectKey(kind, Ref{Name: name}, RefOf(table)))
	return o
}

func objectKey(kind string, name, table Ref) Ref {
	if table.Name == "" {
		return Ref{kind, name.Schema + "\x00" + name.Name}
	}
	return Ref{kind, table.Schema + "\x00" + table.Name + "\x00" + name.Name}
}

// Relations are all relations in the order of their names.
func (c *Catalog) Relations() iter.Seq[*Relation] {
	return func(yield func(*Relation) bool) {
		if c != nil {
			c.relations.all(func(_ Ref, r *Relation) bool { return yield(r) })
		}
	}
}

// Objects are all other objects, in the order of kind and name.
func (c *Catalog) Objects() iter.Seq[*Object] {
	return func(yield func(*Object) bool) {
		if c != nil {
			c.objects.all(func(_ Ref, o *Object) bool { return yield(o) })
		}
	}
}

// ObjectsOf are the other objects of one kind, in the order of their names.
func (c *Catalog) ObjectsOf(kind string) iter.Seq[*Object] {
	return func(yield func(*Object) bool) {
		if c != nil {
			c.objects.from(Ref{Schema: kind}, func(k Ref, o *Object) bool { return k.Schema == kind && yield(o) })
		}
	}
}

// Taints is the number of statements so far that could not be read and may
// have done anything.
func (c *Catalog) Taints() int {
	if c == nil {
		return 0
	}
	return c.taints
}

// Complete reports whether everything about the relation is known: a migration
// made it, and nothing that could not be read has run since.
func (c *Catalog) Complete(r *Relation) bool {
	return r != nil && r.Created != nil && !r.Partial && r.taints == c.Taints()
}

// Certain reports whether a migration made the relation and nothing that could
// not be read has run since: it is there, and at least what is known of it.
func (c *Catalog) Certain(r *Relation) bool {
	return r != nil && r.Created != nil && r.taints == c.Taints()
}

// Column returns a column by name, or nil.
func (r *Relation) Column(name string) *Column {
	for _, c := range r.Columns {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Index returns an index by its name, or nil.
func (r *Relation) Index(name string) *Index {
	for _, i := range r.Indexes {
		if i.Name == name {
			return i
		}
	}
	return nil
}

// Constraint returns a constraint by its name, or nil.
func (r *Relation) Constraint(name string) *Constraint {
	for _, c := range r.Constraints {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// PrimaryKey returns the primary key, or nil.
func (r *Relation) PrimaryKey() *Constraint {
	for _, c := range r.Constraints {
		if c.Kind == migration.PrimaryKey {
			return c
		}
	}
	return nil
}

// TimeIndex returns an index that serves the newest rows of a hypertable: a
// whole b-tree whose first key is the time column. nil when there is none.
func (r *Relation) TimeIndex() *Index {
	if r.Hypertable == nil {
		return nil
	}
	for _, i := range r.Indexes {
		if i.Method == "btree" && i.Where == "" && len(i.Keys) > 0 && i.Keys[0].Column == r.Hypertable.TimeColumn && i.Keys[0].Column != "" {
			return i
		}
	}
	return nil
}

// clone returns a copy whose slices may be appended to and replaced.
func (r *Relation) clone() *Relation {
	n := *r
	n.Columns = slices.Clip(r.Columns)
	n.Indexes = slices.Clip(r.Indexes)
	n.Constraints = slices.Clip(r.Constraints)
	return &n
}

// replaced returns the slice with the element that is old replaced by new, or
// without it when new is nil.
func replaced[T any](s []*T, old, new *T) []*T {
	out := make([]*T, 0, len(s))
	for _, e := range s {
		switch {
		case e != old:
			out = append(out, e)
		case new != nil:
			out = append(out, new)
		}
	}
	return out
}

// Quote writes an identifier as SQL needs it: bare when it is a lower-case
// word that is no keyword, in double quotes else.
func Quote(name string) string {
	if bare(name) {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// Reserved reports whether a lower-case word cannot name a column or table
// without double quotes.
func Reserved(word string) bool { return reserved[word] }

func bare(name string) bool {
	if name == "" || reserved[name] {
		return false
	}
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case c >= 'a' && c <= 'z', c == '_', c >= 0x80:
		case (c >= '0' && c <= '9' || c == '$') && i > 0:
		default:
			return false
		}
	}
	return true
}

// reserved are PostgreSQL's words that cannot name a column or table bare.
var reserved = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(`all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation column
		concurrently constraint create cross current_catalog current_date current_role current_schema current_time current_timestamp
		current_user default deferrable desc distinct do else end except false fetch for foreign freeze from full grant group having
		ilike in initially inner intersect into is isnull join lateral leading left like limit localtime localtimestamp natural not
		notnull null offset on only or order outer overlaps placing primary references returning right select session_user similar
		some symmetric system_user table tablesample then to trailing true union unique user using variadic verbose when where window
		with`) {
		m[w] = true
	}
	return m
}()
