package schema

import (
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/migration"
)

// A Mode is a table lock mode, by PostgreSQL's name.
type Mode string

const (
	AccessShare          Mode = "ACCESS SHARE"
	RowShare             Mode = "ROW SHARE"
	RowExclusive         Mode = "ROW EXCLUSIVE"
	ShareUpdateExclusive Mode = "SHARE UPDATE EXCLUSIVE"
	Share                Mode = "SHARE"
	ShareRowExclusive    Mode = "SHARE ROW EXCLUSIVE"
	Exclusive            Mode = "EXCLUSIVE"
	AccessExclusive      Mode = "ACCESS EXCLUSIVE"
)

// modes are all modes from the weakest to the strongest.
var modes = []Mode{AccessShare, RowShare, RowExclusive, ShareUpdateExclusive, Share, ShareRowExclusive, Exclusive, AccessExclusive}

// Blocks says in words what others cannot do while the lock is held: "reads
// and writes", "writes", "other schema changes" or "".
func (m Mode) Blocks() string {
	switch m {
	case AccessExclusive:
		return "reads and writes"
	case Share, ShareRowExclusive, Exclusive:
		return "writes"
	case ShareUpdateExclusive:
		return "other schema changes"
	}
	return ""
}

// Stronger reports whether m is a stronger mode than o.
func (m Mode) Stronger(o Mode) bool { return slices.Index(modes, m) > slices.Index(modes, o) }

// A Lock is a lock on a relation that others may be using.
type Lock struct {
	Relation Ref
	Mode     Mode
}

// Locks returns the locks that an operation takes on relations and indexes
// that were there before it, each with its strongest mode, in the order in
// which they matter to the reader: the relation that the statement names
// first. The catalog c is the one just before the operation; what it does not
// know (the table of an index that no migration made) is left out, and an index
// then stands for its table.
func Locks(op migration.Op, c *Catalog) []Lock {
	l := locker{c: c}
	l.op(op)
	return l.locks
}

// StatementLocks returns the locks of all operations of a statement.
func StatementLocks(s *migration.Statement, c *Catalog) []Lock {
	l := locker{c: c}
	at := &Origin{Statement: s}
	for _, op := range s.Ops() {
		l.op(op)
		l.c = l.c.Apply(at, op)
	}
	// A relation made by one operation is not waited for by the next.
	return slices.DeleteFunc(l.locks, func(k Lock) bool {
		r := l.c.Lookup(k.Relation)
		return r != nil && r.Created == at
	})
}

type locker struct {
	c     *Catalog
	locks []Lock
}

func (l *locker) add(r Ref, m Mode) {
	if r.Name == "" {
		return
	}
	for i := range l.locks {
		if l.locks[i].Relation == r {
			if m.Stronger(l.locks[i].Mode) {
				l.locks[i].Mode = m
			}
			return
		}
	}
	l.locks = append(l.locks, Lock{r, m})
}

func (l *locker) name(n migration.Name, m Mode) {
	if !n.IsZero() {
		l.add(RefOf(n), m)
	}
}

// partitions locks the partitions that are known of a table.
func (l *locker) partitions(parent Ref, m Mode) {
	r := l.c.Lookup(parent)
	if r == nil || r.PartitionBy == "" {
		return
	}
	for p := range l.c.Users(parent) {
		if p.PartitionOf == parent {
			l.add(p.Ref, m)
			l.partitions(p.Ref, m)
		}
	}
}

func (l *locker) references(cons []migration.Constraint) {
	for _, con := range cons {
		if con.Kind == migration.ForeignKey {
			l.name(con.Ref, ShareRowExclusive)
		}
	}
}

