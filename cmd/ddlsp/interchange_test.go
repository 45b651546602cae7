package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ddlsp/ddlsp/internal/pgserver/pgtest"
)

// tools are the real tools that a project is alternated with.
var tools = map[string]struct{ module, version, tags string }{
	"goose":   {"github.com/pressly/goose/v3/cmd/goose", "v3.29.0", "no_ydb,no_clickhouse,no_mssql,no_mysql,no_sqlite3,no_vertica,no_libsql,no_spanner,no_duckdb"},
	"migrate": {"github.com/golang-migrate/migrate/v4/cmd/migrate", "v4.19.1", "postgres"},
	"tern":    {"github.com/jackc/tern/v2", "v2.3.4", ""},
	"dbmate":  {"", "2.36.0", ""}, // its programs are published for npm
}

// install builds a tool in a module cache of its own, once for the machine.
func install(t *testing.T, name string) string {
	t.Helper()
	if os.Getenv("DDLSP_SLOW") == "" {
		t.Skip("SKIPPED, NOT TESTED: builds " + name + " from source; set DDLSP_SLOW=1 to run it")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	tool := tools[name]
	dir := filepath.Join(cache, "ddlsp-tests", name+"-"+tool.version)
	bin := filepath.Join(dir, name)
	if tool.module == "" {
		bin = filepath.Join(dir, "node_modules", ".bin", name)
	}
	if _, err := os.Stat(bin); err == nil {
		return bin
	}
	cmd := exec.Command("go", "install", "-tags", tool.tags, tool.module+"@"+tool.version)
	if tool.module == "" {
		if _, err := exec.LookPath("npm"); err != nil {
			t.Skip("SKIPPED, NOT TESTED: " + name + " is installed with npm, which is not here")
		}
		cmd = exec.Command("npm", "install", "--no-audit", "--no-fund", "--no-save", "--prefix", dir, name+"@"+tool.version)
	}
	cmd.Dir = t.TempDir() // outside of this module
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=-mod=mod")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", name, err, out)
	}
	return bin
}

// A driver migrates a project up or down by one step or by all.
type driver func(p *project, down, all bool)

func ours(p *project, down, all bool) {
	p.t.Helper()
	switch {
	case down && all:
		p.must(0, "rollback", "--all", "--yes")
	case down:
		p.must(0, "rollback", "--yes")
	case all:
		p.must(0, "migrate", "--yes")
	default:
		p.must(0, "migrate", "--step", "1", "--yes")
	}
}

// theirs runs the real tool.
func theirs(bin string) driver {
	return func(p *project, down, all bool) {
		p.t.Helper()
		dir := filepath.Join(p.dir, "migrations")
		times := 1
		var args []string
		choose := func(one, every, back, reset []string) []string {
			switch {
			case down && all:
				return reset
			case down:
				return back
			case all:
				return every
			}
			return one
		}
		switch filepath.Base(bin) {
		case "goose":
			args = append([]string{"-dir", dir, "postgres", p.db.URL}, choose([]string{"up-by-one"}, []string{"up"}, []string{"down"}, []string{"reset"})...)
		case "migrate":
			args = append([]string{"-path", dir, "-database", p.db.URL}, choose([]string{"up", "1"}, []string{"up"}, []string{"down", "1"}, []string{"down", "-all"})...)
		case "tern":
			args = append([]string{"migrate", "--migrations", dir, "--conn-string", p.db.URL},
				choose([]string{"--destination", "+1"}, nil, []string{"--destination", "-1"}, []string{"--destination", "0"})...)
		case "dbmate":
			if !down && !all {
				dir = firstPending(p, dir)
			}
			if down && all {
				times = len(p.column("SELECT version FROM schema_migrations"))
			}
			back := []string{"rollback"}
			args = append([]string{"--url", p.db.URL, "--migrations-dir", dir, "--no-dump-schema"}, choose([]string{"migrate"}, []string{"migrate"}, back, back)...)
		}
		for range times {
			if out, err := runTool(bin, args); err != nil {
				p.t.Fatalf("%s %s: %v\n%s", filepath.Base(bin), args[len(args)-1], err, out)
			}
		}
	}
}

