package rules

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// policy-without-columnstore reports TimescaleDB policies for which their table
// is not ready.
//
// A columnstore (compression) policy needs the columnstore to be on, and every
// policy needs a hypertable, a refresh policy a continuous aggregate. Otherwise
// the call fails. A table made WITH (timescaledb.hypertable) has its columnstore
// on from the start.
//
// # Bad: sql
//
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float);
//	SELECT create_hypertable('metrics', 'time');
//	CALL add_columnstore_policy('metrics', after => INTERVAL '7 days');
//
// # Good: sql
//
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float);
//	SELECT create_hypertable('metrics', 'time');
//	ALTER TABLE metrics SET (timescaledb.enable_columnstore);
//	CALL add_columnstore_policy('metrics', after => INTERVAL '7 days');
//
// # Bad: ecto
//
//	def up do
//	  create table(:metrics, primary_key: false) do
//	    add :time, :timestamptz, null: false
//	  end
//
//	  execute "SELECT create_hypertable('metrics', 'time')"
//	  execute "SELECT add_compression_policy('metrics', INTERVAL '7 days')"
//	end
//
//	def down do
//	  drop table(:metrics)
//	end
var policyWithoutColumnstore = &analysis.Rule{
	ID:       "policy-without-columnstore",
	Summary:  "a policy is added to a table that is not ready for it",
	Severity: analysis.Error,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	On:       []migration.Op{(*migration.Policy)(nil), (*migration.SetTableOptions)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		switch op := s.Op.(type) {
		case *migration.Policy:
			r := s.Before.Relation(op.Relation)
			if op.Remove || r == nil {
				return
			}
			report := analysis.Report{On: op.Relation.Span}
			switch {
			case op.Kind == "refresh" && (plainTable(s.Before, r) || r.Hypertable != nil || r.Kind == schema.MaterializedView):
				report.Message = fmt.Sprintf("this fails: %s is no continuous aggregate", quoted(r.Ref.String()))
				report.Help = "make it WITH (timescaledb.continuous)"
				if r.Kind != schema.MaterializedView {
					report.Help = "name a continuous aggregate"
				}
			case plainTable(s.Before, r):
				report.Message = fmt.Sprintf("this fails: %s is no hypertable", quoted(r.Ref.String()))
				report.Help = "call create_hypertable before"
			case op.Kind == "compression" && columnstoreOff(s.Before, r):
				option := "timescaledb.enable_columnstore"
				if timescaleBefore(p, 2, 18) {
					option = "timescaledb.compress"
				}
				alter := "ALTER TABLE"
				if r.Kind == schema.ContinuousAggregate {
					alter = "ALTER MATERIALIZED VIEW"
				}
				report.Message = fmt.Sprintf("this fails: the columnstore (compression) of %s is not on", quoted(r.Ref.String()))
				report.Help = fmt.Sprintf("switch it on before, with %s ... SET (%s)", alter, option)
				report.Fixes = fixes("Switch the columnstore on before", false, insertBefore(p, s, fmt.Sprintf("%s %s SET (%s)", alter, r.SQL(), option)))
			default:
				return
			}
			p.Report(s, report)
		case *migration.SetTableOptions:
			r := s.Before.Relation(op.Table)
			if op.Reset || !plainTable(s.Before, r) {
				return
			}
			for _, o := range op.Options {
				if o.Namespace == "timescaledb" || o.Namespace == "tsdb" {
					p.Report(s, analysis.Report{
						On:      o.Span,
						Message: fmt.Sprintf("this fails: %s is no hypertable, and has no columnstore", quoted(r.Ref.String())),
						Help:    "call create_hypertable before",
					})
					return
				}
			}
		}
	},
}

// columnstoreOff reports whether the columnstore of a relation is off for sure.
func columnstoreOff(c *schema.Catalog, r *schema.Relation) bool {
	if r.Hypertable != nil {
		return !r.Hypertable.Columnstore && c.Complete(r)
	}
	if r.Kind != schema.ContinuousAggregate || r.Created == nil || c.Taints() > 0 {
		return false
	}
	for key, value := range r.Options {
		switch strings.TrimPrefix(strings.TrimPrefix(key, "timescaledb."), "tsdb.") {
		case "compress", "enable_columnstore", "columnstore":
			if on := strings.ToLower(value); on != "false" && on != "off" && on != "0" {
				return false
			}
		}
	}
	return true
}
