package runner

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/migration"
)

// golangMigrate runs migrations as golang-migrate's command line does.
type golangMigrate struct{ r *Runner }

func (g *golangMigrate) name() string { return "golang-migrate" }

func (g *golangMigrate) command(req Request) string {
	cmd := "migrate -path " + dirOf(g.r.opts.Dirs) + " -database \"$DATABASE_URL\" "
	switch {
	case req.Direction == Down && req.All:
		return cmd + "down -all"
	case req.Direction == Down && req.ToExclusive != "":
		return cmd + "goto " + req.ToExclusive
	case req.Direction == Down:
		return cmd + fmt.Sprintf("down %d", max(1, req.Step))
	case req.Direction == Redo:
		return cmd + "down 1, then the same with up 1"
	case req.To != "":
		return cmd + "goto " + req.To
	case req.Step > 0:
		return cmd + fmt.Sprintf("up %d", req.Step)
	}
	return cmd + "up"
}

var quotedPart = regex.MustCompile(`"(.*?)"`)

// versionTable resolves the table as golang-migrate does.
func (g *golangMigrate) versionTable(s *state) (table, error) {
	if s.server.schema == "" {
		return table{}, refusef("the search_path of %s leads to no schema that exists: there is no place for the version table", s.server.database)
	}
	name := g.r.opts.Table
	if name == "" {
		name = "schema_migrations"
	}
	if a := g.r.target.addr; a != nil && a.quotedTable && name == a.table {
		parts := quotedPart.FindAllStringSubmatch(name, -1)
		switch len(parts) {
		case 1:
			return table{s.server.schema, parts[0][1]}, nil
		case 2:
			return table{parts[0][1], parts[1][1]}, nil
		}
		return table{}, refusef("x-migrations-table=%s is not one or two quoted names", name)
	}
	return table{s.server.schema, name}, nil
}

func (g *golangMigrate) read(ctx context.Context, conn *pgx.Conn, s *state, _ string) (err error) {
	if s.table, err = g.versionTable(s); err != nil {
		return err
	}
	if s.present, err = fingerprint(ctx, conn, s.table, g.name(), gmLayout); err != nil || !s.present {
		return err
	}
	var version string
	err = conn.QueryRow(ctx, "SELECT version::text, dirty FROM "+s.table.quoted()+" LIMIT 1").Scan(&version, &s.dirty)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	// The table holds one version; all files up to it count as applied.
	found := version == "-1"
	for _, m := range g.r.history {
		if m.Version == "" || compareVersions(m.Version, version) > 0 || version == "-1" {
			continue
		}
		found = found || sameVersion(m.Version, version)
		s.rows = append(s.rows, row{Version: m.Version})
	}
	if !found {
		s.rows = append(s.rows, row{Version: version})
	}
	return nil
}

func (g *golangMigrate) plan(s *state, req Request) (*choice, error) {
	current := s.newest()
	if s.dirty {
		return nil, g.dirty(context.Background(), nil, s)
	}
	if current != "" && g.r.find(current) == nil {
		return nil, refusef("the database is at version %s, and there is no file for it. Nothing was changed. Bring the file back", current)
	}
	switch req.Direction {
	case Down:
		return g.planDown(s, req), nil
	case Redo:
		return redo(g.planDown(s, Request{Direction: Down, Step: max(1, req.Step)}), nil)
	}
	var pending []*migration.Migration
	for _, m := range g.r.history {
		if m.Version != "" && (current == "" || compareVersions(m.Version, current) > 0) {
			pending = append(pending, m)
		}
	}
	return &choice{steps: g.r.upSteps(req, pending)}, nil
}

func (g *golangMigrate) planDown(s *state, req Request) *choice {
	c := &choice{}
	for _, row := range slices.Backward(s.rows) {
		if req.stopsAt(row.Version, len(c.steps)) {
			break
		}
		c.steps = append(c.steps, Step{g.r.find(row.Version), migration.Down})
	}
	return c
}

// lockKeys are the advisory locks of the command line, which hashes the path
// of the URL with its slash, and of the library, which hashes the name.
func (g *golangMigrate) lockKeys(s *state) []int64 {
	key := func(database string) int64 {
		sum := crc32.ChecksumIEEE([]byte(strings.Join([]string{s.table.Schema, s.table.Name, database}, "\x00")))
		return int64(sum * 1486364155)
	}
	return []int64{key("/" + s.server.database), key(s.server.database)}
}

