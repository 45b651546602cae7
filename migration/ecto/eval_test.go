package ecto

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// TestEvaluate checks expressions by what inspect/1 prints of them.
func TestEvaluate(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{"1_000 + 0x1F - 0b11 * 0o7", "1010"},
		{"7 / 2", "3.5"},
		{"div(-7, 2)", "-3"},
		{"rem(7, 4) == 3 and not false", "true"},
		{"1.0e10", "1.0e10"},
		{"1000.0", "1.0e3"},
		{"0.1 + 0.2", "0.30000000000000004"},
		{"?a", "97"},
		{`?\n`, "10"},
		{`"a" <> "b\n\t\"#{1 + 1}\\"`, `"ab\n\t\"2\\"`},
		{`"\x41\u00e9\u{1F600}"`, `"Aé😀"`},
		{`~s(a "b" #{:c})`, `"a \"b\" c"`},
		{`~S(a\n#{b})`, `"a\\n\#{b}"`},
		{"~w(a b  c)", `["a", "b", "c"]`},
		{"~w[a b]a", "[:a, :b]"},
		{`'ab'`, "[97, 98]"},
		{`:"a b"`, `:"a b"`},
		{`:"a#{1}"`, ":a1"},
		{"[a: 1, b: [c: nil]]", "[a: 1, b: [c: nil]]"},
		{"[1, 2 | [3]] ++ [4] -- [4]", "[1, 2, 3]"},
		{`{:a, b: 1}`, "{:a, [b: 1]}"},
		{`%{"b" => 1, "a" => %{}}`, `%{"a" => %{}, "b" => 1}`},
		{"%{a: 1}.a", "1"},
		{"[a: 1][:a]", "1"},
		{"%{%{a: 1} | a: 2}", "%{a: 2}"},
		{"Ecto.UUID", "Ecto.UUID"},
		{"if 1 > 2, do: :a, else: :b", ":b"},
		{"unless nil do\n  :a\nend", ":a"},
		{"case {:ok, 3} do\n  {:error, _} -> 0\n  {:ok, n} when n > 2 -> n\n  _ -> 9\nend", "3"},
		{"cond do\n  1 == 2 -> :a\n  true -> :b\nend", ":b"},
		{"for x <- 1..3, y <- [:a, :b], x != 2, do: {x, y}", "[{1, :a}, {1, :b}, {3, :a}, {3, :b}]"},
		{"for {k, v} <- [a: 1, b: 2], into: %{}, do: {k, v * 2}", "%{a: 2, b: 4}"},
		{"for x <- [1, 2, 3], reduce: 0 do\n  acc -> acc + x\nend", "6"},
		{"for x <- [1, 2, 3], y <- [10, 20], x != 2, reduce: [] do\n  [] -> [x * y]\n  [h | _] = all when h > 5 -> [x + y | all]\nend", "[23, 13, 21, 10]"},
		{"for x <- [1, 1, 2], uniq: true, do: x * 2", "[2, 4]"},
		{"for x <- [], reduce: :none do\n  _ -> :some\nend", ":none"},
		{"with {:ok, a} <- {:ok, 1}, b = a + 1, {:ok, c} when c > b <- {:ok, 5} do\n  {a, b, c}\nend", "{1, 2, 5}"},
		{"with {:ok, a} <- {:error, :no}, do: a", "{:error, :no}"},
		{"with {:ok, a} <- {:error, :no} do\n  a\nelse\n  {:error, why} -> why\nend", ":no"},
		{"with {:ok, c} when c > 5 <- {:ok, 5} do\n  :big\nelse\n  {:ok, n} -> {:small, n}\nend", "{:small, 5}"},
		{"with [h | _] <- [1, 2], [t] <- [h], do: t", "1"},
		{"with a = 1, do: a + 1", "2"},
		{`Path.join("a/", "/b/c/")`, `"a/b/c"`},
		{`Path.join(["a", "b", "../c"])`, `"a/b/../c"`},
		{`Path.join("/", "a")`, `"/a"`},
		{`Path.expand("../b.sql", "/x/y")`, `"/x/b.sql"`},
		{`Path.expand("/b/./c", "/x/y")`, `"/b/c"`},
		{`Path.basename("/a/b.sql", ".sql")`, `"b"`},
		{`Path.basename("/a/b.sql")`, `"b.sql"`},
		{`Path.dirname("/a/b.sql")`, `"/a"`},
		{`Path.dirname("b.sql")`, `"."`},
		{`Path.dirname("/b.sql")`, `"/"`},
		{`Path.rootname("/a.d/b.sql")`, `"/a.d/b"`},
		{"Enum.map([1, 2], fn x -> x + 1 end)", "[2, 3]"},
		{"Enum.map([1, 2], &(&1 * 2))", "[2, 4]"},
		{"Enum.map([:a], &to_string/1)", `["a"]`},
		{`["a", :b, 3] |> Enum.join(", ")`, `"a, b, 3"`},
		{`Enum.map_join([1, 2], "-", &"<#{&1}>")`, `"<1>-<2>"`},
		{"Enum.with_index([:a, :b], 1)", "[a: 1, b: 2]"},
		{"Enum.zip([1, 2], [:a, :b])", "[{1, :a}, {2, :b}]"},
		{"Enum.reduce(1..4, 0, fn x, acc -> x + acc end)", "10"},
		{"Enum.filter([1, 2, 3], &(&1 > 1)) |> Enum.reverse()", "[3, 2]"},
		{"Enum.uniq([1, 1, 2])", "[1, 2]"},
		{`String.upcase("é") <> String.replace("a_b", "_", "-")`, `"Éa-b"`},
		{`String.split("a,b", ",") |> List.last()`, `"b"`},
		{"Keyword.merge([a: 1, b: 2], a: 3)", "[b: 2, a: 3]"},
		{"Map.put(%{a: 1}, :b, 2)", "%{a: 1, b: 2}"},
		{":timer.minutes(2)", "120000"},
		{"x = 2\ny = x * 3\nx + y", "8"},
		{"{a, [b | _]} = {1, [2, 3]}\na + b", "3"},
		{"f = fn\n  0 -> :zero\n  n -> n\nend\n[f.(0), f.(5)]", "[:zero, 5]"},
		{"1 in [1, 2] && 3 not in [1]", "true"},
		{"\"\"\"\n  a\n    b\n  \"\"\"", `"a\n  b\n"`},
		{"<<1, 2>>", "<<1, 2>>"},
		{"nil || :x", ":x"},
	} {
		v := parseExpression(c.source)
		if u, ok := v.findUnknown(); ok {
			t.Errorf("%s: not known, it %s", c.source, u.reason)
			continue
		}
		if got := inspect(v); got != c.want {
			t.Errorf("%s: got %s, want %s", c.source, got, c.want)
		}
	}
}

