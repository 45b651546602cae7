package rules_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/internal/workspace"
)

// A testCase is a small project and the findings that it must give.
type testCase struct {
	ID      string
	Why     string
	Files   map[string]string
	Enabled []string
	Expect  []expectation
}

type expectation struct {
	File string
	Line int
	Rule string
}

func (e expectation) String() string { return fmt.Sprintf("%s:%d %s", e.File, e.Line, e.Rule) }

func readCases(t testing.TB) []testCase {
	t.Helper()
	data, err := os.ReadFile("../testdata/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []testCase
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// lintFiles writes the files into a directory of their own and lints it as the
// command does.
func lintFiles(t testing.TB, files map[string]string, opts workspace.LintOptions) (dir string, found []analysis.Finding) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// The directory itself, so that files without a project are looked at too.
	opts.Paths = []string{dir}
	found, _, err := workspace.NewSession(workspace.Options{Dir: dir}).Snapshot().Lint(context.Background(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return dir, found
}

func places(t testing.TB, dir string, files map[string]string, found []analysis.Finding) []expectation {
	t.Helper()
	out := []expectation{}
	for _, f := range found {
		name, err := filepath.Rel(dir, f.Path)
		if err != nil {
			t.Fatal(err)
		}
		name = filepath.ToSlash(name)
		line := source.NewLines(files[name]).Position(f.Span.Start, source.UTF8).Line + 1
		out = append(out, expectation{name, line, f.Rule})
	}
	return out
}

func compare(a, b expectation) int {
	if c := strings.Compare(a.File, b.File); c != 0 {
		return c
	}
	if a.Line != b.Line {
		return a.Line - b.Line
	}
	return strings.Compare(a.Rule, b.Rule)
}

// TestCases lints every acceptance case with the rules it enables; a finding
// too many fails as much as one too few.
func TestCases(t *testing.T) {
	analysis.PanicsEscape = true
	for _, c := range readCases(t) {
		t.Run(c.ID, func(t *testing.T) {
			dir, found := lintFiles(t, c.Files, workspace.LintOptions{Select: c.Enabled})
			got := places(t, dir, c.Files, found)
			want := slices.Clone(c.Expect)
			slices.SortFunc(got, compare)
			slices.SortFunc(want, compare)
			if !slices.Equal(got, want) {
				t.Errorf("%s\ngot  %v\nwant %v", c.Why, got, want)
				for _, f := range found {
					t.Logf("%s: %s", f.Rule, f.Message)
				}
			}
		})
	}
}
