package main

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ddlsp/ddlsp/internal/lsptest"
	"github.com/ddlsp/ddlsp/internal/pgserver/pgtest"
	"github.com/ddlsp/ddlsp/runner"
	"github.com/ddlsp/ddlsp/schema"
)

// structure is everything that the catalog of a database says.
func structure(t *testing.T, db *pgtest.Database, versionTable string) map[string]string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	target, err := runner.Resolve(ctx, runner.ResolveOptions{URL: db.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	s, err := target.Structure(ctx, versionTable)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sameSchema checks that the SQL of the schema makes what the migrations make.
func (p *project) sameSchema(fresh *pgtest.Database, versionTable string) string {
	p.t.Helper()
	p.must(0, "migrate", "--yes")
	sql := p.must(0, "schema").out
	fresh.Exec(sql)
	if diff := cmp.Diff(structure(p.t, p.db, versionTable), structure(p.t, fresh, versionTable)); diff != "" {
		p.t.Errorf("migrated (-) and loaded (+):\n%s\n%s", diff, sql)
	}
	return sql
}

func TestSchemaOfExamples(t *testing.T) {
	for name, table := range map[string]string{"metrics_goose": "goose_db_version", "shop_ecto": "schema_migrations", "sensors_timescale": "schema_migrations"} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t)
			p.dir = filepath.Join("..", "..", "examples", name)
			if abs, err := filepath.Abs(p.dir); err == nil {
				p.dir = abs
			}
			fresh := pgtest.DB(t)
			if strings.Contains(name, "timescale") {
				p.db, fresh = pgtest.Timescale(t), pgtest.Timescale(t)
				p.db.Exec("DROP EXTENSION IF EXISTS timescaledb")
				fresh.Exec("DROP EXTENSION IF EXISTS timescaledb")
			}
			if sql := p.sameSchema(fresh, table); strings.Contains(sql, "Not shown") {
				t.Errorf("something is not shown:\n%s", sql)
			}
		})
	}
}

// What tables, renames and later changes do to a schema.
var variedSchema = []string{
	"migrations/00001_a.sql", gooseFile(`CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('calm', 'wild');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE SEQUENCE tickets START 100;
CREATE TABLE owner (n int);
CREATE SEQUENCE owned START 5 OWNED BY owner.n;
CREATE TABLE "Odd Name" (id serial PRIMARY KEY, "select" text COLLATE "C", m app.mood DEFAULT 'calm', n positive, tags text[] NOT NULL DEFAULT '{}');
CREATE TABLE old_name (id bigserial, a int, b int, c text, at timestamp(3) with time zone, stays timestamp(3) with time zone, CONSTRAINT not_c CHECK (c <> 'c'), twice int GENERATED ALWAYS AS (a * 2) STORED, UNIQUE (a, b));
CREATE INDEX ON old_name (c);
CREATE INDEX old_lower ON old_name (lower(c) text_pattern_ops DESC NULLS LAST) INCLUDE (b) WHERE a > 1;
CREATE INDEX filled ON old_name (b) WITH (fillfactor = 70);
CREATE TABLE spans (d interval day to second);
CREATE TABLE kids (id int PRIMARY KEY, parent int REFERENCES kids, other int);
COMMENT ON TABLE kids IS 'small; ones';
COMMENT ON COLUMN kids.parent IS 'who';`, "SELECT 1;"),
	"migrations/00002_b.sql", gooseFile(`ALTER TYPE app.mood ADD VALUE 'sad' BEFORE 'wild';
ALTER TABLE old_name RENAME TO renamed;
ALTER TABLE renamed RENAME COLUMN c TO label;
ALTER TABLE renamed DROP COLUMN at, ALTER COLUMN label SET NOT NULL, ALTER COLUMN a SET DEFAULT 7, ALTER COLUMN b TYPE bigint;
ALTER TABLE kids ADD CONSTRAINT kids_other_fkey FOREIGN KEY (other) REFERENCES "Odd Name" (id) ON DELETE SET NULL NOT VALID;
ALTER TABLE kids ADD CONSTRAINT not_self CHECK (id <> parent);
ALTER TABLE kids SET (autovacuum_enabled = false);
CREATE TABLE gone (id int);
CREATE VIEW over_gone AS SELECT * FROM gone;
CREATE TABLE booked (room int, during tsrange, EXCLUDE USING gist (during WITH &&), UNIQUE (room) DEFERRABLE INITIALLY DEFERRED);
ALTER TABLE booked ADD COLUMN note text;
CREATE TABLE parts (id int, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE parts_2024 PARTITION OF parts FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE INDEX parts_at ON parts (at);`, "SELECT 1;"),
	"migrations/00003_c.sql", gooseFile(`DROP VIEW over_gone;
DROP TABLE gone;
-- +goose StatementBegin
CREATE FUNCTION f(x int) RETURNS int LANGUAGE sql AS $$ SELECT x + 1; $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION f(x int) RETURNS int LANGUAGE sql AS $$ SELECT count(*)::int FROM kids WHERE id > x; $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END; $$;
-- +goose StatementEnd
CREATE FUNCTION whole(k kids) RETURNS int LANGUAGE sql AS 'SELECT k.id';
CREATE TRIGGER kids_touch BEFORE UPDATE ON kids FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER kids_again BEFORE UPDATE ON kids FOR EACH ROW EXECUTE FUNCTION touch();
DROP TRIGGER kids_again ON kids;
CREATE VIEW labels AS SELECT label FROM renamed;
CREATE OR REPLACE VIEW labels AS SELECT label, id FROM renamed;
CREATE MATERIALIZED VIEW counts AS SELECT count(*) AS n FROM labels;
CREATE UNIQUE INDEX counts_n ON counts (n);
ALTER TABLE kids ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON kids USING (parent IS NOT NULL);
ALTER TABLE kids REPLICA IDENTITY FULL;
CREATE STATISTICS kids_stat ON id, parent FROM kids;
INSERT INTO kids VALUES (1);
GRANT SELECT ON kids TO PUBLIC;`, "SELECT 1;"),
}

