package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// exunit is a Mix project with a migration and the test that a template writes
// for it.
func exunit(t *testing.T) *project {
	t.Helper()
	p := starting(t, "ecto", users, gone)
	p.write(
		"mix.exs", `defmodule Shop.MixProject do
  use Mix.Project

  def project, do: [app: :shop, version: "0.1.0", prune_code_paths: false]
  def application, do: [mod: {Shop.Application, []}, extra_applications: [:logger, :ecto_sql, :postgrex]]
end
`,
		"lib/shop/application.ex", `defmodule Shop.Application do
  use Application

  def start(_type, _args), do: Supervisor.start_link([Shop.Repo], strategy: :one_for_one)
end
`,
		"config/config.exs", `import Config

config :shop, ecto_repos: [Shop.Repo]
config :shop, Shop.Repo, url: System.get_env("DATABASE_URL"), pool: Ecto.Adapters.SQL.Sandbox
config :logger, level: :warning
`,
		"test/test_helper.exs", "ExUnit.start()\nEcto.Migrator.run(Shop.Repo, :up, all: true, log: false)\nEcto.Adapters.SQL.Sandbox.mode(Shop.Repo, :manual)\n")
	p.must(0, "new", "create_table", "create_orders")
	o := p.must(0, "new", "migration_test", "create_orders")
	if strings.TrimSpace(o.out) != "test/migrations/create_orders_test.exs" {
		t.Fatalf("wrote %s", o.out)
	}
	return p
}

// The test that the template writes is one that Elixir compiles, and with Ecto
// at hand it really rolls the migration back and applies it again.
func TestExUnitTemplate(t *testing.T) {
	elixir, err := exec.LookPath("elixir")
	if err != nil {
		t.Skip("SKIPPED, NOT TESTED: no elixir, so that nothing compiles the test that the template migration_test writes")
	}
	p := exunit(t)
	elixirRun := func(env []string, name string, args ...string) (string, error) {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Dir = p.dir
		cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "MIX_HOME="+t.TempDir(), "HEX_OFFLINE=1", "MIX_ENV=test")
		cmd.Env = append(cmd.Env, env...)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	out, err := elixirRun(nil, elixir, "-e", `ExUnit.start(autorun: false)
[{module, _}] = Code.compile_file("test/migrations/create_orders_test.exs")
IO.puts("tests: #{inspect(for t <- module.__ex_unit__().tests, do: t.name)}")`)
	if err != nil || !strings.Contains(out, `tests: [:"test goes down and up again"]`) {
		t.Fatalf("Elixir does not compile it: %v\n%s", err, out)
	}
	libs := os.Getenv("DDLSP_ECTO_LIBS")
	mix, mixErr := exec.LookPath("mix")
	if libs == "" || mixErr != nil {
		t.Skip("SKIPPED, NOT RUN: the test that the template migration_test writes is compiled only: set DDLSP_ECTO_LIBS to a directory of compiled Elixir libraries (ecto_sql, postgrex and what they need)")
	}
	env := []string{"ERL_LIBS=" + libs, "DATABASE_URL=" + tcpURL(p)}
	out, err = elixirRun(env, mix, "test")
	if err != nil || !regexp.MustCompile(`1 test, 0 failures`).MatchString(out) {
		t.Fatalf("mix test: %v\n%s", err, out)
	}
	if !strings.Contains(strings.Join(p.tables(), " "), "orders") {
		t.Errorf("the test left the migration rolled back: %v", p.tables())
	}
	// It finds what it is there to find: a migration that cannot go back.
	files, err := filepath.Glob(filepath.Join(p.dir, "priv/repo/migrations/*_create_orders.exs"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	broken := strings.Replace(string(text), "    create table(", "    execute \"SELECT 1\"\n\n    create table(", 1)
	if err := os.WriteFile(files[0], []byte(broken), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := elixirRun(env, mix, "test"); err == nil || !strings.Contains(out, "Ecto.MigrationError") {
		t.Errorf("the test passes with a migration that cannot go back: %v\n%s", err, out)
	}
}

// tcpURL is the test's database for programs that take no socket, without its
// query, which libraries take differently.
func tcpURL(p *project) string {
	url, _, _ := strings.Cut(p.db.TCP, "?")
	return url
}
