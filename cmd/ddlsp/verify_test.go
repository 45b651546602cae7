package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/internal/lsptest"
	"github.com/ddlsp/ddlsp/internal/pgserver/pgtest"
	"github.com/ddlsp/ddlsp/runner"
)

// verified runs verify on the test's server, which the configuration calls a
// scratch server, and returns the report by version.
func verified(t *testing.T, p *project, code int, args ...string) map[string]runner.VerifyReportLine {
	t.Helper()
	t.Setenv("SCRATCH_URL", p.db.URL)
	p.write("ddlsp.toml", "[databases.scratch]\nurl_env = \"SCRATCH_URL\"\nscratch = true\n")
	o := p.raw(append([]string{"verify", "--format", "json"}, args...)...)
	if o.code != code {
		t.Fatalf("exit %d, want %d\n%s%s", o.code, code, o.out, o.errout)
	}
	var r runner.VerifyReport
	if err := json.Unmarshal([]byte(o.out), &r); err != nil {
		t.Fatalf("%v in %s", err, o.out)
	}
	lines := map[string]runner.VerifyReportLine{}
	for _, l := range r.Migrations {
		lines[l.Version] = l
	}
	if left := p.column("SELECT datname FROM pg_database WHERE datname LIKE 'ddlsp_verify_%' AND oid > (SELECT oid FROM pg_database WHERE datname = current_database())"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	return lines
}

func gooseFile(up, down string) string {
	return "-- +goose Up\n" + up + "\n-- +goose Down\n" + down + "\n"
}

func TestVerifyOutcomes(t *testing.T) {
	p := newProject(t,
		"migrations/00001_a.sql", gooseFile("CREATE TABLE a (id int PRIMARY KEY, note text NOT NULL DEFAULT 'x');", "DROP TABLE a;"),
		"migrations/00002_forgotten.sql", gooseFile("CREATE TABLE b (id int);\nCREATE TYPE mood AS ENUM ('sad');\nALTER TABLE a ALTER COLUMN note SET DEFAULT 'y';", "DROP TABLE b;"),
		"migrations/00003_index.sql", "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY a_note ON a (note);\n-- +goose Down\nDROP INDEX CONCURRENTLY a_note;\n",
		"migrations/00004_oneway.sql", "-- +goose Up\nDROP INDEX a_note;\n-- +goose Down\n-- ddlsp:irreversible the index was never used\n",
		"migrations/00005_order.sql", gooseFile("ALTER TABLE a DROP COLUMN id;", "ALTER TABLE a ADD COLUMN id int;\nUPDATE a SET id = 1;\nALTER TABLE a ADD PRIMARY KEY (id);"),
		"migrations/00006_down_fails.sql", gooseFile("CREATE TABLE c (id int);", "DROP TABLE c;\nDROP TABLE nosuch;"),
		"migrations/00007_keeps.sql", gooseFile("CREATE TABLE d (id int);", "SELECT 1;"),
		"migrations/00008_check.sql", gooseFile("ALTER TABLE a ADD CONSTRAINT known CHECK (note <> '') NOT VALID;", "ALTER TABLE a DROP CONSTRAINT known;"),
		"migrations/00009_validate.sql", gooseFile("ALTER TABLE a VALIDATE CONSTRAINT known;", "SELECT 1;"),
	)
	r := verified(t, p, 1, "--all")
	for version, want := range map[string]string{"1": "ok", "2": "failed", "3": "ok", "4": "not_reversible", "5": "ok", "6": "failed", "7": "failed", "8": "ok", "9": "ok"} {
		if r[version].Outcome != want {
			t.Errorf("%s: %s, want %s: %+v", version, r[version].Outcome, want, r[version])
		}
	}
	got := map[string]runner.Difference{}
	for _, d := range r["2"].Differences {
		got[d.Kind+" "+d.Object] = d
	}
	if d := got["changed column public.a.note"]; !strings.Contains(d.Before, "'x'") || !strings.Contains(d.After, "'y'") || len(got) != 2 || got["added type public.mood"].After == "" {
		t.Errorf("differences of 2: %+v", r["2"].Differences)
	}
	if len(r["5"].Notes) != 1 || !strings.Contains(r["5"].Notes[0], "public.a") {
		t.Errorf("notes of 5: %v", r["5"].Notes)
	}
	if e := r["6"].Error; e == nil || e.SQLState != "42P01" || e.Range == nil || e.Range.Start.Line != 5 {
		t.Errorf("error of 6: %+v", e)
	}
	if l := r["7"]; l.Error != nil || len(l.Differences) != 1 || l.Differences[0].Object != "table public.d" {
		t.Errorf("7: %+v", l)
	}
	p.wantTables() // the database of the address itself is not touched
	o := p.raw("verify", "2")
	contains(t, o.out, "migrations/00002_forgotten.sql: FAILED", "+ type public.mood", "~ column public.a.note", "1 migration: 1 FAILED")
}

// Pending is what verify takes when nothing is named.
func TestVerifyPending(t *testing.T) {
	p := newProject(t, gooseFiles...)
	p.must(0, "migrate", "--to", "2", "--yes")
	r := verified(t, p, 0)
	if len(r) != 1 || r["3"].Outcome != "ok" {
		t.Errorf("%+v", r)
	}
	p.must(0, "migrate", "--yes")
	if r := verified(t, p, 0); len(r) != 0 {
		t.Errorf("%+v", r)
	}
}

// What the scratch server does not have is never called fine, and neither is
// what comes after it.
func TestVerifySkips(t *testing.T) {
	p := newProject(t,
		"migrations/00001_ext.sql", gooseFile("CREATE EXTENSION no_such_extension;", "DROP EXTENSION no_such_extension;"),
		"migrations/00002_b.sql", gooseFile("CREATE TABLE b (id int);", "DROP TABLE b;"))
	r := verified(t, p, 0, "--all")
	for _, v := range []string{"1", "2"} {
		if r[v].Outcome != "skipped" || !strings.Contains(r[v].Reason, "no_such_extension") {
			t.Errorf("%s: %+v", v, r[v])
		}
	}
	p.write("migrations/00001_ext.sql", gooseFile("CREATE TABLE m (at timestamptz NOT NULL);\nSELECT create_hypertable('m', 'at');", "DROP TABLE m;"))
	if r := verified(t, p, 0, "1"); r["1"].Outcome != "skipped" || !strings.Contains(r["1"].Reason, "TimescaleDB") {
		t.Errorf("%+v", r["1"])
	}
	p.write("migrations/00001_ext.sql", gooseFile("CREATE TABLE m (at timestamptz NOT NULL);\nGRANT SELECT ON m TO no_such_role;", "DROP TABLE m;"))
	if r := verified(t, p, 0, "1"); r["1"].Outcome != "skipped" || !strings.Contains(r["1"].Reason, "no_such_role") {
		t.Errorf("%+v", r["1"])
	}
}

// Every tool's migrations can be verified; the version table is no difference.
func TestVerifyFormats(t *testing.T) {
	for name, files := range map[string][]string{"goose": gooseFiles, "golang-migrate": pairFiles, "dbmate": dbmateFiles, "tern": ternFiles} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t, files...)
			for v, l := range verified(t, p, 0, "--all") {
				if l.Outcome != "ok" && l.Outcome != "not_reversible" {
					t.Errorf("%s: %+v", v, l)
				}
			}
		})
	}
	t.Run("ecto", func(t *testing.T) {
		p := newProject(t, "mix.exs", "defmodule Shop.MixProject do\n  use Mix.Project\n  def project, do: [app: :shop]\n  defp deps, do: [{:ecto_sql, \"~> 3.12\"}, {:postgrex, \">= 0.0.0\"}]\nend\n",
			"priv/repo/migrations/20240101000000_a.exs", "defmodule A do\n  use Ecto.Migration\n  def change do\n    create table(:a) do\n      add :name, :string, null: false\n      timestamps()\n    end\n    create unique_index(:a, [:name])\n  end\nend\n",
			"priv/repo/migrations/20240102000000_b.exs", "defmodule B do\n  use Ecto.Migration\n  def change do\n    execute \"CREATE VIEW v AS SELECT 1 AS x\"\n  end\nend\n")
		r := verified(t, p, 0, "--all")
		if r["20240101000000"].Outcome != "ok" || r["20240102000000"].Outcome != "not_reversible" {
			t.Errorf("%+v", r)
		}
	})
}

