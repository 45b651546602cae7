package rules

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// hypertable-unsupported-feature reports what works on tables and fails on a
// hypertable.
//
// A hypertable takes no rules, no children (INHERITS), no check that children
// do not inherit, no identity column added later, no row trigger with
// transition tables. It cannot be temporary, partitioned or made twice, its
// time column must be a date, a timestamp or an integer that is stored, and
// stays: it cannot be dropped or become nullable. While its columnstore is on,
// constraints cannot be validated and row level security not be enabled. A
// column that a continuous aggregate uses can be neither dropped nor change its
// type.
//
// # Bad: sql
//
//	-- 001_metrics.up.sql --
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float) WITH (tsdb.hypertable);
//	-- 002_rule.up.sql --
//	CREATE RULE keep AS ON DELETE TO metrics DO INSTEAD NOTHING;
//
// # Good: sql
//
//	-- 001_metrics.up.sql --
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float) WITH (tsdb.hypertable);
//	-- 002_trigger.up.sql --
//	CREATE TRIGGER keep BEFORE DELETE ON metrics FOR EACH ROW EXECUTE FUNCTION refuse();
//
// # Bad: ecto
//
//	def up do
//	  create table(:metrics, primary_key: false) do
//	    add :time, :string, null: false
//	  end
//
//	  execute "SELECT create_hypertable('metrics', 'time')"
//	end
//
//	def down do
//	  drop table(:metrics)
//	end
//
// # Good: ecto
//
//	def up do
//	  create table(:metrics, primary_key: false) do
//	    add :time, :timestamptz, null: false
//	  end
//
//	  execute "SELECT create_hypertable('metrics', 'time')"
//	end
//
//	def down do
//	  drop table(:metrics)
//	end
var hypertableUnsupportedFeature = &analysis.Rule{
	ID:       "hypertable-unsupported-feature",
	Summary:  "a statement for ordinary tables fails on a hypertable",
	Severity: analysis.Error,
	Default:  true,
	On: []migration.Op{(*migration.Create)(nil), (*migration.CreateTable)(nil), (*migration.CreateHypertable)(nil), (*migration.AddConstraint)(nil),
		(*migration.AddColumn)(nil), (*migration.CreateTrigger)(nil), (*migration.SetNotNull)(nil), (*migration.DropColumn)(nil),
		(*migration.AlterColumnType)(nil), (*migration.ValidateConstraint)(nil), (*migration.AlterTable)(nil), (*migration.Reindex)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		on, why, help := unsupported(p, s)
		if why != "" {
			p.Report(s, analysis.Report{On: on, Message: "this fails: " + why, Help: help})
		}
	},
}

