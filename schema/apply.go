package schema

import (
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/migration"
)

// ApplyMigration returns the catalog after a direction of a migration.
func (c *Catalog) ApplyMigration(m *migration.Migration, d migration.Direction) *Catalog {
	for _, u := range m.Body(d).Units {
		for _, s := range u.Statements {
			c = c.ApplyStatement(&Origin{Migration: m, Direction: d, Statement: s}, s)
		}
	}
	return c
}

// Fold returns the catalog that the up directions of a history leave, applied
// to c.
func (c *Catalog) Fold(history []*migration.Migration) *Catalog {
	for _, m := range history {
		c = c.ApplyMigration(m, migration.Up)
	}
	return c
}

// ApplyStatement returns the catalog after all that a statement does. One that
// cannot be read leaves a catalog that knows that it does not know.
func (c *Catalog) ApplyStatement(at *Origin, s *migration.Statement) *Catalog {
	p := s.Parse()
	for _, op := range p.Ops {
		c = c.Apply(at, op)
	}
	if Unreadable(s) {
		c = c.Taint()
	}
	return c
}

// Unreadable reports whether a statement may do things that its operations do
// not tell.
func Unreadable(s *migration.Statement) bool {
	if s.Opaque != "" || len(s.Unknown) > 0 {
		return true
	}
	p := s.Parse()
	return p.Opaque != "" && len(p.Ops) == 0 || p.Err != nil
}

// Taint returns the catalog after something that could not be read.
func (c *Catalog) Taint() *Catalog {
	n := c.copy()
	n.taints++
	return n
}

func (c *Catalog) copy() *Catalog {
	if c == nil {
		return &Catalog{}
	}
	n := *c
	return &n
}

// Apply returns the catalog after an operation. An operation on a relation
// that the history does not show makes a partial one.
func (c *Catalog) Apply(at *Origin, op migration.Op) *Catalog {
	switch op := op.(type) {
	case *migration.CreateTable:
		return c.createTable(at, op)
	case *migration.CreateView:
		return c.createView(at, op)
	case *migration.AddColumn:
		if op.IfNotExists {
			if r := c.Relation(op.Table); r != nil && r.Column(op.Column.Name) != nil {
				return c
			}
		}
		n := c.copy()
		r := n.edit(op.Table, Table)
		n.addColumn(at, r, &op.Column)
		n.put(r)
		return n
	case *migration.DropColumn:
		n := c.copy()
		r := n.edit(op.Table, Table)
		n.dropColumn(r, op.Column.Name)
		n.put(r)
		return n
	case *migration.AlterColumnType:
		return c.changeColumn(op.Table, op.Column.Name, func(col *Column) {
			col.Type = op.Type
			if op.Collation != "" {
				col.Collation = op.Collation
			}
		})
	case *migration.SetNotNull:
		return c.changeColumn(op.Table, op.Column.Name, func(col *Column) { col.NotNull = !op.Drop })
	case *migration.SetDefault:
		return c.changeColumn(op.Table, op.Column.Name, func(col *Column) {
			col.Default = ""
			if op.Default != nil && !op.Default.Null {
				col.Default = op.Default.SQL
			}
		})
	case *migration.AddConstraint:
		n := c.copy()
		r := n.edit(op.Table, Table)
		n.addConstraint(at, r, &op.Constraint, "")
		n.put(r)
		return n
	case *migration.DropConstraint:
		n := c.copy()
		r := n.edit(op.Table, Table)
		n.dropConstraint(r, op.Constraint.Name)
		n.put(r)
		return n
	case *migration.ValidateConstraint:
		r := c.Relation(op.Table)
		if r == nil {
			return c
		}
		con := r.Constraint(op.Constraint.Name)
		if con == nil || !con.NotValid {
			return c
		}
		n, r := c.copy(), r.clone()
		valid := *con
		valid.NotValid = false
		r.Constraints = replaced(r.Constraints, con, &valid)
		n.put(r)
		return n
	case *migration.SetTableOptions:
		return c.setOptions(op)
	case *migration.AttachPartition:
		n := c.copy()
		r := n.edit(op.Partition, Table)
		r.PartitionOf, r.Bound = RefOf(op.Table), ""
		if op.Bound != nil {
			r.Bound = op.Bound.SQL
		}
		n.put(r)
		return n
	case *migration.DetachPartition:
		n := c.copy()
		r := n.edit(op.Partition, Table)
		r.PartitionOf, r.Bound = Ref{}, ""
		n.put(r)
		return n
	case *migration.Rename:
		return c.rename(op)
	case *migration.SetSchema:
		return c.setSchema(op)
	case *migration.CreateIndex:
		return c.createIndex(at, op)
	case *migration.DropIndex:
		n := c.copy()
		for _, name := range op.Indexes {
			n.dropIndex(RefOf(name))
		}
		return n
	case *migration.Drop:
		return c.drop(op)
	case *migration.CreateType:
		n := c.copy()
		n.putObject(&Object{Kind: "type", Ref: RefOf(op.Type), Created: at, Type: op.Kind, Base: op.Base, Values: op.Values})
		return n
	case *migration.AlterEnum:
		o := c.Object("type", op.Type)
		if o == nil || slices.Contains(o.Values, op.Value) {
			return c
		}
		n, copied := c.copy(), *o
		copied.Values = insertValue(o.Values, op)
		n.putObject(&copied)
		return n
	case *migration.CreateFunction:
		kind := "function"
		if op.Procedure {
			kind = "procedure"
		}
		if op.Replace && c.Object(kind, op.Function) != nil {
			return c
		}
		n := c.copy()
		n.putObject(&Object{Kind: kind, Ref: RefOf(op.Function), Created: at})
		return n
	case *migration.CreateTrigger:
		if op.Replace && c.Trigger("trigger", op.Table, op.Trigger.Name) != nil {
			return c
		}
		n := c.copy()
		n.putObject(&Object{Kind: "trigger", Ref: Ref{Name: op.Trigger.Name}, Table: RefOf(op.Table), Created: at, Function: RefOf(op.Function), Columns: op.Uses})
		return n
	case *migration.Create:
		return c.create(at, op)
	case *migration.CreateHypertable:
		n := c.copy()
		r := n.edit(op.Table, Table)
		n.makeHypertable(at, r, op)
		n.put(r)
		return n
	case *migration.AddDimension:
		r := c.Relation(op.Table)
		if r == nil || r.Hypertable == nil || op.Column == "" {
			return c
		}
		n, r := c.copy(), r.clone()
		h := *r.Hypertable
		h.Dimensions = append(slices.Clip(h.Dimensions), op.Column)
		r.Hypertable = &h
		n.put(r)
		return n
	case *migration.Policy:
		r := c.Relation(op.Relation)
		if r == nil {
			return c
		}
		n, r := c.copy(), r.clone()
		r.Policies = slices.DeleteFunc(slices.Clone(r.Policies), func(k string) bool { return k == op.Kind })
		// A view may have several refresh policies; of the others the first one
		// stays.
		jobs := slices.Clone(r.Jobs)
		has := slices.ContainsFunc(jobs, func(j Job) bool { return j.Kind == op.Kind })
		if op.Remove {
			jobs = slices.DeleteFunc(jobs, func(j Job) bool { return j.Kind == op.Kind })
		} else {
			r.Policies = append(r.Policies, op.Kind)
			if !has || op.Kind == "refresh" {
				jobs = append(jobs, Job{Kind: op.Kind, Created: at, Op: op})
			}
		}
		r.Jobs = jobs
		n.put(r)
		return n
	case *migration.Do:
		for _, inner := range op.Ops {
			c = c.Apply(at, inner.Op)
		}
		if op.Opaque != "" {
			c = c.Taint()
		}
		return c
	case *migration.TxControl:
		// A ROLLBACK in a migration takes back what nobody here can tell.
		if op.Verb == "rollback" || op.Verb == "rollback to" {
			return c.Taint()
		}
		return c
	case *migration.Query, *migration.CallProcedure:
		// A function may do anything, but those that migrations call do not
		// change the schema; the ones that do have operations of their own.
		return c
	case *migration.AlterTable:
		if op.What != "enable row level security" && op.What != "disable row level security" {
			return c
		}
		n := c.copy()
		r := n.edit(op.Table, Table)
		r.RowSecurity = op.What == "enable row level security"
		n.put(r)
		return n
	case *migration.Reindex, *migration.AlterSequence, *migration.Comment, *migration.Grant,
		*migration.AlterDomain, *migration.Write, *migration.RefreshView, *migration.Set, *migration.LockTable, *migration.Maintain:
		return c
	case *migration.Other:
		return c.giveSettings(op)
	}
	return c.Taint() // cannot happen: a test applies every operation
}

