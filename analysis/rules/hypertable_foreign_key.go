package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// hypertable-foreign-key reports foreign keys that TimescaleDB refuses.
//
// A hypertable cannot point at another hypertable: the statement that makes the
// key, or the later one of two that convert the tables, fails. From a hypertable
// to a plain table a key works, and since TimescaleDB 2.16 the other way round
// too.
//
// # Bad: sql
//
//	CREATE TABLE devices (time timestamptz NOT NULL, id bigint, PRIMARY KEY (id, time)) WITH (tsdb.hypertable);
//	CREATE TABLE metrics (time timestamptz NOT NULL, device bigint, seen timestamptz) WITH (tsdb.hypertable);
//	ALTER TABLE metrics ADD FOREIGN KEY (device, seen) REFERENCES devices (id, time);
//
// # Good: sql
//
//	CREATE TABLE devices (id bigint PRIMARY KEY);
//	CREATE TABLE metrics (time timestamptz NOT NULL, device bigint REFERENCES devices) WITH (tsdb.hypertable);
//
// # Bad: ecto
//
//	def up do
//	  create table(:samples, primary_key: false) do
//	    add :time, :timestamptz, primary_key: true
//	  end
//
//	  execute "SELECT create_hypertable('samples', 'time')"
//
//	  create table(:metrics, primary_key: false) do
//	    add :time, :timestamptz, null: false
//	    add :sample, references(:samples, column: :time, type: :timestamptz)
//	  end
//
//	  execute "SELECT create_hypertable('metrics', 'time')"
//	end
//
//	def down do
//	  drop table(:metrics)
//	  drop table(:samples)
//	end
//
// # Exceptions
//
// A key of a plain table that points at a hypertable, unless the configured
// TimescaleDB is older than 2.16.
var hypertableForeignKey = &analysis.Rule{
	ID:       "hypertable-foreign-key",
	Summary:  "a foreign key points from one hypertable at another",
	Severity: analysis.Error,
	Default:  true,
	On:       []migration.Op{(*migration.AddConstraint)(nil), (*migration.AddColumn)(nil), (*migration.CreateTable)(nil), (*migration.CreateHypertable)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		switch op := s.Op.(type) {
		case *migration.AddConstraint:
			refusedKey(p, s, op.Table, &op.Constraint)
		case *migration.AddColumn:
			for i := range op.Column.Constraints {
				refusedKey(p, s, op.Table, &op.Column.Constraints[i])
			}
		case *migration.CreateTable:
			for i := range op.Constraints {
				refusedKey(p, s, op.Table, &op.Constraints[i])
			}
			for i := range op.Columns {
				for n := range op.Columns[i].Constraints {
					refusedKey(p, s, op.Table, &op.Columns[i].Constraints[n])
				}
			}
		case *migration.CreateHypertable:
			convertedKey(p, s, op)
		}
	},
}

// refusedKey reports a new foreign key.
func refusedKey(p *analysis.Pass, s *analysis.Step, table migration.Name, con *migration.Constraint) {
	if con.Kind != migration.ForeignKey {
		return
	}
	to := hypertable(s.After, con.Ref)
	from := hypertable(s.After, table)
	if to == nil || schema.RefOf(table) == to.Ref && hypertable(s.Before, table) == nil || from == nil && !timescaleBefore(p, 2, 16) {
		return
	}
	refuseKey(p, s, con.Span, from != nil, schema.RefOf(table), to.Ref)
}

// convertedKey reports a foreign key that was there before its table became a
// hypertable.
func convertedKey(p *analysis.Pass, s *analysis.Step, op *migration.CreateHypertable) {
	r := s.Before.Relation(op.Table)
	if r == nil || r.Hypertable != nil {
		return
	}
	for _, con := range r.Constraints {
		if con.Kind != migration.ForeignKey || con.Ref == r.Ref {
			continue
		}
		if to := s.Before.Lookup(con.Ref); to != nil && to.Hypertable != nil {
			refuseKey(p, s, op.Span, true, r.Ref, con.Ref)
			return
		}
	}
	for o := range s.Before.Users(r.Ref) {
		if o.Hypertable == nil && !timescaleBefore(p, 2, 16) || o.Ref == r.Ref {
			continue
		}
		for _, con := range o.Constraints {
			if con.Kind == migration.ForeignKey && con.Ref == r.Ref {
				refuseKey(p, s, op.Span, o.Hypertable != nil, o.Ref, r.Ref)
				return
			}
		}
	}
}

func refuseKey(p *analysis.Pass, s *analysis.Step, on source.Span, both bool, from, to schema.Ref) {
	r := analysis.Report{
		On:      on,
		Message: fmt.Sprintf("this fails: a foreign key of hypertable %s cannot point at hypertable %s", quoted(from.String()), quoted(to.String())),
		Help:    "leave the key out, or let it point at a plain table",
	}
	if !both {
		r.Message = fmt.Sprintf("this fails before TimescaleDB 2.16: the foreign key of %s points at hypertable %s", quoted(from.String()), quoted(to.String()))
		r.Help = "leave the key out, or update TimescaleDB"
	}
	p.Report(s, r)
}
