package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ddlsp/ddlsp/internal/pgserver/pgtest"
)

// A repository's parameters and after_connect hold in the sessions of a native
// run, whichever way the database was named, and give way to what the address
// itself says.
func TestEctoSessionSettings(t *testing.T) {
	for _, v := range []string{"DATABASE_URL", "DDLSP_DATABASE_URL", "PGDATABASE", "PGSERVICE", "MIX_ENV"} {
		t.Setenv(v, "")
	}
	p := ectoProject(t, pgtest.DB(t), `[parameters: [application_name: "oracle", statement_timeout: 60_000], after_connect: {Postgrex, :query!, ["SET search_path TO app, public", []]}]`)
	p.column("CREATE SCHEMA app")
	p.write("priv/repo/migrations/20240101000000_note.exs", `defmodule Oracle.Note do
  use Ecto.Migration

  def up do
    execute "CREATE TABLE note AS SELECT current_setting('application_name') AS a, current_setting('statement_timeout') AS b"
  end

  def down, do: drop(table(:note))
end
`)
	p.must(0, "migrate", "--yes")
	if diff := cmp.Diff([]string{"oracle 1min"}, p.column("SELECT a || ' ' || b FROM app.note")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"1"}, p.column("SELECT count(*)::text FROM app.schema_migrations")); diff != "" {
		t.Error("the version table is not where the search path leads: " + diff)
	}
	p.must(0, "rollback", "--yes")

	p.write("config/config.exs", "import Config\nconfig :oracle, ecto_repos: [Oracle.Repo]\nconfig :oracle, Oracle.Repo, after_connect: {Postgrex, :query!, [\"SET search_path_ TO app\", []]}\n")
	o := p.must(2, "migrate", "--yes")
	contains(t, o.errout, "after_connect", "unrecognized configuration parameter")

	p.write("config/config.exs", "import Config\nconfig :oracle, ecto_repos: [Oracle.Repo]\nconfig :oracle, Oracle.Repo, after_connect: {Oracle.Repo, :hello, []}\n")
	o = p.must(2, "migrate", "--yes")
	contains(t, o.errout, "after_connect", "Nothing was changed", "mix ecto.migrate -r Oracle.Repo")
}