// giveSettings notes the settings of ALTER ROLE and ALTER DATABASE.
func (c *Catalog) giveSettings(op *migration.Other) *Catalog {
	switch op.Tag {
	case "alter role", "alter user", "alter database":
	default:
		return c
	}
	for _, set := range op.Settings {
		if set.Reset || c.RoleSetting(set.Name) {
			continue
		}
		n := c.copy()
		n.roleSettings = append(slices.Clone(n.roleSettings), set.Name)
		slices.Sort(n.roleSettings)
		c = n
	}
	return c
}

// edit returns a copy of the relation to be changed and put back, a new
// partial one when the history does not show it.
func (c *Catalog) edit(n migration.Name, kind Kind) *Relation {
	if r := c.Relation(n); r != nil {
		return r.clone()
	}
	return &Relation{Ref: RefOf(n), Kind: kind, Partial: true, taints: c.taints}
}

func (c *Catalog) putObject(o *Object) {
	c.objects = c.objects.set(objectKey(o.Kind, o.Ref, o.Table), o)
}

// taken reports whether a relation or index has the name.
func (c *Catalog) taken(r Ref) bool {
	if _, ok := c.relations.get(r); ok {
		return true
	}
	_, ok := c.indexes.get(r)
	return ok
}

func (c *Catalog) createTable(at *Origin, op *migration.CreateTable) *Catalog {
	ref := RefOf(op.Table)
	if op.IfNotExists && c.Lookup(ref) != nil {
		return c
	}
	n := c.copy()
	if old := c.Lookup(ref); old != nil {
		n.forget(old)
	}
	r := &Relation{Ref: ref, Kind: Table, Created: at, taints: n.taints, Temp: op.Temp, Unlogged: op.Unlogged, PartitionBy: op.PartitionBy}
	r.Partial = op.AsQuery || len(op.Like) > 0 || len(op.Inherits) > 0 || !op.PartitionOf.IsZero()
	for _, k := range op.PartitionKey {
		r.PartitionKey = append(r.PartitionKey, k.Name)
	}
	if !op.PartitionOf.IsZero() {
		r.PartitionOf = RefOf(op.PartitionOf)
		if op.Bound != nil {
			r.Bound = op.Bound.SQL
		}
	}
	r.Options = options(nil, op.Options, false)
	for i := range op.Columns {
		n.addColumn(at, r, &op.Columns[i])
	}
	for i := range op.Constraints {
		n.addConstraint(at, r, &op.Constraints[i], "")
	}
	if op.Hypertable != nil {
		n.makeHypertable(at, r, op.Hypertable)
		if r.Hypertable.Columnstore = columnstoreByDefault(op); r.Hypertable.Columnstore {
			r.Jobs = []Job{{Kind: "compression", Created: at}}
		}
	}
	n.put(r)
	return n
}

