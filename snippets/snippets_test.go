package snippets_test

import (
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/snippets"
	"github.com/ddlsp/ddlsp/templates"
)

// complete completes at the mark | of text.
func complete(t *testing.T, format migration.Format, path, text string, p snippets.Project) (string, []snippets.Item) {
	t.Helper()
	at := strings.IndexByte(text, '|')
	if at < 0 {
		t.Fatal("the text has no mark |")
	}
	text = text[:at] + text[at+1:]
	return text, snippets.Completions(snippets.Context{Path: path, Text: text, Offset: at, Format: format, Project: p})
}

// find returns the item with the label.
func find(t *testing.T, items []snippets.Item, label string) snippets.Item {
	t.Helper()
	for _, it := range items {
		if it.Label == label {
			return it
		}
	}
	t.Fatalf("no item %q in %q", label, labels(items))
	return snippets.Item{}
}

func labels(items []snippets.Item) []string {
	var out []string
	for _, it := range items {
		out = append(out, it.Label)
	}
	return out
}

// accept does what an editor does when the user takes an item and leaves every
// field as it is.
func accept(t *testing.T, text string, it snippets.Item) string {
	t.Helper()
	lines := strings.Split(expand(t, it.Snippet), "\n")
	for i, l := range lines {
		if i > 0 && l != "" {
			lines[i] = it.Indent + l
		}
	}
	edits := append([]snippets.Edit{{Start: it.Start, End: it.End, Text: strings.Join(lines, "\n")}}, it.Edits...)
	sort.SliceStable(edits, func(i, j int) bool { return edits[i].Start > edits[j].Start })
	last := len(text) + 1
	for _, e := range edits {
		if e.End > last || e.End == last && e.Start == last || e.Start > e.End {
			t.Fatalf("edits overlap or touch at one place: %+v", edits)
		}
		last = e.Start
		text = text[:e.Start] + e.Text + text[e.End:]
	}
	return text
}

var stop = regexp.MustCompile(`^\$(\d+)|^\$\{(\d+)(?::((?:\\.|[^\\}])*))?\}`)

