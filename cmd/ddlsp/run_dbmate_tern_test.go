package main

import (
	"slices"
	"testing"
)

const ternSeparator = "---- create above / drop below ----\n"

var ternFiles = []string{
	"migrations/001_a.sql", "CREATE TABLE a (id int);\n" + ternSeparator + "DROP TABLE a;\n",
	"migrations/002_b.sql", "CREATE TABLE b (id int);\nINSERT INTO b VALUES (1);\n" + ternSeparator + "DROP TABLE b;\n",
	"migrations/003_c.sql", "---- tern: disable-tx ----\nCREATE INDEX CONCURRENTLY b_id ON b (id);\nCREATE INDEX CONCURRENTLY b_id2 ON b (id);\n" + ternSeparator + "---- tern: disable-tx ----\nDROP INDEX CONCURRENTLY b_id2;\nDROP INDEX CONCURRENTLY b_id;\n",
}

// 0010 stands before 0009 in the order of the names, by its letter.
var dbmateFiles = []string{
	"migrations/0001_a.sql", "-- migrate:up\nCREATE TABLE a (id int);\n-- migrate:down\nDROP TABLE a;\n",
	"migrations/0002_b.sql", "-- migrate:up\nCREATE TABLE b (id int);\nINSERT INTO b VALUES (1);\n-- migrate:down\nDROP TABLE b;\n",
	"migrations/0003_c.sql", "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY b_id ON b (id);\n-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY b_id;\n",
}

func TestDbmateUpAndDown(t *testing.T) {
	p := newProject(t, dbmateFiles...)
	p.wantTables()
	p.must(0, "migrate", "--to", "0002", "--yes")
	p.wantTables("a", "b", "schema_migrations")
	p.must(0, "migrate", "--yes")
	if got := p.column("SELECT version FROM schema_migrations ORDER BY 1"); !slices.Equal(got, []string{"0001", "0002", "0003"}) {
		t.Errorf("versions: %v", got)
	}
	contains(t, p.must(0, "migrate", "--yes").out, "Nothing to migrate")
	contains(t, p.must(2, "migrate", "--to", "2", "--yes").errout, "no migration with version 2") // not dbmate's 0002
	p.must(0, "redo", "--yes")
	p.must(0, "rollback", "--to-exclusive", "0001", "--yes")
	p.wantTables("a", "schema_migrations")
	p.must(0, "rollback", "--to", "0001", "--yes")
	p.wantTables("schema_migrations")
	contains(t, p.must(0, "rollback", "--all", "--yes").out, "Nothing to roll back")
}

// dbmate orders by the names as text and tells versions apart as text.
func TestDbmateOrder(t *testing.T) {
	p := newProject(t,
		"migrations/10_b.sql", "-- migrate:up\nCREATE TABLE b (id int);\n-- migrate:down\nDROP TABLE b;\n",
		"migrations/9_a.sql", "-- migrate:up\nCREATE TABLE a (id int);\n-- migrate:down\nDROP TABLE a;\n",
		"migrations/010_c.sql", "-- migrate:up\nCREATE TABLE c (id int);\n-- migrate:down\nDROP TABLE c;\n")
	r := report(t, p.must(0, "migrate", "--yes", "--format", "json"))
	var order []string
	for _, m := range r.Migrations {
		order = append(order, m.Version)
	}
	if !slices.Equal(order, []string{"010", "10", "9"}) {
		t.Errorf("order: %v", order)
	}
	// A late one is applied, unless dbmate's strict mode is on.
	p.write("migrations/05_d.sql", "-- migrate:up\nCREATE TABLE d (id int);\n-- migrate:down\nDROP TABLE d;\n")
	if got := p.states()["05"]; got != "out_of_order" {
		t.Errorf("state of 05: %s", got)
	}
	t.Setenv("DBMATE_STRICT", "true")
	contains(t, p.must(2, "migrate", "--yes").errout, "05_d.sql", "strict", "Nothing was changed")
	t.Setenv("DBMATE_STRICT", "")
	contains(t, p.must(0, "migrate", "--dry-run").out, "05_d.sql stands before 9_a.sql")
	p.must(0, "migrate", "--yes")
	// The last by name goes first, not the last applied.
	p.must(0, "rollback", "--yes")
	p.wantTables("b", "c", "d", "schema_migrations")
	// A version without a file would be passed over.
	p.db.Exec("INSERT INTO schema_migrations VALUES ('7')")
	contains(t, p.must(2, "rollback", "--yes").errout, "version 7", "file is missing")
}