// columnstoreByDefault reports whether a table made WITH (tsdb.hypertable)
// starts with its columnstore on: it does unless the options say otherwise.
func columnstoreByDefault(op *migration.CreateTable) bool {
	for _, o := range op.Options {
		if timescaleOption(o) && (o.Name == "columnstore" || o.Name == "enable_columnstore" || o.Name == "compress") {
			return isTrue(o.Value)
		}
	}
	return true
}

func timescaleOption(o migration.RelOption) bool {
	return o.Namespace == "timescaledb" || o.Namespace == "tsdb"
}

func isTrue(v string) bool {
	switch strings.ToLower(v) {
	case "false", "off", "0", "no", "f", "n":
		return false
	}
	return true
}

// maxParts is how many columns, how many indexes and how many constraints of
// a relation are kept. PostgreSQL allows no more columns, and every further
// change copies what is there: a file of tens of thousands of statements about
// one table would take minutes.
const maxParts = 1600

// full reports whether a relation has so many parts of a kind that another one
// is not kept; then not all of them are known any more.
func (r *Relation) full(parts int) bool {
	if parts < maxParts {
		return false
	}
	r.Partial = true
	return true
}

func (c *Catalog) addColumn(at *Origin, r *Relation, col *migration.Column) {
	if r.full(len(r.Columns)) {
		return
	}
	if old := r.Column(col.Name); old != nil {
		r.Columns = replaced(r.Columns, old, nil)
	}
	n := &Column{Name: col.Name, Type: col.Type, NotNull: col.NotNull, Identity: col.Identity, Collation: col.Collation, Created: at}
	if col.Default != nil && !col.Default.Null {
		n.Default = col.Default.SQL
	}
	if col.Generated != nil {
		n.Generated = col.Generated.SQL
	}
	if col.Type.Serial != "" || col.Identity != "" {
		n.NotNull = true
	}
	r.Columns = append(r.Columns, n)
	for i := range col.Constraints {
		c.addConstraint(at, r, &col.Constraints[i], col.Name)
	}
}

func (c *Catalog) dropColumn(r *Relation, name string) {
	r.Columns = slices.DeleteFunc(slices.Clone(r.Columns), func(col *Column) bool { return col.Name == name })
	for _, i := range slices.Clone(r.Indexes) {
		if slices.ContainsFunc(i.Keys, func(k Key) bool { return k.Column == name }) || slices.Contains(i.Include, name) {
			c.removeIndex(r, i)
		}
	}
	r.Constraints = slices.DeleteFunc(slices.Clone(r.Constraints), func(con *Constraint) bool {
		// PostgreSQL drops a check of several columns with any of them.
		return slices.Contains(con.Columns, name) || con.Kind == migration.Check && namesColumn(con.Expr, name)
	})
}

// namesColumn reports whether an expression names a column, outside its string
// literals. A function, a type or a table of that name counts as well.
func namesColumn(expr, column string) bool {
	word := func(c byte) bool {
		return c == '_' || c == '$' || c >= 0x80 || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
	}
	for i := 0; i < len(expr); {
		switch c := expr[i]; {
		case c == '\'' || c == '"':
			end := strings.IndexByte(expr[i+1:], c)
			if end < 0 {
				return false
			}
			if c == '"' && expr[i+1:i+1+end] == column {
				return true
			}
			i += end + 2
		case word(c):
			start := i
			for i < len(expr) && word(expr[i]) {
				i++
			}
			if strings.EqualFold(expr[start:i], column) {
				return true
			}
		default:
			i++
		}
	}
	return false
}

// changeColumn changes a column that is known; of a relation or column that is
// not, nothing can be said.
func (c *Catalog) changeColumn(table migration.Name, name string, change func(*Column)) *Catalog {
	r := c.Relation(table)
	if r == nil {
		return c
	}
	col := r.Column(name)
	if col == nil {
		return c
	}
	n, r := c.copy(), r.clone()
	copied := *col
	change(&copied)
	r.Columns = replaced(r.Columns, col, &copied)
	n.put(r)
	return n
}

