package runner

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ddlsp/ddlsp/migration"
)

// A table is a tool's version table.
type table struct {
	Schema, Name string
}

// quoted is the table as the tools that qualify it write it.
func (t table) quoted() string { return pgx.Identifier{t.Schema, t.Name}.Sanitize() }

// String is the table as people name it: with its schema only outside public.
func (t table) String() string {
	if t.Schema == "" || t.Schema == "public" {
		return t.Name
	}
	return t.Schema + "." + t.Name
}

// A row is one applied version.
type row struct {
	Version string
	At      *time.Time
	// Edited compares a file with the tool's own checksum; nil where it keeps
	// none.
	Edited func(*migration.Migration) *bool
}

// A state is what the version table says.
type state struct {
	table   table
	present bool
	// rows are the applied versions in the order in which they were applied,
	// as far as the tool keeps it.
	rows []row
	// known are versions that have a row of any kind (goose's is_applied=false).
	known map[string]bool
	dirty bool // golang-migrate
	// failed are versions of which the table says that they failed half way.
	failed []string
	// compare orders versions as the tool does.
	compare func(a, b string) int

	server server
}

// applied reports whether the version has been applied.
func (s *state) applied(version string) bool {
	return slices.ContainsFunc(s.rows, func(r row) bool { return s.compare(r.Version, version) == 0 })
}

// appliedAt is when a version was applied, nil when the table does not say.
func (s *state) appliedAt(version string) *time.Time {
	for _, r := range s.rows {
		if s.compare(r.Version, version) == 0 {
			return r.At
		}
	}
	return nil
}

// newest is the highest applied version, "" for none.
func (s *state) newest() string {
	v := ""
	for _, r := range s.rows {
		if v == "" || s.compare(r.Version, v) > 0 {
			v = r.Version
		}
	}
	return v
}

// A server is what is known of the other end once connected.
type server struct {
	version  int // server_version_num
	schema   string
	database string
	user     string
	pooled   bool
	standby  bool
}

