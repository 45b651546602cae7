package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ddlsp/ddlsp/internal/pgserver/pgtest"
	"github.com/ddlsp/ddlsp/templates"
)

// Tables that the templates' defaults speak of, made by the project's first
// migration, and a second table for the template that makes orders itself.
const (
	users  = "CREATE TABLE users (id uuid PRIMARY KEY);\nCREATE TABLE accounts (id uuid PRIMARY KEY);\n"
	orders = "CREATE TABLE orders (\n    id uuid PRIMARY KEY,\n    name varchar(255),\n    old_field varchar(255),\n    status text,\n    updated_at timestamp(0)\n);\n"
	gone   = "DROP TABLE accounts;\nDROP TABLE users;\n"
)

// starting is a project with a first migration.
func starting(t *testing.T, format, tables, drops string) *project {
	t.Helper()
	switch format {
	case "goose":
		return newProject(t, "migrations/00001_start.sql", "-- +goose Up\n"+tables+"\n-- +goose Down\n"+drops)
	case "golang-migrate":
		return newProject(t, "migrations/000001_start.up.sql", tables, "migrations/000001_start.down.sql", drops)
	}
	execute := func(sql string) string {
		var b strings.Builder
		for _, s := range strings.Split(strings.TrimSpace(sql), ";\n") {
			b.WriteString("    execute \"\"\"\n    " + strings.ReplaceAll(strings.TrimSuffix(s, ";"), "\n", "\n    ") + "\n    \"\"\"\n")
		}
		return b.String()
	}
	return newProject(t,
		"mix.exs", "defmodule Shop.MixProject do\n  use Mix.Project\n\n  def project, do: [app: :shop]\nend\n",
		"config/config.exs", "import Config\n\nconfig :shop, ecto_repos: [Shop.Repo]\nconfig :shop, Shop.Repo, database: \"not used\"\n",
		"lib/shop/repo.ex", "defmodule Shop.Repo do\n  use Ecto.Repo, otp_app: :shop, adapter: Ecto.Adapters.Postgres\nend\n",
		"priv/repo/migrations/20260101000000_start.exs",
		"defmodule Shop.Repo.Migrations.Start do\n  use Ecto.Migration\n\n  def up do\n"+execute(tables)+"  end\n\n  def down do\n"+execute(drops)+"  end\nend\n")
}

// shape is what a rollback must bring back: columns without their order,
// indexes, constraints, triggers and functions.
func (p *project) shape() []string {
	p.t.Helper()
	return p.column(`
		SELECT 'column ' || table_schema || '.' || table_name || '.' || column_name || ' ' || data_type || coalesce(character_maximum_length::text, '')
			|| is_nullable || coalesce(column_default, '')
			FROM information_schema.columns WHERE table_schema !~ '^(pg_|information_schema|_?timescaledb)'
		UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname !~ '^(pg_|_?timescaledb)'
		UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || pg_get_constraintdef(oid) || convalidated FROM pg_constraint
			WHERE connamespace::regnamespace::text !~ '^(pg_|information_schema|_?timescaledb)'
		UNION ALL SELECT 'trigger ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
		UNION ALL SELECT 'function ' || oid::regprocedure FROM pg_proc WHERE pronamespace::regnamespace::text IN ('public', 'audit')
			AND probin IS NULL
		ORDER BY 1`)
}

