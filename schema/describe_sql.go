package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/migration"
)

// The stages of the SQL form: what stands in a later one may need what stands
// in an earlier one.
const (
	stageSchema = iota // schemas and extensions
	stageType
	stageFunction
	stageTable
	stageIndex
	stageForeign // foreign keys
	stageRest    // views, triggers, policies, comments, ... in their own order
	stages
)

// SQL writes the schema as statements that make it in an empty database. Each
// table is written as it is at the end; functions, views, triggers and the like
// are repeated as their migrations have them. What cannot be shown stands in
// comments at the beginning. Rows are no part of it.
func (d *Description) SQL() string {
	var b strings.Builder
	for _, m := range d.Missing {
		fmt.Fprintf(&b, "-- Not shown: %s\n", m)
	}
	if b.Len() > 0 {
		b.WriteString("\n")
	}
	if len(d.sql[stageFunction]) > 0 {
		b.WriteString("SET check_function_bodies = false;\n\n")
	}
	for _, list := range d.sql {
		for _, sql := range list {
			b.WriteString(sql + ";\n\n")
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// write finds the statements of all stages.
func (d *Description) write() {
	w := &sqlWriter{d: d, done: map[*migration.Statement]bool{}, names: map[Ref]bool{}}
	w.objects()
	w.tables()
	w.rest()
	d.sql = w.stage
}

type sqlWriter struct {
	d     *Description
	stage [stages][]string
	done  map[*migration.Statement]bool
	names map[Ref]bool // of indexes
}

func (w *sqlWriter) add(stage int, sql string) {
	w.stage[stage] = append(w.stage[stage], strings.TrimRight(strings.TrimSpace(sql), "; \t\r\n"))
}

// repeat adds a statement as its migration has it, once.
func (w *sqlWriter) repeat(stage int, at *Origin) {
	if !w.done[at.Statement] {
		w.done[at.Statement] = true
		w.add(stage, at.Statement.SQL)
	}
}

func (w *sqlWriter) miss(at *Origin, reason string) {
	if w.done[at.Statement] {
		return
	}
	w.done[at.Statement] = true
	w.d.miss(at, reason)
}

// objects writes schemas, extensions, types, sequences and functions.
func (w *sqlWriter) objects() {
	end := w.d.Catalog
	for at := range w.d.statements() {
		for _, op := range at.Statement.Parse().Ops {
			switch op := op.(type) {
			case *migration.Create:
				o := end.Object(op.Kind, op.Object)
				if o == nil || o.Created == nil || o.Created.Statement != at.Statement {
					continue
				}
				switch op.Kind {
				case "schema", "extension":
					w.repeat(stageSchema, at)
				case "sequence":
					// The table that owns it comes later.
					sql := at.Statement.SQL
					if m := ownedBy.FindStringSubmatch(sql); m != nil && len(at.Statement.Ops()) == 1 {
						w.done[at.Statement] = true
						w.add(stageType, ownedBy.ReplaceAllString(sql, ""))
						if !strings.EqualFold(m[1], "none") {
							w.add(stageForeign, "ALTER SEQUENCE "+RefOf(op.Object).SQL()+" OWNED BY "+m[1])
						}
						continue
					}
					w.repeat(stageType, at)
				case "collation", "text search configuration", "text search dictionary":
					w.repeat(stageType, at)
				}
			case *migration.CreateType:
				o := w.made("type", at.Statement)
				switch {
				case o == nil:
				case o.Type == "enum" && len(at.Statement.Ops()) == 1:
					w.done[at.Statement] = true
					labels := make([]string, len(o.Values))
					for i, v := range o.Values {
						labels[i] = "'" + strings.ReplaceAll(v, "'", "''") + "'"
					}
					w.add(stageType, fmt.Sprintf("CREATE TYPE %s AS ENUM (%s)", o.SQL(), strings.Join(labels, ", ")))
				case o.Ref != RefOf(op.Type):
					w.repeat(stageType, at)
					w.add(stageType, fmt.Sprintf("ALTER TYPE %s RENAME TO %s", RefOf(op.Type).SQL(), Quote(o.Name)))
				default:
					w.repeat(stageType, at)
				}
			case *migration.AlterDomain:
				if end.Object("type", op.Domain) != nil {
					w.repeat(stageType, at)
				}
			case *migration.CreateFunction:
				w.function(at, op)
			case *migration.Do:
				w.block(at, op)
			}
		}
	}
}

// ownedBy is the clause of CREATE SEQUENCE.
var ownedBy = regex.MustCompile(`(?i)\s+OWNED\s+BY\s+([^\s;]+)`)

// made is the object of a kind that a statement made and that is still there.
func (w *sqlWriter) made(kind string, s *migration.Statement) *Object {
	for o := range w.d.Catalog.Objects() {
		if o.Kind == kind && o.Created != nil && o.Created.Statement == s {
			return o
		}
	}
	return nil
}

// function writes a function where no later statement replaces or drops it.
func (w *sqlWriter) function(at *Origin, op *migration.CreateFunction) {
	kind := "function"
	if op.Procedure {
		kind = "procedure"
	}
	if w.d.Catalog.Object(kind, op.Function) == nil || w.replaced(at, op) {
		return
	}
	// One that speaks of a table in its head, or whose body is looked up when
	// it is made, comes after the tables.
	stage := stageFunction
	if op.Atomic || slices.ContainsFunc(append(slices.Clone(op.Args), migration.Type{Name: op.Returns}), w.isRelation) {
		stage = stageRest
	}
	w.repeat(stage, at)
}

func (w *sqlWriter) isRelation(t migration.Type) bool {
	name := strings.TrimSuffix(strings.TrimPrefix(strings.ToLower(t.Name), "setof "), "[]")
	schema, rest, ok := strings.Cut(name, ".")
	if !ok {
		schema, rest = DefaultSchema, name
	}
	return w.d.Catalog.Lookup(Ref{schema, strings.Trim(rest, `"`)}) != nil
}

// replaced reports whether a later statement makes the same function, or drops
// those of its name.
func (w *sqlWriter) replaced(at *Origin, op *migration.CreateFunction) bool {
	args := func(f *migration.CreateFunction) string {
		var out []string
		for _, a := range f.Args {
			out = append(out, TypeSQL(a))
		}
		return strings.Join(out, ",")
	}
	later := false
	for other := range w.d.statements() {
		if other.Statement == at.Statement {
			later = true
			continue
		}
		if !later {
			continue
		}
		for _, o := range other.Statement.Parse().Ops {
			switch o := o.(type) {
			case *migration.CreateFunction:
				if RefOf(o.Function) == RefOf(op.Function) && args(o) == args(op) {
					return true
				}
			case *migration.Drop:
				if (o.Kind == "function" || o.Kind == "procedure") && slices.ContainsFunc(o.Names, func(n migration.Name) bool { return RefOf(n) == RefOf(op.Function) }) {
					return true
				}
			}
		}
	}
	return false
}

// block repeats a DO block that made a type which is still there.
func (w *sqlWriter) block(at *Origin, op *migration.Do) {
	for _, inner := range op.Ops {
		if t, ok := inner.Op.(*migration.CreateType); ok && w.d.Catalog.Object("type", t.Type) != nil {
			w.repeat(stageType, at)
		}
	}
}

// parameters and tablespace are clauses of CREATE INDEX that the catalog does
// not keep.
var (
	parameters = regex.MustCompile(`(?i)\bWITH\s*\([^()]*\)`)
	tablespace = regex.MustCompile(`(?i)\bTABLESPACE\s+("[^"]+"|\w+)`)
)

// tables writes the tables in the order in which they were made, then their
// indexes and foreign keys.
func (w *sqlWriter) tables() {
	made := map[*migration.Statement][]*Relation{}
	for r := range w.d.Catalog.Relations() {
		if r.Kind == Table && r.Created != nil && !r.Temp {
			made[r.Created.Statement] = append(made[r.Created.Statement], r)
		}
	}
	for at := range w.d.statements() {
		for _, r := range made[at.Statement] {
			if w.d.verbatim[r] {
				w.verbatim(at, r)
				continue
			}
			w.table(r)
			w.sequences(r)
			if w.named(r) != r.Ref || len(w.d.renamed[r.Created]) > 0 {
				w.guessed(r)
			}
			if h := r.Hypertable; h != nil && h.Created != nil {
				w.repeat(stageTable, h.Created)
			}
			for _, i := range r.Indexes {
				if i.Constraint == "" && !i.Default {
					w.index(r, i)
				}
			}
			for _, con := range r.Constraints {
				if con.Kind == migration.ForeignKey {
					w.add(stageForeign, "ALTER TABLE "+r.SQL()+" ADD "+con.clause(w.d.now(r)))
				}
			}
		}
	}
}

// named is the name that a table was made with.
func (w *sqlWriter) named(r *Relation) Ref {
	for _, op := range r.Created.Statement.Parse().Ops {
		if op, ok := op.(*migration.CreateTable); ok {
			return RefOf(op.Table)
		}
	}
	return r.Ref
}

// sequences gives the sequences behind serial columns the names that they got
// from the table's and the column's first name, and keep when those change.
func (w *sqlWriter) sequences(r *Relation) {
	for _, col := range r.Columns {
		if col.Type.Serial == "" || col.Created == nil {
			continue
		}
		table, column := r.Name, col.Name
		for _, re := range slices.Backward(w.d.renamed[r.Created]) {
			if re.to == Quote(column) {
				column = re.old
			}
		}
		for _, op := range col.Created.Statement.Parse().Ops {
			switch op := op.(type) {
			case *migration.CreateTable:
				table = op.Table.Name
			case *migration.AddColumn:
				table = op.Table.Name
			}
		}
		if was, is := objectName(table, column, "seq"), objectName(r.Name, col.Name, "seq"); was != is {
			w.add(stageTable, fmt.Sprintf("ALTER SEQUENCE %s RENAME TO %s", Ref{r.Schema, is}.SQL(), Quote(was)))
		}
	}
}

// guessed notes what PostgreSQL named after a table or column that has another
// name now.
func (w *sqlWriter) guessed(r *Relation) {
	note := func(what string, at *Origin) {
		m := Missing{What: "the name of " + what + " of " + r.String(), Reason: "PostgreSQL made it from names that changed later"}
		if at != nil {
			m.Path, m.Version = at.Statement.Path, at.Migration.Version
		}
		w.d.Missing = append(w.d.Missing, m)
	}
	for _, con := range r.Constraints {
		if con.Guessed {
			note("a "+string(con.Kind)+" constraint", con.Created)
		}
	}
	for _, i := range r.Indexes {
		if i.Guessed && i.Constraint == "" {
			note("an index", i.Created)
		}
	}
}

// verbatim repeats the statement that made a table. What was done to it later
// follows among the rest.
func (w *sqlWriter) verbatim(at *Origin, r *Relation) {
	for _, op := range at.Statement.Parse().Ops {
		if op, ok := op.(*migration.CreateTable); ok && RefOf(op.Table) == r.Ref {
			w.repeat(stageTable, at)
			return
		}
	}
	w.miss(at, "the table was renamed, and its definition is more than ddlsp can write down")
}

// clause is the constraint as ADD takes it; without its name where PostgreSQL
// chose one that cannot be told.
func (c *Constraint) clause(now func(string) string) string {
	sql := c.SQL()
	if c.Kind == migration.Check {
		copied := *c
		copied.Expr = now(c.Expr)
		sql = copied.SQL()
	}
	if c.Guessed {
		sql = strings.TrimPrefix(sql, "CONSTRAINT "+Quote(c.Name)+" ")
	}
	if c.NotValid {
		sql += " NOT VALID"
	}
	return sql
}

// taken reports whether the index of a constraint would have the name of one
// that was written already.
func (w *sqlWriter) taken(r *Relation, con *Constraint) bool {
	if con.Kind != migration.PrimaryKey && con.Kind != migration.Unique {
		return false
	}
	name := Ref{r.Schema, con.Name}
	if w.names[name] {
		return true
	}
	w.names[name] = true
	return false
}

func (w *sqlWriter) table(r *Relation) {
	var lines []string
	for _, col := range r.Columns {
		lines = append(lines, "    "+col.sql(w.d.now(r)))
	}
	var later []*Constraint
	for _, con := range r.Constraints {
		switch {
		case con.Kind == migration.ForeignKey:
		case con.NotValid:
			later = append(later, con)
		case w.taken(r, con):
			// Two tables may have been given one name for it, one after the
			// other was renamed: PostgreSQL chose another then.
			copied := *con
			copied.Guessed = true
			lines = append(lines, "    "+copied.clause(w.d.now(r)))
			w.d.Missing = append(w.d.Missing, Missing{What: "the name of constraint " + con.Name + " of " + r.String(), Reason: "another table has one of this name"})
		default:
			lines = append(lines, "    "+con.clause(w.d.now(r)))
		}
	}
	head := "CREATE TABLE "
	if r.Unlogged {
		head = "CREATE UNLOGGED TABLE "
	}
	sql := head + r.SQL() + " (\n" + strings.Join(lines, ",\n") + "\n)"
	var options []string
	for name, value := range r.Options {
		if !strings.HasPrefix(name, "timescaledb.") && !strings.HasPrefix(name, "tsdb.") {
			if value != "" {
				name += " = " + value
			}
			options = append(options, name)
		}
	}
	if len(options) > 0 {
		slices.Sort(options)
		sql += " WITH (" + strings.Join(options, ", ") + ")"
	}
	w.add(stageTable, sql)
	for _, con := range later {
		w.add(stageTable, "ALTER TABLE "+r.SQL()+" ADD "+con.clause(w.d.now(r)))
	}
}

// sql is the column's definition.
func (c *Column) sql(now func(string) string) string {
	sql := Quote(c.Name) + " " + TypeSQL(c.Type)
	if c.Collation != "" {
		sql += " COLLATE " + Quote(c.Collation)
	}
	if c.Default != "" {
		sql += " DEFAULT " + c.Default
	}
	if c.Generated != "" {
		sql += " GENERATED ALWAYS AS (" + now(c.Generated) + ") STORED"
	}
	if c.Identity != "" {
		sql += " GENERATED " + strings.ToUpper(c.Identity) + " AS IDENTITY"
	}
	if c.NotNull {
		sql += " NOT NULL"
	}
	return sql
}

func (w *sqlWriter) index(r *Relation, i *Index) {
	if i.Created != nil && len(i.Created.Statement.Ops()) == 1 {
		w.done[i.Created.Statement] = true
	}
	w.add(stageIndex, i.statement(r, w.d.now(r)))
}

// statement is the CREATE INDEX statement of an index.
func (i *Index) statement(r *Relation, now func(string) string) string {
	sql := "CREATE "
	if i.Unique {
		sql += "UNIQUE "
	}
	sql += "INDEX "
	if !i.Guessed {
		sql += Quote(i.Name) + " "
	}
	keys := make([]string, len(i.Keys))
	for n, k := range i.Keys {
		if k.Column == "" {
			keys[n] = now(k.Expr) // all of the key, as written
			continue
		}
		keys[n] = Quote(k.Column)
		if k.Collation != "" {
			keys[n] += " COLLATE " + Quote(k.Collation)
		}
		if k.OpClass != "" {
			keys[n] += " " + k.OpClass
		}
		if k.Desc {
			keys[n] += " DESC"
		}
		if k.Nulls != "" {
			keys[n] += " NULLS " + strings.ToUpper(k.Nulls)
		}
	}
	sql += "ON " + r.SQL()
	if i.Method != "btree" {
		sql += " USING " + i.Method
	}
	sql += " (" + strings.Join(keys, ", ") + ")"
	if len(i.Include) > 0 {
		var include []string
		for _, c := range i.Include {
			include = append(include, Quote(c))
		}
		sql += " INCLUDE (" + strings.Join(include, ", ") + ")"
	}
	if i.NullsNotDistinct {
		sql += " NULLS NOT DISTINCT"
	}
	for _, clause := range []*regex.Regexp{parameters, tablespace} {
		if text := clause.FindString(i.Definition); text != "" {
			sql += " " + text
		}
	}
	if i.Where != "" {
		sql += " WHERE " + now(i.Where)
	}
	return sql
}

// rest repeats what stands on tables and is still there.
func (w *sqlWriter) rest() {
	c := w.d.base
	for at := range w.d.statements() {
		for _, op := range at.Statement.Parse().Ops {
			if !w.done[at.Statement] && w.belongs(at, op, c) {
				if gone := w.gone(op); gone != "" {
					w.miss(at, "it names "+gone+", which is renamed or dropped later")
				} else {
					w.repeat(stageRest, at)
				}
			}
			c = c.Apply(at, op)
		}
	}
}

// gone is a relation that an operation names and that is not there at the end.
func (w *sqlWriter) gone(op migration.Op) string {
	for _, m := range Mentions(op) {
		if m.Kind == RelationMention && w.d.Catalog.Lookup(m.Ref) == nil {
			return m.Ref.String()
		}
		if r := w.d.Catalog.Lookup(m.Ref); m.Kind == ColumnMention && w.d.Catalog.Complete(r) && r.Column(m.Column) == nil {
			return m.Ref.String() + "." + m.Column
		}
	}
	if op, ok := op.(*migration.CreateView); ok {
		for _, n := range op.From {
			if w.d.Catalog.Relation(n) == nil && w.everKnown(n) {
				return n.String()
			}
		}
		if r := w.d.Catalog.Relation(op.View); r != nil {
			for _, use := range r.Uses {
				if t := w.d.Catalog.Lookup(use.Ref); w.d.Catalog.Complete(t) && t.Column(use.Column) == nil {
					return use.Ref.String() + "." + use.Column
				}
			}
		}
	}
	return ""
}

// everKnown reports whether any migration made a relation of the name.
func (w *sqlWriter) everKnown(n migration.Name) bool {
	for at := range w.d.statements() {
		for _, op := range at.Statement.Parse().Ops {
			if t, ok := op.(*migration.CreateTable); ok && RefOf(t.Table) == RefOf(n) {
				return true
			}
		}
	}
	return false
}

// belongs reports whether an operation is about something that is still there
// at the end and that the tables do not show. c is the catalog before it.
func (w *sqlWriter) belongs(at *Origin, op migration.Op, c *Catalog) bool {
	end := w.d.Catalog
	// The relation that the operation was about, if it is still there.
	same := func(n migration.Name) *Relation {
		was, is := c.Relation(n), end.Relation(n)
		if is == nil || was == nil || was.Created == nil || is.Created == nil || was.Created.Statement != is.Created.Statement {
			return nil
		}
		return is
	}
	switch op := op.(type) {
	case *migration.CreateView:
		r := end.Relation(op.View)
		if r == nil || r.Kind == Table || op.Temp {
			return false
		}
		return !w.laterView(at, op)
	case *migration.CreateTrigger:
		o := end.Trigger("trigger", op.Table, op.Trigger.Name)
		return o != nil && o.Created != nil && o.Created.Statement == at.Statement
	case *migration.Create:
		switch op.Kind {
		case "schema", "extension", "sequence", "collation":
			return false
		case "policy", "rule":
			o := end.Trigger(op.Kind, op.Table, op.Object.Name)
			return o != nil && o.Created != nil && o.Created.Statement == at.Statement
		}
		return w.made(op.Kind, at.Statement) != nil
	case *migration.Comment:
		switch op.Kind {
		case "table", "column", "view", "materialized view":
			return same(op.Object) != nil
		case "index":
			i, _ := end.Index(op.Object)
			return i != nil
		case "type", "domain":
			return end.Object("type", op.Object) != nil
		case "extension", "schema", "function":
			return end.Object(op.Kind, op.Object) != nil
		}
		return false
	case *migration.Grant:
		return !slices.ContainsFunc(op.Objects, func(n migration.Name) bool {
			return end.Relation(n) == nil && end.Object(op.Kind, n) == nil
		})
	case *migration.AlterTable:
		r := same(op.Table)
		return r != nil && (w.d.verbatim[r] || op.What != "set unlogged" && op.What != "set logged")
	case *migration.SetTableOptions:
		r := same(op.Table)
		return r != nil && (w.d.verbatim[r] || r.Kind != Table || slices.ContainsFunc(op.Options, timescaleOption))
	case *migration.CreateHypertable:
		r := same(op.Table)
		return r != nil && w.d.verbatim[r]
	case *migration.AddDimension:
		return same(op.Table) != nil
	case *migration.Policy:
		r := end.Relation(op.Relation)
		return r != nil && slices.ContainsFunc(r.Jobs, func(j Job) bool { return j.Created != nil && j.Created.Statement == at.Statement && j.Op != nil })
	case *migration.AlterSequence:
		return end.Object("sequence", op.Sequence) != nil
	case *migration.CreateIndex:
		r := same(op.Table)
		if r == nil || !w.d.verbatim[r] {
			return r != nil && r.Kind != Table
		}
		for _, i := range r.Indexes {
			if i.Created != nil && i.Created.Statement == at.Statement {
				return true
			}
		}
		return false
	case *migration.AttachPartition:
		return same(op.Table) != nil
	case *migration.Rename:
		switch op.Kind {
		case "column", "constraint":
			r := same(op.Object)
			return r != nil && w.d.verbatim[r]
		case "trigger", "policy", "view", "materialized view":
			return true
		}
		return false
	case *migration.Other:
		w.miss(at, "its effect is not known to ddlsp")
		return false
	case *migration.Query:
		for _, call := range op.Calls {
			if !strings.HasPrefix(call.Function.Name, "pg_") && call.Function.Name != "set_config" {
				w.miss(at, "what "+call.Function.String()+" does is not known")
			}
		}
		return false
	case *migration.Do:
		if op.Opaque != "" || slices.ContainsFunc(op.Ops, func(i migration.InnerOp) bool { return LeavesSomething(i.Op) }) {
			w.miss(at, "a DO block may do different things at different times")
		}
		return false
	}
	if t, ok := tableOf(op); ok {
		r := same(t)
		_, write := op.(*migration.Write)
		return r != nil && w.d.verbatim[r] && !write
	}
	return false
}

// laterView reports whether a later statement makes the view again.
func (w *sqlWriter) laterView(at *Origin, op *migration.CreateView) bool {
	later := false
	for other := range w.d.statements() {
		if other.Statement == at.Statement {
			later = true
			continue
		}
		for _, o := range other.Statement.Parse().Ops {
			if v, ok := o.(*migration.CreateView); ok && later && RefOf(v.View) == RefOf(op.View) {
				return true
			}
		}
	}
	return false
}