func (l *locker) op(op migration.Op) {
	switch op := op.(type) {
	case *migration.CreateTable:
		l.name(op.PartitionOf, AccessExclusive)
		for _, n := range op.Inherits {
			l.name(n, ShareUpdateExclusive)
		}
		for _, n := range op.Like {
			l.name(n, AccessShare)
		}
		l.references(op.Constraints)
		for _, col := range op.Columns {
			l.references(col.Constraints)
		}
	case *migration.CreateView:
		if op.Replace {
			l.name(op.View, AccessExclusive)
		}
		for _, n := range op.From {
			l.name(n, AccessShare)
		}
	case *migration.AddColumn:
		l.name(op.Table, AccessExclusive)
		l.references(op.Column.Constraints)
	case *migration.DropColumn:
		l.name(op.Table, AccessExclusive)
		if r := l.c.Relation(op.Table); r != nil {
			for _, con := range r.Constraints {
				if con.Kind == migration.ForeignKey && slices.Contains(con.Columns, op.Column.Name) {
					l.add(con.Ref, AccessExclusive)
				}
			}
		}
	case *migration.AlterColumnType:
		l.name(op.Table, AccessExclusive)
	case *migration.SetNotNull:
		l.name(op.Table, AccessExclusive)
	case *migration.SetDefault:
		l.name(op.Table, AccessExclusive)
	case *migration.AddConstraint:
		if op.Constraint.Kind == migration.ForeignKey {
			l.name(op.Table, ShareRowExclusive)
			l.name(op.Constraint.Ref, ShareRowExclusive)
		} else {
			l.name(op.Table, AccessExclusive)
		}
	case *migration.DropConstraint:
		l.name(op.Table, AccessExclusive)
		if con := l.constraint(op.Table, op.Constraint.Name); con != nil && con.Kind == migration.ForeignKey {
			l.add(con.Ref, AccessExclusive)
		}
	case *migration.ValidateConstraint:
		l.name(op.Table, ShareUpdateExclusive)
		if con := l.constraint(op.Table, op.Constraint.Name); con != nil && con.Kind == migration.ForeignKey {
			l.add(con.Ref, RowShare)
		}
	case *migration.SetTableOptions:
		l.name(op.Table, optionMode(op.Options))
	case *migration.AttachPartition:
		l.name(op.Table, ShareUpdateExclusive)
		l.name(op.Partition, AccessExclusive)
	case *migration.DetachPartition:
		if op.Concurrently {
			l.name(op.Table, ShareUpdateExclusive)
		} else {
			l.name(op.Table, AccessExclusive)
		}
		l.name(op.Partition, AccessExclusive)
	case *migration.AlterTable:
		l.name(op.Table, alterMode(op.What))
	case *migration.Rename:
		l.rename(op)
	case *migration.SetSchema:
		switch op.Kind {
		case "table", "view", "materialized view", "foreign table", "sequence":
			l.name(op.Object, AccessExclusive)
		}
	case *migration.CreateIndex:
		mode := Share
		if op.Concurrently {
			mode = ShareUpdateExclusive
		}
		l.name(op.Table, mode)
		if !op.Only {
			l.partitions(RefOf(op.Table), mode)
		}
	case *migration.DropIndex:
		mode := AccessExclusive
		if op.Concurrently {
			mode = ShareUpdateExclusive
		}
		for _, n := range op.Indexes {
			if _, r := l.c.Index(n); r != nil {
				l.add(r.Ref, mode)
			} else {
				l.name(n, mode)
			}
		}
	case *migration.Reindex:
		l.reindex(op)
	case *migration.Drop:
		l.drop(op)
	case *migration.CreateTrigger:
		l.name(op.Table, ShareRowExclusive)
	case *migration.Create:
		switch op.Kind {
		case "policy", "rule":
			l.name(op.Table, AccessExclusive)
		case "statistics":
			l.name(op.Table, ShareUpdateExclusive)
		case "publication":
			l.name(op.Table, ShareUpdateExclusive)
		}
	case *migration.AlterSequence:
		l.name(op.Sequence, ShareRowExclusive)
	case *migration.Comment:
		switch op.Kind {
		case "table", "column", "view", "materialized view", "index", "sequence", "foreign table":
			l.name(op.Object, ShareUpdateExclusive)
		}
	case *migration.Write:
		if op.Verb != "truncate" {
			l.name(op.Table, RowExclusive)
			break
		}
		for _, n := range append([]migration.Name{op.Table}, op.Tables...) {
			l.name(n, AccessExclusive)
			if op.Cascade && !n.IsZero() {
				for _, r := range l.c.pointingAt(RefOf(n)) {
					l.add(r.Ref, AccessExclusive)
				}
			}
		}
	case *migration.RefreshView:
		mode := AccessExclusive
		if op.Concurrently {
			mode = Exclusive
		}
		l.name(op.View, mode)
		if r := l.c.Relation(op.View); r != nil {
			for _, f := range r.From {
				l.add(f, AccessShare)
			}
		}
	case *migration.LockTable:
		for _, n := range op.Tables {
			l.name(n, Mode(op.Mode))
		}
	case *migration.Maintain:
		mode := Mode("")
		switch {
		case op.Full, op.Verb == "cluster":
			mode = AccessExclusive
		case op.Verb == "vacuum", op.Verb == "analyze":
			mode = ShareUpdateExclusive
		}
		for _, n := range op.Objects {
			if mode != "" {
				l.name(n, mode)
			}
		}
	case *migration.Do:
		for _, inner := range op.Ops {
			l.op(inner.Op)
			l.c = l.c.Apply(nil, inner.Op)
		}
	case *migration.CreateHypertable:
		l.name(op.Table, AccessExclusive)
	case *migration.AddDimension:
		l.name(op.Table, AccessExclusive)
	case *migration.Policy, *migration.CreateType, *migration.AlterDomain, *migration.AlterEnum, *migration.CreateFunction, *migration.Grant,
		*migration.Set, *migration.TxControl, *migration.Query, *migration.CallProcedure, *migration.Other:
		// no lock on a relation
	}
}

