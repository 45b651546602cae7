package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ddlsp/ddlsp/internal/pgserver/pgtest"
	"github.com/ddlsp/ddlsp/runner"
	"github.com/ddlsp/ddlsp/runner/worker"
)

// mixProject is a project that a real mix runs, on a database of its own. It
// is made from the dependencies of any Mix project that uses Ecto:
//
//	DDLSP_MIX_DEPS=~/src/app/deps go test ./cmd/ddlsp -run Mix
//
// Compiling them takes half a minute.
func mixProject(t *testing.T) *project {
	deps := os.Getenv("DDLSP_MIX_DEPS")
	if deps == "" {
		t.Skip("SKIPPED, NOT TESTED: DDLSP_MIX_DEPS does not name the deps folder of a Mix project with Ecto, so no run is handed over to mix")
	}
	if _, err := exec.LookPath("mix"); err != nil {
		t.Fatal(err)
	}
	for _, v := range []string{"DATABASE_URL", "DDLSP_DATABASE_URL", "PGDATABASE", "PGSERVICE", "MIX_ENV"} {
		t.Setenv(v, "")
	}
	os.Unsetenv("MIX_ENV") // mix takes an empty one for a name; t.Setenv puts it back
	p := &project{t: t, dir: t.TempDir(), db: pgtest.DB(t)}
	var list []string
	for _, name := range []string{"ecto_sql", "ecto", "postgrex", "db_connection", "decimal", "telemetry", "jason"} {
		if _, err := os.Stat(filepath.Join(deps, name)); err == nil {
			list = append(list, "{:"+name+", path: \""+filepath.Join(deps, name)+"\", override: true}")
		}
	}
	cfg := p.db.Conn().Config()
	t.Setenv("SHOP_PASSWORD", cfg.Password)
	host := "hostname: \"" + cfg.Host + "\", port: " + strconv.Itoa(int(cfg.Port))
	if strings.HasPrefix(cfg.Host, "/") {
		host = "socket_dir: \"" + cfg.Host + "\", port: " + strconv.Itoa(int(cfg.Port))
	}
	p.write(
		"mix.exs", "defmodule Shop.MixProject do\n  use Mix.Project\n  def project, do: [app: :shop, version: \"0.1.0\", deps: ["+strings.Join(list, ", ")+"]]\n  def application, do: [extra_applications: [:logger]]\nend\n",
		"lib/shop/repo.ex", "defmodule Shop.Repo do\n  use Ecto.Repo, otp_app: :shop, adapter: Ecto.Adapters.Postgres\nend\n",
		"config/config.exs", "import Config\nconfig :shop, ecto_repos: [Shop.Repo]\nconfig :shop, Shop.Repo, "+host+", username: \""+cfg.User+"\", password: System.get_env(\"SHOP_PASSWORD\"), database: \""+cfg.Database+"\", log: false\n",
		"priv/repo/migrations/20240101000000_make_items.exs", `defmodule Shop.MakeItems do
  use Ecto.Migration

  def change do
    create table(:items) do
      add :name, :string
    end
  end
end
`,
		"priv/repo/migrations/20240102000000_fill_items.exs", `defmodule Shop.FillItems do
  use Ecto.Migration

  def up do
    for name <- Enum.shuffle(~w(a b c)), do: execute("INSERT INTO items (name) VALUES ('#{name}')")
  end

  def down do
    execute fn -> repo().query!("DELETE FROM items") end
  end
end
`)
	mix := exec.CommandContext(t.Context(), "mix", "compile")
	mix.Dir = p.dir
	if out, err := mix.CombinedOutput(); err != nil {
		t.Fatalf("mix compile: %v\n%s", err, out)
	}
	return p
}