func TestSchemaOfVariedTables(t *testing.T) {
	p := newProject(t, variedSchema...)
	sql := p.sameSchema(pgtest.DB(t), "goose_db_version")
	if strings.Contains(sql, "Not shown") || strings.Contains(sql, "INSERT") {
		t.Errorf("%s", sql)
	}
	before := p.must(0, "schema", "--at", "1").out
	p.write("migrations/00004_d.sql", gooseFile("CREATE TABLE x (a int, b int, CHECK (a > b));\nALTER TABLE x RENAME TO y;", "SELECT 1;"))
	contains(t, p.must(0, "schema").out, "-- Not shown: the name of a check constraint of y", "00004_d.sql")
	contains(t, before, "CREATE TABLE old_name", "'calm', 'wild')")
	if strings.Contains(before, "renamed") {
		t.Errorf("the schema at 1 knows of 2:\n%s", before)
	}
	contains(t, p.must(2, "schema", "--at", "9").errout, "9")
	contains(t, p.must(2, "schema", "--format", "xml").errout, "use sql, json or mermaid")
}

func TestSchemaAsData(t *testing.T) {
	p := newProject(t, variedSchema...)
	var r schema.Report
	if err := json.Unmarshal([]byte(p.must(0, "schema", "--format", "json").out), &r); err != nil {
		t.Fatal(err)
	}
	tables := map[string]schema.ReportTable{}
	for _, x := range r.Tables {
		tables[x.Name] = x
	}
	renamed := tables["renamed"]
	if r.Version != "3" || !r.Complete || renamed.Kind != "table" || *renamed.CreatedIn != "1" || len(renamed.Columns) != 6 {
		t.Errorf("%+v", r)
	}
	if c := renamed.Columns[3]; c.Name != "label" || c.Nullable || c.Type != "text" || c.Default != nil {
		t.Errorf("%+v", c)
	}
	for _, c := range tables["kids"].Constraints {
		if c.Name != nil && *c.Name == "kids_other_fkey" && (c.Valid || c.References == nil || c.References.Table != "Odd Name" || c.References.OnDelete != "set null") {
			t.Errorf("%+v", c)
		}
	}
	if k := tables["labels"]; k.Kind != "view" || len(k.From) != 1 || k.From[0] != "renamed" {
		t.Errorf("%+v", k)
	}
	diagram := p.must(0, "schema", "--format", "mermaid").out
	contains(t, diagram, "erDiagram\n", `"kids" {`, `"kids" }o--o| "kids" : "parent"`, "integer id PK", `"Odd Name" {`, "app_mood m")
}

// What cannot be read is named.
func TestSchemaSaysWhatItLacks(t *testing.T) {
	p := newProject(t, "migrations/00001_a.sql", gooseFile(`CREATE TABLE a (id int);
CREATE TABLE b AS SELECT 1 AS x;
DO $$ BEGIN EXECUTE 'CREATE TABLE ' || current_database(); END $$;
SELECT make_tables();
ALTER TABLE elsewhere ADD COLUMN more int;
CREATE TABLE broken (id int;`, "SELECT 1;"))
	out := p.must(0, "schema").out
	contains(t, out, "-- Not shown: DO $$", "-- Not shown: SELECT make_tables()", "-- Not shown: table elsewhere", "-- Not shown: CREATE TABLE broken", "00001_a.sql", "CREATE TABLE a (", "CREATE TABLE b AS")
	contains(t, p.must(0, "schema", "--format", "json").out, `"complete": false`, `"path": "migrations/00001_a.sql"`)
	contains(t, p.must(0, "schema", "--format", "mermaid").out, "%% Not shown: DO")
}

// The editor gets the schema of what its buffers hold.
func TestServeSchema(t *testing.T) {
	p := newProject(t, "migrations/00001_a.sql", gooseFile("CREATE TABLE a (id int);", "DROP TABLE a;"), "migrations/00002_b.sql", gooseFile("CREATE TABLE b (id int);", "DROP TABLE b;"))
	u := p.edit(t, lsptest.Options{})
	path := p.path("00002_b.sql")
	u.Open(path)
	u.Replace(path, `int\)`, "int, more text)")
	for _, c := range []struct {
		arg   map[string]any
		parts []string
	}{
		{map[string]any{}, []string{`"format":"sql"`, "CREATE TABLE b", "more text"}},
		{map[string]any{"format": "json", "uri": lsptest.URI(path)}, []string{`"version":"2"`, `"name":"more"`}},
		{map[string]any{"format": "mermaid", "at": "1"}, []string{"erDiagram"}},
	} {
		raw, err := u.Command("ddlsp.schema", c.arg)
		if err != nil {
			t.Errorf("%v: %v", c.arg, err)
		}
		contains(t, string(raw), c.parts...)
		if c.arg["at"] == "1" && strings.Contains(string(raw), `"b"`) {
			t.Errorf("at 1: %s", raw)
		}
	}
	u.refused(t, "ddlsp.schema", map[string]any{"at": "7"}, "no migration with version 7")
	u.refused(t, "ddlsp.schema", map[string]any{"format": "xml"}, "use sql, json or mermaid")
}
