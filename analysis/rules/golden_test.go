package rules_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/workspace"
)

// TestGolden lints the projects of ../testdata/<rule>/*.txtar. The section
// "want" lists the findings of that rule as file:line; in the directory
// "suppression" those of every rule, each line ending in its name.
func TestGolden(t *testing.T) {
	analysis.PanicsEscape = true
	archives, err := filepath.Glob("../testdata/*/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatal("no archives", err)
	}
	for _, path := range archives {
		rule := filepath.Base(filepath.Dir(path))
		if rule == "shapes" { // cases of another form
			continue
		}
		t.Run(rule+"/"+strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			ar := txtar.Parse(data)
			files := map[string]string{}
			var want []string
			for _, f := range ar.Files {
				if f.Name == "want" {
					want = strings.Split(strings.TrimSpace(string(f.Data)), "\n")
				} else {
					files[f.Name] = string(f.Data)
				}
			}
			want = slices.DeleteFunc(want, func(l string) bool { return l == "" })
			dir, found := lintFiles(t, files, workspace.LintOptions{})
			var got []string
			for _, e := range places(t, dir, files, found) {
				switch {
				case rule == "suppression" && e.Rule != "missing-down-migration" && e.Rule != "require-concurrent-index-deletion":
					got = append(got, fmt.Sprintf("%s:%d %s", e.File, e.Line, e.Rule))
				case e.Rule == rule:
					got = append(got, fmt.Sprintf("%s:%d", e.File, e.Line))
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%s\ngot  %q\nwant %q", ar.Comment, got, want)
			}
		})
	}
}
