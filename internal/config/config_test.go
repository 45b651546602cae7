package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const whole = `
format = "goose"
migrations = ["db/migrations"]
baseline = "db/structure.sql"
postgres_version = 16
timescaledb_version = "2.20"
start_after = "20240101000000"
rollback = "forward-only"
runner = "native"
default_database = "dev"

[rules]
drop-column = "off"
"require-lock-timeout" = "warning"

[tables]
small = ["settings", "app.flags"]
large_rows = 100_000

[[overrides]]
files = ["priv/legacy_repo/**"]
rules = { drop-column = "hint" }

[databases.dev]
url_env = "DATABASE_URL"
scratch = true

[databases.production]
url = "postgres://app@db.example.com/app"
protected = true
sizes = true
lock_timeout = "5s"
`

func TestParse(t *testing.T) {
	c, err := Parse("/p/ddlsp.toml", whole)
	if err != nil {
		t.Fatal(err)
	}
	want := Settings{
		Format: "goose", Migrations: []string{"db/migrations"}, Baseline: "db/structure.sql", PostgresVersion: 16, TimescaleVersion: "2.20",
		StartAfter: "20240101000000", Rollback: "forward-only", Runner: "native", DefaultDatabase: "dev",
		Rules:     map[string]Severity{"drop-column": "off", "require-lock-timeout": "warning"},
		Tables:    Tables{Small: []string{"settings", "app.flags"}, LargeRows: 100000},
		Overrides: []Override{{Files: []string{"priv/legacy_repo/**"}, Rules: map[string]Severity{"drop-column": "hint"}}},
		Databases: map[string]Database{
			"dev":        {URLEnv: "DATABASE_URL", Scratch: true},
			"production": {URL: "postgres://app@db.example.com/app", Protected: true, Sizes: true, LockTimeout: Duration(5 * time.Second)},
		},
	}
	if diff := cmp.Diff(want, c.Settings); diff != "" {
		t.Error(diff)
	}
	for key, line := range map[string]int{"rules.drop-column": 13, "rules.require-lock-timeout": 14, "overrides.0.rules.drop-column": 22, "databases.production.url": 29} {
		if got, _ := c.At(key); got != line {
			t.Errorf("%s stands in line %d, want %d", key, got, line)
		}
	}
	if c.Dir() != "/p" {
		t.Errorf("directory %s", c.Dir())
	}
}

