package workspace

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// LintOptions say what is reported. The histories are always read whole.
type LintOptions struct {
	// Paths are files and directories; none means every project.
	Paths []string
	// Only, when set, says which files are reported.
	Only func(path string) bool
	// Select and Ignore are rules.
	Select, Ignore []string
	// Pasts are what is known of what others have run already.
	Pasts []analysis.Past
	// Sizes, when set, returns table sizes that were read from a project's
	// database just now; nil for the project's file of them.
	Sizes func(*Project) map[string]analysis.TableSize
}

// Stats say what a Lint looked at.
type Stats struct {
	Files      int
	Suppressed int
	Duration   time.Duration
}

// Lint judges all migrations that the options name. The findings are sorted.
// The error says what could not be looked at: a path that does not exist, a
// configuration with mistakes.
func (s *Snapshot) Lint(ctx context.Context, opts LintOptions) ([]analysis.Finding, Stats, error) {
	began := time.Now()
	projects, err := s.Projects(ctx)
	if err != nil {
		return nil, Stats{}, err
	}
	todo := map[string]bool{} // files to report
	var loose []string
	if len(opts.Paths) == 0 {
		for _, p := range projects {
			if p.Foreign == "" {
				for _, f := range p.Files() {
					todo[f] = true
				}
			}
		}
	}
	for _, path := range opts.Paths {
		files, err := s.under(clean(path))
		if err != nil {
			return nil, Stats{}, err
		}
		for _, f := range files {
			todo[f] = true
		}
	}
	type job struct {
		p *Project
		m *migration.Migration
	}
	var jobs []job
	seen := map[*migration.Migration]bool{}
	stats := Stats{}
	var findings []analysis.Finding
	owners := map[string]*Project{}
	for f := range todo {
		if opts.Only != nil && !opts.Only(f) {
			delete(todo, f)
			continue
		}
		loose = append(loose, f)
	}
	slices.Sort(loose)
	for _, f := range loose {
		m, p := s.lintable(ctx, f, owners)
		if unreadable := s.unreadable(f); len(unreadable) > 0 {
			stats.Files++
			findings = append(findings, unreadable...)
			continue
		}
		if m == nil || p.Foreign != "" {
			continue
		}
		stats.Files++
		if !seen[m] {
			seen[m] = true
			jobs = append(jobs, job{p, m})
		}
	}
	warm(owners)
	extra := analysis.Settings{Select: opts.Select, Ignore: opts.Ignore, Pasts: opts.Pasts}
	special := len(opts.Select)+len(opts.Ignore)+len(opts.Pasts) > 0
	for _, p := range owners {
		if _, err := p.Sizes(); err != nil {
			return nil, Stats{}, err
		}
	}
	results := make([]analysis.Result, len(jobs))
	parallel(len(jobs), func(i int) {
		if ctx.Err() == nil {
			own, special := extra, special
			if opts.Sizes != nil {
				own.Sizes = opts.Sizes(jobs[i].p)
				special = special || own.Sizes != nil
			}
			results[i] = jobs[i].p.lint(jobs[i].m, own, special)
		}
	})
	if err := ctx.Err(); err != nil {
		return nil, Stats{}, err
	}
	for _, r := range results {
		stats.Suppressed += r.Suppressed
		for _, f := range r.Findings {
			if todo[f.Path] {
				findings = append(findings, f)
			}
		}
	}
	slices.SortStableFunc(findings, analysis.CompareFindings)
	stats.Duration = time.Since(began)
	return findings, stats, nil
}

// lintable is Migration with one Project value for all files of a history.
func (s *Snapshot) lintable(ctx context.Context, path string, owners map[string]*Project) (*migration.Migration, *Project) {
	if plan := s.layout.get(s).owner(path); plan != nil {
		p := owners[plan.key]
		if p == nil {
			p = s.project(plan)
			owners[plan.key] = p
		}
		h := p.history()
		if i, ok := h.index[path]; ok {
			return h.migrations[i], p
		}
		return nil, nil
	}
	m, p := s.Migration(ctx, path)
	if p != nil {
		owners[p.plan.key] = p
	}
	return m, p
}

// warm reads the operations of all statements, on every core, and then folds
// each history once from its start to its end.
func warm(owners map[string]*Project) {
	var all []*migration.Migration
	for _, p := range owners {
		if p.Foreign == "" {
			all = append(all, p.history().migrations...)
		}
	}
	parallel(len(all), func(i int) {
		for _, st := range all[i].Up.Statements() {
			st.Parse()
		}
	})
	for _, p := range owners {
		if p.Foreign == "" {
			p.Catalog(len(p.history().migrations))
		}
	}
}

// parallel calls f for 0 to n-1 on all cores and returns when all are done.
// What is little work is done at once: to share it would cost more.
func parallel(n int, f func(i int)) {
	const batch = 8 // how many a worker takes at a time
	workers := min(runtime.GOMAXPROCS(0), (n+batch-1)/batch)
	if workers <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	work := func() {
		for {
			end := int(next.Add(batch))
			for i := end - batch; i < min(end, n); i++ {
				f(i)
			}
			if end >= n {
				return
			}
		}
	}
	var wg sync.WaitGroup
	for range workers - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
}

// under lists the migration files at or below a path: those of projects, and
// other files that are migrations by their content. A file that is named is
// taken as it is.
func (s *Snapshot) under(path string) ([]string, error) {
	if _, open := s.buffers[path]; open {
		return []string{path}, nil
	}
	st, err := os.Stat(path)
	switch {
	case os.IsNotExist(err):
		return nil, fmt.Errorf("%s: there is no such file or directory", path)
	case err != nil:
		return nil, fmt.Errorf("%s cannot be read: %w", path, reason(err))
	case !st.IsDir():
		return []string{path}, nil
	}
	var out, plain []string
	l := s.layout.get(s)
	err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			if p == path {
				return fmt.Errorf("%s cannot be read: %w", path, reason(err))
			}
			return nil // what cannot be looked into holds nothing to report
		}
		if d.IsDir() {
			if p != path && skipped(d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		switch strings.ToLower(filepath.Ext(p)) {
		case ".sql", ".exs":
			if l.owner(p) != nil {
				out = append(out, p)
			} else {
				plain = append(plain, p)
			}
		}
		return nil
	})
	if len(out) > 0 { // beside migrations, other SQL files are queries, seeds, dumps
		plain = slices.DeleteFunc(plain, func(p string) bool {
			text, err := s.text(p)
			return err != nil || !s.speaks(p, text)
		})
	}
	return append(out, plain...), err
}
