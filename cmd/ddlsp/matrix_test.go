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
)

// A layout is how the migrations of one tool are written, and where it keeps
// its versions.
type layout struct {
	// file is migration n with its two directions. outside takes it out of the
	// tool's transaction.
	file func(n int, up, down []string, outside bool) []string
	// versions are the rows of the version table once 1, or 1 and 2, are
	// applied; started is what is there while 2 runs and after it failed.
	versions  string
	one, two  []string
	started   []string
	table     string
	separate  bool // statements outside a transaction are sent one by one
	atOnce    bool // they are sent at once even so
	exclusive bool // a lock covers also a migration outside a transaction
}

func lines(statements []string) string { return strings.Join(statements, ";\n") + ";\n" }

// layouts are the five tools that ddlsp runs itself.
var layouts = map[string]layout{
	"goose": {
		file: func(n int, up, down []string, outside bool) []string {
			head := map[bool]string{true: "-- +goose NO TRANSACTION\n"}[outside]
			return []string{fmt.Sprintf("migrations/%05d_m%d.sql", n, n), head + "-- +goose Up\n" + lines(up) + "-- +goose Down\n" + lines(down)}
		},
		versions: "SELECT version_id::text FROM goose_db_version ORDER BY id", one: []string{"0", "1"}, two: []string{"0", "1", "2"}, started: []string{"0", "1"},
		table: "goose_db_version", separate: true, exclusive: true,
	},
	"golang-migrate": {
		file: func(n int, up, down []string, _ bool) []string {
			stem := fmt.Sprintf("migrations/%06d_m%d.", n, n)
			return []string{stem + "up.sql", lines(up), stem + "down.sql", lines(down)}
		},
		versions: "SELECT version || CASE WHEN dirty THEN ' dirty' ELSE '' END FROM schema_migrations", one: []string{"1"}, two: []string{"2"}, started: []string{"2 dirty"},
		table: "schema_migrations", atOnce: true, exclusive: true,
	},
	"dbmate": {
		file: func(n int, up, down []string, outside bool) []string {
			o := map[bool]string{true: " transaction:false"}[outside]
			return []string{fmt.Sprintf("migrations/%04d_m%d.sql", n, n), "-- migrate:up" + o + "\n" + lines(up) + "-- migrate:down" + o + "\n" + lines(down)}
		},
		versions: "SELECT version FROM schema_migrations ORDER BY 1", one: []string{"0001"}, two: []string{"0001", "0002"}, started: []string{"0001"},
		table: "schema_migrations", atOnce: true, exclusive: true,
	},
	"tern": {
		file: func(n int, up, down []string, outside bool) []string {
			o := map[bool]string{true: "---- tern: disable-tx ----\n"}[outside]
			return []string{fmt.Sprintf("migrations/%03d_m%d.sql", n, n), o + lines(up) + ternSeparator + o + lines(down)}
		},
		versions: "SELECT version::text FROM schema_version", one: []string{"1"}, two: []string{"2"}, started: []string{"1"},
		table: "schema_version", separate: true, exclusive: true,
	},
	"ecto": {
		file: func(n int, up, down []string, outside bool) []string {
			o := map[bool]string{true: "  @disable_ddl_transaction true\n  @disable_migration_lock true\n"}[outside]
			body := func(statements []string) string {
				var b strings.Builder
				for _, s := range statements {
					fmt.Fprintf(&b, "    execute %q\n", s)
				}
				return b.String()
			}
			return []string{fmt.Sprintf("priv/repo/migrations/%d_m%d.exs", n, n),
				fmt.Sprintf("defmodule M%d do\n  use Ecto.Migration\n%s  def up do\n%s  end\n  def down do\n%s  end\nend\n", n, o, body(up), body(down))}
		},
		versions: "SELECT version::text FROM schema_migrations ORDER BY 1", one: []string{"1"}, two: []string{"1", "2"}, started: []string{"1"},
		table: "schema_migrations", separate: true,
	},
}

