package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// stagesCases are migrations that do at once what should be done in several:
// their fixes write new migrations.
var stagesCases = []struct {
	name, rule string
	files      []string
	// want are the names of all migrations afterwards, without versions.
	want []string
	// holds are texts that the files must hold.
	holds []string
}{
	{"unique, alone in its file", "adding-unique-constraint", []string{
		"migrations/00001_a.sql", "-- +goose Up\nCREATE TABLE orders (id bigint PRIMARY KEY, code text);\n-- +goose Down\nDROP TABLE orders;\n",
		"migrations/00002_b.sql", "-- +goose Up\nALTER TABLE orders ADD CONSTRAINT orders_code UNIQUE (code);\n-- +goose Down\nALTER TABLE orders DROP CONSTRAINT orders_code;\n",
	}, []string{"a", "b", "add_orders_code"}, []string{"-- +goose NO TRANSACTION", "CREATE UNIQUE INDEX CONCURRENTLY orders_code ON orders (code);", "UNIQUE USING INDEX orders_code"}},
	{"unique, among others, without a name", "adding-unique-constraint", []string{
		"migrations/00001_a.sql", "-- +goose Up\nCREATE SCHEMA shop;\nCREATE TABLE shop.orders (id bigint PRIMARY KEY, code text, \"Line\" int);\n-- +goose Down\nDROP TABLE shop.orders;\nDROP SCHEMA shop;\n",
		"migrations/00002_b.sql", "-- +goose Up\nALTER TABLE shop.orders ADD COLUMN x int;\n\nALTER TABLE shop.orders ADD UNIQUE (code, \"Line\");\n-- +goose Down\nALTER TABLE shop.orders DROP CONSTRAINT \"orders_code_Line_key\";\nALTER TABLE shop.orders DROP COLUMN x;\n",
	}, []string{"a", "b", "index_orders_code_line_key", "add_orders_code_line_key"}, []string{`ON shop.orders (code, "Line")`, `DROP INDEX CONCURRENTLY shop."orders_code_Line_key"`}},
	{"primary key of columns that are not null", "adding-primary-key-constraint", []string{
		"migrations/000001_a.up.sql", "CREATE TABLE orders (id bigint NOT NULL);\n", "migrations/000001_a.down.sql", "DROP TABLE orders;\n",
		"migrations/000002_b.up.sql", "ALTER TABLE orders ADD CONSTRAINT orders_pkey PRIMARY KEY (id);\n", "migrations/000002_b.down.sql", "ALTER TABLE orders DROP CONSTRAINT orders_pkey;\n",
	}, []string{"a", "b", "add_orders_pkey"}, []string{"PRIMARY KEY USING INDEX orders_pkey"}},
	{"not null", "setting-not-null", []string{
		"migrations/00001_a.sql", "-- +goose Up\nCREATE TABLE orders (id bigint PRIMARY KEY, code text);\n-- +goose Down\nDROP TABLE orders;\n",
		"migrations/00002_b.sql", "-- +goose Up\nALTER TABLE orders ALTER COLUMN code SET NOT NULL;\n-- +goose Down\nALTER TABLE orders ALTER COLUMN code DROP NOT NULL;\n",
	}, []string{"a", "b", "set_orders_code_not_null"}, []string{"CHECK (code IS NOT NULL) NOT VALID"}},
	{"two checks and a foreign key", "constraint-missing-not-valid,adding-foreign-key-constraint", []string{
		"migrations/00001_a.sql", "-- +goose Up\nCREATE TABLE users (id bigint PRIMARY KEY);\nCREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint, n int);\n-- +goose Down\nDROP TABLE orders;\nDROP TABLE users;\n",
		"migrations/00002_b.sql", "-- +goose Up\nALTER TABLE orders ADD CONSTRAINT n_positive CHECK (n > 0);\nALTER TABLE orders ADD CONSTRAINT n_small CHECK (n < 100);\nALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users (id);\n" +
			"-- +goose Down\nALTER TABLE orders DROP CONSTRAINT orders_user;\nALTER TABLE orders DROP CONSTRAINT n_small;\nALTER TABLE orders DROP CONSTRAINT n_positive;\n",
	}, []string{"a", "b", "validate_n_positive", "validate_n_small", "validate_orders_user"}, []string{"CHECK (n > 0) NOT VALID", "REFERENCES users (id) NOT VALID", "VALIDATE CONSTRAINT orders_user"}},
	{"validated too early", "validate-constraint-in-same-transaction", []string{
		"db/migrations/20240101000000_a.sql", "-- migrate:up\nCREATE TABLE orders (id bigint PRIMARY KEY, n int);\n-- migrate:down\nDROP TABLE orders;\n",
		"db/migrations/20240102000000_b.sql", "-- migrate:up\nALTER TABLE orders ADD CONSTRAINT n_positive CHECK (n > 0) NOT VALID;\nALTER TABLE orders VALIDATE CONSTRAINT n_positive;\n-- migrate:down\nALTER TABLE orders DROP CONSTRAINT n_positive;\n",
	}, []string{"a", "b", "validate_n_positive"}, nil},
	{"Ecto: references and a constraint", "constraint-missing-not-valid,adding-foreign-key-constraint", []string{
		"mix.exs", stagesMix,
		"config/config.exs", "import Config\nconfig :shop, ecto_repos: [Shop.Repo]\nconfig :shop, Shop.Repo, database: \"x\"\n",
		"lib/repo.ex", "defmodule Shop.Repo do\n  use Ecto.Repo, otp_app: :shop, adapter: Ecto.Adapters.Postgres\nend\n",
		"priv/repo/migrations/20240101000000_a.exs", "defmodule Shop.Repo.Migrations.A do\n  use Ecto.Migration\n\n  def change do\n    create table(:users) do\n      add :name, :text\n    end\n\n    create table(:orders) do\n      add :user_id, :bigint\n      add :n, :integer\n    end\n  end\nend\n",
		"priv/repo/migrations/20240102000000_b.exs", "defmodule Shop.Repo.Migrations.B do\n  use Ecto.Migration\n\n  def change do\n    alter table(:orders) do\n      modify :user_id, references(:users), from: :bigint\n    end\n\n    create constraint(:orders, :n_positive, check: \"n > 0\")\n  end\nend\n",
	}, []string{"a", "b", "validate_orders_user_id_fkey", "validate_n_positive"}, []string{"references(:users, validate: false)", "execute \"ALTER TABLE orders VALIDATE CONSTRAINT orders_user_id_fkey\"", "def down, do: :ok"}},
	{"Ecto: not null in change", "setting-not-null", []string{
		"mix.exs", stagesMix,
		"config/config.exs", "import Config\nconfig :shop, ecto_repos: [Shop.Repo]\nconfig :shop, Shop.Repo, database: \"x\"\n",
		"lib/repo.ex", "defmodule Shop.Repo do\n  use Ecto.Repo, otp_app: :shop, adapter: Ecto.Adapters.Postgres\nend\n",
		"priv/repo/migrations/20240101000000_a.exs", "defmodule Shop.Repo.Migrations.A do\n  use Ecto.Migration\n\n  def change do\n    create table(:orders) do\n      add :n, :integer\n    end\n  end\nend\n",
		"priv/repo/migrations/20240102000000_b.exs", "defmodule Shop.Repo.Migrations.B do\n  use Ecto.Migration\n\n  def change do\n    alter table(:orders) do\n      modify :n, :integer, null: false, from: {:integer, null: true}\n    end\n  end\nend\n",
	}, []string{"a", "b", "set_orders_n_not_null"}, []string{`create constraint(:orders, :orders_n_not_null, check: "n IS NOT NULL", validate: false)`}},
	{"Ecto: unique in execute", "adding-unique-constraint", []string{
		"mix.exs", stagesMix,
		"config/config.exs", "import Config\nconfig :shop, ecto_repos: [Shop.Repo]\nconfig :shop, Shop.Repo, database: \"x\"\n",
		"lib/repo.ex", "defmodule Shop.Repo do\n  use Ecto.Repo, otp_app: :shop, adapter: Ecto.Adapters.Postgres\nend\n",
		"priv/repo/migrations/20240101000000_a.exs", "defmodule Shop.Repo.Migrations.A do\n  use Ecto.Migration\n\n  def change do\n    create table(:orders) do\n      add :n, :integer\n    end\n  end\nend\n",
		"priv/repo/migrations/20240102000000_b.exs", "defmodule Shop.Repo.Migrations.B do\n  use Ecto.Migration\n\n  def up do\n    execute \"ALTER TABLE orders ADD CONSTRAINT orders_n UNIQUE (n)\"\n  end\n\n  def down do\n    execute \"ALTER TABLE orders DROP CONSTRAINT orders_n\"\n  end\nend\n",
	}, []string{"a", "b", "add_orders_n"}, []string{"@disable_ddl_transaction true", "@disable_migration_lock true", `execute "CREATE UNIQUE INDEX CONCURRENTLY orders_n ON orders (n)"`, `execute "DROP INDEX CONCURRENTLY orders_n"`}},
}