// expand reads a snippet as the protocol's grammar says and returns its text
// with the default of each tab stop, in all its places.
func expand(t *testing.T, snippet string) string {
	t.Helper()
	unescape := strings.NewReplacer(`\\`, `\`, `\$`, `$`, `\}`, `}`)
	values := map[string]string{}
	var b strings.Builder
	for i := 0; i < len(snippet); {
		switch c := snippet[i]; {
		case c == '\\':
			b.WriteByte(snippet[i+1])
			i += 2
		case c == '$':
			m := stop.FindStringSubmatch(snippet[i:])
			if m == nil {
				t.Fatalf("a $ that is no tab stop: %q", snippet[i:])
			}
			if m[3] != "" {
				values[m[2]] = unescape.Replace(m[3])
			} else if m[2] != "" && values[m[2]] == "" {
				t.Fatalf("tab stop %s is mirrored before it has a value: %q", m[2], snippet)
			}
			b.WriteString(values[m[2]])
			i += len(m[0])
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String()
}

// Whatever the place, the snippet with its defaults is the plain text.
func TestSnippetsSayWhatPlainTextSays(t *testing.T) {
	n := 0
	for _, place := range []struct {
		format migration.Format
		path   string
		text   string
	}{
		{migration.Ecto, "20260101120000_create_orders.exs", "|"},
		{migration.Ecto, "20260101120000_create_orders.exs", "defmodule A do\n  use Ecto.Migration\n\n  def change do\n    |\n  end\nend\n"},
		{migration.Ecto, "20260101120000_create_orders.exs", "defmodule A do\n  use Ecto.Migration\n\n  def up do\n    |\n  end\nend\n"},
		{migration.Goose, "00001_create_orders.sql", "-- +goose Up\n|\n"},
		{migration.GolangMigrate, "1_create_orders.up.sql", "|"},
	} {
		_, items := complete(t, place.format, place.path, place.text, snippets.Project{Name: "create_orders", Module: "Shop.Repo.Migrations.CreateOrders"})
		for _, it := range items {
			n++
			if got := expand(t, it.Snippet); got != it.Plain {
				t.Errorf("%s at %q: the snippet gives\n%s\nthe plain text is\n%s", it.Label, place.text, got, it.Plain)
			}
			if it.Detail == "" || !strings.Contains(it.Documentation, "Locks: ") || !strings.Contains(it.Documentation, strings.TrimRight(it.Plain, "\n")) {
				t.Errorf("%s: detail %q, documentation %q", it.Label, it.Detail, it.Documentation)
			}
			if strings.Contains(it.Snippet, "|") && regexp.MustCompile(`\$\{\d+\|`).MatchString(it.Snippet) {
				t.Errorf("%s offers a choice", it.Label)
			}
		}
	}
	if n < 100 {
		t.Errorf("only %d items were looked at", n)
	}
}

func TestWholeEctoFile(t *testing.T) {
	text, items := complete(t, migration.Ecto, "priv/repo/migrations/20260101120000_create_invoices.exs", "create_t|",
		snippets.Project{Name: "create_invoices", Module: "Shop.Repo.Migrations.CreateInvoices"})
	got := accept(t, text, find(t, items, "create_table"))
	for _, want := range []string{
		"defmodule Shop.Repo.Migrations.CreateInvoices do\n  use Ecto.Migration\n\n  def change do\n    create table(:invoices, primary_key: false) do\n",
		"      add :metadata, :map, default: %{}\n", "name: :invoices_active_user_id_index",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if labels(items)[0] != "create_table" || !strings.HasSuffix(got, "\nend\n") {
		t.Errorf("first %s; text\n%s", labels(items)[0], got)
	}
	// The table is the first tab stop, and every other place mirrors it.
	if s := find(t, items, "create_table").Snippet; !strings.Contains(s, "table(:${1:invoices},") || !strings.Contains(s, "index(:${1},") {
		t.Errorf("tab stops: %s", s)
	}
}

func TestAttributesOfEctoFiles(t *testing.T) {
	for _, advisory := range []bool{false, true} {
		_, items := complete(t, migration.Ecto, "1_add_index_to_orders.exs", "|", snippets.Project{Name: "add_index_to_orders", Module: "M", AdvisoryLock: advisory})
		got := find(t, items, "add_index").Plain
		if !strings.Contains(got, "@disable_ddl_transaction true") || strings.Contains(got, "@disable_migration_lock true") == advisory {
			t.Errorf("advisory lock %v:\n%s", advisory, got)
		}
	}
}

func TestProjectsOwnMigrationModuleAndKeyType(t *testing.T) {
	_, items := complete(t, migration.Ecto, "1_create_orders.exs", "|", snippets.Project{Name: "create_orders", Module: "M", Use: "Shop.Migration", KeyType: "bigint"})
	got := find(t, items, "create_table").Plain
	for _, want := range []string{"  use Shop.Migration\n", "references(:users, type: :bigint, on_delete: :delete_all)"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	_, items = complete(t, migration.Plain, "create_orders.sql", "|", snippets.Project{Name: "create_orders", KeyType: "bigint"})
	if got := find(t, items, "create_table").Plain; !strings.Contains(got, "user_id bigint NOT NULL REFERENCES users (id)") {
		t.Errorf("key type in SQL:\n%s", got)
	}
}

func TestReferencedTableIsGuessed(t *testing.T) {
	for _, name := range []string{"add_account_to_orders", "add_account_id_to_orders"} {
		_, items := complete(t, migration.Ecto, "1_a.exs", "|", snippets.Project{Name: name, Module: "M"})
		got := find(t, items, "add_foreign_key").Plain
		if !strings.Contains(got, "alter table(:orders)") || !strings.Contains(got, "add :account_id,") || !strings.Contains(got, "references(:accounts,") {
			t.Errorf("%s:\n%s", name, got)
		}
	}
}

func TestPartsThatTheProjectHas(t *testing.T) {
	has := func(sql string) bool { return sql == "function audit.log_changes" }
	_, items := complete(t, migration.Ecto, "1_add_triggers.exs", "|", snippets.Project{Module: "M", Has: has})
	if slices.Contains(labels(items), "add_triggers") {
		t.Error("the functions are offered again")
	}
	if got := find(t, items, "add_triggers: triggers").Plain; !strings.Contains(got, "CREATE TRIGGER") {
		t.Error(got)
	}
}

// Where items are offered, and where none can stand.
func TestPlacesInElixir(t *testing.T) {
	module := func(body string) string { return "defmodule A do\n  use Ecto.Migration\n\n" + body + "\nend\n" }
	for _, test := range []struct {
		text, want, not string
	}{
		{"|", "create_table", ""},
		{"# a comment\n|\n", "create_hypertable", ""},
		{"# a comm|ent\n", "", "create_table"},
		{module("  def change do\n    |\n  end"), "create_table", ""},
		{module("  def change do\n    cre|\n  end"), "create_hypertable", ""},
		{module("  def change() do\n    |\n  end"), "add_index", ""},
		{module("  def change do\n    alter table(:a) do\n      add :b, :text\n      |\n    end\n  end"), "add_column", "create_table"},
		{module("  def change do\n    alter table(:a) do\n      |\n    end\n  end"), "alter_table", "create_table"},
		{module("  def change do\n    create table(:a) do\n      |\n    end\n  end"), "add_foreign_key", "alter_table"},
		{module("  def change do\n    create table(:a,\n             primary_key: false) do\n      |\n    end\n  end"), "uuid_key", "create_table"},
		{module("  def change do\n    create table(:a) do\n      add :b, :text\n    end\n\n    |\n  end"), "check_constraint", "add_index"},
		{module("  def change do\n    create table(:a) do\n    end\n    |\n  end"), "comments", "create_hypertable"},
		{module("  @disable_ddl_transaction true\n  def change do\n    create index(:a, [:b], concurrently: true)\n    |\n  end"), "add_index", ""},
		{module("  def up do\n    |\n  end\n\n  def down do\n  end"), "create_hypertable", ""},
		{module("  def up do\n    execute \"a\"\n  end\n\n  def down do\n    |\n  end"), "create_hypertable", "lock_timeout"},
		{module("  def up do\n    execute \"\"\"\n    |\n    \"\"\"\n  end"), "", "create_table"},
		{module("  def up do\n    execute \"a |b\"\n  end"), "", "create_table"},
		{module("  def change do\n    create index(:a,\n      |[:b])\n  end"), "", "create_table"},
		{module("  def change do\n    x = |\n  end"), "", "create_table"},
		{module("  def change do\n    a |> b() |> c()\n  end"), "", "create_table"},
		{module("  |"), "", "create_table"},
		{module("  defp helper do\n    |\n  end"), "", "create_table"},
		{module("  def change do\n    execute(fn ->\n      |\n    end)\n  end"), "", "create_table"},
		// half typed
		{"defmodule A do\n  use Ecto.Migration\n  def change do\n    |", "create_table", ""},
		{"defmodule A do\n  use Ecto.Migration\n  def change do\n    execute \"un|", "", "create_table"},
		{"defmodule A do\n  def change do\n    ~s(a \" b)\n    x = ?\"\n    |\n  end\nend", "comments", ""},
	} {
		// Only the last | is the mark: the texts have pipes.
		at := strings.LastIndexByte(test.text, '|')
		text := test.text[:at] + test.text[at+1:]
		items := snippets.Completions(snippets.Context{Path: "1_a.exs", Text: text, Offset: at, Format: migration.Ecto})
		got := labels(items)
		if test.want != "" && !slices.Contains(got, test.want) {
			t.Errorf("%q: no %s in %q", test.text, test.want, got)
		}
		if test.want == "" && len(got) > 0 || test.not != "" && slices.Contains(got, test.not) {
			t.Errorf("%q: unwanted %s in %q", test.text, test.not, got)
		}
	}
}

// An empty change becomes up and down, where the template needs both.
func TestChangeBecomesUpAndDown(t *testing.T) {
	text, items := complete(t, migration.Ecto, "1_create_ticks.exs", "defmodule A do\n  use Ecto.Migration\n\n  def change do\n    |\n  end\nend\n", snippets.Project{Name: "create_ticks"})
	got := accept(t, text, find(t, items, "create_hypertable"))
	for _, want := range []string{
		"  use Ecto.Migration\n\n  def up do\n    create table(:ticks, primary_key: false) do\n      add :id,",
		"  end\n\n  def down do\n    execute \"DROP MATERIALIZED VIEW ticks_1min\"\n    drop table(:ticks)\n  end\nend\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestEmptyDownIsFilled(t *testing.T) {
	text, items := complete(t, migration.Ecto, "1_a.exs", "defmodule A do\n  use Ecto.Migration\n\n  def up do\n    |\n  end\n\n  def down do\n  end\nend\n", snippets.Project{})
	want := "defmodule A do\n  use Ecto.Migration\n\n  @disable_ddl_transaction true\n  @disable_migration_lock true\n\n  def up do\n" +
		"    create index(:orders, [:status], concurrently: true)\n  end\n\n  def down do\n    drop index(:orders, [:status], concurrently: true)\n  end\nend\n"
	if got := accept(t, text, find(t, items, "add_index")); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	text, items = complete(t, migration.Ecto, "1_a.exs", "defmodule A do\n  use Ecto.Migration\n\n  def up do\n    |\n  end\nend\n", snippets.Project{})
	if got := accept(t, text, find(t, items, "enum_type")); !strings.Contains(got, "  end\n\n  def down do\n    alter table(:users) do\n") {
		t.Errorf("no down:\n%s", got)
	}
}

func TestPlacesInSQL(t *testing.T) {
	for _, test := range []struct {
		format migration.Format
		path   string
		text   string
		want   bool
	}{
		{migration.Goose, "1_a.sql", "-- +goose Up\n|\n-- +goose Down\n", true},
		{migration.Goose, "1_a.sql", "|\n-- +goose Up\n-- +goose Down\n", false},
		{migration.Goose, "1_a.sql", "-- +goose Up\n-- |\n-- +goose Down\n", false},
		{migration.Goose, "1_a.sql", "-- +goose Up\nCREATE TABLE a (\n  |\n);\n-- +goose Down\n", false},
		{migration.Goose, "1_a.sql", "-- +goose Up\nCREATE TABLE a ();\ncre|\n-- +goose Down\n", true},
		{migration.Goose, "1_a.sql", "-- +goose Up\nSELECT 'it''s\n|\n';\n", false},
		{migration.Goose, "1_a.sql", "-- +goose Up\nSELECT 'it''s'; /* a /* b */\n|\n*/\n", false},
		{migration.GolangMigrate, "1_a.up.sql", "DO $$ BEGIN\n|\nEND $$;\n", false},
		{migration.GolangMigrate, "1_a.up.sql", "DO $a$ BEGIN $$ ; $$ END $a$;\n|\n", true},
		{migration.GolangMigrate, "1_a.up.sql", "SELECT E'\\'';\n|\n", true},
		{migration.Dbmate, "1_a.sql", "-- migrate:up\n|\n\n-- migrate:down\n", true},
		{migration.Plain, "a.sql", "\ufeff|", true},
		{migration.Plain, "a.sql", "SELECT |", false},
	} {
		_, items := complete(t, test.format, test.path, test.text, snippets.Project{})
		if got := len(items) > 0; got != test.want {
			t.Errorf("%s %q: %q", test.format, test.text, labels(items))
		}
	}
}

func TestGooseSections(t *testing.T) {
	// Only the heading of down follows: one text with one set of fields.
	text, items := complete(t, migration.Goose, "00002_add_note_to_orders.sql", "-- +goose Up\n|\n\n-- +goose Down\n", snippets.Project{Name: "add_note_to_orders"})
	it := find(t, items, "add_column")
	want := "-- +goose Up\nALTER TABLE orders ADD COLUMN note text;\n\n-- +goose Down\nALTER TABLE orders DROP COLUMN note;\n"
	if got := accept(t, text, it); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if !strings.Contains(it.Snippet, "DROP COLUMN ${2};") {
		t.Errorf("the down direction does not mirror the fields: %s", it.Snippet)
	}
	// Something stands in down: its own edit, before what was there.
	text, items = complete(t, migration.Goose, "00002_a.sql", "-- +goose Up\nSELECT 1;\n|\n-- +goose Down\nSELECT 2;\n", snippets.Project{})
	want = "-- +goose Up\nSELECT 1;\nALTER TABLE orders ADD COLUMN note text;\n-- +goose Down\nALTER TABLE orders DROP COLUMN note;\nSELECT 2;\n"
	if got := accept(t, text, find(t, items, "add_column")); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if slices.Contains(labels(items), "add_index") {
		t.Error("a concurrent index is offered beside another statement")
	}
	// No heading yet, and no transaction.
	text, items = complete(t, migration.Goose, "00002_a.sql", "-- +goose Up\n|", snippets.Project{})
	want = "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY orders_status_index ON orders (status);\n\n-- +goose Down\nDROP INDEX CONCURRENTLY orders_status_index;"
	if got := accept(t, text, find(t, items, "add_index")); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	// goose ends a statement at each line that ends in a semicolon.
	if got := find(t, items, "add_triggers").Plain; strings.Count(got, "-- +goose StatementBegin\nCREATE FUNCTION") != 2 || strings.Count(got, "$$;\n-- +goose StatementEnd") != 2 {
		t.Errorf("functions are not protected:\n%s", got)
	}
}

func TestDbmateOptions(t *testing.T) {
	text, items := complete(t, migration.Dbmate, "1_a.sql", "-- migrate:up\n|\n\n-- migrate:down\n\n", snippets.Project{})
	got := accept(t, text, find(t, items, "add_index"))
	if !strings.Contains(got, "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY") || !strings.Contains(got, "DROP INDEX CONCURRENTLY") {
		t.Errorf("got\n%s", got)
	}
}

func TestPairs(t *testing.T) {
	render := func(up, down string, noTransaction bool) ([]snippets.File, error) {
		return []snippets.File{{Path: "1_a.up.sql", Text: up + "\n"}, {Path: "1_a.down.sql", Text: down + "\n"}}, nil
	}
	_, items := complete(t, migration.GolangMigrate, "1_create_carts.up.sql", "|", snippets.Project{Name: "create_carts", Render: render})
	it := find(t, items, "create_table")
	if len(it.Files) != 1 || it.Files[0].Text != "DROP TABLE carts;\n" || !strings.HasPrefix(it.Snippet, "CREATE TABLE ${1:carts} (\n") {
		t.Errorf("%+v", it)
	}
	_, items = complete(t, migration.GolangMigrate, "1_create_carts.down.sql", "|", snippets.Project{Name: "create_carts", Render: render})
	if got := find(t, items, "create_table").Plain; got != "DROP TABLE carts;\n" {
		t.Errorf("down file: %q", got)
	}
}

// No place in any text makes it fail, and no offset outside of the text does.
func FuzzCompletions(f *testing.F) {
	f.Add("defmodule A do\n  def change do\n    \n  end\nend\n", 40)
	f.Add("-- +goose Up\n\n-- +goose Down\n", 13)
	f.Add("~s(\" ?\" :do do: end end fn -> \"\"\"", 3)
	f.Fuzz(func(t *testing.T, text string, offset int) {
		for _, format := range []migration.Format{migration.Ecto, migration.Goose, migration.Dbmate, migration.Tern, migration.GolangMigrate, migration.Plain} {
			for _, it := range snippets.Completions(snippets.Context{Path: "1_a.sql", Text: text, Offset: offset, Format: format}) {
				if it.Start < 0 || it.Start > it.End || it.End != offset {
					t.Fatalf("replaces %d-%d at %d", it.Start, it.End, offset)
				}
				for _, e := range it.Edits {
					if e.Start < 0 || e.Start > e.End || e.End > len(text) {
						t.Fatalf("edit %+v of %d bytes", e, len(text))
					}
				}
			}
		}
	})
}

func TestEveryTemplateIsOfferedInAnEmptyFile(t *testing.T) {
	for _, format := range []migration.Format{migration.Ecto, migration.Goose} {
		_, items := complete(t, format, "1_a.exs", "|", snippets.Project{})
		for _, tmpl := range templates.All() {
			if !tmpl.Statement && !tmpl.Test {
				find(t, items, tmpl.Name)
			}
		}
	}
}