func TestMistakes(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"unknown key", "x = 1\nformt = \"goose\"", `c.toml:1:1: there is no key "x"` + "\n" + `c.toml:2:1: there is no key "formt", did you mean "format"?`},
		{"unknown key of a table", "[tables]\nsmal = []", `c.toml:2:1: there is no key "smal" in [tables], did you mean "small"?`},
		{"unknown key of a database", "[databases.dev]\nurl-env = \"X\"", `c.toml:2:1: there is no key "url-env" in [databases.dev], did you mean "url_env"?`},
		{"unknown key of a project", "[[projects]]\nmigration = []", `c.toml:2:1: there is no key "migration" in [projects], did you mean "migrations"?`},
		{"format", "\nformat = \"gose\"", `c.toml:2:10: "gose" is not known here, did you mean "goose"?`},
		{"severity", "[rules]\nx = \"fatal\"", `c.toml:2:5: "fatal" is not known here; use one of off, hint, info, warning, error`},
		{"severity in a line", "[[overrides]]\nrules = { x = \"eror\" }", `c.toml:2:15: "eror" is not known here, did you mean "error"?`},
		{"rollback", "rollback = \"forward\"", `c.toml:1:12: "forward" is not known here; use one of required, forward-only`},
		{"duration", "[databases.a]\nlock_timeout = \"5\"", `c.toml:2:16: "5" is no duration; write for example "5s" or "500ms"`},
		{"version", "postgres_version = 160000", `c.toml:1:20: 160000 is no major version of PostgreSQL; write for example 16`},
		{"timescaledb version", "timescaledb_version = \"latest\"", `c.toml:1:23: "latest" is no version of TimescaleDB; write for example "2.20"`},
		{"default database", "default_database = \"prd\"\n[databases.prod]\nurl_env = \"X\"", `c.toml:1:20: there is no [databases.prd], did you mean "prod"?`},
		{"both", "[databases.a]\nurl = \"postgres://h/d\"\nurl_env = \"X\"", `c.toml:2:7: give either url or url_env, not both`},
		{"password", "[databases.a]\nurl = \"postgres://u:hunter2@h/d\"", `c.toml:2:7: a password must not stand in this file; name an environment variable with url_env, or leave the password to PGPASSWORD or ~/.pgpass`},
		{"password of words", "[databases.a]\nurl = \"host=h password = hunter2\"", `c.toml:2:7: a password must not stand`},
		{"password in a query", "[databases.a]\nurl = \"postgres://h/d?password=hunter2\"", `c.toml:2:7: a password must not stand`},
		{"password in a broken URL", "[databases.a]\nurl = \"postgres://u:hunter2%zz@h/d\"", `c.toml:2:7: a password must not stand`},
		{"pattern", "[[overrides]]\nfiles = [\"[\"]", `"[" is no valid pattern`},
		{"type", "migrations = \"x\"", `c.toml:1:14: this is a string, but must be a list of texts, as in ["a", "b"]`},
		{"type of a number", "postgres_version = \"16\"", `c.toml:1:20: this is a string, but must be a whole number`},
		{"type of a table", "rules = 3", `c.toml:1:9: this is an integer, but must be a table`},
		{"naming", "[naming]\ntabel = \"^x\"", `c.toml:2:9: nothing is called "tabel" here; use table, column, index, constraint, view, function, trigger, type`},
		{"naming pattern", "[naming]\ntable = \"(\"", `c.toml:2:9: error parsing regexp`},
		{"syntax", "format = ", `c.toml:1:`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse("c.toml", test.in)
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("got  %s\nwant %s", err, test.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Error("the message gives the password away")
			}
			for _, e := range Errors(err) {
				if e.Line == 0 && test.name != "pattern" {
					t.Errorf("%s has no place", e)
				}
			}
		})
	}
}

func TestProjectsTakeOverWhatTheyDoNotSay(t *testing.T) {
	c, err := Parse("c.toml", "postgres_version = 15\nformat = \"goose\"\n[rules]\na = \"off\"\nb = \"error\"\n[[projects]]\nmigrations = [\"x\"]\nformat = \"tern\"\n[projects.rules]\nb = \"hint\"\n")
	if err != nil {
		t.Fatal(err)
	}
	s := c.For(0)
	if s.Format != "tern" || s.PostgresVersion != 15 {
		t.Errorf("%+v", s)
	}
	if diff := cmp.Diff(map[string]Severity{"a": "off", "b": "hint"}, s.Rules); diff != "" {
		t.Error(diff)
	}
	if line, _ := c.At("projects.0.rules.b"); line != 10 {
		t.Errorf("line %d", line)
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	deep := filepath.Join(dir, "a", "b")
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".ddlsp.toml", "a/ddlsp.toml", "a/.ddlsp.toml"} {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte("postgres_version = 14\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if path, ok := Find(deep); !ok || path != filepath.Join(dir, "a", "ddlsp.toml") {
		t.Errorf("found %s", path)
	}
	path, ok := Find(dir)
	if !ok || path != filepath.Join(dir, ".ddlsp.toml") {
		t.Errorf("found %s", path)
	}
	if c, err := Load(path); err != nil || c.PostgresVersion != 14 || c.Path != path {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := Load(filepath.Join(dir, "none.toml")); err == nil || !strings.Contains(err.Error(), "no such configuration file") {
		t.Errorf("error %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(whole)
	f.Add("[[projects]]\nformat=\"x\"\n[projects.rules]\na.b = \"off\"")
	f.Add("\xef\xbb\xbfa = {b = [1, {c = 2}]}")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := Parse("c.toml", text); err != nil && err.Error() == "" {
			t.Fatal("an error without a message")
		}
	})
}
