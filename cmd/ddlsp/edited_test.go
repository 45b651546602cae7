package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/runner"
)

// edited is what status says of each version: "yes", "no" or "unknown".
func (p *project) edited() string {
	p.t.Helper()
	var r runner.StatusReport
	o := p.must(0, "status", "--format", "json")
	if err := json.Unmarshal([]byte(o.out), &r); err != nil {
		p.t.Fatal(err)
	}
	var out []string
	for _, m := range r.Migrations {
		word := "unknown"
		if m.Edited != nil {
			word = map[bool]string{true: "yes", false: "no"}[*m.Edited]
		}
		out = append(out, word)
	}
	return strings.Join(out, " ")
}

// ddlsp remembers what it ran and tells what was edited since, but not what
// others ran.
func TestEdited(t *testing.T) {
	for name, l := range layouts {
		t.Run(name, func(t *testing.T) {
			t.Setenv("XDG_STATE_HOME", t.TempDir())
			p := l.project(t, name, []string{"CREATE TABLE c (id int)"}, []string{"DROP TABLE c"}, false)
			want := func(want string) {
				t.Helper()
				if got := p.edited(); got != want {
					t.Errorf("edited: %s, want %s", got, want)
				}
			}
			want("no unknown")
			p.must(0, "migrate", "--yes")
			want("no no")
			// Layout, comments and the way back may change.
			two := l.file(2, []string{"CREATE  TABLE c\n\t(id int)"}, []string{"DROP TABLE IF EXISTS c"}, false)
			for i := 1; i < len(two); i += 2 {
				if name != "ecto" {
					two[i] = strings.Replace(two[i], "CREATE", "-- as it was\nCREATE", 1)
				}
			}
			p.write(two...)
			want("no no")
			contains(t, p.must(0, "rollback", "--dry-run").out, "DROP TABLE IF EXISTS c")
			p.write(l.file(2, []string{"CREATE TABLE c (id bigint)"}, []string{"DROP TABLE c"}, false)...)
			want("no yes")
			contains(t, p.must(0, "status").out, "EDITED since")
			contains(t, p.must(0, "rollback", "--dry-run").out, "was edited since it was applied")
			p.must(0, "redo", "--yes")
			want("no no")
			p.must(0, "rollback", "--yes")
			want("no unknown")
			// Somebody else applies it: what was applied then is not known.
			p.must(0, "migrate", "--yes")
			switch name {
			case "goose":
				p.db.Exec("UPDATE goose_db_version SET tstamp = tstamp + interval '1 hour' WHERE version_id = 2")
				want("no unknown")
			case "ecto":
				p.db.Exec("UPDATE schema_migrations SET inserted_at = inserted_at - interval '1 hour' WHERE version = 2")
				want("no unknown")
			}
			// Another database of the same project is another story.
			other := &project{t: t, dir: p.dir, db: newProject(t).db}
			other.db.Exec("CREATE TABLE IF NOT EXISTS unrelated (id int)")
			if got := other.edited(); got != "unknown unknown" {
				t.Errorf("edited elsewhere: %s", got)
			}
		})
	}
}

// The log of runs holds no secret and no SQL, only the user may read it, and a
// broken or unwritable one stops nothing.
func TestRunLog(t *testing.T) {
	state := t.TempDir()
	t.Setenv("XDG_STATE_HOME", state)
	p := newProject(t, gooseFiles...)
	if o := p.raw("--database-url", p.db.TCP, "migrate", "--yes"); o.code != 0 {
		t.Fatal(o.errout)
	}
	var logs []string
	err := filepath.WalkDir(state, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			logs = append(logs, path)
			if info, err := d.Info(); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: mode %v, %v", path, info.Mode(), err)
			}
		}
		return err
	})
	if err != nil || len(logs) != 1 {
		t.Fatalf("logs %v, %v", logs, err)
	}
	text, err := os.ReadFile(logs[0])
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "\n"); n != 3 {
		t.Errorf("%d lines: %s", n, text)
	}
	for _, secret := range []string{p.db.Server.Password(), "CREATE", "postgres://"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("%q is in the log: %s", secret, text)
		}
	}
	if err := os.WriteFile(logs[0], []byte("{\"version\": \n\x00nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if o := p.raw("--database-url", p.db.TCP, "redo", "--yes"); o.code != 0 {
		t.Errorf("with a broken log: %s", o.errout)
	}
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_STATE_HOME", blocked)
	if o := p.raw("--database-url", p.db.TCP, "redo", "--yes"); o.code != 0 {
		t.Errorf("without a log: %s", o.errout)
	}
	if got := p.column("SELECT version_id FROM goose_db_version ORDER BY id"); !slices.Equal(got, []string{"0", "1", "2", "3"}) {
		t.Errorf("versions: %v", got)
	}
}
