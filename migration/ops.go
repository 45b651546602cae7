package migration

import "github.com/ddlsp/ddlsp/internal/source"

// An Op is what a statement does. The set is closed: a switch over it can be
// exhaustive. Every span inside an Op is a range of its statement's SQL.
type Op interface{ op() }

// A Name is a relation or another named object, as PostgreSQL folds it
// (unquoted names in lower case). Schema is empty when it was not written.
type Name struct {
	Schema, Name string
	Span         source.Span
}

// String is the name as a person would write it, without quotes.
func (n Name) String() string {
	if n.Schema == "" {
		return n.Name
	}
	return n.Schema + "." + n.Name
}

// IsZero reports whether there is no name.
func (n Name) IsZero() bool { return n.Name == "" }

// An Ident is a column, constraint or another name inside a relation.
type Ident struct {
	Name string
	Span source.Span
}

// A Type is a column type. Name is lower case and in the short form that
// PostgreSQL's own catalog names have been given names for ("integer", not
// "int4"; "timestamp with time zone" is "timestamptz"); Args are its modifiers
// as written ("255"; "10","2").
type Type struct {
	Name  string
	Args  []string
	Array bool
	// Serial is "smallserial", "serial" or "bigserial" when written so; Name
	// is then the integer type behind it.
	Serial string
	Span   source.Span
}

// An Expr is an expression that is not taken apart further.
type Expr struct {
	SQL  string
	Span source.Span
	// Constant: a literal, or a cast of one; NULL included.
	Constant bool
	// Null: the literal NULL.
	Null bool
	// Functions are the functions called in it, lower case, with their schema
	// when it is written; CURRENT_TIMESTAMP and the like as "current_timestamp".
	Functions []string
}

// A Column is a column definition.
type Column struct {
	Ident
	Type    Type
	NotNull bool
	// Default is nil when there is none.
	Default *Expr
	// Identity is "always" or "by default" for an identity column.
	Identity string
	// Generated is the expression of a generated column.
	Generated *Expr
	Collation string
	// Constraints are those written at the column, NOT NULL excepted.
	Constraints []Constraint
	// Def is the whole definition.
	Def source.Span
}

// A ConstraintKind says what a constraint is.
type ConstraintKind string

const (
	PrimaryKey ConstraintKind = "primary key"
	Unique     ConstraintKind = "unique"
	ForeignKey ConstraintKind = "foreign key"
	Check      ConstraintKind = "check"
	Exclude    ConstraintKind = "exclude"
	NotNullCon ConstraintKind = "not null"
)

// A Constraint is a table or column constraint.
type Constraint struct {
	Kind ConstraintKind
	// Name is empty when PostgreSQL chooses it.
	Name string
	// Columns are its key columns, in order; for EXCLUDE those that are plain
	// columns.
	Columns []Ident
	// Include are the columns of INCLUDE.
	Include []Ident
	// Ref and RefColumns are what a foreign key points at.
	Ref                Name
	RefColumns         []Ident
	OnDelete, OnUpdate string // "", "cascade", "restrict", "set null", "set default"
	NotValid           bool
	Deferrable         bool
	// UsingIndex is the index of ADD CONSTRAINT ... USING INDEX.
	UsingIndex string
	// Expr is the expression of a CHECK.
	Expr *Expr
	// NoInherit is CHECK ... NO INHERIT.
	NoInherit bool
	Span      source.Span
}

// A RelOption is one storage parameter: WITH (namespace.name = value).
type RelOption struct {
	Namespace, Name string
	// Value is empty for a bare option, which means true.
	Value string
	Span  source.Span
}

// CreateTable is CREATE TABLE, CREATE TABLE AS and SELECT INTO.
type CreateTable struct {
	Table       Name
	IfNotExists bool
	Temp        bool
	Unlogged    bool
	Columns     []Column
	Constraints []Constraint
	// PartitionBy is "range", "list" or "hash" for a partitioned table.
	PartitionBy string
	// PartitionKey are its plain key columns.
	PartitionKey []Ident
	// PartitionOf is the parent of a partition, Bound its FOR VALUES or DEFAULT.
	// Inherits are other parents, Like the tables of LIKE clauses.
	PartitionOf Name
	Bound       *Expr
	Inherits    []Name
	Like        []Name
	// AsQuery is set for CREATE TABLE AS and SELECT INTO.
	AsQuery bool
	Options []RelOption
	// Hypertable is set for WITH (timescaledb.hypertable, ...).
	Hypertable *CreateHypertable
}

