package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sizesProject is a project whose database has tables of all sizes. The
// statistics are written by hand: nothing else of a table is looked at.
func sizesProject(t *testing.T) *project {
	p := newProject(t,
		"ddlsp.toml", `format = "goose"
migrations = ["migrations"]
default_database = "dev"

[rules]
setting-not-null = "warning"

[databases.dev]
url_env = "DEV_URL"

[databases.production]
url_env = "PRODUCTION_URL"
protected = true
sizes = true
`,
		"migrations/00001_a.sql", `-- +goose Up
CREATE INDEX ON huge (x);
CREATE INDEX ON large (x);
CREATE INDEX ON little (x);
CREATE INDEX ON never_analysed (x);
CREATE INDEX ON elsewhere (x);
CREATE INDEX ON audit.events (x);
ALTER TABLE huge ALTER COLUMN x SET NOT NULL;
UPDATE parts SET x = 1;
-- +goose Down
SELECT 1;
`)
	p.db.Exec(
		"CREATE SCHEMA audit",
		"CREATE TABLE huge (x int)", "CREATE TABLE large (x int)", "CREATE TABLE little (x int)", "CREATE TABLE audit.events (x int)",
		"CREATE TABLE never_analysed (x int)", "INSERT INTO little SELECT generate_series(1, 38)",
		"CREATE TABLE parts (x int, at date) PARTITION BY RANGE (at)",
		"CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
		"CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
		"CREATE TABLE parts_3 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
		"ANALYZE little",
		"UPDATE pg_class SET reltuples = 12e6, relpages = 524288 WHERE relname = 'huge'",
		"UPDATE pg_class SET reltuples = 250000, relpages = 12800 WHERE relname = 'large'",
		"UPDATE pg_class SET reltuples = 3e9, relpages = 100000000 WHERE relname = 'events'",
		"UPDATE pg_class SET reltuples = 150000, relpages = 6400 WHERE relname IN ('parts_1', 'parts_2')",
	)
	t.Setenv("PRODUCTION_URL", p.db.URL)
	t.Setenv("DEV_URL", p.db.URL)
	return p
}

// sized are the findings of lint by line, as "severity message".
func (p *project) sized(args ...string) map[int]string {
	p.t.Helper()
	var r struct {
		Findings []struct {
			Rule, Severity, Message string
			Range                   struct{ Start struct{ Line int } }
		}
	}
	o := p.raw(append([]string{"lint", "--format", "json", "--select", "require-concurrent-index-creation,setting-not-null,update-without-where"}, args...)...)
	if err := json.Unmarshal([]byte(o.out), &r); err != nil {
		p.t.Fatalf("%v in %q (stderr %q)", err, o.out, o.errout)
	}
	out := map[int]string{}
	for _, f := range r.Findings {
		out[f.Range.Start.Line] = f.Severity + " " + f.Message
	}
	return out
}

func TestSizes(t *testing.T) {
	p := sizesProject(t)
	plain := p.sized()
	for line, text := range plain {
		if !strings.HasPrefix(text, "warning ") || strings.Contains(text, " rows") {
			t.Errorf("without sizes, line %d: %s", line, text)
		}
	}
	check := func(got map[int]string) {
		t.Helper()
		for line, want := range map[int][2]string{
			2: {"error ", "; huge: 12 M rows, 4 GB: this blocks writes for minutes"},
			3: {"warning ", "; large: 250 k rows, 100 MB: this blocks writes for seconds"},
			4: {"info ", " (little: 38 rows)"},
			7: {"error ", "; audit.events: 3 billion rows, 763 GB: this blocks writes for hours"},
			8: {"warning ", "; huge: 12 M rows, 4 GB: this blocks reads and writes for minutes"}, // as configured
			9: {"warning ", "; parts: at least 300 k rows, 100 MB: this takes seconds"},
		} {
			if text := got[line]; !strings.HasPrefix(text, want[0]) || !strings.HasSuffix(text, want[1]) {
				t.Errorf("line %d: %q, want %q ... %q", line, got[line], want[0], want[1])
			}
		}
		for _, line := range []int{5, 6} { // never analysed, not there
			if got[line] != plain[line] {
				t.Errorf("line %d: %q, want %q", line, got[line], plain[line])
			}
		}
	}
	check(p.sized("--database", "production"))

	o := p.raw("lint", "--database", "production", "--write-sizes")
	contains(t, o.errout, "wrote the sizes of 7 tables to .ddlsp/sizes.json")
	text, err := os.ReadFile(filepath.Join(p.dir, ".ddlsp", "sizes.json"))
	if err != nil {
		t.Fatal(err)
	}
	contains(t, string(text), `"database": "production"`, `"little": {`, `"rows": 38,`, `"at_least": true`)
	if strings.Contains(string(text), "never_analysed") || strings.Contains(string(text), p.db.URL) {
		t.Errorf("the file says too much:\n%s", text)
	}
	// From the file, without a database.
	t.Setenv("PRODUCTION_URL", "")
	rounded := p.sized()
	if got := rounded[7]; !strings.Contains(got, "3 billion rows, ") {
		t.Errorf("line 7: %q", got)
	}
	delete(rounded, 7)
	for _, line := range []int{2, 3, 4, 8, 9} {
		if rounded[line] == plain[line] {
			t.Errorf("line %d is as without the file: %q", line, plain[line])
		}
	}
	contains(t, p.raw("--database", "dev", "doctor").out, "7 tables in .ddlsp/sizes.json, read from production on 20")

	// A threshold of one's own.
	config, err := os.ReadFile(filepath.Join(p.dir, "ddlsp.toml"))
	if err != nil {
		t.Fatal(err)
	}
	p.write("ddlsp.toml", string(config)+"\n[tables]\nlarge_rows = 1000000000\n")
	if got := p.sized()[2]; !strings.HasPrefix(got, "info ") {
		t.Errorf("large_rows is not heeded: %q", got)
	}
}

// TestSizesRefused: nothing but a database that says so decides severities, and
// whatever is wrong is said with exit code 2.
func TestSizesRefused(t *testing.T) {
	p := sizesProject(t)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"lint", "--database", "dev"}, "[databases.dev] has no sizes = true"},
		{[]string{"lint", "--database", "staging"}, "there is no [databases.staging]"},
		{[]string{"lint", "--write-sizes"}, "--write-sizes goes with --database NAME"},
		{[]string{"lint", "--database", "production", "--database-url", p.db.URL}, "from a configured database only"},
	} {
		o := p.raw(c.args...)
		if o.code != 2 || o.out != "" {
			t.Errorf("%v: exit %d, out %q", c.args, o.code, o.out)
		}
		contains(t, o.errout, c.want)
	}
	t.Setenv("PRODUCTION_URL", "postgres://nobody:secret@127.0.0.1:1/none")
	o := p.raw("lint", "--database", "production")
	if o.code != 2 || strings.Contains(o.errout, "secret") {
		t.Errorf("unreachable: exit %d, %q", o.code, o.errout)
	}
	for _, text := range []string{"{", `{"version": 9}`, `{"version": 1, "tables": {"a": {"rows": -4}}}`, `{"version": 1, "tabels": {}}`} {
		p.write(".ddlsp/sizes.json", text)
		o := p.raw("lint")
		if o.code != 2 {
			t.Errorf("%s: exit %d", text, o.code)
		}
		contains(t, o.errout, "sizes.json cannot be read", "write it again")
	}
}
