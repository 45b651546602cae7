package workspace_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ddlsp/ddlsp/internal/workspace"
	"github.com/ddlsp/ddlsp/snippets"
)

// noon is when the tests' migrations are written.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// tree writes files, by their paths, below a fresh directory.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// written asks for a new migration in the one project of dir and returns the
// files relative to it.
func written(t *testing.T, opts workspace.Options, req workspace.NewRequest) (names []string, texts map[string]string, err error) {
	t.Helper()
	ctx := context.Background()
	snap := workspace.NewSession(opts).Snapshot()
	all, err := snap.Projects(ctx)
	if err != nil || len(all) != 1 {
		t.Fatalf("projects: %v, %v", all, err)
	}
	req.Now = noon
	n, err := snap.NewMigration(ctx, all[0], req)
	if err != nil {
		return nil, nil, err
	}
	texts = map[string]string{}
	for _, f := range n.Files {
		name, err := filepath.Rel(opts.Dir, f.Path)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, filepath.ToSlash(name))
		texts[filepath.ToSlash(name)] = f.New
	}
	if len(n.Snippets) != len(n.Files) {
		t.Fatalf("%d snippets of %d files", len(n.Snippets), len(n.Files))
	}
	stop := regexp.MustCompile(`\$\{\d+(?::((?:\\.|[^\\}])*))?\}|\$0`)
	for i, f := range n.Files { // the first place of a field has its value: with it the snippet begins as the file does
		plain := strings.NewReplacer(`\$`, "$", `\}`, "}", `\\`, `\`).Replace(stop.ReplaceAllString(n.Snippets[i], "$1"))
		head, _, _ := strings.Cut(stop.ReplaceAllString(n.Snippets[i], "\x00"), "\x00")
		if !strings.HasPrefix(f.New, strings.NewReplacer(`\$`, "$", `\}`, "}", `\\`, `\`).Replace(head)) || !strings.HasSuffix(n.Snippets[i], "$0") || len(plain) > len(f.New) {
			t.Errorf("the snippet of %s is\n%s\nthe file\n%s", f.Path, n.Snippets[i], f.New)
		}
	}
	return names, texts, n.Write()
}

func TestNewMigrationIsNamedAsItsToolNamesIt(t *testing.T) {
	const table = "CREATE TABLE a (id bigint PRIMARY KEY);\n"
	for _, test := range []struct {
		what  string
		files map[string]string
		want  []string
	}{
		{"goose's sequence goes on", map[string]string{"m/00001_a.sql": "-- +goose Up\n" + table, "m/00009_b.sql": "-- +goose Up\nSELECT 1;\n"},
			[]string{"m/00010_add_note_to_a.sql", "m/00011_add_note_to_a_index.sql"}},
		{"goose's timestamps go on", map[string]string{"m/20250101000000_a.sql": "-- +goose Up\n" + table},
			[]string{"m/20260301120000_add_note_to_a.sql", "m/20260301120001_add_note_to_a_index.sql"}},
		{"a version from the future is not overtaken", map[string]string{"m/20270101000000_a.sql": "-- +goose Up\n" + table},
			[]string{"m/20270101000001_add_note_to_a.sql", "m/20270101000002_add_note_to_a_index.sql"}},
		{"golang-migrate writes pairs", map[string]string{"m/000001_a.up.sql": table, "m/000001_a.down.sql": "DROP TABLE a;\n"},
			[]string{"m/000002_add_note_to_a.up.sql", "m/000002_add_note_to_a.down.sql", "m/000003_add_note_to_a_index.up.sql", "m/000003_add_note_to_a_index.down.sql"}},
		{"dbmate", map[string]string{"m/20250101000000_a.sql": "-- migrate:up\n" + table + "-- migrate:down\nDROP TABLE a;\n"},
			[]string{"m/20260301120000_add_note_to_a.sql", "m/20260301120001_add_note_to_a_index.sql"}},
	} {
		dir := tree(t, test.files)
		names, texts, err := written(t, workspace.Options{Dir: dir}, workspace.NewRequest{Template: "soft_delete", Name: "AddNoteToA", Table: "a"})
		if err != nil || !slices.Equal(names, test.want) {
			t.Errorf("%s: %q, %v, want %q", test.what, names, err, test.want)
		}
		for name, text := range texts {
			onDisk, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
			if err != nil || string(onDisk) != text {
				t.Errorf("%s: %s: %q, %v", test.what, name, onDisk, err)
			}
		}
	}
}

func TestNewMigrationRefuses(t *testing.T) {
	goose := map[string]string{"m/00001_a.sql": "-- +goose Up\nCREATE TABLE a (id bigint PRIMARY KEY);\n"}
	for _, test := range []struct {
		files map[string]string
		req   workspace.NewRequest
		want  string
	}{
		{goose, workspace.NewRequest{Template: "no_such", Name: "a"}, "--list"},
		{goose, workspace.NewRequest{Template: "lock_timeout", Name: "a"}, "single statement"},
		{goose, workspace.NewRequest{Template: "add_index", Name: "../../etc"}, "cannot be called"},
		{goose, workspace.NewRequest{Template: "add_index", Name: ""}, "cannot be called"},
		{goose, workspace.NewRequest{Template: "add_index", Name: "a", Table: "a; DROP TABLE b"}, "cannot write about a table"},
		{goose, workspace.NewRequest{Template: "add_index", Name: "a", Table: "user"}, "reserved word"},
		{goose, workspace.NewRequest{Template: "add_index", Name: "a", Dir: "elsewhere"}, "no directory of the project's migrations"},
	} {
		dir := tree(t, test.files)
		names, _, err := written(t, workspace.Options{Dir: dir}, test.req)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %q, %v, want an error that says %q", test.req, names, err, test.want)
		}
		if entries, _ := os.ReadDir(filepath.Join(dir, "m")); len(entries) != 1 {
			t.Errorf("%+v: something was written: %v", test.req, entries)
		}
	}
}

func TestNewMigrationNeverOverwrites(t *testing.T) {
	dir := tree(t, map[string]string{"m/00001_a.sql": "-- +goose Up\nCREATE TABLE a (id bigint PRIMARY KEY);\n"})
	ctx := context.Background()
	snap := workspace.NewSession(workspace.Options{Dir: dir}).Snapshot()
	all, err := snap.Projects(ctx)
	if err != nil {
		t.Fatal(err)
	}
	n, err := snap.NewMigration(ctx, all[0], workspace.NewRequest{Template: "soft_delete", Name: "b", Now: noon})
	if err != nil || len(n.Files) != 2 {
		t.Fatal(n, err)
	}
	// Somebody else was quicker with the second file.
	if err := os.WriteFile(n.Files[1].Path, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := n.Write(); err == nil || !strings.Contains(err.Error(), "nothing was written") {
		t.Errorf("got %v", err)
	}
	if text, _ := os.ReadFile(n.Files[1].Path); string(text) != "mine" {
		t.Errorf("overwritten: %s", text)
	}
	if _, err := os.Stat(n.Files[0].Path); err == nil {
		t.Error("the first file was left behind")
	}
}

// Functions that an earlier migration made are not made again, and keys have
// the type that the project's keys have.
func TestNewMigrationKnowsTheProject(t *testing.T) {
	dir := tree(t, map[string]string{
		"m/00001_users.sql": "-- +goose Up\nCREATE TABLE users (id bigint PRIMARY KEY);\nCREATE TABLE logs (id uuid PRIMARY KEY);\nCREATE TABLE logs2 (id uuid PRIMARY KEY);\n",
		"m/00002_audit.sql": "-- +goose Up\n-- +goose StatementBegin\nCREATE  FUNCTION \"audit\".log_changes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END; $$;\n-- +goose StatementEnd\n",
	})
	names, texts, err := written(t, workspace.Options{Dir: dir}, workspace.NewRequest{Template: "add_triggers", Name: "add_triggers_to_users"})
	if err != nil || !slices.Equal(names, []string{"m/00003_add_triggers_to_users.sql"}) || !strings.Contains(texts[names[0]], "BEFORE UPDATE ON users") {
		t.Errorf("%q, %v\n%s", names, err, texts)
	}
	names, texts, err = written(t, workspace.Options{Dir: dir}, workspace.NewRequest{Template: "create_table", Name: "create_orders"})
	if err != nil || !strings.Contains(texts[names[0]], "user_id bigint NOT NULL REFERENCES users (id)") {
		t.Errorf("%q, %v\n%s", names, err, texts)
	}
}

// mixed is a Mix project; config is what its configuration says of the repo.
func mixed(config string, more map[string]string) map[string]string {
	files := map[string]string{
		"mix.exs":           "defmodule Shop.MixProject do\n  use Mix.Project\n\n  def project, do: [app: :shop]\nend\n",
		"config/config.exs": "import Config\n\nconfig :shop, ecto_repos: [Shop.Data.Repo]\nconfig :shop, Shop.Data.Repo, database: \"d\"" + config + "\n",
		"lib/repo.ex":       "defmodule Shop.Data.Repo do\n  use Ecto.Repo, otp_app: :shop, adapter: Ecto.Adapters.Postgres\nend\n",
	}
	for name, text := range more {
		files[name] = text
	}
	return files
}

func TestNewEctoMigration(t *testing.T) {
	const dir = "priv/repo/migrations/"
	one := map[string]string{dir + "20260101000000_create_users.exs": "defmodule Shop.Data.Repo.Migrations.CreateUsers do\n  use Ecto.Migration\n\n  def change do\n    create table(:users)\n  end\nend\n"}
	names, texts, err := written(t, workspace.Options{Dir: tree(t, mixed("", one))}, workspace.NewRequest{Template: "alter_table", Name: "AlterUsers"})
	want := []string{dir + "20260301120000_alter_users.exs", dir + "20260301120001_alter_users_index.exs"}
	if err != nil || !slices.Equal(names, want) {
		t.Fatalf("%q, %v", names, err)
	}
	if text := texts[want[0]]; !strings.HasPrefix(text, "defmodule Shop.Data.Repo.Migrations.AlterUsers do\n  use Ecto.Migration\n\n  def change do\n    alter table(:users) do\n") {
		t.Error(text)
	}
	if text := texts[want[1]]; !strings.Contains(text, "@disable_migration_lock true") || !strings.Contains(text, "Migrations.AlterUsersIndex do") {
		t.Error(text)
	}

	// The repo's configuration decides on the lock and the keys.
	names, texts, err = written(t, workspace.Options{Dir: tree(t, mixed(", migration_lock: :pg_advisory_lock, migration_primary_key: [type: :bigserial]", one))},
		workspace.NewRequest{Template: "add_foreign_key", Name: "add_account_to_users"})
	if err != nil || len(names) != 3 || strings.Contains(texts[names[1]], "@disable_migration_lock") || !strings.Contains(texts[names[0]], "references(:accounts, type: :bigint,") {
		t.Errorf("%q, %v\n%s", names, err, texts)
	}

	// Ecto's generator refuses a name that is there.
	_, _, err = written(t, workspace.Options{Dir: tree(t, mixed("", one))}, workspace.NewRequest{Template: "create_table", Name: "create_users"})
	if err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("a name that is there: %v", err)
	}

	names, texts, err = written(t, workspace.Options{Dir: tree(t, mixed("", one))}, workspace.NewRequest{Template: "migration_test", Name: "create_users"})
	if err != nil || !slices.Equal(names, []string{"test/migrations/create_users_test.exs"}) ||
		!strings.Contains(texts[names[0]], "@repo Shop.Data.Repo\n  @version 20_260_101_000_000\n") || !strings.Contains(texts[names[0]], `table?("users")`) {
		t.Errorf("%q, %v\n%s", names, err, texts)
	}
}

// An empty file of an Ecto project, and one that is half typed, in an editor.
func TestCompletionsInAnEctoProject(t *testing.T) {
	const migrations = "priv/repo/migrations/"
	dir := tree(t, mixed("", map[string]string{
		migrations + "20260101000000_create_users.exs": "defmodule Shop.Data.Repo.Migrations.CreateUsers do\n  use Ecto.Migration\n\n  def change do\n    create table(:users) do\n      add :email, :text\n    end\n  end\nend\n",
	}))
	session := workspace.NewSession(workspace.Options{Dir: dir})
	complete := func(name, text string) map[string]snippets.Item {
		path := filepath.Join(dir, name)
		at := strings.IndexByte(text, '|')
		session.Open(path, 1, text[:at]+text[at+1:])
		out := map[string]snippets.Item{}
		for _, it := range session.Snapshot().Completions(context.Background(), path, at) {
			out[it.Label] = it
		}
		return out
	}
	got := complete(migrations+"20260102000000_create_carts.exs", "|")["create_table"].Plain
	for _, want := range []string{"defmodule Shop.Data.Repo.Migrations.CreateCarts do\n", "create table(:carts,", "references(:users, type: :bigint,"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	half := "defmodule Shop.Data.Repo.Migrations.X do\n  use Ecto.Migration\n\n  def change do\n    "
	if it, ok := complete(migrations+"20260103000000_x.exs", half+"cre|\n  end\nend\n")["create_table"]; !ok || it.End-it.Start != len("cre") {
		t.Errorf("%v, %+v", ok, it)
	}
	if it, ok := complete(migrations+"20260104000000_y.exs", half+"create index(:users, [:|")["email"]; !ok || it.Kind != snippets.Column {
		t.Errorf("%v, %+v", ok, it)
	}
	if got := complete("test/a.exs", "|"); len(got) > 0 {
		t.Errorf("a file that is no migration: %d items", len(got))
	}
}

func TestCompletionsOfAFile(t *testing.T) {
	dir := tree(t, map[string]string{
		"m/000001_a.up.sql": "CREATE TABLE users (id bigint PRIMARY KEY);\n", "m/000001_a.down.sql": "DROP TABLE users;\n",
		"m/000002_create_orders.up.sql": "", "go.mod": "module x\n",
		"priv/repo/migrations/20260101000000_create_carts.exs": "",
		"lib/a.exs": "", "notes.md": "",
	})
	session := workspace.NewSession(workspace.Options{Dir: dir})
	find := func(name, label string) *snippets.Item {
		for _, it := range session.Snapshot().Completions(context.Background(), filepath.Join(dir, name), 0) {
			if it.Label == label {
				return &it
			}
		}
		return nil
	}
	it := find("m/000002_create_orders.up.sql", "create_table")
	if it == nil || !strings.HasPrefix(it.Plain, "CREATE TABLE orders (") || !strings.Contains(it.Plain, "user_id bigint NOT NULL") {
		t.Fatalf("%+v", it)
	}
	if len(it.Files) != 1 || filepath.Base(it.Files[0].Path) != "000002_create_orders.down.sql" || it.Files[0].Text != "DROP TABLE orders;\n" {
		t.Errorf("the other file: %+v", it.Files)
	}
	if it := find("priv/repo/migrations/20260101000000_create_carts.exs", "create_table"); it == nil || !strings.Contains(it.Plain, "create table(:carts,") {
		t.Errorf("%+v", it)
	}
	for _, name := range []string{"lib/a.exs", "notes.md", "none.sql", "m"} {
		if it := find(name, "create_table"); it != nil {
			t.Errorf("%s: offered", name)
		}
	}
}
