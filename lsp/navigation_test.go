package lsp

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ddlsp/ddlsp/internal/lsptest"
)

var navigationFiles = map[string]string{
	"migrations/001_orders.sql": "-- +goose Up\nCREATE TABLE \"größe\" (id bigint PRIMARY KEY);\n/* 😀 */ CREATE TABLE orders (id bigint PRIMARY KEY, state text);\n-- +goose Down\nDROP TABLE orders;\nDROP TABLE \"größe\";\n",
	"migrations/002_index.sql":  "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY orders_state_idx ON Orders (state);\n-- +goose Down\nDROP INDEX CONCURRENTLY orders_state_idx;\n",
	"migrations/003_items.sql":  "-- +goose Up\nCREATE TABLE items (id bigint PRIMARY KEY, order_id bigint REFERENCES orders (id));\n-- +goose Down\nDROP TABLE items;\n",
	"migrations/004_rename.sql": "-- +goose Up\nALTER TABLE orders RENAME COLUMN state TO status;\n-- +goose Down\nALTER TABLE orders RENAME COLUMN status TO state;\n",
}

// places shows locations as "file:line:text", the text as it stands there, so
// that a wrong encoding shows.
func places(e *lsptest.Editor, list []location) []string {
	out := []string{}
	for _, l := range list {
		path := lsptest.Path(l.URI)
		e.Open(path)
		start, end := e.Span(path, l.Range)
		text := e.Text(path)
		name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		out = append(out, name[:3]+" "+strings.TrimSpace(text[strings.LastIndexByte(text[:start], '\n')+1:start])+"|"+text[start:end])
	}
	return out
}

type location struct {
	URI   string        `json:"uri"`
	Range lsptest.Range `json:"range"`
}

func definition(t *testing.T, e *lsptest.Editor, path, re string) []string {
	t.Helper()
	e.Open(path)
	start, _ := e.Find(path, re)
	var out []location
	if err := e.Call("textDocument/definition", e.At(path, start+1), &out); err != nil {
		t.Fatal(err)
	}
	return places(e, out)
}

func references(t *testing.T, e *lsptest.Editor, path, re string, declaration bool) []string {
	t.Helper()
	e.Open(path)
	start, _ := e.Find(path, re)
	at := e.At(path, start+1)
	at["context"] = map[string]any{"includeDeclaration": declaration}
	var out []location
	if err := e.Call("textDocument/references", at, &out); err != nil {
		t.Fatal(err)
	}
	return places(e, out)
}

func TestNavigation(t *testing.T) {
	inEncodings(t, func(t *testing.T, encodings []string) {
		dir := writeFiles(t, navigationFiles)
		e := connect(t, lsptest.Options{Encodings: encodings, Folders: []string{dir}})
		file := func(name string) string { return filepath.Join(dir, "migrations", name) }
		for _, tt := range []struct {
			file, at string
			want     []string
		}{
			{"003_items.sql", `orders \(id`, []string{"001 /* 😀 */ CREATE TABLE|orders"}},
			{"002_index.sql", `Orders`, []string{"001 /* 😀 */ CREATE TABLE|orders"}},
			{"002_index.sql", `state\)`, []string{"001 /* 😀 */ CREATE TABLE orders (id bigint PRIMARY KEY,|state"}},
			{"002_index.sql", `orders_state_idx;`, []string{"002 CREATE INDEX CONCURRENTLY|orders_state_idx"}},
			{"004_rename.sql", `status TO state`, []string{"004 ALTER TABLE orders RENAME COLUMN state TO|status"}},
			{"001_orders.sql", `größe";\n`, []string{`001 CREATE TABLE "|größe`}},
			{"001_orders.sql", `CREATE TABLE orders`, []string{}},
		} {
			if diff := cmp.Diff(tt.want, definition(t, e, file(tt.file), tt.at)); diff != "" {
				t.Errorf("definition of %q in %s (-want +got):\n%s", tt.at, tt.file, diff)
			}
		}
		if diff := cmp.Diff([]string{
			"001 DROP TABLE|orders", "002 CREATE INDEX CONCURRENTLY orders_state_idx ON|Orders",
			"003 CREATE TABLE items (id bigint PRIMARY KEY, order_id bigint REFERENCES|orders",
			"004 ALTER TABLE|orders", "004 ALTER TABLE|orders",
		}, references(t, e, file("003_items.sql"), `orders \(id`, false)); diff != "" {
			t.Errorf("references of orders (-want +got):\n%s", diff)
		}
		if got := references(t, e, file("003_items.sql"), `orders \(id`, true); len(got) != 6 {
			t.Errorf("with the declaration: %q", got)
		}
	})
}

func TestEctoNavigation(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"mix.exs": "defmodule Shop.MixProject do\n  use Mix.Project\nend\n",
		"priv/repo/migrations/20250101000000_a.exs": "defmodule A do\n  use Ecto.Migration\n\n  def change do\n    create table(:orders) do\n      add :state, :string\n    end\n  end\nend\n",
		"priv/repo/migrations/20250102000000_b.exs": "defmodule B do\n  use Ecto.Migration\n\n  def change do\n    create index(:orders, [:state])\n    execute \"UPDATE orders SET state = ''\", \"\"\n  end\nend\n",
	})
	e := connect(t, lsptest.Options{Folders: []string{dir}})
	b := filepath.Join(dir, "priv/repo/migrations/20250102000000_b.exs")
	for at, want := range map[string]string{
		`orders, `:        "202 create table(:|orders",
		`state\]`:         "202 add :|state",
		`orders SET`:      "202 create table(:|orders",
		`use Ecto`:        "",
		`create index\(:`: "",
	} {
		if got := strings.Join(definition(t, e, b, at), ", "); got != want {
			t.Errorf("definition of %q: %q, want %q", at, got, want)
		}
	}
	if diff := cmp.Diff([]string{"202 create table(:|orders", "202 create index(:|orders", `202 execute "UPDATE|orders`},
		references(t, e, b, `orders, `, true)); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
}

func TestWorkspaceSymbols(t *testing.T) {
	dir := writeFiles(t, navigationFiles)
	e := connect(t, lsptest.Options{Folders: []string{dir}})
	symbols := func(query string) []string {
		var out []struct {
			Name      string   `json:"name"`
			Kind      int      `json:"kind"`
			Container string   `json:"containerName"`
			Location  location `json:"location"`
		}
		if err := e.Call("workspace/symbol", map[string]any{"query": query}, &out); err != nil {
			t.Fatal(err)
		}
		got := []string{}
		for _, s := range out {
			got = append(got, s.Container+"."+s.Name+" "+places(e, []location{s.Location})[0])
		}
		slices.Sort(got)
		return got
	}
	for query, want := range map[string][]string{
		"":       {`public.größe 001 CREATE TABLE "|größe`, "public.items 003 CREATE TABLE|items", "public.orders 001 /* 😀 */ CREATE TABLE|orders"},
		"ORDST":  {"public.orders_state_idx 002 CREATE INDEX CONCURRENTLY|orders_state_idx"},
		"rderid": {"items.order_id 003 CREATE TABLE items (id bigint PRIMARY KEY,|order_id", "public.orders_state_idx 002 CREATE INDEX CONCURRENTLY|orders_state_idx"},
		"nosuch": {},
	} {
		if diff := cmp.Diff(want, symbols(query)); diff != "" {
			t.Errorf("symbols of %q (-want +got):\n%s", query, diff)
		}
	}
}