// Without a configured scratch server a private one is used, and a database
// that is merely named is never one.
func TestVerifyOnPrivateServer(t *testing.T) {
	p := newProject(t, gooseFiles...)
	before := p.column("SELECT datname FROM pg_database ORDER BY 1")
	if os.Getuid() != 0 {
		t.Setenv("XDG_CACHE_HOME", t.TempDir())
	}
	o := p.must(0, "verify", "--all")
	contains(t, o.out, "3 migrations: 3 ok")
	p.wantTables()
	if after := p.column("SELECT datname FROM pg_database ORDER BY 1"); len(after) > len(before) {
		t.Errorf("databases before %v, after %v", before, after)
	}
	contains(t, p.must(2, "verify", "--all", "1").errout, "not both")
	contains(t, p.must(2, "verify", "77").errout, "77")
}

// The editor gets the same report, and nothing of the user's database changes.
func TestVerifyFromEditor(t *testing.T) {
	p := newProject(t,
		"migrations/00001_a.sql", gooseFile("CREATE TABLE a (id int);", "DROP TABLE a;"),
		"migrations/00002_b.sql", gooseFile("CREATE TABLE b (id int);\nCREATE TABLE c (id int);", "DROP TABLE b;"))
	t.Setenv("SCRATCH_URL", p.db.URL)
	p.write("ddlsp.toml", "[databases.scratch]\nurl_env = \"SCRATCH_URL\"\nscratch = true\n")
	u := p.edit(t, lsptest.Options{})
	raw, err := u.Command("ddlsp.verify", map[string]any{})
	if err != nil {
		t.Fatal(err)
	}
	var r runner.VerifyReport
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	if len(r.Migrations) != 2 || r.Migrations[0].Outcome != "ok" || r.Migrations[1].Outcome != "failed" || len(r.Migrations[1].Differences) != 1 || r.Migrations[1].Differences[0].Object != "table public.c" {
		t.Errorf("%+v", r)
	}
	if raw, err = u.Command("ddlsp.verify", map[string]any{"version": "1"}); err != nil || strings.Contains(string(raw), "00002_b") {
		t.Errorf("%v %s", err, raw)
	}
	u.refused(t, "ddlsp.verify", map[string]any{"version": "9"}, "no migration with version 9")
	p.wantTables()
}

// What TimescaleDB keeps outside of PostgreSQL's catalog is compared too.
func TestVerifyHypertable(t *testing.T) {
	db := pgtest.Timescale(t)
	p := newProject(t,
		"migrations/00001_ext.sql", gooseFile("CREATE EXTENSION IF NOT EXISTS timescaledb;", "SELECT 1;"),
		"migrations/00002_m.sql", gooseFile("CREATE TABLE m (at timestamptz NOT NULL);\nSELECT create_hypertable('m', 'at');", "DROP TABLE m;"),
		"migrations/00003_interval.sql", gooseFile("SELECT set_chunk_time_interval('m', INTERVAL '1 day');", "SELECT 1;"))
	p.db = db
	r := verified(t, p, 1, "2", "3")
	if r["2"].Outcome != "ok" {
		t.Errorf("2: %+v", r["2"])
	}
	if d := r["3"].Differences; len(d) != 1 || !strings.HasPrefix(d[0].Object, "dimension public.m.at") {
		t.Errorf("3: %+v", r["3"])
	}
}
