package main

import (
	"strings"
	"testing"
	"time"

	"github.com/ddlsp/ddlsp/internal/pgserver/pgtest"
)

// Before anything is dropped it is said how much there is of it.
func TestLosses(t *testing.T) {
	p := newProject(t,
		"migrations/00001_a.sql", gooseFile("CREATE TABLE a (id int, note text);\nCREATE TABLE \"Odd b\" (id int);\nCREATE MATERIALIZED VIEW m AS SELECT 1 AS x;", "DROP MATERIALIZED VIEW m;\nDROP TABLE a, \"Odd b\";"),
		"migrations/00002_c.sql", gooseFile("CREATE TABLE c (id int);\nALTER TABLE a ADD COLUMN extra int;", "ALTER TABLE a DROP COLUMN extra;\nTRUNCATE \"Odd b\";\nDROP TABLE c;\nDROP TABLE IF EXISTS nosuch;"))
	p.must(0, "migrate", "--yes")
	p.db.Exec("INSERT INTO a SELECT n, NULL, CASE WHEN n % 2 = 0 THEN n END FROM generate_series(1, 30) n", "INSERT INTO \"Odd b\" SELECT generate_series(1, 25000)", "ANALYZE")
	o := p.must(0, "rollback", "--all", "--dry-run")
	contains(t, o.out, "column a.extra (15 values)", "all rows of Odd b (about 25,000 rows)", "table a (30 rows)", "table c (0 rows)", "materialized view m (1 row)", "table nosuch,")
	r := report(t, p.must(0, "rollback", "--dry-run", "--format", "json"))
	if len(r.Losses) != 4 || r.Losses[0].Object != "column a.extra" || r.Losses[0].Rows == nil || *r.Losses[0].Rows != 15 || r.Losses[0].Estimate || r.Losses[3].Rows != nil {
		t.Errorf("%+v", r.Losses)
	}
	// A table that is locked is not waited for.
	conn := p.db.Conn()
	if _, err := conn.Exec(t.Context(), "BEGIN; LOCK TABLE a"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	contains(t, p.must(0, "rollback", "--all", "--dry-run").out, "table a (about 30 rows)")
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("it took %v", d)
	}
}

// A lock that is not obtained in time is a failure that names who holds it.
func TestBlockerIsNamed(t *testing.T) {
	p := newProject(t, gooseFiles[:2]...)
	t.Setenv("MY_URL", p.db.URL)
	p.write("ddlsp.toml", "[databases.dev]\nurl_env = \"MY_URL\"\nlock_timeout = \"50ms\"\n",
		"migrations/00002_b.sql", "-- +goose Up\nALTER TABLE a ADD COLUMN b int;\n-- +goose Down\nSELECT 1;\n")
	p.must(0, "migrate", "--to", "1", "--yes")
	conn := p.db.Conn()
	if _, err := conn.Exec(t.Context(), "SET application_name = 'report of Monday'; BEGIN; LOCK TABLE a"); err != nil {
		t.Fatal(err)
	}
	o := p.raw("migrate", "--yes")
	if o.code != 1 {
		t.Errorf("exit %d", o.code)
	}
	contains(t, o.errout, "55P03", "Locks on it are held by process", "report of Monday", "idle in transaction", "try 5 of", "Nothing of 2 stays")
}

// What takes long says what it waits for, and how far it is.
func TestSlowStatementsTell(t *testing.T) {
	l := layouts["goose"]
	m := gated(l)
	p := l.project(t, "goose", m["transaction"].up, m["transaction"].down, false)
	p.write(l.file(3, m["concurrently"].up, m["concurrently"].down, true)...)
	opened := p.closeFor(2500 * time.Millisecond)
	o := p.must(0, "migrate", "--yes", "--to", "2")
	<-opened
	contains(t, o.errout, "waiting: for a lock held by process", "idle in transaction")
	opened = p.closeFor(2500 * time.Millisecond)
	o = p.must(0, "migrate", "--yes")
	<-opened
	contains(t, o.errout, "b_id", "waiting for writers before build")
}

