package schema

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/migration"
)

// An IrreversibleError says what cannot be undone, in words that fit after
// "irreversible: ".
type IrreversibleError struct {
	Statement *migration.Statement
	Reason    string
}

func (e *IrreversibleError) Error() string { return e.Reason }

// Undo returns the SQL statements, without semicolons, that undo a direction
// of a migration which starts from the catalog before; in the order in which
// they must run. The error is an *IrreversibleError when something it does
// cannot be undone or read.
func Undo(m *migration.Migration, d migration.Direction, before *Catalog) ([]string, error) {
	var backs [][]string
	u := undoer{m: m, d: d, end: before.ApplyMigration(m, d)}
	c := before
	for _, s := range m.Body(d).Statements() {
		if Unreadable(s) {
			return nil, &IrreversibleError{s, "a statement cannot be read"}
		}
		at := &Origin{Migration: m, Direction: d, Statement: s}
		for _, op := range s.Ops() {
			next := c.Apply(at, op)
			back, err := u.op(op, c, next)
			if err != nil {
				return nil, &IrreversibleError{s, err.Error()}
			}
			backs = append(backs, back)
			c = next
		}
	}
	var sql []string
	for _, back := range slices.Backward(backs) {
		sql = append(sql, back...)
	}
	return sql, nil
}

// UndoStatement is Undo for one statement.
func UndoStatement(m *migration.Migration, d migration.Direction, s *migration.Statement, before *Catalog) ([]string, error) {
	if Unreadable(s) {
		return nil, &IrreversibleError{s, "the statement cannot be read"}
	}
	at := &Origin{Migration: m, Direction: d, Statement: s}
	u := undoer{end: before.ApplyStatement(at, s)}
	var sql []string
	c := before
	for _, op := range s.Ops() {
		next := c.Apply(at, op)
		back, err := u.op(op, c, next)
		if err != nil {
			return nil, &IrreversibleError{s, err.Error()}
		}
		sql = append(back, sql...)
		c = next
	}
	return sql, nil
}

type undoer struct {
	m   *migration.Migration
	d   migration.Direction
	end *Catalog
}

// made reports whether the direction itself made the relation: what is done to
// it then falls with it.
func (u *undoer) made(r *Relation) bool {
	return u.m != nil && r != nil && r.Created != nil && r.Created.Migration == u.m && r.Created.Direction == u.d
}

// kept reports whether what a statement made is still there at the end.
func (u *undoer) kept(r *Relation) bool {
	for e := range u.end.Relations() {
		if e.Created != nil && r.Created != nil && e.Created.Statement == r.Created.Statement && e.Kind == r.Kind {
			return true
		}
	}
	return false
}

func alter(t migration.Name, format string, args ...any) []string {
	return []string{"ALTER TABLE " + RefOf(t).SQL() + " " + fmt.Sprintf(format, args...)}
}

var errOldUnknown = errors.New("what was there before is not known")