// firstPending is a directory with the applied migrations and the next one:
// dbmate cannot apply one alone.
func firstPending(p *project, dir string) string {
	p.t.Helper()
	var applied []string
	if slices.Contains(p.tables(), "schema_migrations") {
		applied = p.column("SELECT version FROM schema_migrations")
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		p.t.Fatal(err)
	}
	to := p.t.TempDir()
	for _, f := range files {
		version, _, _ := strings.Cut(f.Name(), "_")
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, f.Name()), text, 0o644)
		}
		if err != nil {
			p.t.Fatal(err)
		}
		if !slices.Contains(applied, version) {
			break
		}
	}
	return to
}

// runTool runs a tool in an environment that says nothing of databases.
func runTool(bin string, args []string) ([]byte, error) {
	cmd := exec.Command(bin, args...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "PG") || strings.HasPrefix(v, "GOOSE_") || strings.HasPrefix(v, "DBMATE_") || strings.HasPrefix(v, "TERN_") || strings.HasPrefix(v, "DATABASE_URL")
	})
	return cmd.CombinedOutput()
}

// contents is everything that may differ between two databases: the catalog's
// objects, all rows, the sequences. Times of application are left out.
func contents(p *project) []string {
	p.t.Helper()
	out := p.column(`SELECT format('%s %s %s %s', c.relkind, c.relname, a.attname, coalesce(format_type(a.atttypid, a.atttypmod), ''))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = 'public' ORDER BY 1`)
	out = append(out, p.column(`SELECT pg_get_constraintdef(oid) || conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1`)...)
	out = append(out, p.column(`SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1`)...)
	out = append(out, p.column(`SELECT sequencename || ' ' || coalesce(last_value::text, 'unused') FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1`)...)
	for _, t := range p.tables() {
		out = append(out, p.column(fmt.Sprintf(`SELECT '%[1]s ' || (to_jsonb(t) - 'tstamp')::text FROM public.%[1]s t ORDER BY 1`, t))...)
	}
	return out
}

// A team may change between its tool and ddlsp at any step: after every step
// the database is the same as one that only the tool has driven.
func TestInterchange(t *testing.T) {
	files := map[string][]string{
		"goose": append(slices.Clone(gooseFiles),
			"migrations/00004_f.sql", "-- +goose Up\n-- +goose StatementBegin\nCREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n  RETURN 1; -- ünï\nEND;\n$$;\n-- +goose StatementEnd\nALTER TABLE a ADD COLUMN note text DEFAULT 'x;y';\n-- +goose Down\nALTER TABLE a DROP COLUMN note;\nDROP FUNCTION f();\n"),
		"migrate": append(slices.Clone(pairFiles),
			"migrations/000005_f.up.sql", "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n  RETURN 1;\nEND;\n$$;\nALTER TABLE a ADD COLUMN note text DEFAULT 'x;y';\n",
			"migrations/000005_f.down.sql", "ALTER TABLE a DROP COLUMN note;\nDROP FUNCTION f();\n"),
		"tern": append(slices.Clone(ternFiles),
			"migrations/004_f.sql", "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n  RETURN 1; -- ünï\nEND;\n$$;\nCREATE SCHEMA s;\nSET search_path = s;\nALTER TABLE public.a ADD COLUMN note text DEFAULT 'x;y';\n"+ternSeparator+"ALTER TABLE a DROP COLUMN note;\nDROP SCHEMA s;\nDROP FUNCTION f();\n"),
		"dbmate": append(slices.Clone(dbmateFiles),
			"migrations/0011_f.sql", "-- migrate:up\nCREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n  RETURN 1; -- ünï\nEND;\n$$;\nALTER TABLE a ADD COLUMN note text DEFAULT 'x;y';\n-- migrate:down\nALTER TABLE a DROP COLUMN note;\nDROP FUNCTION f();\n"),
	}
	for name := range tools {
		t.Run(name, func(t *testing.T) {
			bin := install(t, name)
			tool := theirs(bin)
			mixed := newProject(t, files[name]...)
			pure := &project{t: t, dir: mixed.dir, db: pgtest.DB(t)}
			for i, step := range []struct {
				who       driver
				down, all bool
			}{
				{ours, false, false}, {tool, false, false}, {ours, true, false}, {tool, false, true}, {ours, true, false},
				{tool, true, false}, {ours, false, true}, {tool, true, true}, {ours, false, true}, {ours, true, true},
				{tool, false, true}, {ours, true, false}, {tool, false, false},
			} {
				step.who(mixed, step.down, step.all)
				tool(pure, step.down, step.all)
				if diff := cmp.Diff(contents(pure), contents(mixed)); diff != "" {
					t.Fatalf("step %d: the tool alone (-) and mixed with ddlsp (+):\n%s", i+1, diff)
				}
			}
		})
	}
}