// What needs Elixir is run by mix, with the same result as a run of our own;
// the rest of the runs stay native.
func TestMixHandOver(t *testing.T) {
	p := mixProject(t)
	outcomes := func(o output) string {
		var out []string
		r := report(t, o)
		for _, m := range r.Migrations {
			out = append(out, m.Version+" "+string(m.Direction)+" "+m.Outcome)
		}
		if r.Error != nil {
			out = append(out, r.Error.Message)
		}
		return strings.Join(out, ", ")
	}
	versions := func() string {
		return strings.Join(p.column("SELECT version::text FROM schema_migrations ORDER BY 1"), " ")
	}
	is := func(got, want string) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}

	o := p.must(0, "migrate", "--dry-run")
	contains(t, o.out, "mix ecto.migrate -r Shop.Repo runs this", "Enum.shuffle/1 at line 5", "not known before it runs", "nothing was changed")
	if tables := p.tables(); len(tables) > 0 {
		t.Errorf("a dry run made %v", tables)
	}

	o = p.must(0, "migrate", "--yes", "--format", "json", "--to", "20240101000000")
	is(outcomes(o), "20240101000000 up applied")
	if strings.Contains(o.errout, "mix") {
		t.Errorf("a static migration was not run natively: %s", o.errout)
	}

	o = p.must(0, "migrate", "--yes", "--format", "json")
	is(outcomes(o), "20240102000000 up applied")
	contains(t, o.errout, "== Running 20240102000000 Shop.FillItems.up/0")
	is(versions(), "20240101000000 20240102000000")
	is(strings.Join(p.column("SELECT name FROM items ORDER BY 1"), " "), "a b c")
	for _, state := range p.states() {
		is(state, "applied")
	}

	o = p.must(0, "redo", "--yes", "--format", "json")
	is(outcomes(o), "20240102000000 down rolled_back, 20240102000000 up applied")
	is(strings.Join(p.column("SELECT name FROM items ORDER BY 1"), " "), "a b c")

	o = p.must(0, "rollback", "--yes", "--format", "json", "--all")
	is(outcomes(o), "20240102000000 down rolled_back, 20240101000000 down rolled_back")
	is(versions(), "")

	p.column("CREATE SCHEMA tenant")
	o = p.must(1, "migrate", "--yes", "--format", "json", "--prefix", "tenant")
	is(outcomes(o), "20240101000000 up applied, 20240102000000 up failed, "+`relation "items" does not exist`)
	is(strings.Join(p.column("SELECT version::text FROM tenant.schema_migrations ORDER BY 1"), " "), "20240101000000")
}

// A failure of mix is a failure of ddlsp: the same exit code, the place in the
// file, what remains.
func TestMixFailures(t *testing.T) {
	p := mixProject(t)
	p.must(0, "migrate", "--yes")
	p.write("priv/repo/migrations/20240103000000_break.exs", `defmodule Shop.Break do
  use Ecto.Migration

  def up do
    execute "SELECT #{System.unique_integer()}"
    execute "CREATE TABLE broken (x nosuchtype)"
  end

  def down, do: :ok
end
`)
	o := p.must(1, "migrate", "--yes", "--format", "json")
	e := report(t, o).Error
	if e == nil || e.SQLState != "42704" || e.Range == nil || e.Range.Start.Line != 6 || e.Statement != "CREATE TABLE broken (x nosuchtype)" {
		t.Errorf("%+v", e)
	}
	contains(t, e.Remains, "Nothing of 20240103000000 stays", "The version table is as it was before it")

	// Elixir that cannot be compiled, before anything was sent.
	p.write("lib/shop/broken.ex", "defmodule Shop.Broken do def a(, do: 1 end\n")
	o = p.must(2, "migrate", "--yes")
	contains(t, o.errout, "Compilation error in file lib/shop/broken.ex", "Nothing was changed")
	if err := os.Remove(filepath.Join(p.dir, "lib/shop/broken.ex")); err != nil {
		t.Fatal(err)
	}

	// Another database than that of the repo.
	other := pgtest.DB(t)
	o = p.raw("--database-url", other.URL, "migrate", "--yes")
	if o.code != 2 {
		t.Errorf("exit %d on another database: %s", o.code, o.errout)
	}
	contains(t, o.errout, "mix would run the migrations on", "Nothing was changed")
	if n := len(other.Rows("SELECT 1 FROM pg_tables WHERE schemaname = 'public'")); n > 0 {
		t.Errorf("%d tables on the other database", n)
	}

	// By configuration mix runs nothing, or everything.
	p.write("ddlsp.toml", "runner = \"native\"\n")
	o = p.must(2, "migrate", "--yes")
	contains(t, o.errout, "Run it with: mix ecto.migrate -r Shop.Repo")
	if err := os.Remove(filepath.Join(p.dir, "priv/repo/migrations/20240103000000_break.exs")); err != nil {
		t.Fatal(err)
	}
	p.must(2, "rollback", "--yes", "--step", "2")
	p.write("ddlsp.toml", "runner = \"mix\"\n")
	o = p.must(0, "rollback", "--yes", "--step", "2")
	contains(t, o.errout, "== Running 20240101000000 Shop.MakeItems.change/0 backward")
	o = p.must(0, "migrate", "--yes", "--step", "1")
	contains(t, o.errout, "== Running 20240101000000 Shop.MakeItems.change/0 forward")
}