// op returns what undoes one operation; nothing for one that leaves nothing.
func (u *undoer) op(op migration.Op, before, after *Catalog) ([]string, error) {
	if t, ok := tableOf(op); ok && u.made(before.Relation(t)) {
		return nil, nil
	}
	switch op := op.(type) {
	case *migration.CreateTable:
		r := after.Relation(op.Table)
		if before.Relation(op.Table) == r || op.Temp || u.m != nil && !u.kept(r) {
			return nil, nil
		}
		return []string{"DROP TABLE " + r.SQL()}, nil
	case *migration.CreateView:
		old, r := before.Relation(op.View), after.Relation(op.View)
		switch {
		case old == nil && op.Temp, old != nil && op.IfNotExists:
			return nil, nil
		case old != nil:
			return nil, fmt.Errorf("the former definition of %s is not known", r.Ref)
		case op.Materialized:
			return []string{"DROP MATERIALIZED VIEW " + r.SQL()}, nil
		}
		return []string{"DROP VIEW " + r.SQL()}, nil
	case *migration.AddColumn:
		if op.IfNotExists {
			if r := before.Relation(op.Table); r != nil && r.Column(op.Column.Name) != nil {
				return nil, nil
			}
		}
		return alter(op.Table, "DROP COLUMN %s", Quote(op.Column.Name)), nil
	case *migration.DropColumn:
		return nil, fmt.Errorf("the data of %s.%s is gone", op.Table, op.Column.Name)
	case *migration.AlterColumnType:
		return nil, fmt.Errorf("the values of %s.%s may not fit their former type", op.Table, op.Column.Name)
	case *migration.SetNotNull:
		if r := before.Relation(op.Table); r != nil {
			if col := r.Column(op.Column.Name); col != nil && col.NotNull != op.Drop {
				return nil, nil // it was so before
			}
		}
		if op.Drop {
			return alter(op.Table, "ALTER COLUMN %s SET NOT NULL", Quote(op.Column.Name)), nil
		}
		return alter(op.Table, "ALTER COLUMN %s DROP NOT NULL", Quote(op.Column.Name)), nil
	case *migration.SetDefault:
		r := before.Relation(op.Table)
		if r != nil {
			if col := r.Column(op.Column.Name); col != nil && col.Default != "" {
				return alter(op.Table, "ALTER COLUMN %s SET DEFAULT %s", Quote(op.Column.Name), col.Default), nil
			} else if col == nil && op.Default == nil {
				return nil, fmt.Errorf("the former default of %s.%s is not known", op.Table, op.Column.Name)
			}
		} else if op.Default == nil {
			return nil, fmt.Errorf("the former default of %s.%s is not known", op.Table, op.Column.Name)
		}
		return alter(op.Table, "ALTER COLUMN %s DROP DEFAULT", Quote(op.Column.Name)), nil
	case *migration.AddConstraint:
		r := after.Relation(op.Table)
		con := r.Constraints[len(r.Constraints)-1]
		if con.Guessed {
			return nil, errors.New("the name that PostgreSQL gives the constraint is not known")
		}
		return alter(op.Table, "DROP CONSTRAINT %s", Quote(con.Name)), nil
	case *migration.DropConstraint:
		if r := before.Relation(op.Table); r != nil {
			if con := r.Constraint(op.Constraint.Name); con != nil {
				if text := con.SQL(); text != "" {
					return alter(op.Table, "ADD %s", text), nil
				}
			}
		}
		return nil, fmt.Errorf("the definition of constraint %s is not known", op.Constraint.Name)
	case *migration.SetTableOptions:
		return u.options(op, before)
	case *migration.AttachPartition:
		return alter(op.Table, "DETACH PARTITION %s", RefOf(op.Partition).SQL()), nil
	case *migration.DetachPartition:
		return nil, fmt.Errorf("the bounds of partition %s are not known", op.Partition)
	case *migration.AlterTable:
		return undoAlter(op)
	case *migration.Rename:
		return undoRename(op)
	case *migration.SetSchema:
		return []string{fmt.Sprintf("ALTER %s %s SET SCHEMA %s", strings.ToUpper(op.Kind), Ref{op.Schema, op.Object.Name}.SQL(), Quote(RefOf(op.Object).Schema))}, nil
	case *migration.CreateIndex:
		if op.IfNotExists && before == after {
			return nil, nil
		}
		r := after.Relation(op.Table)
		i := r.Indexes[len(r.Indexes)-1]
		if i.Guessed {
			return nil, errors.New("the name that PostgreSQL gives the index is not known")
		}
		if op.Concurrently {
			return []string{"DROP INDEX CONCURRENTLY " + i.SQL()}, nil
		}
		return []string{"DROP INDEX " + i.SQL()}, nil
	case *migration.DropIndex:
		var out []string
		for _, n := range op.Indexes {
			i, _ := before.Index(n)
			if i == nil || i.Definition == "" || !strings.Contains(i.Definition, i.Name) {
				return nil, fmt.Errorf("the definition of index %s is not known", n)
			}
			out = append(out, strings.TrimRight(strings.TrimSpace(i.Definition), ";"))
		}
		return out, nil
	case *migration.Drop:
		for _, n := range op.Names {
			if r := before.Relation(n); r != nil && u.made(r) {
				continue
			}
			return nil, fmt.Errorf("the dropped %s %s cannot be made again as it was", op.Kind, n)
		}
		return nil, nil
	case *migration.CreateType:
		if op.Kind == "domain" {
			return []string{"DROP DOMAIN " + RefOf(op.Type).SQL()}, nil
		}
		return []string{"DROP TYPE " + RefOf(op.Type).SQL()}, nil
	case *migration.AlterDomain:
		domain := RefOf(op.Domain).SQL()
		switch {
		case op.What == "validate constraint":
			return nil, nil
		case op.What == "add constraint" && op.Constraint.Name != "":
			return []string{"ALTER DOMAIN " + domain + " DROP CONSTRAINT " + Quote(op.Constraint.Name)}, nil
		}
		return nil, fmt.Errorf("the former state of the domain %s is not known", op.Domain)
	case *migration.AlterEnum:
		return nil, fmt.Errorf("PostgreSQL cannot remove the value %s of enum %s", op.Value, op.Type)
	case *migration.CreateFunction:
		return undoFunction(op, before)
	case *migration.CreateTrigger:
		if op.Replace && before == after {
			return nil, fmt.Errorf("the former trigger %s is not known", op.Trigger.Name)
		}
		return []string{fmt.Sprintf("DROP TRIGGER %s ON %s", Quote(op.Trigger.Name), RefOf(op.Table).SQL())}, nil
	case *migration.Create:
		return undoCreate(op, before == after)
	case *migration.Comment:
		switch op.Kind {
		case "table", "view", "materialized view", "index", "type", "schema":
			return []string{fmt.Sprintf("COMMENT ON %s %s IS NULL", strings.ToUpper(op.Kind), RefOf(op.Object).SQL())}, nil
		case "column":
			return []string{fmt.Sprintf("COMMENT ON COLUMN %s.%s IS NULL", RefOf(op.Object).SQL(), Quote(op.Column))}, nil
		}
		return nil, nil
	case *migration.Grant:
		return undoGrant(op)
	case *migration.Write:
		return nil, fmt.Errorf("%s of %s changes data", strings.ToUpper(op.Verb), op.Table)
	case *migration.AlterSequence:
		return nil, fmt.Errorf("the former state of sequence %s is not known", op.Sequence)
	case *migration.CreateHypertable:
		return nil, fmt.Errorf("the hypertable %s cannot be turned back into a plain table", op.Table)
	case *migration.AddDimension:
		return nil, fmt.Errorf("a dimension of %s cannot be removed", op.Table)
	case *migration.Policy:
		if op.Remove {
			return nil, errors.New("the settings of the removed policy are not known")
		}
		return []string{fmt.Sprintf("SELECT %s('%s')", strings.Replace(op.Call.Function.String(), "add_", "remove_", 1), strings.ReplaceAll(RefOf(op.Relation).SQL(), "'", "''"))}, nil
	case *migration.Do:
		if slices.ContainsFunc(op.Ops, func(i migration.InnerOp) bool { return leavesSomething(i.Op) }) || op.Opaque != "" {
			return nil, errors.New("a DO block cannot be turned around")
		}
		return nil, nil
	case *migration.Query:
		for _, call := range op.Calls {
			if !strings.HasPrefix(call.Function.Name, "pg_") {
				return nil, fmt.Errorf("what %s does is not known", call.Function)
			}
		}
		return nil, nil
	case *migration.CallProcedure:
		if op.Call.Function.Name == "refresh_continuous_aggregate" {
			return nil, nil
		}
		return nil, fmt.Errorf("what %s does is not known", op.Call.Function)
	case *migration.Other:
		return nil, fmt.Errorf("%s cannot be turned around", strings.ToUpper(op.Tag))
	case *migration.ValidateConstraint, *migration.Reindex, *migration.RefreshView, *migration.Set, *migration.TxControl,
		*migration.LockTable, *migration.Maintain:
		return nil, nil
	}
	return nil, fmt.Errorf("%T cannot be turned around", op) // cannot happen: a test undoes every operation
}

