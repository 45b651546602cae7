package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
)

// lintIn runs `ddlsp lint` over files and returns what it prints.
func lintIn(t *testing.T, files map[string]string, args ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out, errs bytes.Buffer
	a := &app{in: strings.NewReader(""), out: &out, err: &errs, dir: dir}
	if code := run(a, append([]string{"lint"}, args...)); code > exitFindings {
		t.Fatalf("exit %d: %s", code, &errs)
	}
	return out.Bytes()
}

func TestSARIFKeepsItsSchema(t *testing.T) {
	files := map[string]string{
		"db/1 a.up.sql":   "CREATE TABLE a (id bigint PRIMARY KEY);\n",
		"db/001_a.up.sql": "CREATE TABLE a (id bigint PRIMARY KEY);\n",
		"db/002_é.up.sql": "/* ä𝄞 */ CREATE INDEX a_id ON a (id); SELEC 1;\n",
	}
	for name, args := range map[string][]string{"findings": nil, "nothing": {"--select", "renaming-table"}} {
		t.Run(name, func(t *testing.T) {
			report, err := sarif.FromBytes(lintIn(t, files, append([]string{"--format", "sarif"}, args...)...))
			if err != nil {
				t.Fatal(err)
			}
			if err := report.Validate(); err != nil {
				t.Fatal(err)
			}
			if n := len(report.Runs[0].Results); (n > 0) != (args == nil) {
				t.Errorf("%d results", n)
			}
		})
	}
}

// TestSARIFSaysWhere reads a report as code scanning does.
func TestSARIFSaysWhere(t *testing.T) {
	out := lintIn(t, map[string]string{
		"db/001_a.up.sql":   "CREATE TABLE a (id bigint PRIMARY KEY);\n",
		"db/002_é.up.sql":   "/* ä𝄞 */ CREATE INDEX a_id ON a (id);\n",
		"db/002_é.down.sql": "DROP INDEX CONCURRENTLY a_id;\n",
	}, "--format", "sarif", "--select", "require-concurrent-index-creation")
	report, err := sarif.FromBytes(out)
	if err != nil {
		t.Fatal(err)
	}
	run := report.Runs[0]
	if len(run.Results) != 1 {
		t.Fatalf("%d results in %s", len(run.Results), out)
	}
	r := run.Results[0]
	if id := *run.Tool.Driver.Rules[r.RuleIndex].ID; id != *r.RuleID || id != "require-concurrent-index-creation" {
		t.Errorf("rule %s at the index of %s", id, *r.RuleID)
	}
	place := r.Locations[0].PhysicalLocation
	if got := *place.ArtifactLocation.URI; got != "db/002_%C3%A9.up.sql" {
		t.Errorf("URI %s", got)
	}
	// Columns are characters: the comment before the statement has nine, in
	// thirteen bytes.
	if line, col := *place.Region.StartLine, *place.Region.StartColumn; line != 1 || col != 10 {
		t.Errorf("at %d:%d", line, col)
	}
	if r.Level != "warning" || len(r.PartialFingerprints) != 1 {
		t.Errorf("level %s, fingerprints %v", r.Level, r.PartialFingerprints)
	}
	fix := r.Fixes[0].ArtifactChanges[0].Replacements[0]
	if *fix.InsertedContent.Text != " CONCURRENTLY" || *fix.DeletedRegion.StartColumn != 22 {
		t.Errorf("fix inserts %q at column %d", *fix.InsertedContent.Text, *fix.DeletedRegion.StartColumn)
	}
}

// TestFingerprintsStay: a finding keeps its fingerprint when the lines above
// it change, and two equal ones are told apart.
func TestFingerprintsStay(t *testing.T) {
	const index = "CREATE INDEX ON a (id);\n"
	prints := func(text string) []string {
		var list []gitlabFinding
		out := lintIn(t, map[string]string{"db/001_a.up.sql": "CREATE TABLE a (id int);", "db/002_b.up.sql": text},
			"--format", "gitlab", "--select", "require-concurrent-index-creation")
		if err := json.Unmarshal(out, &list); err != nil {
			t.Fatal(err)
		}
		var prints []string
		for _, f := range list {
			prints = append(prints, f.Fingerprint)
		}
		return prints
	}
	before, after := prints(index+index), prints("-- more\n\n"+index+"\n"+index)
	if len(before) != 2 || before[0] == before[1] {
		t.Fatalf("fingerprints %q", before)
	}
	if strings.Join(before, " ") != strings.Join(after, " ") {
		t.Errorf("fingerprints %q became %q", before, after)
	}
}