// A cancelled run stops mix with all that it started, and the statement in the
// server.
func TestMixCancel(t *testing.T) {
	p := mixProject(t)
	p.must(0, "migrate", "--yes")
	p.write("priv/repo/migrations/20240103000000_wait.exs", `defmodule Shop.Wait do
  use Ecto.Migration

  def up do
    execute "SELECT #{System.unique_integer()}"
    execute "SELECT pg_sleep(300)"
  end

  def down, do: :ok
end
`)
	ctx, cancel := context.WithCancel(t.Context())
	var out bytes.Buffer
	app := &app{in: strings.NewReader(""), out: &out, err: &bytes.Buffer{}, dir: p.dir}
	app.flags.databaseURL = p.db.URL
	ended := make(chan error, 1)
	go func() {
		ended <- app.change(ctx, runner.Up, &runFlags{yes: true, format: "json"})
	}()
	sleeping := func() []string {
		return p.column("SELECT pid::text FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query = 'SELECT pg_sleep(300)'")
	}
	for start := time.Now(); len(sleeping()) == 0; time.Sleep(50 * time.Millisecond) {
		if time.Since(start) > time.Minute {
			t.Fatal("mix did not come to the statement")
		}
	}
	cancel()
	select {
	case err := <-ended:
		if e, ok := err.(*exitError); !ok || e.Code != 1 {
			t.Errorf("%v", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the run did not end")
	}
	var r runner.Report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if r.Error == nil || !r.Error.Cancelled || r.Migrations[0].Outcome != runner.Failed {
		t.Errorf("%+v", r)
	}
	for start := time.Now(); len(sleeping()) > 0; time.Sleep(50 * time.Millisecond) {
		if time.Since(start) > 10*time.Second {
			t.Fatal("the statement goes on in the server")
		}
	}
	if got := strings.Join(p.column("SELECT version::text FROM schema_migrations ORDER BY 1"), " "); got != "20240101000000 20240102000000" {
		t.Errorf("versions %s", got)
	}
}

// The child process of the language server hands over as the command line does.
func TestMixWorker(t *testing.T) {
	p := mixProject(t)
	t.Setenv("DDLSP_DATABASE_URL", p.db.URL)
	work := func(req worker.Request) (events []runner.Event, report runner.Report) {
		t.Helper()
		req.Dir = p.dir
		text, err := json.Marshal(req)
		if err != nil {
			t.Fatal(err)
		}
		in, parent := io.Pipe() // it stays open: its end would cancel
		defer parent.Close()
		go parent.Write(append(text, '\n'))
		var out bytes.Buffer
		if code := run(&app{in: in, out: &out, err: io.Discard, dir: p.dir}, []string{"worker"}); code != 0 {
			t.Fatalf("exit %d: %s", code, out.String())
		}
		for dec := json.NewDecoder(&out); dec.More(); {
			var m worker.Message
			if err := dec.Decode(&m); err != nil {
				t.Fatal(err)
			}
			if m.Event != nil {
				events = append(events, *m.Event)
			} else if err := json.Unmarshal(m.Result, &report); err != nil {
				t.Fatal(err)
			}
		}
		return events, report
	}
	_, plan := work(worker.Request{Op: "migrate", DryRun: true})
	if len(plan.Migrations) != 2 || plan.Plan == "" || !strings.Contains(strings.Join(plan.Notes, " "), "mix ecto.migrate -r Shop.Repo runs this") {
		t.Fatalf("%+v", plan)
	}
	events, done := work(worker.Request{Op: "migrate", Plan: plan.Plan})
	var kinds []string
	for _, e := range events {
		if e.Kind != "output" {
			kinds = append(kinds, e.Kind+" "+e.Version)
		}
	}
	if diff := cmp.Diff([]string{"migration 20240101000000", "migration 20240102000000", "done 20240101000000", "done 20240102000000"}, kinds); diff != "" {
		t.Error(diff)
	}
	for _, m := range done.Migrations {
		if m.Outcome != runner.Applied {
			t.Errorf("%+v", m)
		}
	}
}
