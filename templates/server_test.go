package templates_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/ddlsp/ddlsp/internal/pgserver/pgtest"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/internal/workspace"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/migration/ecto"
	"github.com/ddlsp/ddlsp/templates"
)

// before makes what the templates' defaults speak of, as older migrations
// would have left it; some templates find more, or make it themselves.
func before(name string) string {
	out := `
		CREATE TABLE users (id uuid PRIMARY KEY, email varchar(255));
		CREATE TABLE accounts (id uuid PRIMARY KEY);
		INSERT INTO users SELECT gen_random_uuid(), 'u' || n FROM generate_series(1, 10) n;`
	switch name {
	case "create_table", "create_hypertable", "create_plain_hypertable", "polymorphic", "uuid_key", "uuid_v7_key":
		return out
	case "continuous_aggregate", "compression_policy", "retention_policy":
		return out + `
			CREATE TABLE trades ("timestamp" timestamptz NOT NULL, symbol text, price numeric);
			SELECT create_hypertable('trades', by_range('timestamp'));`
	}
	out += `
		CREATE TABLE items (id uuid PRIMARY KEY, inserted_at timestamptz);
		CREATE TABLE orders (
			id uuid PRIMARY KEY, name varchar(255), description text, old_field varchar(255), status text,
			amount numeric(20, 8) DEFAULT 1, metadata jsonb, updated_at timestamp(0), deleted_at timestamptz, inserted_at timestamptz
		);
		INSERT INTO orders (id, name) SELECT gen_random_uuid(), 'o' || n FROM generate_series(1, 2500) n;`
	switch name {
	case "add_foreign_key_constraint", "add_composite_index":
		out += `ALTER TABLE orders ADD user_id uuid;`
	case "backfill":
		out += `ALTER TABLE orders ADD new_field text;`
	}
	return out
}

// formats are those that a template is written for and run in: every one in
// the first three, the six templates in some more.
func formats(tmpl *templates.Template) []migration.Format {
	out := []migration.Format{migration.Ecto, migration.Goose, migration.GolangMigrate}
	if !tmpl.Snippet {
		out = append(out, migration.Dbmate, migration.Tern, migration.Sqlx, migration.Diesel)
	}
	return out
}

