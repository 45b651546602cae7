package main

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ddlsp/ddlsp/internal/pgserver"
	"github.com/ddlsp/ddlsp/internal/pgserver/pgtest"
)

// An ectoSession is what a real Ecto sent for one migration: "main" is the
// lock connection, "mig" the one of the migration.
type ectoSession struct {
	Name, Direction, Exs, Config, Opts, Setup, Error string
	Full                                             []string
}

// loggingServer is a server that logs every statement with its session.
func loggingServer(t *testing.T) *pgserver.Server {
	s, err := pgserver.Start(t.Context(), pgserver.Options{Settings: map[string]string{
		"log_statement": "all", "log_line_prefix": "@%d|%p|", "logging_collector": "off",
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func ectoProject(t *testing.T, db *pgtest.Database, config string) *project {
	p := &project{t: t, dir: t.TempDir(), db: db}
	settings := strings.TrimSuffix(strings.TrimPrefix(config, "["), "]")
	if settings != "" {
		settings = "config :oracle, Oracle.Repo, " + settings + "\n"
	}
	p.write(
		"mix.exs", "defmodule Oracle.MixProject do\n  use Mix.Project\n  def project, do: [app: :oracle, version: \"0.1.0\", deps: [{:ecto_sql, \"~> 3.0\"}]]\nend\n",
		"lib/oracle/repo.ex", "defmodule Oracle.Repo do\n  use Ecto.Repo, otp_app: :oracle, adapter: Ecto.Adapters.Postgres\nend\n",
		"config/config.exs", "import Config\nconfig :oracle, ecto_repos: [Oracle.Repo]\n"+settings,
	)
	return p
}

// What ddlsp sends, on which connection and in which order, is what Ecto
// sends.
func TestEctoSessions(t *testing.T) {
	for _, v := range []string{"DATABASE_URL", "DDLSP_DATABASE_URL", "PGDATABASE", "PGSERVICE", "MIX_ENV"} {
		t.Setenv(v, "")
	}
	server := loggingServer(t)
	file, err := os.Open("testdata/ecto_sessions.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var s ectoSession
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		t.Run(s.Name, func(t *testing.T) { s.check(t, server) })
	}
}

func (s *ectoSession) check(t *testing.T, server *pgserver.Server) {
	db := pgtest.On(t, server)
	p := ectoProject(t, db, s.Config)
	if s.Setup != "" {
		db.Exec(s.Setup)
	}
	p.write("priv/repo/migrations/20240101000000_v.exs", s.Exs)
	var flags []string
	if strings.Contains(s.Opts, "prefix") {
		flags = []string{"--prefix", "s"}
	}
	if s.Direction == "down" {
		p.must(0, append([]string{"migrate", "--yes"}, flags...)...)
	}
	from := logSize(t, server)
	verb := map[string]string{"up": "migrate", "down": "rollback"}[s.Direction]
	o := p.do(append([]string{verb, "--yes"}, flags...)...)
	got := sent(t, server, from, db.Name)
	if strings.Contains(s.Error, "MigrationError") || strings.Contains(s.Error, "ArgumentError") || strings.Contains(s.Error, "File.Error") {
		// Ecto raises on the way; ddlsp knows before it sends anything.
		if o.code != 2 || len(got) > 0 {
			t.Fatalf("exit %d, sent %q\n%s", o.code, got, o.errout)
		}
		return
	}
	if code := map[bool]int{true: 0, false: 1}[s.Error == ""]; o.code != code {
		t.Fatalf("exit %d, want %d: %s", o.code, code, o.errout)
	}
	// The server does not log an empty statement.
	want := slices.DeleteFunc(s.Full, func(l string) bool { return l == "mig: " })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Ecto (-) and ddlsp (+) sent:\n%s", diff)
	}
}

func logSize(t *testing.T, s *pgserver.Server) int64 {
	st, err := os.Stat(s.LogFile())
	if err != nil {
		t.Fatal(err)
	}
	return st.Size()
}

var logEntry = regexp.MustCompile(`(?s)^([^|]*)\|(\d+)\|LOG:  (?:statement|execute <unnamed>): (.*?)\n?$`)

// failedEntry is a statement that did not get as far as being executed.
var failedEntry = regexp.MustCompile(`(?s)^([^|]*)\|(\d+)\|STATEMENT:  (.*?)\n?$`)

// sent reads what the server logged since from, without ddlsp's own look at
// the catalog and the first round of the lock, in which Ecto too decides what
// to run.
func sent(t *testing.T, s *pgserver.Server, from int64, database string) []string {
	t.Helper()
	time.Sleep(10 * time.Millisecond) // the log is written by another process
	text, err := os.ReadFile(s.LogFile())
	if err != nil {
		t.Fatal(err)
	}
	type entry struct{ pid, sql string }
	var entries []entry
	reading := map[string]bool{} // sessions that only look at the moment
	for _, part := range strings.Split(string(text[from:]), "@") {
		m := logEntry.FindStringSubmatch(part)
		failed := m == nil
		if failed {
			m = failedEntry.FindStringSubmatch(part)
		}
		if m == nil || m[1] != database {
			continue
		}
		sql := strings.ReplaceAll(strings.TrimRight(m[3], "\n"), "\n\t", "\n")
		if n := len(entries); failed && n > 0 && entries[n-1] == (entry{m[2], sql}) {
			continue
		}
		switch {
		case strings.HasPrefix(sql, "BEGIN READ ONLY"):
			reading[m[2]] = true
		case reading[m[2]] && sql == "ROLLBACK":
			delete(reading, m[2])
			continue
		}
		if reading[m[2]] {
			continue
		}
		if strings.Contains(sql, "pg_catalog.") || strings.Contains(sql, "pg_backend_pid()") {
			continue
		}
		entries = append(entries, entry{m[2], sql})
	}
	var main string
	var out []string
	for _, e := range entries {
		if main == "" {
			main = e.pid // the version table is made by the lock connection
		}
		who := "mig: "
		if e.pid == main {
			who = "main: "
		}
		sql := regexp.MustCompile(`pg_try_advisory_lock\(\$1\)`).ReplaceAllString(e.sql, "pg_try_advisory_lock(6372576)")
		out = append(out, who+sql)
	}
	// The round in which it is decided what to run ends before the migration's.
	for i := 1; i < len(out); i++ {
		if !strings.HasPrefix(out[i], "main: SELECT ") || strings.Contains(out[i], "pg_try") {
			continue
		}
		end := i + 1
		if end < len(out) && (out[end] == "main: commit" || strings.Contains(out[end], "pg_advisory_unlock")) {
			end++
		}
		return append(out[:1:1], out[end:]...)
	}
	return out
}

// Ecto's default lock and a concurrent index without @disable_migration_lock
// hang for ever; ddlsp holds no snapshot while it holds the lock.
func TestConcurrentIndexUnderTheTableLock(t *testing.T) {
	p := ectoProject(t, pgtest.DB(t), "")
	p.write("priv/repo/migrations/20240101000000_t.exs", "defmodule T do\n  use Ecto.Migration\n  def change do\n    create table(:t)\n  end\nend\n",
		"priv/repo/migrations/20240102000000_i.exs", "defmodule I do\n  use Ecto.Migration\n  @disable_ddl_transaction true\n  def change do\n    create index(:t, [:id], concurrently: true)\n  end\nend\n")
	done := make(chan output, 1)
	go func() { done <- p.do("migrate", "--yes") }()
	select {
	case o := <-done:
		if o.code != 0 {
			t.Fatalf("exit %d: %s", o.code, o.errout)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it hangs")
	}
}

func TestEctoRefusals(t *testing.T) {
	head := "defmodule M do\n  use Ecto.Migration\n"
	for name, c := range map[string]struct{ config, exs, says string }{
		"a query by the repo":   {"", head + "  def change do\n    repo().query!(\"SELECT 1\")\n    create table(:t)\n  end\nend\n", "mix ecto.migrate -r Oracle.Repo"},
		"an unknown name":       {"", head + "  def change do\n    execute \"CREATE TABLE #{Application.get_env(:a, :x)} (a int)\", \"\"\n  end\nend\n", "mix ecto.migrate -r Oracle.Repo"},
		"an unknown setting":    {"[after_connect: {Oracle, :go, []}]", head + "  def change do\n    create table(:t)\n  end\nend\n", "after_connect"},
		"two statements in one": {"", head + "  def change do\n    execute \"SELECT 1; SELECT 2\", \"\"\n  end\nend\n", "cannot insert multiple commands into a prepared statement"},
	} {
		t.Run(name, func(t *testing.T) {
			p := ectoProject(t, pgtest.DB(t), c.config)
			p.write("priv/repo/migrations/20240101000000_m.exs", c.exs)
			o := p.do("migrate", "--yes")
			want := 2
			if strings.HasPrefix(name, "two") {
				want = 1
			} else {
				p.wantTables()
			}
			if o.code != want {
				t.Errorf("exit %d, want %d", o.code, want)
			}
			contains(t, o.errout, c.says)
		})
	}
}

// The database is the one of the repo's configuration.
func TestEctoDatabase(t *testing.T) {
	db := pgtest.DB(t)
	s := db.Server
	t.Setenv("DDLSP_DATABASE_URL", "")
	t.Setenv("PGDATABASE", "")
	p := ectoProject(t, db, "username: \"postgres\", hostname: \"127.0.0.1\", port: "+strconv.Itoa(s.Port())+", password: \""+s.Password()+"\", database: \""+db.Name+"\"")
	p.write("priv/repo/migrations/20240101000000_m.exs", "defmodule M do\n  use Ecto.Migration\n  def change do\n    create table(:t)\n  end\nend\n")
	o := p.raw("migrate", "--yes")
	if o.code != 0 {
		t.Fatalf("exit %d: %s", o.code, o.errout)
	}
	p.wantTables("schema_migrations", "t")
	if strings.Contains(o.out+o.errout, s.Password()) {
		t.Error("the password is printed")
	}
	if err := os.Remove(filepath.Join(p.dir, "config/config.exs")); err != nil {
		t.Fatal(err)
	}
	if o := p.raw("status"); o.code != 2 {
		t.Errorf("without a configuration: exit %d: %s%s", o.code, o.out, o.errout)
	}
}
