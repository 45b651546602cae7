package rules_test

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/analysis/rules"
)

//go:generate go test -run TestPagesAreFresh -update .

var updatePages = flag.Bool("update", false, "write docs/rules again")

// TestPagesAreFresh compares docs/rules with the doc comments of the rules.
func TestPagesAreFresh(t *testing.T) {
	dir := filepath.Join("..", "..", "docs", "rules")
	want := map[string][]byte{}
	var index bytes.Buffer
	index.WriteString("# Rules\n\nThese pages are made from the rules' own source; `ddlsp explain RULE` prints one.\n\n| rule | severity | reports |\n|---|---|---|\n")
	for _, r := range rules.All() {
		p := rules.PageOf(r.ID)
		if body := p.Text(); !strings.HasPrefix(body, r.ID+" ") {
			t.Errorf("%s: the doc comment must start with the rule's id, it is %.60q", r.ID, body)
		}
		want[r.ID+".md"] = []byte(p.Markdown())
		severity := r.Severity.String()
		if !r.Default {
			severity += ", off"
		}
		index.WriteString("| [" + r.ID + "](" + r.ID + ".md) | " + severity + " | " + strings.ReplaceAll(r.Summary, "|", "\\|") + " |\n")
	}
	if len(rules.LeftOut) > 0 {
		index.WriteString("\nKnown hazards for which there is no rule:\n\n")
		for _, id := range slices.Sorted(maps.Keys(rules.LeftOut)) {
			index.WriteString("- " + id + ": " + rules.LeftOut[id] + "\n")
		}
	}
	want["README.md"] = index.Bytes()
	if *updatePages {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range want {
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	have, err := os.ReadDir(dir)
	if err != nil {
		t.Fatalf("%v: run make docs", err)
	}
	if len(have) != len(want) {
		t.Errorf("docs/rules has %d pages, want %d: run make docs", len(have), len(want))
	}
	for name, text := range want {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !bytes.Equal(got, text) {
			t.Errorf("docs/rules/%s is stale: run make docs", name)
		}
	}
}