// CreateView is CREATE [MATERIALIZED] VIEW.
type CreateView struct {
	View         Name
	Materialized bool
	Replace      bool
	IfNotExists  bool
	Temp         bool
	// NoData is WITH NO DATA. Continuous is WITH (timescaledb.continuous).
	NoData     bool
	Continuous bool
	Options    []RelOption
	// From are the relations that its query reads, as far as they stand in it.
	From []Name
	// Uses are the columns that its query names.
	Uses []ColumnUse
	// GroupBy is set when the query groups.
	GroupBy bool
	// Shape says of the query of a continuous aggregate what TimescaleDB looks
	// at; nil for other views.
	Shape *QueryShape
}

// A QueryShape is what a query is made of.
type QueryShape struct {
	With, SetOperation, Distinct, Limit, Window bool
	// Subquery is set when a query stands in FROM or in an expression.
	Subquery bool
	// Buckets is the number of keys of GROUP BY that are calls of time_bucket;
	// Bucketed is set when any key holds such a call.
	Buckets  int
	Bucketed bool
	// Aliases are the names in GROUP BY that are those of computed columns of
	// the result: they mean these only when no relation has such a column.
	Aliases []GroupAlias
}

// A GroupAlias is a key of GROUP BY that names the Column-th column of the
// result, counted from 1. Bucket is set when that is a call of time_bucket.
type GroupAlias struct {
	Ident
	Column int
	Bucket bool
}

// A ColumnUse is a column that a query names. Relation is zero where the query
// does not tell which of several it belongs to; Column is "" for all of them
// (*).
type ColumnUse struct {
	Relation Name
	Column   string
}

// AddColumn is ALTER TABLE ... ADD COLUMN.
type AddColumn struct {
	Table       Name
	Column      Column
	IfNotExists bool
}

// DropColumn is ALTER TABLE ... DROP COLUMN.
type DropColumn struct {
	Table    Name
	Column   Ident
	IfExists bool
	Cascade  bool
}

// AlterColumnType is ALTER TABLE ... ALTER COLUMN ... TYPE.
type AlterColumnType struct {
	Table  Name
	Column Ident
	Type   Type
	// Using is the expression of USING, nil without one.
	Using     *Expr
	Collation string
}

// SetNotNull is ALTER COLUMN ... SET NOT NULL, or DROP NOT NULL with Drop.
type SetNotNull struct {
	Table  Name
	Column Ident
	Drop   bool
}

// SetDefault is ALTER COLUMN ... SET DEFAULT, or DROP DEFAULT when Default is
// nil.
type SetDefault struct {
	Table   Name
	Column  Ident
	Default *Expr
}

// AddConstraint is ALTER TABLE ... ADD CONSTRAINT.
type AddConstraint struct {
	Table      Name
	Constraint Constraint
}

// DropConstraint is ALTER TABLE ... DROP CONSTRAINT.
type DropConstraint struct {
	Table      Name
	Constraint Ident
	IfExists   bool
	Cascade    bool
}

// ValidateConstraint is ALTER TABLE ... VALIDATE CONSTRAINT.
type ValidateConstraint struct {
	Table      Name
	Constraint Ident
}

// SetTableOptions is ALTER TABLE (or MATERIALIZED VIEW) ... SET (...), or
// RESET with Reset.
type SetTableOptions struct {
	Table   Name
	Options []RelOption
	Reset   bool
}

// AttachPartition is ALTER TABLE ... ATTACH PARTITION; Bound is its FOR VALUES
// or DEFAULT, nil for an index.
type AttachPartition struct {
	Table, Partition Name
	Bound            *Expr
}

// DetachPartition is ALTER TABLE ... DETACH PARTITION.
type DetachPartition struct {
	Table, Partition Name
	Concurrently     bool
	Finalize         bool
}

