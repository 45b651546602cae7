// Command compare runs other linters of migrations on the cases about indexes
// that the rules are tested with, and writes docs/comparison.md. The others are
// fetched when it runs, by their own package managers, into a directory that is
// removed afterwards.
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/internal/workspace"
)

// The versions that are compared with.
const (
	squawkVersion    = "2.66.0"
	excellentVersion = "0.1.10"
	excellentSource  = "https://github.com/Artur-Sulej/excellent_migrations"
)

// A testCase is a small project and the findings that it must give.
type testCase struct {
	ID, Why string
	Files   map[string]string
	Enabled []string
	Expect  []finding
}

// A finding is a rule at a line of a file.
type finding struct {
	File string
	Line int
	Rule string
}

// A tool is one linter under one setting.
type tool struct {
	name string
	// ecto and sql say what it reads.
	ecto, sql bool
	// means leads from its rules about indexes to ours; what else it reports is
	// not looked at.
	means map[string][]string
	// lint returns what it finds in the case that lies in dir.
	lint func(dir string, c testCase) ([]finding, error)
}

// A score is the outcome of a case, or of many.
type score struct{ hits, wrong, misses int }

func (s *score) add(o score) {
	s.hits += o.hits
	s.wrong += o.wrong
	s.misses += o.misses
}

// judge compares what a tool found with what is expected. A finding counts once,
// for the rule that it means.
func judge(t tool, found, expect []finding) score {
	var s score
	seen := map[finding]bool{}
	open := slices.Clone(expect)
	for _, f := range found {
		ours := t.means[f.Rule]
		if ours == nil || seen[f] {
			continue
		}
		seen[f] = true
		i := slices.IndexFunc(open, func(e finding) bool { return e.File == f.File && e.Line == f.Line && slices.Contains(ours, e.Rule) })
		if i < 0 {
			s.wrong++
			continue
		}
		s.hits++
		open = slices.Delete(open, i, i+1)
	}
	s.misses = len(open)
	return s
}

func main() {
	log.SetFlags(0)
	squawk := flag.String("squawk", "", "the squawk to run instead of the one from npm")
	excellent := flag.String("excellent-migrations", "", "a directory with the source of excellent_migrations instead of a clone")
	out := flag.String("o", "docs/comparison.md", "the page to write")
	flag.Parse()
	if err := run(*squawk, *excellent, *out); err != nil {
		log.Fatal(err)
	}
}

func run(squawk, excellent, out string) error {
	tmp, err := os.MkdirTemp("", "ddlsp-compare-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if squawk == "" {
		if squawk, err = fetchSquawk(filepath.Join(tmp, "npm")); err != nil {
			return fmt.Errorf("squawk: %w", err)
		}
	}
	beams, err := compileExcellent(tmp, excellent)
	if err != nil {
		return fmt.Errorf("excellent_migrations: %w", err)
	}
	cases, err := readCases("analysis/testdata/cases.json")
	if err != nil {
		return err
	}
	tools := []tool{ours(), squawkTool("squawk", squawk), squawkTool("squawk --assume-in-transaction", squawk, "--assume-in-transaction"), excellentTool(beams)}
	results := map[string]map[string]score{}
	for _, c := range cases {
		dir := filepath.Join(tmp, c.ID)
		for name, text := range c.Files {
			path := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				return err
			}
		}
		results[c.ID] = map[string]score{}
		for _, t := range tools {
			if c.ecto() && !t.ecto || !c.ecto() && !t.sql {
				continue
			}
			found, err := t.lint(dir, c)
			if err != nil {
				return fmt.Errorf("%s on %s: %w", t.name, c.ID, err)
			}
			results[c.ID][t.name] = judge(t, found, c.Expect)
		}
	}
	return os.WriteFile(out, page(cases, tools, results), 0o644)
}

func (c testCase) ecto() bool {
	for name := range c.Files {
		if strings.HasSuffix(name, ".exs") {
			return true
		}
	}
	return false
}

// readCases are the cases about indexes. One whose point is a comment of
// ddlsp's own says nothing of others.
func readCases(path string) ([]testCase, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var all []testCase
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(c testCase) bool {
		if !strings.HasPrefix(c.ID, "A") {
			return true
		}
		for _, text := range c.Files {
			if strings.Contains(text, "ddlsp:ignore") {
				return true
			}
		}
		return false
	})
	slices.SortFunc(all, func(a, b testCase) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}

