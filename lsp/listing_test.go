package lsp

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ddlsp/ddlsp/internal/lsptest"
)

func TestListing(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"metrics/ddlsp.toml":                         "format = \"goose\"\nmigrations = [\"migrations\"]\n",
		"metrics/migrations/00001_create_orders.sql": gooseOne,
		"metrics/migrations/00002_forward.sql":       "-- +goose Up\nCREATE TABLE a (id int);\n",
		"other/ddlsp.toml":                           "format = \"flyway\"\nmigrations = [\"sql\"]\n",
		"other/sql/V1__start.sql":                    "CREATE TABLE b (id int);\n",
		"shop/mix.exs":                               "defmodule Shop.MixProject do\n  use Mix.Project\n  def project, do: [app: :shop]\nend\n",
		"shop/lib/shop/repo.ex":                      "defmodule Shop.Repo do\n  use Ecto.Repo, otp_app: :shop, adapter: Ecto.Adapters.Postgres\nend\n",
		"shop/config/config.exs":                     "import Config\nconfig :shop, ecto_repos: [Shop.Repo]\n",
		"shop/priv/repo/migrations/20260101000000_create_products.exs": "defmodule Shop.Repo.Migrations.CreateProducts do\n  use Ecto.Migration\n\n  def change do\n    create table(:products) do\n    end\n  end\nend\n",
	})
	e := connect(t, lsptest.Options{Dir: dir, Init: map[string]any{"diagnostics": "push"}})
	raw, err := e.Command("ddlsp.migrations", map[string]any{})
	if err != nil {
		t.Fatal(err)
	}
	var got listing
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	uri := func(name string) string { return lsptest.URI(filepath.Join(dir, filepath.FromSlash(name))) }
	one, two := "metrics/migrations/00001_create_orders.sql", "metrics/migrations/00002_forward.sql"
	v1, products := "other/sql/V1__start.sql", "shop/priv/repo/migrations/20260101000000_create_products.exs"
	want := listing{Projects: []listedProject{
		{Name: "metrics", Root: filepath.Join(dir, "metrics"), URI: uri(one), Format: "goose", Dirs: []string{"metrics/migrations"}, State: true, Runs: true, Migrations: []listedMigration{
			{Version: "1", Name: "create_orders", Path: one, URI: uri(one), Up: "written", Down: "written"},
			{Version: "2", Name: "forward", Path: two, URI: uri(two), Up: "written", Down: "missing"},
		}},
		{Name: "other", Root: filepath.Join(dir, "other"), URI: uri(v1), Format: "flyway", Dirs: []string{"other/sql"}, State: true, Migrations: []listedMigration{
			{Version: "1", Name: "start", Path: v1, URI: uri(v1), Up: "written", Down: "missing"},
		}},
		{Name: "shop", Root: filepath.Join(dir, "shop"), URI: uri(products), Format: "ecto", Dirs: []string{"shop/priv/repo/migrations"}, State: true, Runs: true, Migrations: []listedMigration{
			{Version: "20260101000000", Name: "create_products", Path: products, URI: uri(products), Up: "written", Down: "derived"},
		}},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the listing (-want +got):\n%s", d)
	}

	for _, tt := range []struct{ path, directory, command string }{
		{two, "metrics", `goose -dir migrations postgres "$GOOSE_DBSTRING" up-to 2`},
		{products, "shop", "mix ecto.migrate -r Shop.Repo --to 20260101000000"},
	} {
		raw, err := e.Command("ddlsp.toolCommand", map[string]any{"uri": uri(tt.path)})
		if err != nil {
			t.Fatal(err)
		}
		var got toolCommands
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatal(err)
		}
		if got.Directory != filepath.Join(dir, tt.directory) || len(got.Commands) != 2 || got.Commands[0].Command != tt.command {
			t.Errorf("%s: %+v, want %s in %s", tt.path, got, tt.command, tt.directory)
		}
	}
	script := filepath.Join(dir, "script.sql")
	e.OpenText(script, "CREATE TABLE c (id int);\n")
	if _, err := e.Command("ddlsp.toolCommand", map[string]any{"uri": lsptest.URI(script)}); err == nil || !strings.Contains(err.Error(), "script.sql") {
		t.Errorf("a file without a tool: %v", err)
	}
}

func TestListingWithoutTrust(t *testing.T) {
	dir, _, two := gooseProject(t)
	e := connect(t, lsptest.Options{Dir: dir, Init: map[string]any{"workspaceTrusted": false}})
	raw, err := e.Command("ddlsp.migrations", map[string]any{})
	if err != nil {
		t.Fatal(err)
	}
	var got listing
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Projects) != 1 || got.Projects[0].Runs || got.Projects[0].State || len(got.Projects[0].Migrations) != 2 {
		t.Errorf("without trust: %s", raw)
	}
	if _, err := e.Command("ddlsp.toolCommand", map[string]any{"uri": lsptest.URI(two)}); err != nil {
		t.Error(err)
	}
}
