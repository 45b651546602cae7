package rules_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/analysis/rules"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/migration/sqlfile"
)

// largeFile is one migration of n statements of many kinds.
func largeFile(n int) *migration.Migration {
	var b strings.Builder
	for i := 0; i < n; i += 6 {
		fmt.Fprintf(&b, `CREATE TABLE t%[1]d (id bigint PRIMARY KEY, name text NOT NULL, parent bigint REFERENCES t0);
ALTER TABLE t%[1]d ADD COLUMN state text DEFAULT 'new';
CREATE INDEX t%[1]d_name ON t%[1]d (name);
ALTER TABLE other%[1]d ADD COLUMN x int;
COMMENT ON TABLE t%[1]d IS 'number %[1]d';
INSERT INTO t%[1]d (id, name) VALUES (1, 'a');
`, i)
	}
	return sqlfile.ReadFile(&source.File{Path: "/bench/001_large.up.sql", Text: b.String()}, nil)
}

// BenchmarkLint judges a file of 6,000 statements that were parsed before.
func BenchmarkLint(b *testing.B) {
	m := largeFile(6000)
	in := analysis.Input{History: []*migration.Migration{m}}
	res := rules.Lint(in) // parses
	b.ReportMetric(float64(len(m.Up.Statements())), "statements")
	b.ReportMetric(float64(len(res.Findings)), "findings")
	b.ResetTimer()
	for b.Loop() {
		rules.Lint(in)
	}
}
