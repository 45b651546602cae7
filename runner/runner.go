package runner

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// Options are what a Runner must know besides the target and the history.
type Options struct {
	Format migration.Format
	// Dirs are the migration directories, for the commands shown to people.
	Dirs []string
	// Table is the name of the version table where it is not the tool's
	// default.
	Table string
	// Strict is dbmate's strict mode: no migration before an applied one.
	Strict bool
	// LockWait limits the wait for the migration lock; 0 means 15 seconds.
	LockWait time.Duration
	// Ecto is the repo; nil for other formats.
	Ecto *Ecto
	// Dump is the file that the project keeps its schema in, "" for none, and
	// DumpCommand what writes it.
	Dump, DumpCommand string
	// LogDir is where the log of runs is kept, "" for none; Root is the
	// project's directory, by which the log is found.
	LogDir, Root string
	// Baseline is the schema before the first migration, for the locks in
	// plans; nil for none.
	Baseline *schema.Catalog
	// Events gets what is told while a plan is made; nil for nobody.
	Events func(Event)
}

func (o *Options) event(e Event) {
	if o.Events != nil {
		o.Events(e)
	}
}

// Ecto is what the runner must know of an Ecto repo.
type Ecto struct {
	// Repo is the module, such as "Shop.Repo".
	Repo string
	// Lock is the repo's migration_lock.
	Lock EctoLock
	// Source is migration_source, "" for schema_migrations.
	Source string
	// MaxTries limits the tries for the advisory lock (0: no limit of its own),
	// RetryMillis is the time between them; ddlsp asks more often and gives up
	// after the same time at the latest.
	MaxTries, RetryMillis int
	// Unknown are settings of the repo's configuration that change how
	// migrations run and that ddlsp does not understand.
	Unknown []string
	// Runner is RunAuto, RunNative or RunMix; "" means RunNative. Mix runs in
	// Dir, the directory of the repo's mix.exs; Dirs are its migration
	// directories. All are absolute.
	Runner, Dir string
	Dirs        []string
}

// EctoLock is a strategy of migration_lock.
type EctoLock string

const (
	TableLock    EctoLock = "table"
	AdvisoryLock EctoLock = "advisory"
	NoLock       EctoLock = "none"
)

// A Request says what to do.
type Request struct {
	Direction Direction
	// To is a version (inclusive in both directions), ToExclusive one that is
	// left as it is.
	To, ToExclusive string
	// Step is a number of migrations; 0 means all when migrating and one when
	// rolling back.
	Step   int
	All    bool
	Prefix string
}

// A Direction is what a request does: up, down, or down and up again.
type Direction string

const (
	Up   Direction = "up"
	Down Direction = "down"
	Redo Direction = "redo"
)

// A Runner runs the migrations of one project on one database. It may be used
// by one goroutine at a time.
type Runner struct {
	target  *Target
	history []*migration.Migration
	opts    Options
	tool    tool
	// handOver is set when mix is to run the migrations.
	handOver *handOver
}

// A tool is the way one migration tool keeps its version table, locks and
// executes.
type tool interface {
	// name is the tool's name for people.
	name() string
	// read fingerprints and reads the version table inside a read-only
	// transaction.
	read(ctx context.Context, conn *pgx.Conn, s *state, prefix string) error
	// plan chooses the steps.
	plan(s *state, req Request) (*choice, error)
	// run executes the steps of x.plan.
	run(ctx context.Context, x *execution) error
	// command is what to type to have the tool do the request itself.
	command(req Request) string
}

// A choice is what a tool would do for a request.
type choice struct {
	steps []Step
	notes []string
}

// A Step is one migration in one direction.
type Step struct {
	Migration *migration.Migration
	Direction migration.Direction
}

// Body is what the step executes.
func (s Step) Body() *migration.Body { return s.Migration.Body(s.Direction) }

