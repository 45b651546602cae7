package ecto

import (
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// TestCorpus reads every migration below the folders of DDLSP_ECTO_CORPUS
// (separated as in PATH), with the repository that it belongs to, and says
// which share compiles fully, why the others do not, what of their SQL
// PostgreSQL would refuse, and how long it took. It holds the reader to what real projects need: 95 in a hundred fully compiled,
// 2 ms for each.
//
//	DDLSP_ECTO_CORPUS=~/src/app1:~/src/app2 go test ./migration/ecto -run Corpus -v
func TestCorpus(t *testing.T) {
	folders := filepath.SplitList(os.Getenv("DDLSP_ECTO_CORPUS"))
	if len(folders) == 0 {
		t.Skip("SKIPPED, NOT TESTED: DDLSP_ECTO_CORPUS names no folders")
	}
	total, compiled := 0, 0
	var spent time.Duration
	for _, folder := range folders {
		r := readCorpus(t, folder)
		t.Logf("%s: %d of %d compile fully, %v for each, %v at most (%s)", filepath.Base(folder), r.compiled, r.files, r.spent/time.Duration(max(r.files, 1)), r.longest, r.slowest)
		for _, why := range r.reasons {
			t.Log("  " + why)
		}
		for _, what := range r.invalid {
			t.Log("  not SQL: " + what)
		}
		total, compiled, spent = total+r.files, compiled+r.compiled, spent+r.spent
	}
	if total == 0 {
		t.Fatal("no migration was found")
	}
	each := spent / time.Duration(total)
	t.Logf("in all: %d of %d (%.1f %%), %v for each", compiled, total, 100*float64(compiled)/float64(total), each)
	if compiled*100 < total*95 {
		t.Errorf("only %d of %d compile fully", compiled, total)
	}
	if each > 2*time.Millisecond {
		t.Errorf("%v for each file", each)
	}
}

// corpusResult is what reading one folder came to.
type corpusResult struct {
	files, compiled int
	spent, longest  time.Duration
	slowest         string
	// reasons say why files do not compile fully, invalid what PostgreSQL would
	// refuse of those that do.
	reasons, invalid []string
}

func readCorpus(t *testing.T, folder string) corpusResult {
	repos, err := ReadRepos(folder, func(string) (string, bool) { return "", false }, "")
	if err != nil {
		t.Fatal(err)
	}
	repoOf := func(path string) *Repo {
		for _, r := range repos {
			for _, d := range r.Dirs {
				if strings.HasPrefix(path, d+string(filepath.Separator)) {
					return r
				}
			}
		}
		return nil
	}
	var r corpusResult
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".exs" {
			return err
		}
		repo := repoOf(path)
		var opts Options
		if repo != nil {
			opts.Wrappers = repo.Wrappers
		}
		text, err := os.ReadFile(path)
		if _, _, ok := Version(path); !ok || err != nil || !IsMigration(string(text), opts.Wrappers) {
			return err
		}
		opts.Env = func(string) (string, bool) { return "", false }
		opts.ReadFile = func(name string) (string, error) {
			if !filepath.IsAbs(name) {
				name = filepath.Join(folder, name)
			}
			b, err := os.ReadFile(name)
			return string(b), err
		}
		r.files++
		start := time.Now()
		m := Read(&source.File{Path: path, Text: string(text)}, repo, opts)
		took := time.Since(start)
		r.spent += took
		short, _ := filepath.Rel(folder, path)
		if took > r.longest {
			r.longest, r.slowest = took, short
		}
		if why := notCompiled(m); why != "" {
			r.reasons = append(r.reasons, short+": "+why)
		} else {
			r.compiled++
			r.invalid = append(r.invalid, invalidSQL(short, m)...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	sort.Strings(r.reasons)
	return r
}

// notCompiled says why a direction of m cannot be shown and run in full.
func notCompiled(m *migration.Migration) string {
	if m.Beam != "" {
		return m.Beam
	}
	for _, b := range []*migration.Body{m.Up, m.Down} {
		for _, s := range b.Statements() {
			switch {
			case s.Opaque != "":
				return s.Opaque
			case s.NotRunnable != "":
				return s.NotRunnable
			}
		}
	}
	if m.Up.Err != nil {
		return "up raises: " + m.Up.Err.Message
	}
	return ""
}

func invalidSQL(name string, m *migration.Migration) []string {
	var out []string
	for _, b := range []*migration.Body{m.Up, m.Down} {
		for _, s := range b.Statements() {
			if err := s.Parse().Err; err != nil {
				out = append(out, name+", "+string(b.Direction)+": "+err.Error())
			}
		}
	}
	return out
}
