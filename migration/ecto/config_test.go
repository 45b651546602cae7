package ecto

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/ddlsp/ddlsp/internal/source"
)

// writeProject writes the files of an archive below a new directory.
func writeProject(t *testing.T, archive string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range txtar.Parse([]byte(archive)).Files {
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const shopProject = `
-- mix.exs --
defmodule Shop.MixProject do
  use Mix.Project
  def project, do: [app: :shop, version: "0.1.0"]
end
-- config/config.exs --
import Config

config :shop, ecto_repos: [Shop.Repo]

config :shop, Shop.Repo,
  migration_timestamps: [type: :utc_datetime_usec],
  migration_lock: :pg_advisory_lock

import_config "#{config_env()}.exs"
-- config/dev.exs --
import Config

config :shop, Shop.Repo,
  username: "postgres",
  password: System.get_env("PGPASSWORD", "s3cret"),
  hostname: System.get_env("PGHOST") || "localhost",
  port: String.to_integer(System.get_env("PGPORT") || "5432"),
  database: "shop_dev#{System.get_env("PARTITION")}",
  stacktrace: true,
  pool_size: 10
-- config/prod.exs --
import Config
-- config/runtime.exs --
import Config

if config_env() == :prod do
  database_url =
    System.get_env("DATABASE_URL") ||
      raise """
      environment variable DATABASE_URL is missing.
      """

  maybe_ipv6 = if System.get_env("ECTO_IPV6") in ~w(true 1), do: [:inet6], else: []

  config :shop, Shop.Repo,
    url: database_url,
    pool_size: String.to_integer(System.get_env("POOL_SIZE") || "10"),
    socket_options: maybe_ipv6
end
-- lib/shop/repo.ex --
defmodule Shop.Repo do
  use Ecto.Repo,
    otp_app: :shop,
    adapter: Ecto.Adapters.Postgres
end
-- lib/shop/migration.ex --
defmodule Shop.Migration do
  defmacro __using__(_) do
    quote do
      use Ecto.Migration
      import Shop.Migration
    end
  end
end
`

func environment(vars map[string]string) func(string) (string, bool) {
	return func(k string) (string, bool) { v, ok := vars[k]; return v, ok }
}

func TestReadReposDev(t *testing.T) {
	dir := writeProject(t, shopProject)
	repos, err := ReadRepos(dir, environment(map[string]string{"PGPORT": "5544"}), "")
	if err != nil {
		t.Fatal(err)
	}
	if len(repos) != 1 {
		t.Fatalf("%d repos, want 1", len(repos))
	}
	r := repos[0]
	if r.Name != "Shop.Repo" || r.App != "shop" || r.Adapter != "Ecto.Adapters.Postgres" || !r.IsPostgres() {
		t.Errorf("got %s of %s with %s", r.Name, r.App, r.Adapter)
	}
	if diff := cmp.Diff([]string{filepath.Join(dir, "priv", "repo", "migrations")}, r.Dirs); diff != "" {
		t.Error(diff)
	}
	want := Conn{Username: "postgres", Password: "s3cret", Hostname: "localhost", Port: "5544", Database: "shop_dev"}
	if diff := cmp.Diff(want, r.Conn); diff != "" {
		t.Error(diff)
	}
	if r.Config.Lock != "pg_advisory_lock" || r.Config.TableLock() {
		t.Errorf("lock %q", r.Config.Lock)
	}
	if len(r.Config.Unknown) > 0 || len(r.Problems) > 0 {
		t.Errorf("unknown %v, problems %v", r.Config.Unknown, r.Problems)
	}
	if diff := cmp.Diff([]string{"Shop.Migration"}, r.Wrappers); diff != "" {
		t.Error(diff)
	}
	m := Read(&source.File{Path: "/x/1_a.exs", Text: "defmodule A do\n  use Shop.Migration\n  def change do\n    create table(:t) do\n      timestamps()\n    end\n  end\nend\n"}, r, Options{Wrappers: r.Wrappers})
	got := m.Up.Statements()[0].SQL
	if want := `CREATE TABLE "t" ("id" bigserial, "inserted_at" timestamp NOT NULL, "updated_at" timestamp NOT NULL, PRIMARY KEY ("id"))`; got != want {
		t.Errorf("got %s", got)
	}
	if m.TableLock {
		t.Error("an advisory lock is no lock on the table")
	}
}

func TestReadReposProd(t *testing.T) {
	dir := writeProject(t, shopProject)
	repos, err := ReadRepos(dir, environment(map[string]string{"DATABASE_URL": "ecto://u:p@db/shop"}), "prod")
	if err != nil {
		t.Fatal(err)
	}
	c := repos[0].Conn
	if c.URL != "ecto://u:p@db/shop" || c.URLEnv != "DATABASE_URL" || len(c.Unknown) > 0 {
		t.Errorf("got %+v", c)
	}
	if len(repos[0].Problems) > 0 {
		t.Errorf("problems %v", repos[0].Problems)
	}
	repos, err = ReadRepos(dir, nil, "prod")
	if err != nil {
		t.Fatal(err)
	}
	if c := repos[0].Conn; c.URL != "" || c.URLEnv != "DATABASE_URL" {
		t.Errorf("without the variable: got %+v", c)
	}
}

func TestReadReposUmbrella(t *testing.T) {
	dir := writeProject(t, `
-- mix.exs --
defmodule U.MixProject do
  def project, do: [apps_path: "apps"]
end
-- config/config.exs --
use Mix.Config
config :core, ecto_repos: [Core.Repo, Core.Metrics.Repo]
config :core_web, ecto_repos: [Core.Repo]
config :core, Core.Metrics.Repo, priv: "priv/metrics", migration_source: "metric_versions", adapter: Ecto.Adapters.MyXQL, after_connect: {Core, :hello, []}
config :ecto_sql, postgres_map_type: "json"
-- apps/core/mix.exs --
def project, do: [app: :core]
-- apps/core/priv/repo/migrations/1_a.exs --
-- apps/core/lib/core/repo.ex --
defmodule Core.Repo do
  use Ecto.Repo, otp_app: :core, adapter: Ecto.Adapters.Postgres
end
-- apps/core_web/mix.exs --
def project, do: [app: :core_web]
`)
	repos, err := ReadRepos(dir, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(repos) != 2 {
		t.Fatalf("%d repos, want 2", len(repos))
	}
	if r := repos[0]; r.Dir != filepath.Join(dir, "apps", "core", "priv", "repo") || r.Config.MapType != "json" || r.Adapter != "Ecto.Adapters.Postgres" {
		t.Errorf("got %+v", r)
	}
	r := repos[1]
	if r.IsPostgres() || r.Config.VersionTable() != "metric_versions" || !strings.HasSuffix(r.Dirs[0], filepath.Join("priv", "metrics", "migrations")) {
		t.Errorf("got %+v", r)
	}
	if diff := cmp.Diff([]string{"after_connect"}, r.Config.Unknown); diff != "" {
		t.Error(diff)
	}
}

func TestReadReposWithoutConfiguration(t *testing.T) {
	dir := writeProject(t, "-- priv/store/migrations/1_a.exs --\n")
	repos, err := ReadRepos(dir, nil, "")
	if err != nil || len(repos) != 1 || repos[0].Dirs[0] != filepath.Join(dir, "priv", "store", "migrations") {
		t.Errorf("got %v, %v", repos, err)
	}
	if _, err := ReadRepos(filepath.Join(dir, "nowhere"), nil, ""); err == nil {
		t.Error("a missing directory must be an error")
	}
}

func TestReadReposDynamic(t *testing.T) {
	dir := writeProject(t, `
-- mix.exs --
def project, do: [app: :a]
-- config/config.exs --
import Config
config :a, ecto_repos: [A.Repo]
config :a, A.Repo, database: Application.get_env(:x, :y), migration_lock: A.lock()
if A.hidden?() do
  config :a, A.Repo, migration_source: "x"
end
import_config "missing.exs"
`)
	repos, err := ReadRepos(dir, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	r := repos[0]
	if diff := cmp.Diff([]string{"database"}, r.Conn.Unknown); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"migration_lock", "migration_source"}, r.Config.Unknown); diff != "" {
		t.Error(diff)
	}
	if len(r.Problems) != 1 {
		t.Errorf("problems %q", r.Problems)
	}
}

func TestReadReposComputed(t *testing.T) {
	dir := writeProject(t, `
-- mix.exs --
def project, do: [apps_path: "apps"]
-- apps/core/mix.exs --
def project, do: [app: :core]
-- apps/core/config/config.exs --
import Config
config :core, ecto_repos: Helper.repos()
-- apps/core/lib/core/repo.ex --
defmodule Core.Repo do
  use Ecto.Repo, otp_app: :core, adapter: Ecto.Adapters.Postgres

  defmodule Replica do
    use Ecto.Repo, otp_app: :core, read_only: true, adapter: Ecto.Adapters.Postgres
  end
end
-- apps/core/priv/repo/migrations/1_a.exs --
-- apps/core/priv/chain/migrations/1_a.exs --
-- apps/jobs/mix.exs --
def project, do: [app: :jobs]
-- apps/jobs/config/config.exs --
import Config
config :jobs, ecto_repos: [Core.Repo]
`)
	repos, err := ReadRepos(dir, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range repos {
		rel, err := filepath.Rel(dir, r.Dir)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r.Name+" "+filepath.ToSlash(rel))
	}
	if diff := cmp.Diff([]string{"Core.Repo apps/core/priv/repo", " apps/core/priv/chain"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestReadReposSession reads how a session begins, and what cannot be told.
func TestReadReposSession(t *testing.T) {
	tests := []struct {
		name, config, repo string
		conn               Conn
		unknown            []string
	}{
		{name: "parameters", config: `config :a, A.Repo, parameters: [application_name: "a", statement_timeout: 5000]`,
			conn: Conn{Parameters: map[string]string{"application_name": "a", "statement_timeout": "5000"}}},
		{name: "computed parameters", config: `config :a, A.Repo, parameters: A.parameters()`, unknown: []string{"parameters"}},
		{name: "a parameter that is computed", config: `config :a, A.Repo, parameters: [application_name: "a" <> A.node()]`, unknown: []string{"parameters"}},
		{name: "no statement", config: `
query = System.get_env("AFTER")
config :a, A.Repo, after_connect: (case query do
  nil -> nil
  query -> {Postgrex, :query!, [query, []]}
end)`},
		{name: "a setting", config: `config :a, A.Repo, after_connect: {Postgrex, :query!, ["SET search_path TO a, public", []]}`,
			conn: Conn{AfterConnect: "SET search_path TO a, public"}},
		{name: "a statement that changes data", config: `config :a, A.Repo, after_connect: {Postgrex, :query!, ["DELETE FROM t", []]}`, unknown: []string{"after_connect"}},
		{name: "two statements", config: `config :a, A.Repo, after_connect: {Postgrex, :query!, ["SET a.b = 1; DELETE FROM t", []]}`, unknown: []string{"after_connect"}},
		{name: "a function", config: `config :a, A.Repo, after_connect: {A.Repo, :hello, []}`, unknown: []string{"after_connect"}},
		{name: "a branch about the connection", config: `
if A.tls?() && File.exists?("ca.pem") do
  opts = [cacertfile: Path.absname("ca.pem")]
  config :a, A.Repo, ssl: opts
else
  config :a, A.Repo, hostname: "db"
end`, conn: Conn{Unknown: []string{"ssl", "hostname"}}},
		{name: "a choice of another repository's settings", config: `
case A.mode() do
  :one -> config :a, A.Other, migration_lock: false
  _ -> :ok
end`},
		{name: "a choice about migrations", config: `
cond do
  config_env() == :prod -> :ok
  A.old?() -> config :a, A.Repo, migration_primary_key: [type: :binary_id]
end`, unknown: []string{"migration_primary_key"}},
		{name: "a file that may be imported", config: `
if A.more?(), do: import_config "more.exs"
-- config/more.exs --
import Config
config :a, A.Repo, migration_foreign_key: [type: :uuid]`, unknown: []string{"migration_foreign_key"}},
		{name: "computed settings", config: `config :a, A.Repo, A.settings()`, unknown: []string{"settings that are computed"}},
		{name: "settings that are partly computed", config: `config :a, A.Repo, [hostname: "h"] ++ A.settings()`, unknown: []string{"settings that are computed"}},
		{name: "an init that changes nothing", repo: "  def init(_type, config), do: {:ok, config}"},
		{name: "an init about the connection", repo: `
  @impl true
  def init(_type, config) do
    {:ok, Keyword.put(config, :url, System.get_env("URL"))}
  end`, conn: Conn{Unknown: []string{"init/2"}}},
		{name: "an init about migrations", repo: `
  def init(_, config) do
    {:ok, Keyword.put(config, :migration_lock, false)}
  end`, conn: Conn{Unknown: []string{"init/2"}}, unknown: []string{"init/2"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := writeProject(t, `
-- mix.exs --
def project, do: [app: :a]
-- lib/repo.ex --
defmodule A.Repo do
  use Ecto.Repo, otp_app: :a, adapter: Ecto.Adapters.Postgres
`+test.repo+`
end
-- config/config.exs --
import Config
config :a, ecto_repos: [A.Repo]
`+test.config+"\n")
			repos, err := ReadRepos(dir, nil, "")
			if err != nil || len(repos) != 1 {
				t.Fatalf("got %v, %v", repos, err)
			}
			if diff := cmp.Diff(test.conn, repos[0].Conn); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.unknown, repos[0].Config.Unknown); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestReadReposOtherEcto: the SQL is that of the Ecto of today, and a project
// that is locked to one that differs says so.
func TestReadReposOtherEcto(t *testing.T) {
	for version, want := range map[string][]string{
		"3.14.0": nil, "3.12.1": nil, "3.99.0-rc.1": nil,
		"3.11.3": {"ecto_sql 3.11.3 (in mix.lock)"}, "3.4.5": {"ecto_sql 3.4.5 (in mix.lock)"}, "4.0.0-dev": {"ecto_sql 4.0.0-dev (in mix.lock)"},
		"99999999999999999999.1.0": {"ecto_sql 99999999999999999999.1.0 (in mix.lock)"},
	} {
		dir := writeProject(t, shopProject+`
-- mix.lock --
%{
  "ecto": {:hex, :ecto, "3.1.0", "x", [:mix], [{:decimal, "~> 1.6", [hex: :decimal]}, {:ecto_sql, "~> 3.0", []}], "hexpm", "x"},
  "ecto_sql": {:hex, :ecto_sql, "`+version+`", "x", [:mix], [], "hexpm", "x"},
}
`)
		repos, err := ReadRepos(dir, nil, "")
		if err != nil || len(repos) != 1 {
			t.Fatal(repos, err)
		}
		if diff := cmp.Diff(want, repos[0].Config.Unknown); diff != "" {
			t.Errorf("%s: %s", version, diff)
		}
		// An option that does not exist was ignored before 3.12.
		m := Read(&source.File{Path: "/x/1_a.exs", Text: inChange("create table(:t) do\n  add :a, references(:b, null: false)\nend\n")}, repos[0], Options{})
		loose := strings.HasPrefix(version, "3.4.") || strings.HasPrefix(version, "3.11.")
		if got := m.Up.Err == nil; got != loose {
			t.Errorf("%s: the option is ignored: %v, want %v", version, got, loose)
		}
	}
}