// TestOpaque checks that what cannot be evaluated says so, where, and leaves
// the rest readable.
func TestOpaque(t *testing.T) {
	for _, c := range []struct{ name, body, reason string }{
		{"unknown call", "MyApp.Backfill.run()", "calls MyApp.Backfill.run/0 at line 6"},
		{"repo", "MyApp.Repo.update_all(MyApp.User, set: [a: 1])", "calls MyApp.Repo.update_all/2 at line 6"},
		{"repo in a pipe", "MyApp.User |> MyApp.Repo.delete_all()", "calls MyApp.Repo.delete_all/1 at line 6"},
		{"condition", "if Application.get_env(:a, :b), do: create(table(:x))", "depends on a value that is not known (calls Application.get_env/2 at line 6) at line 6"},
		{"loop", "for x <- MyApp.names(), do: create(table(x))", "loops over MyApp.names(), which is not known, at line 6"},
		{"execute", "execute MyApp.sql()", "calls MyApp.sql/0 at line 6"},
		{"name", "create table(MyApp.name())", "calls MyApp.name/0 at line 6"},
		{"with", "with :ok <- MyApp.x(), do: create(table(:x))", "depends on a value that is not known (calls MyApp.x/0 at line 6) at line 6"},
		{"anonymous", "execute(fn -> MyApp.go() end)", "calls MyApp.go/0 at line 6"},
		{"endless", "loop(1)", "line 5 calls itself too deeply"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := readText("defmodule V do\n  use Ecto.Migration\n\n  defp loop(n), do: loop(n + 1)\n  def up do\n    " + c.body + "\n    create index(:t, [:a])\n  end\nend\n")
			ss := m.Up.Statements()
			var reasons []string
			indexes := 0
			for _, s := range ss {
				if s.Opaque != "" {
					reasons = append(reasons, s.Opaque)
				} else if strings.HasPrefix(s.SQL, "CREATE INDEX") {
					indexes++
				}
			}
			if len(reasons) != 1 || reasons[0] != c.reason {
				t.Errorf("reasons %q, want %q", reasons, c.reason)
			}
			if m.Beam == "" {
				t.Error("it needs Elixir")
			}
			if indexes != 1 && c.name != "endless" {
				t.Errorf("%d indexes, want 1", indexes)
			}
			if len(m.Problems) > 0 {
				t.Errorf("problems %v", m.Problems)
			}
		})
	}
}