// Both leave the same behind when a migration fails.
func TestInterchangeAfterFailure(t *testing.T) {
	files := map[string][]string{"goose": gooseFiles, "migrate": pairFiles, "tern": ternFiles, "dbmate": dbmateFiles}
	for name, c := range map[string]struct{ tool, path, bad string }{
		"goose":                      {"goose", "migrations/00009_x.sql", "-- +goose Up\nCREATE TABLE x (id int);\nSELECT 1/0;\n-- +goose Down\nDROP TABLE x;\n"},
		"migrate":                    {"migrate", "migrations/000009_x.up.sql", "CREATE TABLE x (id int);\nSELECT 1/0;\n"},
		"tern":                       {"tern", "migrations/004_x.sql", "CREATE TABLE x (id int);\nSELECT 1/0;\n"},
		"tern without transaction":   {"tern", "migrations/004_x.sql", "---- tern: disable-tx ----\nCREATE TABLE x (id int);\nSELECT 1/0;\n"},
		"dbmate":                     {"dbmate", "migrations/0099_x.sql", "-- migrate:up\nCREATE TABLE x (id int);\nSELECT 1/0;\n-- migrate:down\n"},
		"dbmate without transaction": {"dbmate", "migrations/0099_x.sql", "-- migrate:up transaction:false\nCREATE TABLE x (id int);\nSELECT 1/0;\n-- migrate:down\n"},
		"dbmate and search_path":     {"dbmate", "migrations/0099_x.sql", "-- migrate:up\nCREATE SCHEMA s;\nSET search_path = s;\n-- migrate:down\n"},
		"dbmate concurrently":        {"dbmate", "migrations/0099_x.sql", "-- migrate:up transaction:false\nCREATE TABLE x (id int);\nCREATE INDEX CONCURRENTLY x_id ON x (id);\n-- migrate:down\n"},
	} {
		t.Run(name, func(t *testing.T) {
			bin := install(t, c.tool)
			mixed := newProject(t, append(slices.Clone(files[c.tool]), c.path, c.bad)...)
			pure := &project{t: t, dir: mixed.dir, db: pgtest.DB(t)}
			mixed.must(1, "migrate", "--yes")
			dir := filepath.Join(pure.dir, "migrations")
			args := map[string][]string{
				"goose":   {"-dir", dir, "postgres", pure.db.URL, "up"},
				"migrate": {"-path", dir, "-database", pure.db.URL, "up"},
				"tern":    {"migrate", "--migrations", dir, "--conn-string", pure.db.URL},
				"dbmate":  {"--url", pure.db.URL, "--migrations-dir", dir, "--no-dump-schema", "migrate"},
			}[c.tool]
			out, err := runTool(bin, args)
			if err == nil {
				t.Fatalf("the tool did not fail: %s", out)
			}
			if diff := cmp.Diff(contents(pure), contents(mixed)); diff != "" {
				t.Errorf("the tool alone (-) and ddlsp (+):\n%s\nThe tool said: %s", diff, out)
			}
		})
	}
}
