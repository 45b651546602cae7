package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// The schema before the verified migration is made once and then copied, until
// an earlier file changes.
func TestVerifyKeepsTheSchemaBefore(t *testing.T) {
	p := newProject(t)
	t.Setenv("SCRATCH_URL", p.db.URL)
	p.write("ddlsp.toml", "[databases.scratch]\nurl_env = \"SCRATCH_URL\"\nscratch = true\n")
	for n := 1; n <= 25; n++ {
		p.write(fmt.Sprintf("migrations/%05d_t.sql", n), gooseFile(fmt.Sprintf("CREATE TABLE t%d (id int);\nCREATE INDEX ON t%d (id);", n, n), fmt.Sprintf("DROP TABLE t%d;", n)))
	}
	kept := func() []string {
		return p.column(`SELECT datname FROM pg_database WHERE datname LIKE 'ddlsp\_before\_%' ORDER BY 1`)
	}
	for _, name := range kept() {
		p.db.Exec("DROP DATABASE " + name)
	}
	defer func() {
		for _, name := range kept() {
			p.db.Exec("DROP DATABASE " + name)
		}
	}()
	if r := verified(t, p, 0, "25"); r["25"].Outcome != "ok" {
		t.Fatalf("%+v", r["25"])
	}
	first := kept()
	if len(first) != 1 {
		t.Fatalf("kept: %v", first)
	}
	began := time.Now()
	if r := verified(t, p, 0, "25"); r["25"].Outcome != "ok" {
		t.Errorf("the second time: %+v", r["25"])
	}
	t.Logf("the second time: %v", time.Since(began))
	if got := kept(); !slices.Equal(got, first) {
		t.Errorf("kept: %v, then %v", first, got)
	}
	// What is kept is really what is begun with: it lacks what the file says
	// now, until its hash is another.
	p.write("migrations/00025_t.sql", gooseFile("ALTER TABLE t7 ADD COLUMN more int;", "ALTER TABLE t7 DROP COLUMN more;"))
	if r := verified(t, p, 0, "25"); r["25"].Outcome != "ok" || !slices.Equal(kept(), first) {
		t.Errorf("another 25: %+v, kept %v", r["25"], kept())
	}
	p.write("migrations/00007_t.sql", gooseFile("CREATE TABLE t7 (id int, more int);", "DROP TABLE t7;"))
	if r := verified(t, p, 1, "25"); r["25"].Outcome != "failed" || r["25"].Error == nil || r["25"].Error.SQLState != "42701" {
		t.Errorf("after an edit of 7: %+v", r["25"])
	}
	if n := len(kept()); n != 2 {
		t.Errorf("%d kept", n)
	}
	// Only a few are kept.
	for n := 20; n < 24; n++ {
		verified(t, p, 0, fmt.Sprint(n))
	}
	if n := len(kept()); n != 6 { // 25 twice, and four more
		t.Errorf("%d kept", n)
	}
	if left := p.column(`SELECT datname FROM pg_database WHERE datname LIKE 'ddlsp\_verify\_%'`); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A rollback that works on empty tables only is no rollback.
func TestVerifyWithRows(t *testing.T) {
	p := newProject(t,
		"migrations/00001_a.sql", gooseFile(`CREATE TYPE mood AS ENUM ('calm', 'wild');
CREATE TABLE a (id int PRIMARY KEY, at timestamptz NOT NULL, name varchar(5) NOT NULL, tags text[] NOT NULL, m mood NOT NULL, u uuid NOT NULL, j jsonb NOT NULL, d interval NOT NULL, ip inet NOT NULL, note text, b bytea NOT NULL, n numeric NOT NULL, r int4range NOT NULL, ok boolean NOT NULL, price int CHECK (price > 0));
CREATE TABLE b (id bigserial, a_id int NOT NULL REFERENCES a, parent bigint GENERATED ALWAYS AS IDENTITY);`, "DROP TABLE b;\nDROP TABLE a;\nDROP TYPE mood;"),
		"migrations/00002_drop.sql", gooseFile("ALTER TABLE a DROP COLUMN name;", "ALTER TABLE a ADD COLUMN name varchar(5) NOT NULL;"),
		"migrations/00003_default.sql", gooseFile("ALTER TABLE b DROP COLUMN a_id;", "ALTER TABLE b ADD COLUMN a_id int;\nUPDATE b SET a_id = 1;\nALTER TABLE b ALTER a_id SET NOT NULL, ADD FOREIGN KEY (a_id) REFERENCES a;"),
		"migrations/00004_need.sql", gooseFile("ALTER TABLE a ADD COLUMN need int NOT NULL;", "ALTER TABLE a DROP COLUMN need;"))
	t.Setenv("SCRATCH_URL", p.db.URL)
	p.write("ddlsp.toml", "[databases.scratch]\nurl_env = \"SCRATCH_URL\"\nscratch = true\n")
	r := verified(t, p, 1, "--all")
	if r["1"].Outcome != "ok" || r["3"].Outcome != "ok" {
		t.Errorf("1: %+v\n3: %+v", r["1"], r["3"])
	}
	if l := r["2"]; l.Outcome != "failed" || l.Error == nil || l.Error.SQLState != "23502" || !strings.Contains(l.Error.Message, "with a row in each table it cannot be rolled back") {
		t.Errorf("2: %+v %+v", l, l.Error)
	}
	if l := r["4"]; l.Outcome != "ok" || len(l.Notes) != 1 || !strings.Contains(l.Notes[0], "with a row in each table it cannot be applied") {
		t.Errorf("4: %+v", l)
	}
}
