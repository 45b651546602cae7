package rules_test

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/analysis/rules"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/migration/ecto"
)

// TestEctoVectors lints every recorded Ecto migration under every rule: none
// may panic, report outside its file, or offer edits that cannot be applied.
func TestEctoVectors(t *testing.T) {
	analysis.PanicsEscape = true
	f, err := os.Open("../../migration/ecto/testdata/vectors.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	n := 0
	for lines.Scan() {
		var v struct{ Name, Exs string }
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		if v.Exs == "" {
			continue
		}
		n++
		m := ecto.Read(&source.File{Path: "/v/20240101000000_v.exs", Text: v.Exs}, nil, ecto.Options{})
		res := rules.Lint(analysis.Input{History: []*migration.Migration{m}, Settings: analysis.Settings{CheckDown: true}})
		for _, f := range res.Findings {
			if f.Span.Start < 0 || f.Span.End < f.Span.Start || f.Span.End > len(v.Exs) {
				t.Errorf("%s: %s at %v of %d bytes", v.Name, f.Rule, f.Span, len(v.Exs))
			}
			if f.Rule == "unparsable-sql" {
				t.Logf("%s: %s", v.Name, f.Message)
			}
			for _, fix := range f.Fixes {
				if _, err := source.Apply(v.Exs, fix.Edits); err != nil {
					t.Errorf("%s: %s, %q: %v", v.Name, f.Rule, fix.Title, err)
				}
			}
		}
	}
	if n < 100 {
		t.Errorf("only %d migrations", n)
	}
}
