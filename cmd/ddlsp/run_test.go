package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ddlsp/ddlsp/internal/pgserver/pgtest"
	"github.com/ddlsp/ddlsp/runner"
)

// A project is a directory of migrations and a database to run them on.
type project struct {
	t   *testing.T
	dir string
	db  *pgtest.Database
}

// newProject writes files, given as path and text in turn.
func newProject(t *testing.T, files ...string) *project {
	t.Helper()
	for _, v := range []string{"DATABASE_URL", "GOOSE_DBSTRING", "GOOSE_TABLE", "DBMATE_MIGRATIONS_TABLE", "DBMATE_STRICT", "TERN_CONFIG", "TERN_MIGRATIONS", "DDLSP_DATABASE_URL", "PGDATABASE", "PGSERVICE", "PGPASSWORD", "PGHOST", "PGUSER", "PGPORT"} {
		t.Setenv(v, "")
	}
	p := &project{t: t, dir: t.TempDir(), db: pgtest.DB(t)}
	p.write(files...)
	return p
}

func (p *project) write(files ...string) {
	p.t.Helper()
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(p.dir, files[i])
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			p.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(files[i+1]), 0o644); err != nil {
			p.t.Fatal(err)
		}
	}
}

// An output is what a command printed and its exit code.
type output struct {
	code        int
	out, errout string
}

// raw runs a command as it is.
func (p *project) raw(args ...string) output {
	var out, errout bytes.Buffer
	code := run(&app{in: strings.NewReader(""), out: &out, err: &errout, dir: p.dir}, args)
	return output{code, out.String(), errout.String()}
}

// do runs a command on the test's database.
func (p *project) do(args ...string) output {
	return p.raw(append([]string{"--database-url", p.db.URL}, args...)...)
}

// must runs a command that has to exit with code.
func (p *project) must(code int, args ...string) output {
	p.t.Helper()
	o := p.do(args...)
	if o.code != code {
		p.t.Fatalf("ddlsp %s: exit %d, want %d\n%s%s", strings.Join(args, " "), o.code, code, o.out, o.errout)
	}
	return o
}

// states are the states of the status command by version.
func (p *project) states() map[string]string {
	p.t.Helper()
	var r runner.StatusReport
	o := p.must(0, "status", "--format", "json")
	if err := json.Unmarshal([]byte(o.out), &r); err != nil {
		p.t.Fatalf("%v in %s", err, o.out)
	}
	m := map[string]string{}
	for _, l := range r.Migrations {
		m[l.Version] = l.State
	}
	return m
}

// column is the first column of a query.
func (p *project) column(sql string) []string {
	p.t.Helper()
	var out []string
	for _, r := range p.db.Rows(sql) {
		out = append(out, r[0])
	}
	return out
}