func ours() tool {
	t := tool{name: "ddlsp", ecto: true, sql: true, means: map[string][]string{}}
	t.lint = func(dir string, c testCase) ([]finding, error) {
		for _, id := range c.Enabled {
			t.means[id] = []string{id}
		}
		found, _, err := workspace.NewSession(workspace.Options{Dir: dir}).Snapshot().Lint(context.Background(), workspace.LintOptions{Paths: []string{dir}, Select: c.Enabled})
		var out []finding
		for _, f := range found {
			name, err := filepath.Rel(dir, f.Path)
			if err != nil {
				return nil, err
			}
			name = filepath.ToSlash(name)
			out = append(out, finding{name, source.NewLines(c.Files[name]).Position(f.Span.Start, source.UTF8).Line + 1, f.Rule})
		}
		return out, err
	}
	return t
}

func fetchSquawk(dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	cmd := exec.Command("npm", "install", "--prefix", dir, "--no-audit", "--no-fund", "--loglevel", "error", "squawk-cli@"+squawkVersion)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "node_modules", ".bin", "squawk")
	if runtime.GOOS == "windows" {
		bin += ".cmd"
	}
	return bin, nil
}

// squawkTool reads the files that go forward, as its users give them to it: it
// has no notion of a down file.
func squawkTool(name, bin string, args ...string) tool {
	return tool{name: name, sql: true, means: map[string][]string{
		"require-concurrent-index-creation":            {"require-concurrent-index-creation"},
		"require-concurrent-index-deletion":            {"require-concurrent-index-deletion"},
		"ban-concurrent-index-creation-in-transaction": {"concurrent-index-in-transaction", "concurrent-index-multi-statement"},
	}, lint: func(dir string, c testCase) ([]finding, error) {
		var files []string
		for name := range c.Files {
			if strings.HasSuffix(name, ".sql") && !strings.HasSuffix(name, ".down.sql") {
				files = append(files, name)
			}
		}
		slices.Sort(files)
		cmd := exec.Command(bin, slices.Concat([]string{"--reporter", "json"}, args, files)...)
		cmd.Dir = dir
		text, err := cmd.Output()
		if _, failed := err.(*exec.ExitError); err != nil && !failed { // 1 means findings
			return nil, err
		}
		var found []struct {
			File    string `json:"file"`
			Line    int    `json:"line"` // from 0
			LineEnd int    `json:"line_end"`
			Rule    string `json:"rule_name"`
		}
		if err := json.Unmarshal(text, &found); err != nil {
			return nil, fmt.Errorf("%w in %q", err, text)
		}
		var out []finding
		for _, f := range found {
			out = append(out, finding{filepath.ToSlash(f.File), f.Line + 1, f.Rule})
		}
		return out, nil
	}}
}

// compileExcellent compiles the modules that look at migrations; the rest of
// the package needs credo.
func compileExcellent(tmp, dir string) (string, error) {
	if dir == "" {
		dir = filepath.Join(tmp, "excellent_migrations")
		cmd := exec.Command("git", "clone", "--quiet", "--depth", "1", "--branch", "v"+excellentVersion, excellentSource, dir)
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return "", err
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "lib", "*.ex"))
	if err != nil || len(files) == 0 {
		return "", fmt.Errorf("no modules in %s", dir)
	}
	beams := filepath.Join(tmp, "beams")
	if err := os.MkdirAll(beams, 0o755); err != nil {
		return "", err
	}
	cmd := exec.Command("elixirc", append([]string{"-o", beams}, files...)...)
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, text)
	}
	return beams, nil
}

const excellentScript = `case ExcellentMigrations.Runner.check_migrations(migrations_paths: System.argv()) do
  :safe -> :ok
  {:dangerous, list} -> for d <- list, do: IO.puts("#{d.path}\t#{d.line}\t#{d.type}")
end`

func excellentTool(beams string) tool {
	return tool{name: "excellent_migrations", ecto: true, means: map[string][]string{
		"index_not_concurrently":                             {"require-concurrent-index-creation", "require-concurrent-index-deletion"},
		"index_concurrently_without_disable_ddl_transaction": {"concurrent-index-in-transaction"},
		"index_concurrently_without_disable_migration_lock":  {"concurrent-index-without-migration-lock-opt-out"},
	}, lint: func(dir string, c testCase) ([]finding, error) {
		args := []string{"-pa", beams, "-e", excellentScript, "--"}
		for name := range c.Files {
			if strings.HasSuffix(name, ".exs") && !strings.Contains(name, "config") {
				args = append(args, name)
			}
		}
		slices.Sort(args[5:])
		cmd := exec.Command("elixir", args...)
		cmd.Dir = dir
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		text, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("%w\n%s", err, stderr.String())
		}
		var out []finding
		for _, l := range strings.Split(strings.TrimSpace(string(text)), "\n") {
			if parts := strings.Split(l, "\t"); len(parts) == 3 {
				line, err := strconv.Atoi(parts[1])
				if err != nil {
					return nil, fmt.Errorf("line %q", l)
				}
				out = append(out, finding{filepath.ToSlash(parts[0]), line, parts[2]})
			}
		}
		return out, nil
	}}
}

