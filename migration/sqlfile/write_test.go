package sqlfile

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

func TestNextVersion(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.FixedZone("", 3600))
	tests := []struct {
		format migration.Format
		names  []string
		want   string
	}{
		{migration.GolangMigrate, nil, "20260304040607"},
		{migration.GolangMigrate, []string{"000009_a.up.sql"}, "000010"},
		{migration.GolangMigrate, []string{"1700000000_a.up.sql"}, "1772597167"},
		{migration.GolangMigrate, []string{"20240101000000_a.up.sql"}, "20260304040607"},
		{migration.Goose, nil, "20260304040607"},
		{migration.Goose, []string{"00001_a.sql", "00002_b.sql"}, "00003"},
		{migration.Goose, []string{"20990101000059_future.sql"}, "20990101000100"},
		{migration.Dbmate, []string{"20240101000000_a.sql"}, "20260304040607"},
		{migration.Tern, nil, "001"},
		{migration.Tern, []string{"001_a.sql", "002_b.sql"}, "003"},
		{migration.Diesel, nil, "2026-03-04-040607-0000"},
		{migration.Flyway, []string{"V1__a.sql", "V2__b.sql"}, "3"},
		{migration.NodePgMigrate, nil, "1772597167000"},
	}
	for _, test := range tests {
		var history []*migration.Migration
		for _, n := range test.names {
			history = append(history, &migration.Migration{Files: []*source.File{{Path: "/m/" + n}}})
		}
		if got := NextVersion(test.format, history, now); got != test.want {
			t.Errorf("%s after %v: %s, want %s", test.format, test.names, got, test.want)
		}
	}
}

func TestFileNames(t *testing.T) {
	if diff := cmp.Diff([]string{"1_create_users.up.sql", "1_create_users.down.sql"}, FileNames(migration.GolangMigrate, "1", "CreateUsers")); diff != "" {
		t.Error(diff)
	}
	for name, want := range map[string]string{"add-index to  Users": "add_index_to_users", "HTTPLog": "httplog", "größe": "größe", "..": "migration", "../../etc": "etc", "A1b": "a1b"} {
		if got := FileNames(migration.Goose, "7", name)[0]; got != "7_"+want+".sql" {
			t.Errorf("%q gives %s", name, got)
		}
	}
}

// What Render writes is read back as the same statements, in the same
// transaction, in every format.
func TestRenderIsReadBack(t *testing.T) {
	up := "CREATE TABLE a (id bigint); CREATE TABLE b (id bigint);\n\n-- a function\nCREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n  RETURN 1;\nEND $$;\nSELECT f()"
	down := "DROP FUNCTION f();\nDROP TABLE b;\nDROP TABLE a;\n"
	lone := "CREATE INDEX CONCURRENTLY i ON a (id);\n"
	loneDown := "DROP INDEX CONCURRENTLY i;\n"
	for _, format := range migration.Formats {
		if !CanWrite(format) {
			continue
		}
		t.Run(string(format), func(t *testing.T) {
			check := func(up, down string, no bool) {
				files, err := Render(format, "1", up, down, RenderOptions{Name: "x", NoTransaction: no})
				if err != nil {
					if no && format == migration.NodePgMigrate {
						return
					}
					t.Fatal(err)
				}
				all := readAll(format, files)
				if len(all) != 1 {
					t.Fatalf("%d migrations of %v", len(all), files)
				}
				m := all[0]
				if len(m.Problems) > 0 {
					t.Errorf("problems %v in %q", m.Problems, files)
				}
				for d, want := range map[migration.Direction]string{migration.Up: up, migration.Down: down} {
					if d == migration.Down && !format.HasDown() {
						continue
					}
					var got, pieces []string
					for _, s := range m.Body(d).Statements() {
						got = append(got, s.SQL)
					}
					for _, p := range statements(want) {
						pieces = append(pieces, p.Span.Of(want))
					}
					if diff := cmp.Diff(pieces, got); diff != "" {
						t.Errorf("%s: %s in %q", d, diff, files)
					}
					if no && m.Body(d).Tx == migration.Explicit && format != migration.Plain {
						t.Errorf("%s runs in a transaction: %q", d, files)
					}
					if format == migration.Goose {
						for _, u := range m.Body(d).Units {
							if len(u.Statements) != 1 {
								t.Errorf("goose would send %q as one query", u.SQL)
							}
						}
					}
				}
				checkMaps(t, m)
			}
			check(up, down, false)
			check(lone, loneDown, true)
		})
	}
}