// unsupported says why TimescaleDB refuses an operation, "" when it does not.
func unsupported(p *analysis.Pass, s *analysis.Step) (on source.Span, why, help string) {
	switch op := s.Op.(type) {
	case *migration.Create:
		if r := hypertable(s.Before, op.Table); op.Kind == "rule" && r != nil {
			return op.Object.Span, fmt.Sprintf("hypertable %s takes no rules", quoted(r.Ref.String())), "use a trigger"
		}
	case *migration.CreateTable:
		for _, parent := range op.Inherits {
			if r := hypertable(s.Before, parent); r != nil {
				return parent.Span, fmt.Sprintf("no table can inherit from hypertable %s", quoted(r.Ref.String())), "copy its columns with LIKE"
			}
		}
		if op.Hypertable == nil {
			return
		}
		h := op.Hypertable
		name := quoted(op.Table.String())
		switch {
		case op.Temp:
			return h.Span, "a hypertable cannot be temporary", "leave the option or TEMPORARY out"
		case op.PartitionBy != "":
			return h.Span, fmt.Sprintf("%s is partitioned already", name), "leave PARTITION BY out: a hypertable is partitioned by itself"
		case len(op.Inherits) > 0:
			return h.Span, "a hypertable cannot inherit from other tables", "copy their columns with LIKE"
		}
		for i := range op.Constraints {
			if c := &op.Constraints[i]; c.NoInherit {
				return c.Span, fmt.Sprintf("the chunks of hypertable %s must inherit its checks", name), "leave NO INHERIT out"
			}
		}
		return h.Span, timeColumn(p, s.After.Relation(op.Table), h.TimeColumn, s.After), "name a column of type timestamptz, date or integer"
	case *migration.CreateHypertable:
		r := s.Before.Relation(op.Table)
		if r == nil {
			return
		}
		name := quoted(r.Ref.String())
		switch {
		case r.Hypertable != nil && !op.IfNotExists && !s.Inner: // in a block one branch runs
			return op.Span, fmt.Sprintf("%s is a hypertable already", name), "leave the call out"
		case r.Hypertable != nil:
			return
		case r.Temp:
			return op.Span, "a hypertable cannot be temporary", "make the table without TEMPORARY"
		case r.PartitionBy != "" || r.PartitionOf != schema.Ref{}:
			return op.Span, fmt.Sprintf("%s is partitioned already", name), "make the table without PARTITION BY: a hypertable is partitioned by itself"
		case r.Kind != schema.Table:
			return op.Span, fmt.Sprintf("%s is a %s", name, r.Kind), "name a table"
		}
		return op.Span, timeColumn(p, r, op.TimeColumn, s.Before), "name a column of type timestamptz, date or integer"
	case *migration.AddConstraint:
		if r := hypertable(s.Before, op.Table); r != nil && op.Constraint.NoInherit {
			return op.Constraint.Span, fmt.Sprintf("the chunks of hypertable %s must inherit its checks", quoted(r.Ref.String())), "leave NO INHERIT out"
		}
	case *migration.AddColumn:
		if r := hypertable(s.Before, op.Table); r != nil && op.Column.Identity != "" && !r.Hypertable.Columnstore {
			return op.Column.Span, fmt.Sprintf("hypertable %s takes no identity column", quoted(r.Ref.String())), "add a bigint column whose default is nextval of a sequence"
		}
	case *migration.CreateTrigger:
		if agg := aggregate(s.Before, op.Table); agg != nil {
			return op.Table.Span, fmt.Sprintf("continuous aggregate %s takes no triggers", quoted(agg.Ref.String())), "put the trigger on its hypertable"
		}
		r := hypertable(s.Before, op.Table)
		if r == nil || !op.Transition || !op.Row && !timescaleBefore(p, 2, 18) {
			return
		}
		return op.Trigger.Span, fmt.Sprintf("hypertable %s takes no row trigger with transition tables", quoted(r.Ref.String())), "make it a statement trigger, or use NEW and OLD"
	case *migration.SetNotNull:
		if r := hypertable(s.Before, op.Table); op.Drop && r != nil && slices.Contains(r.Hypertable.Columns(), op.Column.Name) && r.Hypertable.TimeColumn == op.Column.Name {
			return op.Column.Span, fmt.Sprintf("the time column of hypertable %s cannot be null", quoted(r.Ref.String())), "leave it NOT NULL"
		}
	case *migration.DropColumn:
		r := hypertable(s.Before, op.Table)
		if r == nil {
			return
		}
		if slices.Contains(r.Hypertable.Columns(), op.Column.Name) {
			return op.Column.Span, fmt.Sprintf("hypertable %s is partitioned by %s", quoted(r.Ref.String()), quoted(op.Column.Name)), "make a new hypertable without the column"
		}
		if agg := usedBy(p, s, r.Ref, op.Column.Name); agg != nil && !op.Cascade {
			return op.Column.Span, fmt.Sprintf("continuous aggregate %s uses %s", quoted(agg.Ref.String()), quoted(op.Column.Name)), "drop the continuous aggregate first, and make it again"
		}
	case *migration.AlterColumnType:
		r := hypertable(s.Before, op.Table)
		if r == nil {
			return
		}
		if r.Hypertable.TimeColumn == op.Column.Name && badTimeType(p, op.Type.Name) {
			return op.Column.Span, fmt.Sprintf("the time column of hypertable %s cannot be %s", quoted(r.Ref.String()), op.Type.Name), "keep a timestamp, date or integer"
		}
		if agg := usedBy(p, s, r.Ref, op.Column.Name); agg != nil {
			return op.Column.Span, fmt.Sprintf("continuous aggregate %s uses %s, whose type changes", quoted(agg.Ref.String()), quoted(op.Column.Name)), "drop the continuous aggregate first, and make it again"
		}
	case *migration.ValidateConstraint:
		if r := hypertable(s.Before, op.Table); r != nil && r.Hypertable.Columnstore {
			return op.Constraint.Span, fmt.Sprintf("constraints of %s cannot be validated while its columnstore is on", quoted(r.Ref.String())), "validate it before the columnstore is switched on"
		}
	case *migration.AlterTable:
		if r := hypertable(s.Before, op.Table); r != nil && r.Hypertable.Columnstore && op.What == "enable row level security" {
			return op.Table.Span, fmt.Sprintf("row level security of %s cannot be enabled while its columnstore is on", quoted(r.Ref.String())), "protect its rows in a view"
		}
	case *migration.Reindex:
		if i, r := s.Before.Index(op.Object); op.Kind == "index" && i != nil && r.Hypertable != nil {
			return op.Object.Span, fmt.Sprintf("a single index of hypertable %s cannot be rebuilt", quoted(r.Ref.String())), "REINDEX TABLE, or the chunks one by one"
		}
	}
	return source.Span{}, "", ""
}

// timeColumn says why a column cannot be the time column of a hypertable.
func timeColumn(p *analysis.Pass, r *schema.Relation, name string, c *schema.Catalog) string {
	if r == nil || name == "" {
		return ""
	}
	col := r.Column(name)
	switch {
	case col == nil && c.Complete(r) && len(r.Columns) > 0:
		return fmt.Sprintf("%s has no column %s", quoted(r.Ref.String()), quoted(name))
	case col == nil:
		return ""
	case col.Generated != "":
		return fmt.Sprintf("the time column %s is generated", quoted(name))
	case badTimeType(p, col.Type.Name):
		return fmt.Sprintf("the time column %s is %s", quoted(name), schema.TypeSQL(col.Type))
	}
	return ""
}

// badTimeType reports whether a hypertable cannot be partitioned by a type;
// only those that are certain.
func badTimeType(p *analysis.Pass, name string) bool {
	switch name {
	case "text", "varchar", "char", "boolean", "json", "jsonb", "numeric", "real", "double precision", "bytea", "time", "interval":
		return true
	case "uuid":
		return timescaleBefore(p, 2, 22)
	}
	return false
}

// usedBy returns a continuous aggregate of a hypertable whose definition names
// a column.
func usedBy(p *analysis.Pass, s *analysis.Step, table schema.Ref, column string) *schema.Relation {
	for _, agg := range aggregatesOf(p, s, table) {
		if agg.Created == nil || len(agg.From) != 1 || s.Before.Lookup(agg.Ref) == nil {
			continue
		}
		word := regexp.MustCompile(`(?i)(?:^|[^\w"'])"?` + regexp.QuoteMeta(column) + `"?(?:[^\w"'(]|$)`)
		if word.MatchString(agg.Created.Statement.SQL) {
			return agg
		}
	}
	return nil
}
