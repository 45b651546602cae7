package runner

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ddlsp/ddlsp/migration"
)

// ecto runs migrations as Ecto's migrator does: a lock connection and a
// migration connection, the extended protocol, the version row in the
// migration's transaction.
type ecto struct{ r *Runner }

func (e *ecto) name() string { return "Ecto" }

func (e *ecto) command(req Request) string {
	cmd := "mix ecto.migrate"
	if req.Direction != Up {
		cmd = "mix ecto.rollback"
	}
	if r := e.r.opts.Ecto.Repo; r != "" && !strings.Contains(r, " ") {
		cmd += " -r " + r
	}
	switch {
	case req.All && req.Direction == Down:
		cmd += " --all"
	case req.To != "":
		cmd += " --to " + req.To
	case req.ToExclusive != "":
		cmd += " --to-exclusive " + req.ToExclusive
	case req.Step > 0:
		cmd += fmt.Sprintf(" --step %d", req.Step)
	}
	if req.Prefix != "" {
		cmd += " --prefix " + req.Prefix
	}
	if req.Direction == Redo {
		cmd += ", then mix ecto.migrate --step 1"
	}
	return cmd
}

// source is the version table's name.
func (e *ecto) source() string {
	if e.r.opts.Ecto.Source != "" {
		return e.r.opts.Ecto.Source
	}
	return "schema_migrations"
}

// alias is the name that Ecto's queries give the version table: its first
// letter and a number.
func (e *ecto) alias() string {
	c := e.source()[0] | 0x20
	if c < 'a' || c > 'z' {
		c = 't'
	}
	return string(c) + "0"
}

// relation is the version table as it stands in the SQL: qualified with the
// request's prefix, but not with the repo's migration_default_prefix.
func (e *ecto) relation(req Request) string {
	if p := req.Prefix; p != "" {
		return quote(p) + "." + quote(e.source())
	}
	return quote(e.source())
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

func (e *ecto) read(ctx context.Context, conn *pgx.Conn, s *state, prefix string) (err error) {
	if prefix != "" {
		s.table = table{prefix, e.source()}
		var exists bool
		if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1)", prefix).Scan(&exists); err != nil {
			return err
		}
		if !exists {
			return refusef("the schema %q (the prefix) does not exist in %s: create it first", prefix, s.server.database)
		}
	} else {
		if s.server.schema == "" {
			return refusef("the search_path of %s leads to no schema that exists: there is no place for the version table", s.server.database)
		}
		s.table = table{s.server.schema, e.source()}
	}
	if s.present, err = fingerprint(ctx, conn, s.table, e.name(), ectoLayout); err != nil || !s.present {
		return err
	}
	rows, err := conn.Query(ctx, "SELECT version::text, inserted_at::timestamp FROM "+s.table.quoted()+" ORDER BY version")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.Version, &r.At); err != nil {
			return err
		}
		s.rows = append(s.rows, r)
	}
	return rows.Err()
}

func (e *ecto) plan(s *state, req Request) (*choice, error) {
	if u := e.r.opts.Ecto.Unknown; len(u) > 0 && e.r.handOver == nil {
		why := fmt.Sprintf("the configuration of %s sets %s, which ddlsp cannot follow", e.r.opts.Ecto.Repo, strings.Join(u, ", "))
		return nil, &Error{Refused: true, tool: why,
			Err: fmt.Errorf("%s: it would not run the migrations as Ecto does. Nothing was changed. Run them with: %s", why, e.command(req))}
	}
	if e.r.handOver == nil && e.r.opts.Ecto.Lock == AdvisoryLock && e.r.opts.Ecto.Repo == "" {
		return nil, refusef("the repo's module is not known, and its advisory lock is named by it: run the migrations with %s", e.command(req))
	}
	switch req.Direction {
	case Down:
		return e.planDown(s, req), nil
	case Redo:
		return redo(e.planDown(s, Request{Direction: Down, Step: max(1, req.Step)}), nil)
	}
	var pending []*migration.Migration
	c := &choice{}
	newest := s.newest()
	for _, m := range e.r.history {
		if m.Version == "" || s.applied(m.Version) {
			continue
		}
		pending = append(pending, m)
	}
	c.steps = e.r.upSteps(req, pending)
	for _, st := range c.steps {
		if newest != "" && compareVersions(st.Migration.Version, newest) < 0 {
			c.notes = append(c.notes, fmt.Sprintf("%s is older than the newest applied version %s; Ecto runs it all the same", label(st.Migration), newest))
		}
	}
	return c, e.duplicates(c.steps)
}