// A template becomes migrations that lint clean and that the commands apply,
// roll back and apply again.
func TestNewMigrateRollback(t *testing.T) {
	for _, tmpl := range templates.All() {
		if tmpl.Snippet || tmpl.Needs.TimescaleDB != "" {
			continue
		}
		for _, format := range []string{"ecto", "goose", "golang-migrate"} {
			t.Run(tmpl.Name+"/"+format, func(t *testing.T) {
				tables, drops := users+orders, "DROP TABLE orders;\n"+gone
				if tmpl.Name == "create_table" {
					tables, drops = users, gone
				}
				p := starting(t, format, tables, drops)
				p.must(0, "migrate", "--yes")
				first := p.shape()

				o := p.must(0, "new", tmpl.Name, "new_"+tmpl.Name, "--table", "orders")
				files := strings.Fields(o.out)
				migrations := 0
				for _, f := range files {
					if _, err := os.Stat(filepath.Join(p.dir, f)); err != nil {
						t.Errorf("printed a path that is not there: %v", err)
					}
					if !strings.HasSuffix(f, ".down.sql") {
						migrations++
					}
				}
				if o := p.raw("lint"); o.code != 0 {
					t.Errorf("lint: exit %d\n%s%s", o.code, o.out, o.errout)
				}
				p.must(0, "migrate", "--yes")
				second := p.shape()
				p.must(0, "rollback", "--yes", "--step", strconv.Itoa(migrations))
				if diff := cmp.Diff(first, p.shape()); diff != "" || cmp.Equal(first, second) {
					t.Errorf("rollback does not lead back (-before +after):\n%s", diff)
				}
				p.must(0, "migrate", "--yes")
				if diff := cmp.Diff(second, p.shape()); diff != "" {
					t.Errorf("the second migrate does not do what the first did:\n%s", diff)
				}
			})
		}
	}
}

// Every template has no finding at warning or above, whether the project's
// history makes the tables that it is about or the project is new.
func TestNewLintsClean(t *testing.T) {
	for _, format := range []string{"ecto", "goose", "golang-migrate"} {
		t.Run(format, func(t *testing.T) {
			lintAll(t, starting(t, format, users+orders, "DROP TABLE orders;\n"+gone))
		})
		t.Run(format+", a new project", func(t *testing.T) {
			p := starting(t, format, users, gone)
			dir, flags := "migrations", []string{"--migrations", "migrations", "--migration-format", format}
			if format == "ecto" {
				dir, flags = "priv/repo/migrations", nil
			}
			files, err := filepath.Glob(filepath.Join(p.dir, dir, "*"))
			if err != nil || len(files) == 0 {
				t.Fatal(files, err)
			}
			for _, f := range files {
				if err := os.Remove(f); err != nil {
					t.Fatal(err)
				}
			}
			lintAll(t, p, flags...)
		})
	}
}

