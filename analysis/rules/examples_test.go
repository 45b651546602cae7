package rules_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/analysis/rules"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/internal/workspace"
)

// exampleFiles are the files that an example of a rule's page stands for.
func exampleFiles(t testing.TB, e rules.Example) map[string]string {
	t.Helper()
	if ar := txtar.Parse([]byte(e.Code)); len(ar.Files) > 0 {
		files := map[string]string{}
		for _, f := range ar.Files {
			files[f.Name] = string(f.Data)
		}
		return files
	}
	code := strings.TrimRight(e.Code, "\n") + "\n"
	switch e.Format {
	case "sql":
		return map[string]string{"001_example.up.sql": code}
	case "goose":
		return map[string]string{"00001_example.sql": code}
	case "ecto":
		return map[string]string{"priv/repo/migrations/20240101000000_example.exs": ectoModule(code)}
	}
	t.Fatalf("an example of the unknown format %q", e.Format)
	return nil
}

// ectoModule puts the code of an example into a module, and into change/0 where
// it is only commands.
func ectoModule(code string) string {
	if !strings.Contains(code, "def ") {
		attributes, rest := "", code
		for strings.HasPrefix(rest, "@") || strings.HasPrefix(rest, "\n") {
			l, more, _ := strings.Cut(rest, "\n")
			attributes += l + "\n"
			rest = more
		}
		code = attributes + "def change do\n" + indent(rest) + "end\n"
	}
	return "defmodule Shop.Repo.Migrations.Example do\n  use Ecto.Migration\n\n" + indent(code) + "end\n"
}

func indent(text string) string {
	lines := strings.SplitAfter(text, "\n")
	for i, l := range lines {
		if strings.TrimSpace(l) != "" {
			lines[i] = "  " + l
		}
	}
	return strings.Join(lines, "")
}

func reported(found []analysis.Finding, id string) []analysis.Finding {
	var out []analysis.Finding
	for _, f := range found {
		if f.Rule == id {
			out = append(out, f)
		}
	}
	return out
}

// with selects the rules that are on by default and one more.
func with(id string) workspace.LintOptions {
	opts := workspace.LintOptions{Select: []string{id}}
	for _, r := range rules.All() {
		if r.Default && r.ID != id {
			opts.Select = append(opts.Select, r.ID)
		}
	}
	return opts
}

// TestExamples lints every example of every page: a bad one must be reported by
// its rule, a good one must not.
func TestExamples(t *testing.T) {
	analysis.PanicsEscape = true
	for _, r := range rules.All() {
		for i, e := range rules.PageOf(r.ID).Examples() {
			t.Run(fmt.Sprintf("%s/%d", r.ID, i), func(t *testing.T) {
				files := exampleFiles(t, e)
				dir, found := lintFiles(t, files, with(r.ID))
				mine := reported(found, r.ID)
				switch {
				case e.Bad && len(mine) == 0:
					t.Errorf("not reported:\n%s\nfound %v", e.Code, places(t, dir, files, found))
				case !e.Bad && len(mine) > 0:
					t.Errorf("reported (%s):\n%s", mine[0].Message, e.Code)
				}
				for _, f := range found {
					if f.Rule == "unparsable-sql" && r.ID != "unparsable-sql" || f.Rule == "unreadable-migration" || f.Rule == "goose-annotation" && r.ID != f.Rule {
						t.Errorf("%s: %s\n%s", f.Rule, f.Message, e.Code)
					}
				}
				for _, f := range mine {
					if r.Fix == analysis.NoFix && len(f.Fixes) > 0 {
						t.Errorf("the rule says that it has no fix, and offers %q", f.Fixes[0].Title)
					}
					for _, fix := range f.Fixes {
						if fix.Safe && r.Fix != analysis.SafeFix {
							t.Errorf("the rule has no safe fix, and %q says that it is one", fix.Title)
						}
						checkFix(t, dir, files, f, fix)
					}
				}
			})
		}
	}
}

// checkFix applies a fix to its files: the result must be readable, the finding
// must be gone, and no other finding that fails the migration may have come.
// alone are rules to judge by where the finding does not come up among all.
func checkFix(t *testing.T, dir string, files map[string]string, f analysis.Finding, fix analysis.Fix, alone ...string) {
	t.Helper()
	fixed := applyFix(t, dir, files, fix)
	_, again := lintFiles(t, fixed, with(f.Rule))
	show := func() string {
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(fixed)) {
			fmt.Fprintf(&b, "-- %s --\n%s", name, fixed[name])
		}
		return b.String()
	}
	before := map[string]bool{}
	_, old := lintFiles(t, files, with(f.Rule))
	for _, o := range old {
		before[o.Rule] = true
	}
	// A fix may leave the lesser half of a finding (a long lock instead of a
	// failure), which is then told with a lower severity.
	weight := func(found []analysis.Finding) (n int) {
		for _, g := range reported(found, f.Rule) {
			n += int(g.Severity)
		}
		return n
	}
	now, then := weight(again), weight(old)
	if then == 0 && len(alone) > 0 { // in company the rule leaves it to another one
		_, a := lintFiles(t, fixed, workspace.LintOptions{Select: alone})
		_, o := lintFiles(t, files, workspace.LintOptions{Select: alone})
		now, then = weight(a), weight(o)
	}
	if now >= then {
		t.Errorf("%q does not mend %s:\n%s", fix.Title, f.Rule, show())
	}
	// What fails for one reason may still fail for the next one.
	failures := func(found []analysis.Finding) (n int) {
		for _, g := range found {
			if g.Severity == analysis.Error {
				n++
			}
		}
		return n
	}
	if f.Severity == analysis.Error && failures(again) <= failures(old) {
		return
	}
	for _, g := range again {
		if g.Severity == analysis.Error && !before[g.Rule] {
			t.Errorf("%q makes a new error, %s: %s\n%s", fix.Title, g.Rule, g.Message, show())
		}
	}
}

func applyFix(t *testing.T, dir string, files map[string]string, fix analysis.Fix) map[string]string {
	t.Helper()
	if len(fix.Edits) == 0 {
		t.Fatalf("%q has no edits", fix.Title)
	}
	edits := map[string][]source.Edit{}
	for _, e := range fix.Edits {
		name, err := filepath.Rel(dir, e.Path)
		if err != nil {
			t.Fatal(err)
		}
		edits[filepath.ToSlash(name)] = append(edits[filepath.ToSlash(name)], e)
	}
	fixed := maps.Clone(files)
	for name, list := range edits {
		text, err := source.Apply(files[name], list)
		if err != nil {
			t.Fatalf("%q: %v", fix.Title, err)
		}
		fixed[name] = text
	}
	return fixed
}

// TestHeadlineExamples: the rules that the product leads with show an example
// in Ecto and in SQL.
func TestHeadlineExamples(t *testing.T) {
	for _, id := range []string{"require-concurrent-index-creation", "missing-down-migration", "empty-down-migration",
		"hypertable-missing-time-index", "hypertable-unique-missing-partition-column"} {
		forms := map[string]bool{}
		for _, e := range rules.PageOf(id).Examples() {
			if e.Bad {
				forms[e.Format] = true
			}
		}
		if !forms["ecto"] || !forms["sql"] {
			t.Errorf("%s: bad examples in %v, want ecto and sql", id, slices.Sorted(maps.Keys(forms)))
		}
	}
}
