package rules

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// timescaledb-deprecated-api reports names of TimescaleDB that have newer ones.
//
// Since 2.18 compression is called columnstore: add_columnstore_policy instead
// of add_compression_policy, enable_columnstore, segmentby and orderby instead
// of compress, compress_segmentby and compress_orderby. The old names still
// work. So does create_hypertable with a column's name, which every version
// understands and which is not reported.
//
// # Bad: sql
//
//	ALTER TABLE metrics SET (timescaledb.compress, timescaledb.compress_segmentby = 'device');
//
// # Good: sql
//
//	ALTER TABLE metrics SET (timescaledb.enable_columnstore, timescaledb.segmentby = 'device');
//
// # Bad: ecto
//
//	execute "SELECT add_compression_policy('metrics', INTERVAL '7 days')", ""
//
// # Good: ecto
//
//	execute "CALL add_columnstore_policy('metrics', INTERVAL '7 days')", ""
//
// # Exceptions
//
// A configured timescaledb_version that does not know the newer name.
var timescaledbDeprecatedAPI = &analysis.Rule{
	ID:       "timescaledb-deprecated-api",
	Summary:  "an old name of TimescaleDB is used",
	Severity: analysis.Hint,
	Fix:      analysis.UnsafeFix,
	On: []migration.Op{(*migration.Policy)(nil), (*migration.SetTableOptions)(nil), (*migration.CreateTable)(nil),
		(*migration.Query)(nil), (*migration.CreateView)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		report := func(on source.Span, old, now string, fix ...analysis.Fix) {
			p.Report(s, analysis.Report{On: on, Message: fmt.Sprintf("%s is the old name of %s", old, now), Help: "write " + now, Fixes: fix})
		}
		columnstore := !timescaleBefore(p, 2, 18)
		switch op := s.Op.(type) {
		case *migration.Policy:
			name := op.Call.Function.Name
			if !columnstore || op.Kind != "compression" || !strings.Contains(name, "compression") {
				return
			}
			now := strings.Replace(name, "compression", "columnstore", 1)
			report(op.Call.Span, name, "CALL "+now, fixes("Write CALL "+now, false, renamedPolicy(s, op, now))...)
		case *migration.SetTableOptions:
			if columnstore {
				oldOptions(s, op.Options, report)
			}
		case *migration.CreateTable:
			if columnstore && op.Hypertable != nil {
				oldOptions(s, op.Options, report)
			}
		case *migration.CreateView:
			if columnstore && op.Continuous {
				oldOptions(s, op.Options, report)
			}
		case *migration.Query:
			for _, c := range op.Calls {
				now := map[string]string{"compress_chunk": "CALL convert_to_columnstore", "decompress_chunk": "CALL convert_to_rowstore",
					"hypertable_compression_stats": "hypertable_columnstore_stats", "chunk_compression_stats": "chunk_columnstore_stats"}[c.Function.Name]
				if now != "" && columnstore {
					report(c.Span, c.Function.Name, now)
					return
				}
			}
			if m := compressionSettings.FindStringIndex(s.Statement.SQL); m != nil && columnstore && !s.Inner {
				report(source.Span{Start: m[0], End: m[1]}, "timescaledb_information.compression_settings", "timescaledb_information.hypertable_columnstore_settings")
			}
		}
	},
}

var compressionSettings = regex.MustCompile(`(?i)\btimescaledb_information\.compression_settings\b`)

// oldOptions reports the first option with an old name; the fix renames all.
func oldOptions(s *analysis.Step, options []migration.RelOption, report func(source.Span, string, string, ...analysis.Fix)) {
	names := map[string]string{"compress": "enable_columnstore", "compress_segmentby": "segmentby", "compress_orderby": "orderby",
		"compress_chunk_time_interval": "", "compress_chunk_interval": ""}
	var changes []change
	first := -1
	for i, o := range options {
		if o.Namespace != "timescaledb" && o.Namespace != "tsdb" || names[o.Name] == "" {
			continue
		}
		if first < 0 {
			first = i
		}
		at := strings.IndexByte(o.Span.Of(s.Statement.SQL), '.')
		if at < 0 {
			continue
		}
		start := o.Span.Start + at + 1
		changes = append(changes, edit(s, source.Span{Start: start, End: start + len(o.Name)}, names[o.Name]))
	}
	if first >= 0 {
		o := options[first]
		report(o.Span, o.Namespace+"."+o.Name, o.Namespace+"."+names[o.Name], fixes("Write the new names", false, changes...)...)
	}
}

var selectWord = regex.MustCompile(`(?i)^\s*(select)\s+$`)

// renamedPolicy turns SELECT of an old policy function into CALL of the new
// procedure.
func renamedPolicy(s *analysis.Step, op *migration.Policy, now string) change {
	sql := s.Statement.SQL
	m := selectWord.FindStringSubmatchIndex(sql[:max(op.Call.Span.Start, 0)])
	if m == nil || strings.TrimRight(sql[op.Call.Span.End:], " \t\r\n;") != "" {
		return func() ([]source.Edit, error) { return nil, migration.ErrNotExpressible }
	}
	changes := []change{edit(s, source.Span{Start: m[2], End: m[3]}, "CALL")}
	f := op.Call.Function.Span
	changes = append(changes, edit(s, source.Span{Start: f.End - len(op.Call.Function.Name), End: f.End}, now))
	for _, a := range op.Call.Args {
		if old := "compress_after"; a.Name == old {
			changes = append(changes, edit(s, source.Span{Start: a.Span.Start, End: a.Span.Start + len(old)}, "after"))
		}
	}
	return func() ([]source.Edit, error) {
		var out []source.Edit
		for _, c := range changes {
			e, err := c()
			if err != nil {
				return nil, err
			}
			out = append(out, e...)
		}
		return out, nil
	}
}