// duplicates refuses what Ecto refuses: two pending migrations of one version
// or of one name.
func (e *ecto) duplicates(steps []Step) error {
	versions, names := map[string]bool{}, map[string]bool{}
	for _, s := range steps {
		if v := bare(s.Migration.Version); versions[v] {
			return refusef("the migration version %s is there twice, and Ecto runs neither. Nothing was changed", v)
		} else {
			versions[v] = true
		}
		if n := s.Migration.Name; names[n] {
			return refusef("the migration name %s is there twice, and Ecto runs neither. Nothing was changed", n)
		} else {
			names[n] = true
		}
	}
	return nil
}

func (e *ecto) planDown(s *state, req Request) *choice {
	c := &choice{}
	for _, m := range slices.Backward(e.r.history) {
		if m.Version == "" || !s.applied(m.Version) {
			continue
		}
		if req.stopsAt(m.Version, len(c.steps)) {
			break
		}
		c.steps = append(c.steps, Step{m, migration.Down})
	}
	for _, r := range s.rows {
		if e.r.find(r.Version) == nil && len(c.steps) > 0 && compareVersions(r.Version, c.steps[len(c.steps)-1].Migration.Version) > 0 {
			c.notes = append(c.notes, fmt.Sprintf("version %s is applied and has no file: Ecto passes over it", r.Version))
		}
	}
	return c
}

func (e *ecto) run(ctx context.Context, x *execution) error {
	if e.r.handOver != nil {
		return x.runByMix(ctx)
	}
	lock, err := e.r.target.connect(ctx, nil)
	if err != nil {
		return err
	}
	defer closeConn(lock)
	rel := e.relation(x.plan.Request)
	if err := e.ensureTable(ctx, lock, rel); err != nil {
		return failf("the version table %s could not be created: %w. Nothing was changed", rel, plainError(err))
	}
	// What to run is decided under the lock.
	versions, unlock, err := e.acquire(ctx, x, lock, true)
	if err != nil {
		return err
	}
	unlock()
	if err := e.unchanged(x, versions); err != nil {
		return err
	}
	for i := range x.plan.Steps {
		if err := e.step(ctx, x, lock, i); err != nil {
			return err
		}
	}
	return nil
}

// ensureTable makes the version table. IF NOT EXISTS does not help two sessions
// that make it at the same moment: the slower one is told of a duplicate.
func (e *ecto) ensureTable(ctx context.Context, lock *pgx.Conn, rel string) error {
	create := "CREATE TABLE IF NOT EXISTS " + rel + ` ("version" bigint, "inserted_at" timestamp(0), PRIMARY KEY ("version"))`
	err := exec(ctx, lock, create)
	// A unique violation in the catalog, a duplicate table, or a duplicate
	// object (its row type): it depends on how far the faster one had come.
	if pe := pgError(err); pe != nil && (pe.Code == "23505" || pe.Code == "42P07" || pe.Code == "42710") {
		err = exec(ctx, lock, create)
	}
	return err
}

// unchanged makes sure that the plan still covers what there is to do: others
// may have run some of it, but not more or something else.
func (e *ecto) unchanged(x *execution, versions []string) error {
	s := *x.plan.state
	s.rows = nil
	for _, v := range versions {
		s.rows = append(s.rows, row{Version: v})
	}
	slices.SortFunc(s.rows, func(a, b row) int { return compareVersions(a.Version, b.Version) })
	return x.recheck(&s)
}

