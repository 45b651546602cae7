package workspace

import (
	"context"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
)

// plainFindings are findings without what only the same values could share.
func plainFindings(fs []analysis.Finding) []string {
	var out []string
	for _, f := range fs {
		line := fmt.Sprintf("%s %s %v %s %s", f.Rule, filepath.Base(f.Path), f.Span, f.Severity, f.Message)
		for _, x := range f.Fixes {
			line += fmt.Sprintf("\n  %s %v", x.Title, x.Edits)
		}
		out = append(out, line)
	}
	return out
}

var project = map[string]string{
	".git/HEAD":              "",
	"goose/00001_a.sql":      "-- +goose Up\nCREATE TABLE a (id bigint, t timestamptz NOT NULL);\n-- +goose Down\nDROP TABLE a;\n",
	"goose/00002_b.sql":      "-- +goose Up\nCREATE INDEX i ON a (id);\nALTER TABLE a ADD COLUMN x text;\n",
	"goose/00003_c.sql":      "-- +goose Up\nSELECT create_hypertable('a', 't');\n-- +goose Down\n",
	"pairs/1_a.up.sql":       "CREATE TABLE b (id bigint);\nCREATE INDEX j ON c (id);\n",
	"pairs/1_a.down.sql":     "DROP TABLE b;\n",
	"pairs/2_b.up.sql":       "ALTER TABLE b DROP COLUMN id;\nDROP INDEX j;\n",
	"ecto/1_a.exs":           "defmodule A do\n  use Ecto.Migration\n\n  def change do\n    create table(:d) do\n      add :n, :text\n    end\n  end\nend\n",
	"ecto/2_b.exs":           "defmodule B do\n  use Ecto.Migration\n\n  def up do\n    create index(:d, [:n])\n    execute \"CREATE INDEX k ON c (id)\"\n  end\nend\n",
	"loose/script.sql":       "CREATE INDEX l ON c (id);\n",
	"elsewhere/ddlsp.toml":   "format = \"goose\"\nmigrations = [\"m\"]\n[rules]\nmissing-down-migration = \"off\"\n",
	"elsewhere/m/0001_x.sql": "-- +goose Up\nCREATE INDEX m ON c (id);\n",
}

// Whatever is typed, in whatever order: a session that followed the edits
// finds what a fresh one finds in the result.
func TestEditsAndFreshSessionsAgree(t *testing.T) {
	ctx := context.Background()
	bits := []string{";", "\n", "'", "$$", "-- ", "-- +goose Down\n", "-- ddlsp:ignore-file\n", "CREATE TABLE z (id int);\n", "é", "\r\n", " CONCURRENTLY", "(", "    execute \"SELECT 1\"\n", "end\n"}
	for seed := range int64(12) {
		r := rand.New(rand.NewSource(seed))
		dir := tree(t, project)
		s := NewSession(Options{Dir: dir, Env: noEnv})
		var paths []string
		for name := range project {
			if ext := filepath.Ext(name); ext == ".sql" || ext == ".exs" {
				paths = append(paths, filepath.Join(dir, filepath.FromSlash(name)))
			}
		}
		texts := map[string]string{}
		for i := range 40 {
			path := paths[r.Intn(len(paths))]
			if _, open := texts[path]; !open {
				b, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				texts[path] = string(b)
				s.Open(path, 1, string(b))
			}
			text := texts[path]
			start := r.Intn(len(text) + 1)
			end := min(len(text), start+r.Intn(6))
			bit := bits[r.Intn(len(bits))]
			texts[path] = text[:start] + bit + text[end:]
			s.Change(path, int32(i+2), func(l *source.Lines) *source.Lines {
				return l.Replace(source.Span{Start: start, End: end}, bit)
			})
			if i%4 == 0 {
				s.Snapshot().Findings(ctx, paths[r.Intn(len(paths))])
			}
		}
		fresh := NewSession(Options{Dir: dir, Env: noEnv})
		for path, text := range texts {
			fresh.Open(path, 1, text)
		}
		for _, path := range paths {
			got, want := s.Snapshot().Findings(ctx, path), fresh.Snapshot().Findings(ctx, path)
			if diff := cmp.Diff(plainFindings(want), plainFindings(got)); diff != "" {
				t.Errorf("seed %d, %s: -fresh +edited\n%s", seed, path, diff)
			}
			if l, err := s.Snapshot().Lines(path); err == nil && texts[path] != "" && l.Text() != texts[path] {
				t.Errorf("%s: the text diverged", path)
			}
		}
	}
}