func (p *project) tables() []string {
	p.t.Helper()
	return p.column("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
}

func (p *project) wantTables(want ...string) {
	p.t.Helper()
	if got := p.tables(); !slices.Equal(got, want) {
		p.t.Errorf("tables %v, want %v", got, want)
	}
}

func report(t *testing.T, o output) *runner.Report {
	t.Helper()
	var r runner.Report
	if err := json.Unmarshal([]byte(o.out), &r); err != nil {
		t.Fatalf("%v in %q (stderr %q)", err, o.out, o.errout)
	}
	return &r
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, s := range parts {
		if !strings.Contains(text, s) {
			t.Errorf("%q is not in %q", s, text)
		}
	}
}

var gooseFiles = []string{
	"migrations/00001_a.sql", "-- +goose Up\nCREATE TABLE a (id int);\n-- +goose Down\nDROP TABLE a;\n",
	"migrations/00002_b.sql", "-- +goose Up\nCREATE TABLE b (id int);\nINSERT INTO b VALUES (1);\n-- +goose Down\nDROP TABLE b;\n",
	"migrations/00003_c.sql", "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY b_id ON b (id);\n-- +goose Down\nDROP INDEX CONCURRENTLY b_id;\n",
}

func TestGooseUpAndDown(t *testing.T) {
	p := newProject(t, gooseFiles...)
	if got := p.states(); got["1"] != "pending" || got["3"] != "pending" {
		t.Errorf("at first: %v", got)
	}
	p.wantTables() // status made no version table
	dry := report(t, p.must(0, "migrate", "--dry-run", "--format", "json"))
	if !dry.DryRun || len(dry.Migrations) != 3 || dry.Migrations[1].Statements != 2 || dry.Migrations[0].Outcome != "planned" || dry.Plan == "" {
		t.Errorf("dry run: %+v", dry)
	}
	p.wantTables()
	p.must(2, "migrate") // nobody can be asked
	p.wantTables()
	p.must(0, "migrate", "--to", "2", "--yes")
	p.wantTables("a", "b", "goose_db_version")
	p.must(0, "migrate", "--yes")
	if got := p.column("SELECT version_id || ' ' || is_applied FROM goose_db_version ORDER BY id"); !slices.Equal(got, []string{"0 true", "1 true", "2 true", "3 true"}) {
		t.Errorf("version rows: %v", got)
	}
	contains(t, p.must(0, "migrate", "--yes").out, "Nothing to migrate")
	p.must(0, "status", "--check")
	r := report(t, p.must(0, "rollback", "--yes", "--format", "json"))
	if len(r.Migrations) != 1 || r.Migrations[0].Version != "3" || r.Migrations[0].Outcome != "rolled_back" || r.Error != nil {
		t.Errorf("rollback: %+v", r)
	}
	p.must(1, "status", "--check")
	p.must(0, "redo", "--yes")
	if got := p.column("SELECT version_id FROM goose_db_version ORDER BY id"); !slices.Equal(got, []string{"0", "1", "2"}) {
		t.Errorf("version rows after redo: %v", got)
	}
	p.must(0, "rollback", "--to-exclusive", "1", "--yes")
	p.wantTables("a", "goose_db_version")
	p.must(0, "rollback", "--all", "--yes")
	p.wantTables("goose_db_version")
	contains(t, p.must(0, "rollback", "--yes").out, "Nothing to roll back")
	contains(t, p.must(2, "migrate", "--to", "77", "--yes").errout, "77", "there is")
}

func TestGooseOrder(t *testing.T) {
	p := newProject(t, gooseFiles...)
	p.must(0, "migrate", "--yes")
	// 2 was applied again after 3, so goose undoes it first.
	p.db.Exec("DELETE FROM goose_db_version WHERE version_id = 2", "INSERT INTO goose_db_version (version_id, is_applied) VALUES (2, true)")
	r := report(t, p.must(0, "rollback", "--dry-run", "--step", "2", "--format", "json"))
	if r.Migrations[0].Version != "2" || r.Migrations[1].Version != "3" {
		t.Errorf("order: %+v", r.Migrations)
	}
	p.db.Exec("DELETE FROM goose_db_version WHERE version_id = 2")
	contains(t, p.must(2, "migrate", "--yes").errout, "00002_b.sql", "allow-missing")
	if got := p.states()["2"]; got != "out_of_order" {
		t.Errorf("state of 2: %s", got)
	}
	os.Remove(filepath.Join(p.dir, "migrations/00003_c.sql"))
	if got := p.states()["3"]; got != "missing" {
		t.Errorf("state of 3: %s", got)
	}
	contains(t, p.must(2, "rollback", "--yes").errout, "3", "missing")
	// A row of an old goose that says "not applied".
	p.db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (3, false)")
	if got := p.states(); got["3"] != "" {
		t.Errorf("states: %v", got)
	}
}

func TestGooseFailures(t *testing.T) {
	p := newProject(t, gooseFiles[:4]...)
	p.write("migrations/00003_bad.sql", "-- +goose Up\nCREATE TABLE c (id int);\n-- ünïcödé\nINSERT INTO c VALUES ('ü', nosuch);\n-- +goose Down\n")
	o := p.must(1, "migrate", "--yes", "--format", "json")
	r := report(t, o)
	if r.Error == nil || r.Error.SQLState != "42703" || r.Error.Range.Start.Line != 4 || r.Error.Range.Start.Column != len("INSERT INTO c VALUES ('ü', ")+1 {
		t.Fatalf("error: %+v %+v", r.Error, r.Error.Range)
	}
	if !strings.HasPrefix(r.Error.Statement, "INSERT INTO c") && !strings.Contains(r.Error.Statement, "INSERT INTO c") {
		t.Errorf("statement: %q", r.Error.Statement)
	}
	contains(t, r.Error.Remains, "Nothing of 3 stays", "Done before it: 1, 2")
	contains(t, o.errout, "migrations/00003_bad.sql:4:")
	p.wantTables("a", "b", "goose_db_version")
	if outcomes := []string{r.Migrations[0].Outcome, r.Migrations[2].Outcome}; !slices.Equal(outcomes, []string{"applied", "failed"}) {
		t.Errorf("outcomes: %v", outcomes)
	}

	// Outside a transaction the first statement stays.
	p.write("migrations/00003_bad.sql", "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE TABLE c (id int);\nINSERT INTO c VALUES (1), (1);\nCREATE UNIQUE INDEX CONCURRENTLY c_id ON c (id);\n-- +goose Down\n")
	r = report(t, p.must(1, "migrate", "--yes", "--format", "json"))
	contains(t, r.Error.Remains, "first 2 statements stay", "INVALID index", "c_id")
	p.wantTables("a", "b", "c", "goose_db_version")
	if got := p.column("SELECT max(version_id) FROM goose_db_version"); got[0] != "2" {
		t.Errorf("version %v", got)
	}
}

func TestMissingDown(t *testing.T) {
	p := newProject(t, "migrations/00001_a.sql", "-- +goose Up\nCREATE TABLE a (id int);\n")
	p.must(0, "migrate", "--yes")
	contains(t, p.must(2, "rollback", "--yes").errout, "no down migration", "Nothing was changed")
	if got := p.states()["1"]; got != "applied" {
		t.Errorf("state: %s", got)
	}
}

var pairFiles = []string{
	"migrations/000001_a.up.sql", "CREATE TABLE a (id int);", "migrations/000001_a.down.sql", "DROP TABLE a;",
	"migrations/000002_b.up.sql", "CREATE TABLE b (id int);\nINSERT INTO b VALUES (1);\n", "migrations/000002_b.down.sql", "DROP TABLE b;",
	"migrations/000004_c.up.sql", "CREATE INDEX CONCURRENTLY b_id ON b (id);\n", "migrations/000004_c.down.sql", "DROP INDEX b_id;",
}

func TestGolangMigrateUpAndDown(t *testing.T) {
	p := newProject(t, pairFiles...)
	rows := func(want ...string) {
		t.Helper()
		if got := p.column("SELECT version || ' ' || dirty FROM schema_migrations"); !slices.Equal(got, want) {
			t.Errorf("version row %v, want %v", got, want)
		}
	}
	p.must(0, "migrate", "--yes")
	rows("4 false")
	p.must(0, "rollback", "--yes")
	rows("2 false")
	p.must(0, "rollback", "--all", "--yes")
	rows()
	p.wantTables("schema_migrations")
	p.must(0, "migrate", "--step", "1", "--yes")
	rows("1 false")
	p.must(0, "migrate", "--to-exclusive", "4", "--yes")
	rows("2 false")

	// A file that fails as one implicit transaction leaves nothing, and a
	// dirty version.
	p.write("migrations/000004_c.up.sql", "CREATE TABLE c (id int);\nINSERT INTO nosuch VALUES (1);\n")
	r := report(t, p.must(1, "migrate", "--yes", "--format", "json"))
	if r.Error.SQLState != "42P01" || r.Error.Range.Start.Line != 2 {
		t.Errorf("error: %+v", r.Error)
	}
	contains(t, r.Error.Remains, "Nothing of 4 stays", "dirty", "force 2")
	rows("4 true")
	p.wantTables("a", "b", "schema_migrations")
	if got := p.states()["4"]; got != "dirty" {
		t.Errorf("state: %s", got)
	}
	for _, c := range []string{"migrate", "rollback", "redo"} {
		contains(t, p.must(2, c, "--yes").errout, "dirty", "Nothing was changed")
	}
	rows("4 true")
}

func TestGolangMigrateMissingFile(t *testing.T) {
	p := newProject(t, pairFiles...)
	p.must(0, "migrate", "--yes")
	os.Remove(filepath.Join(p.dir, "migrations/000004_c.up.sql"))
	os.Remove(filepath.Join(p.dir, "migrations/000004_c.down.sql"))
	contains(t, p.must(2, "migrate", "--yes").errout, "version 4", "no file")
	contains(t, p.must(2, "rollback", "--yes").errout, "version 4", "no file")
	if got := p.states()["4"]; got != "missing" {
		t.Errorf("state: %s", got)
	}
}

// The version tables of four tools have one name.
func TestForeignVersionTable(t *testing.T) {
	p := newProject(t, pairFiles...)
	p.db.Exec(`CREATE TABLE schema_migrations ("version" bigint, "inserted_at" timestamp(0), PRIMARY KEY ("version"))`,
		"INSERT INTO schema_migrations VALUES (20240101000000, now()), (20240102000000, now())")
	for _, args := range [][]string{{"status"}, {"migrate", "--yes"}, {"rollback", "--yes"}, {"migrate", "--dry-run"}} {
		contains(t, p.must(2, args...).errout, "schema_migrations", "Ecto", "Nothing was changed")
	}
	if got := p.column("SELECT count(*) FROM schema_migrations"); got[0] != "2" {
		t.Errorf("rows: %v", got)
	}
}

func TestUnreachable(t *testing.T) {
	p := newProject(t, gooseFiles...)
	secret := "s3cr3t-pa55"
	wrong := strings.Replace(p.db.TCP, ":"+p.db.Server.Password()+"@", ":"+secret+"@", 1)
	for name, c := range map[string]struct{ url, says string }{
		"wrong password": {wrong, "refused the password"},
		"no server":      {"postgres://u:" + secret + "@127.0.0.1:1/d", "cannot be reached"},
		"no database":    {strings.Replace(p.db.URL, p.db.Name, "nosuch", 1), "does not exist"},
		"unknown host":   {"postgres://u:" + secret + "@no-such-host.invalid/d", "cannot be reached"},
		"bad text":       {"postgres://u:" + secret + "/#@h/d", "cannot be read"},
		"another one":    {"mysql://u:" + secret + "@h/d", "mysql:// is not a PostgreSQL address"},
		"bad parameter":  {"postgres://u:" + secret + "@h/d?sslmode=sometimes", "not usable"},
		"bad port":       {"postgres://u:" + secret + "@h:" + secret + "/d", "cannot be read"},
		"keywords":       {"host=127.0.0.1 port=1 password='" + secret + "' dbname=d", "cannot be reached"},
		"open quote":     {"host=127.0.0.1 password='" + secret, "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, cmd := range []string{"status", "migrate"} {
				args := []string{"--database-url", c.url, cmd}
				if cmd == "migrate" {
					args = append(args, "--yes")
				}
				o := p.raw(args...)
				if o.code != 2 {
					t.Errorf("exit %d", o.code)
				}
				contains(t, o.errout, c.says)
				if strings.Contains(o.out+o.errout, secret) {
					t.Errorf("the password is printed: %s", o.errout)
				}
			}
		})
	}
}