func page(cases []testCase, tools []tool, results map[string]map[string]score) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `# Findings about indexes, compared

`+"`make comparison`"+` wrote this page: it fetches squawk %s from npm and the source of excellent_migrations %s from its repository, and runs both, and ddlsp, on the
%d cases about indexes that ddlsp's rules are tested with (`+"`analysis/testdata/cases.json`, ids A01 to A46"+`).

Read it with care:

- The cases are ddlsp's own, collected from what goes wrong in practice and in other linters; ddlsp is tested with them, so that its own line is no achievement. They show where
  tools that read one file as one forward script, or only the calls of Ecto's DSL, must go wrong.
- Only findings about building and dropping indexes count, by file, line and meaning; squawk's rules about timeouts, robustness and style are left out, and so is
  excellent_migrations' note on every `+"`execute`"+`. A finding for another reason than the expected one is a false positive, and the expected one a miss.
- squawk gets the SQL files but those of down (`+"`*.down.sql`"+`) with its default rules, once as it is and once told that everything runs in a transaction. excellent_migrations gets
  the Ecto files. Neither knows of the other's language, and neither is judged by it.
- Some expected findings have no counterpart in the other tool (a concurrent build on a partitioned table, one beside other DDL outside a transaction): these are misses, too.

`, squawkVersion, excellentVersion, len(cases))
	for _, part := range []struct {
		title string
		ecto  bool
	}{{"SQL files", false}, {"Ecto migrations", true}} {
		fmt.Fprintf(&b, "## %s\n\n| tool | cases | expected findings | hits | false positives | misses |\n|---|---|---|---|---|---|\n", part.title)
		for _, t := range tools {
			if part.ecto && !t.ecto || !part.ecto && !t.sql {
				continue
			}
			var sum score
			n, expected := 0, 0
			for _, c := range cases {
				if c.ecto() == part.ecto {
					n++
					expected += len(c.Expect)
					sum.add(results[c.ID][t.name])
				}
			}
			fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d |\n", t.name, n, expected, sum.hits, sum.wrong, sum.misses)
		}
		b.WriteString("\n| case | what it is about | expected |")
		line := "|---|---|---|"
		for _, t := range tools {
			if part.ecto && t.ecto || !part.ecto && t.sql {
				fmt.Fprintf(&b, " %s |", t.name)
				line += "---|"
			}
		}
		b.WriteString("\n" + line + "\n")
		for _, c := range cases {
			if c.ecto() != part.ecto {
				continue
			}
			fmt.Fprintf(&b, "| %s | %s | %d |", c.ID, about(c.Why), len(c.Expect))
			for _, t := range tools {
				if s, ok := results[c.ID][t.name]; ok {
					fmt.Fprintf(&b, " %s |", s)
				}
			}
			b.WriteString("\n")
		}
		b.WriteString("\n")
	}
	return append(bytes.TrimRight(b.Bytes(), "\n"), '\n')
}

// about is what a case is about, without where it comes from and the remarks in
// parentheses.
func about(why string) string {
	if _, rest, ok := strings.Cut(why, ": "); ok && strings.HasPrefix(why, "seed template") {
		why = rest
	}
	for {
		open := strings.LastIndex(why, " (")
		end := strings.LastIndex(why, ")")
		if open < 0 || end < open {
			return strings.ReplaceAll(strings.TrimSpace(why), "|", "\\|")
		}
		why = why[:open] + why[end+1:]
	}
}

// String tells the outcome of one case.
func (s score) String() string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{s.wrong, "false positive"}, {s.misses, "missed"}} {
		switch {
		case p.n == 1:
			parts = append(parts, p.what)
		case p.n > 1 && p.what == "missed":
			parts = append(parts, fmt.Sprintf("%d missed", p.n))
		case p.n > 1:
			parts = append(parts, fmt.Sprintf("%d %ss", p.n, p.what))
		}
	}
	if len(parts) == 0 {
		return "right"
	}
	return strings.Join(parts, ", ")
}