// New returns a runner. The history is in the order in which the tool runs it.
func New(t *Target, history []*migration.Migration, opts Options) (*Runner, error) {
	if opts.LockWait == 0 {
		opts.LockWait = 15 * time.Second
	}
	if opts.Table == "" && t.addr != nil {
		opts.Table = t.addr.table
	}
	if opts.Format == migration.GolangMigrate && t.addr != nil && t.addr.multi {
		history = cutAtSemicolons(history)
	}
	r := &Runner{target: t, history: history, opts: opts}
	if err := r.chooseTool(); err != nil {
		return nil, err
	}
	return r, nil
}

// chooseTool sets the tool that the options' format names.
func (r *Runner) chooseTool() error {
	switch r.opts.Format {
	case migration.Ecto:
		if r.opts.Ecto == nil {
			r.opts.Ecto = &Ecto{Lock: TableLock}
		}
		r.tool = &ecto{r}
	case migration.GolangMigrate:
		r.tool = &golangMigrate{r}
	case migration.Goose:
		r.tool = &goose{r}
	case migration.Dbmate:
		r.tool = &dbmate{r}
	case migration.Tern:
		r.tool = &tern{r}
	case migration.Sqlx:
		r.tool = &sqlx{r}
	case migration.Diesel:
		r.tool = &diesel{r}
	default:
		o, ok := others[r.opts.Format]
		if !ok {
			if cmd := commands[r.opts.Format]; cmd != "" {
				return refusef("ddlsp neither runs %s migrations nor knows what is applied. Run: %s", r.opts.Format, cmd)
			}
			return refusef("ddlsp does not run %s migrations: use the tool itself", r.opts.Format)
		}
		r.tool = &other{r, o}
	}
	return nil
}

// find returns the migration with the version, or nil.
func (r *Runner) find(version string) *migration.Migration {
	compare := comparison(r.opts.Format)
	for _, m := range r.history {
		if m.Version != "" && compare(m.Version, version) == 0 {
			return m
		}
	}
	return nil
}

// connect opens a connection and asks the server who it is.
func (r *Runner) connect(ctx context.Context) (*pgx.Conn, server, error) {
	s, srv, err := r.session(ctx)
	if err != nil {
		return nil, server{}, err
	}
	return s.conn, srv, nil
}

func (r *Runner) session(ctx context.Context) (*spare, server, error) {
	s, err := r.target.take(ctx, nil)
	if err != nil {
		return nil, server{}, err
	}
	srv, err := look(ctx, s.conn)
	if err != nil {
		s.close()
		return nil, server{}, refusef("%s did not answer: %w", r.target, err)
	}
	return s, srv, nil
}

// closeConn ends a connection, whatever became of the context it was used with.
func closeConn(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	conn.Close(ctx)
}

// read reads the version table; nothing is changed.
func (r *Runner) read(ctx context.Context, conn *pgx.Conn, srv server, prefix string) (*state, error) {
	s := &state{server: srv, known: map[string]bool{}, compare: comparison(r.opts.Format)}
	err := readOnly(ctx, conn, func() error { return r.tool.read(ctx, conn, s, prefix) })
	if err != nil {
		if pe := pgError(err); pe != nil {
			return nil, refusef("the version table %s cannot be read: %s (SQLSTATE %s)", s.table, pe.Message, pe.Code)
		}
		return nil, refused(err)
	}
	return s, nil
}

// inCurrentSchema resolves a version table's name as the tools do.
func (s *state) inCurrentSchema(name string) (table, error) {
	if schemaName, rest, ok := strings.Cut(name, "."); ok {
		return table{schemaName, rest}, nil
	}
	if s.server.schema == "" {
		return table{}, refusef("the search_path of %s leads to no schema that exists: there is no place for the version table", s.server.database)
	}
	return table{s.server.schema, name}, nil
}

// Plan finds out what a request would do. It changes nothing. A plan that mix
// is to run is made with mix's own word of where the repo's database is.
func (r *Runner) Plan(ctx context.Context, req Request) (*Plan, error) {
	if r.byMix() && r.handOver == nil {
		if err := r.ask(ctx, "", req); err != nil {
			return nil, err
		}
	}
	p, err := r.makePlan(ctx, req)
	if why := r.needsMix(err); why != "" {
		if err := r.ask(ctx, why, req); err != nil {
			return nil, err
		}
		return r.makePlan(ctx, req)
	}
	return p, err
}