func (c *Catalog) addConstraint(at *Origin, r *Relation, con *migration.Constraint, column string) {
	if r.full(len(r.Constraints)) {
		return
	}
	cols := idents(con.Columns)
	if len(cols) == 0 && column != "" {
		cols = []string{column}
	}
	n := &Constraint{Name: con.Name, Created: at, Kind: con.Kind, Columns: cols, NotValid: con.NotValid, OnDelete: con.OnDelete, OnUpdate: con.OnUpdate, RefColumns: idents(con.RefColumns)}
	if con.Kind == migration.ForeignKey {
		n.Ref = RefOf(con.Ref)
	}
	if con.Expr != nil {
		n.Expr = con.Expr.SQL
	}
	taken := func(name string) bool { return r.Constraint(name) != nil || c.taken(Ref{r.Schema, name}) }
	if con.UsingIndex != "" {
		if i := r.Index(con.UsingIndex); i != nil {
			owned := *i
			if n.Name == "" {
				n.Name = i.Name
			}
			owned.Name, owned.Constraint = n.Name, n.Name
			n.Columns = i.ColumnKeys()
			c.indexes = c.indexes.delete(i.Ref).set(owned.Ref, r.Ref)
			r.Indexes = replaced(r.Indexes, i, &owned)
		} else if n.Name == "" {
			n.Name = con.UsingIndex
		}
	} else if n.Name == "" {
		n.Name, n.Guessed = constraintName(r.Name, con, column)
		if taken(n.Name) {
			base, guessed := *con, n.Guessed
			label := n.Name[strings.LastIndexByte(n.Name, '_')+1:]
			n.Name = free(func(l string) string {
				return objectName(r.Name, strings.Join(cols, "_"), l)
			}, label, taken)
			n.Guessed = guessed || base.Kind == migration.Check
		}
	}
	r.Constraints = append(r.Constraints, n)
	switch con.Kind {
	case migration.PrimaryKey:
		for _, name := range n.Columns {
			if col := r.Column(name); col != nil && !col.NotNull {
				notNull := *col
				notNull.NotNull = true
				r.Columns = replaced(r.Columns, col, &notNull)
			}
		}
		fallthrough
	case migration.Unique, migration.Exclude:
		if con.UsingIndex != "" {
			return
		}
		i := &Index{Ref: Ref{r.Schema, n.Name}, Created: at, Unique: con.Kind != migration.Exclude, Method: "btree", Constraint: n.Name, Include: idents(con.Include)}
		if con.Kind == migration.Exclude {
			i.Method = "gist"
		}
		for _, name := range n.Columns {
			i.Keys = append(i.Keys, Key{Column: name})
		}
		r.Indexes = append(r.Indexes, i)
		c.indexes = c.indexes.set(i.Ref, r.Ref)
	}
}

func (c *Catalog) dropConstraint(r *Relation, name string) {
	if con := r.Constraint(name); con != nil {
		r.Constraints = replaced(r.Constraints, con, nil)
	}
	for _, i := range r.Indexes {
		if i.Constraint == name {
			c.removeIndex(r, i)
			break
		}
	}
}

func (c *Catalog) removeIndex(r *Relation, i *Index) {
	r.Indexes = replaced(r.Indexes, i, nil)
	c.indexes = c.indexes.delete(i.Ref)
	if i.Constraint != "" {
		if con := r.Constraint(i.Constraint); con != nil {
			r.Constraints = replaced(r.Constraints, con, nil)
		}
	}
}

func (c *Catalog) dropIndex(ref Ref) {
	owner, ok := c.indexes.get(ref)
	if !ok {
		return
	}
	if r := c.Lookup(owner); r != nil {
		if i := r.Index(ref.Name); i != nil {
			r = r.clone()
			c.removeIndex(r, i)
			c.put(r)
		}
	}
}

func (c *Catalog) createIndex(at *Origin, op *migration.CreateIndex) *Catalog {
	ref := RefOf(op.Table)
	i := &Index{Created: at, Unique: op.Unique, NullsNotDistinct: op.NullsNotDistinct, Method: op.Method, Include: idents(op.Include)}
	for _, k := range op.Keys {
		key := Key{Column: k.Column.Name, Desc: k.Desc, OpClass: k.OpClass, Collation: k.Collation, Nulls: k.Nulls}
		if k.Expr != nil {
			key.Expr = k.Expr.SQL
		}
		i.Keys = append(i.Keys, key)
	}
	if op.Where != nil {
		i.Where = op.Where.SQL
	}
	if at != nil && at.Statement != nil {
		i.Definition = at.Statement.SQL
	}
	if i.Method == "" {
		i.Method = "btree"
	}
	n := c.copy()
	if r := n.edit(op.Table, Table); r.full(len(r.Indexes)) {
		n.put(r)
		return n
	}
	if op.Index.IsZero() {
		i.Ref.Schema = ref.Schema
		i.Name, i.Guessed = indexName(ref.Name, op)
		if n.taken(i.Ref) {
			cols := strings.TrimSuffix(strings.TrimPrefix(i.Name, ref.Name+"_"), "_idx")
			i.Name = free(func(l string) string { return objectName(ref.Name, cols, l) }, "idx", func(name string) bool { return n.taken(Ref{ref.Schema, name}) })
		}
	} else {
		i.Ref = Ref{ref.Schema, op.Index.Name}
		if op.IfNotExists && n.taken(i.Ref) {
			return c
		}
	}
	r := n.edit(op.Table, Table)
	if old := r.Index(i.Name); old != nil {
		r.Indexes = replaced(r.Indexes, old, nil)
	}
	r.Indexes = append(r.Indexes, i)
	n.indexes = n.indexes.set(i.Ref, r.Ref)
	n.put(r)
	return n
}

