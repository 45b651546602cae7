package main

import (
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/internal/pgserver/pgtest"
)

// An error of the server leads to the part of the migration that caused it: a
// column's to its add, an option's to the option, one in SQL to the character.
func TestEctoFailurePlaces(t *testing.T) {
	for _, v := range []string{"DATABASE_URL", "DDLSP_DATABASE_URL", "PGDATABASE", "PGSERVICE", "MIX_ENV"} {
		t.Setenv(v, "")
	}
	p := ectoProject(t, pgtest.DB(t), "")
	p.column("CREATE TABLE orders (id bigint PRIMARY KEY, note text)")
	tests := []struct{ name, body, state, at string }{
		{"a type", `create table(:items) do
      add :a, :string
      add :b, :no_such_type, null: false
    end`, "42704", `:no_such_type`},
		{"a default", `create table(:items) do
      add :a, :string, default: "x"
      add :b, :integer, null: false, default: "x"
    end`, "22P02", `"x"`},
		{"a column that is there", `alter table(:orders) do
      add :other, :string
      add :note, :string
    end`, "42701", `:note`},
		{"a column that is not there", `alter table(:orders) do
      modify :id, :integer
      remove :nothing
    end`, "42703", `:nothing`},
		{"a referenced table", `create table(:items) do
      add :a, :string
      add :user_id, references(:users)
    end`, "42P01", `:users`},
		{"a condition", `create index(:orders, [:note],
      where: "no_such_column > 0")`, "42703", `no_such_column`},
		{"a check", `create constraint(:orders, :positive,
      check: "total > 0")`, "42703", `total`},
		{"a table that is there", `create table(:orders), do: add(:x, :string)`, "42P07", `:orders`},
		{"a heredoc", `execute """
    SELECT 1
      FROM orders
     WHERE é.x = 'ü' AND no_such = 1
    """`, "42P01", `é`},
		{"an escape", `execute "SELECT '\t\"', no_such FROM orders"`, "42703", `no_such`},
	}
	for _, test := range tests {
		for _, newline := range []string{"\n", "\r\n"} {
			text := strings.ReplaceAll("defmodule Oracle.M do\n  use Ecto.Migration\n\n  def up do\n    "+test.body+"\n  end\n\n  def down, do: :ok\nend\n", "\n", newline)
			p.write("priv/repo/migrations/20240101000000_m.exs", text)
			e := report(t, p.must(1, "migrate", "--yes", "--format", "json")).Error
			if e == nil || e.Range == nil {
				t.Errorf("%s: %+v", test.name, e)
				continue
			}
			got := text[e.Range.Start.Offset:e.Range.End.Offset]
			if e.SQLState != test.state || got != test.at {
				t.Errorf("%s: %s %s: at %q, want %q", test.name, e.SQLState, e.Message, got, test.at)
			}
		}
	}
}