func (l *locker) constraint(table migration.Name, name string) *Constraint {
	if r := l.c.Relation(table); r != nil {
		return r.Constraint(name)
	}
	return nil
}

func (l *locker) rename(op *migration.Rename) {
	switch op.Kind {
	case "table", "view", "materialized view", "foreign table", "column", "constraint", "trigger", "policy", "rule", "sequence":
		l.name(op.Object, AccessExclusive)
	case "index":
		l.name(op.Object, ShareUpdateExclusive)
	}
}

func (l *locker) reindex(op *migration.Reindex) {
	switch op.Kind {
	case "index":
		if op.Concurrently {
			if _, r := l.c.Index(op.Object); r != nil {
				l.add(r.Ref, ShareUpdateExclusive)
			}
			l.name(op.Object, ShareUpdateExclusive)
			return
		}
		if _, r := l.c.Index(op.Object); r != nil {
			l.add(r.Ref, Share)
		}
		l.name(op.Object, AccessExclusive)
	case "table":
		if op.Concurrently {
			l.name(op.Object, ShareUpdateExclusive)
			return
		}
		l.name(op.Object, Share)
		if r := l.c.Relation(op.Object); r != nil {
			for _, i := range r.Indexes {
				l.add(i.Ref, AccessExclusive)
			}
		}
	}
}

func (l *locker) drop(op *migration.Drop) {
	for _, n := range op.Names {
		switch op.Kind {
		case "table", "foreign table":
			l.name(n, AccessExclusive)
			if r := l.c.Relation(n); r != nil {
				for _, con := range r.Constraints {
					if con.Kind == migration.ForeignKey && con.Ref != r.Ref {
						l.add(con.Ref, AccessExclusive)
					}
				}
				if r.PartitionOf.Name != "" {
					l.add(r.PartitionOf, AccessExclusive)
				}
			}
			if op.Cascade {
				for _, r := range l.c.pointingAt(RefOf(n)) {
					l.add(r.Ref, AccessExclusive)
				}
			}
		case "view", "materialized view", "sequence":
			l.name(n, AccessExclusive)
		case "trigger", "policy", "rule":
			l.name(op.Table, AccessExclusive)
		}
	}
}

// pointingAt returns the tables whose foreign keys point at a table.
func (c *Catalog) pointingAt(ref Ref) []*Relation {
	var out []*Relation
	for r := range c.Users(ref) {
		if r.Ref != ref && slices.ContainsFunc(r.Constraints, func(con *Constraint) bool { return con.Ref == ref }) {
			out = append(out, r)
		}
	}
	return out
}

// optionMode is the lock of ALTER TABLE ... SET (...): most parameters only
// keep other schema changes out.
func optionMode(opts []migration.RelOption) Mode {
	mode := ShareUpdateExclusive
	for _, o := range opts {
		name := strings.ToLower(o.Name)
		switch {
		case timescaleOption(o):
			mode = AccessExclusive
		case name == "fillfactor", name == "parallel_workers", name == "toast_tuple_target", name == "log_autovacuum_min_duration",
			name == "vacuum_index_cleanup", name == "vacuum_truncate", strings.HasPrefix(name, "autovacuum_"), strings.HasPrefix(name, "n_distinct"):
		default:
			mode = AccessExclusive
		}
	}
	return mode
}

// alterMode is the lock of a sub-command of ALTER TABLE.
func alterMode(what string) Mode {
	switch {
	case strings.Contains(what, "trigger"):
		return ShareRowExclusive
	case what == "set statistics", what == "cluster on", what == "set without cluster", what == "set column options", what == "reset column options":
		return ShareUpdateExclusive
	}
	return AccessExclusive
}