// leavesSomething reports whether an operation leaves anything to be undone.
func leavesSomething(op migration.Op) bool {
	switch op.(type) {
	case *migration.ValidateConstraint, *migration.Reindex, *migration.RefreshView, *migration.Set, *migration.TxControl,
		*migration.LockTable, *migration.Maintain, *migration.Query:
		return false
	}
	return true
}

// LeavesSomething reports whether an operation changes something that a down
// direction should undo: the schema, not data, settings or locks.
func LeavesSomething(op migration.Op) bool {
	switch op := op.(type) {
	case *migration.Write, *migration.CallProcedure, *migration.Other, *migration.Comment, *migration.AlterSequence:
		return false
	case *migration.CreateTable:
		return !op.Temp
	case *migration.Do:
		return slices.ContainsFunc(op.Ops, func(i migration.InnerOp) bool { return LeavesSomething(i.Op) })
	}
	return leavesSomething(op)
}

// tableOf is the relation that an operation changes a part of.
func tableOf(op migration.Op) (migration.Name, bool) {
	switch op := op.(type) {
	case *migration.AddColumn:
		return op.Table, true
	case *migration.DropColumn:
		return op.Table, true
	case *migration.AlterColumnType:
		return op.Table, true
	case *migration.SetNotNull:
		return op.Table, true
	case *migration.SetDefault:
		return op.Table, true
	case *migration.AddConstraint:
		return op.Table, true
	case *migration.DropConstraint:
		return op.Table, true
	case *migration.SetTableOptions:
		return op.Table, true
	case *migration.AlterTable:
		return op.Table, true
	case *migration.CreateIndex:
		return op.Table, true
	case *migration.CreateTrigger:
		return op.Table, true
	case *migration.Create:
		return op.Table, op.Kind == "policy" || op.Kind == "rule"
	case *migration.Comment:
		return op.Object, op.Kind == "table" || op.Kind == "column"
	case *migration.Write:
		return op.Table, true
	case *migration.CreateHypertable:
		return op.Table, true
	case *migration.AddDimension:
		return op.Table, true
	case *migration.Policy:
		return op.Relation, true
	case *migration.Rename:
		return op.Object, op.Kind == "column" || op.Kind == "constraint" || op.Kind == "trigger" || op.Kind == "policy"
	}
	return migration.Name{}, false
}

