package snippets_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/snippets"
)

var update = flag.Bool("update", false, "write the snapshots in testdata")

// A position is where a user may ask for completions; | is the cursor.
type position struct {
	title  string
	format migration.Format
	path   string
	text   string
}

const (
	ectoFile = "defmodule Shop.Repo.Migrations.Try do\n  use Ecto.Migration\n\n%s\nend\n"
	goose    = migration.Goose
)

var positions = map[string][]position{
	"elixir": {
		{"an empty file", migration.Ecto, "20260101120000_create_invoices.exs", "|"},
		{"an empty change", migration.Ecto, "20260101120000_add_index_to_orders.exs", fmt.Sprintf(ectoFile, "  def change do\n    |\n  end")},
		{"inside the block of alter table", migration.Ecto, "20260101120000_alter_orders.exs", fmt.Sprintf(ectoFile, "  def change do\n    alter table(:orders) do\n      |\n    end\n  end")},
		{"in an up that has statements, with a down", migration.Ecto, "20260101120000_tidy.exs",
			fmt.Sprintf(ectoFile, "  def up do\n    drop index(:orders, [:status])\n    |\n  end\n\n  def down do\n    create index(:orders, [:status])\n  end")},
		{"behind a part of a name", migration.Ecto, "20260101120000_create_trades.exs", fmt.Sprintf(ectoFile, "  def change do\n    hyper|\n  end")},
		{"the name of a column in remove", migration.Ecto, "20260101120000_alter_orders.exs", fmt.Sprintf(ectoFile, "  def change do\n    alter table(:orders) do\n      remove :|\n    end\n  end")},
		{"in a string", migration.Ecto, "20260101120000_tidy.exs", fmt.Sprintf(ectoFile, "  def up do\n    execute \"SELECT 'cre|'\"\n  end")},
		{"in a comment", migration.Ecto, "20260101120000_tidy.exs", fmt.Sprintf(ectoFile, "  def up do\n    # cre|\n  end")},
	},
	"sql": {
		{"an empty file of a pair", migration.GolangMigrate, "000002_create_invoices.up.sql", "|"},
		{"an empty Up section", goose, "00002_add_index_to_orders.sql", "-- +goose Up\n|\n\n-- +goose Down\n"},
		{"an Up section that has statements", goose, "00002_tidy.sql", "-- +goose Up\nDROP INDEX CONCURRENTLY orders_status_index;\n|\n\n-- +goose Down\n"},
		{"a Down section", goose, "00002_tidy.sql", "-- +goose Up\nALTER TABLE orders ADD COLUMN note text;\n\n-- +goose Down\n|\n"},
		{"behind a part of a name", migration.Dbmate, "20260101120000_create_trades.sql", "-- migrate:up\nhyper|\n\n-- migrate:down\n"},
		{"the name of a table", goose, "00002_alter_orders.sql", "-- +goose Up\nALTER TABLE o|"},
		{"in a string", goose, "00002_tidy.sql", "-- +goose Up\nUPDATE orders SET status = 'cre|';\n"},
		{"in a comment", goose, "00002_tidy.sql", "-- +goose Up\n-- cre|\n"},
	},
}

func (p position) complete(t *testing.T) (string, []snippets.Item) {
	t.Helper()
	_, name, _ := strings.Cut(p.path, "_")
	name, _, _ = strings.Cut(name, ".")
	return complete(t, p.format, p.path, p.text, snippets.Project{
		Name: name, Module: "Shop.Repo.Migrations." + snippets.Camelize(name), KeyType: "uuid",
		Catalog: catalogOf("CREATE TABLE users (id uuid PRIMARY KEY); CREATE TABLE orders (id uuid PRIMARY KEY, status text NOT NULL, amount numeric(20, 8));"),
	})
}

// What is offered in typical places, and what taking the first of it gives.
func TestSnapshots(t *testing.T) {
	for language, list := range positions {
		var b strings.Builder
		for _, p := range list {
			fmt.Fprintf(&b, "==== %s: %s\n%s\n---- offered\n", p.title, p.path, strings.TrimRight(p.text, "\n"))
			text, items := p.complete(t)
			for _, it := range items {
				fmt.Fprintf(&b, "%-32s %s\n", it.Label, it.Detail)
			}
			if len(items) > 0 {
				fmt.Fprintf(&b, "---- with the first\n%s\n", strings.TrimRight(accept(t, text, items[0]), "\n"))
			}
			b.WriteString("\n")
		}
		path := filepath.Join("testdata", language+".txt")
		if *update {
			if err := os.MkdirAll("testdata", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.ReplaceAll(string(want), "\r\n", "\n"), b.String()); diff != "" {
			t.Errorf("%s: completions are others than in %s (go test ./snippets -run TestSnapshots -update writes it):\n%s", language, path, diff)
		}
	}
}

// Whatever is taken in an Ecto migration, mix format has nothing to change.
func TestAcceptedIsFormatted(t *testing.T) {
	mix, err := exec.LookPath("mix")
	if err != nil {
		t.Skip("SKIPPED, NOT TESTED: no mix, so that nothing says whether completed Ecto migrations are formatted")
	}
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for i, p := range positions["elixir"] {
		text, items := p.complete(t)
		for _, it := range items {
			if it.Kind == snippets.Template {
				write(fmt.Sprintf("%d_%s.exs", i, strings.ReplaceAll(it.Label, ": ", "_")), accept(t, text, it))
				n++
			}
		}
	}
	if n < 100 {
		t.Errorf("only %d completions were taken", n)
	}
	rules := filepath.Join(t.TempDir(), "formatter.exs")
	if err := os.WriteFile(rules, []byte(`[
  inputs: ["*.exs"],
  locals_without_parens: [
    add: 2, add: 3, alter: 2, create: 1, create: 2, drop: 1, drop: 2, execute: 1, execute: 2, modify: 2, modify: 3, remove: 1, remove: 2, remove: 3, rename: 2, rename: 3
  ]
]
`), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(mix, "format", "--check-formatted", "--dot-formatter", rules)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "MIX_HOME="+t.TempDir(), "HEX_OFFLINE=1")
	write("control.exs", "add  :a,:string\n") // shows that the check finds what there is to find
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "* control.exs") {
		t.Fatalf("mix format did not find the unformatted control: %v\n%s", err, out)
	}
	if strings.Count(string(out), "* ") > 2 {
		t.Errorf("not formatted, besides the control:\n%s", out)
	}
	t.Logf("%d files checked by mix format", n)
}