// acquire takes the migration lock by the repo's strategy and reads the
// versions. locked is false for a migration with
// @disable_migration_lock.
func (e *ecto) acquire(ctx context.Context, x *execution, lock *pgx.Conn, locked bool) (versions []string, unlock func(), err error) {
	rel := e.relation(x.plan.Request)
	unlock = func() {}
	if locked {
		switch e.r.opts.Ecto.Lock {
		case AdvisoryLock:
			if unlock, err = x.advisory(ctx, lock, []int64{ectoAdvisoryKey(x.plan.Request.Prefix, e.r.opts.Ecto.Repo)}); err != nil {
				return nil, nil, err
			}
		case NoLock:
		default:
			if unlock, err = e.lockTable(ctx, x, lock, rel); err != nil {
				return nil, nil, err
			}
		}
	}
	if !locked {
		if unlock, err = x.among(ctx, lock, ectoAlone(x.plan.Request.Prefix)); err != nil {
			return nil, nil, err
		}
	}
	versions, err = e.versions(ctx, lock, rel)
	if err != nil {
		unlock()
		return nil, nil, failf("the versions in %s could not be read: %w", rel, plainError(err))
	}
	return versions, unlock, nil
}

// ectoAlone is the key of ddlsp's own lock around a migration that runs without
// Ecto's.
func ectoAlone(prefix string) int64 {
	return 0x6464_6c73_0000_0000 | int64(crc32.ChecksumIEEE([]byte(prefix)))
}

func (e *ecto) versions(ctx context.Context, conn *pgx.Conn, rel string) ([]string, error) {
	// By the simple protocol, whose portal is gone with the answer: one that
	// stays open keeps a snapshot, and a concurrent index build would wait for
	// it until the end of this transaction, that is, for itself.
	results, err := conn.PgConn().Exec(ctx, fmt.Sprintf(`SELECT %[2]s."version" FROM %[1]s AS %[2]s`, rel, e.alias())).ReadAll()
	if err != nil {
		return nil, err
	}
	var out []string
	for _, r := range results {
		for _, row := range r.Rows {
			out = append(out, string(row[0]))
		}
	}
	return out, nil
}

// lockTable opens the transaction of Ecto's default lock. Waiting for it holds
// no snapshot, so it may wait in the server.
func (e *ecto) lockTable(ctx context.Context, x *execution, lock *pgx.Conn, rel string) (unlock func(), err error) {
	if err := exec(ctx, lock, "begin"); err != nil {
		return nil, x.lockError(ctx, err)
	}
	unlock = func() {
		ctx, cancel := background(ctx)
		defer cancel()
		if !lock.IsClosed() {
			exec(ctx, lock, "commit")
		}
	}
	wait, cancel := context.WithTimeout(ctx, x.opts.LockWait)
	defer cancel()
	told := make(chan struct{})
	timer := time.AfterFunc(500*time.Millisecond, func() {
		defer close(told)
		x.events(Event{Kind: "waiting", Message: "for the migration lock, held by " + e.holder(wait, x, rel)})
	})
	err = exec(wait, lock, "LOCK TABLE "+rel+" IN SHARE UPDATE EXCLUSIVE MODE")
	if !timer.Stop() {
		<-told // events come one at a time
	}
	if err != nil {
		x.rollback(ctx, lock)
		if wait.Err() != nil && ctx.Err() == nil {
			return nil, failf("%w: %s is locked by %s. Nothing more was changed. Wait for it to finish, or see what it does", ErrLocked, rel, e.holder(ctx, x, rel))
		}
		return nil, x.lockError(ctx, err)
	}
	return unlock, nil
}