// project makes a project of the layout whose first migration makes a table
// and whose second one is given.
func (l layout) project(t *testing.T, name string, up, down []string, outside bool) *project {
	t.Helper()
	p := newProject(t)
	if name == "ecto" {
		p.dir = ectoProject(t, p.db, "").dir
	}
	p.write(l.file(1, []string{"CREATE TABLE b (id int)"}, []string{"DROP TABLE b"}, false)...)
	p.write(l.file(2, up, down, outside)...)
	p.db.Exec("CREATE SCHEMA test", "CREATE TABLE test.gate (id int)")
	p.must(0, "migrate", "--step", "1", "--yes")
	return p
}

// A gate is a lock that a migration waits for.
type gate struct {
	p    *project
	open func()
}

// gated are the second migrations of the matrix: what they send, and whether
// what they did before they were stopped at the gate stays.
func gated(l layout) map[string]struct {
	up, down []string
	outside  bool
	stays    bool
} {
	type m = struct {
		up, down []string
		outside  bool
		stays    bool
	}
	out := map[string]m{
		"transaction":  {up: []string{"CREATE TABLE c (id int)", "SELECT count(*) FROM test.gate"}, down: []string{"DROP TABLE c"}},
		"concurrently": {up: []string{"CREATE INDEX CONCURRENTLY b_id ON b (id)"}, down: []string{"DROP INDEX b_id"}, outside: true},
	}
	if l.separate {
		out["outside"] = m{up: []string{"CREATE TABLE c (id int)", "SELECT count(*) FROM test.gate"}, down: []string{"DROP TABLE c"}, outside: true, stays: true}
	}
	return out
}

// close shuts the gate: reads of test.gate wait, and so does an index that is
// built on b concurrently.
func (p *project) close() *gate {
	p.t.Helper()
	conn := p.db.Conn()
	if _, err := conn.PgConn().Exec(p.t.Context(), "BEGIN; LOCK TABLE test.gate; INSERT INTO b VALUES (1)").ReadAll(); err != nil {
		p.t.Fatal(err)
	}
	return &gate{p, sync.OnceFunc(func() {
		if _, err := conn.PgConn().Exec(context.Background(), "COMMIT").ReadAll(); err != nil {
			p.t.Error(err)
		}
		conn.Close(context.Background())
	})}
}

// closeFor shuts the gate and opens it again after a while. The channel tells
// that it is open; a test must wait for that before it ends.
func (p *project) closeFor(d time.Duration) <-chan struct{} {
	p.t.Helper()
	g, opened := p.close(), make(chan struct{})
	time.AfterFunc(d, func() {
		defer close(opened)
		g.open()
	})
	return opened
}

const otherSessions = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"

// reached waits until a migration waits at the gate.
func (g *gate) reached() {
	g.p.t.Helper()
	g.p.await(g.p.t, "the migration to reach the gate", "SELECT count(*)::text "+otherSessions+" AND wait_event_type = 'Lock' AND query !~ 'pg_catalog'", "1")
}

// alone waits until nobody else is connected but n.
func (p *project) alone(n string) {
	p.t.Helper()
	p.await(p.t, "the other sessions to end", "SELECT count(*)::text "+otherSessions, n)
}

func (p *project) wantVersions(l layout, want []string) {
	p.t.Helper()
	if got := p.column(l.versions); !slices.Equal(got, want) {
		p.t.Errorf("versions %v, want %v", got, want)
	}
}

// matrix runs a test for each tool and each kind of migration.
func matrix(t *testing.T, f func(t *testing.T, name string, l layout, kind string, p *project, stays bool)) {
	for name, l := range layouts {
		for kind, m := range gated(l) {
			// A query of several statements goes on alone and commits.
			if name == "golang-migrate" && kind == "transaction" {
				m.stays = true
			}
			t.Run(name+"/"+kind, func(t *testing.T) {
				f(t, name, l, kind, l.project(t, name, m.up, m.down, m.outside), m.stays)
			})
		}
	}
}

