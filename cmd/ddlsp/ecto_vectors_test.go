package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/internal/workspace"
)

// An ectoVector is a migration that real Ecto ran: what it sent and raised.
type ectoVector struct {
	Name, Exs, Direction, Error, Config, Opts string
	SQL                                       []string
	MapType                                   string `json:"map_type"`
}

var optsPrefix = regexp.MustCompile(`prefix: "([^"]*)"`)

// TestSQLOfRecordedMigrations asks `ddlsp sql` for what Ecto was recorded to
// send, each migration in a Mix project with the configuration of the
// recording, and compares byte for byte.
func TestSQLOfRecordedMigrations(t *testing.T) {
	f, err := os.Open("../../migration/ecto/testdata/vectors.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	var vectors []ectoVector
	for lines.Scan() {
		var v ectoVector
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		vectors = append(vectors, v)
	}
	if len(vectors) < 384 {
		t.Fatalf("only %d vectors", len(vectors))
	}
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			v.check(t, v.sql(t))
		})
	}
}

// sql runs the command in a project made for the vector.
func (v ectoVector) sql(t *testing.T) *workspace.SQLReport {
	t.Helper()
	dir := t.TempDir()
	const file = "priv/repo/migrations/20240101000000_vec.exs"
	config := "import Config\nconfig :oracle, ecto_repos: [Oracle.Repo]\n"
	if c := strings.TrimSpace(v.Config); c != "" {
		config += "config :oracle, Oracle.Repo, " + c[1:len(c)-1] + "\n"
	}
	if v.MapType != "" {
		config += fmt.Sprintf("config :ecto_sql, postgres_map_type: %q\n", v.MapType)
	}
	for name, text := range map[string]string{
		"mix.exs":           "defmodule Oracle.MixProject do\n  use Mix.Project\n\n  def project do\n    [app: :oracle, version: \"0.1.0\"]\n  end\nend\n",
		"config/config.exs": config,
		"lib/repo.ex":       "defmodule Oracle.Repo do\n  use Ecto.Repo, otp_app: :oracle, adapter: Ecto.Adapters.Postgres\nend\n",
		file:                v.Exs,
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"sql", file, "--format", "json"}
	if v.Direction == "down" {
		args = append(args, "--down")
	}
	if m := optsPrefix.FindStringSubmatch(v.Opts); m != nil {
		args = append(args, "--prefix", m[1])
	}
	var out, errs bytes.Buffer
	if code := run(&app{in: strings.NewReader(""), out: &out, err: &errs, dir: dir}, args); code != exitFine {
		t.Fatalf("ddlsp %s: exit %d: %s", strings.Join(args, " "), code, errs.String())
	}
	report := &workspace.SQLReport{}
	if err := json.Unmarshal(out.Bytes(), report); err != nil {
		t.Fatalf("%v in %s", err, out.String())
	}
	return report
}

func (v ectoVector) check(t *testing.T, got *workspace.SQLReport) {
	want := v.SQL
	// The row in the version table is the runner's.
	if n := len(want); n > 0 && strings.HasPrefix(want[n-1], `INSERT INTO "my_versions"`) {
		want = want[:n-1]
	}
	raised := ""
	switch {
	case strings.HasPrefix(v.Error, "UP FAILED"):
		// The server refused up, so that down was never called: what was
		// recorded is the statement of up.
		return
	case strings.HasPrefix(v.Error, "COMPILE"):
		raised = "** (CompileError)"
	case strings.Contains(v.Error, "(Postgrex.Error)"):
		// Only a server can know: what comes after the failing statement was
		// never sent.
		if len(got.Statements) > len(want) {
			got.Statements = got.Statements[:len(want)]
		}
	default:
		raised = v.Error
	}
	for i, s := range got.Statements {
		// A query by the repository is shown, and left to Elixir to run.
		if s.Opaque != nil && raised == "" && !strings.Contains(v.Error, "syntax_error") && !strings.HasPrefix(*s.Opaque, "calls repo().query!") {
			t.Errorf("statement %d cannot be run: %s", i, *s.Opaque)
		}
		if i >= len(want) || !sameStatement(s.SQL, want[i]) {
			t.Errorf("statement %d is %s\nEcto sent %q", i, s.SQL, want)
		}
	}
	if len(got.Statements) < len(want) {
		t.Errorf("%d statements; Ecto sent %q", len(got.Statements), want)
	}
	switch message := raisedMessage(got); {
	case raised == "** (CompileError)":
		if !strings.HasPrefix(message, raised) {
			t.Errorf("raises %q; Elixir does not compile it", message)
		}
	case message != raised:
		t.Errorf("raises %q\nEcto raised %q", message, raised)
	}
}

func raisedMessage(r *workspace.SQLReport) string {
	if r.Error == nil {
		return ""
	}
	return r.Error.Message
}

// sameStatement compares byte for byte; the JSON of a map with atoms for keys,
// whose order Erlang does not define, as JSON.
func sameStatement(got, want string) bool {
	if got == want {
		return true
	}
	const lead = "DEFAULT '{"
	a := strings.Index(got, lead)
	if a < 0 || a != strings.Index(want, lead) || got[:a] != want[:a] {
		return false
	}
	value := func(s string) (v any, rest string, ok bool) {
		s = s[a+len(lead)-1:]
		end := strings.LastIndex(s, "}'") + 1
		return v, s[end:], json.Unmarshal([]byte(s[:end]), &v) == nil
	}
	x, rest, ok := value(got)
	y, rest2, ok2 := value(want)
	return ok && ok2 && rest == rest2 && reflect.DeepEqual(x, y)
}

// TestSQLSaysWhatTheEnvironmentDecided: a migration that looks at a variable is
// previewed as it would run here, with a note; a secret is not looked at.
func TestSQLSaysWhatTheEnvironmentDecided(t *testing.T) {
	v := ectoVector{Exs: "defmodule V do\n  use Ecto.Migration\n\n  def change do\n    if System.get_env(\"DDLSP_TEST_EXTRA\"), do: create(table(:extra)), else: create(table(:plain))\n  end\nend\n"}
	r := v.sql(t)
	if len(r.Statements) != 1 || !strings.Contains(r.Statements[0].SQL, `"plain"`) || len(r.Environment) != 1 || r.Environment[0] != "DDLSP_TEST_EXTRA is not set" {
		t.Errorf("%+v", r)
	}
	t.Setenv("DDLSP_TEST_EXTRA", "1")
	r = v.sql(t)
	if len(r.Statements) != 1 || !strings.Contains(r.Statements[0].SQL, `"extra"`) || len(r.Environment) != 1 || r.Environment[0] != "DDLSP_TEST_EXTRA is set" {
		t.Errorf("%+v", r)
	}
	t.Setenv("APP_PASSWORD", "h1dden")
	v.Exs = "defmodule V do\n  use Ecto.Migration\n\n  def up do\n    execute \"CREATE ROLE app PASSWORD '#{System.get_env(\"APP_PASSWORD\")}'\"\n  end\n\n  def down do\n    execute \"DROP ROLE app\"\n  end\nend\n"
	r = v.sql(t)
	if len(r.Statements) != 1 || strings.Contains(r.Statements[0].SQL, "h1dden") || r.Statements[0].Opaque == nil {
		t.Errorf("%+v", r)
	}
}
