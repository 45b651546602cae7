package runner

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ddlsp/ddlsp/migration"
)

// An otherTool is a tool whose state ddlsp shows and whose migrations it does
// not run.
type otherTool struct {
	title   string
	table   string
	layouts [][]column
	// query reads version and time.
	query string
	up    string
	down  string
}

var others = map[migration.Format]otherTool{
	migration.Sqlx: {title: "sqlx", table: "_sqlx_migrations", layouts: [][]column{sqlxLayout},
		query: `SELECT version::text, installed_on FROM %s WHERE success ORDER BY version`, up: "sqlx migrate run", down: "sqlx migrate revert"},
	migration.Diesel: {title: "diesel", table: "__diesel_schema_migrations", layouts: [][]column{dieselLayout},
		query: `SELECT version::text, run_on::timestamptz FROM %s ORDER BY version`, up: "diesel migration run", down: "diesel migration revert"},
}

// other reads the state of an otherTool.
type other struct {
	r *Runner
	otherTool
}

func (o *other) name() string { return o.title }

func (o *other) command(req Request) string {
	switch req.Direction {
	case Down:
		return o.down
	case Redo:
		return o.down + ", then " + o.up
	}
	return o.up
}

func (o *other) read(ctx context.Context, conn *pgx.Conn, s *state, _ string) (err error) {
	name := o.table
	if o.r.opts.Table != "" {
		name = o.r.opts.Table
	}
	if s.table, err = s.inCurrentSchema(name); err != nil {
		return err
	}
	if s.present, err = fingerprint(ctx, conn, s.table, o.title, o.layouts...); err != nil || !s.present {
		return err
	}
	rows, err := conn.Query(ctx, fmt.Sprintf(o.query, s.table.quoted()))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var version string
		var at *time.Time
		if err := rows.Scan(&version, &at); err != nil {
			return err
		}
		s.rows = append(s.rows, row{Version: version, At: at})
	}
	return rows.Err()
}

func (o *other) plan(_ *state, req Request) (*choice, error) {
	return nil, refusef("ddlsp shows the status of %s migrations and does not run them. Nothing was changed. Run: %s", o.title, o.command(req))
}

func (o *other) run(context.Context, *execution) error {
	return refusef("ddlsp does not run %s migrations", o.title)
}