func TestRenderRefusesWhatTheFormatCannotSay(t *testing.T) {
	_, err := Render(migration.GolangMigrate, "1", "CREATE INDEX CONCURRENTLY i ON a (x); CREATE INDEX CONCURRENTLY j ON a (y);", "", RenderOptions{NoTransaction: true})
	if err == nil || !strings.Contains(err.Error(), "2 statements") {
		t.Errorf("error %v", err)
	}
	if _, err := Render(migration.Atlas, "1", "SELECT 1;", "", RenderOptions{}); err == nil {
		t.Error("Atlas' sums cannot be written")
	}
}

func TestDetect(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string
		hints Hints
		want  migration.Format
	}{
		{"goose", map[string]string{"1_a.sql": "-- +goose Up\n"}, Hints{}, migration.Goose},
		{"goose among plain files", map[string]string{"1_a.sql": "", "2_b.sql": "\n\n--+goose up\n"}, Hints{}, migration.Goose},
		{"dbmate", map[string]string{"1_a.sql": "-- migrate:up\n"}, Hints{}, migration.Dbmate},
		{"tern by separator", map[string]string{"1_a.sql": "x;\n---- create above / drop below ----\n"}, Hints{}, migration.Tern},
		{"tern by its configuration", map[string]string{"1_a.sql": "x;\n"}, Hints{TernConf: "tern.conf"}, migration.Tern},
		{"a lone up", map[string]string{"001_i.up.sql": ""}, Hints{}, migration.GolangMigrate},
		{"a lone down", map[string]string{"002_x.down.sql": ""}, Hints{}, migration.GolangMigrate},
		{"pairs beside Rust", map[string]string{"1_i.up.sql": "", "1_i.down.sql": ""}, Hints{Sqlx: "Cargo.toml"}, migration.Sqlx},
		{"names alone decide nothing", map[string]string{"1_i.sql": "CREATE TABLE a (id int);"}, Hints{}, migration.Plain},
		{"prose about goose", map[string]string{"1_i.sql": "-- we left +goose behind\n"}, Hints{}, migration.Plain},
		{"up without a number", map[string]string{"i.up.sql": ""}, Hints{}, migration.Plain},
		{"a number beyond 64 bits", map[string]string{"20210914134624000000_a.up.sql": ""}, Hints{}, migration.Plain},
		{"a database in the name", map[string]string{"1_a.mysql.up.sql": "", "1_a.postgres.up.sql": ""}, Hints{}, migration.Plain},
		{"flyway", map[string]string{"V1__a.sql": ""}, Hints{}, migration.Flyway},
		{"diesel", map[string]string{"1_a/up.sql": "", "1_a/down.sql": ""}, Hints{}, migration.Diesel},
		{"prisma", map[string]string{"1_a/migration.sql": ""}, Hints{PrismaLock: "migration_lock.toml"}, migration.Prisma},
		{"atlas", map[string]string{"1_a.sql": ""}, Hints{AtlasSum: "atlas.sum"}, migration.Atlas},
		{"atlas by a directive", map[string]string{"1_a.sql": "-- atlas:txmode none\n\nx;"}, Hints{}, migration.Atlas},
		{"sql-migrate", map[string]string{"1_a.sql": "-- +migrate Up\n"}, Hints{}, migration.SQLMigrate},
		{"node-pg-migrate", map[string]string{"1700000000000_a.sql": "-- Up Migration\n"}, Hints{}, migration.NodePgMigrate},
		{"liquibase", map[string]string{"a.sql": "--liquibase formatted sql\n--changeset a:1\n"}, Hints{}, migration.Liquibase},
		{"drizzle", map[string]string{"0000_a.sql": "x;\n--> statement-breakpoint\ny;"}, Hints{}, migration.Drizzle},
		{"nothing", nil, Hints{}, migration.Plain},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var names []string
			for n := range test.files {
				names = append(names, n)
			}
			got, evidence := Detect(names, func(n string) (string, error) { return test.files[n], nil }, test.hints)
			if got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
			if got != migration.Plain && len(evidence) == 0 {
				t.Error("nothing is said to speak for it")
			}
		})
	}
}

