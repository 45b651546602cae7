package runner

import (
	"bytes"
	"context"
	"crypto/sha512"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ddlsp/ddlsp/migration"
)

// sqlx runs migrations as Rust's sqlx does: each file as one query, its
// checksum kept beside its version.
type sqlx struct{ r *Runner }

func (q *sqlx) name() string { return "sqlx" }

func (q *sqlx) command(req Request) string {
	source := " --source " + dirOf(q.r.opts.Dirs)
	switch {
	case req.Direction == Redo:
		return "sqlx migrate revert" + source + ", then the same with run"
	case req.Direction == Down && req.All:
		return "sqlx migrate revert --target-version 0" + source
	case req.Direction == Down && req.ToExclusive != "":
		return "sqlx migrate revert --target-version " + req.ToExclusive + source
	case req.Direction == Down:
		return "sqlx migrate revert" + source
	case req.To != "":
		return "sqlx migrate run --target-version " + req.To + source
	}
	return "sqlx migrate run" + source
}

func (q *sqlx) tableName() string {
	if q.r.opts.Table != "" {
		return q.r.opts.Table
	}
	return "_sqlx_migrations"
}

func (q *sqlx) read(ctx context.Context, conn *pgx.Conn, s *state, _ string) (err error) {
	if s.table, err = s.inCurrentSchema(q.tableName()); err != nil {
		return err
	}
	if s.present, err = fingerprint(ctx, conn, s.table, q.name(), sqlxLayout); err != nil || !s.present {
		return err
	}
	rows, err := conn.Query(ctx, "SELECT version::text, installed_on, success, checksum FROM "+s.table.quoted()+" ORDER BY version")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var version string
		var at *time.Time
		var success bool
		var sum []byte
		if err := rows.Scan(&version, &at, &success, &sum); err != nil {
			return err
		}
		if !success {
			s.failed = append(s.failed, version)
		}
		s.rows = append(s.rows, row{Version: version, At: at, Edited: func(m *migration.Migration) *bool {
			changed := !bytes.Equal(sum, checksum(m))
			return &changed
		}})
	}
	return rows.Err()
}

// checksum is what sqlx keeps of a migration: a hash of the bytes of its up
// file.
func checksum(m *migration.Migration) []byte {
	f := m.File(m.Up.Path)
	if f == nil {
		return nil
	}
	sum := sha512.Sum384([]byte(f.Text))
	return sum[:]
}

func (q *sqlx) plan(s *state, req Request) (*choice, error) {
	if len(s.failed) > 0 {
		return nil, refusef("the version table %s has a migration that failed half way (success is false). Nothing was changed. Put the schema right, then set the row right or delete it", s.table)
	}
	for _, row := range s.rows {
		m := q.r.find(row.Version)
		if m == nil {
			return nil, refusef("version %s is applied and its file is missing. sqlx refuses to go on, and so does ddlsp. Nothing was changed. Bring the file back", row.Version)
		}
		if req.Direction == Up && *row.Edited(m) {
			return nil, refusef("%s was changed after it was applied: its checksum is another. sqlx refuses to go on, and so does ddlsp. Nothing was changed. Give the file back its former text (its line ends too), and write a new migration for the change", label(m))
		}
	}
	c := &choice{}
	if req.Direction != Up {
		down := req
		if req.Direction == Redo {
			down = Request{Direction: Down, Step: max(1, req.Step)}
		}
		for _, row := range slices.Backward(s.rows) {
			if down.stopsAt(row.Version, len(c.steps)) {
				break
			}
			c.steps = append(c.steps, Step{q.r.find(row.Version), migration.Down})
		}
		if req.Direction == Redo {
			return redo(c, nil)
		}
		return c, nil
	}
	var pending []*migration.Migration
	for _, m := range q.r.history {
		if m.Version != "" && !s.applied(m.Version) {
			pending = append(pending, m)
		}
	}
	c.steps = q.r.upSteps(req, pending)
	c.notes = q.r.late(s, c.steps)
	return c, nil
}