func (c *Catalog) createView(at *Origin, op *migration.CreateView) *Catalog {
	ref := RefOf(op.View)
	if old := c.Lookup(ref); old != nil && (op.IfNotExists || op.Replace) {
		if op.IfNotExists {
			return c
		}
		n, r := c.copy(), old.clone()
		r.From, r.Uses = c.reads(op)
		n.put(r)
		return n
	}
	n := c.copy()
	kind := View
	switch {
	case op.Continuous:
		kind = ContinuousAggregate
	case op.Materialized:
		kind = MaterializedView
	}
	r := &Relation{Ref: ref, Kind: kind, Created: at, taints: n.taints, Temp: op.Temp, Partial: true, Options: options(nil, op.Options, false)}
	r.From, r.Uses = c.reads(op)
	n.put(r)
	return n
}

// reads are the relations and columns that a view reads. The columns behind *
// are those of the moment; a column that could belong to several relations is
// left out.
func (c *Catalog) reads(op *migration.CreateView) (from []Ref, uses []Use) {
	for _, f := range op.From {
		from = append(from, RefOf(f))
	}
	add := func(u Use) {
		if !slices.Contains(uses, u) {
			uses = append(uses, u)
		}
	}
	for _, u := range op.Uses {
		if u.Column == "" && u.Relation.IsZero() && len(from) > 1 {
			continue // * of one of several SELECTs: it cannot be told whose
		}
		of := from
		if !u.Relation.IsZero() {
			of = []Ref{RefOf(u.Relation)}
		}
		var owners []Ref
		for _, ref := range of {
			r := c.Lookup(ref)
			switch {
			case u.Column != "" && len(of) == 1:
				add(Use{ref, u.Column})
			case u.Column != "":
				if r == nil || r.Column(u.Column) != nil || !c.Complete(r) {
					owners = append(owners, ref)
				}
			case r != nil:
				for _, col := range r.Columns {
					add(Use{ref, col.Name})
				}
			}
		}
		if len(owners) == 1 {
			if r := c.Lookup(owners[0]); r != nil && r.Column(u.Column) != nil {
				add(Use{owners[0], u.Column})
			}
		}
	}
	return from, uses
}

func (c *Catalog) create(at *Origin, op *migration.Create) *Catalog {
	o := &Object{Kind: op.Kind, Ref: RefOf(op.Object), Created: at}
	if op.Kind == "schema" || op.Kind == "extension" {
		o.Ref = Ref{Name: op.Object.Name}
	}
	if op.Kind == "policy" || op.Kind == "rule" {
		o.Table, o.Ref = RefOf(op.Table), Ref{Name: op.Object.Name}
	}
	n := c.copy()
	if _, there := n.objects.get(objectKey(o.Kind, o.Ref, o.Table)); there && (op.IfNotExists || op.Replace) {
		return c
	}
	n.putObject(o)
	return n
}

func (c *Catalog) drop(op *migration.Drop) *Catalog {
	n := c.copy()
	for _, name := range op.Names {
		ref := RefOf(name)
		switch op.Kind {
		case "table", "view", "materialized view", "foreign table":
			if r := n.Lookup(ref); r != nil {
				n.forget(r)
				if op.Cascade {
					n.forgetDependents(r.Ref)
				}
			}
		case "schema":
			n.objects = n.objects.delete(objectKey("schema", Ref{Name: name.Name}, Ref{}))
			if op.Cascade {
				n.forgetSchema(name.Name)
			}
		case "extension":
			n.objects = n.objects.delete(objectKey("extension", Ref{Name: name.Name}, Ref{}))
		case "domain":
			n.objects = n.objects.delete(objectKey("type", ref, Ref{}))
		case "index":
			n.dropIndex(ref)
		default:
			if !op.Table.IsZero() {
				n.objects = n.objects.delete(objectKey(op.Kind, Ref{Name: name.Name}, RefOf(op.Table)))
			} else {
				n.objects = n.objects.delete(objectKey(op.Kind, ref, Ref{}))
			}
		}
	}
	return n
}

// forget removes a relation with what falls with it, its partitions included.
func (c *Catalog) forget(r *Relation) {
	if r.PartitionBy != "" {
		for _, p := range c.partitions(r.Ref) {
			c.forget(p)
		}
	}
	c.remove(r)
	for _, i := range r.Indexes {
		c.indexes = c.indexes.delete(i.Ref)
	}
	for _, kind := range []string{"trigger", "policy", "rule"} {
		for _, o := range c.of(kind, r.Ref) {
			c.objects = c.objects.delete(objectKey(kind, o.Ref, r.Ref))
		}
	}
}

// partitions returns the partitions of a table.
func (c *Catalog) partitions(parent Ref) []*Relation {
	var out []*Relation
	for r := range c.Users(parent) {
		if r.PartitionOf == parent {
			out = append(out, r)
		}
	}
	return out
}

// Of returns the triggers, policies or rules of a table, by kind.
func (c *Catalog) Of(kind string, table Ref) []*Object {
	if c == nil {
		return nil
	}
	return c.of(kind, table)
}

