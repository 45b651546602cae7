package ecto

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

func readText(text string) *migration.Migration {
	return Read(&source.File{Path: "/p/priv/repo/migrations/20240101000000_vec.exs", Text: text}, nil, Options{})
}

// inModule puts lines of a module's body into a migration.
func inModule(body string) string {
	return "defmodule V do\n  use Ecto.Migration\n\n" + body + "end\n"
}

// inChange puts lines into change/0, indented by four.
func inChange(lines string) string {
	return inModule("  def change do\n" + indented(lines, "    ") + "  end\n")
}

func indented(lines, indent string) string {
	var b strings.Builder
	for _, l := range strings.Split(strings.TrimSuffix(lines, "\n"), "\n") {
		if l != "" {
			b.WriteString(indent)
		}
		b.WriteString(l + "\n")
	}
	return b.String()
}

// mend applies a change and checks that the result still reads and that the
// same change has nothing left to do or says so.
func mend(t *testing.T, before string, f func(m *migration.Migration) ([]source.Edit, error)) string {
	t.Helper()
	m := readText(before)
	edits, err := f(m)
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	after, err := source.Apply(before, edits)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Problems) == 0 {
		if p := readText(after).Problems; len(p) > 0 {
			t.Errorf("the result does not read: %v\n%s", p, after)
		}
	}
	for _, l := range strings.Split(after, "\n") {
		if l != strings.TrimRight(l, " \t") {
			t.Errorf("blanks at the end of %q", l)
		}
	}
	return after
}

func concurrently(m *migration.Migration) ([]source.Edit, error) {
	return m.Editor.Concurrently(m, m.Up.Statements()[0])
}

func TestConcurrently(t *testing.T) {
	for _, c := range []struct{ name, before, after string }{
		{"plain", "create index(:t, [:a])\n", "create index(:t, [:a], concurrently: true)\n"},
		{"parentheses", "create(index(:t, [:a]))\n", "create(index(:t, [:a], concurrently: true))\n"},
		{"no parentheses", "create index :t, [:a]\n", "create index :t, [:a], concurrently: true\n"},
		{"pipe", "index(:t, :a) |> create()\n", "index(:t, :a, concurrently: true) |> create()\n"},
		{"options", "create unique_index(:t, [:a], name: :x)\n", "create unique_index(:t, [:a], name: :x, concurrently: true)\n"},
		{"bracketed options", "create index(:t, [:a], [name: :x])\n", "create index(:t, [:a], [name: :x, concurrently: true])\n"},
		{"explicit false", "create index(:t, [:a], concurrently: false)\n", "create index(:t, [:a], concurrently: true)\n"},
		{"if not exists", "create_if_not_exists index(:t, [:a])\n", "create_if_not_exists index(:t, [:a], concurrently: true)\n"},
		{"drop", "drop index(:t, [:a])\n", "drop index(:t, [:a], concurrently: true)\n"},
		{"already", "drop index(:t, [:a], concurrently: true)\n", "drop index(:t, [:a], concurrently: true)\n"},
		{"one a line",
			"create index(\n         :t,\n         [:a],\n         name: :x\n       )\n",
			"create index(\n         :t,\n         [:a],\n         name: :x,\n         concurrently: true\n       )\n"},
		{"too long",
			"create unique_index(:organization_memberships, [:organization_id, :user_id], name: :memberships_ix)\n",
			"create unique_index(:organization_memberships, [:organization_id, :user_id],\n         name: :memberships_ix,\n         concurrently: true\n       )\n"},
		{"too long in parentheses",
			"create(index(:organization_membership, [:organization_id, :user_id], name: :ix))\n",
			"create(\n  index(:organization_membership, [:organization_id, :user_id], name: :ix, concurrently: true)\n)\n"},
		{"execute", "execute \"CREATE INDEX x ON t (a)\", \"DROP INDEX x\"\n", "execute \"CREATE INDEX CONCURRENTLY x ON t (a)\", \"DROP INDEX x\"\n"},
		{"execute that gets long",
			"execute \"CREATE INDEX organization_users ON organization (user_id)\", \"DROP INDEX organization_users\"\n",
			"execute \"CREATE INDEX CONCURRENTLY organization_users ON organization (user_id)\",\n        \"DROP INDEX organization_users\"\n"},
		{"execute in parentheses that gets long",
			"execute(\"CREATE INDEX organization_users ON organization (user_id)\", \"DROP INDEX organization_users\")\n",
			"execute(\n  \"CREATE INDEX CONCURRENTLY organization_users ON organization (user_id)\",\n  \"DROP INDEX organization_users\"\n)\n"},
		{"heredoc", "execute \"\"\"\ncreate unique index x\n  on t (a)\n\"\"\"\n", "execute \"\"\"\ncreate unique index concurrently x\n  on t (a)\n\"\"\"\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := mend(t, inChange(c.before), concurrently)
			if diff := cmp.Diff(inChange(c.after), got); diff != "" {
				t.Error(diff)
			}
			m := readText(got)
			if sql := m.Up.Statements()[0].SQL; !strings.Contains(strings.ToUpper(sql), "CONCURRENTLY") {
				t.Errorf("not concurrent: %s", sql)
			}
			if again, err := concurrently(m); err != nil || len(again) > 0 {
				t.Errorf("again: %v, %v", again, err)
			}
		})
	}
	for _, before := range []string{
		"create index(:t, [:a], @opts)\n",
		"create table(:t)\n",
		"drop index(:t, [:a]), mode: :cascade\n",
		"execute \"DROP INDEX a, b\"\n",
	} {
		m := readText(inModule("  @opts [name: :x]\n" + "  def change do\n    " + before + "  end\n"))
		if edits, err := concurrently(m); !errors.Is(err, migration.ErrNotExpressible) {
			t.Errorf("%s: %v, %v", before, edits, err)
		}
	}
}