func (u *undoer) options(op *migration.SetTableOptions, before *Catalog) ([]string, error) {
	r := before.Relation(op.Table)
	if op.Reset || r == nil || r.Created == nil {
		for _, o := range op.Options {
			if !op.Reset && timescaleOption(o) && (o.Name == "compress" || o.Name == "enable_columnstore") && isTrue(o.Value) {
				return alter(op.Table, "SET (%s.%s = false)", o.Namespace, o.Name), nil
			}
		}
		if !op.Reset && !slices.ContainsFunc(op.Options, timescaleOption) {
			return nil, errOldUnknown
		}
		return nil, errOldUnknown
	}
	var set, reset []string
	for _, o := range op.Options {
		key := o.Name
		if o.Namespace != "" {
			key = o.Namespace + "." + o.Name
		}
		if timescaleOption(o) {
			if (o.Name == "compress" || o.Name == "enable_columnstore") && isTrue(o.Value) {
				return alter(op.Table, "SET (%s = false)", key), nil
			}
			continue
		}
		if old, ok := r.Options[key]; ok {
			set = append(set, key+" = "+old)
		} else {
			reset = append(reset, key)
		}
	}
	var out []string
	if len(set) > 0 {
		out = append(out, alter(op.Table, "SET (%s)", strings.Join(set, ", "))...)
	}
	if len(reset) > 0 {
		out = append(out, alter(op.Table, "RESET (%s)", strings.Join(reset, ", "))...)
	}
	return out, nil
}