// of returns the triggers, policies or rules of a table.
func (c *Catalog) of(kind string, table Ref) []*Object {
	var out []*Object
	prefix := table.Schema + "\x00" + table.Name + "\x00"
	c.objects.from(Ref{kind, prefix}, func(k Ref, o *Object) bool {
		if k.Schema != kind || !strings.HasPrefix(k.Name, prefix) {
			return false
		}
		out = append(out, o)
		return true
	})
	return out
}

// forgetDependents removes what DROP ... CASCADE takes along: views that read
// the relation, foreign keys that point at it, partitions.
func (c *Catalog) forgetDependents(ref Ref) {
	var gone []*Relation
	var pointing []*Relation
	for r := range c.Users(ref) {
		if slices.Contains(r.From, ref) || r.PartitionOf == ref {
			gone = append(gone, r)
		} else if slices.ContainsFunc(r.Constraints, func(con *Constraint) bool { return con.Ref == ref }) {
			pointing = append(pointing, r)
		}
	}
	for _, r := range pointing {
		r = r.clone()
		r.Constraints = slices.DeleteFunc(slices.Clone(r.Constraints), func(con *Constraint) bool { return con.Ref == ref })
		c.put(r)
	}
	for _, r := range gone {
		if c.Lookup(r.Ref) == r {
			c.forget(r)
			c.forgetDependents(r.Ref)
		}
	}
}

func (c *Catalog) forgetSchema(name string) {
	var rels []*Relation
	for r := range c.Relations() {
		if r.Schema == name {
			rels = append(rels, r)
		}
	}
	for _, r := range rels {
		c.forget(r)
	}
	var objects []*Object
	for o := range c.Objects() {
		if o.Schema == name {
			objects = append(objects, o)
		}
	}
	for _, o := range objects {
		c.objects = c.objects.delete(objectKey(o.Kind, o.Ref, o.Table))
	}
}

func (c *Catalog) rename(op *migration.Rename) *Catalog {
	switch op.Kind {
	case "table", "view", "materialized view", "foreign table":
		r := c.Relation(op.Object)
		if r == nil {
			// ALTER TABLE ... RENAME renames an index as well.
			if _, owner := c.Index(op.Object); owner != nil {
				return c.renameIndex(op)
			}
			n := c.copy()
			r = &Relation{Ref: Ref{RefOf(op.Object).Schema, op.To}, Kind: Table, Partial: true, taints: c.Taints()}
			n.put(r)
			return n
		}
		return c.move(r, Ref{r.Schema, op.To})
	case "index":
		return c.renameIndex(op)
	case "column":
		r := c.Relation(op.Object)
		if r == nil {
			return c
		}
		return c.renameColumn(r, op.From, op.To)
	case "constraint":
		r := c.Relation(op.Object)
		if r == nil || r.Constraint(op.From) == nil {
			return c
		}
		n, r := c.copy(), r.clone()
		con := *r.Constraint(op.From)
		old := r.Constraint(op.From)
		con.Name = op.To
		r.Constraints = replaced(r.Constraints, old, &con)
		for _, i := range r.Indexes {
			if i.Constraint == op.From {
				renamed := *i
				renamed.Name, renamed.Constraint = op.To, op.To
				n.indexes = n.indexes.delete(i.Ref).set(renamed.Ref, r.Ref)
				r.Indexes = replaced(r.Indexes, i, &renamed)
				break
			}
		}
		n.put(r)
		return n
	case "enum value":
		o := c.Object("type", op.Object)
		if o == nil {
			return c
		}
		n, copied := c.copy(), *o
		copied.Values = slices.Clone(o.Values)
		for i, v := range copied.Values {
			if v == op.From {
				copied.Values[i] = op.To
			}
		}
		n.putObject(&copied)
		return n
	case "trigger", "policy", "rule":
		o := c.Trigger(op.Kind, op.Object, op.From)
		if o == nil {
			return c
		}
		n, copied := c.copy(), *o
		n.objects = n.objects.delete(objectKey(o.Kind, o.Ref, o.Table))
		copied.Name = op.To
		n.putObject(&copied)
		return n
	case "schema":
		return c.renameSchema(op.Object.Name, op.To)
	}
	kind := op.Kind
	if kind == "domain" {
		kind = "type"
	}
	o := c.Object(kind, op.Object)
	if o == nil {
		return c
	}
	n, copied := c.copy(), *o
	n.objects = n.objects.delete(objectKey(o.Kind, o.Ref, o.Table))
	copied.Name = op.To
	n.putObject(&copied)
	return n
}

func (c *Catalog) renameIndex(op *migration.Rename) *Catalog {
	i, r := c.Index(op.Object)
	if i == nil {
		return c
	}
	n, r := c.copy(), r.clone()
	renamed := *i
	renamed.Name, renamed.Guessed = op.To, false
	r.Indexes = replaced(r.Indexes, i, &renamed)
	n.indexes = n.indexes.delete(i.Ref).set(renamed.Ref, r.Ref)
	n.put(r)
	return n
}