// A process that is killed leaves no version that was not reached and no
// second run: what the server goes on with alone, it undoes or ends.
func TestKilled(t *testing.T) {
	matrix(t, func(t *testing.T, name string, l layout, kind string, p *project, stays bool) {
		g := p.close()
		defer g.open()
		cmd := exec.Command(ourselves(t), "--database-url", p.db.URL, "migrate", "--yes")
		cmd.Dir = p.dir
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		g.reached()
		cmd.Process.Kill()
		cmd.Wait()
		g.open()
		p.alone("0")
		p.wantVersions(l, l.started)
		want := []string{"b", l.table}
		if stays {
			want = []string{"b", "c", l.table}
		}
		p.wantTables(want...)
		if kind != "transaction" {
			return // what was sent by then stays, and is a person's to undo
		}
		if name == "golang-migrate" {
			p.must(2, "migrate", "--yes")
			p.db.Exec("UPDATE schema_migrations SET dirty = false")
			p.must(0, "rollback", "--yes")
		}
		p.must(0, "migrate", "--yes")
		p.wantVersions(l, l.two)
	})
}

// A cutter is a proxy whose connections can be cut, all at once.
type cutter struct {
	addr  string
	deaf  bool       // requests to cancel do not get through
	mu    sync.Mutex // guards conns
	conns []net.Conn
}

func newCutter(t *testing.T, upstream string, deaf bool) *cutter {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{addr: l.Addr().String(), deaf: deaf}
	t.Cleanup(func() { l.Close(); c.cut() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			head := make([]byte, 8)
			if _, err := io.ReadFull(client, head); err != nil || c.deaf && binary.BigEndian.Uint32(head[4:]) == 80877102 {
				client.Close()
				continue
			}
			server, err := net.Dial("tcp", upstream)
			if err != nil {
				client.Close()
				continue
			}
			server.Write(head)
			c.mu.Lock()
			c.conns = append(c.conns, client, server)
			c.mu.Unlock()
			for _, pair := range [][2]net.Conn{{client, server}, {server, client}} {
				go func() {
					io.Copy(pair[0], pair[1])
					pair[0].Close()
				}()
			}
		}
	}()
	return c
}

func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		conn.Close()
	}
	c.conns = nil
}

// When the connection is cut in the middle, the report says what is known, and
// the version table tells no lie.
func TestConnectionCut(t *testing.T) {
	matrix(t, func(t *testing.T, name string, l layout, kind string, p *project, stays bool) {
		s := p.db.Server
		upstream := fmt.Sprintf("%s:%d", s.Host(), s.Port())
		for _, deaf := range []bool{false, true} {
			if deaf && kind == "concurrently" {
				continue // it takes its time, and is as the others
			}
			proxy := newCutter(t, upstream, deaf)
			g := p.close()
			defer g.open()
			done := make(chan output, 1)
			url := strings.Replace(p.db.TCP, upstream, proxy.addr, 1)
			go func() { done <- p.raw("--database-url", url, "migrate", "--yes", "--format", "json") }()
			g.reached()
			proxy.cut()
			var o output
			select {
			case o = <-done:
			case <-time.After(20 * time.Second):
				t.Fatal("it does not notice")
			}
			r := report(t, o)
			if o.code != 1 || r.Error == nil || r.Error.SQLState != "" {
				t.Fatalf("exit %d: %+v", o.code, r.Error)
			}
			contains(t, r.Error.Message, "connection to the server was lost")
			if strings.Contains(o.out+o.errout, s.Password()) {
				t.Error("the password is printed")
			}
			switch {
			case deaf: // the statement goes on alone
				contains(t, r.Error.Remains, "still runs on the server", "pg_terminate_backend(")
			case l.atOnce && kind != "transaction" || name == "golang-migrate", l.separate && kind != "transaction":
				contains(t, r.Error.Remains, "compare it with the database")
			default:
				contains(t, r.Error.Remains, "Nothing of ")
			}
			g.open()
			p.alone("0")
			p.wantVersions(l, l.started)
			want := []string{"b", l.table}
			if stays && (deaf || l.separate) {
				want = []string{"b", "c", l.table}
			}
			p.wantTables(want...)
			// As a person would put it right before the next try.
			p.db.Exec("DROP TABLE IF EXISTS c", "DROP INDEX IF EXISTS b_id")
			if name == "golang-migrate" {
				p.db.Exec("UPDATE schema_migrations SET version = 1, dirty = false")
			}
		}
		p.must(0, "migrate", "--yes")
		p.wantVersions(l, l.two)
	})
}