// late notes the steps that are older than what is applied, for the tools that
// run them all the same.
func (r *Runner) late(s *state, steps []Step) (notes []string) {
	newest := s.newest()
	for _, st := range steps {
		if newest != "" && s.compare(st.Migration.Version, newest) < 0 {
			notes = append(notes, fmt.Sprintf("%s is older than the newest applied version %s; %s runs it all the same", label(st.Migration), newest, r.tool.name()))
		}
	}
	return notes
}

// lockKey is the advisory lock of sqlx's library. Its command line takes none.
func (q *sqlx) lockKey(database string) int64 {
	return 0x3d32ad9e * int64(crc32.ChecksumIEEE([]byte(database)))
}

func (q *sqlx) run(ctx context.Context, x *execution) error {
	return x.inOrder(ctx, q.lockKey(x.plan.state.server.database), q.create, func(i int) error {
		start := time.Now()
		err := x.recorded(ctx, i, q.record)
		if st := x.plan.Steps[i]; err == nil && st.Direction == migration.Up {
			// sqlx writes it down afterwards; when that fails nothing is lost.
			bg, cancel := background(ctx)
			defer cancel()
			exec(bg, x.conn, "UPDATE "+q.tableName()+" SET execution_time = $1 WHERE version = $2", fmt.Sprint(time.Since(start).Nanoseconds()), bare(st.Migration.Version))
		}
		return err
	})
}

func (q *sqlx) create(ctx context.Context, conn *pgx.Conn) error {
	return exec(ctx, conn, "CREATE TABLE IF NOT EXISTS "+q.tableName()+` (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMPTZ NOT NULL DEFAULT now(),
    success BOOLEAN NOT NULL,
    checksum BYTEA NOT NULL,
    execution_time BIGINT NOT NULL
);`)
}

// record writes or deletes the version's row.
func (q *sqlx) record(ctx context.Context, conn *pgx.Conn, st Step) error {
	version := bare(st.Migration.Version)
	if st.Direction == migration.Down {
		return exec(ctx, conn, "DELETE FROM "+q.tableName()+" WHERE version = $1", version)
	}
	return exec(ctx, conn, "INSERT INTO "+q.tableName()+" (version, description, success, checksum, execution_time) VALUES ($1, $2, TRUE, $3, -1)",
		version, q.description(st.Migration), fmt.Sprintf(`\x%x`, checksum(st.Migration)))
}

// description is the file's name between version and suffix, in words.
func (q *sqlx) description(m *migration.Migration) string {
	_, name, _ := strings.Cut(filepath.Base(m.Up.Path), "_")
	for _, suffix := range []string{".up.sql", ".down.sql", ".sql"} {
		if rest, ok := strings.CutSuffix(name, suffix); ok {
			name = rest
			break
		}
	}
	return strings.ReplaceAll(name, "_", " ")
}

// inOrder is the run of the tools whose steps are alike: the lock, a second
// look at the state, the version table, the steps.
func (x *execution) inOrder(ctx context.Context, key int64, create func(context.Context, *pgx.Conn) error, step func(i int) error) error {
	unlock, err := x.advisory(ctx, x.conn, []int64{key})
	if err != nil {
		return err
	}
	defer unlock()
	s, err := x.read(ctx, x.conn, x.plan.state.server, "")
	if err != nil {
		return err
	}
	if err := x.recheck(s); err != nil {
		return err
	}
	if !s.present {
		if err := create(ctx, x.conn); err != nil {
			return failf("the version table %s could not be created: %w. Nothing was changed", s.table, plainError(err))
		}
	}
	for i := range x.plan.Steps {
		if x.result.Steps[i].Outcome == Skipped {
			continue
		}
		if err := step(i); err != nil {
			return err
		}
	}
	return nil
}
