package rules

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// timescaledb-call-form reports TimescaleDB's procedures that are selected and
// functions that are called.
//
// The newer names of the columnstore are procedures: CALL add_columnstore_policy.
// The older ones, and everything that makes a hypertable or another policy, are
// functions: SELECT add_compression_policy. The other form fails.
//
// # Bad: sql
//
//	SELECT add_columnstore_policy('metrics', after => INTERVAL '7 days');
//
// # Good: sql
//
//	CALL add_columnstore_policy('metrics', after => INTERVAL '7 days');
//
// # Bad: ecto
//
//	execute "CALL add_retention_policy('metrics', INTERVAL '90 days')", ""
//
// # Good: ecto
//
//	execute "SELECT add_retention_policy('metrics', INTERVAL '90 days')", ""
var timescaledbCallForm = &analysis.Rule{
	ID:       "timescaledb-call-form",
	Summary:  "a procedure of TimescaleDB is selected, or a function called",
	Severity: analysis.Error,
	Default:  true,
	Fix:      analysis.SafeFix,
	Down:     true,
	On:       []migration.Op{(*migration.Policy)(nil), (*migration.CreateHypertable)(nil), (*migration.Query)(nil), (*migration.CallProcedure)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		if s.Inner || p.Derived() {
			return
		}
		var calls []migration.Call
		switch op := s.Op.(type) {
		case *migration.Policy:
			calls = []migration.Call{op.Call}
		case *migration.CreateHypertable:
			if op.Call == nil {
				return
			}
			calls = []migration.Call{*op.Call}
		case *migration.Query:
			calls = op.Calls
		case *migration.CallProcedure:
			calls = []migration.Call{op.Call}
		}
		for _, c := range calls {
			if c.Span.Start <= 0 || c.Span.Start > len(s.Statement.SQL) {
				continue
			}
			m := callVerb.FindStringSubmatchIndex(s.Statement.SQL[:c.Span.Start])
			if m == nil {
				continue
			}
			verb := source.Span{Start: m[2], End: m[3]}
			written, name := strings.ToUpper(verb.Of(s.Statement.SQL)), c.Function.Name
			kind, want, ok := timescaleKind(name)
			if !ok || want == written {
				continue
			}
			p.Report(s, analysis.Report{
				On:      c.Span,
				Message: fmt.Sprintf("this fails: %s is a %s", name, kind),
				Help:    "write " + want + " " + name,
				Fixes:   fixes("Write "+want, true, edit(s, verb, want)),
			})
			return
		}
	},
}

// The verb right before a call that is the whole statement.
var callVerb = regex.MustCompile(`(?i)^(?:\s|--[^\n]*\n|/\*(?s:.)*?\*/)*(select|call)\s+$`)

// timescaleKind tells TimescaleDB's procedures from its functions by their
// names.
func timescaleKind(name string) (kind, verb string, ok bool) {
	switch name {
	case "add_columnstore_policy", "remove_columnstore_policy", "convert_to_columnstore", "convert_to_rowstore", "refresh_continuous_aggregate", "run_job":
		return "procedure", "CALL", true
	case "create_hypertable", "add_compression_policy", "remove_compression_policy", "add_retention_policy", "remove_retention_policy",
		"add_continuous_aggregate_policy", "remove_continuous_aggregate_policy", "add_reorder_policy", "remove_reorder_policy",
		"add_dimension", "drop_chunks", "compress_chunk", "decompress_chunk", "set_chunk_time_interval", "set_integer_now_func":
		return "function", "SELECT", true
	}
	return "", "", false
}
