package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ddlsp/ddlsp/internal/pgserver/pgtest"
)

func TestNoticesAreShown(t *testing.T) {
	p := newProject(t, "migrations/00001_a.sql", "-- +goose Up\nDROP TABLE IF EXISTS nosuch;\nDO 'BEGIN RAISE WARNING ''look here''; END';\n-- +goose Down\nSELECT 1;\n")
	o := p.must(0, "migrate", "--yes")
	contains(t, o.errout, "NOTICE: table \"nosuch\" does not exist", "WARNING: look here")
	r := report(t, p.must(0, "redo", "--yes", "--format", "json"))
	if len(r.Notices) != 2 || r.Notices[1].Severity != "WARNING" {
		t.Errorf("notices: %+v", r.Notices)
	}
}

// The configured lock_timeout bounds the wait of a transactional migration,
// which is tried again, and is not seen by the next one.
func TestLockTimeout(t *testing.T) {
	p := newProject(t, gooseFiles[:2]...)
	t.Setenv("MY_URL", p.db.URL)
	p.write("ddlsp.toml", "[databases.dev]\nurl_env = \"MY_URL\"\nlock_timeout = \"100ms\"\n",
		"migrations/00002_b.sql", "-- +goose Up\nCREATE TABLE first (id int);\nALTER TABLE a ADD COLUMN b int;\n-- +goose Down\nSELECT 1;\n",
		"migrations/00003_c.sql", "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE TABLE timeout AS SELECT current_setting('lock_timeout') AS v;\n-- +goose Down\nSELECT 1;\n")
	if o := p.raw("migrate", "--to", "1", "--yes"); o.code != 0 {
		t.Fatal(o.errout)
	}
	conn := p.db.Conn()
	if _, err := conn.Exec(t.Context(), "BEGIN; LOCK TABLE a"); err != nil {
		t.Fatal(err)
	}
	released := make(chan error, 1)
	time.AfterFunc(800*time.Millisecond, func() {
		_, err := conn.Exec(context.Background(), "COMMIT")
		released <- err
	})
	o := p.raw("migrate", "--yes")
	if err := <-released; err != nil {
		t.Fatal(err)
	}
	if o.code != 0 {
		t.Fatalf("exit %d: %s", o.code, o.errout)
	}
	contains(t, o.errout, "a lock was not obtained within 100ms", "try 2 of")
	if got := p.column("SELECT v FROM timeout"); got[0] != "0" {
		t.Errorf("lock_timeout outside a transaction: %s", got[0])
	}
}

func TestEctoRunnersAtOnce(t *testing.T) {
	for name, config := range map[string]string{"table lock": "", "advisory lock": "migration_lock: :pg_advisory_lock"} {
		t.Run(name, func(t *testing.T) {
			p := ectoProject(t, pgtest.DB(t), config)
			p.write("priv/repo/migrations/20240101000000_m.exs", "defmodule M do\n  use Ecto.Migration\n  def change do\n    execute \"SELECT pg_sleep(0.8)\", \"\"\n    create table(:t)\n  end\nend\n")
			outs := make([]output, 2)
			var wg sync.WaitGroup
			for i := range outs {
				wg.Go(func() { outs[i] = p.do("migrate", "--yes", "--format", "json") })
			}
			wg.Wait()
			outcomes := map[string]int{}
			for _, o := range outs {
				if o.code != 0 {
					t.Fatalf("exit %d: %s", o.code, o.errout)
				}
				for _, m := range report(t, o).Migrations {
					outcomes[m.Outcome]++
				}
			}
			if outcomes["applied"] != 1 || outcomes["skipped"] != 1 {
				t.Errorf("outcomes: %v", outcomes)
			}
		})
	}
}

// A failed statement of an execute is found in the string it was written in.
func TestEctoFailurePosition(t *testing.T) {
	p := ectoProject(t, pgtest.DB(t), "")
	p.write("priv/repo/migrations/20240101000000_m.exs", "defmodule M do\n  use Ecto.Migration\n  def up do\n    create table(:t)\n    execute \"\"\"\n    INSERT INTO t (id)\n    VALUES (nosuch)\n    \"\"\"\n  end\n  def down, do: drop table(:t)\nend\n")
	r := report(t, p.must(1, "migrate", "--yes", "--format", "json"))
	if r.Error == nil || r.Error.Range == nil || r.Error.Range.Start.Line != 7 || r.Error.Range.Start.Column != 13 {
		t.Errorf("error: %+v %+v", r.Error, r.Error.Range)
	}
	p.wantTables("schema_migrations")
}