// An index that an earlier build left INVALID is named before the next try.
func TestInvalidIndexIsNoted(t *testing.T) {
	l := layouts["tern"]
	p := l.project(t, "tern", []string{"CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS b_id ON b (id)"}, []string{"DROP INDEX b_id"}, true)
	p.db.Exec("INSERT INTO b VALUES (1), (1)")
	contains(t, p.must(1, "migrate", "--yes").errout, "INVALID", "DROP INDEX CONCURRENTLY public.b_id")
	o := p.must(0, "migrate", "--dry-run")
	contains(t, o.out, "note: an earlier build of index b_id failed and left it INVALID", "IF NOT EXISTS takes it for the finished one", `DROP INDEX CONCURRENTLY "b_id";`)
	p.db.Exec(`DROP INDEX CONCURRENTLY "b_id"`, "DELETE FROM b")
	if o := p.must(0, "migrate", "--yes"); strings.Contains(o.errout, "INVALID") {
		t.Error(o.errout)
	}
}

// A dirty version table is explained by what is in the database.
func TestDirtyIsExplained(t *testing.T) {
	p := newProject(t,
		"migrations/1_a.up.sql", "CREATE TABLE a (id int);", "migrations/1_a.down.sql", "DROP TABLE a;",
		"migrations/2_b.up.sql", "CREATE TABLE b (id int);\nALTER TABLE a ADD COLUMN note text;", "migrations/2_b.down.sql", "DROP TABLE b;\nDROP TABLE nosuch;",
		"migrations/3_c.up.sql", "CREATE INDEX CONCURRENTLY b_id ON b (id);", "migrations/3_c.down.sql", "DROP INDEX b_id;")
	p.must(0, "migrate", "--to", "2", "--yes")
	p.must(1, "rollback", "--yes") // leaves 1, dirty, while the schema is that of 2
	o := p.must(2, "migrate", "--yes")
	contains(t, o.errout, "dirty at version 1", "1_a.up.sql on its way up: what it makes is there: table a", "2_b.up.sql on its way down: what it makes is there: table b, column a.note",
		"sent as one transaction", "with 2_b.up.sql too: migrate -path migrations -database \"$DATABASE_URL\" force 2", "without 1_a.up.sql: ", "force -1", "Nothing was changed")
	p.db.Exec("UPDATE schema_migrations SET version = 2, dirty = false", "INSERT INTO b VALUES (1)")
	p.write("migrations/3_c.up.sql", "CREATE TABLE c (id int);\nSELECT nosuch;")
	p.must(1, "migrate", "--yes")
	contains(t, p.must(2, "rollback", "--yes").errout, "dirty at version 3", "3_c.up.sql on its way up: what it makes is not there: table c", "without 3_c.up.sql: ", "force 2")
	// A rollback of the first one.
	p.db.Exec("UPDATE schema_migrations SET version = -1")
	contains(t, p.must(2, "migrate", "--yes").errout, "dirty at version -1", "1_a.up.sql on its way down", "without any: ", "force -1")
}

// A file that holds the schema beside the migrations is out of date after a
// run, and only then.
func TestStaleDump(t *testing.T) {
	p := newProject(t, dbmateFiles...)
	p.write("db/schema.sql", "-- Dbmate schema migrations\n", ".env", "OTHER=1\n")
	if o := p.must(0, "migrate", "--dry-run"); strings.Contains(o.out+o.errout, "up to date") {
		t.Error("said before anything was run")
	}
	contains(t, p.must(0, "migrate", "--yes").errout, "db/schema.sql is not up to date any more", "dbmate dump")
	if o := p.must(0, "migrate", "--yes"); strings.Contains(o.out+o.errout, "up to date") {
		t.Error("said though nothing was run")
	}
	r := report(t, p.must(0, "rollback", "--yes", "--format", "json"))
	if len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "dbmate dump") {
		t.Errorf("notes: %v", r.Notes)
	}
	e := ectoProject(t, pgtest.DB(t), "")
	e.write("priv/repo/migrations/20240101000000_t.exs", "defmodule T do\n  use Ecto.Migration\n  def change do\n    create table(:t)\n  end\nend\n", "priv/repo/structure.sql", "-- dump\n")
	contains(t, e.must(0, "migrate", "--yes").errout, "priv/repo/structure.sql is not up to date", "mix ecto.dump -r Oracle.Repo")
}