// Two runs at once, whatever the migration: one of them runs it, the other
// finds it done.
func TestTwoAtOnce(t *testing.T) {
	matrix(t, func(t *testing.T, name string, l layout, kind string, p *project, _ bool) {
		g := p.close()
		defer g.open()
		done := make(chan output, 2)
		start := func() { go func() { done <- p.do("migrate", "--yes", "--format", "json") }() }
		start()
		g.reached()
		start()
		time.Sleep(400 * time.Millisecond) // the second one comes and waits
		if n := len(done); n > 0 {
			t.Fatalf("one did not wait: %+v", <-done)
		}
		g.open()
		outcomes := map[string]int{}
		for range 2 {
			select {
			case o := <-done:
				if o.code != 0 {
					t.Fatalf("exit %d: %s", o.code, o.errout)
				}
				for _, m := range report(t, o).Migrations {
					outcomes[m.Outcome]++
				}
			case <-time.After(20 * time.Second):
				t.Fatal("they wait for each other")
			}
		}
		if outcomes["applied"] != 1 || outcomes["failed"] != 0 {
			t.Errorf("outcomes: %v", outcomes)
		}
		p.wantVersions(l, l.two)
		p.unlocked()
	})
}

// A second run that does not get the lock in time says who holds it.
func TestLockIsHeld(t *testing.T) {
	defer func(d time.Duration) { lockWait = d }(lockWait)
	lockWait = 300 * time.Millisecond
	matrix(t, func(t *testing.T, name string, l layout, kind string, p *project, _ bool) {
		if kind == "outside" && name != "ecto" {
			return // the lock does not know what runs under it
		}
		g := p.close()
		defer g.open()
		done := make(chan output, 1)
		go func() { done <- p.do("migrate", "--yes") }()
		g.reached()
		o := p.must(1, "migrate", "--yes")
		contains(t, o.errout, "another runner holds the migration lock", "process ", "Wait for it to finish")
		g.open()
		if o := <-done; o.code != 0 {
			t.Errorf("the first: exit %d: %s", o.code, o.errout)
		}
		p.wantVersions(l, l.two)
	})
}

// An interrupt cancels the statement on the server and leaves nothing locked.
func TestInterrupted(t *testing.T) {
	matrix(t, func(t *testing.T, name string, l layout, kind string, p *project, stays bool) {
		g := p.close()
		defer g.open()
		cmd := exec.Command(ourselves(t), "--database-url", p.db.URL, "migrate", "--yes", "--format", "json")
		cmd.Dir = p.dir
		var out, errout bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errout
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		g.reached()
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
		r := report(t, output{out: out.String(), errout: errout.String()})
		if code := cmd.ProcessState.ExitCode(); code != 1 || r.Error == nil || r.Error.SQLState != "57014" || !r.Error.Cancelled {
			t.Fatalf("exit %d: %s", code, errout.String())
		}
		p.alone("1") // the gate's
		p.wantVersions(l, l.started)
		switch {
		case stays && l.separate:
			contains(t, r.Error.Remains, "first statement stays")
		case kind == "concurrently":
			contains(t, r.Error.Remains, "DROP INDEX CONCURRENTLY public.b_id")
		default:
			contains(t, r.Error.Remains, "Nothing of ")
		}
	})
}