func TestLeaveTransaction(t *testing.T) {
	leave := func(m *migration.Migration) ([]source.Edit, error) { return m.Editor.LeaveTransaction(m, migration.Up) }
	const def = "  def change do\n    create index(:t, [:a], concurrently: true)\n  end\n"
	both := "  @disable_ddl_transaction true\n  @disable_migration_lock true\n\n"
	for _, before := range []string{
		"",
		"  @disable_ddl_transaction true\n\n",
		"  @disable_ddl_transaction false\n  @disable_migration_lock true\n\n",
	} {
		got := mend(t, inModule(before+def), leave)
		if diff := cmp.Diff(inModule(both+def), got); diff != "" {
			t.Error(diff)
		}
		m := readText(got)
		if m.Up.Tx != migration.None || m.TableLock {
			t.Errorf("tx %s, lock %v", m.Up.Tx, m.TableLock)
		}
		if again, err := leave(m); err != nil || len(again) > 0 {
			t.Errorf("again: %v, %v", again, err)
		}
	}
	lock := func(m *migration.Migration) ([]source.Edit, error) { return m.Editor.DisableTableLock(m) }
	got := mend(t, inModule("  @disable_ddl_transaction true\n\n"+def), lock)
	if diff := cmp.Diff(inModule(both+def), got); diff != "" {
		t.Error(diff)
	}
	windows := strings.ReplaceAll(inModule(def), "\n", "\r\n")
	if got := applied(t, windows, leave); strings.Contains(strings.ReplaceAll(got, "\r\n", ""), "\n") {
		t.Errorf("mixed line ends: %q", got)
	}
}

// applied applies a change to a file with \r\n line ends.
func applied(t *testing.T, before string, f func(m *migration.Migration) ([]source.Edit, error)) string {
	t.Helper()
	edits, err := f(readText(before))
	if err != nil {
		t.Fatal(err)
	}
	after, err := source.Apply(before, edits)
	if err != nil {
		t.Fatal(err)
	}
	return after
}

