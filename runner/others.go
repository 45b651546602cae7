package runner

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ddlsp/ddlsp/migration"
)

// An otherTool is a tool whose state ddlsp shows and whose migrations it does
// not run.
type otherTool struct {
	title string
	table string
	// needs are columns that its table has; there may be more.
	needs []string
	// query reads, in the order of application: version, time of application
	// (or null), checksum (or null), and whether it went well.
	query string
	// sum is the checksum that the tool would keep of a file; nil when ddlsp
	// does not compute it.
	sum func(m *migration.Migration) string
	// byHash is set when the table knows migrations by their checksums.
	byHash   bool
	up, down string
}

// noDown says what to do where a tool has no way back.
const noDown = "it has no rollback: write a new migration that undoes this one"

var others = map[migration.Format]otherTool{
	migration.SQLMigrate: {title: "sql-migrate", table: "gorp_migrations", needs: []string{"id", "applied_at"},
		query: `SELECT id::text, applied_at::timestamptz, NULL::text, true FROM %s ORDER BY id`,
		up:    "sql-migrate up", down: "sql-migrate down -limit=1"},
	migration.Flyway: {title: "Flyway", table: "flyway_schema_history", needs: []string{"installed_rank", "version", "type", "installed_on", "success"},
		query: `SELECT h.version::text, h.installed_on::timestamptz, NULL::text, h.success FROM %[1]s h
WHERE h.version IS NOT NULL AND h.type NOT LIKE 'UNDO%%' AND h.type NOT IN ('BASELINE', 'SCHEMA', 'DELETE') AND NOT EXISTS (SELECT FROM %[1]s u WHERE u.version = h.version AND u.type LIKE 'UNDO%%' AND u.success AND u.installed_rank > h.installed_rank)
ORDER BY h.installed_rank`,
		up: "flyway migrate", down: "flyway undo"},
	migration.Atlas: {title: "Atlas", table: "atlas_schema_revisions.atlas_schema_revisions", needs: []string{"version", "applied", "total", "executed_at"},
		query: `SELECT version::text, executed_at, NULL::text, applied = total FROM %s WHERE version <> '.atlas_cloud_identifier' ORDER BY version`,
		up:    "atlas migrate apply --dir file://DIR --url \"$DATABASE_URL\"", down: "atlas migrate down --dir file://DIR --url \"$DATABASE_URL\""},
	migration.Prisma: {title: "Prisma", table: "_prisma_migrations", needs: []string{"migration_name", "checksum", "finished_at", "rolled_back_at"},
		query: `SELECT migration_name::text, finished_at, checksum::text, finished_at IS NOT NULL FROM %s WHERE rolled_back_at IS NULL ORDER BY started_at`,
		sum:   fileSum, up: "npx prisma migrate deploy", down: noDown},
	migration.Supabase: {title: "Supabase", table: "supabase_migrations.schema_migrations", needs: []string{"version", "statements"},
		query: `SELECT version::text, NULL::timestamptz, NULL::text, true FROM %s ORDER BY version`,
		up:    "supabase migration up (locally), or supabase db push", down: noDown},
	migration.NodePgMigrate: {title: "node-pg-migrate", table: "pgmigrations", needs: []string{"id", "name", "run_on"},
		query: `SELECT name::text, run_on::timestamptz, NULL::text, true FROM %s ORDER BY run_on, id`,
		up:    "npx node-pg-migrate up -m DIR", down: "npx node-pg-migrate down -m DIR"},
	migration.Drizzle: {title: "Drizzle", table: "drizzle.__drizzle_migrations", needs: []string{"id", "hash", "created_at"},
		query: `SELECT id::text, NULL::timestamptz, hash::text, true FROM %s ORDER BY created_at`,
		sum:   fileSum, byHash: true, up: "npx drizzle-kit migrate", down: noDown},
}

// commands are what runs the formats of which ddlsp knows no version table.
var commands = map[migration.Format]string{
	migration.Liquibase: "liquibase update",
}

// fileSum is the SHA-256 of a migration's file.
func fileSum(m *migration.Migration) string {
	if len(m.Files) == 0 {
		return ""
	}
	sum := sha256.Sum256([]byte(m.Files[0].Text))
	return hex.EncodeToString(sum[:])
}

// other reads the state of an otherTool.
type other struct {
	r *Runner
	otherTool
}

func (o *other) name() string { return o.title }

func (o *other) command(req Request) string {
	cmd := o.up
	switch req.Direction {
	case Down:
		cmd = o.down
	case Redo:
		if cmd = o.down; cmd != noDown {
			cmd += ", then " + o.up
		}
	}
	return strings.ReplaceAll(cmd, "DIR", dirOf(o.r.opts.Dirs))
}

func (o *other) read(ctx context.Context, conn *pgx.Conn, s *state, _ string) (err error) {
	name := o.table
	if o.r.opts.Table != "" {
		name = o.r.opts.Table
	}
	if s.table, err = s.inCurrentSchema(name); err != nil {
		return err
	}
	cols, kind, err := columns(ctx, conn, s.table)
	if err != nil || kind == "" {
		return err
	}
	for _, need := range o.needs {
		if !slices.ContainsFunc(cols, func(c column) bool { return c.name == need }) {
			return refusef("the table %s has no column %s: it is not the version table of %s in a layout that ddlsp knows", s.table, need, o.title)
		}
	}
	s.present = true
	rows, err := conn.Query(ctx, fmt.Sprintf(o.query, s.table.quoted()))
	if err != nil {
		return err
	}
	defer rows.Close()
	for n := 0; rows.Next(); n++ {
		var version string
		var at *time.Time
		var sum *string
		var ok bool
		if err := rows.Scan(&version, &at, &sum, &ok); err != nil {
			return err
		}
		r := row{Version: version, At: at}
		if o.byHash && sum != nil {
			r.Version = o.byChecksum(*sum, n, version)
		}
		if sum != nil && o.sum != nil {
			r.Edited = func(m *migration.Migration) *bool {
				changed := o.sum(m) != *sum
				return &changed
			}
		}
		if s.rows = append(s.rows, r); !ok {
			s.failed = append(s.failed, r.Version)
		}
	}
	return rows.Err()
}

// byChecksum is the version of the file with a checksum, or, where none has
// it, of the file that stands at the place of the row.
func (o *other) byChecksum(sum string, n int, id string) string {
	for _, m := range o.r.history {
		if o.sum(m) == sum {
			return m.Version
		}
	}
	if n < len(o.r.history) {
		return o.r.history[n].Version
	}
	return id
}

func (o *other) plan(_ *state, req Request) (*choice, error) {
	if cmd := o.command(req); cmd == noDown {
		return nil, refusef("ddlsp shows the status of %s migrations and does not run them, and %s", o.title, noDown)
	}
	return nil, refusef("ddlsp shows the status of %s migrations and does not run them. Nothing was changed. Run: %s", o.title, o.command(req))
}

func (o *other) run(context.Context, *execution) error {
	return refusef("ddlsp does not run %s migrations", o.title)
}
