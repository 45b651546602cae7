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

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/pgserver/pgtest"
	"github.com/ddlsp/ddlsp/internal/workspace"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/templates"
)

// before makes what the templates' defaults speak of, as older migrations
// would have left it; some templates find more, or make it themselves.
func before(name string) string {
	out := `CREATE TABLE users (id uuid PRIMARY KEY, email varchar(255));
CREATE TABLE accounts (id uuid PRIMARY KEY);
`
	switch name {
	case "create_table", "create_hypertable", "create_plain_hypertable", "polymorphic", "uuid_key", "uuid_v7_key":
		return out
	case "continuous_aggregate", "compression_policy", "retention_policy":
		return out + `CREATE TABLE trades ("timestamp" timestamptz NOT NULL, symbol text, price numeric);
SELECT create_hypertable('trades', by_range('timestamp'));
`
	}
	out += `CREATE TABLE items (id uuid PRIMARY KEY, inserted_at timestamptz);
CREATE TABLE orders (
	id uuid PRIMARY KEY, name varchar(255), description text, old_field varchar(255), status text,
	amount numeric(20, 8) DEFAULT 1, metadata jsonb, updated_at timestamp(0), deleted_at timestamptz, inserted_at timestamptz
);
`
	switch name {
	case "add_foreign_key_constraint", "add_composite_index":
		out += "ALTER TABLE orders ADD user_id uuid;\n"
	case "backfill":
		out += "ALTER TABLE orders ADD new_field text;\n"
	}
	return out
}

// rows fills the tables that are there already.
const rows = `INSERT INTO users SELECT gen_random_uuid(), 'u' || n FROM generate_series(1, 10) n;
DO $$ BEGIN
	IF to_regclass('orders') IS NOT NULL THEN
		INSERT INTO orders (id, name) SELECT gen_random_uuid(), 'o' || n FROM generate_series(1, 2500) n;
	END IF;
END $$`

// formats are all that templates can be written for and run in.
var formats = []migration.Format{migration.Ecto, migration.Goose, migration.GolangMigrate, migration.Dbmate, migration.Tern, migration.Sqlx, migration.Diesel}

// A bench is a project and a connection to a database that a template is
// tried in.
type bench struct {
	format    migration.Format
	conn      *pgx.Conn
	postgres  int    // its major version
	timescale string // its version ("2.19.3"); empty without
	community bool
}

func newBench(t *testing.T, d *pgtest.Database, format migration.Format) *bench {
	t.Helper()
	b := &bench{format: format, conn: d.Conn()}
	number, err := strconv.Atoi(b.rows(t, "SHOW server_version_num")[0][0])
	if err != nil {
		t.Fatal(err)
	}
	b.postgres = number / 10000
	if r := b.rows(t, "SELECT extversion, current_setting('timescaledb.license') FROM pg_extension WHERE extname = 'timescaledb'"); len(r) > 0 {
		b.timescale, b.community = r[0][0], r[0][1] == "timescale"
	}
	return b
}

// rows runs SQL texts by the simple protocol and returns their rows as text.
func (b *bench) rows(t *testing.T, sql string) [][]string {
	t.Helper()
	results, err := b.conn.PgConn().Exec(context.Background(), sql).ReadAll()
	if err != nil {
		t.Fatalf("%s\n%v", sql, err)
	}
	var out [][]string
	for _, r := range results {
		for _, row := range r.Rows {
			line := make([]string, len(row))
			for i, v := range row {
				line[i] = string(v)
			}
			out = append(out, line)
		}
	}
	return out
}