func (r *Runner) makePlan(ctx context.Context, req Request) (p *Plan, err error) {
	session, srv, err := r.session(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { r.target.put(session, err == nil && len(p.Steps) > 0) }()
	conn := session.conn
	s, err := r.read(ctx, conn, srv, req.Prefix)
	if err == nil && s.dirty {
		s, err = r.settled(ctx, conn, s, req.Prefix)
	}
	if err != nil {
		return nil, err
	}
	if g, ok := r.tool.(*golangMigrate); ok && s.dirty {
		return nil, g.dirty(ctx, conn, s)
	}
	if p, err = r.planFrom(s, req); err != nil {
		return nil, err
	}
	p.Losses = p.losses(ctx, conn)
	p.Notes = append(p.Notes, p.leftBehind(ctx, conn)...)
	return p, nil
}

func (r *Runner) planFrom(s *state, req Request) (*Plan, error) {
	if err := r.check(s, req); err != nil {
		return nil, err
	}
	if err := r.directory(); err != nil {
		return nil, err
	}
	c, err := r.tool.plan(s, req)
	if err != nil {
		return nil, err
	}
	log := r.log().applied()
	for _, st := range c.steps {
		if err := r.runnable(st, req); err != nil {
			return nil, err
		}
		if st.Direction == migration.Down {
			if e := r.edited(log, st.Migration, s.appliedAt(st.Migration.Version)); e != nil && *e {
				c.notes = append(c.notes, fmt.Sprintf("%s was edited since it was applied: its down undoes what the file says now", label(st.Migration)))
			}
		}
		if st.Direction == migration.Down && st.Body().Origin == migration.Empty {
			c.notes = append(c.notes, fmt.Sprintf("the down migration of %s is empty: its version is taken back and the schema stays as it is", label(st.Migration)))
		}
	}
	if r.handOver != nil {
		if err := r.planByMix(c, s, req); err != nil {
			return nil, err
		}
	}
	p := &Plan{Target: r.target, Request: req, Steps: c.steps, Notes: c.notes, state: s, runner: r}
	p.Hash = p.hash()
	return p, nil
}

// check refuses what no tool may do.
func (r *Runner) check(s *state, req Request) error {
	switch {
	case s.server.standby:
		return refusef("%s is a standby server and cannot be changed: connect to the primary", r.target)
	case s.server.pooled:
		return refusef("%s is reached through a connection pooler, where session locks leak to other clients: connect to the server itself (often port 5432, or DIRECT_URL)", r.target)
	case req.Prefix != "" && r.opts.Format != migration.Ecto:
		return refusef("--prefix is Ecto's: %s migrations have no prefix", r.opts.Format)
	}
	for _, v := range []string{req.To, req.ToExclusive} {
		if v != "" && r.find(v) == nil && !slices.ContainsFunc(s.rows, func(row row) bool { return s.compare(row.Version, v) == 0 }) {
			return refusef("there is no migration with version %s%s", v, r.similar(v))
		}
	}
	return nil
}

// directory refuses a directory that the tool itself would not start with,
// whichever of its migrations are to run. Ecto looks at the pending ones only.
func (r *Runner) directory() error {
	for _, m := range r.history {
		for _, p := range m.Problems {
			switch {
			case p.Rule == "duplicate-migration-version" && r.opts.Format != migration.Ecto,
				p.Rule == "migration-filename" && r.opts.Format == migration.Tern,
				p.Rule == "migration-filename" && r.opts.Format == migration.Goose && m.Version == "":
				return refusef("%s: %s. Nothing was changed", filepath.Base(p.Path), p.Message)
			}
		}
	}
	return nil
}

// similar names the newest versions, for those who mistyped one.
func (r *Runner) similar(version string) string {
	var near []string
	for _, m := range r.history {
		if len(version) >= 4 && strings.HasPrefix(m.Version, version[:len(version)/2]) {
			near = append(near, m.Version)
		}
	}
	if len(near) == 0 {
		for _, m := range r.history[max(0, len(r.history)-3):] {
			near = append(near, m.Version)
		}
	}
	if len(near) == 0 {
		return ": there are no migrations"
	}
	return ": there is " + strings.Join(near[max(0, len(near)-4):], ", ")
}

// fatal are the problems of a file that keep its tool from running it.
var fatal = map[string]bool{"goose-annotation": true, "duplicate-migration-version": true, "unparsable-migration": true}

// runnable refuses a step that ddlsp cannot run exactly as the tool would.
func (r *Runner) runnable(st Step, req Request) error {
	m, body := st.Migration, st.Body()
	name := label(m)
	native := func(why string) error {
		if r.handOver != nil {
			return nil
		}
		return &Error{Refused: true, tool: fmt.Sprintf("%s cannot be run by ddlsp itself: %s", name, why),
			Err: fmt.Errorf("%s cannot be run by ddlsp: %s. Nothing was changed. Run it with: %s", name, why, r.tool.command(req))}
	}
	if m.Beam != "" {
		return native(m.Beam)
	}
	for _, p := range m.Problems {
		if fatal[p.Rule] && (p.Direction == "" || p.Direction == st.Direction) {
			return refusef("%s: %s", name, p.Message)
		}
	}
	switch {
	case body.Origin == migration.Missing && st.Direction == migration.Down:
		return refusef("%s has no down migration: its version would be taken back while the schema stays. Nothing was changed. Write one, or an empty one if there is nothing to undo", name)
	case body.Origin == migration.Missing:
		return refusef("%s has no up migration", name)
	case body.Origin == migration.Raises:
		reason := body.Reason
		if reason == "" {
			reason = "it says so itself"
		}
		return refusef("%s cannot be rolled back: %s. Nothing was changed", name, reason)
	case body.Err != nil && r.handOver == nil: // mix may be of another Ecto
		return refusef("%s would fail: %s. Nothing was changed", name, body.Err.Message)
	}
	for _, u := range body.Units {
		for _, s := range u.Statements {
			if s.NotRunnable != "" {
				return native(s.NotRunnable)
			}
			// The text of a SQL file is known even where it cannot be read.
			if s.Opaque != "" && m.Format == migration.Ecto {
				return native(s.Opaque)
			}
		}
	}
	return nil
}

// label names a migration for people.
func label(m *migration.Migration) string {
	if p := m.Path(); p != "" {
		return filepath.Base(p)
	}
	return fmt.Sprintf("%s %s", m.Version, m.Name)
}

// upSteps are the pending migrations of the history that a request takes, for
// the tools that apply whatever is missing.
func (r *Runner) upSteps(req Request, pending []*migration.Migration) []Step {
	compare := comparison(r.opts.Format)
	var steps []Step
	for _, m := range pending {
		if !req.All {
			if req.To != "" && compare(m.Version, req.To) > 0 {
				continue
			}
			if req.ToExclusive != "" && compare(m.Version, req.ToExclusive) >= 0 {
				continue
			}
			if req.Step > 0 && len(steps) == req.Step {
				break
			}
		}
		steps = append(steps, Step{m, migration.Up})
	}
	return steps
}

// stopsAt reports whether a rollback that has taken back n migrations ends
// before the one with the version.
func (req Request) stopsAt(version string, n int) bool {
	return req.stops(compareVersions, version, n)
}

// stops is stopsAt for versions in any order.
func (req Request) stops(compare func(a, b string) int, version string, n int) bool {
	switch {
	case req.All:
		return false
	case req.To != "":
		return compare(version, req.To) < 0
	case req.ToExclusive != "":
		return compare(version, req.ToExclusive) <= 0
	case req.Step > 0:
		return n == req.Step
	}
	return n == 1
}

// redo is the plan of a rollback by one step, followed by the same step up.
func redo(c *choice, err error) (*choice, error) {
	if err != nil {
		return nil, err
	}
	for _, s := range slices.Backward(c.steps) {
		c.steps = append(c.steps, Step{s.Migration, migration.Up})
	}
	return c, nil
}