func TestUnknownInterpolation(t *testing.T) {
	m := readText(inModule("  def up do\n    execute \"CREATE INDEX #{MyApp.name()} ON orders (x)\"\n    create index(:t, [:a], where: \"b > #{MyApp.least()}\")\n    execute \"#{MyApp.verb()} INDEX x #{MyApp.rest()}\"\n  end\n"))
	ss := m.Up.Statements()
	if len(ss) != 3 {
		t.Fatalf("%d statements", len(ss))
	}
	for _, s := range ss[:2] {
		if s.Opaque != "" || s.NotRunnable == "" || len(s.Unknown) != 1 {
			t.Errorf("%q: opaque %q, not runnable %q, unknown %v", s.SQL, s.Opaque, s.NotRunnable, s.Unknown)
			continue
		}
		if got := s.Unknown[0].Of(s.SQL); got != "unknown_1" {
			t.Errorf("unknown part is %q", got)
		}
	}
	if ix, ok := ss[0].Ops()[0].(*migration.CreateIndex); !ok || ix.Table.Name != "orders" {
		t.Errorf("ops %v", ss[0].Ops())
	}
	if ss[2].Opaque == "" {
		t.Errorf("%q cannot be read", ss[2].SQL)
	}
}

// TestHalfTyped checks that what is torn silences nothing else.
func TestHalfTyped(t *testing.T) {
	for _, c := range []struct{ name, body string }{
		{"column", "    alter table(:t) do\n      add :x,\n    end\n"},
		{"parenthesis", "    create table(:x do\n    end\n"},
		{"word", "    cre\n"},
		{"name", "    creat table(:x)\n"},
		{"pipe", "    index(:x, [:y]) |>\n"},
		{"option", "    create index(:x, [:y], name: )\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := inModule("  def change do\n    create index(:t, [:a])\n\n" + c.body + "\n    create index(:t, [:b])\n  end\n")
			m := readText(text)
			if len(m.Problems) == 0 || m.Beam == "" {
				t.Error("no problem seen")
			}
			for _, p := range m.Problems {
				if p.Rule != ruleUnreadable || p.Span.Start < 0 || p.Span.End > len(text) || p.Span.End < p.Span.Start {
					t.Errorf("problem %+v", p)
				}
			}
			found := map[string]bool{}
			for _, s := range m.Up.Statements() {
				if s.Opaque == "" {
					found[s.SQL] = true
				}
			}
			if !found[`CREATE INDEX "t_a_index" ON "t" ("a")`] {
				t.Errorf("the index before is lost: %v", found)
			}
			if c.name != "parenthesis" && c.name != "pipe" && !found[`CREATE INDEX "t_b_index" ON "t" ("b")`] {
				t.Errorf("the index after is lost: %v", found)
			}
		})
	}
}