const stagesMix = "defmodule Shop.MixProject do\n  use Mix.Project\n  def project, do: [app: :shop, version: \"0.1.0\", deps: [{:ecto_sql, \"~> 3.10\"}, {:postgrex, \">= 0.0.0\"}]]\nend\n"

// TestStages applies the fixes that write new migrations: the result is free of
// the finding, stays as it is, is formatted, and runs up, down and up on a real
// server with the schema that the one migration made.
func TestStages(t *testing.T) {
	for _, c := range stagesCases {
		t.Run(c.name, func(t *testing.T) {
			p := newProject(t, c.files...)
			p.must(0, "migrate", "--yes")
			before := p.column(stagesStructure)
			p.must(0, "rollback", "--all", "--yes")
			empty := p.column(stagesStructure)

			p.must(0, "lint", "--unsafe-fixes", "--select", c.rule, "--fail-on", "hint")
			texts, names := p.migrations()
			if !slices.Equal(names, c.want) {
				t.Fatalf("migrations %v, want %v\n%s", names, c.want, texts)
			}
			contains(t, texts, c.holds...)
			if strings.HasSuffix(c.files[len(c.files)-2], ".exs") {
				checkFormatted(t, filepath.Join(p.dir, "priv/repo/migrations"))
			}
			p.must(0, "lint", "--unsafe-fixes", "--select", c.rule, "--fail-on", "hint")
			if again, _ := p.migrations(); again != texts {
				t.Errorf("fixed again it is\n%s\nand was\n%s", again, texts)
			}
			p.must(0, "lint", "--fail-on", "error")

			p.must(0, "migrate", "--yes")
			if got := p.column(stagesStructure); !slices.Equal(got, before) {
				t.Errorf("the schema is\n%s\nwant\n%s\n%s", strings.Join(got, "\n"), strings.Join(before, "\n"), texts)
			}
			for range names { // each on its own
				p.must(0, "rollback", "--yes")
				p.must(0, "migrate", "--step", "1", "--yes")
				p.must(0, "rollback", "--yes")
			}
			if got := p.column(stagesStructure); !slices.Equal(got, empty) {
				t.Errorf("after the rollback the schema is %v, want %v", got, empty)
			}
			p.must(0, "migrate", "--yes")
			if got := p.column(stagesStructure); !slices.Equal(got, before) {
				t.Errorf("at last the schema is %v, want %v", got, before)
			}
		})
	}
}

