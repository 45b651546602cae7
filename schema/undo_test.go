package schema

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/migration"
)

// written makes a migration of SQL statements.
func written(up, down []string) *migration.Migration {
	body := func(d migration.Direction, sql []string) *migration.Body {
		b := &migration.Body{Direction: d, Origin: migration.Written}
		for _, s := range sql {
			st := &migration.Statement{SQL: s}
			b.Units = append(b.Units, &migration.Unit{SQL: s, Statements: []*migration.Statement{st}})
		}
		return b
	}
	return &migration.Migration{Version: "1", Format: migration.Goose, Up: body(migration.Up, up), Down: body(migration.Down, down)}
}

func TestUndo(t *testing.T) {
	before := script(t, `CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL DEFAULT 5, b text)`, `CREATE INDEX t_b ON t (b)`,
		`ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)`)
	for _, tt := range []struct {
		up   string // statements, separated by semicolons
		want string
		err  string
	}{
		{up: `CREATE TABLE n (id int); CREATE INDEX ON n (id); INSERT INTO n VALUES (1)`, want: `DROP TABLE n`},
		{up: `CREATE TYPE mood AS ENUM ('a'); CREATE TABLE n (m mood)`, want: `DROP TABLE n; DROP TYPE mood`},
		{up: `CREATE TABLE n (id int); ALTER TABLE n RENAME TO n2`, want: `ALTER TABLE n2 RENAME TO n; DROP TABLE n`},
		{up: `CREATE TABLE n (id int); DROP TABLE n`, want: ``},
		{up: `ALTER TABLE t ADD COLUMN x int UNIQUE, ADD COLUMN y int`, want: `ALTER TABLE t DROP COLUMN y; ALTER TABLE t DROP COLUMN x`},
		{up: `CREATE INDEX CONCURRENTLY i ON t (a)`, want: `DROP INDEX CONCURRENTLY i`},
		{up: `CREATE INDEX ON "T" (a)`, want: `DROP INDEX "T_a_idx"`},
		{up: `DROP INDEX t_b`, want: `CREATE INDEX t_b ON t (b)`},
		{up: `DROP INDEX unknown`, err: "definition of index unknown"},
		{up: `ALTER TABLE t ADD UNIQUE (a)`, want: `ALTER TABLE t DROP CONSTRAINT t_a_key`},
		{up: `ALTER TABLE t DROP CONSTRAINT c`, want: `ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)`},
		{up: `ALTER TABLE t ALTER a SET DEFAULT 6`, want: `ALTER TABLE t ALTER COLUMN a SET DEFAULT 5`},
		{up: `ALTER TABLE t ALTER b SET DEFAULT 'x'`, want: `ALTER TABLE t ALTER COLUMN b DROP DEFAULT`},
		{up: `ALTER TABLE t ALTER b SET NOT NULL`, want: `ALTER TABLE t ALTER COLUMN b DROP NOT NULL`},
		{up: `ALTER TABLE t ALTER a SET NOT NULL`, want: ``},
		{up: `ALTER TABLE t RENAME COLUMN a TO "A"`, want: `ALTER TABLE t RENAME COLUMN "A" TO a`},
		{up: `ALTER TABLE t ENABLE ROW LEVEL SECURITY`, want: `ALTER TABLE t DISABLE ROW LEVEL SECURITY`},
		{up: `GRANT SELECT ON t TO reader`, want: `REVOKE SELECT ON t FROM reader`},
		{up: `CREATE VIEW v AS SELECT 1`, want: `DROP VIEW v`},
		{up: `CREATE FUNCTION f(a int, b text[]) RETURNS int LANGUAGE sql AS 'SELECT 1'`, want: `DROP FUNCTION f(integer, text[])`},
		{up: `SELECT add_retention_policy('t', INTERVAL '1 day')`, want: `SELECT remove_retention_policy('t')`},
		{up: `ALTER TABLE t DROP COLUMN b`, err: "data of t.b"},
		{up: `UPDATE t SET a = 1`, err: "UPDATE of t changes data"},
		{up: `SELECT create_hypertable('t', 'id')`, err: "hypertable t"},
		{up: `ALTER TYPE mood ADD VALUE 'b'`, err: "cannot remove the value b"},
		{up: `ALTER DOMAIN money_text ADD CONSTRAINT c CHECK (VALUE <> '')`, want: `ALTER DOMAIN money_text DROP CONSTRAINT c`},
		{up: `ALTER DOMAIN money_text SET NOT NULL`, err: "former state of the domain money_text is not known"},
	} {
		m := written(strings.Split(tt.up, "; "), nil)
		got, err := Undo(m, migration.Up, before)
		if tt.err != "" {
			var irreversible *IrreversibleError
			if !errors.As(err, &irreversible) || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s\nerror %v, want %q", tt.up, err, tt.err)
			}
			continue
		}
		if s := strings.Join(got, "; "); err != nil || s != tt.want {
			t.Errorf("%s\ngot  %q, %v\nwant %q", tt.up, s, err, tt.want)
		}
		// What is offered as a down must really be one.
		m = written(strings.Split(tt.up, "; "), got)
		if diffs, known := RoundTrip(m, before); known && len(diffs) > 0 {
			t.Errorf("%s\nundone by %q it differs: %v", tt.up, got, diffs)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	before := script(t, `CREATE TABLE t (id int PRIMARY KEY, a int)`, `CREATE INDEX t_a ON t (a)`)
	for _, tt := range []struct{ up, down, want string }{
		{`CREATE TABLE n (id int); CREATE INDEX i ON n (id)`, `DROP TABLE n`, ""},
		{`CREATE TABLE n (id int); CREATE TABLE o (id int)`, `DROP TABLE n`, "+table o"},
		{`ALTER TABLE x ADD COLUMN c int`, `ALTER TABLE x DROP COLUMN d`, "+column x.c -column x.d"},
		{`ALTER TABLE t ADD COLUMN c int; CREATE INDEX i ON t (c); ALTER TABLE t ADD CONSTRAINT k CHECK (c > 0)`, `ALTER TABLE t DROP COLUMN c`, ""},
		{`ALTER TABLE t ADD COLUMN c int; CREATE INDEX i ON t (a)`, `ALTER TABLE t DROP COLUMN c`, "+index i"},
		{`CREATE INDEX ON t (a, id)`, `DROP INDEX t_a_id_idx`, ""},
		{`CREATE INDEX ON t (lower(a::text))`, `DROP INDEX whatever`, ""},
		{`DROP INDEX t_a`, `CREATE INDEX t_a ON t (a)`, ""},
		{`DROP INDEX t_a`, `SELECT 2`, "-index t_a"},
		{`ALTER TABLE t RENAME TO u`, `ALTER TABLE u RENAME TO t`, ""},
		{`ALTER TABLE t RENAME TO u; ALTER TABLE u ADD COLUMN c int`, `ALTER TABLE u DROP COLUMN c; ALTER TABLE u RENAME TO t`, ""},
		{`ALTER TABLE t RENAME TO u; ALTER TABLE u ADD COLUMN c int`, `ALTER TABLE u RENAME TO t`, "+column t.c"},
		{`ALTER TABLE t RENAME COLUMN a TO b`, `ALTER TABLE t RENAME COLUMN b TO a`, ""},
		{`DROP TABLE t`, `CREATE TABLE t (id int PRIMARY KEY)`, ""},
		{`CREATE TABLE IF NOT EXISTS n (id int)`, `DROP TABLE IF EXISTS n`, ""},
		{`CREATE TABLE IF NOT EXISTS t (id int)`, `SELECT 1`, ""},
		{`CREATE EXTENSION pg_trgm`, `SELECT 1`, ""},
		{`CREATE TYPE mood AS ENUM ('a'); ALTER TABLE t ADD COLUMN m mood`, `DROP TYPE mood CASCADE`, ""},
		{`CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()`, `DROP FUNCTION f()`, "+trigger g of t"},
		{`CREATE TABLE p (id int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p DEFAULT`, `DROP TABLE p`, ""},
		{`DO $$ BEGIN CREATE TABLE n (id int); END $$`, `SELECT 1`, ""},
		{`SELECT add_retention_policy('t', INTERVAL '1 day')`, `SELECT 1`, "+retention policy of t"},
		{`CREATE TABLE n (id serial)`, `DROP TABLE n; DROP SEQUENCE IF EXISTS n_id_seq`, ""},
	} {
		m := written(strings.Split(tt.up, "; "), strings.Split(tt.down, "; "))
		diffs, _ := RoundTrip(m, before)
		var got []string
		for _, d := range diffs {
			sign := "-"
			if d.Left {
				sign = "+"
			}
			got = append(got, sign+d.Object)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("up   %s\ndown %s\ngot  %q\nwant %q", tt.up, tt.down, s, tt.want)
		}
	}
}

// TestPmap compares the persistent map with Go's, and older versions with what
// they were.
func TestPmap(t *testing.T) {
	var m pmap[int]
	want := map[Ref]int{}
	var older []pmap[int]
	var olderLen []int
	for i := range 2000 {
		k := Ref{"s", string(rune('a'+i*7919%26)) + strings.Repeat("x", i*31%97)}
		if i%3 == 2 {
			m = m.delete(k)
			delete(want, k)
		} else {
			m = m.set(k, i)
			want[k] = i
		}
		if i%100 == 0 {
			older, olderLen = append(older, m), append(olderLen, len(want))
		}
	}
	check := func(m pmap[int]) int {
		n := 0
		var keys []Ref
		m.all(func(k Ref, _ int) bool { keys = append(keys, k); n++; return true })
		if !slices.IsSortedFunc(keys, Ref.compare) {
			t.Error("keys out of order")
		}
		return n
	}
	if n := check(m); n != len(want) {
		t.Errorf("%d entries, want %d", n, len(want))
	}
	for k, v := range want {
		if got, ok := m.get(k); !ok || got != v {
			t.Errorf("%v is %d, want %d", k, got, v)
		}
	}
	for i, o := range older {
		if n := check(o); n != olderLen[i] {
			t.Errorf("version %d has %d entries, had %d", i, n, olderLen[i])
		}
	}
}
