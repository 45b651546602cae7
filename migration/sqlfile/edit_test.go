package sqlfile

import (
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// change applies one edit to a history of one migration and returns the files
// that changed, by name.
func change(t *testing.T, format migration.Format, files map[string]string, f func(m *migration.Migration) ([]source.Edit, error)) (map[string]string, error) {
	t.Helper()
	all := readAll(format, files)
	if len(all) != 1 {
		t.Fatalf("%d migrations, want one", len(all))
	}
	edits, err := f(all[0])
	if err != nil {
		return nil, err
	}
	byPath := map[string][]source.Edit{}
	for _, e := range edits {
		byPath[e.Path] = append(byPath[e.Path], e)
	}
	out := map[string]string{}
	for path, es := range byPath {
		name, _ := filepath.Rel("/m", path)
		name = filepath.ToSlash(name)
		text, err := source.Apply(files[name], es)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = text
	}
	return out, nil
}

func first1(m *migration.Migration) *migration.Statement { return m.Up.Statements()[0] }

func TestEditor(t *testing.T) {
	type edit = func(*migration.Migration) ([]source.Edit, error)
	concurrently := func(m *migration.Migration) ([]source.Edit, error) { return m.Editor.Concurrently(m, first1(m)) }
	leave := func(d migration.Direction) edit {
		return func(m *migration.Migration) ([]source.Edit, error) { return m.Editor.LeaveTransaction(m, d) }
	}
	down := func(sql ...string) edit {
		return func(m *migration.Migration) ([]source.Edit, error) { return m.Editor.SetDown(m, sql) }
	}
	before := func(sql ...string) edit {
		return func(m *migration.Migration) ([]source.Edit, error) { return m.Editor.InsertBefore(m, first1(m), sql) }
	}
	after := func(sql ...string) edit {
		return func(m *migration.Migration) ([]source.Edit, error) { return m.Editor.InsertAfter(m, first1(m), sql) }
	}
	raise := func(m *migration.Migration) ([]source.Edit, error) {
		return m.Editor.RaiseInDown(m, "it's 100% gone")
	}
	key := func(where, column string) edit {
		return func(m *migration.Migration) ([]source.Edit, error) {
			s := first1(m)
			i := strings.Index(s.SQL, where)
			return m.Editor.AddKeyColumn(m, s, source.Span{Start: i, End: i + len(where)}, column)
		}
	}
	type files = map[string]string
	tests := []struct {
		name   string
		format migration.Format
		in     files
		edit   edit
		want   files // nil: not expressible
	}{
		{"concurrently", migration.GolangMigrate, files{"1_a.up.sql": "create unique  index\ti on a (id);"}, concurrently,
			files{"1_a.up.sql": "create unique  index concurrently\ti on a (id);"}},
		{"concurrently upper", migration.Goose, files{"1_a.sql": "-- +goose Up\nCREATE INDEX i ON a (id);\n"}, concurrently,
			files{"1_a.sql": "-- +goose Up\nCREATE INDEX CONCURRENTLY i ON a (id);\n"}},
		{"concurrently drop", migration.Plain, files{"a.sql": "DROP INDEX i;"}, concurrently, files{"a.sql": "DROP INDEX CONCURRENTLY i;"}},
		{"concurrently drop two", migration.Plain, files{"a.sql": "DROP INDEX i, j;"}, concurrently, nil},
		{"concurrently already", migration.Plain, files{"a.sql": "DROP INDEX CONCURRENTLY i;"}, concurrently, files{}},
		{"concurrently table", migration.Plain, files{"a.sql": "DROP TABLE i;"}, concurrently, nil},

		{"leave goose", migration.Goose, files{"1_a.sql": "-- +goose Up\r\nSELECT a();\r\n"}, leave(migration.Up),
			files{"1_a.sql": "-- +goose NO TRANSACTION\r\n-- +goose Up\r\nSELECT a();\r\n"}},
		{"leave goose already", migration.Goose, files{"1_a.sql": "-- +goose Up\nSELECT a();\n-- +goose NO TRANSACTION\n"}, leave(migration.Up), files{}},
		{"leave golang-migrate alone", migration.GolangMigrate, files{"1_a.up.sql": "SELECT a();"}, leave(migration.Up), files{}},
		{"leave golang-migrate two", migration.GolangMigrate, files{"1_a.up.sql": "SELECT a(); SELECT b();"}, leave(migration.Up), nil},
		{"leave golang-migrate no down", migration.GolangMigrate, files{"1_a.up.sql": "SELECT a();"}, leave(migration.Down), nil},
		{"leave dbmate", migration.Dbmate, files{"1_a.sql": "-- migrate:up\nSELECT a();\n-- migrate:down\nSELECT b();\n"}, leave(migration.Down),
			files{"1_a.sql": "-- migrate:up\nSELECT a();\n-- migrate:down transaction:false\nSELECT b();\n"}},
		{"leave dbmate misspelled", migration.Dbmate, files{"1_a.sql": "-- migrate:up transaction: false\nSELECT a();\n-- migrate:down\n"}, leave(migration.Up),
			files{"1_a.sql": "-- migrate:up transaction:false\nSELECT a();\n-- migrate:down\n"}},
		{"leave dbmate two", migration.Dbmate, files{"1_a.sql": "-- migrate:up\nSELECT a();SELECT b();\n-- migrate:down\n"}, leave(migration.Up), nil},
		{"leave tern", migration.Tern, files{"1_a.sql": "select a();\n---- create above / drop below ----\nselect b();\n"}, leave(migration.Down),
			files{"1_a.sql": "select a();\n---- create above / drop below ----\n---- tern: disable-tx ----\nselect b();\n"}},
		{"leave sqlx", migration.Sqlx, files{"1_a.sql": "select a();\n"}, leave(migration.Up), files{"1_a.sql": "-- no-transaction\nselect a();\n"}},
		{"leave diesel", migration.Diesel, files{"1_a/up.sql": "select a();\n"}, leave(migration.Up), files{"1_a/metadata.toml": "run_in_transaction = false\n"}},
		{"leave diesel sidecar", migration.Diesel, files{"1_a/up.sql": "select a();\n", "1_a/metadata.toml": "run_in_transaction = true # yes\n"}, leave(migration.Up),
			files{"1_a/metadata.toml": "run_in_transaction = false # yes\n"}},
		{"leave sql-migrate", migration.SQLMigrate, files{"1_a.sql": "-- +migrate Up\nselect a();\n"}, leave(migration.Up), files{"1_a.sql": "-- +migrate Up notransaction\nselect a();\n"}},
		{"leave atlas", migration.Atlas, files{"1_a.sql": "select a();\n"}, leave(migration.Up), files{"1_a.sql": "-- atlas:txmode none\n\nselect a();\n"}},
		{"leave node-pg-migrate", migration.NodePgMigrate, files{"1_a.sql": "select a();\n"}, leave(migration.Up), nil},

		{"down golang-migrate", migration.GolangMigrate, files{"1_a.up.sql": "SELECT a();"}, down("DROP TABLE a", "DROP TYPE b"),
			files{"1_a.down.sql": "DROP TABLE a;\nDROP TYPE b;\n"}},
		{"down golang-migrate empty", migration.GolangMigrate, files{"1_a.up.sql": "SELECT a();", "1_a.down.sql": "-- later\n"}, down("DROP TABLE a"),
			files{"1_a.down.sql": "-- later\nDROP TABLE a;\n"}},
		{"down golang-migrate no bytes", migration.GolangMigrate, files{"1_a.up.sql": "SELECT a();", "1_a.down.sql": ""}, down("DROP TABLE a"),
			files{"1_a.down.sql": "DROP TABLE a;\n"}},
		{"down golang-migrate noop", migration.GolangMigrate, files{"1_a.up.sql": "SELECT a();", "1_a.down.sql": "SELECT 1;\n"}, down("DROP TABLE a"),
			files{"1_a.down.sql": "DROP TABLE a;\n"}},
		{"down golang-migrate written", migration.GolangMigrate, files{"1_a.up.sql": "SELECT a();", "1_a.down.sql": "DROP TABLE x;\n"}, down("DROP TABLE a"), nil},
		{"down goose", migration.Goose, files{"1_a.sql": "-- +goose Up\nSELECT a();\n"}, down("DROP TABLE a"),
			files{"1_a.sql": "-- +goose Up\nSELECT a();\n\n-- +goose Down\nDROP TABLE a;\n"}},
		{"down goose no newline", migration.Goose, files{"1_a.sql": "-- +goose Up\nSELECT a();"}, down("DROP TABLE a"),
			files{"1_a.sql": "-- +goose Up\nSELECT a();\n\n-- +goose Down\nDROP TABLE a;\n"}},
		{"down goose empty", migration.Goose, files{"1_a.sql": "-- +goose Up\nSELECT a();\n-- +goose Down\n"}, down("DROP TABLE a"),
			files{"1_a.sql": "-- +goose Up\nSELECT a();\n-- +goose Down\nDROP TABLE a;\n"}},
		{"down goose block", migration.Goose, files{"1_a.sql": "-- +goose Up\nSELECT a();\n"}, down("CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n  RETURN 1;\nEND $$"),
			files{"1_a.sql": "-- +goose Up\nSELECT a();\n\n-- +goose Down\n-- +goose StatementBegin\nCREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n  RETURN 1;\nEND $$;\n-- +goose StatementEnd\n"}},
		{"down dbmate", migration.Dbmate, files{"1_a.sql": "-- migrate:up\nSELECT a();\n"}, down("DROP TABLE a"),
			files{"1_a.sql": "-- migrate:up\nSELECT a();\n\n-- migrate:down\nDROP TABLE a;\n"}},
		{"down tern", migration.Tern, files{"1_a.sql": "select a();\n"}, down("drop table a"),
			files{"1_a.sql": "select a();\n\n---- create above / drop below ----\n\ndrop table a;\n"}},
		{"down diesel", migration.Diesel, files{"1_a/up.sql": "select a();\n"}, down("drop table a"), files{"1_a/down.sql": "drop table a;\n"}},
		{"down flyway", migration.Flyway, files{"V1__a.sql": "select a();\n"}, down("drop table a"), nil},
		{"raise golang-migrate", migration.GolangMigrate, files{"1_a.up.sql": "SELECT a();"}, raise,
			files{"1_a.down.sql": "DO $$ BEGIN RAISE EXCEPTION 'it''s 100%% gone'; END $$;\n"}},
		{"raise goose", migration.Goose, files{"1_a.sql": "-- +goose Up\nSELECT a();\n-- +goose Down\n"}, raise,
			files{"1_a.sql": "-- +goose Up\nSELECT a();\n-- +goose Down\nDO $$ BEGIN RAISE EXCEPTION 'it''s 100%% gone'; END $$;\n"}},

		{"before", migration.Plain, files{"a.sql": "-- ddlsp:ignore x\n  SELECT a();\n"}, before("SET x = 1"), files{"a.sql": "  SET x = 1;\n-- ddlsp:ignore x\n  SELECT a();\n"}},
		{"before directive", migration.Goose, files{"1_a.sql": "-- +goose Up\n-- about a\nSELECT a();\n"}, before("SELECT 1"),
			files{"1_a.sql": "-- +goose Up\nSELECT 1;\n-- about a\nSELECT a();\n"}},
		{"before block", migration.Goose, files{"1_a.sql": "-- +goose Up\n-- +goose StatementBegin\nSELECT a();\n-- +goose StatementEnd\n"}, before("SELECT 1"),
			files{"1_a.sql": "-- +goose Up\nSELECT 1;\n-- +goose StatementBegin\nSELECT a();\n-- +goose StatementEnd\n"}},
		{"after", migration.Plain, files{"a.sql": "SELECT a(); -- here\nSELECT b();\n"}, after("SELECT 1", "SELECT 2"),
			files{"a.sql": "SELECT a(); -- here\nSELECT 1;\nSELECT 2;\nSELECT b();\n"}},
		{"after unfinished", migration.Plain, files{"a.sql": "SELECT a()"}, after("SELECT 1"), files{"a.sql": "SELECT a();\nSELECT 1;\n"}},
		{"after on one line", migration.Plain, files{"a.sql": "SELECT a(); SELECT b();"}, after("SELECT 1"), files{"a.sql": "SELECT a();\nSELECT 1; SELECT b();"}},
		{"after block", migration.Goose, files{"1_a.sql": "-- +goose Up\n-- +goose StatementBegin\nSELECT a();\n-- +goose StatementEnd\n"}, after("SELECT 1"),
			files{"1_a.sql": "-- +goose Up\n-- +goose StatementBegin\nSELECT a();\n-- +goose StatementEnd\nSELECT 1;\n"}},
		{"after comment", migration.Plain, files{"a.sql": "SELECT a();\n"}, after("SELECT 1 -- one"), files{"a.sql": "SELECT a();\nSELECT 1 -- one\n;\n"}},

		{"key of table", migration.Plain, files{"a.sql": "CREATE TABLE m (id int, t timestamptz, PRIMARY KEY (id));"}, key("PRIMARY KEY (id)", "t"),
			files{"a.sql": "CREATE TABLE m (id int, t timestamptz, PRIMARY KEY (id, t));"}},
		{"key of column", migration.Plain, files{"a.sql": "CREATE TABLE m (id uuid PRIMARY KEY, t timestamptz NOT NULL);"}, key("PRIMARY KEY", "t"),
			files{"a.sql": "CREATE TABLE m (id uuid, t timestamptz NOT NULL, PRIMARY KEY (id, t));"}},
		{"key of last column", migration.Plain, files{"a.sql": "create table m (t timestamptz not null, id uuid primary key);"}, key("primary key", "t"),
			files{"a.sql": "create table m (t timestamptz not null, id uuid, primary key (id, t));"}},
		{"key of index", migration.Plain, files{"a.sql": "CREATE UNIQUE INDEX u ON m (lower(d)) WHERE d > '';"}, key("lower(d)", "user"),
			files{"a.sql": `CREATE UNIQUE INDEX u ON m (lower(d), "user") WHERE d > '';`}},
		{"key of added constraint", migration.Plain, files{"a.sql": "ALTER TABLE m ADD CONSTRAINT u UNIQUE (d) DEFERRABLE;"}, key("CONSTRAINT u UNIQUE (d) DEFERRABLE", "Time"),
			files{"a.sql": `ALTER TABLE m ADD CONSTRAINT u UNIQUE (d, "Time") DEFERRABLE;`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := change(t, test.format, test.in, test.edit)
			if test.want == nil {
				if !errors.Is(err, migration.ErrNotExpressible) {
					t.Fatalf("got %q, %v, want ErrNotExpressible", got, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Fatalf("-want +got\n%s", diff)
			}
			// What was written must be read without complaint.
			files := maps.Clone(test.in)
			maps.Copy(files, got)
			for _, m := range readAll(test.format, files) {
				for _, p := range m.Problems {
					if !slices.Contains([]string{"orphan-down-migration"}, p.Rule) {
						t.Errorf("the result has the problem %s: %s", p.Rule, p.Message)
					}
				}
			}
		})
	}
}
