package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/analysis/rules"
	"github.com/ddlsp/ddlsp/internal/config"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/internal/workspace"
)

type lintFlags struct {
	format           string
	fix, unsafe      bool
	diff             bool
	since            string
	stdin            bool
	stdinFilename    string
	selects, ignores []string
	failOn           string
	writeSizes       bool
}

func newLint(a *app) *cobra.Command {
	var f lintFlags
	cmd := &cobra.Command{
		Use:   "lint [PATH...]",
		Short: "Lint migrations",
		Long: "Lint the given files or directories; without any, every project below the working directory.\n" +
			"The other migrations of a project are always read: they are the history that the rules look at.",
		RunE: func(cmd *cobra.Command, args []string) error { return a.lint(cmd.Context(), f, args) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.format, "format", "pretty", "output: "+lintFormatNames())
	fl.BoolVar(&f.fix, "fix", false, "apply the safe fixes")
	fl.BoolVar(&f.unsafe, "unsafe-fixes", false, "apply the fixes that should be looked at, too")
	fl.BoolVar(&f.diff, "diff", false, "print the fixes as a patch instead of applying them")
	fl.StringVar(&f.since, "since", "", "report only migrations changed since the merge base of this revision and HEAD")
	fl.BoolVar(&f.stdin, "stdin", false, "lint the text on standard input")
	fl.StringVar(&f.stdinFilename, "stdin-filename", "", "the file that the text on standard input belongs to")
	fl.StringSliceVar(&f.selects, "select", nil, "run exactly these rules")
	fl.StringSliceVar(&f.ignores, "ignore", nil, "do not run these rules")
	fl.StringVar(&f.failOn, "fail-on", "warning", "exit with 1 on findings of this severity or above: error, warning, info, hint")
	fl.BoolVar(&f.writeSizes, "write-sizes", false, "write the table sizes of --database to "+workspace.SizesName+", which every later lint reads")
	return cmd
}

// lintGC is how far, in percent, the heap may grow between two collections:
// the process lives for one answer, and what it reads it keeps to the end.
const lintGC = 400

func (a *app) lint(ctx context.Context, f lintFlags, args []string) error {
	begin := time.Now()
	debug.SetGCPercent(lintGC)
	if f.format != "pretty" && f.format != "json" && lintFormats[f.format] == nil {
		return usagef("--format %s: unknown; use %s", f.format, lintFormatNames())
	}
	failOn, ok := analysis.ParseSeverity(f.failOn)
	if !ok || failOn == analysis.Off {
		return usagef("--fail-on %s: unknown; use error, warning, info or hint", f.failOn)
	}
	for _, id := range slices.Concat(f.selects, f.ignores) {
		if err := knownRule(id); err != nil {
			return err
		}
	}
	session, err := a.session()
	if err != nil {
		return err
	}
	opts := workspace.LintOptions{Select: f.selects, Ignore: f.ignores}
	switch {
	case f.stdin:
		if len(args) > 0 || f.since != "" {
			return usagef("--stdin lints one text; it goes with --stdin-filename, not with paths or --since")
		}
		if f.fix || f.unsafe {
			return usagef("--stdin cannot be fixed in place; use --diff to see the fixes")
		}
		text, err := io.ReadAll(a.in)
		if err != nil {
			return usagef("standard input: %v", err)
		}
		name := f.stdinFilename
		if name == "" {
			name = "stdin.sql"
		}
		path := a.abs(name)
		session.Open(path, 0, string(text))
		opts.Paths = []string{path}
	case f.since != "":
		changed, past, err := a.changedSince(f.since)
		if err != nil {
			return err
		}
		opts.Pasts = append(opts.Pasts, past)
		opts.Only = func(path string) bool { return changed[path] }
	}
	for _, p := range args {
		opts.Paths = append(opts.Paths, a.abs(p))
	}
	snap := session.Snapshot()
	if err := a.readSizes(ctx, f, snap, &opts); err != nil {
		return err
	}
	findings, stats, err := snap.Lint(ctx, opts)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	if f.fix || f.unsafe || f.diff {
		findings, stats, snap, err = a.fix(ctx, f, session, opts, findings, stats)
		if err != nil || f.diff {
			return err
		}
	}
	if write := lintFormats[f.format]; write != nil {
		r := lintReport{findings: findings, lines: a.lines(snap), display: a.display, failOn: failOn}
		err = buffered(a.out, func(w io.Writer) error { return write(w, r) })
	} else {
		err = a.writeLint(f, findings, stats, snap, begin)
	}
	if err != nil {
		return err
	}
	for _, x := range findings {
		if x.Severity >= failOn {
			return &exitError{Code: exitFindings}
		}
	}
	return nil
}

// knownRule complains about a rule that does not exist, with the nearest one.
func knownRule(id string) error {
	if rules.ByID(id) != nil {
		return nil
	}
	if near := config.Nearest(id, ruleIDs()); near != "" {
		return usagef("there is no rule %q; did you mean %q? `ddlsp rules` lists them", id, near)
	}
	return usagef("there is no rule %q; `ddlsp rules` lists them", id)
}

func ruleIDs() []string {
	var ids []string
	for _, r := range rules.All() {
		ids = append(ids, r.ID)
	}
	return ids
}

// fixRounds bounds how often a file is fixed and linted again: one fix may
// show the next, and two must not undo each other for ever.
const fixRounds = 10

// fix applies fixes in memory, round by round, and writes the files at the
// end, or prints the patch.
func (a *app) fix(ctx context.Context, f lintFlags, session *workspace.Session, opts workspace.LintOptions, findings []analysis.Finding, stats workspace.Stats) ([]analysis.Finding, workspace.Stats, *workspace.Snapshot, error) {
	safe := func(x analysis.Fix) bool { return x.Safe }
	whichever := func(analysis.Fix) bool { return true }
	before := map[string]string{} // by path; what did not exist is ""
	created := map[string]bool{}
	after := map[string]string{}
	snap := session.Snapshot()
	fixed := 0
	for round := 0; round < fixRounds; round++ {
		// The safe ones first: a down that is written from an up should be
		// written from the mended one.
		fixes := wanted(findings, safe)
		if len(fixes) == 0 && f.unsafe {
			fixes = wanted(findings, whichever)
		}
		if len(fixes) == 0 {
			break
		}
		edits, used := analysis.Merge(fixes)
		for _, u := range used {
			if u {
				fixed++
			}
		}
		byPath := map[string][]source.Edit{}
		for _, e := range edits {
			byPath[e.Path] = append(byPath[e.Path], e)
		}
		for path, list := range byPath {
			text := ""
			if lines, err := snap.Lines(path); err == nil {
				text = lines.Text()
			} else {
				created[path] = true
			}
			if _, ok := before[path]; !ok {
				before[path] = text
			}
			out, err := source.Apply(text, list)
			if err != nil {
				return nil, stats, snap, failf("fix %s: %w", a.display(path), err)
			}
			after[path] = out
			session.Open(path, int32(round+1), out)
		}
		snap = session.Snapshot()
		var err error
		if findings, stats, err = snap.Lint(ctx, opts); err != nil {
			return nil, stats, snap, &exitError{exitUsage, err}
		}
	}
	paths := make([]string, 0, len(after))
	for p := range after {
		paths = append(paths, p)
	}
	sort.Strings(paths)
	for _, p := range paths {
		if before[p] == after[p] && !created[p] {
			continue
		}
		if f.diff {
			old := "a/" + a.display(p)
			if created[p] {
				old = "/dev/null"
			}
			a.out.Write(diff.Diff(old, []byte(before[p]), "b/"+a.display(p), []byte(after[p])))
			continue
		}
		if err := writeFixed(p, after[p], created[p]); err != nil {
			return nil, stats, snap, failf("%w", err)
		}
	}
	if !f.diff && !a.flags.quiet && fixed > 0 {
		fmt.Fprintf(a.err, "fixed %s in %s\n", plural(fixed, "finding"), plural(len(paths), "file"))
	}
	return findings, stats, snap, nil
}

// wanted picks the first fix of each finding that want accepts.
func wanted(findings []analysis.Finding, want func(analysis.Fix) bool) []analysis.Fix {
	var out []analysis.Fix
	for _, x := range findings {
		if i := slices.IndexFunc(x.Fixes, want); i >= 0 {
			out = append(out, x.Fixes[i])
		}
	}
	return out
}

// writeFixed writes a file whole, keeping its mode; one that a fix creates
// must not exist.
func writeFixed(path, text string, create bool) error {
	mode := os.FileMode(0o644)
	if create {
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if err != nil {
			return err
		}
		if _, err := file.WriteString(text); err != nil {
			file.Close()
			return err
		}
		return file.Close()
	}
	if st, err := os.Stat(path); err == nil {
		mode = st.Mode().Perm()
	}
	return os.WriteFile(path, []byte(text), mode)
}

// The JSON form of `ddlsp lint`.
type (
	lintJSON struct {
		Version  int           `json:"version"`
		Findings []findingJSON `json:"findings"`
		Summary  summaryJSON   `json:"summary"`
	}
	findingJSON struct {
		Rule      string          `json:"rule"`
		Severity  string          `json:"severity"`
		Message   string          `json:"message"`
		Help      string          `json:"help"`
		Path      string          `json:"path"`
		Range     workspace.Range `json:"range"`
		Direction string          `json:"direction"`
		URL       string          `json:"url"`
		Fixes     []fixJSON       `json:"fixes"`
		Related   []relatedJSON   `json:"related"`
	}
	fixJSON struct {
		Title  string     `json:"title"`
		Safety string     `json:"safety"`
		Edits  []editJSON `json:"edits"`
	}
	editJSON struct {
		Path  string `json:"path"`
		Start int    `json:"start"`
		End   int    `json:"end"`
		New   string `json:"new_text"`
	}
	relatedJSON struct {
		Message string          `json:"message"`
		Path    string          `json:"path"`
		Range   workspace.Range `json:"range"`
	}
	summaryJSON struct {
		Files      int   `json:"files"`
		Findings   int   `json:"findings"`
		Errors     int   `json:"errors"`
		Warnings   int   `json:"warnings"`
		Suppressed int   `json:"suppressed"`
		DurationMS int64 `json:"duration_ms"`
	}
)

func (a *app) writeLint(f lintFlags, findings []analysis.Finding, stats workspace.Stats, snap *workspace.Snapshot, begin time.Time) error {
	sum := summaryJSON{Files: stats.Files, Findings: len(findings), Suppressed: stats.Suppressed, DurationMS: time.Since(begin).Milliseconds()}
	for _, x := range findings {
		switch x.Severity {
		case analysis.Error:
			sum.Errors++
		case analysis.Warning:
			sum.Warnings++
		}
	}
	lines := a.lines(snap)
	if f.format == "json" {
		out := lintJSON{Version: 1, Findings: []findingJSON{}, Summary: sum}
		for _, x := range findings {
			out.Findings = append(out.Findings, a.findingJSON(x, lines))
		}
		return writeJSON(a.out, out)
	}
	st := a.style(a.out)
	return buffered(a.out, func(w io.Writer) error {
		for _, x := range findings {
			prettyFinding(w, st, x, a.display(x.Path), lines(x.Path))
		}
		if a.flags.quiet {
			return nil
		}
		switch {
		case sum.Files == 0 && len(findings) == 0:
			fmt.Fprintln(w, "no migrations to lint")
		case len(findings) == 0:
			fmt.Fprintf(w, "%s, nothing found\n", plural(sum.Files, "file"))
		default:
			rest := len(findings) - sum.Errors - sum.Warnings
			parts := []string{}
			for _, p := range []struct {
				n    int
				word string
			}{{sum.Errors, "error"}, {sum.Warnings, "warning"}, {rest, "note"}} {
				if p.n > 0 {
					parts = append(parts, plural(p.n, p.word))
				}
			}
			fmt.Fprintf(w, "%s, %s\n", plural(sum.Files, "file"), strings.Join(parts, ", "))
		}
		return nil
	})
}

func (a *app) findingJSON(x analysis.Finding, lines func(string) *source.Lines) findingJSON {
	out := findingJSON{
		Rule: x.Rule, Severity: x.Severity.String(), Message: x.Message, Help: x.Help,
		Path: a.display(x.Path), Range: workspace.RangeOf(lines(x.Path), x.Span),
		Direction: string(x.Direction), URL: rules.URL(x.Rule), Fixes: []fixJSON{}, Related: []relatedJSON{},
	}
	for _, fix := range x.Fixes {
		safety := "unsafe"
		if fix.Safe {
			safety = "safe"
		}
		j := fixJSON{Title: fix.Title, Safety: safety, Edits: []editJSON{}}
		for _, e := range fix.Edits {
			j.Edits = append(j.Edits, editJSON{a.display(e.Path), e.Span.Start, e.Span.End, e.New})
		}
		out.Fixes = append(out.Fixes, j)
	}
	for _, r := range x.Related {
		out.Related = append(out.Related, relatedJSON{r.Message, a.display(r.Path), workspace.RangeOf(lines(r.Path), r.Span)})
	}
	return out
}