var opposites = map[string]string{
	"enable trigger": "disable trigger", "enable row level security": "disable row level security",
	"force row level security": "no force row level security", "enable rule": "disable rule",
	"set logged": "set unlogged",
}

func undoAlter(op *migration.AlterTable) ([]string, error) {
	for a, b := range opposites {
		back := ""
		switch op.What {
		case a:
			back = b
		case b:
			back = a
		default:
			continue
		}
		back = strings.ToUpper(back)
		if op.Target != "" {
			back += " " + Quote(op.Target)
		}
		return alter(op.Table, "%s", back), nil
	}
	return nil, fmt.Errorf("what %s was before %s is not known", op.Table, strings.ToUpper(op.What))
}

func undoRename(op *migration.Rename) ([]string, error) {
	o := RefOf(op.Object)
	switch op.Kind {
	case "column":
		return []string{fmt.Sprintf("ALTER TABLE %s RENAME COLUMN %s TO %s", o.SQL(), Quote(op.To), Quote(op.From))}, nil
	case "constraint":
		return []string{fmt.Sprintf("ALTER TABLE %s RENAME CONSTRAINT %s TO %s", o.SQL(), Quote(op.To), Quote(op.From))}, nil
	case "trigger", "policy", "rule":
		return []string{fmt.Sprintf("ALTER %s %s ON %s RENAME TO %s", strings.ToUpper(op.Kind), Quote(op.To), o.SQL(), Quote(op.From))}, nil
	case "enum value":
		return []string{fmt.Sprintf("ALTER TYPE %s RENAME VALUE '%s' TO '%s'", o.SQL(), strings.ReplaceAll(op.To, "'", "''"), strings.ReplaceAll(op.From, "'", "''"))}, nil
	case "schema":
		return []string{fmt.Sprintf("ALTER SCHEMA %s RENAME TO %s", Quote(op.To), Quote(op.From))}, nil
	case "table", "index", "view", "materialized view", "sequence", "type", "foreign table", "domain":
		return []string{fmt.Sprintf("ALTER %s %s RENAME TO %s", strings.ToUpper(op.Kind), Ref{o.Schema, op.To}.SQL(), Quote(o.Name))}, nil
	}
	return nil, fmt.Errorf("the renamed %s %s cannot be named back without its arguments", op.Kind, o)
}

func undoFunction(op *migration.CreateFunction, before *Catalog) ([]string, error) {
	kind := "function"
	if op.Procedure {
		kind = "procedure"
	}
	if op.Replace && before.Object(kind, op.Function) != nil {
		return nil, fmt.Errorf("the former definition of %s is not known", op.Function)
	}
	args := make([]string, len(op.Args))
	for i, a := range op.Args {
		args[i] = TypeSQL(a)
	}
	return []string{fmt.Sprintf("DROP %s %s(%s)", strings.ToUpper(kind), RefOf(op.Function).SQL(), strings.Join(args, ", "))}, nil
}