// AlterTable is any other sub-command of ALTER TABLE: What is its SQL name in
// lower case ("enable trigger", "set logged", "owner to", ...), Target what it
// names.
type AlterTable struct {
	Table  Name
	What   string
	Target string
}

// Rename renames an object: Kind is "table", "column", "index", "constraint",
// "view", "materialized view", "schema", "type", "sequence", "function",
// "enum value", "trigger", ...
type Rename struct {
	Kind string
	// Object is the object, or the relation of a column, constraint, trigger.
	Object Name
	From   string
	To     string
}

// SetSchema moves an object to another schema.
type SetSchema struct {
	Kind   string
	Object Name
	Schema string
}

// An IndexKey is one key of an index: a column, or an expression.
type IndexKey struct {
	Column Ident // zero for an expression
	Expr   *Expr
	Desc   bool
	// OpClass and Collation as written; Nulls "first", "last" or "".
	OpClass   string
	Collation string
	Nulls     string
	Span      source.Span
}

// CreateIndex is CREATE INDEX.
type CreateIndex struct {
	// Index is the name, zero when PostgreSQL chooses it.
	Index            Name
	Table            Name
	Unique           bool
	Concurrently     bool
	IfNotExists      bool
	Only             bool
	Method           string // "btree" unless written otherwise
	Keys             []IndexKey
	Include          []Ident
	NullsNotDistinct bool
	// Where is the predicate of a partial index.
	Where   *Expr
	Options []RelOption
	// Keyword is the place of the word INDEX, KeySpan the inside of the key
	// list's parentheses.
	Keyword, KeySpan source.Span
}

// DropIndex is DROP INDEX.
type DropIndex struct {
	Indexes      []Name
	Concurrently bool
	IfExists     bool
	Cascade      bool
	Keyword      source.Span
}

// Reindex is REINDEX; Kind is "index", "table", "schema", "database",
// "system".
type Reindex struct {
	Kind         string
	Object       Name
	Concurrently bool
}

// Drop drops objects other than indexes: Kind is "table", "view",
// "materialized view", "type", "domain", "function", "procedure", "sequence",
// "schema", "extension", "trigger", "policy", "rule", ...
type Drop struct {
	Kind     string
	Names    []Name
	IfExists bool
	Cascade  bool
	// Table is the relation of a trigger, policy or rule.
	Table Name
}

// CreateType is CREATE TYPE and CREATE DOMAIN: Kind is "enum", "composite",
// "range", "domain" or "base".
type CreateType struct {
	Type   Name
	Kind   string
	Values []string
	// Base and Constraints are a domain's.
	Base        Type
	Constraints []Constraint
}

// AlterDomain is ALTER DOMAIN, renaming and SET SCHEMA excepted: What is "add
// constraint", "drop constraint", "validate constraint", "set not null", "drop
// not null" or "set default" (dropping one included).
type AlterDomain struct {
	Domain Name
	What   string
	// Constraint is what "add constraint" adds.
	Constraint Constraint
}

// AlterEnum is ALTER TYPE ... ADD VALUE (Rename is ALTER TYPE ... RENAME
// VALUE).
type AlterEnum struct {
	Type        Name
	Value       string
	IfNotExists bool
	// Before or After name a neighbour.
	Before, After string
}

// CreateFunction is CREATE FUNCTION and CREATE PROCEDURE.
type CreateFunction struct {
	Function  Name
	Procedure bool
	Replace   bool
	// Args are the argument types.
	Args     []Type
	Returns  string
	Language string
	// Body is the text of the body, not analysed: a definition runs nothing.
	Body            string
	SecurityDefiner bool
	// Volatility is "stable" or "immutable", "" for a volatile function.
	Volatility string
	// Sets are the settings of its SET clauses, by name, Settings the clauses
	// themselves. One that takes over the session's value has no Values.
	Sets     []string
	Settings []Set
	// Atomic: the body is standard SQL (BEGIN ATOMIC, RETURN), whose names are
	// looked up once and for all.
	Atomic bool
	// Clause is where a further clause may be written, just before AS; zero
	// without AS.
	Clause source.Span
}

