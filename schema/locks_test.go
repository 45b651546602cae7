package schema

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/migration"
)

// lockFixture makes what the measured statements ran on: t with three indexes,
// u that points at ref, the partitioned p, views, a sequence.
const lockFixture = `
CREATE TABLE ref (id int PRIMARY KEY);
CREATE TABLE t (id int, a int, b text, c varchar(10), cc char(5), n numeric(10,2), nn int NOT NULL, ts timestamp, tz timestamptz, j json);
CREATE INDEX t_a_idx ON t (a);
CREATE UNIQUE INDEX t_id_uq ON t (id);
CREATE UNIQUE INDEX t_nn_uq ON t (nn);
CREATE TABLE u (id int PRIMARY KEY, x int, CONSTRAINT xpos CHECK (x > 0), CONSTRAINT fk2 FOREIGN KEY (x) REFERENCES ref (id));
CREATE TABLE nnck (a int);
CREATE TABLE p (id int, d date) PARTITION BY RANGE (d);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE p2 (id int, d date);
CREATE TABLE p3 (id int, d date);
CREATE MATERIALIZED VIEW mv AS SELECT id FROM t;
CREATE UNIQUE INDEX mv_id_idx ON mv (id);
CREATE VIEW vw AS SELECT id, a FROM t;
CREATE SEQUENCE sq;
CREATE TYPE mood AS ENUM ('a', 'b');
`

func fold(t testing.TB, c *Catalog, sql string) *Catalog {
	t.Helper()
	p := migration.ReadSQL(sql)
	if p.Err != nil || p.Opaque != "" {
		t.Fatalf("cannot read %q: %v %s", sql, p.Err, p.Opaque)
	}
	for _, op := range p.Ops {
		c = c.Apply(&Origin{Statement: &migration.Statement{SQL: sql}}, op)
	}
	return c
}

var camel = regexp.MustCompile(`([a-z])([A-Z])`)

// TestLocksMeasured compares Locks with the locks that PostgreSQL 15 and 17
// were seen to hold after each statement. Indexes and what the statement itself
// made are left out of the comparison: nobody waits for the one, and the
// other's table is locked as well.
func TestLocksMeasured(t *testing.T) {
	compared := 0
	for _, file := range []string{"testdata/pg_locks.tsv", "testdata/pg_locks_types.tsv"} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
			f := strings.Split(line, "\t")
			if len(f) < 2 || f[1] == "" {
				continue // failed there, or took no lock
			}
			sql := f[0]
			if i := strings.LastIndex(sql, "; "); i >= 0 {
				sql = sql[i+2:]
			}
			before := fold(t, New(), lockFixture)
			if i := strings.LastIndex(f[0], "; "); i >= 0 {
				before = fold(t, before, f[0][:i])
			}
			want := map[string]Mode{}
			for _, w := range strings.Split(f[1], ", ") {
				rel, mode, _ := strings.Cut(w, ":")
				if r := before.Lookup(Ref{DefaultSchema, rel}); r == nil && rel != "sq" && !strings.HasSuffix(sql, "RENAME TO "+rel) {
					continue // made by the statement, or an index
				} else if r != nil && r.Created != nil && strings.HasPrefix(r.Created.Statement.SQL, "create table n") {
					continue
				}
				want[rel] = Mode(strings.ToUpper(camel.ReplaceAllString(camel.ReplaceAllString(mode, "$1 $2"), "$1 $2")))
			}
			if len(want) == 0 {
				continue
			}
			got := map[string]Mode{}
			c := before
			for _, op := range migration.ReadSQL(sql).Ops {
				for _, l := range Locks(op, c) {
					if strings.HasPrefix(sql, "DROP") && !slices.Contains([]string{"DROP TRIGGER tg ON u", "DROP INDEX t_a_idx"}, sql) && strings.HasSuffix(sql, " "+l.Relation.Name) {
						continue // gone: nothing was left to be seen
					}
					name := l.Relation.Name
					if i, _ := before.Index(migration.Name{Name: name}); i != nil && !strings.HasPrefix(sql, "ALTER INDEX") {
						continue
					}
					if before.Lookup(l.Relation).createdBy("create table n") || sql == "ALTER DOMAIN" {
						continue
					}
					if i := strings.Index(sql, " RENAME TO "); i >= 0 {
						name = sql[i+len(" RENAME TO "):]
					}
					if m, ok := got[name]; !ok || l.Mode.Stronger(m) {
						got[name] = l.Mode
					}
				}
				c = c.Apply(nil, op)
			}
			if strings.HasPrefix(sql, "ALTER DOMAIN") {
				continue // which columns use a domain is not in the catalog
			}
			compared++
			for rel, mode := range want {
				if got[rel] != mode {
					t.Errorf("%s\n\tlocks %s %q, measured %q", f[0], rel, got[rel], mode)
				}
			}
			for rel, mode := range got {
				if _, ok := want[rel]; !ok {
					t.Errorf("%s\n\tlocks %s %q, measured nothing", f[0], rel, mode)
				}
			}
		}
	}
	if compared < 75 {
		t.Errorf("only %d rows were compared", compared)
	}
	t.Logf("%d rows compared", compared)
}

func (r *Relation) createdBy(prefix string) bool {
	return r != nil && r.Created != nil && strings.HasPrefix(r.Created.Statement.SQL, prefix)
}
