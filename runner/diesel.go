package runner

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ddlsp/ddlsp/migration"
)

// diesel runs migrations as Rust's diesel does: each file as one query,
// versions kept and ordered as text.
type diesel struct{ r *Runner }

// dieselLock excludes other runs of ddlsp; diesel itself takes no lock.
const dieselLock = 0x64696573656c // "diesel"

func (d *diesel) name() string { return "diesel" }

func (d *diesel) command(req Request) string {
	dir := " --migration-dir " + dirOf(d.r.opts.Dirs)
	switch {
	case req.Direction == Redo && req.Step > 1:
		return fmt.Sprintf("diesel migration redo -n %d%s", req.Step, dir)
	case req.Direction == Redo:
		return "diesel migration redo" + dir
	case req.Direction == Down && req.All:
		return "diesel migration revert -a" + dir
	case req.Direction == Down && req.Step > 1:
		return fmt.Sprintf("diesel migration revert -n %d%s", req.Step, dir)
	case req.Direction == Down:
		return "diesel migration revert" + dir
	}
	return "diesel migration run" + dir
}

const dieselTable = "__diesel_schema_migrations"

func (d *diesel) read(ctx context.Context, conn *pgx.Conn, s *state, _ string) (err error) {
	if s.table, err = s.inCurrentSchema(dieselTable); err != nil {
		return err
	}
	if s.present, err = fingerprint(ctx, conn, s.table, d.name(), dieselLayout); err != nil || !s.present {
		return err
	}
	rows, err := conn.Query(ctx, "SELECT version::text, run_on::timestamptz FROM "+s.table.quoted()+` ORDER BY version COLLATE "C"`)
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

func (d *diesel) plan(s *state, req Request) (*choice, error) {
	c := &choice{}
	if req.Direction != Up {
		down := req
		if req.Direction == Redo {
			down = Request{Direction: Down, Step: max(1, req.Step)}
		}
		for _, row := range slices.Backward(s.rows) {
			if down.stops(s.compare, row.Version, len(c.steps)) {
				break
			}
			m := d.r.find(row.Version)
			if m == nil {
				return nil, refusef("version %s is applied and its files are missing, so it cannot be rolled back. Nothing was changed. Bring the files back", row.Version)
			}
			c.steps = append(c.steps, Step{m, migration.Down})
		}
		if req.Direction == Redo {
			return redo(c, nil)
		}
		return c, nil
	}
	var pending []*migration.Migration
	for _, m := range d.r.history {
		if m.Version != "" && !s.applied(m.Version) {
			pending = append(pending, m)
		}
	}
	c.steps = d.r.upSteps(req, pending)
	c.notes = d.r.late(s, c.steps)
	return c, nil
}

func (d *diesel) run(ctx context.Context, x *execution) error {
	create := func(ctx context.Context, conn *pgx.Conn) error {
		return exec(ctx, conn, "CREATE TABLE IF NOT EXISTS "+dieselTable+` (
    version VARCHAR(50) PRIMARY KEY NOT NULL,
    run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);`)
	}
	return x.inOrder(ctx, dieselLock, create, func(i int) error { return x.recorded(ctx, i, d.record) })
}

// record writes or deletes the version's row.
func (d *diesel) record(ctx context.Context, conn *pgx.Conn, st Step) error {
	if st.Direction == migration.Down {
		return exec(ctx, conn, `DELETE FROM "`+dieselTable+`" WHERE ("`+dieselTable+`"."version" = $1)`, st.Migration.Version)
	}
	return exec(ctx, conn, `INSERT INTO "`+dieselTable+`" ("version") VALUES ($1)`, st.Migration.Version)
}