// holder describes who holds the lock on the version table.
func (e *ecto) holder(ctx context.Context, x *execution, rel string) string {
	var pid int
	var app, state string
	err := x.conn.QueryRow(ctx, `SELECT a.pid, coalesce(nullif(a.application_name, ''), 'a program without a name'), coalesce(a.state, '?')
FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.relation = to_regclass($1) AND l.granted AND l.mode = 'ShareUpdateExclusiveLock' LIMIT 1`, rel).Scan(&pid, &app, &state)
	if err != nil {
		return "another session"
	}
	return fmt.Sprintf("process %d of the server (%s, %s)", pid, app, state)
}

// locks reports whether the migration runs under the migration lock.
func (e *ecto) locks(m *migration.Migration) bool {
	switch e.r.opts.Ecto.Lock {
	case NoLock:
		return false
	case AdvisoryLock:
		return !m.NoLock
	}
	return m.TableLock
}

func (e *ecto) step(ctx context.Context, x *execution, lock *pgx.Conn, i int) error {
	st := x.plan.Steps[i]
	if err := x.stopped(ctx, i); err != nil {
		return err
	}
	done, start := x.begin(i)
	versions, unlock, err := e.acquire(ctx, x, lock, e.locks(st.Migration))
	if err != nil {
		x.end(done, start, Failed)
		return err
	}
	defer unlock()
	// Somebody may have run it between the decision and now.
	there := slices.ContainsFunc(versions, func(v string) bool { return sameVersion(v, st.Migration.Version) })
	if there == (st.Direction == migration.Up) {
		x.end(done, start, Skipped)
		return nil
	}
	before := x.sweep(ctx, st)
	if st.Body().Tx == migration.Explicit {
		err = x.lockTimeout(ctx, st, func() error { return e.inTransaction(ctx, x, st) })
	} else {
		err = x.body(ctx, st, x.extended)
		if err == nil {
			ctx, cancel := background(ctx)
			defer cancel()
			err = e.record(ctx, x, st)
		}
	}
	if err == nil {
		x.end(done, start, st.outcome())
		return nil
	}
	x.end(done, start, Failed)
	var f *Failure
	if errors.As(err, &f) {
		x.remains(f, "The version table is as it was before it."+x.leftInvalid(ctx, before))
	}
	return err
}

func (e *ecto) inTransaction(ctx context.Context, x *execution, st Step) error {
	units := len(st.Body().Units)
	if err := exec(ctx, x.conn, "begin"); err != nil {
		return x.failure(st, units, 0, err)
	}
	err := x.body(ctx, st, x.extended)
	if err == nil {
		err = e.record(ctx, x, st)
	}
	if err != nil {
		x.rollback(ctx, x.conn)
		return err
	}
	if err := exec(ctx, x.conn, "commit"); err != nil {
		x.rollback(ctx, x.conn)
		return x.failure(st, units, 0, err)
	}
	return nil
}

// record writes or deletes the version's row.
func (e *ecto) record(ctx context.Context, x *execution, st Step) error {
	rel, version := e.relation(x.plan.Request), bare(st.Migration.Version)
	if _, err := strconv.ParseInt(version, 10, 64); err != nil {
		return x.failure(st, len(st.Body().Units), 0, fmt.Errorf("the version %s does not fit into the version table", version))
	}
	var err error
	if st.Direction == migration.Up {
		err = exec(ctx, x.conn, "INSERT INTO "+rel+` ("version","inserted_at") VALUES ($1,$2)`, version, time.Now().UTC().Format("2006-01-02 15:04:05"))
	} else {
		err = exec(ctx, x.conn, fmt.Sprintf(`DELETE FROM %[1]s AS %[2]s WHERE (%[2]s."version" = $1::bigint)`, rel, e.alias()), version)
	}
	if err != nil {
		return x.failure(st, len(st.Body().Units), 0, fmt.Errorf("the version table was not written: %w", err))
	}
	return nil
}