// look asks the server who it is. It changes nothing.
func look(ctx context.Context, conn *pgx.Conn) (server, error) {
	var s server
	var pid uint32
	var schema *string
	err := conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, current_schema(), current_database()::text, current_user::text, pg_backend_pid(), pg_is_in_recovery()`).
		Scan(&s.version, &schema, &s.database, &s.user, &pid, &s.standby)
	if err != nil {
		return s, err
	}
	if schema != nil {
		s.schema = *schema
	}
	// A pooler hands out its own process ids.
	s.pooled = pid != conn.PgConn().PID()
	return s, nil
}

// A column of a version table, as the catalog names its type.
type column struct{ name, typ string }

// columns reads the layout of a table; none when it does not exist.
func columns(ctx context.Context, conn *pgx.Conn, t table) (cols []column, kind string, err error) {
	rows, err := conn.Query(ctx, `SELECT a.attname::text, format_type(a.atttypid, NULL), c.relkind::text
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = $1 AND c.relname = $2 ORDER BY a.attnum`, t.Schema, t.Name)
	if err != nil {
		return nil, "", err
	}
	defer rows.Close()
	for rows.Next() {
		var name, typ *string
		if err := rows.Scan(&name, &typ, &kind); err != nil {
			return nil, "", err
		}
		if name != nil {
			cols = append(cols, column{*name, *typ})
		}
	}
	return cols, kind, rows.Err()
}

// fingerprint makes sure that the version table is the tool's own, in a layout
// that ddlsp knows, before anything reads or writes it. Four tools share the
// name schema_migrations, and writing to another's table destroys its history.
func fingerprint(ctx context.Context, conn *pgx.Conn, t table, tool string, layouts ...[]column) (present bool, err error) {
	cols, kind, err := columns(ctx, conn, t)
	if err != nil {
		return false, err
	}
	if kind == "" {
		return false, nil
	}
	if kind != "r" && kind != "p" {
		return false, refusef("%s is not a table: it cannot be the version table of %s", t, tool)
	}
	for _, l := range layouts {
		if sameLayout(cols, l) {
			return true, nil
		}
	}
	var have []string
	for _, c := range cols {
		have = append(have, c.name+" "+c.typ)
	}
	whose := ""
	if o := owner(cols); o != "" && o != tool {
		whose = ": it looks like the table of " + o
	}
	return false, refusef("the table %s (%s) is not the version table of %s in a layout that ddlsp knows%s. Nothing was changed. Is this the right database, and the right migration format?",
		t, strings.Join(have, ", "), tool, whose)
}

// sameLayout compares columns in any order. A type may list alternatives with |.
func sameLayout(have, want []column) bool {
	if len(have) != len(want) {
		return false
	}
	for _, w := range want {
		if !slices.ContainsFunc(have, func(h column) bool {
			return h.name == w.name && slices.Contains(strings.Split(w.typ, "|"), h.typ)
		}) {
			return false
		}
	}
	return true
}

// Layouts of the version tables.
const timestamps = "timestamp without time zone|timestamp with time zone"

var (
	ectoLayout   = []column{{"version", "bigint"}, {"inserted_at", timestamps}}
	gmLayout     = []column{{"version", "bigint"}, {"dirty", "boolean"}}
	gooseLayout  = []column{{"id", "integer|bigint"}, {"version_id", "bigint"}, {"is_applied", "boolean"}, {"tstamp", timestamps}}
	dbmateLayout = []column{{"version", "character varying|text"}}
	ternLayout   = []column{{"version", "integer"}}
	sqlxLayout   = []column{{"version", "bigint"}, {"description", "text"}, {"installed_on", timestamps}, {"success", "boolean"}, {"checksum", "bytea"}, {"execution_time", "bigint"}}
	dieselLayout = []column{{"version", "character varying"}, {"run_on", timestamps}}
)

// owner guesses whose version table has these columns.
func owner(cols []column) string {
	for _, l := range []struct {
		tool   string
		layout []column
	}{
		{"Ecto", ectoLayout}, {"golang-migrate", gmLayout}, {"goose", gooseLayout},
		{"dbmate or Rails", dbmateLayout}, {"tern", ternLayout}, {"sqlx", sqlxLayout}, {"diesel", dieselLayout},
		{"Supabase", []column{{"version", "text"}, {"statements", "text[]"}, {"name", "text"}}},
		{"Ecto with another version column", []column{{"version", "character varying|text|integer"}, {"inserted_at", timestamps}}},
	} {
		if sameLayout(cols, l.layout) {
			return l.tool
		}
	}
	return ""
}

// readOnly runs f in a read-only transaction: whatever f does, nothing changes.
func readOnly(ctx context.Context, conn *pgx.Conn, f func() error) error {
	if _, err := conn.Exec(ctx, "BEGIN READ ONLY"); err != nil {
		return err
	}
	err := f()
	// The caller's context may be over, the transaction must be too.
	if _, rerr := conn.Exec(context.WithoutCancel(ctx), "ROLLBACK"); err == nil {
		err = rerr
	}
	return err
}

// compareVersions orders versions as numbers where they are numbers.
func compareVersions(a, b string) int {
	if numeric(a) && numeric(b) {
		a, b = bare(a), bare(b)
		if len(a) != len(b) {
			return len(a) - len(b)
		}
	}
	return strings.Compare(a, b)
}

// compareParts orders versions such as 1.10 and 1.9 by their parts.
func compareParts(a, b string) int {
	x, y := strings.FieldsFunc(a, versionMark), strings.FieldsFunc(b, versionMark)
	for i := range max(len(x), len(y)) {
		p, q := "0", "0"
		if i < len(x) {
			p = x[i]
		}
		if i < len(y) {
			q = y[i]
		}
		if c := compareVersions(p, q); c != 0 {
			return c
		}
	}
	return 0
}

func versionMark(r rune) bool { return r == '.' || r == '_' }

func numeric(v string) bool {
	return v != "" && strings.Trim(v, "0123456789") == ""
}

// bare is a numeric version without leading zeros.
func bare(v string) string {
	if t := strings.TrimLeft(v, "0"); t != "" || v == "" {
		return t
	}
	return "0"
}

func sameVersion(a, b string) bool {
	return a == b || numeric(a) && numeric(b) && bare(a) == bare(b)
}

// comparison is how the tool of a format orders versions: dbmate by their text,
// so that 9 is not 009, the others as numbers.
func comparison(f migration.Format) func(a, b string) int {
	switch f {
	case migration.Dbmate, migration.Diesel:
		return strings.Compare
	case migration.Flyway:
		return compareParts
	}
	return compareVersions
}
