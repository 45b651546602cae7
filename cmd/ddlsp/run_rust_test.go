package main

import (
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var sqlxFiles = []string{
	"Cargo.toml", "[package]\nname = \"shop\"\n[dependencies]\nsqlx = { version = \"0.8\", features = [\"postgres\"] }\n",
	"migrations/0001_make_a.up.sql", "CREATE TABLE a (id int);\n", "migrations/0001_make_a.down.sql", "DROP TABLE a;\n",
	"migrations/0002_make_b.up.sql", "CREATE TABLE b (id int);\nINSERT INTO b VALUES (1);\n", "migrations/0002_make_b.down.sql", "DROP TABLE b;\n",
	"migrations/0003_index.up.sql", "-- no-transaction\nCREATE INDEX CONCURRENTLY b_id ON b (id);\n", "migrations/0003_index.down.sql", "-- no-transaction\nDROP INDEX CONCURRENTLY b_id;\n",
}

func TestSqlx(t *testing.T) {
	p := newProject(t, sqlxFiles...)
	p.must(0, "migrate", "--to", "1", "--yes")
	p.wantTables("_sqlx_migrations", "a")
	sum := sha512.Sum384([]byte(sqlxFiles[3]))
	if got := p.column("SELECT concat_ws('|', version, description, success, encode(checksum, 'hex'), execution_time > 0, installed_on <= now()) FROM _sqlx_migrations"); !slices.Equal(got, []string{fmt.Sprintf("1|make a|t|%x|t|t", sum)}) {
		t.Errorf("row: %v", got)
	}
	p.must(0, "migrate", "--yes")
	p.must(0, "redo", "--yes")
	if got := p.edited(); got != "no no no" {
		t.Errorf("edited: %s", got)
	}
	p.must(0, "rollback", "--to-exclusive", "1", "--yes")
	p.wantTables("_sqlx_migrations", "a")
	p.must(0, "migrate", "--yes")
	// Its checksum is of every byte, and a changed file stops everything.
	p.write("migrations/0001_make_a.up.sql", "CREATE TABLE a (id int);\r\n")
	if got := p.edited(); got != "yes no no" {
		t.Errorf("edited: %s", got)
	}
	p.must(0, "rollback", "--yes")
	contains(t, p.must(2, "migrate", "--yes").errout, "0001_make_a.up.sql", "checksum", "Nothing was changed")
	p.write("migrations/0001_make_a.up.sql", sqlxFiles[3])
	p.must(0, "migrate", "--yes")
	p.db.Exec("UPDATE _sqlx_migrations SET success = false WHERE version = 2")
	if got := p.states(); got["2"] != "dirty" && got["0002"] != "dirty" {
		t.Errorf("states: %v", got)
	}
	contains(t, p.must(2, "rollback", "--yes").errout, "half way")
	p.db.Exec("UPDATE _sqlx_migrations SET success = true", "INSERT INTO _sqlx_migrations SELECT 9, 'gone', now(), true, '\\x00', 1")
	for _, verb := range []string{"migrate", "rollback", "redo"} {
		contains(t, p.must(2, verb, "--yes").errout, "version 9", "missing")
	}
	p.db.Exec("DELETE FROM _sqlx_migrations WHERE version = 9")
	p.must(0, "rollback", "--all", "--yes")
	p.wantTables("_sqlx_migrations")
	// One file for both directions has no way back.
	p.write("migrations/0004_simple.sql", "CREATE TABLE s (id int);\n")
	p.must(0, "migrate", "--yes")
	contains(t, p.must(2, "rollback", "--yes").errout, "no down migration")
}

func TestSqlxFailures(t *testing.T) {
	for name, c := range map[string]struct {
		text, state string
		tables      []string
	}{
		"transaction":     {"CREATE TABLE c (id int);\nSELECT nosuch;\n", "42703", nil},
		"without":         {"-- no-transaction\nCREATE TABLE c (id int);\nCREATE INDEX CONCURRENTLY c_id ON c (id);\n", "25001", nil},
		"not quite":       {"\n-- no-transaction\nCREATE INDEX CONCURRENTLY c_id ON b (id);\n", "25001", nil},
		"own search path": {"CREATE SCHEMA s;\nSET search_path = s;\n", "42P01", nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t, append(slices.Clone(sqlxFiles[:10]), "migrations/0004_bad.up.sql", c.text, "migrations/0004_bad.down.sql", "")...)
			r := report(t, p.must(1, "migrate", "--yes", "--format", "json"))
			if r.Error == nil || r.Error.SQLState != c.state {
				t.Fatalf("%+v", r.Error)
			}
			contains(t, r.Error.Remains, "Nothing of")
			p.wantTables("_sqlx_migrations", "a", "b")
			if got := p.column("SELECT version FROM _sqlx_migrations ORDER BY 1"); !slices.Equal(got, []string{"1", "2"}) {
				t.Errorf("versions: %v", got)
			}
		})
	}
}

