package runner

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

func ectoTarget(t *testing.T, url string) *Target {
	t.Helper()
	target, err := newTarget(url, "the test", ownWord, migration.Ecto)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// The answer of mix is read from among what else it prints.
func TestHandOverRead(t *testing.T) {
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	h := &handOver{settings: map[string]string{}, parameters: map[string]string{}}
	for _, line := range []string{
		"Compiling 3 files (.ex)\n", "",
		"ddlsp-setting hostname " + encode("db.example") + "\r\n",
		"ddlsp-setting :search_path " + encode("a, b") + "\n",
		"ddlsp-setting port not base 64\n", "ddlsp-setting port !!!\n", "ddlsp-setting\n",
		"my ddlsp-setting port " + encode("1") + "\n",
	} {
		h.read(line)
	}
	if diff := cmp.Diff(map[string]string{"hostname": "db.example"}, h.settings); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"search_path": "a, b"}, h.parameters); diff != "" {
		t.Error(diff)
	}
}

// mix may run only where the target is.
func TestHandOverSame(t *testing.T) {
	for _, v := range []string{"PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD"} {
		t.Setenv(v, "")
	}
	t.Setenv("USER", "me")
	settings := func(kv ...string) map[string]string {
		m := map[string]string{}
		for i := 0; i < len(kv); i += 2 {
			m[kv[i]] = kv[i+1]
		}
		return m
	}
	tests := []struct {
		settings map[string]string
		url      string
		same     bool
	}{
		{settings("hostname", "db", "port", "6432", "username", "u", "database", "d"), "postgres://u:secret@db:6432/d", true},
		{settings("hostname", "DB.", "username", "u", "database", "d"), "postgres://u:secret@db/d", true},
		{settings("username", "u", "database", "d"), "postgres://u@127.0.0.1/d", true},
		{settings("hostname", "::1", "username", "u", "database", "d"), "postgres://u@localhost/d", true},
		{settings("database", "d"), "postgres://me@localhost/d", true},
		{settings("hostname", "db", "username", "u", "database", "other"), "postgres://u:secret@db/d", false},
		{settings("hostname", "db", "username", "v", "database", "d"), "postgres://u:secret@db/d", false},
		{settings("hostname", "db2", "username", "u", "database", "d"), "postgres://u:secret@db/d", false},
		{settings("hostname", "db", "port", "5433", "username", "u", "database", "d"), "postgres://u:secret@db/d", false},
		{settings("hostname", "localhost", "username", "u", "database", "d"), "postgres://u:secret@db/d", false},
		{settings("socket_dir", "/run/pg", "username", "u", "database", "d"), "host=/run/pg user=u dbname=d", true},
		{settings("socket", "/run/pg/.s.PGSQL.5433", "username", "u", "database", "d"), "host=/run/pg port=5433 user=u dbname=d", true},
		{settings("socket_dir", "/run/pg", "username", "u", "database", "d"), "postgres://u@localhost/d", false},
		{settings("username", "u"), "postgres://u@localhost/d", false},
	}
	for _, test := range tests {
		err := (&handOver{settings: test.settings}).same(ectoTarget(t, test.url))
		if (err == nil) != test.same {
			t.Errorf("%v and %s: %v", test.settings, test.url, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error holds the password: %v", err)
		}
	}
}

func TestMixArguments(t *testing.T) {
	r := &Runner{opts: Options{Ecto: &Ecto{Repo: "Shop.Repo", Dirs: []string{"/a/b", "/c d"}}}}
	const paths = " --migrations-path /a/b --migrations-path /c d"
	tests := []struct {
		direction Direction
		req       Request
		want      string
	}{
		{Up, Request{}, "ecto.migrate -r Shop.Repo --all"},
		{Up, Request{To: "0020240101000000"}, "ecto.migrate -r Shop.Repo --to 20240101000000"},
		{Up, Request{ToExclusive: "5"}, "ecto.migrate -r Shop.Repo --to-exclusive 5"},
		{Up, Request{Step: 2, Prefix: "tenant"}, "ecto.migrate -r Shop.Repo --step 2 --prefix tenant"},
		{Down, Request{}, "ecto.rollback -r Shop.Repo --step 1"},
		{Down, Request{Step: 3}, "ecto.rollback -r Shop.Repo --step 3"},
		{Down, Request{All: true}, "ecto.rollback -r Shop.Repo --all"},
		{Down, Request{To: "7"}, "ecto.rollback -r Shop.Repo --to 7"},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want+paths, strings.Join(r.arguments(test.direction, test.req), " ")); diff != "" {
			t.Error(diff)
		}
	}
}