func TestReadOnlyUser(t *testing.T) {
	p := newProject(t, gooseFiles...)
	p.must(0, "migrate", "--to", "1", "--yes")
	role := "reader_" + p.db.Name
	p.db.Exec("CREATE ROLE "+role+" LOGIN", "GRANT SELECT ON goose_db_version TO "+role)
	defer p.db.Exec("DROP OWNED BY "+role, "DROP ROLE "+role)
	url := strings.Replace(p.db.URL, "postgres://postgres@", "postgres://"+role+"@", 1)
	if o := p.raw("--database-url", url, "status"); o.code != 0 {
		t.Errorf("status: exit %d: %s", o.code, o.errout)
	}
	o := p.raw("--database-url", url, "migrate", "--yes")
	if o.code != 1 {
		t.Errorf("migrate: exit %d", o.code)
	}
	contains(t, o.errout, "permission denied", "42501", "Nothing of 2 stays")
}

func TestNoDatabase(t *testing.T) {
	p := newProject(t, gooseFiles...)
	o := p.raw("migrate", "--yes")
	if o.code != 2 {
		t.Errorf("exit %d", o.code)
	}
	contains(t, o.errout, "no database is named", "--database-url", "ddlsp.toml", "DDLSP_DATABASE_URL", "GOOSE_DBSTRING", ".env", "PGDATABASE")
}