func TestOrigins(t *testing.T) {
	for _, c := range []struct {
		name, body string
		up, down   migration.Origin
	}{
		{"change", "  def change do\n    create table(:t)\n  end\n", migration.Written, migration.Derived},
		{"up only", "  def up do\n    create table(:t)\n  end\n", migration.Written, migration.Missing},
		{"empty down", "  def up, do: create(table(:t))\n  def down, do: :ok\n", migration.Written, migration.Empty},
		{"raising down", "  def up, do: create(table(:t))\n  def down do\n    raise Ecto.MigrationError, \"gone\"\n  end\n", migration.Written, migration.Raises},
		{"comment", "  # ddlsp:irreversible the rows are gone\n  def up, do: create(table(:t))\n", migration.Written, migration.Raises},
		{"comment in change", "  def change do\n    # ddlsp:irreversible: gone\n    execute \"SELECT 1\"\n  end\n", migration.Written, migration.Raises},
		{"nothing", "  def foo, do: 1\n", migration.Missing, migration.Missing},
		{"empty change", "  def change do\n  end\n", migration.Empty, migration.Empty},
		{"hidden", "  use MyApp.Steps\n", migration.Written, migration.Written},
	} {
		m := readText(inModule(c.body))
		if m.Up.Origin != c.up || m.Down.Origin != c.down {
			t.Errorf("%s: up %s, down %s; want %s, %s", c.name, m.Up.Origin, m.Down.Origin, c.up, c.down)
		}
	}
	m := readText(inModule("  # ddlsp:irreversible the rows are gone\n  def up, do: create(table(:t))\n"))
	if m.Down.Reason != "the rows are gone" {
		t.Errorf("reason %q", m.Down.Reason)
	}
	m = readText(inModule("  def foo, do: 1\n"))
	if len(m.Problems) != 1 || m.Problems[0].Rule != ruleMissingUp || m.Problems[0].Span.Of(m.Files[0].Text) != "defmodule V" {
		t.Errorf("problems %+v", m.Problems)
	}
}

func TestRepoCalls(t *testing.T) {
	m := readText(inModule("  def change do\n    create table(:t)\n    repo().query!(\"UPDATE a SET b = 1\")\n    if direction() == :up, do: repo().query!(\"SELECT 1\")\n    execute(fn -> repo().query!(\"SELECT 2\") end, fn -> :ok end)\n  end\n"))
	var got []string
	for _, s := range m.Up.Statements() {
		got = append(got, s.Command.Name+" "+s.Command.Object+" "+s.SQL)
		if s.Command.Name == "repo" && s.NotRunnable == "" {
			t.Errorf("%q is not run by what we are", s.SQL)
		}
	}
	want := []string{"repo  UPDATE a SET b = 1", "repo  SELECT 1", `create table CREATE TABLE "t" ("id" bigserial, PRIMARY KEY ("id"))`, "repo execute SELECT 2"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q", got)
	}
	if n := len(m.Down.Statements()); n != 2 {
		t.Errorf("down sends %d statements, want the unguarded call and the drop", n)
	}
}

func TestWrapper(t *testing.T) {
	text := "defmodule A do\n  use Shop.Migration\n  def change do\n    create table(:t)\n    helper(:t)\n  end\nend\n"
	if IsMigration(text, nil) || !IsMigration(text, []string{"Shop.Migration"}) {
		t.Error("only the project's own wrapper makes it a migration")
	}
	for _, no := range []string{"# use Ecto.Migration", "use Ecto.MigrationHelpers", "x = \"use Ecto.Migration\"", ""} {
		if IsMigration(no, nil) {
			t.Errorf("%q is no migration", no)
		}
	}
	m := Read(&source.File{Path: "/m/1_a.exs", Text: text}, nil, Options{Wrappers: []string{"Shop.Migration"}})
	if len(m.Problems) != 0 || m.Beam == "" || len(m.Up.Statements()) != 2 || m.Up.Statements()[1].Opaque == "" {
		t.Errorf("a helper of the wrapper is opaque: %v %q", m.Problems, m.Beam)
	}
}

func TestVersionOfFileName(t *testing.T) {
	for _, c := range []struct {
		path, version, name string
		ok                  bool
	}{
		{"/a/20240101000000_create_users.exs", "20240101000000", "create_users", true},
		{"0020_x.exs", "20", "x", true},
		{"0_x.exs", "0", "x", true},
		{"x.exs", "", "", false},
		{"1-x.exs", "", "", false},
		{"v1_x.exs", "", "", false},
	} {
		version, name, ok := Version(c.path)
		if version != c.version || name != c.name || ok != c.ok {
			t.Errorf("%s: %s %s %v", c.path, version, name, ok)
		}
	}
	for in, want := range map[string]string{"AddPostsTable": "add_posts_table", "add_posts": "add_posts", "AddHTTPLog": "add_http_log"} {
		if got := underscore(in); got != want {
			t.Errorf("underscore(%s) is %s, want %s", in, got, want)
		}
	}
}

