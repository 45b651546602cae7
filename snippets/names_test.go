package snippets_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/migration/sqlfile"
	"github.com/ddlsp/ddlsp/schema"
	"github.com/ddlsp/ddlsp/snippets"
)

// catalogOf is the schema that SQL leaves.
func catalogOf(sql string) *schema.Catalog {
	m := sqlfile.ReadFile(&source.File{Path: "a.sql", Text: sql}, nil)
	return schema.New().ApplyMigration(m, migration.Up)
}

func TestNames(t *testing.T) {
	catalog := catalogOf(`
		CREATE TABLE users (id uuid PRIMARY KEY, email varchar(255) NOT NULL);
		CREATE TABLE orders (id uuid PRIMARY KEY, note text);
		CREATE TABLE "Odd name" (id int);
		CREATE TABLE audit.changes (at timestamptz);`)
	tables := []string{"orders", "users"}
	all := []string{"audit.changes", `"Odd name"`, "orders", "users"}
	inString := []string{"audit.changes", "orders", "users"}
	users := []string{"id", "email"}
	alter := func(line string) string {
		return "defmodule A do\n  def change do\n    alter table(:users) do\n      " + line + "\n    end\n  end\nend\n"
	}
	change := func(line string) string {
		return "defmodule A do\n  def change do\n    " + line + "\n  end\nend\n"
	}
	for _, test := range []struct {
		format migration.Format
		text   string
		want   []string
	}{
		{migration.Ecto, change("create index(:|"), tables},
		{migration.Ecto, change("create unique_index(:us|)"), tables},
		{migration.Ecto, change("create index(:users, [:|])"), users},
		{migration.Ecto, change("create index(:users, [:id, :em|])"), users},
		{migration.Ecto, change("drop table(:|)"), tables},
		{migration.Ecto, change("create table(:|)"), nil},
		{migration.Ecto, change("alter table(:|) do"), tables},
		{migration.Ecto, change("rename table(:users), :|, to: :b"), users},
		{migration.Ecto, change("create constraint(:|"), tables},
		{migration.Ecto, alter("modify :|"), users},
		{migration.Ecto, alter("remove :em|, :string"), users},
		{migration.Ecto, alter("add :|"), nil},
		{migration.Ecto, alter("add :user_id, references(:|"), tables},
		{migration.Ecto, alter("add :user_id, references(:users, column: :|"), users},
		{migration.Ecto, change("execute \"DROP TABLE |\""), inString},
		{migration.Ecto, change("execute \"\"\"\n    UPDATE |\n    \"\"\""), inString},
		{migration.Ecto, change("create index(:none, [:|])"), nil},
		{migration.Goose, "-- +goose Up\nALTER TABLE |", all},
		{migration.Goose, "-- +goose Up\nCREATE TABLE |", nil},
		{migration.Goose, "-- +goose Up\nALTER TABLE users DROP COLUMN em|;", users},
		{migration.Goose, "-- +goose Up\nALTER TABLE users\n  ALTER COLUMN |", users},
		{migration.Goose, "-- +goose Up\nCREATE INDEX CONCURRENTLY a ON |", all},
		{migration.Goose, "-- +goose Up\nCREATE INDEX a ON users USING gin (|", users},
		{migration.Goose, "-- +goose Up\nCREATE INDEX a ON users (id, |", users},
		{migration.Goose, "-- +goose Up\nCREATE TABLE a (b uuid REFERENCES |", all},
		{migration.Goose, "-- +goose Up\nCREATE TABLE a (b uuid REFERENCES users (|", users},
		{migration.Goose, "-- +goose Up\nSELECT create_hypertable('|", all},
		{migration.Goose, "-- +goose Up\nCREATE INDEX a ON audit.changes (|", []string{"at"}},
		{migration.Goose, "-- +goose Up\n-- drop table |", nil},
		{migration.Goose, "-- +goose Up\nCOMMENT ON COLUMN users.|", users},
		{migration.Goose, "-- +goose Up\nCOMMENT ON TABLE |", all},
	} {
		_, items := complete(t, test.format, "1_a.sql", test.text, snippets.Project{Catalog: catalog})
		var got []string
		for _, it := range items {
			if it.Kind != snippets.Template {
				got = append(got, it.Label)
			}
		}
		want := slices.Clone(test.want)
		if len(want) > 2 || len(want) == 2 && want[0] == "orders" {
			slices.Sort(got)
			slices.Sort(want)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s %q: %q, want %q", test.format, test.text, got, want)
		}
		for _, it := range items {
			at := strings.IndexByte(test.text, '|')
			if it.End != at || it.Start > at {
				t.Errorf("%q: %s replaces %d-%d", test.text, it.Label, it.Start, it.End)
			}
		}
	}
	// The word that is being typed is replaced, and the detail tells the type.
	text, items := complete(t, migration.Ecto, "1_a.exs", alter("modify :em|"), snippets.Project{Catalog: catalog})
	if got := accept(t, text, find(t, items, "email")); !strings.Contains(got, "modify :email\n") {
		t.Error(got)
	}
	if got := find(t, items, "email").Detail; got != "users.email: varchar(255) not null" {
		t.Errorf("detail %q", got)
	}
}
