package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExitCodes: 0 fine, 1 findings, 2 usage and environment; results on
// stdout, complaints on stderr, one line that names the program.
func TestExitCodes(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"m/001_a.up.sql":   "CREATE TABLE t (id bigint PRIMARY KEY);\n",
		"m/001_a.down.sql": "DROP TABLE t;\n",
		"m/002_b.up.sql":   "CREATE INDEX i ON t (id);\n",
		"m/002_b.down.sql": "DROP INDEX i;\n",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("DDLSP_DATABASE_URL", "")
	t.Setenv("PGDATABASE", "")
	t.Setenv("PGSERVICE", "")
	for _, tt := range []struct {
		args string
		want int
	}{
		{"", exitFine},
		{"--help", exitFine},
		{"--version", exitFine},
		{"lint", exitFindings},
		{"lint m/001_a.up.sql", exitFine},
		{"lint --fail-on error", exitFine},
		{"lint nowhere", exitUsage},
		{"lint --format sarifx", exitUsage},
		{"lint --bogus", exitUsage},
		{"sql 1", exitFine},
		{"sql 1 --down", exitFine},
		{"sql 99", exitUsage},
		{"sql", exitUsage},
		{"sql 1 2", exitUsage},
		{"explain missing-down-migration", exitFine},
		{"explain nothing", exitUsage},
		{"rules", exitFine},
		{"rules x", exitUsage},
		{"status", exitUsage},
		{"migrate --yes", exitUsage},
		{"rollback --yes", exitUsage},
		{"doctor", exitUsage},
		{"frobnicate", exitUsage},
		{"--project nowhere lint", exitUsage},
	} {
		var out, errs bytes.Buffer
		got := run(&app{in: strings.NewReader(""), out: &out, err: &errs, dir: dir}, strings.Fields(tt.args))
		if got != tt.want {
			t.Errorf("ddlsp %s: exit %d, want %d\n%s%s", tt.args, got, tt.want, out.String(), errs.String())
		}
		if got == exitUsage && tt.args != "doctor" && !strings.HasPrefix(errs.String(), "ddlsp: ") {
			t.Errorf("ddlsp %s: stderr is %q", tt.args, errs.String())
		}
		if got != exitUsage && strings.HasPrefix(tt.args, "lint") && errs.Len() > 0 {
			t.Errorf("ddlsp %s: a result on stderr: %q", tt.args, errs.String())
		}
	}
}