func TestWhichDatabase(t *testing.T) {
	p := newProject(t, gooseFiles...)
	used := func(want string, args ...string) {
		t.Helper()
		o := p.raw(append(args, "status", "--format", "json")...)
		var r runner.StatusReport
		if err := json.Unmarshal([]byte(o.out), &r); err != nil {
			t.Fatalf("%s%s", o.out, o.errout)
		}
		if !strings.HasPrefix(r.Source, want) {
			t.Errorf("the database came from %q, want %q", r.Source, want)
		}
	}
	t.Setenv("PGDATABASE", p.db.Name)
	t.Setenv("PGHOST", filepath.Dir(p.db.Server.LogFile()))
	t.Setenv("PGPORT", p.column("SHOW port")[0])
	t.Setenv("PGUSER", "postgres")
	used("PGDATABASE")
	p.write(".env", "GOOSE_DRIVER=postgres\nGOOSE_DBSTRING=\""+p.db.URL+"\"\n")
	used("GOOSE_DBSTRING in ")
	t.Setenv("GOOSE_DBSTRING", p.db.URL)
	used("GOOSE_DBSTRING")
	t.Setenv("DDLSP_DATABASE_URL", p.db.URL)
	used("DDLSP_DATABASE_URL")
	t.Setenv("MY_URL", p.db.URL)
	p.write("ddlsp.toml", "[databases.dev]\nurl_env = \"MY_URL\"\n")
	used("MY_URL (by [databases.dev]")
	p.write("ddlsp.toml", "[databases.dev]\nurl_env = \"MY_URL\"\n[databases.test]\nurl_env = \"UNSET_URL\"\n")
	if o := p.raw("status"); o.code != 2 || !strings.Contains(o.errout, "dev, test") {
		t.Errorf("two databases without a default: %d %s", o.code, o.errout)
	}
	if o := p.raw("--database", "test", "status"); o.code != 2 || !strings.Contains(o.errout, "UNSET_URL") {
		t.Errorf("a variable that is not set: %d %s", o.code, o.errout)
	}
	if o := p.raw("--database", "prod", "status"); o.code != 2 || !strings.Contains(o.errout, "dev, test") {
		t.Errorf("an unknown database: %d %s", o.code, o.errout)
	}
	p.write("ddlsp.toml", "default_database = \"dev\"\n[databases.dev]\nurl_env = \"MY_URL\"\n[databases.test]\nurl_env = \"UNSET_URL\"\n")
	used("MY_URL (by [databases.dev]")
	used("--database-url", "--database-url", p.db.URL)
}