func TestLastError(t *testing.T) {
	tests := []struct{ name, output, want string }{
		{"an exception of Postgrex", `
12:00:00.000 [info] == Running 1 A.up/0 forward
** (Postgrex.Error) ERROR 42P07 (duplicate_table) relation "t" already exists
    (ecto_sql 3.14.0) lib/ecto/adapters/sql.ex:1096: Ecto.Adapters.SQL.raise_sql_call_error/1
    (elixir 1.18.3) lib/enum.ex:1714: Enum."-map/2-lists^map/1-1-"/2
`, `** (Postgrex.Error) ERROR 42P07 (duplicate_table) relation "t" already exists`},
		{"an exception of several lines", `
** (Ecto.MigrationError) cannot reverse migration command: alter table t.
You will need to explicitly define up/0 and down/0 in your migration

    (ecto_sql 3.14.0) lib/ecto/migration/runner.ex:301: Ecto.Migration.Runner.perform_operation/3
`, "** (Ecto.MigrationError) cannot reverse migration command: alter table t. You will need to explicitly define up/0 and down/0 in your migration"},
		{"a compile error", `
Compiling 1 file (.ex)

== Compilation error in file lib/x.ex ==
** (SyntaxError) lib/x.ex:1:30: unexpected reserved word: end
    (elixir 1.14.0) lib/kernel/parallel_compiler.ex:346: anonymous fn/5 in Kernel.ParallelCompiler.spawn_workers/7
`, "== Compilation error in file lib/x.ex == ** (SyntaxError) lib/x.ex:1:30: unexpected reserved word: end"},
		{"a question that nobody answers", "Could not find Hex, which is needed to build dependency :a\nShall I install Hex? [Yn] ** (Mix) Could not find an SCM for dependency :a from A.MixProject\n",
			"it needs Hex to see the project's dependencies, which is not installed (mix local.hex)"},
		{"something else", "one\ntwo\nthree\nfour\n", "two three four"},
		{"nothing", "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, lastError(test.output)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if got := lastError("** (RuntimeError) " + strings.Repeat("x", 1<<16)); len(got) > 1100 {
		t.Errorf("%d bytes", len(got))
	}
}

// A failure of mix is placed at the statement that Ecto logged last, else at
// the line of the file that the stack names.
func TestMixFailurePlace(t *testing.T) {
	text := "defmodule A do\r\n  def up do\r\n    execute \"SELECT \\\"x\\\"\"\r\n    raise \"no\"\r\n  end\r\nend\r\n"
	file := &source.File{Path: "/p/1_a.exs", Text: text}
	statement := &migration.Statement{SQL: `SELECT "x"`, Path: file.Path, Span: source.Span{Start: 31, End: 55}}
	m := &migration.Migration{Version: "1", Files: []*source.File{file},
		Up: &migration.Body{Path: file.Path, Span: source.Span{Start: 18, End: 80}, Units: []*migration.Unit{{SQL: statement.SQL, Statements: []*migration.Statement{statement}}}}}
	place := func(out string) string {
		f := &Failure{Step: Step{m, migration.Up}, Path: file.Path, Span: m.Up.Span}
		if !f.placeByLog(out) {
			f.placeInStack(out)
		}
		return f.Span.Of(text)
	}
	whole := m.Up.Span.Of(text)
	for out, want := range map[string]string{
		"12:00:00.000 [info] create table t\n12:00:00.001 [info] execute \"SELECT \\\"x\\\"\"\n": statement.Span.Of(text),
		"12:00:00.001 [info] execute \"SELECT 2\"\n":                                             whole,
		"12:00:00.001 [info] execute \"SELECT \n":                                                whole,
		"    priv/repo/migrations/1_a.exs:4: A.up/0\n":                                           `raise "no"`,
		"    (shop 0.1.0) priv/1_a.exs:4: A.up/0\n":                                              `raise "no"`,
		"    priv/repo/migrations/2_a.exs:4: A.up/0\n":                                           whole,
		"    priv/repo/migrations/1_a.exs:400000000000000000000: A.up/0\n":                       whole,
		"": whole,
	} {
		if got := place(out); got != want {
			t.Errorf("%q: %q, want %q", out, got, want)
		}
	}
}

// mix is taken only where its own word is needed and allowed.
func TestNeedsMix(t *testing.T) {
	beam := error(&Error{Refused: true, tool: "it calls something", Err: errors.New("refused")})
	for _, test := range []struct {
		runner string
		err    error
		want   string
	}{
		{RunAuto, beam, "it calls something"},
		{RunNative, beam, ""},
		{"", beam, ""},
		{RunAuto, refusef("no"), ""},
		{RunAuto, nil, ""},
	} {
		r := &Runner{opts: Options{Format: migration.Ecto, Ecto: &Ecto{Runner: test.runner}}}
		if got := r.needsMix(test.err); got != test.want {
			t.Errorf("%q: %q, want %q", test.runner, got, test.want)
		}
	}
}

// Without mix, and with a repo whose name cannot be given to it, the refusal
// says so and names the command.
func TestAskRefuses(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for repo, want := range map[string]string{"Shop.Repo": "mix is not found on the PATH", "Shop.Repo; System.halt()": "the repo's module is not known", "": "the repo's module is not known"} {
		r, err := New(ectoTarget(t, "postgres://u:s3cret@h/d"), nil, Options{Format: migration.Ecto, Ecto: &Ecto{Repo: repo, Runner: RunMix}})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		_, err = r.Plan(t.Context(), Request{Direction: Up})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "mix ecto.migrate") || ExitCode(err) != ExitUsage || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", repo, err)
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%q took %v", repo, d)
		}
	}
}

func TestWithoutSecrets(t *testing.T) {
	r := &Runner{target: ectoTarget(t, "postgres://u:p%40ss%20word@h/d")}
	for in, want := range map[string]string{
		"url: postgres://u:p%40ss+word@h": "url: postgres://u:***@h",
		`password: "p@ss word"`:           `password: "***"`,
		"nothing here":                    "nothing here",
	} {
		if got := r.withoutSecrets(in); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