// write writes a template as new migrations of a project whose older ones left
// what before says, judges them, and reads them back as the project's tool
// would.
func (b *bench) write(t *testing.T, tmpl *templates.Template) []*migration.Migration {
	t.Helper()
	dir := t.TempDir()
	config := fmt.Sprintf("format = %q\nmigrations = [\"migrations\"]\nbaseline = \"before.sql\"\npostgres_version = %d\n", b.format, b.postgres)
	if v := strings.Split(b.timescale, "."); len(v) > 1 {
		config += fmt.Sprintf("timescaledb_version = %q\n", v[0]+"."+v[1])
	}
	for name, text := range map[string]string{"ddlsp.toml": config, "before.sql": before(tmpl.Name), "migrations/.keep": ""} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	session := workspace.NewSession(workspace.Options{Dir: dir})
	ctx := context.Background()
	project := func() *workspace.Project {
		all, err := session.Snapshot().Projects(ctx)
		if err != nil || len(all) != 1 || all[0].Format != b.format {
			t.Fatalf("projects: %+v, %v", all, err)
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
	findings, stats, err := session.Snapshot().Lint(ctx, workspace.LintOptions{})
	if err != nil || stats.Files == 0 {
		t.Fatalf("lint looked at %d files: %v", stats.Files, err)
	}
	for _, f := range findings {
		if f.Severity >= analysis.Warning {
			t.Errorf("%s: %s: %s", filepath.Base(f.Path), f.Rule, f.Message)
		}
	}
	history := project().History(ctx)
	for _, m := range history {
		for _, body := range []*migration.Body{m.Up, m.Down} {
			for _, s := range body.Statements() {
				if s.Opaque != "" || s.NotRunnable != "" {
					t.Errorf("%s, %s: cannot be read: %s%s\n%s", m.Path(), body.Direction, s.Opaque, s.NotRunnable, s.SQL)
				}
			}
		}
		if len(m.Problems) > 0 || m.Beam != "" {
			t.Errorf("%s: %s %+v", m.Path(), m.Beam, m.Problems)
		}
	}
	if len(history) == 0 {
		t.Fatal("no migration was written")
	}
	return history
}

// exec sends one unit as the tool does.
func (b *bench) exec(sql string) error {
	if b.format == migration.Ecto { // the extended protocol, one statement
		_, err := b.conn.PgConn().ExecParams(context.Background(), sql, nil, nil, nil, nil).Close()
		return err
	}
	_, err := b.conn.PgConn().Exec(context.Background(), sql).ReadAll()
	return err
}

// send runs a direction as its tool does, without the statements that leave
// says.
func (b *bench) send(body *migration.Body, leave func(*migration.Statement) bool) error {
	if body.Err != nil {
		return body.Err
	}
	if body.Tx == migration.Explicit {
		if err := b.exec("BEGIN"); err != nil {
			return err
		}
	}
	for _, u := range body.Units {
		sql := u.SQL
		var kept []string
		for _, s := range u.Statements {
			if !leave(s) {
				kept = append(kept, s.SQL)
			}
		}
		if len(kept) < len(u.Statements) {
			sql = strings.Join(kept, ";\n")
		}
		if sql == "" {
			continue
		}
		if err := b.exec(sql); err != nil {
			return fmt.Errorf("%w\n%s", err, sql)
		}
	}
	if body.Tx == migration.Explicit {
		return b.exec("COMMIT")
	}
	return nil
}

// licensed are the words of the statements that TimescaleDB's Apache edition
// refuses, in the directions up and down.
var licensed = []string{"timescaledb.continuous", "add_continuous_aggregate_policy", "timescaledb.compress", "add_compression_policy", "add_retention_policy",
	"DROP MATERIALIZED VIEW", "remove_continuous_aggregate_policy", "remove_compression_policy", "remove_retention_policy"}

// unlicensed returns which statements to leave out: none, or on the Apache
// edition those that it refuses. Where nothing is left, they are sent: that it
// refuses them is the only thing to be seen.
func (b *bench) unlicensed(t *testing.T, tmpl *templates.Template, list []*migration.Migration) func(*migration.Statement) bool {
	t.Helper()
	if !tmpl.Needs.Community || b.community {
		return func(*migration.Statement) bool { return false }
	}
	leave := func(s *migration.Statement) bool {
		for _, word := range licensed {
			if strings.Contains(s.SQL, word) {
				return true
			}
		}
		return false
	}
	kept := 0
	for _, m := range list {
		for _, s := range m.Up.Statements() {
			if leave(s) {
				t.Logf("SKIPPED, NOT TESTED: the Apache edition of TimescaleDB has no %.60q", s.SQL)
			} else {
				kept++
			}
		}
	}
	if kept > 0 {
		return leave
	}
	for _, m := range list {
		if err := b.send(m.Up, func(*migration.Statement) bool { return false }); err != nil && strings.Contains(err.Error(), `under the current "apache" license`) {
			t.Skipf("SKIPPED, NOT TESTED: the Apache edition of TimescaleDB refuses all of it: %v", err)
		}
	}
	t.Fatal("this server is said to be the Apache edition, and does not refuse what that has not")
	return nil
}

// shape describes what a database holds, but for the order of columns, which
// no rollback can restore, and for what belongs to extensions.
func (b *bench) shape(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, r := range b.rows(t, `
		WITH mine AS MATERIALIZED (
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
	if b.timescale != "" {
		for _, r := range b.rows(t, "SELECT hypertable_name, num_dimensions, compression_enabled FROM timescaledb_information.hypertables ORDER BY 1") {
			out = append(out, "hypertable | "+strings.Join(r, " | "))
		}
	}
	return out
}

// try takes a template up, down and up again, and compares.
func (b *bench) try(t *testing.T, tmpl *templates.Template) {
	t.Helper()
	b.rows(t, before(tmpl.Name))
	b.rows(t, rows)
	list := b.write(t, tmpl)
	leave := b.unlicensed(t, tmpl, list)
	up := func() {
		t.Helper()
		for _, m := range list {
			if err := b.send(m.Up, leave); err != nil {
				t.Fatalf("%s, up: %v", m.Path(), err)
			}
		}
	}
	first := b.shape(t)
	up()
	second := b.shape(t)
	if cmp.Equal(first, second) && tmpl.Name != "backfill" && tmpl.Name != "retention_policy" && tmpl.Name != "compression_policy" {
		t.Error("up changed nothing")
	}
	for i := len(list) - 1; i >= 0; i-- {
		if err := b.send(list[i].Down, leave); err != nil {
			t.Fatalf("%s, down: %v", list[i].Path(), err)
		}
	}
	if diff := cmp.Diff(first, b.shape(t)); diff != "" {
		t.Errorf("down does not lead back (-before +after):\n%s", diff)
	}
	up()
	if diff := cmp.Diff(second, b.shape(t)); diff != "" {
		t.Errorf("the second up does not do what the first did:\n%s", diff)
	}
}

// Every template with its defaults, in every format and on every server there
// is, lints clean and goes up, down and up again, and down leads back.
func TestEveryTemplateRuns(t *testing.T) {
	all := map[string]func(testing.TB) *pgtest.Database{
		"server": pgtest.DB,
		// The server that has TimescaleDB, without it: another major version.
		"other server": func(t testing.TB) *pgtest.Database { return pgtest.On(t, pgtest.Timescale(t).Server) },
	}
	for name, database := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, format := range formats {
				t.Run(string(format), func(t *testing.T) {
					b := newBench(t, database(t), format)
					for _, tmpl := range templates.All() {
						if tmpl.Statement || tmpl.Test || tmpl.Needs.TimescaleDB != "" {
							continue
						}
						t.Run(fmt.Sprintf("PostgreSQL %d/%s", b.postgres, tmpl.Name), func(t *testing.T) {
							if need, _ := strconv.Atoi(tmpl.Needs.PostgreSQL); need > b.postgres {
								t.Skipf("SKIPPED, NOT TESTED: needs PostgreSQL %d, the server is %d", need, b.postgres)
							}
							defer b.rows(t, "ROLLBACK; SET client_min_messages = warning; DROP SCHEMA IF EXISTS audit CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public")
							b.try(t, tmpl)
						})
					}
				})
			}
		})
	}
}

// The templates for TimescaleDB, on a server that has it. What its Apache
// edition cannot do is left out, and said; all the rest runs.
func TestEveryTimescaleTemplateRuns(t *testing.T) {
	for _, tmpl := range templates.All() {
		if tmpl.Needs.TimescaleDB == "" {
			continue
		}
		for _, format := range formats {
			t.Run(tmpl.Name+"/"+string(format), func(t *testing.T) {
				newBench(t, pgtest.Timescale(t), format).try(t, tmpl)
			})
		}
	}
}