// A user who may only read sees the status and changes nothing; so does one
// with a wrong password, who sees nothing.
func TestLesserUsers(t *testing.T) {
	for name, l := range layouts {
		t.Run(name, func(t *testing.T) {
			p := l.project(t, name, []string{"CREATE TABLE c (id int)"}, []string{"DROP TABLE c"}, false)
			role := "reader_" + p.db.Name
			p.db.Exec("CREATE ROLE "+role+" LOGIN", "GRANT SELECT ON "+l.table+" TO "+role)
			defer p.db.Exec("DROP OWNED BY "+role, "DROP ROLE "+role)
			url := strings.Replace(p.db.URL, "postgres://postgres@", "postgres://"+role+"@", 1)
			o := p.raw("--database-url", url, "status", "--format", "json")
			if o.code != 0 || strings.Count(o.out, `"applied"`) != 1 || strings.Count(o.out, `"pending"`) < 1 {
				t.Errorf("status: exit %d: %s%s", o.code, o.out, o.errout)
			}
			for _, verb := range []string{"migrate", "rollback"} {
				o = p.raw("--database-url", url, verb, "--yes")
				if o.code != 1 {
					t.Errorf("%s: exit %d", verb, o.code)
				}
				contains(t, o.errout, "42501")
			}
			p.wantVersions(l, l.one)
			p.wantTables("b", l.table)
			wrong := strings.Replace(p.db.TCP, ":"+p.db.Server.Password()+"@", ":wr0ng-pa55@", 1)
			for _, args := range [][]string{{"status"}, {"migrate", "--yes"}} {
				o := p.raw(append([]string{"--database-url", wrong}, args...)...)
				if o.code != 2 || strings.Contains(o.out+o.errout, "wr0ng-pa55") {
					t.Errorf("wrong password: exit %d: %s", o.code, o.errout)
				}
			}
		})
	}
}

// What the tools make of files that come late, or are gone.
func TestOutOfOrder(t *testing.T) {
	for name, c := range map[string]struct {
		late    int // exit code of migrate when 2 comes after 3
		says    string
		applied []string // versions then
		gone    int      // exit code of rollback without the file of 3
	}{
		"goose":  {2, "allow-missing", []string{"0", "1", "3"}, 2},
		"dbmate": {0, "stands before", []string{"0001", "0002", "0003"}, 2},
		"ecto":   {0, "older than the newest applied", []string{"1", "2", "3"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			l := layouts[name]
			p := l.project(t, name, []string{"CREATE TABLE c (id int)"}, []string{"DROP TABLE c"}, false)
			late := l.file(2, []string{"CREATE TABLE c (id int)"}, []string{"DROP TABLE c"}, false)
			for i := 0; i < len(late); i += 2 {
				os.Remove(p.dir + "/" + late[i])
			}
			three := l.file(3, []string{"CREATE TABLE d (id int)"}, []string{"DROP TABLE d"}, false)
			p.write(three...)
			p.must(0, "migrate", "--yes")
			p.write(late...)
			if got := p.states()[map[bool]string{true: "0002", false: "2"}[name == "dbmate"]]; got != "out_of_order" {
				t.Errorf("state: %s", got)
			}
			o := p.must(c.late, "migrate", "--yes")
			contains(t, o.errout, c.says)
			p.wantVersions(l, c.applied)
			for i := 0; i < len(three); i += 2 {
				os.Remove(p.dir + "/" + three[i])
			}
			if got := p.states()[map[bool]string{true: "0003", false: "3"}[name == "dbmate"]]; got != "missing" {
				t.Errorf("state: %s", got)
			}
			p.must(c.gone, "rollback", "--yes")
		})
	}
}