// A file of the workspace may not send the user's password to its own host.
func TestPasswordStaysWithItsHost(t *testing.T) {
	p := newProject(t, gooseFiles...)
	t.Setenv("PGPASSWORD", p.db.Server.Password())
	p.write("ddlsp.toml", "[databases.dev]\nurl = \""+strings.Replace(p.db.TCP, ":"+p.db.Server.Password(), "", 1)+"\"\n")
	o := p.raw("status")
	if o.code != 2 {
		t.Errorf("PGPASSWORD was sent to a host that a file names: exit %d", o.code)
	}
	pass := filepath.Join(t.TempDir(), "pgpass")
	os.WriteFile(pass, []byte("127.0.0.1:*:*:postgres:"+p.db.Server.Password()+"\n"), 0o600)
	t.Setenv("PGPASSFILE", pass)
	if o := p.raw("status"); o.code != 0 {
		t.Errorf("the password bound to the host was not used: %s", o.errout)
	}
}

func TestProtected(t *testing.T) {
	p := newProject(t, gooseFiles...)
	t.Setenv("MY_URL", p.db.URL)
	p.write("ddlsp.toml", "[databases.prod]\nurl_env = \"MY_URL\"\nprotected = true\n")
	for _, args := range [][]string{{"migrate"}, {"migrate", "--yes"}, {"migrate", "--yes", "--confirm", "other"}, {"migrate", "--confirm", p.db.Name}} {
		o := p.raw(args...)
		if o.code != 2 || !strings.Contains(o.errout, "Nothing was changed") {
			t.Errorf("%v: exit %d: %s", args, o.code, o.errout)
		}
	}
	p.wantTables()
	if o := p.raw("migrate", "--yes", "--confirm", p.db.Name); o.code != 0 {
		t.Errorf("confirmed: exit %d: %s", o.code, o.errout)
	}
}