// settled reads the state again once nobody holds golang-migrate's lock: the
// version table is dirty also while another run is in the middle of a file,
// and that is no failure.
func (r *Runner) settled(ctx context.Context, conn *pgx.Conn, s *state, prefix string) (*state, error) {
	g, ok := r.tool.(*golangMigrate)
	if !ok {
		return s, nil
	}
	deadline := time.Now().Add(r.opts.LockWait)
	for {
		busy := int64(0)
		for _, key := range g.lockKeys(s) {
			var held bool
			err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_catalog.pg_locks
WHERE locktype = 'advisory' AND granted AND classid = $1 AND objid = $2 AND objsubid = 1
 AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))`,
				uint32(uint64(key)>>32), uint32(uint64(key))).Scan(&held)
			if err != nil {
				return nil, plainError(err)
			}
			if held {
				busy = key
			}
		}
		if busy == 0 {
			return r.read(ctx, conn, s.server, prefix)
		}
		if time.Now().After(deadline) {
			return nil, stillLocked(holder(ctx, conn, busy))
		}
		select {
		case <-ctx.Done():
			return nil, failf("waiting for another run to end was cancelled. Nothing was changed")
		case <-time.After(150 * time.Millisecond):
		}
	}
}

func (g *golangMigrate) run(ctx context.Context, x *execution) error {
	unlock, err := x.advisory(ctx, x.conn, g.lockKeys(x.plan.state))
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
		if err := exec(ctx, x.conn, "CREATE TABLE IF NOT EXISTS "+s.table.quoted()+" (version bigint not null primary key, dirty boolean not null)"); err != nil {
			return failf("the version table %s could not be created: %w. Nothing was changed", s.table, plainError(err))
		}
	}
	for i := range x.plan.Steps {
		if x.result.Steps[i].Outcome == Skipped {
			continue
		}
		if err := g.step(ctx, x, s.table, i); err != nil {
			return err
		}
	}
	return nil
}

// target is the version that a step leads to: its own, or for down the one of
// the file before it, -1 for none.
func (g *golangMigrate) target(st Step) string {
	if st.Direction == migration.Up {
		return bare(st.Migration.Version)
	}
	previous := "-1"
	for _, m := range g.r.history {
		if m == st.Migration {
			break
		}
		if m.Version != "" {
			previous = bare(m.Version)
		}
	}
	return previous
}

func (g *golangMigrate) step(ctx context.Context, x *execution, t table, i int) error {
	if err := x.stopped(ctx, i); err != nil {
		return err
	}
	done, start := x.begin(i)
	st := done.Step
	version := g.target(st)
	before := x.sweep(ctx, st)
	if err := g.set(ctx, x, t, version, true); err != nil {
		x.end(done, start, Failed)
		f := x.failure(st, len(st.Body().Units), 0, fmt.Errorf("the version table was not written: %w", err))
		x.remains(f, "")
		return f
	}
	err := x.lockTimeout(ctx, st, func() error { return x.body(ctx, st, g.sender(x)) })
	if err == nil {
		ctx, cancel := background(ctx)
		defer cancel()
		if serr := g.set(ctx, x, t, version, false); serr != nil {
			err = x.failure(st, len(st.Body().Units), 0, fmt.Errorf("the migration ran, but the version table was not written: %w", serr))
		}
	}
	if err == nil {
		x.end(done, start, st.outcome())
		return nil
	}
	x.end(done, start, Failed)
	var f *Failure
	if errors.As(err, &f) {
		from := st.Migration.Version
		if st.Direction == migration.Up {
			from = g.target(Step{st.Migration, migration.Down})
		}
		x.remains(f, fmt.Sprintf("The version table says %s, dirty, as golang-migrate leaves it; nothing runs until that is put right.%s When the schema is what it was before, say so with: migrate -path %s -database \"$DATABASE_URL\" force %s.",
			version, x.leftInvalid(ctx, before), dirOf(g.r.opts.Dirs), from))
	}
	return err
}

// sender sends a file as one simple query; golang-migrate does not send one of
// white space only.
func (g *golangMigrate) sender(x *execution) sender {
	return func(ctx context.Context, u *migration.Unit) (int, error) {
		if strings.TrimSpace(u.SQL) == "" {
			return 0, nil
		}
		return x.simple(ctx, u)
	}
}

// set writes the one row of the version table.
func (g *golangMigrate) set(ctx context.Context, x *execution, t table, version string, dirty bool) error {
	err := exec(ctx, x.conn, "BEGIN")
	if err == nil {
		err = exec(ctx, x.conn, "TRUNCATE "+t.quoted())
	}
	if err == nil && (version != "-1" || dirty) {
		err = exec(ctx, x.conn, "INSERT INTO "+t.quoted()+" (version, dirty) VALUES ($1, $2)", version, fmt.Sprint(dirty))
	}
	if err == nil {
		err = exec(ctx, x.conn, "COMMIT")
	}
	if err != nil {
		x.rollback(ctx, x.conn)
	}
	return err
}