// lintAll writes one template after the other, each for itself, and lints it.
func lintAll(t *testing.T, p *project, flags ...string) {
	t.Helper()
	for _, tmpl := range templates.All() {
		if tmpl.Statement || tmpl.Test {
			continue
		}
		args := append([]string{"new", tmpl.Name, "new_" + tmpl.Name}, flags...)
		switch tmpl.Name {
		case "create_table", "uuid_key", "uuid_v7_key", "polymorphic", "create_hypertable", "create_plain_hypertable":
			args = append(args, "--table", tmpl.Name+"_rows")
		}
		o := p.raw(args...)
		if o.code != 0 {
			t.Fatalf("%v: %s", args, o.errout)
		}
		files := strings.Fields(o.out)
		if lint := p.raw(append(append([]string{"lint"}, flags...), files...)...); lint.code != 0 || len(files) == 0 {
			t.Errorf("%s: exit %d\n%s%s", tmpl.Name, lint.code, lint.out, lint.errout)
		}
		// The next one must not build on this one.
		for _, f := range files {
			if err := os.Remove(filepath.Join(p.dir, f)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestNewListsAndRefuses(t *testing.T) {
	p := starting(t, "goose", users, gone)
	o := p.raw("new", "--list")
	if o.code != 0 || !strings.HasPrefix(o.out, "create_table ") || strings.Contains(o.out, "lock_timeout") {
		t.Errorf("exit %d\n%s", o.code, o.out)
	}
	// What one does, locks, needs and writes, in the project's language.
	o = p.raw("new", "--list", "create_hypertable")
	for _, want := range []string{"Locks: nothing that exists.", "Needs TimescaleDB 2.13", "```sql\n-- up\nCREATE TABLE trades (", "\n-- down\nDROP "} {
		if o.code != 0 || !strings.Contains(o.out, want) || strings.Contains(o.out, "elixir") {
			t.Errorf("exit %d, no %q in\n%s", o.code, want, o.out)
		}
	}
	for _, args := range [][]string{
		{"new"}, {"new", "create_table"}, {"new", "no_such", "a"}, {"new", "create_table", "a b/c"}, {"new", "--list", "no_such"}, {"new", "--list", "create_table", "a"},
		{"new", "create_table", "create_orders", "--table", "order"}, {"new", "migration_test", "start"},
	} {
		if o := p.raw(args...); o.code != exitUsage || o.out != "" || !strings.HasPrefix(o.errout, "ddlsp: ") {
			t.Errorf("%v: exit %d, %q, %q", args, o.code, o.out, o.errout)
		}
	}
	if files, err := filepath.Glob(filepath.Join(p.dir, "migrations", "*")); err != nil || len(files) != 1 {
		t.Errorf("something was written: %v, %v", files, err)
	}
}

// A project's own templates are listed and written, and what is wrong with one
// is said with its place.
func TestOwnTemplates(t *testing.T) {
	p := starting(t, "goose", users, gone)
	p.write(".ddlsp/templates/tenant.txtar", "title: Tenant\nfield table = users\n-- up.sql --\nALTER TABLE {{table}} ADD COLUMN tenant text;\n-- down.sql --\nALTER TABLE {{table}} DROP COLUMN tenant;\n")
	p.write(".ddlsp/templates/broken.txtar", "title: Broken\n-- up.sql --\nSELECT {{x}};\n")
	o := p.raw("new", "--list")
	if o.code != 0 || !strings.Contains(o.out, "tenant  ") || !strings.Contains(o.out, "[.ddlsp/templates/tenant.txtar]") ||
		o.errout != "warning: .ddlsp/templates/broken.txtar:3: the field x is not declared; the head does it: \"field x = its default\"\n" {
		t.Errorf("exit %d\n%s%s", o.code, o.out, o.errout)
	}
	if o := p.raw("new", "broken", "x"); o.code != exitUsage || !strings.Contains(o.errout, "broken.txtar:3: ") {
		t.Errorf("exit %d %s%s", o.code, o.out, o.errout)
	}
	p.must(0, "migrate", "--yes")
	before := p.shape()
	p.must(0, "new", "tenant", "add_tenant_to_users")
	p.must(0, "lint")
	p.must(0, "migrate", "--yes")
	if cmp.Equal(before, p.shape()) {
		t.Error("nothing was changed")
	}
	p.must(0, "rollback", "--yes")
	if diff := cmp.Diff(before, p.shape()); diff != "" {
		t.Errorf("rollback does not lead back (-before +after):\n%s", diff)
	}
}

// example copies an example project.
func example(t *testing.T, name string) *project {
	t.Helper()
	p := newProject(t)
	root := filepath.Join("..", "..", "examples", name)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		p.write(rel, string(text))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The examples lint clean, and go all the way up and down.
func TestExamples(t *testing.T) {
	for name, server := range map[string]func(testing.TB) *pgtest.Database{
		"shop_ecto": pgtest.DB, "metrics_goose": pgtest.DB, "sensors_timescale": pgtest.Timescale,
	} {
		t.Run(name, func(t *testing.T) {
			p := example(t, name)
			p.db = server(t)
			if name == "sensors_timescale" {
				p.db.Exec("DROP EXTENSION timescaledb") // the first migration makes it
			}
			if o := p.raw("lint", "--fail-on", "hint"); o.code != 0 {
				t.Errorf("lint: exit %d\n%s%s", o.code, o.out, o.errout)
			}
			empty := p.shape()
			p.must(0, "migrate", "--yes")
			full := p.shape()
			if len(full) < 20 {
				t.Errorf("little was made: %q", full)
			}
			p.must(0, "rollback", "--all", "--yes")
			for _, s := range p.shape() {
				if !strings.Contains(s, "schema_migrations") && !strings.Contains(s, "goose_db_version") {
					t.Errorf("left behind: %s", s)
				}
			}
			if len(empty) > 0 {
				t.Errorf("the test's database was not empty: %q", empty)
			}
			p.must(0, "migrate", "--yes")
			if diff := cmp.Diff(full, p.shape()); diff != "" {
				t.Errorf("the second migrate does not do what the first did:\n%s", diff)
			}
		})
	}
}
