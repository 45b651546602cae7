package runner

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/migration"
)

// resolve finds a target with these variables only.
func resolve(t *testing.T, o ResolveOptions, env map[string]string) (*Target, error) {
	t.Helper()
	for _, v := range []string{"PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGSERVICE", "PGSSLMODE"} {
		t.Setenv(v, env[v])
	}
	t.Setenv("PGPASSFILE", os.DevNull)
	o.Env = func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	return Resolve(t.Context(), o)
}

func TestResolveEcto(t *testing.T) {
	dev := &EctoConn{Repo: "Shop.Repo", Username: "u", Password: "pw", Hostname: "db.local", Database: "shop_dev", Source: "config/dev.exs"}
	for name, c := range map[string]struct {
		conn EctoConn
		env  map[string]string
		want string // the target, or a part of the error
	}{
		"the settings":             {*dev, nil, "u@db.local:5432/shop_dev"},
		"not DATABASE_URL":         {*dev, map[string]string{"DATABASE_URL": "postgres://x@y/z"}, "u@db.local:5432/shop_dev"},
		"a variable it reads":      {EctoConn{Repo: "R", URLEnv: "DATABASE_URL"}, map[string]string{"DATABASE_URL": "ecto://a:b@h:6000/d?ssl=true"}, "a@h:6000/d"},
		"a variable that is unset": {EctoConn{Repo: "R", URLEnv: "DATABASE_URL", Source: "config/runtime.exs"}, nil, "DATABASE_URL, which config/runtime.exs reads (not set)"},
		"a URL over settings":      {EctoConn{Repo: "R", URL: "ecto://h/d", Username: "u", Database: "other"}, nil, "u@h:5432/d"},
		"a computed host":          {EctoConn{Repo: "R", Database: "d", Unknown: []string{"hostname"}}, nil, "the hostname of R is computed"},
		"no host":                  {EctoConn{Repo: "R", Username: "u", Database: "d"}, nil, "u@localhost:5432/d"},
		"a socket":                 {EctoConn{Repo: "R", Username: "u", Database: "d", SocketDir: "/run/pg"}, nil, "u@/run/pg:5432/d"},
		"our variable comes first": {*dev, map[string]string{"DDLSP_DATABASE_URL": "postgres://o@h/mine"}, "o@h:5432/mine"},
	} {
		t.Run(name, func(t *testing.T) {
			target, err := resolve(t, ResolveOptions{Format: migration.Ecto, Ecto: &c.conn}, c.env)
			got := ""
			if err != nil {
				got = err.Error()
				if ExitCode(err) != ExitUsage {
					t.Errorf("exit code %d", ExitCode(err))
				}
			} else {
				got = target.String()
				if c.conn.SSL == false && !strings.Contains(c.env["DATABASE_URL"], "ssl=true") && target.config.TLSConfig != nil && target.Source == "config/dev.exs" {
					t.Error("TLS, which Ecto does not use unless told to")
				}
			}
			if !strings.Contains(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
			if strings.Contains(got, "pw") {
				t.Errorf("the password is shown: %q", got)
			}
		})
	}
}

func TestResolveTern(t *testing.T) {
	dir := t.TempDir()
	conf := "# comment\n[database]\nhost = db.local\nport = 5433\ndatabase = app\nuser = {{env \"APP_USER\"}}\npassword = pw\nversion_table = app.version\n\n[data]\nprefix = x\n"
	if err := os.WriteFile(filepath.Join(dir, "tern.conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	target, err := resolve(t, ResolveOptions{Format: migration.Tern, Root: dir}, map[string]string{"APP_USER": "me"})
	if err != nil {
		t.Fatal(err)
	}
	if target.String() != "me@db.local:5433/app" || target.addr.table != "app.version" || target.config.Password != "pw" {
		t.Errorf("%s, table %s", target, target.addr.table)
	}
}

// golang-migrate has no place of its own: nothing is guessed.
func TestResolveGolangMigrate(t *testing.T) {
	_, err := resolve(t, ResolveOptions{Format: migration.GolangMigrate, Root: t.TempDir()}, map[string]string{"DATABASE_URL": "postgres://h/d", "PGHOST": "h", "PGUSER": "u"})
	if err == nil || !strings.Contains(err.Error(), "no database is named") {
		t.Errorf("%v", err)
	}
	target, err := resolve(t, ResolveOptions{Format: migration.GolangMigrate}, map[string]string{"PGDATABASE": "d", "PGHOST": "h", "PGUSER": "u"})
	if err != nil || target.String() != "u@h:5432/d" {
		t.Errorf("%v %v", target, err)
	}
}

func TestFileWithPasswordIsRefused(t *testing.T) {
	_, err := resolve(t, ResolveOptions{Databases: []Database{{Name: "dev", URL: "postgres://u:hidden@h/d"}}, ConfigPath: "ddlsp.toml"}, nil)
	if err == nil || !strings.Contains(err.Error(), "url_env") || strings.Contains(err.Error(), "hidden") {
		t.Errorf("%v", err)
	}
}