func TestReuseAcrossEdits(t *testing.T) {
	path := "/m/1_a.up.sql"
	e := List(migration.GolangMigrate, []Dir{{Path: "/m", Names: []string{filepath.Base(path)}}})[0]
	read := func(text string, prev *migration.Migration) *migration.Migration {
		return Read(migration.GolangMigrate, e, []*source.File{{Path: path, Text: text}}, prev)
	}
	one := read("SELECT a();\nSELECT b();\nSELECT c();\n", nil)
	two := read("SELECT a();\nSELECT bb();\nSELECT c();\n", one)
	a, b := one.Up.Statements(), two.Up.Statements()
	if a[0] != b[0] {
		t.Error("the statement before the edit was read again")
	}
	if b[1].SQL != "SELECT bb()" || b[2].SQL != "SELECT c()" || b[2].Parse() != a[2].Parse() && a[2].Parse() != b[2].Parse() {
		t.Errorf("got %q, %q", b[1].SQL, b[2].SQL)
	}
	checkMaps(t, two)
}

// Reading with an earlier version at hand gives what reading anew gives.
func FuzzRead(f *testing.F) {
	seeds := []string{
		"-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;\n",
		"-- +goose Up\n-- +goose StatementBegin\nCREATE FUNCTION f() AS $$ a; $$;\n-- +goose StatementEnd\n",
		"-- migrate:up transaction:false\nSELECT 1;\n-- migrate:down\n",
		"select 1;\n---- create above / drop below ----\nselect 2;\n",
		"-- Up Migration\nSELECT 1;\n-- Down Migration\n", "-- +migrate Up\nSELECT 1;\n-- +migrate Down\n",
		"\ufeffCOPY t FROM stdin;\n1\n\\.\n\\set x\n\x00\xff", "SELECT '\r\n;", "DO $$ BEGIN RAISE EXCEPTION 'x'; END $$;",
	}
	for i, s := range seeds {
		f.Add(s, s, i)
	}
	f.Fuzz(func(t *testing.T, before, after string, which int) {
		format := migration.Formats[1+(which&0xff)%(len(migration.Formats)-1)]
		name := map[migration.Format]string{migration.GolangMigrate: "1_a.up.sql", migration.Flyway: "V1__a.sql", migration.Diesel: "1_a/up.sql", migration.Prisma: "1_a/migration.sql"}[format]
		if name == "" {
			name = "1_a.sql"
		}
		list := List(format, []Dir{{Path: "/m", Names: []string{name}}})
		if len(list) != 1 {
			t.Fatalf("%s: %d entries", format, len(list))
		}
		read := func(text string, prev *migration.Migration) *migration.Migration {
			return Read(format, list[0], []*source.File{{Path: filepath.Join("/m", name), Text: text}}, prev)
		}
		prev := read(before, nil)
		m, again := read(after, nil), read(after, prev)
		if diff := cmp.Diff(describe(m), describe(again)); diff != "" {
			t.Fatalf("%s: -anew +reusing\n%s", format, diff)
		}
		checkMaps(t, m)
		checkMaps(t, again)
		if m.Up == nil || m.Down == nil || m.Editor == nil {
			t.Fatal("a part is missing")
		}
	})
}