func (c *Catalog) renameColumn(r *Relation, from, to string) *Catalog {
	col := r.Column(from)
	n, r := c.copy(), r.clone()
	if col != nil {
		renamed := *col
		renamed.Name = to
		r.Columns = replaced(r.Columns, col, &renamed)
	}
	swap := func(names []string) []string {
		out := slices.Clone(names)
		for i, name := range out {
			if name == from {
				out[i] = to
			}
		}
		return out
	}
	for _, i := range slices.Clone(r.Indexes) {
		if slices.ContainsFunc(i.Keys, func(k Key) bool { return k.Column == from }) || slices.Contains(i.Include, from) {
			renamed := *i
			renamed.Keys = slices.Clone(i.Keys)
			for k := range renamed.Keys {
				if renamed.Keys[k].Column == from {
					renamed.Keys[k].Column = to
				}
			}
			renamed.Include = swap(i.Include)
			r.Indexes = replaced(r.Indexes, i, &renamed)
		}
	}
	for _, con := range slices.Clone(r.Constraints) {
		if slices.Contains(con.Columns, from) {
			renamed := *con
			renamed.Columns = swap(con.Columns)
			r.Constraints = replaced(r.Constraints, con, &renamed)
		}
	}
	if r.Hypertable != nil {
		h := *r.Hypertable
		if h.TimeColumn == from {
			h.TimeColumn = to
		}
		h.Dimensions, h.SegmentBy, h.OrderBy = swap(h.Dimensions), swap(h.SegmentBy), swap(h.OrderBy)
		r.Hypertable = &h
	}
	r.PartitionKey = swap(r.PartitionKey)
	n.put(r)
	n.renameUses(r.Ref, from, to)
	for _, o := range n.of("trigger", r.Ref) {
		if slices.Contains(o.Columns, from) {
			renamed := *o
			renamed.Columns = swap(o.Columns)
			n.putObject(&renamed)
		}
	}
	return n
}

// renameUses follows a renamed column into the views that read it.
func (c *Catalog) renameUses(ref Ref, from, to string) {
	var views []*Relation
	for v := range c.Users(ref) {
		if slices.Contains(v.Uses, Use{ref, from}) {
			views = append(views, v)
		}
	}
	for _, v := range views {
		v = v.clone()
		v.Uses = slices.Clone(v.Uses)
		for i := range v.Uses {
			if v.Uses[i] == (Use{ref, from}) {
				v.Uses[i].Column = to
			}
		}
		c.put(v)
	}
}

// move gives a relation another qualified name; its indexes go with it to
// another schema.
func (c *Catalog) move(r *Relation, to Ref) *Catalog {
	n, moved := c.copy(), r.clone()
	n.remove(r)
	moved.Ref = to
	moved.Indexes = make([]*Index, 0, len(r.Indexes))
	for _, i := range r.Indexes {
		n.indexes = n.indexes.delete(i.Ref)
		if to.Schema != r.Schema {
			copied := *i
			copied.Schema = to.Schema
			i = &copied
		}
		moved.Indexes = append(moved.Indexes, i)
		n.indexes = n.indexes.set(i.Ref, to)
	}
	for _, kind := range []string{"trigger", "policy", "rule"} {
		for _, o := range c.of(kind, r.Ref) {
			n.objects = n.objects.delete(objectKey(kind, o.Ref, o.Table))
			copied := *o
			copied.Table = to
			n.putObject(&copied)
		}
	}
	// Foreign keys, views and partitions follow the table itself, not its name.
	var pointing []*Relation
	for o := range n.Users(r.Ref) {
		if o.PartitionOf == r.Ref || slices.Contains(o.From, r.Ref) || slices.ContainsFunc(o.Constraints, func(con *Constraint) bool { return con.Ref == r.Ref }) {
			pointing = append(pointing, o)
		}
	}
	for _, o := range pointing {
		o = o.clone()
		if o.PartitionOf == r.Ref {
			o.PartitionOf = to
		}
		o.From = slices.Clone(o.From)
		for i := range o.From {
			if o.From[i] == r.Ref {
				o.From[i] = to
			}
		}
		o.Uses = slices.Clone(o.Uses)
		for i := range o.Uses {
			if o.Uses[i].Ref == r.Ref {
				o.Uses[i].Ref = to
			}
		}
		cons := make([]*Constraint, len(o.Constraints))
		for i, con := range o.Constraints {
			if con.Ref == r.Ref {
				copied := *con
				copied.Ref = to
				con = &copied
			}
			cons[i] = con
		}
		o.Constraints = cons
		n.put(o)
	}
	n.put(moved)
	return n
}

func (c *Catalog) setSchema(op *migration.SetSchema) *Catalog {
	switch op.Kind {
	case "table", "view", "materialized view", "foreign table":
		r := c.Relation(op.Object)
		if r == nil {
			n := c.copy()
			n.put(&Relation{Ref: Ref{op.Schema, op.Object.Name}, Kind: Table, Partial: true, taints: c.Taints()})
			return n
		}
		return c.move(r, Ref{op.Schema, r.Name})
	}
	kind := op.Kind
	if kind == "domain" {
		kind = "type"
	}
	o := c.Object(kind, op.Object)
	if o == nil {
		return c
	}
	n, copied := c.copy(), *o
	n.objects = n.objects.delete(objectKey(o.Kind, o.Ref, o.Table))
	copied.Schema = op.Schema
	n.putObject(&copied)
	return n
}

