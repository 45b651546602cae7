package runner

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/ddlsp/ddlsp/migration"
)

// dbmate runs migrations as dbmate does: in the order of the file names, each
// version stored as the digits of its name.
type dbmate struct{ r *Runner }

// dbmateLock excludes other runs of ddlsp. dbmate itself takes no lock; its
// runs and ours are kept apart by the primary key of the version table.
const dbmateLock = 0x64626d617465 // "dbmate"

func (d *dbmate) name() string { return "dbmate" }

func (d *dbmate) command(req Request) string {
	cmd := "dbmate "
	if len(d.r.opts.Dirs) > 0 {
		cmd += "-d " + dirOf(d.r.opts.Dirs) + " "
	}
	switch req.Direction {
	case Down:
		return cmd + "rollback"
	case Redo:
		return cmd + "rollback, then the same with migrate"
	}
	return cmd + "migrate"
}

// tableIn is the version table while the session's current schema is schema.
func (d *dbmate) tableIn(schema string) table {
	name := d.r.opts.Table
	if name == "" {
		name = "schema_migrations"
	}
	if first, rest, ok := strings.Cut(name, "."); ok {
		return table{first, rest}
	}
	// dbmate takes the schema from the search_path of the address and falls
	// back to the session's, which a migration may have changed.
	if a := d.r.target.addr; a != nil {
		if path, _, _ := strings.Cut(a.params["search_path"], ","); strings.TrimSpace(path) != "" {
			schema = strings.TrimSpace(path)
		}
	}
	if schema == "" {
		schema = "public"
	}
	return table{schema, name}
}

func (d *dbmate) read(ctx context.Context, conn *pgx.Conn, s *state, _ string) (err error) {
	s.table = d.tableIn(s.server.schema)
	if s.present, err = fingerprint(ctx, conn, s.table, d.name(), dbmateLayout); err != nil || !s.present {
		return err
	}
	rows, err := conn.Query(ctx, "SELECT version::text FROM "+s.table.quoted()+` ORDER BY version COLLATE "C"`)
	if err != nil {
		return err
	}
	versions, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, v := range versions {
		s.rows = append(s.rows, row{Version: v})
	}
	return err
}

func (d *dbmate) plan(s *state, req Request) (*choice, error) {
	switch req.Direction {
	case Down:
		return d.planDown(s, req)
	case Redo:
		return redo(d.planDown(s, Request{Direction: Down, Step: max(1, req.Step)}))
	}
	c := &choice{}
	until := len(d.r.history)
	if v := req.To + req.ToExclusive; v != "" {
		until = d.index(v)
		if until < 0 {
			return nil, refusef("there is no file for version %s", v)
		}
		if req.To != "" {
			until++
		}
	}
	last := d.lastApplied(s)
	var late []string
	for i, m := range d.r.history[:until] {
		if m.Version == "" || s.applied(m.Version) || req.Step > 0 && len(c.steps) == req.Step {
			continue
		}
		if i < last {
			late = append(late, label(m))
		}
		c.steps = append(c.steps, Step{m, migration.Up})
	}
	if len(late) > 0 {
		if d.r.opts.Strict {
			return nil, refusef("%s stands before %s, which is applied. dbmate refuses that in its strict mode, and so does ddlsp. Nothing was changed. Give it a newer version",
				strings.Join(late, ", "), label(d.r.history[last]))
		}
		c.notes = append(c.notes, fmt.Sprintf("%s stands before %s, which is applied: dbmate applies it all the same, and so does this run", strings.Join(late, ", "), label(d.r.history[last])))
	}
	return c, nil
}

// index is the place of a version in the history, -1 when it has no file.
func (d *dbmate) index(version string) int {
	m := d.r.find(version)
	return slices.Index(d.r.history, m)
}

// lastApplied is the place of the last applied migration, -1 for none.
func (d *dbmate) lastApplied(s *state) int {
	for i, m := range slices.Backward(d.r.history) {
		if m.Version != "" && s.applied(m.Version) {
			return i
		}
	}
	return -1
}

func (d *dbmate) planDown(s *state, req Request) (*choice, error) {
	c := &choice{}
	stop := -1 // what stands here and before it stays
	if v := req.To + req.ToExclusive; v != "" {
		if stop = d.index(v); stop < 0 {
			return nil, refusef("version %s has no file, so its place in the order is not known. Nothing was changed. Bring the file back", v)
		}
		if req.To != "" {
			stop--
		}
	}
	steps := max(1, req.Step)
	if req.All || req.To != "" || req.ToExclusive != "" {
		steps = len(d.r.history)
	}
	for i, m := range slices.Backward(d.r.history) {
		if i <= stop || len(c.steps) == steps {
			break
		}
		if m.Version != "" && s.applied(m.Version) {
			c.steps = append(c.steps, Step{m, migration.Down})
		}
	}
	// dbmate passes over versions without a file and would undo an older
	// migration under a newer one.
	for _, row := range s.rows {
		if d.r.find(row.Version) == nil && (len(c.steps) == 0 || row.Version > c.steps[len(c.steps)-1].Migration.Version) {
			return nil, refusef("version %s is applied and its file is missing, so it cannot be rolled back. Nothing was changed. Bring the file back", row.Version)
		}
	}
	return c, nil
}

func (d *dbmate) run(ctx context.Context, x *execution) error {
	unlock, err := x.advisory(ctx, x.conn, []int64{dbmateLock})
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
		if err := d.create(ctx, x.conn, s.table); err != nil {
			return failf("the version table %s could not be created: %w. Nothing was changed", s.table, plainError(err))
		}
	}
	for i := range x.plan.Steps {
		if x.result.Steps[i].Outcome == Skipped {
			continue
		}
		if err := x.recorded(ctx, i, d.record); err != nil {
			return err
		}
	}
	return nil
}

// create makes the version table, and its schema where only the address names
// it.
func (d *dbmate) create(ctx context.Context, conn *pgx.Conn, t table) error {
	sql := "create table if not exists " + t.quoted() + " (version varchar primary key)"
	err := exec(ctx, conn, sql)
	if pe := pgError(err); pe == nil || pe.Code != "3F000" {
		return err
	}
	if err := exec(ctx, conn, "create schema if not exists "+pgx.Identifier{t.Schema}.Sanitize()); err != nil {
		return err
	}
	return exec(ctx, conn, sql)
}

// record writes or deletes the version's row, in the schema that is current
// then, as dbmate does.
func (d *dbmate) record(ctx context.Context, conn *pgx.Conn, st Step) error {
	var schema *string
	if err := conn.QueryRow(ctx, "select current_schema()").Scan(&schema); err != nil {
		return err
	}
	if schema == nil {
		schema = new(string)
	}
	t := d.tableIn(*schema).quoted()
	if st.Direction == migration.Up {
		return exec(ctx, conn, "insert into "+t+" (version) values ($1)", st.Migration.Version)
	}
	return exec(ctx, conn, "delete from "+t+" where version = $1", st.Migration.Version)
}