func TestDbmateRefusals(t *testing.T) {
	two := "-- migrate:up\nCREATE TABLE c (id int);\n-- migrate:down\nDROP TABLE c;\n-- migrate:up\nCREATE TABLE d (id int);\n-- migrate:down\nDROP TABLE d;\n"
	p := newProject(t, append(slices.Clone(dbmateFiles), "migrations/0004_two.sql", two)...)
	contains(t, p.must(2, "migrate", "--yes").errout, "0004_two.sql", "migrate:up", "Nothing was changed")
	p.wantTables()
	p.write("migrations/0004_two.sql", "-- migrate:up\nCREATE TABLE c (id int);\n")
	contains(t, p.must(2, "migrate", "--yes").errout, "0004_two.sql", "migrate:down")
	p.wantTables()
	p.db.Exec("CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)")
	contains(t, p.must(2, "migrate", "--yes").errout, "golang-migrate")
}

// What a failure leaves depends on the transaction; the position is that of
// the file, since the line of the directive is sent along.
func TestDbmateFailures(t *testing.T) {
	for name, c := range map[string]struct {
		text    string
		line    int
		state   string
		remains string
	}{
		"transaction":  {"-- migrate:up\nCREATE TABLE c (id int);\n-- ü\nINSERT INTO c VALUES ('ü', nosuch);\n-- migrate:down\n", 4, "42703", "Nothing of 0003 stays"},
		"sent at once": {"-- migrate:up transaction:false\nCREATE TABLE c (id int);\nSELECT nosuch;\n-- migrate:down\n", 3, "42703", "Nothing of 0003 stays"},
		"blank option": {"-- migrate:up transaction: false\nCREATE INDEX CONCURRENTLY i ON b (id);\n-- migrate:down\n", 2, "25001", "Nothing of 0003 stays"},
		"two without":  {"-- migrate:up transaction:false\nSELECT 1;\nCREATE INDEX CONCURRENTLY i ON b (id);\n-- migrate:down\n", 3, "25001", "Nothing of 0003 stays"},
		"search_path":  {"-- migrate:up\nCREATE SCHEMA s;\nSET search_path = s;\n-- migrate:down\n", 1, "42P01", "Nothing of 0003 stays"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t, append(slices.Clone(dbmateFiles[:4]), "migrations/0003_bad.sql", c.text)...)
			r := report(t, p.must(1, "migrate", "--yes", "--format", "json"))
			if r.Error == nil || r.Error.SQLState != c.state || r.Error.Range == nil || r.Error.Range.Start.Line != c.line {
				t.Fatalf("error: %+v", r.Error)
			}
			contains(t, r.Error.Remains, c.remains, "0001, 0002")
			p.wantTables("a", "b", "schema_migrations")
			if got := p.column("SELECT version FROM schema_migrations ORDER BY 1"); !slices.Equal(got, []string{"0001", "0002"}) {
				t.Errorf("versions: %v", got)
			}
		})
	}
}

func TestTernUpAndDown(t *testing.T) {
	p := newProject(t, ternFiles...)
	p.wantTables()
	p.must(0, "migrate", "--step", "1", "--yes")
	p.wantTables("a", "schema_version")
	p.must(0, "migrate", "--yes")
	if got := p.column("SELECT version FROM schema_version"); !slices.Equal(got, []string{"3"}) {
		t.Errorf("version: %v", got)
	}
	p.must(0, "redo", "--yes")
	p.must(0, "rollback", "--to-exclusive", "1", "--yes")
	p.wantTables("a", "schema_version")
	p.must(0, "rollback", "--yes")
	if got := p.column("SELECT version FROM schema_version"); !slices.Equal(got, []string{"0"}) {
		t.Errorf("version: %v", got)
	}
	contains(t, p.must(0, "rollback", "--yes").out, "Nothing to roll back")
	// The settings that a migration makes do not reach the next one.
	p.write("migrations/001_a.sql", "CREATE SCHEMA s;\nSET search_path = s;\nCREATE TABLE inside (id int);\n"+ternSeparator+"DROP SCHEMA s CASCADE;\n",
		"migrations/002_b.sql", "CREATE TABLE b (id int);\n"+ternSeparator+"DROP TABLE b;\n")
	p.must(0, "migrate", "--yes")
	p.wantTables("b", "schema_version")
}