// written writes a template as new migrations of a project and reads them back
// as the project's tool would.
func written(t *testing.T, format migration.Format, tmpl *templates.Template) []*migration.Migration {
	t.Helper()
	if format == migration.Ecto {
		var out []*migration.Migration
		values := tmpl.Defaults(templates.Ecto, nil)
		for i, p := range tmpl.PartsIn(templates.Ecto) {
			text := p.EctoText(templates.EctoFile{Module: fmt.Sprintf("Shop.Repo.Migrations.M%d", i)}).Fill(values)
			f := &source.File{Path: fmt.Sprintf("/priv/repo/migrations/2026010112000%d_%s.exs", i, tmpl.Name), Text: text}
			out = append(out, ecto.Read(f, nil, ecto.Options{}))
		}
		return out
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "migrations"), 0o755); err != nil {
		t.Fatal(err)
	}
	session := workspace.NewSession(workspace.Options{Dir: dir, Migrations: []string{filepath.Join(dir, "migrations")}, Format: format})
	ctx := context.Background()
	project := func() *workspace.Project {
		all, err := session.Snapshot().Projects(ctx)
		if err != nil || len(all) != 1 {
			t.Fatalf("projects: %v, %v", all, err)
		}
		return all[0]
	}
	n, err := session.Snapshot().NewMigration(ctx, project(), workspace.NewRequest{Template: tmpl.Name, Name: tmpl.Name, Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Write(); err != nil {
		t.Fatal(err)
	}
	for _, f := range n.Files {
		session.Touch(f.Path)
	}
	return project().History(ctx)
}

// send sends a direction as its tool does.
func send(conn *pgx.Conn, format migration.Format, b *migration.Body) error {
	ctx := context.Background()
	exec := func(sql string) error {
		if format == migration.Ecto { // the extended protocol, one statement
			_, err := conn.PgConn().ExecParams(ctx, sql, nil, nil, nil, nil).Close()
			return err
		}
		_, err := conn.PgConn().Exec(ctx, sql).ReadAll()
		return err
	}
	if b.Err != nil {
		return b.Err
	}
	if b.Tx == migration.Explicit {
		if err := exec("BEGIN"); err != nil {
			return err
		}
	}
	for _, u := range b.Units {
		if err := exec(u.SQL); err != nil {
			return fmt.Errorf("%w\n%s", err, u.SQL)
		}
	}
	if b.Tx == migration.Explicit {
		return exec("COMMIT")
	}
	return nil
}

// schemaOf describes what a database holds, but for the order of columns,
// which no rollback can restore, and for what belongs to extensions.
func schemaOf(d *pgtest.Database) []string {
	var out []string
	for _, r := range d.Rows(`
		WITH mine AS (
			SELECT c.oid, n.nspname || '.' || c.relname AS name, c.relkind, c.reloptions FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE n.nspname !~ '^(pg_|information_schema|_timescaledb|timescaledb)' AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'i')
			AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
		)
		SELECT 'relation', name || ' ' || relkind::text, coalesce(obj_description(oid, 'pg_class'), '') || coalesce(reloptions::text, '') FROM mine
		UNION ALL SELECT 'column', m.name || '.' || a.attname, format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull || ' '
			|| coalesce(pg_get_expr(x.adbin, x.adrelid), '') || a.attidentity::text || coalesce(col_description(m.oid, a.attnum), '')
			FROM mine m JOIN pg_attribute a ON a.attrelid = m.oid LEFT JOIN pg_attrdef x ON x.adrelid = m.oid AND x.adnum = a.attnum
			WHERE a.attnum > 0 AND NOT a.attisdropped
		UNION ALL SELECT 'index', m.name, pg_get_indexdef(i.indexrelid) || i.indisvalid FROM mine m JOIN pg_index i ON i.indexrelid = m.oid
		UNION ALL SELECT 'constraint', m.name || '.' || c.conname, pg_get_constraintdef(c.oid) || c.convalidated FROM mine m JOIN pg_constraint c ON c.conrelid = m.oid
		UNION ALL SELECT 'trigger', m.name || '.' || t.tgname, pg_get_triggerdef(t.oid) FROM mine m JOIN pg_trigger t ON t.tgrelid = m.oid WHERE NOT t.tgisinternal
		UNION ALL SELECT 'view', name, pg_get_viewdef(oid) FROM mine WHERE relkind IN ('v', 'm')
		UNION ALL SELECT 'function', p.oid::regprocedure::text, pg_get_functiondef(p.oid) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
			WHERE n.nspname !~ '^(pg_|information_schema|_timescaledb|timescaledb)' AND p.prokind = 'f'
			AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
		UNION ALL SELECT 'enum', e.enumtypid::regtype::text, string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_enum e GROUP BY 2
		UNION ALL SELECT 'schema', nspname, '' FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema|_timescaledb|timescaledb)'
		ORDER BY 1, 2, 3`) {
		out = append(out, strings.Join(r, " | "))
	}
	return out
}

// run takes a template up, down and up again, and compares.
func run(t *testing.T, d *pgtest.Database, format migration.Format, tmpl *templates.Template, community bool) {
	d.Exec(before(tmpl.Name))
	migrations := written(t, format, tmpl)
	if len(migrations) == 0 {
		t.Fatal("no migration was written")
	}
	conn := d.Conn()
	for _, m := range migrations {
		for _, b := range []*migration.Body{m.Up, m.Down} {
			for _, s := range b.Statements() {
				if s.Opaque != "" || s.NotRunnable != "" {
					t.Errorf("%s, %s: cannot be read: %s%s\n%s", m.Path(), b.Direction, s.Opaque, s.NotRunnable, s.SQL)
				}
			}
		}
		if len(m.Problems) > 0 || m.Beam != "" {
			t.Errorf("%s: %s %+v", m.Path(), m.Beam, m.Problems)
		}
	}
	up := func() {
		t.Helper()
		for _, m := range migrations {
			if err := send(conn, format, m.Up); err != nil {
				if !community && strings.Contains(err.Error(), `under the current "apache" license`) {
					t.Skipf("SKIPPED, NOT TESTED FURTHER: this TimescaleDB is the Apache edition: %v", err)
				}
				t.Fatalf("%s, up: %v", m.Path(), err)
			}
		}
	}
	first := schemaOf(d)
	up()
	second := schemaOf(d)
	if cmp.Equal(first, second) && tmpl.Name != "backfill" && tmpl.Name != "retention_policy" && tmpl.Name != "compression_policy" {
		t.Error("up changed nothing")
	}
	for i := len(migrations) - 1; i >= 0; i-- {
		if err := send(conn, format, migrations[i].Down); err != nil {
			t.Fatalf("%s, down: %v", migrations[i].Path(), err)
		}
	}
	if diff := cmp.Diff(first, schemaOf(d)); diff != "" {
		t.Errorf("down does not lead back (-before +after):\n%s", diff)
	}
	up()
	if diff := cmp.Diff(second, schemaOf(d)); diff != "" {
		t.Errorf("the second up does not do what the first did:\n%s", diff)
	}
}

// Every template with its defaults goes up, down and up again on a real
// server, and down leads back.
func TestEveryTemplateRuns(t *testing.T) {
	for _, tmpl := range templates.All() {
		if tmpl.Statement || tmpl.Test || tmpl.Needs.TimescaleDB != "" {
			continue
		}
		for _, format := range formats(tmpl) {
			t.Run(tmpl.Name+"/"+string(format), func(t *testing.T) {
				d := pgtest.DB(t)
				if need, _ := strconv.Atoi(tmpl.Needs.PostgreSQL); need > 0 {
					have, _ := strconv.Atoi(d.Rows("SHOW server_version_num")[0][0])
					if have/10000 < need {
						t.Skipf("SKIPPED, NOT TESTED: needs PostgreSQL %d, the server is %d", need, have/10000)
					}
				}
				run(t, d, format, tmpl, true)
			})
		}
	}
}

// The templates for TimescaleDB, on a server that has it. What its Apache
// edition cannot do is skipped where it begins.
func TestEveryTimescaleTemplateRuns(t *testing.T) {
	for _, tmpl := range templates.All() {
		if tmpl.Needs.TimescaleDB == "" {
			continue
		}
		for _, format := range formats(tmpl) {
			t.Run(tmpl.Name+"/"+string(format), func(t *testing.T) {
				run(t, pgtest.Timescale(t), format, tmpl, !tmpl.Needs.Community)
			})
		}
	}
}