func TestInsertBeside(t *testing.T) {
	before := func(sql ...string) func(m *migration.Migration) ([]source.Edit, error) {
		return func(m *migration.Migration) ([]source.Edit, error) {
			return m.Editor.InsertBefore(m, m.Up.Statements()[0], sql)
		}
	}
	after := func(sql ...string) func(m *migration.Migration) ([]source.Edit, error) {
		return func(m *migration.Migration) ([]source.Edit, error) {
			return m.Editor.InsertAfter(m, m.Up.Statements()[0], sql)
		}
	}
	up := func(lines string) string { return inModule("  def up do\n" + indented(lines, "    ") + "  end\n") }
	for _, c := range []struct {
		name          string
		before, after string
		do            func(m *migration.Migration) ([]source.Edit, error)
	}{
		{"before in change", inChange("create table(:t)\n"), inChange("execute \"SET LOCAL lock_timeout = '5s'\", \"\"\ncreate table(:t)\n"), before("SET LOCAL lock_timeout = '5s'")},
		{"before in up", up("# why\ndrop table(:t)\n"), up("execute \"SET LOCAL lock_timeout = '5s'\"\n# why\ndrop table(:t)\n"), before("SET LOCAL lock_timeout = '5s'")},
		{"after", up("alter table(:t) do\n  remove :a\nend\n"), up("alter table(:t) do\n  remove :a\nend\nexecute \"SELECT 1\"\nexecute \"SELECT 2\"\n"), after("SELECT 1", "SELECT 2")},
		{"after an execute", up("execute \"\"\"\nSELECT 1\n\"\"\"\n"), up("execute \"\"\"\nSELECT 1\n\"\"\"\nexecute \"SELECT 2\"\n"), after("SELECT 2")},
		{"names in quotes", up("drop table(:t)\n"), up("execute \"\"\"\nALTER TABLE \"a\" ADD b text\n\"\"\"\ndrop table(:t)\n"), before(`ALTER TABLE "a" ADD b text`)},
		{"interpolation and backslash", up("drop table(:t)\n"), up("execute \"SELECT '\\\\d\\#{x}'\"\ndrop table(:t)\n"), before(`SELECT '\d#{x}'`)},
		{"parentheses", up("drop(table(:t))\n"), up("execute(\"SELECT 1\")\ndrop(table(:t))\n"), before("SELECT 1")},
		{"parentheses in change", inChange("create(table(:t))\n"), inChange("create(table(:t))\nexecute(\"SELECT 1\", \"\")\n"), after("SELECT 1")},
		{"parentheses and quotes", up("drop(table(:t))\n"), up("execute(\"\"\"\nSELECT \"a\"\n\"\"\")\ndrop(table(:t))\n"), before(`SELECT "a"`)},
		{"several lines in change", inChange("create table(:t)\n"), inChange("create table(:t)\nexecute(\n  \"\"\"\n  SELECT 1,\n    2\n  \"\"\",\n  \"\"\n)\n"), after("SELECT 1,\n  2;")},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.after, mend(t, c.before, c.do)); diff != "" {
				t.Error(diff)
			}
		})
	}
	m := readText(inModule("  def up, do: drop(table(:t))\n"))
	if _, err := before("SELECT 1")(m); !errors.Is(err, migration.ErrNotExpressible) {
		t.Errorf("a one-line def has no place for another statement: %v", err)
	}
}

func TestWriteDown(t *testing.T) {
	set := func(m *migration.Migration) ([]source.Edit, error) {
		return m.Editor.SetDown(m, []string{"DROP INDEX a", "DROP TABLE t"})
	}
	raise := func(m *migration.Migration) ([]source.Edit, error) {
		return m.Editor.RaiseInDown(m, `data of "t" is gone`)
	}
	const up = "  def up do\n    execute \"CREATE TABLE t (a int)\"\n  end\n"
	const down = "\n  def down do\n    execute \"DROP INDEX a\"\n    execute \"DROP TABLE t\"\n  end\n"
	const raises = "\n  def down do\n    raise Ecto.MigrationError, \"data of \\\"t\\\" is gone\"\n  end\n"
	for _, c := range []struct {
		name          string
		before, after string
		do            func(m *migration.Migration) ([]source.Edit, error)
	}{
		{"missing", up, up + down, set},
		{"empty", up + "\n  def down, do: :ok\n", up + down, set},
		{"empty block", up + "\n  def down do\n    :ok\n  end\n", up + down, set},
		{"raise", up, up + raises, raise},
		{"raise for change", "  def change do\n    execute \"SELECT 1\"\n  end\n", "  def up do\n    execute \"SELECT 1\"\n  end\n" + raises, raise},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := mend(t, inModule(c.before), c.do)
			if diff := cmp.Diff(inModule(c.after), got); diff != "" {
				t.Error(diff)
			}
		})
	}
	m := readText(inModule(up + raises))
	if m.Down.Origin != migration.Raises || m.Down.Reason != `data of "t" is gone` || m.Down.Err == nil {
		t.Errorf("down is %s (%s)", m.Down.Origin, m.Down.Reason)
	}
	if _, err := set(readText(inModule(up + down))); !errors.Is(err, migration.ErrNotExpressible) {
		t.Errorf("a written down must stay: %v", err)
	}
}