const stagesStructure = `SELECT format('%s %s %s', n.nspname, c.relname, pg_get_constraintdef(x.oid)) || x.convalidated FROM pg_constraint x
	JOIN pg_class c ON c.oid = x.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname IN ('public', 'shop') AND c.relname !~ 'goose|schema_migrations'
	UNION ALL SELECT format('%s %s %s %s', c.relname, a.attname, a.attnotnull, a.atttypid::regtype) FROM pg_attribute a
	JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname IN ('public', 'shop') AND a.attnum > 0 AND NOT a.attisdropped AND c.relname !~ 'goose|schema_migrations'
	ORDER BY 1`

// migrations are the texts of all migrations and their names, in order.
func (p *project) migrations() (texts string, names []string) {
	p.t.Helper()
	for _, dir := range []string{"migrations", "db/migrations", "priv/repo/migrations"} {
		entries, err := os.ReadDir(filepath.Join(p.dir, dir))
		if err != nil {
			continue
		}
		for _, e := range entries {
			text, err := os.ReadFile(filepath.Join(p.dir, dir, e.Name()))
			if err != nil {
				p.t.Fatal(err)
			}
			texts += "-- " + e.Name() + " --\n" + string(text)
			_, name, _ := strings.Cut(e.Name(), "_")
			if name, _, _ = strings.Cut(name, "."); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return texts, names
}

// checkFormatted asks mix format, where there is one, with Ecto's rules.
func checkFormatted(t *testing.T, dir string) {
	t.Helper()
	mix, err := exec.LookPath("mix")
	if err != nil {
		t.Log("there is no mix to check the format")
		return
	}
	rules := filepath.Join(t.TempDir(), ".formatter.exs")
	text := "[inputs: [\"*.exs\"], locals_without_parens: [create: 1, create: 2, alter: 2, add: 2, add: 3, modify: 2, modify: 3, drop: 1, execute: 1, execute: 2]]\n"
	if err := os.WriteFile(rules, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(mix, "format", "--check-formatted", "--dot-formatter", rules)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "MIX_HOME="+t.TempDir(), "HEX_OFFLINE=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("mix format: %v\n%s", err, out)
	}
}