// CreateTrigger is CREATE [CONSTRAINT] TRIGGER.
type CreateTrigger struct {
	Trigger  Ident
	Table    Name
	Function Name
	Replace  bool
	Row      bool
	// Transition is set when it uses REFERENCING ... TABLE.
	Transition bool
	Constraint bool
	// Uses are the columns of UPDATE OF, and those of NEW and OLD in WHEN.
	Uses []string
}

// Create makes an object that has no type of its own here: Kind is
// "extension", "schema", "sequence", "policy", "rule", "publication",
// "aggregate", "cast", "operator", "statistics", "event trigger", ...
type Create struct {
	Kind        string
	Object      Name
	IfNotExists bool
	Replace     bool
	// Table is the relation of a policy, rule or statistics object.
	Table Name
	// Options are what an extension is created with, by name. Those of a policy
	// are "permissive" or "restrictive", "for" ("all", "select", ...), "to" for
	// each role ("public" for PUBLIC), "using" and "with check" with the
	// expression.
	Options []RelOption
}

// AlterSequence is ALTER SEQUENCE.
type AlterSequence struct {
	Sequence Name
	// Owned is set by OWNED BY a column: the sequence falls with it.
	Owned bool
}

// Comment is COMMENT ON.
type Comment struct {
	Kind   string
	Object Name
	// Column is set for a column.
	Column string
	// Null removes the comment.
	Null bool
}

// Grant is GRANT, or REVOKE with Revoke.
type Grant struct {
	Revoke     bool
	Kind       string
	Objects    []Name
	Privileges []string // empty: all
	To         []string // "public" for PUBLIC
}

// Write is INSERT, UPDATE, DELETE, MERGE, COPY or TRUNCATE, in a Verb in lower
// case.
type Write struct {
	Verb   string
	Table  Name
	Tables []Name // of TRUNCATE
	// Columns are those that an INSERT lists or an UPDATE sets, in the order
	// written; Sets those that ON CONFLICT DO UPDATE sets. A column of which
	// only a part is written (an element, a field) is not among them.
	Columns, Sets []Ident
	// Where is set when an UPDATE or DELETE has a condition. Equals are the
	// columns that it, or one of its parts joined by AND, holds equal to a
	// constant.
	Where   bool
	Equals  []string
	Cascade bool
	// Query is set for an INSERT of what a SELECT returns.
	Query bool
}

// RefreshView is REFRESH MATERIALIZED VIEW.
type RefreshView struct {
	View         Name
	Concurrently bool
	NoData       bool
}

// Set is SET, SET LOCAL, RESET and SELECT set_config('...').
type Set struct {
	Name string
	// Value is as written, without quotes; "" for RESET and DEFAULT.
	Value string
	Local bool
	Reset bool
	// Values are the items of SET, each without its quotes, and Span the text
	// of them all. Those of set_config, which has Call set, are not told.
	Values []string
	Span   source.Span
	Call   bool
}

// TxControl is BEGIN, COMMIT, ROLLBACK, SAVEPOINT, ... in a lower-case Verb.
type TxControl struct{ Verb string }

// LockTable is LOCK TABLE; Mode is PostgreSQL's name ("ACCESS EXCLUSIVE").
type LockTable struct {
	Tables []Name
	Mode   string
	NoWait bool
}

// Maintain is VACUUM, ANALYZE, CLUSTER, CHECKPOINT, ALTER SYSTEM, CREATE or
// DROP DATABASE, ... in a lower-case Verb.
type Maintain struct {
	Verb    string
	Objects []Name
	// Full is VACUUM FULL.
	Full bool
}

// Do is an anonymous block. Ops are those of the statements in it that can be
// read, literal EXECUTE included; their spans are of the DO statement's SQL,
// precise to the line. Raises is set when the block does nothing but raise an
// exception.
type Do struct {
	Language string
	Ops      []InnerOp
	Raises   bool
	// Opaque says why the block cannot be read to its end, "" when it can.
	Opaque string
	// Computed are the expressions of EXECUTE that are no literals.
	Computed []Expr
}