// Two runs at once: one does the work, the other finds it done.
func TestTwoRunnersAtOnce(t *testing.T) {
	for name, files := range map[string][]string{"goose": gooseFiles, "golang-migrate": pairFiles} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t, files...)
			if name == "goose" {
				p.write("migrations/00001_a.sql", "-- +goose Up\nSELECT pg_sleep(0.6);\nCREATE TABLE a (id int);\n-- +goose Down\nDROP TABLE a;\n")
			} else {
				p.write("migrations/000001_a.up.sql", "SELECT pg_sleep(0.6);\nCREATE TABLE a (id int);\n")
			}
			outs := make([]output, 2)
			var wg sync.WaitGroup
			for i := range outs {
				wg.Go(func() { outs[i] = p.do("migrate", "--yes", "--format", "json") })
			}
			wg.Wait()
			applied := 0
			for _, o := range outs {
				if o.code != 0 {
					t.Fatalf("exit %d: %s", o.code, o.errout)
				}
				for _, m := range report(t, o).Migrations {
					if m.Outcome == "applied" {
						applied++
					}
				}
			}
			if applied != 3 {
				t.Errorf("%d applied in all", applied)
			}
		})
	}
}

func TestLockHeldByAnother(t *testing.T) {
	defer func(d time.Duration) { lockWait = d }(lockWait)
	lockWait = 300 * time.Millisecond
	p := newProject(t, gooseFiles...)
	conn := p.db.Conn()
	if _, err := conn.Exec(t.Context(), "SELECT pg_advisory_lock(4097083626)"); err != nil {
		t.Fatal(err)
	}
	o := p.must(1, "migrate", "--yes")
	contains(t, o.errout, "another runner holds the migration lock", "process ", "Nothing was changed")
	p.wantTables()
	if _, err := conn.Exec(t.Context(), "SELECT pg_advisory_unlock(4097083626)"); err != nil {
		t.Fatal(err)
	}
	p.must(0, "migrate", "--yes")
}
