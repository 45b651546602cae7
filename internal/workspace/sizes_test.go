package workspace

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/analysis"
)

// TestFindingsFollowSettings: findings that were asked for once are found anew
// when the configuration or the file of table sizes changes.
func TestFindingsFollowSettings(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file := write("migrations/00001_a.sql", "-- +goose Up\nCREATE INDEX ON orders (x);\n-- +goose Down\nSELECT 1;\n")
	config := write("ddlsp.toml", "format = \"goose\"\nmigrations = [\"migrations\"]\n")
	s := NewSession(Options{Dir: dir})
	severity := func() analysis.Severity {
		for _, f := range s.Snapshot().Findings(context.Background(), file) {
			if f.Rule == "require-concurrent-index-creation" {
				return f.Severity
			}
		}
		return analysis.Off
	}
	want := func(want analysis.Severity, when string) {
		t.Helper()
		if got := severity(); got != want {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
	}
	want(analysis.Warning, "at first")
	sizes := filepath.Join(dir, filepath.FromSlash(SizesName))
	for _, c := range []struct {
		rows string
		want analysis.Severity
	}{{"12", analysis.Info}, {"120000", analysis.Warning}, {"12000000", analysis.Error}} {
		write(SizesName, `{"version": 1, "tables": {"orders": {"rows": `+c.rows+`, "bytes": 1000}}}`)
		s.Touch(sizes)
		want(c.want, c.rows+" rows")
	}
	write("ddlsp.toml", "format = \"goose\"\nmigrations = [\"migrations\"]\n[rules]\nrequire-concurrent-index-creation = \"off\"\n")
	s.Touch(config)
	want(analysis.Off, "switched off")
	write("ddlsp.toml", "format = \"goose\"\nmigrations = [\"migrations\"]\n[rules]\nrequire-concurrent-index-creation = \"hint\"\n")
	s.Touch(config)
	want(analysis.Hint, "a hint")
	if err := os.Remove(sizes); err != nil {
		t.Fatal(err)
	}
	write("ddlsp.toml", "format = \"goose\"\nmigrations = [\"migrations\"]\n")
	s.Touch(config, sizes)
	want(analysis.Warning, "as at first")
}

// TestSizesForm writes and reads the file's form.
func TestSizesForm(t *testing.T) {
	in := &Sizes{Database: "production", Tables: map[string]analysis.TableSize{
		"orders": {Rows: 12_345_678, Bytes: 4_321_000_000}, "audit.events": {Rows: 99, Bytes: 8192, AtLeast: true}, "unknown": {Rows: -1},
	}}
	text, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "unknown") {
		t.Errorf("a size that is not known was written: %s", text)
	}
	out, err := ParseSizes(string(text))
	if err != nil {
		t.Fatal(err)
	}
	if got := out.Tables["orders"]; got != (analysis.TableSize{Rows: 12_000_000, Bytes: 4_300_000_000}) {
		t.Errorf("orders: %+v", got)
	}
	if got := out.Tables["audit.events"]; got != (analysis.TableSize{Rows: 99, Bytes: 8200, AtLeast: true}) {
		t.Errorf("audit.events: %+v", got)
	}
	for n, want := range map[int64]int64{0: 0, 99: 99, 100: 100, 149: 150, 999: 1000, 1250: 1300, 1_000_000: 1_000_000} {
		if got := twoDigits(n); got != want {
			t.Errorf("%d: %d, want %d", n, got, want)
		}
	}
}