// An InnerOp is an operation of a statement inside a DO block.
type InnerOp struct {
	Op Op
	// Span is the inner statement, from its first byte.
	Span source.Span
}

// Query is a SELECT, VALUES, SHOW or EXPLAIN that changes nothing by its form;
// Functions are what it calls at its top level.
type Query struct {
	Calls []Call
	// From are the relations that it reads; Point is set when its condition
	// holds a column equal to a constant, or when it stops after some rows.
	From  []Name
	Point bool
}

// CallProcedure is CALL.
type CallProcedure struct{ Call Call }

// A Call is a function or procedure call with its arguments.
type Call struct {
	Function Name
	Args     []Arg
	Span     source.Span
}

// An Arg is one argument of a call. Name is set for name => value.
type Arg struct {
	Name string
	// Value is the text of the argument, Literal its value when it is a
	// constant (a string without quotes and casts), Call the call that it is.
	Value   string
	Literal *string
	Call    *Call
	Span    source.Span
}

// CreateHypertable is SELECT create_hypertable(...), CREATE TABLE ... WITH
// (timescaledb.hypertable), or the call of a DSL library that does the same.
type CreateHypertable struct {
	Table Name
	// TimeColumn is empty when it is not known (left to the server).
	TimeColumn string
	// Partition are further partitioning columns (hash dimensions).
	Partition []string
	// DefaultIndexes is false when create_default_indexes is off; Flag is the
	// argument that says so.
	DefaultIndexes bool
	Flag           source.Span
	MigrateData    bool
	IfNotExists    bool
	// ChunkInterval is as written, "" when not given.
	ChunkInterval string
	Span          source.Span
	// Call is the call of create_hypertable, nil for the form of CREATE TABLE.
	Call *Call
}

// AddDimension is SELECT add_dimension(...).
type AddDimension struct {
	Table  Name
	Column string
	Span   source.Span
}

// Policy adds or removes a TimescaleDB policy: Kind is "compression"
// (columnstore too), "retention", "refresh" or "reorder".
type Policy struct {
	Kind     string
	Remove   bool
	Relation Name
	Call     Call
}

// Other is a statement that was read but means nothing to ddlsp; Tag is its
// command tag in lower case. Object is what CREATE and ALTER of a role, a
// function, a foreign server, a user mapping (its server) and a subscription
// are about, Options what they are given by name ("password", "connection"),
// Settings their SET clauses.
type Other struct {
	Tag      string
	Object   Name
	Options  []RelOption
	Settings []Set
}

func (*CreateTable) op()        {}
func (*CreateView) op()         {}
func (*AddColumn) op()          {}
func (*DropColumn) op()         {}
func (*AlterColumnType) op()    {}
func (*SetNotNull) op()         {}
func (*SetDefault) op()         {}
func (*AddConstraint) op()      {}
func (*DropConstraint) op()     {}
func (*ValidateConstraint) op() {}
func (*SetTableOptions) op()    {}
func (*AttachPartition) op()    {}
func (*DetachPartition) op()    {}
func (*AlterTable) op()         {}
func (*Rename) op()             {}
func (*SetSchema) op()          {}
func (*CreateIndex) op()        {}
func (*DropIndex) op()          {}
func (*Reindex) op()            {}
func (*Drop) op()               {}
func (*CreateType) op()         {}
func (*AlterDomain) op()        {}
func (*AlterEnum) op()          {}
func (*CreateFunction) op()     {}
func (*CreateTrigger) op()      {}
func (*Create) op()             {}
func (*AlterSequence) op()      {}
func (*Comment) op()            {}
func (*Grant) op()              {}
func (*Write) op()              {}
func (*RefreshView) op()        {}
func (*Set) op()                {}
func (*TxControl) op()          {}
func (*LockTable) op()          {}
func (*Maintain) op()           {}
func (*Do) op()                 {}
func (*Query) op()              {}
func (*CallProcedure) op()      {}
func (*CreateHypertable) op()   {}
func (*AddDimension) op()       {}
func (*Policy) op()             {}
func (*Other) op()              {}