// Readers and one writer at the same time; run with -race.
func TestConcurrentUse(t *testing.T) {
	dir := tree(t, project)
	ctx, cancel := context.WithTimeout(context.Background(), 700*time.Millisecond)
	defer cancel()
	s := NewSession(Options{Dir: dir, Env: noEnv})
	path := filepath.Join(dir, "goose", "00002_b.sql")
	s.Open(path, 1, project["goose/00002_b.sql"])
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for ctx.Err() == nil {
				snap := s.Snapshot()
				before, err := snap.Lines(path)
				if err != nil {
					t.Error(err)
					return
				}
				switch i {
				case 0:
					snap.Findings(ctx, path)
				case 1:
					if _, _, err := snap.Lint(ctx, LintOptions{}); err != nil && ctx.Err() == nil {
						t.Error(err)
					}
				case 2:
					m, p := snap.Migration(ctx, path)
					p.Catalog(p.Index(m))
					snap.Findings(ctx, filepath.Join(dir, "elsewhere", "m", "0001_x.sql"))
				case 3:
					projects, err := snap.Projects(ctx)
					if err != nil && ctx.Err() == nil {
						t.Error(err)
					}
					for _, p := range projects {
						p.Catalog(len(p.History(ctx)))
					}
				}
				if after, err := snap.Lines(path); err != nil || after != before {
					t.Error("a snapshot changed")
				}
			}
		}()
	}
	for i := int32(2); ctx.Err() == nil; i++ {
		s.Change(path, i, func(l *source.Lines) *source.Lines {
			return l.Replace(source.Span{Start: len(l.Text()), End: len(l.Text())}, fmt.Sprintf("SELECT f%d();\n", i))
		})
		if i%20 == 0 {
			s.Touch(filepath.Join(dir, "goose", "00001_a.sql"))
		}
		if i%50 == 0 {
			s.Close(path)
			s.Open(path, i, project["goose/00002_b.sql"])
		}
	}
	wg.Wait()
}

func TestBadFiles(t *testing.T) {
	dir := tree(t, map[string]string{
		".git/HEAD":          "",
		"m/00001_binary.sql": "-- +goose Up\n\x00\x01\x02;\xff\xfe;garbage;\x00;\n",
		"m/00002_latin1.sql": "-- +goose Up\nCOMMENT ON TABLE t IS 'Gr\xf6\xdfe';\n-- +goose Down\nCOMMENT ON TABLE t IS NULL;\n",
		"m/00003_open.sql":   "-- +goose Up\nSELECT 'never closed;\n",
		"m/00004_long.sql":   "-- +goose Up\nSELECT " + strings.Repeat("(", 100000) + ";\n-- +goose Down\nSELECT f();\n",
		"m/00005_chain.sql":  "-- +goose Up\nSELECT 1" + strings.Repeat("+1", 100000) + ";\n-- +goose Down\nSELECT f();\n",
		"m/00006_good.sql":   "-- +goose Up\nCREATE INDEX i ON t (x);\n-- +goose Down\nDROP INDEX i;\n",
	})
	large := filepath.Join(dir, "m", "00007_large.sql")
	if err := os.WriteFile(large, []byte("-- +goose Up\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, maxFile+1); err != nil {
		t.Fatal(err)
	}
	gone := filepath.Join(dir, "m", "00008_gone.sql")
	if err := os.Symlink(filepath.Join(dir, "nowhere"), gone); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	s := NewSession(Options{Dir: dir, Env: noEnv}).Snapshot()
	findings, stats, err := s.Lint(ctx, LintOptions{})
	if err != nil {
		t.Fatal(err)
	}
	byFile := map[string][]string{}
	for _, f := range findings {
		byFile[filepath.Base(f.Path)] = append(byFile[filepath.Base(f.Path)], f.Rule)
		l, err := s.Lines(f.Path)
		if err == nil && f.Span.End > len(l.Text()) {
			t.Errorf("%s: span %v outside of the file", f.Path, f.Span)
		}
	}
	for file, rule := range map[string]string{"00001_binary.sql": "unparsable-sql", "00003_open.sql": "unparsable-sql", "00006_good.sql": "require-concurrent-index-creation",
		"00007_large.sql": "unreadable-migration", "00008_gone.sql": "unreadable-migration"} {
		if !strings.Contains(strings.Join(byFile[file], " "), rule) {
			t.Errorf("%s has %v, want %s among them", file, byFile[file], rule)
		}
	}
	for _, file := range []string{"00001_binary.sql", "00003_open.sql", "00007_large.sql", "00008_gone.sql"} {
		if n := len(byFile[file]); n > 3 {
			t.Errorf("%s has %d findings: %v", file, n, byFile[file])
		}
	}
	if len(byFile["00002_latin1.sql"]) > 0 {
		t.Errorf("a file of another encoding has %v", byFile["00002_latin1.sql"])
	}
	if stats.Files != 8 {
		t.Errorf("%d files were looked at, want 8", stats.Files)
	}
	if _, _, err := s.Lint(ctx, LintOptions{Paths: []string{filepath.Join(dir, "none.sql")}}); err == nil || !strings.Contains(err.Error(), "there is no such file") {
		t.Errorf("error %v", err)
	}
	if got := s.Findings(ctx, filepath.Join(dir, "none.sql")); len(got) != 1 || got[0].Rule != "unreadable-migration" {
		t.Errorf("findings of a missing file: %v", got)
	}
}
