package workspace

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// tree writes files below a temporary directory.
func tree(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func noEnv(string) (string, bool) { return "", false }

func TestSnapshotsSeeBuffersAndKeepTheirState(t *testing.T) {
	dir := tree(t, map[string]string{
		"db/1_a.up.sql":   "CREATE TABLE a (id bigint);\n",
		"db/1_a.down.sql": "DROP TABLE a;\n",
		"db/2_b.up.sql":   "CREATE TABLE b (id bigint);\n",
	})
	ctx := context.Background()
	s := NewSession(Options{Dir: dir, Env: noEnv})
	up := filepath.Join(dir, "db", "2_b.up.sql")
	first := s.Snapshot()
	m, p := first.Migration(ctx, up)
	if m == nil || p.Format != migration.GolangMigrate || m.Version != "2" || m.Down.Origin != migration.Missing {
		t.Fatalf("read %+v of %+v", m, p)
	}
	if got := len(p.History(ctx)); got != 2 {
		t.Fatalf("the history has %d migrations, want 2", got)
	}
	a := p.History(ctx)[0]
	s.Open(up, 1, "CREATE TABLE b (id bigint);\n")
	s.Change(up, 2, func(l *source.Lines) *source.Lines {
		return l.Replace(source.Span{Start: 0, End: 0}, "SELECT 1;\n")
	})
	second := s.Snapshot()
	if second.Seq() <= first.Seq() {
		t.Errorf("sequence %d after %d", second.Seq(), first.Seq())
	}
	m2, p2 := second.Migration(ctx, up)
	if n := len(m2.Up.Statements()); n != 2 {
		t.Errorf("the buffer has %d statements, want 2", n)
	}
	if p2.History(ctx)[0] != a {
		t.Error("the first migration was read again though it did not change")
	}
	if p2.Catalog(1) != p.Catalog(1) {
		t.Error("the catalog before the edited migration was folded again")
	}
	if p2.Catalog(2) == p.Catalog(2) {
		t.Error("the catalog after the edited migration is the old one")
	}
	if again, _ := first.Migration(ctx, up); len(again.Up.Statements()) != 1 {
		t.Error("the older snapshot changed")
	}
	s.Close(up)
	if m, _ := s.Snapshot().Migration(ctx, up); len(m.Up.Statements()) != 1 {
		t.Error("after closing, the file on disk counts")
	}
	if b, ok := second.Buffer(up); !ok || b.Version != 2 || !strings.HasPrefix(b.Lines.Text(), "SELECT 1") {
		t.Errorf("buffer %+v %v", b, ok)
	}
}