// pooler is a proxy that, as connection poolers do, tells clients a process id
// of its own.
func pooler(t *testing.T, upstream string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", upstream)
			if err != nil {
				client.Close()
				return
			}
			go func() { io.Copy(server, client); server.Close() }()
			go func() {
				defer client.Close()
				head := make([]byte, 5)
				for {
					if _, err := io.ReadFull(server, head); err != nil {
						return
					}
					body := make([]byte, binary.BigEndian.Uint32(head[1:])-4)
					if _, err := io.ReadFull(server, body); err != nil {
						return
					}
					if head[0] == 'K' {
						binary.BigEndian.PutUint32(body, 1)
					}
					client.Write(append(append([]byte{}, head...), body...))
				}
			}()
		}
	}()
	return l.Addr().String()
}

func TestPoolerIsRefused(t *testing.T) {
	p := newProject(t, gooseFiles...)
	s := p.db.Server
	url := strings.Replace(p.db.TCP, fmt.Sprintf("%s:%d", s.Host(), s.Port()), pooler(t, fmt.Sprintf("%s:%d", s.Host(), s.Port())), 1)
	if o := p.raw("--database-url", url, "status"); o.code != 0 {
		t.Errorf("status: exit %d: %s", o.code, o.errout)
	}
	o := p.raw("--database-url", url, "migrate", "--yes")
	if o.code != 2 {
		t.Errorf("migrate: exit %d", o.code)
	}
	contains(t, o.errout, "pooler")
	p.wantTables()
}

// Ctrl-C cancels the statement, undoes the transaction and frees the lock.
func TestInterrupt(t *testing.T) {
	p := slowProject(t)
	cmd := exec.Command(ourselves(t), "migrate", "--yes", "--format", "json")
	cmd.Dir = p.dir
	var out, errout bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for i := 0; len(p.column("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE 'SELECT pg_sleep%'")) == 0; i++ {
		if i == 500 {
			t.Fatal("it does not begin")
		}
		time.Sleep(20 * time.Millisecond)
	}
	cmd.Process.Signal(os.Interrupt)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit %d: %s", code, errout.String())
	}
	r := report(t, output{out: out.String(), errout: errout.String()})
	if r.Error == nil || r.Error.SQLState != "57014" || !r.Error.Cancelled {
		t.Errorf("error: %+v", r.Error)
	}
	contains(t, errout.String(), "Nothing of 2 stays")
	p.wantTables("a", "goose_db_version")
	p.unlocked()
}

func TestEmptyDownIsNoted(t *testing.T) {
	p := newProject(t, "migrations/000001_a.up.sql", "CREATE TABLE a (id int);", "migrations/000001_a.down.sql", "-- nothing to undo\n")
	p.must(0, "migrate", "--yes")
	contains(t, p.must(0, "rollback", "--dry-run").out, "is empty", "000001_a")
	p.must(0, "rollback", "--yes")
	p.wantTables("a", "schema_migrations")
}

// What the tool would not start with is refused, even when it is not among
// what is to run.
func TestDirectoryOfTheTool(t *testing.T) {
	for name, c := range map[string]struct {
		files []string
		says  string
	}{
		"goose, a file without a version": {append(slices.Clone(gooseFiles[:2]), "migrations/notes.sql", gooseFiles[1]), "notes.sql"},
		"goose, a version twice":          {append(slices.Clone(gooseFiles[:4]), "migrations/2_again.sql", gooseFiles[1]), "version 2 is taken"},
		"golang-migrate, a version twice": {append(slices.Clone(pairFiles[:8]), "migrations/2_again.up.sql", pairFiles[1]), "version 2 is taken"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t, c.files...)
			contains(t, p.must(2, "migrate", "--step", "1", "--yes").errout, c.says, "Nothing was changed")
			p.wantTables()
		})
	}
}