func dieselFile(dir, up, down string) []string {
	return []string{"migrations/" + dir + "/up.sql", up, "migrations/" + dir + "/down.sql", down}
}

func TestDiesel(t *testing.T) {
	p := newProject(t, "diesel.toml", "[migrations_directory]\ndir = \"migrations\"\n")
	p.write(dieselFile("00000000000000_diesel_initial_setup", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';\n", "DROP FUNCTION f();\n")...)
	p.write(dieselFile("2026-07-27-143313-0000_make_a", "CREATE TABLE a (id int);\n", "DROP TABLE a;\n")...)
	p.write(dieselFile("2026-07-28-000000_index", "CREATE INDEX CONCURRENTLY a_id ON a (id);\n", "DROP INDEX CONCURRENTLY a_id;\n")...)
	p.write("migrations/2026-07-28-000000_index/metadata.toml", "run_in_transaction = false\n")
	p.must(0, "migrate", "--yes")
	if got := p.column("SELECT version FROM __diesel_schema_migrations ORDER BY 1"); !slices.Equal(got, []string{"00000000000000", "202607271433130000", "20260728000000"}) {
		t.Errorf("versions: %v", got)
	}
	contains(t, p.must(0, "status", "--format", "json").out, `"applied_at": "2`)
	p.must(0, "redo", "--yes")
	r := report(t, p.must(0, "rollback", "--dry-run", "--all", "--format", "json"))
	var order []string
	for _, m := range r.Migrations {
		order = append(order, m.Version)
	}
	// The order of texts, not of numbers.
	if !slices.Equal(order, []string{"20260728000000", "202607271433130000", "00000000000000"}) {
		t.Errorf("order: %v", order)
	}
	os.RemoveAll(filepath.Join(p.dir, "migrations/2026-07-28-000000_index"))
	contains(t, p.must(2, "rollback", "--yes").errout, "20260728000000", "missing")
	p.db.Exec("DELETE FROM __diesel_schema_migrations WHERE version = '20260728000000'")
	p.write(dieselFile("2026-01-01-000000_late", "CREATE TABLE late (id int);\n", "DROP TABLE late;\n")...)
	contains(t, p.must(0, "migrate", "--yes").errout, "older than the newest applied version", "diesel runs it all the same")
	p.must(0, "rollback", "--all", "--yes")
	p.write(dieselFile("2026-08-01-000000_bad", "CREATE TABLE bad (id int);\nSELECT nosuch;\n", "SELECT 1;\n")...)
	rep := report(t, p.must(1, "migrate", "--yes", "--format", "json"))
	if rep.Error == nil || rep.Error.SQLState != "42703" || rep.Error.Range.Start.Line != 2 {
		t.Errorf("%+v", rep.Error)
	}
	p.wantTables("__diesel_schema_migrations", "a", "late")
}

// Of the tools that ddlsp does not run it shows the status and the command.
func TestOtherTools(t *testing.T) {
	sum := func(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }
	for name, c := range map[string]struct {
		files  []string
		table  string
		states string
		says   string
	}{
		"flyway": {[]string{"flyway.toml", "", "V1__a.sql", "SELECT 1;", "V1.2__b.sql", "SELECT 2;", "V1.10__c.sql", "SELECT 3;"},
			`CREATE TABLE flyway_schema_history (installed_rank int PRIMARY KEY, version varchar(50), description varchar(200), type varchar(20), script varchar(1000), checksum int, installed_by varchar(100), installed_on timestamp DEFAULT now(), execution_time int, success boolean);
INSERT INTO flyway_schema_history VALUES (1, '1', 'a', 'SQL', 'V1__a.sql', 1, 'me', now(), 1, true), (2, '1.2', 'b', 'SQL', 'V1.2__b.sql', 1, 'me', now(), 1, false)`,
			"applied dirty pending", "flyway migrate"},
		"prisma": {[]string{"migrations/migration_lock.toml", "provider = \"postgresql\"\n", "migrations/20240101000000_a/migration.sql", "SELECT 1;", "migrations/20240102000000_b/migration.sql", "SELECT 2;", "migrations/20240103000000_c/migration.sql", "SELECT 3;"},
			`CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64), finished_at timestamptz, migration_name varchar(255), logs text, rolled_back_at timestamptz, started_at timestamptz DEFAULT now(), applied_steps_count int);
INSERT INTO _prisma_migrations VALUES ('1', '` + sum("SELECT 1;") + `', now(), '20240101000000_a'), ('2', '` + sum("SELECT 22;") + `', now(), '20240102000000_b')`,
			"applied applied+edited pending", "npx prisma migrate deploy"},
		"supabase": {[]string{"supabase/config.toml", "", "supabase/migrations/20240101000000_a.sql", "SELECT 1;", "supabase/migrations/20240102000000_b.sql", "SELECT 2;"},
			`CREATE SCHEMA supabase_migrations; CREATE TABLE supabase_migrations.schema_migrations (version text PRIMARY KEY, statements text[], name text);
INSERT INTO supabase_migrations.schema_migrations VALUES ('20240101000000', '{}', 'a')`,
			"applied pending", "supabase migration up"},
		"atlas": {[]string{"migrations/atlas.sum", "h1:x\n", "migrations/20240101000000_a.sql", "SELECT 1;", "migrations/20240102000000.sql", "SELECT 2;"},
			`CREATE SCHEMA atlas_schema_revisions; CREATE TABLE atlas_schema_revisions.atlas_schema_revisions (version varchar PRIMARY KEY, description varchar, type bigint, applied bigint, total bigint, executed_at timestamptz, execution_time bigint, error text, error_stmt text, hash varchar, partial_hashes jsonb, operator_version varchar);
INSERT INTO atlas_schema_revisions.atlas_schema_revisions VALUES ('20240101000000', 'a', 2, 1, 1, now(), 1), ('20240102000000', '', 2, 1, 3, now(), 1)`,
			"applied dirty", "atlas migrate apply --dir file://migrations"},
		"node-pg-migrate": {[]string{"package.json", `{"dependencies":{"node-pg-migrate":"7"}}`, "migrations/1700000000000_a.sql", "-- Up Migration\nSELECT 1;\n-- Down Migration\nSELECT 2;\n", "migrations/1700000000001_b.sql", "-- Up Migration\nSELECT 1;\n"},
			`CREATE TABLE pgmigrations (id serial PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL); INSERT INTO pgmigrations (name, run_on) VALUES ('1700000000000_a', now()), ('1600000000000_gone', now())`,
			"missing applied pending", "npx node-pg-migrate up -m migrations"},
		"sql-migrate": {[]string{"migrations/1_a.sql", "-- +migrate Up\nSELECT 1;\n-- +migrate Down\nSELECT 1;\n", "migrations/2_b.sql", "-- +migrate Up\nSELECT 1;\n"},
			`CREATE TABLE gorp_migrations (id text PRIMARY KEY, applied_at timestamptz); INSERT INTO gorp_migrations VALUES ('1_a.sql', now())`,
			"applied pending", "sql-migrate up"},
		"drizzle": {[]string{"drizzle.config.ts", "", "drizzle/meta/_journal.json", "{}", "drizzle/0000_a.sql", "SELECT 1;", "drizzle/0001_b.sql", "SELECT 2;", "drizzle/0002_c.sql", "SELECT 3;"},
			`CREATE SCHEMA drizzle; CREATE TABLE drizzle.__drizzle_migrations (id serial PRIMARY KEY, hash text NOT NULL, created_at bigint); INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('` + sum("SELECT 1;") + `', 1), ('` + sum("old") + `', 2)`,
			"applied applied+edited pending", "npx drizzle-kit migrate"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t, c.files...)
			for _, verb := range []string{"migrate", "rollback"} {
				o := p.must(2, verb, "--yes")
				contains(t, o.errout, "does not run them")
				if verb == "migrate" {
					contains(t, o.errout, c.says, "Nothing was changed")
				}
			}
			got := func() string {
				edited := strings.Fields(p.edited())
				var out []string
				o := p.must(0, "status", "--format", "json")
				for i, part := range strings.Split(o.out, `"state": "`)[1:] {
					state, _, _ := strings.Cut(part, `"`)
					if edited[i] == "yes" {
						state += "+edited"
					}
					out = append(out, state)
				}
				return strings.Join(out, " ")
			}
			if s := got(); strings.Trim(strings.ReplaceAll(s, "pending", ""), " ") != "" {
				t.Errorf("before: %s", s)
			}
			p.db.Exec(c.table)
			before := p.tables()
			if s := got(); s != c.states {
				t.Errorf("states: %s, want %s", s, c.states)
			}
			if after := p.tables(); !slices.Equal(before, after) {
				t.Errorf("tables %v, then %v", before, after)
			}
			p.must(2, "migrate", "--yes")
		})
	}
}