func TestReverse(t *testing.T) {
	find := func(m *migration.Migration) *migration.Command {
		for _, s := range m.Up.Statements() {
			for _, sub := range s.Command.Sub {
				if sub.Irreversible != "" {
					return sub
				}
			}
			if s.Command.Irreversible != "" {
				return s.Command
			}
		}
		return nil
	}
	for _, c := range []struct {
		name          string
		before, after string
		known         migration.Known
	}{
		{"execute", "execute \"CREATE SCHEMA a\"\n", "execute \"CREATE SCHEMA a\", \"DROP SCHEMA a\"\n", migration.Known{SQL: []string{"DROP SCHEMA a;"}}},
		{"execute in parentheses", "execute(\"CREATE SCHEMA a\")\n", "execute(\"CREATE SCHEMA a\", \"DROP SCHEMA a\")\n", migration.Known{SQL: []string{"DROP SCHEMA a"}}},
		{"execute of a heredoc", "execute \"\"\"\nCREATE SCHEMA a\n  AUTHORIZATION b\n\"\"\"\n", "execute(\n  \"\"\"\n  CREATE SCHEMA a\n    AUTHORIZATION b\n  \"\"\",\n  \"DROP SCHEMA a\"\n)\n", migration.Known{SQL: []string{"DROP SCHEMA a"}}},
		{"execute that gets long", "execute \"CREATE SCHEMA a_schema_with_a_rather_long_name_of_its_own\"\n", "execute(\n  \"CREATE SCHEMA a_schema_with_a_rather_long_name_of_its_own\",\n  \"DROP SCHEMA a_schema_with_a_rather_long_name_of_its_own\"\n)\n", migration.Known{SQL: []string{"DROP SCHEMA a_schema_with_a_rather_long_name_of_its_own"}}},
		{"remove", "alter table(:t) do\n  remove :a\nend\n", "alter table(:t) do\n  remove :a, :string, null: false, default: \"x\"\nend\n", migration.Known{Type: "varchar(255)", NotNull: true, Default: "'x'::character varying"}},
		{"remove with a function", "alter table(:t) do\n  remove(:a)\nend\n", "alter table(:t) do\n  remove(:a, :timestamptz, default: fragment(\"now()\"))\nend\n", migration.Known{Type: "timestamptz", Default: "now()"}},
		{"modify", "alter table(:t) do\n  modify :a, :text\nend\n", "alter table(:t) do\n  modify :a, :text, from: :integer\nend\n", migration.Known{Type: "integer"}},
		{"modify null", "alter table(:t) do\n  modify :a, :text, null: false\nend\n", "alter table(:t) do\n  modify :a, :text, null: false, from: {:text, null: true}\nend\n", migration.Known{Type: "text"}},
		{"modify default", "alter table(:t) do\n  modify :a, :decimal, default: 0\nend\n", "alter table(:t) do\n  modify :a, :decimal, default: 0, from: {:decimal, precision: 10, scale: 2, default: nil}\nend\n", migration.Known{Type: "numeric(10,2)"}},
		{"modify that gets long", "alter table(:t) do\n  modify :a_rather_long_column, :\"timestamp with time zone\", null: false, default: 0\nend\n", "alter table(:t) do\n  modify :a_rather_long_column, :\"timestamp with time zone\",\n    null: false,\n    default: 0,\n    from: {:timestamp, null: true, default: nil}\nend\n", migration.Known{Type: "timestamp"}},
		{"drop", "drop constraint(:t, :c)\n", "execute \"ALTER TABLE t DROP CONSTRAINT c\", \"ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)\"\n", migration.Known{SQL: []string{"ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := mend(t, inChange(c.before), func(m *migration.Migration) ([]source.Edit, error) {
				cmd := find(m)
				if cmd == nil {
					t.Fatal("no irreversible command")
				}
				return m.Editor.Reverse(m, cmd, c.known)
			})
			if diff := cmp.Diff(inChange(c.after), got); diff != "" {
				t.Error(diff)
			}
			m := readText(got)
			if find(m) != nil || m.Down.Err != nil {
				t.Errorf("still irreversible: %v", m.Down.Err)
			}
		})
	}
}