func undoCreate(op *migration.Create, nothing bool) ([]string, error) {
	name := RefOf(op.Object)
	switch op.Kind {
	case "extension":
		if op.IfNotExists {
			return nil, nil // it may have been there, and others may use it
		}
		return []string{"DROP EXTENSION " + Quote(op.Object.Name)}, nil
	case "schema":
		if op.IfNotExists && nothing {
			return nil, nil
		}
		return []string{"DROP SCHEMA " + Quote(op.Object.Name)}, nil
	case "sequence", "statistics":
		return []string{"DROP " + strings.ToUpper(op.Kind) + " " + name.SQL()}, nil
	case "publication", "event trigger":
		return []string{"DROP " + strings.ToUpper(op.Kind) + " " + Quote(op.Object.Name)}, nil
	case "policy", "rule":
		return []string{fmt.Sprintf("DROP %s %s ON %s", strings.ToUpper(op.Kind), Quote(op.Object.Name), RefOf(op.Table).SQL())}, nil
	}
	return nil, fmt.Errorf("the new %s cannot be dropped without its arguments", op.Kind)
}

func undoGrant(op *migration.Grant) ([]string, error) {
	kind := ""
	switch op.Kind {
	case "table":
	case "schema", "sequence", "database":
		kind = strings.ToUpper(op.Kind) + " "
	default:
		return nil, fmt.Errorf("privileges on a %s cannot be turned around", op.Kind)
	}
	if len(op.Objects) == 0 || len(op.To) == 0 {
		return nil, errOldUnknown
	}
	var objects, to []string
	for _, o := range op.Objects {
		if op.Kind == "schema" || op.Kind == "database" {
			objects = append(objects, Quote(o.Name))
		} else {
			objects = append(objects, RefOf(o).SQL())
		}
	}
	for _, r := range op.To {
		if r == "public" {
			to = append(to, "PUBLIC")
		} else {
			to = append(to, Quote(r))
		}
	}
	privileges := "ALL"
	if len(op.Privileges) > 0 {
		privileges = strings.ToUpper(strings.Join(op.Privileges, ", "))
	}
	verb, word := "REVOKE", "FROM"
	if op.Revoke {
		verb, word = "GRANT", "TO"
	}
	return []string{fmt.Sprintf("%s %s ON %s%s %s %s", verb, privileges, kind, strings.Join(objects, ", "), word, strings.Join(to, ", "))}, nil
}

// SQL is the constraint's clause, as ADD takes it; "" when not all of it is
// known.
func (c *Constraint) SQL() string {
	list := func(cols []string) string {
		quoted := make([]string, len(cols))
		for i, col := range cols {
			quoted[i] = Quote(col)
		}
		return strings.Join(quoted, ", ")
	}
	head := "CONSTRAINT " + Quote(c.Name) + " "
	switch c.Kind {
	case migration.PrimaryKey:
		return head + "PRIMARY KEY (" + list(c.Columns) + ")"
	case migration.Unique:
		return head + "UNIQUE (" + list(c.Columns) + ")"
	case migration.Check:
		if c.Expr == "" {
			return ""
		}
		return head + "CHECK (" + c.Expr + ")"
	case migration.ForeignKey:
		out := head + "FOREIGN KEY (" + list(c.Columns) + ") REFERENCES " + c.Ref.SQL()
		if len(c.RefColumns) > 0 {
			out += " (" + list(c.RefColumns) + ")"
		}
		if c.OnDelete != "" {
			out += " ON DELETE " + strings.ToUpper(c.OnDelete)
		}
		if c.OnUpdate != "" {
			out += " ON UPDATE " + strings.ToUpper(c.OnUpdate)
		}
		return out
	}
	return ""
}

// TypeSQL writes a type.
func TypeSQL(t migration.Type) string {
	out := t.Name
	if t.Serial != "" {
		out = t.Serial
	}
	if !knownTypes[out] {
		parts := strings.Split(out, ".")
		for i := range parts {
			parts[i] = Quote(parts[i])
		}
		out = strings.Join(parts, ".")
	}
	if len(t.Args) > 0 {
		out += "(" + strings.Join(t.Args, ",") + ")"
	}
	if t.Array {
		out += "[]"
	}
	return out
}

var knownTypes = map[string]bool{"double precision": true, "char": true}