func TestTimescalePackage(t *testing.T) {
	m := readText(inModule("  import Timescale.Migration\n\n  def change do\n    create_hypertable(:readings, :time)\n  end\n"))
	ss := m.Up.Statements()
	if len(ss) != 1 || ss[0].SQL != "SELECT create_hypertable('readings', 'time')" || ss[0].NotRunnable == "" || m.Beam == "" {
		t.Fatalf("%+v", ss)
	}
	h, ok := ss[0].Ops()[0].(*migration.CreateHypertable)
	if !ok || h.Table.Name != "readings" || h.TimeColumn != "time" {
		t.Errorf("ops %+v", ss[0].Ops())
	}
	if m.Down.Err != nil || len(m.Down.Statements()) != 1 || m.Down.Statements()[0].Opaque == "" {
		t.Errorf("down: %+v", m.Down)
	}
}

func TestReadConcurrently(t *testing.T) {
	vectors := readVectors(t)
	done := make(chan int)
	for worker := range 4 {
		go func() {
			n := 0
			for i := worker; i < len(vectors); i += 2 {
				n += len(vectors[i].read(t).Files)
			}
			done <- n
		}()
	}
	for range 4 {
		if n := <-done; n == 0 {
			t.Error("a reader read nothing")
		}
	}
}

// TestReadFileBeside: SQL that a migration reads from a file is what runs, and
// a file that is missing is what Elixir would raise.
func TestReadFileBeside(t *testing.T) {
	files := map[string]string{"/p/priv/repo/migrations/1_a.sql": "CREATE TABLE a ();", "priv/b.sql": "CREATE TABLE b ();"}
	read := func(name string) (string, error) {
		if text, ok := files[name]; ok {
			return text, nil
		}
		return "", fs.ErrNotExist
	}
	for code, want := range map[string]string{
		`execute File.read!(Path.join(__DIR__, "1_a.sql"))`:                                                "CREATE TABLE a ();",
		`execute File.read!("#{__DIR__}/1_a.sql")`:                                                         "CREATE TABLE a ();",
		`__ENV__.file |> String.replace(".exs", ".sql") |> File.read!() |> execute()`:                      "CREATE TABLE a ();",
		`execute(File.read!("priv/b.sql"))`:                                                                "CREATE TABLE b ();",
		"with {:ok, sql} <- File.read(\"priv/b.sql\") do\n  execute(sql)\nelse\n  _ -> :ok\nend":           "CREATE TABLE b ();",
		"case File.read(\"priv/c.sql\") do\n  {:ok, sql} -> execute(sql)\n  {:error, :enoent} -> :ok\nend": "",
		`execute File.read!("priv/c.sql")`:                                                                 "File.Error",
		`execute File.read!(System.tmp_dir())`:                                                             "opaque",
	} {
		m := Read(&source.File{Path: "/p/priv/repo/migrations/1_a.exs", Text: inChange(code + "\n")}, nil, Options{ReadFile: read})
		got := ""
		switch ss := m.Up.Statements(); {
		case m.Up.Err != nil:
			got = m.Up.Err.Message
		case len(ss) == 1 && ss[0].Opaque != "", len(ss) == 1 && ss[0].NotRunnable != "":
			got = "opaque"
		case len(ss) == 1:
			got = ss[0].SQL
		}
		if got != want && (want != "File.Error" || !strings.Contains(got, want)) {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
	}
	// Without a way to read, and in a file whose place is not known, nothing is guessed.
	m := readText(inChange("execute File.read!(\"a.sql\")\n"))
	if ss := m.Up.Statements(); len(ss) != 1 || ss[0].Opaque == "" && ss[0].NotRunnable == "" {
		t.Errorf("%+v", ss)
	}
}
