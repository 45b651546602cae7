package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// policy-already-exists reports a second TimescaleDB policy of a kind.
//
// A hypertable has one policy of each kind. Adding a second one fails; with
// if_not_exists it does nothing, and the new interval is ignored with a warning
// that few see. Since TimescaleDB 2.23 a table made WITH
// (timescaledb.hypertable) has a columnstore policy from the start.
//
// # Bad: sql
//
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float) WITH (tsdb.hypertable);
//	CALL add_columnstore_policy('metrics', after => INTERVAL '30 days', if_not_exists => true);
//
// # Good: sql
//
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float) WITH (tsdb.hypertable);
//	CALL remove_columnstore_policy('metrics', if_exists => true);
//	CALL add_columnstore_policy('metrics', after => INTERVAL '30 days');
//
// # Bad: ecto
//
//	def up do
//	  create table(:metrics, primary_key: false) do
//	    add :time, :timestamptz, null: false
//	  end
//
//	  execute "SELECT create_hypertable('metrics', 'time')"
//	  execute "SELECT add_retention_policy('metrics', INTERVAL '90 days')"
//	  execute "SELECT add_retention_policy('metrics', INTERVAL '30 days')"
//	end
//
//	def down do
//	  drop table(:metrics)
//	end
//
// # Exceptions
//
// Refresh policies: a continuous aggregate may have several. A policy that is
// added again with the same arguments and if_not_exists. Calls in a DO block,
// which may run under a condition.
var policyAlreadyExists = &analysis.Rule{
	ID:       "policy-already-exists",
	Summary:  "a second policy of a kind fails or is ignored",
	Severity: analysis.Error,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	On:       []migration.Op{(*migration.Policy)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.Policy)
		r := s.Before.Relation(op.Relation)
		if op.Remove || op.Kind == "refresh" || r == nil || s.Inner || s.Statement.IsUnknown(op.Call.Span) {
			return
		}
		var old *schema.Job
		for i := range r.Jobs {
			if r.Jobs[i].Kind == op.Kind {
				old = &r.Jobs[i]
			}
		}
		if old == nil || old.Op == nil && timescaleBefore(p, 2, 23) {
			return
		}
		words := map[string]string{"compression": "columnstore", "retention": "retention", "reorder": "reorder"}
		remove := map[string]string{
			"compression": "CALL remove_columnstore_policy('%s', if_exists => true)",
			"retention":   "SELECT remove_retention_policy('%s', if_exists => true)",
			"reorder":     "SELECT remove_reorder_policy('%s', if_exists => true)",
		}[op.Kind]
		if op.Kind == "compression" && op.Call.Function.Name == "add_compression_policy" {
			remove = "SELECT remove_compression_policy('%s', if_exists => true)"
		}
		report := analysis.Report{
			On:      op.Call.Span,
			Message: fmt.Sprintf("this fails: %s has a %s policy already", quoted(r.Ref.String()), words[op.Kind]),
			Help:    "remove the other policy before",
			Fixes:   fixes("Remove the other policy before", false, insertBefore(p, s, fmt.Sprintf(remove, r.SQL()))),
			Related: analysis.RelatedTo(old.Created, "the other policy is added here"),
		}
		if a := op.Call.Arg("if_not_exists", 2); a != nil && a.Literal != nil && isOn(*a.Literal) {
			if old.Op != nil && sameWindow(old.Op, op) {
				return
			}
			report.Severity = analysis.Warning
			report.Message = fmt.Sprintf("this is ignored: %s has a %s policy already, and keeps its interval", quoted(r.Ref.String()), words[op.Kind])
		}
		p.Report(s, report)
	},
}

func isOn(v string) bool { return v == "true" || v == "t" || v == "on" || v == "1" }

// sameWindow reports whether two policies have the same age.
func sameWindow(a, b *migration.Policy) bool {
	if a.Kind == "reorder" {
		x, y := a.Call.Arg("index_name", 1), b.Call.Arg("index_name", 1)
		return x != nil && y != nil && x.Literal != nil && y.Literal != nil && *x.Literal == *y.Literal
	}
	age := dropAfter
	if a.Kind == "compression" {
		age = compressAfter
	}
	x, okX := days(age(a))
	y, okY := days(age(b))
	if okX && okY {
		return x == y
	}
	return age(a) != nil && age(b) != nil && age(a).Value == age(b).Value
}