func TestTernRefusals(t *testing.T) {
	p := newProject(t, ternFiles...)
	p.write("migrations/005_e.sql", "CREATE TABLE e (id int);\n")
	contains(t, p.must(2, "migrate", "--yes").errout, "migration 4 is missing", "Nothing was changed")
	p.write("migrations/004_d.sql", "CREATE TABLE {{ .name }} (id int);\n"+ternSeparator+"DROP TABLE d;\n")
	contains(t, p.must(2, "migrate", "--yes").errout, "004_d.sql", "template", "tern migrate")
	p.wantTables()
	p.must(0, "migrate", "--to", "3", "--yes")
	p.write("migrations/004_d.sql", "CREATE TABLE d (id int);\n"+ternSeparator)
	p.must(0, "migrate", "--yes")
	contains(t, p.must(2, "rollback", "--yes").errout, "no down migration")
	p.must(2, "rollback", "--step", "2", "--yes")
	p.write("migrations/005_e.sql", "-- nothing\n")
	contains(t, p.must(2, "migrate", "--yes").errout, "005_e.sql", "no SQL above")
	p.db.Exec("UPDATE schema_version SET version = 9")
	contains(t, p.must(2, "migrate", "--yes").errout, "version 9", "1 to 5")
}

func TestTernFailures(t *testing.T) {
	for name, c := range map[string]struct {
		text    string
		line    int
		state   string
		tables  []string
		remains string
	}{
		"transaction": {"CREATE TABLE c (id int);\n-- ü\nINSERT INTO c VALUES ('ü', nosuch);\n", 3, "42703", []string{"a", "b", "schema_version"}, "Nothing of 3 stays"},
		"without":     {"---- tern: disable-tx ----\nCREATE TABLE c (id int);\nINSERT INTO c VALUES ('ü', nosuch);\n", 3, "42703", []string{"a", "b", "c", "schema_version"}, "first statement stays"},
		"index":       {"CREATE INDEX CONCURRENTLY i ON b (id);\n", 1, "25001", []string{"a", "b", "schema_version"}, "Nothing of 3 stays"},
		"crlf":        {"---- tern: disable-tx ----\r\nCREATE INDEX CONCURRENTLY i ON b (id);\r\n", 2, "25001", []string{"a", "b", "schema_version"}, "Nothing of 3 stays"},
		"half":        {"---- tern: disable-tx ----\nCREATE INDEX CONCURRENTLY i ON b (id);\nCREATE UNIQUE INDEX CONCURRENTLY j ON b (id);\n", 3, "23505", []string{"a", "b", "schema_version"}, "DROP INDEX CONCURRENTLY public.j"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t, append(slices.Clone(ternFiles[:4]), "migrations/003_bad.sql", c.text)...)
			p.must(0, "migrate", "--to", "2", "--yes")
			p.db.Exec("INSERT INTO b VALUES (1)") // twice the same
			r := report(t, p.must(1, "migrate", "--yes", "--format", "json"))
			if r.Error == nil || r.Error.SQLState != c.state || r.Error.Range == nil || r.Error.Range.Start.Line != c.line {
				t.Fatalf("error: %+v", r.Error)
			}
			contains(t, r.Error.Remains, c.remains)
			p.wantTables(c.tables...)
			if got := p.column("SELECT version FROM schema_version"); !slices.Equal(got, []string{"2"}) {
				t.Errorf("version: %v", got)
			}
		})
	}
}