func TestAddKeyColumn(t *testing.T) {
	add := func(m *migration.Migration) ([]source.Edit, error) {
		s := m.Up.Statements()[0]
		var key source.Span
		if i := strings.Index(s.SQL, "(a)"); i >= 0 {
			key = source.Span{Start: i + 1, End: i + 2}
		}
		return m.Editor.AddKeyColumn(m, s, key, "at")
	}
	for _, c := range []struct{ name, before, after string }{
		{"list", "create unique_index(:t, [:a])\n", "create unique_index(:t, [:a, :at])\n"},
		{"atom", "create unique_index(:t, :a)\n", "create unique_index(:t, [:a, :at])\n"},
		{"direction", "create unique_index(:t, desc: :a)\n", ""},
		{"primary key", "create table(:t) do\n  add :at, :timestamptz, null: false\nend\n", "create table(:t) do\n  add :at, :timestamptz, null: false, primary_key: true\nend\n"},
		{"execute", "execute \"CREATE UNIQUE INDEX x ON t (a)\"\n", "execute \"CREATE UNIQUE INDEX x ON t (a, at)\"\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.after == "" {
				if _, err := add(readText(inChange(c.before))); err == nil {
					t.Error("it cannot be written here")
				}
				return
			}
			if diff := cmp.Diff(inChange(c.after), mend(t, inChange(c.before), add)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestIndexAfter(t *testing.T) {
	for _, c := range []struct{ name, before, after string }{
		{"table", "create table(:orders) do\n  add :user_id, :bigint\nend\n", "create table(:orders) do\n  add :user_id, :bigint\nend\n\ncreate index(:orders, [:user_id])\n"},
		{"in parentheses", "create(table(:orders))\n", "create(table(:orders))\n\ncreate(index(:orders, [:user_id]))\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := mend(t, inChange(c.before), func(m *migration.Migration) ([]source.Edit, error) {
				return m.Editor.IndexAfter(m, m.Up.Statements()[0], migration.Name{Name: "orders"}, []string{"user_id"}, "")
			})
			if diff := cmp.Diff(inChange(c.after), got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, text := range []string{"create table(:orders, prefix: \"x\")\n", "for t <- [:a, :b], do: create table(t)\n"} {
		m := readText(inChange(text))
		if edits, err := m.Editor.IndexAfter(m, m.Up.Statements()[0], migration.Name{Name: "orders"}, []string{"user_id"}, ""); err == nil {
			t.Errorf("%s: %v", text, edits)
		}
	}
}

func TestSetOption(t *testing.T) {
	for _, c := range []struct{ name, before, after string }{
		{"new", "alter table(:orders) do\n  add :user_id, references(:users)\nend\n", "alter table(:orders) do\n  add :user_id, references(:users, type: :uuid)\nend\n"},
		{"other value", "alter table(:orders) do\n  add :user_id, references(:users, type: :bigint, on_delete: :nothing), null: false\nend\n",
			"alter table(:orders) do\n  add :user_id, references(:users, type: :uuid, on_delete: :nothing), null: false\nend\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := mend(t, inChange(c.before), func(m *migration.Migration) ([]source.Edit, error) {
				return m.Editor.SetOption(m, m.Up.Statements()[0].Command.Sub[0], "type", ":uuid")
			})
			if diff := cmp.Diff(inChange(c.after), got); diff != "" {
				t.Error(diff)
			}
		})
	}
	m := readText(inChange("alter table(:orders) do\n  add :user_id, :bigint\nend\n"))
	if edits, err := m.Editor.SetOption(m, m.Up.Statements()[0].Command.Sub[0], "type", ":uuid"); err == nil {
		t.Errorf("a column without a call of its own: %v", edits)
	}
}