func (c *Catalog) renameSchema(from, to string) *Catalog {
	n := c.copy()
	var rels []*Relation
	for r := range c.Relations() {
		if r.Schema == from {
			rels = append(rels, r)
		}
	}
	for _, r := range rels {
		n = n.move(n.Lookup(r.Ref), Ref{to, r.Name})
	}
	var objects []*Object
	for o := range n.Objects() {
		if o.Schema == from {
			objects = append(objects, o)
		}
	}
	for _, o := range objects {
		copied := *o
		n.objects = n.objects.delete(objectKey(o.Kind, o.Ref, o.Table))
		copied.Schema = to
		n.putObject(&copied)
	}
	if o, ok := n.objects.get(objectKey("schema", Ref{Name: from}, Ref{})); ok {
		copied := *o
		copied.Name = to
		n.objects = n.objects.delete(objectKey("schema", Ref{Name: from}, Ref{}))
		n.putObject(&copied)
	}
	return n
}

func (c *Catalog) setOptions(op *migration.SetTableOptions) *Catalog {
	n := c.copy()
	r := n.edit(op.Table, Table)
	r.Options = options(r.Options, op.Options, op.Reset)
	if r.Hypertable != nil {
		h := *r.Hypertable
		for _, o := range op.Options {
			if !timescaleOption(o) || op.Reset {
				continue
			}
			switch o.Name {
			case "compress", "enable_columnstore", "columnstore":
				h.Columnstore = isTrue(o.Value)
			case "compress_segmentby", "segmentby":
				h.SegmentBy = columnList(o.Value)
			case "compress_orderby", "orderby":
				h.OrderBy = columnList(o.Value)
			}
		}
		r.Hypertable = &h
	}
	n.put(r)
	return n
}

// columnList reads the columns of a segmentby or orderby setting.
func columnList(v string) []string {
	var out []string
	for _, part := range strings.Split(v, ",") {
		if f := strings.Fields(part); len(f) > 0 {
			if name := f[0]; strings.HasPrefix(name, `"`) {
				out = append(out, strings.Trim(name, `"`))
			} else {
				out = append(out, strings.ToLower(name))
			}
		}
	}
	return out
}

func options(old map[string]string, changes []migration.RelOption, reset bool) map[string]string {
	if len(changes) == 0 {
		return old
	}
	out := make(map[string]string, len(old)+len(changes))
	for k, v := range old {
		out[k] = v
	}
	for _, o := range changes {
		key := o.Name
		if o.Namespace != "" {
			key = o.Namespace + "." + o.Name
		}
		if reset {
			delete(out, key)
		} else {
			out[key] = o.Value
		}
	}
	return out
}

// makeHypertable does what create_hypertable does: it marks the table, makes
// the time column NOT NULL, and builds the default indexes.
func (c *Catalog) makeHypertable(at *Origin, r *Relation, op *migration.CreateHypertable) {
	if r.Hypertable != nil {
		return // "already a hypertable"
	}
	h := &Hypertable{Created: at, Op: op, TimeColumn: op.TimeColumn, Dimensions: op.Partition}
	if h.TimeColumn == "" && !r.Partial {
		for _, col := range r.Columns {
			if col.Type.Name == "timestamptz" || col.Type.Name == "timestamp" {
				h.TimeColumn = col.Name
				break
			}
		}
	}
	r.Hypertable = h
	if h.TimeColumn == "" {
		return
	}
	if col := r.Column(h.TimeColumn); col != nil && !col.NotNull {
		notNull := *col
		notNull.NotNull = true
		r.Columns = replaced(r.Columns, col, &notNull)
	}
	if !op.DefaultIndexes {
		return
	}
	add := func(keys ...Key) {
		if c.hasIndexOn(r, keys) {
			return
		}
		cols := make([]string, len(keys))
		for i, k := range keys {
			cols[i] = k.Column
		}
		name := free(func(l string) string { return objectName(r.Name, strings.Join(cols, "_"), l) }, "idx", func(name string) bool { return c.taken(Ref{r.Schema, name}) })
		i := &Index{Ref: Ref{r.Schema, name}, Created: at, Method: "btree", Keys: keys, Default: true}
		r.Indexes = append(r.Indexes, i)
		c.indexes = c.indexes.set(i.Ref, r.Ref)
	}
	add(Key{Column: h.TimeColumn, Desc: true})
	if len(h.Dimensions) > 0 {
		add(Key{Column: h.Dimensions[0]}, Key{Column: h.TimeColumn, Desc: true})
	}
}

// hasIndexOn reports whether an index has exactly these columns, in any
// direction: TimescaleDB then builds none of its own.
func (c *Catalog) hasIndexOn(r *Relation, keys []Key) bool {
	return slices.ContainsFunc(r.Indexes, func(i *Index) bool {
		return len(i.Keys) == len(keys) && slices.EqualFunc(i.Keys, keys, func(a, b Key) bool { return a.Column == b.Column })
	})
}

func insertValue(values []string, op *migration.AlterEnum) []string {
	at := len(values)
	if i := slices.Index(values, op.Before); op.Before != "" && i >= 0 {
		at = i
	}
	if i := slices.Index(values, op.After); op.After != "" && i >= 0 {
		at = i + 1
	}
	return slices.Insert(slices.Clone(values), at, op.Value)
}

func idents(ids []migration.Ident) []string {
	if len(ids) == 0 {
		return nil
	}
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = id.Name
	}
	return out
}
