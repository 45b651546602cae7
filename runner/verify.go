package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ddlsp/ddlsp/migration"
)

// Outcomes of a verification, besides Failed and Skipped.
const (
	VerifiedOK    = "ok"
	NotReversible = "not_reversible"
)

// A Verified is what became of the verification of one migration.
type Verified struct {
	Migration *migration.Migration
	// Outcome is VerifiedOK, Failed, NotReversible or Skipped; the last never
	// means that all is well.
	Outcome  string
	Up, Down time.Duration
	// Differences are what up and down together change, or, when there are
	// none, what the second up makes otherwise than the first.
	Differences []Difference
	// Notes are worth knowing and no fault: columns in another order.
	Notes []string
	// Reason says why it was skipped, cannot be undone or has differences.
	Reason  string
	Failure *Failure
}

// A VerifyOptions says what to verify, and where.
type VerifyOptions struct {
	// Want chooses the migrations.
	Want func(*migration.Migration) bool
	// Baseline is SQL that makes the schema before the first migration.
	Baseline string
	// Each is called when the verification of a migration begins.
	Each func(m *migration.Migration, number, of int)
}

// Verify runs migrations on scratch databases of the target's server: all
// earlier ones, then up, down and up again, and compares the schema after each
// step with what it should be. The target must allow it. The error is about the
// server or the project; what is wrong with a migration stands in the result.
func (r *Runner) Verify(ctx context.Context, o VerifyOptions) (out []Verified, err error) {
	if !r.target.Scratch {
		return nil, refusef("%s is no scratch server: databases are made and dropped only where the configuration says scratch = true, or on a server that ddlsp started", r.target)
	}
	var wanted []*migration.Migration
	for _, m := range r.history {
		if m.Version != "" && o.Want(m) {
			wanted = append(wanted, m)
		}
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	v := &verification{r: r, opts: o, scratch: &scratch{server: r.target}}
	defer func() {
		if cerr := v.scratch.close(ctx); err == nil && cerr != nil {
			err = cerr
		}
	}()
	if err := v.begin(ctx, v.place(wanted[0])); err != nil {
		return nil, err
	}
	for i, m := range wanted {
		if ctx.Err() != nil {
			return out, failf("cancelled; the scratch databases are dropped")
		}
		if o.Each != nil {
			o.Each(m, i+1, len(wanted))
		}
		one, err := v.one(ctx, m)
		if err != nil {
			return out, err
		}
		if ctx.Err() != nil {
			return out, failf("cancelled; the scratch databases are dropped")
		}
		out = append(out, *one)
	}
	return out, nil
}

// A verification is one call of Verify.
type verification struct {
	r       *Runner
	opts    VerifyOptions
	scratch *scratch
	// base has the migrations before the one at hand.
	base *Target
	// at is the place in the history that base was kept for, 0 for none.
	at int
	// borrowed is set while base is the kept database itself, which others
	// copy too and nobody changes.
	borrowed bool
	// once: only the schema that a verification begins with is kept.
	once sync.Once
	// stuck says why base cannot be brought further.
	stuck string
	// names are those of the databases that are kept, by place in the history.
	names []string
}

// baseline makes the schema before the first migration.
func (v *verification) baseline(ctx context.Context) error {
	if v.opts.Baseline == "" {
		return nil
	}
	conn, err := v.base.connect(ctx, nil)
	if err != nil {
		return err
	}
	defer closeConn(conn)
	// What pg_dump says to psql is not for the server.
	lines := strings.SplitAfter(v.opts.Baseline, "\n")
	lines = slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, `\`) })
	if err := exec(ctx, conn, strings.Join(lines, "")); err != nil {
		return refusef("the baseline does not run on the scratch server: %w", plainError(err))
	}
	return nil
}

// runnerOn is the runner of the same project on another database.
func (v *verification) runnerOn(t *Target) (*Runner, error) {
	opts := v.r.opts
	opts.LogDir = "" // nobody asks what was applied here
	return New(t, v.r.history, opts)
}

// run does a request on a database and returns how long its steps took.
func (v *verification) run(ctx context.Context, t *Target, req Request) (steps int, took time.Duration, err error) {
	r, err := v.runnerOn(t)
	if err != nil {
		return 0, 0, err
	}
	plan, err := r.Plan(ctx, req)
	if err != nil {
		return 0, 0, err
	}
	res, err := r.Run(ctx, plan, nil)
	for _, d := range res.Steps {
		took += d.Duration
	}
	return len(plan.Steps), took, err
}

// advance brings base up to just before m.
func (v *verification) advance(ctx context.Context, m *migration.Migration) {
	if v.stuck != "" || v.place(m) == v.at {
		return
	}
	err := v.own(ctx)
	if err == nil {
		_, _, err = v.run(ctx, v.base, Request{Direction: Up, ToExclusive: m.Version})
	}
	if err != nil && ctx.Err() == nil {
		v.stuck = "an earlier migration does not run on the scratch server: " + err.Error()
		if lacks := lacking(err); lacks != "" {
			v.stuck = "an earlier migration needs what the scratch server does not have: " + lacks
		}
	}
	v.once.Do(func() { v.keep(ctx, v.place(m)) })
}

// one verifies a migration.
func (v *verification) one(ctx context.Context, m *migration.Migration) (*Verified, error) {
	out := &Verified{Migration: m, Outcome: Skipped}
	v.advance(ctx, m)
	if v.stuck != "" {
		out.Reason = v.stuck
		return out, nil
	}
	db, err := v.scratch.create(ctx, v.base.Database)
	if err != nil {
		return nil, err
	}
	defer v.scratch.drop(ctx, db.Database)
	r, err := v.runnerOn(db)
	if err != nil {
		return nil, err
	}
	version, err := r.versionTable(ctx)
	if err != nil {
		return nil, err
	}
	snap := func() *snapshot {
		var s *snapshot
		if err == nil {
			s, err = takeSnapshot(ctx, db, version)
		}
		return s
	}
	up := Request{Direction: Up, To: m.Version}
	before := snap()
	if err != nil {
		return nil, err
	}
	n, took, uerr := v.run(ctx, db, up)
	out.Up = took
	if uerr != nil {
		out.failed(uerr, "")
		return out, nil
	}
	if n == 0 {
		out.Reason = "it is part of the baseline"
		return out, nil
	}
	made := snap()
	if err != nil {
		return nil, err
	}
	if reason := irreversible(m); reason != "" {
		out.Outcome, out.Reason = NotReversible, reason
		return out, nil
	}
	if _, out.Down, uerr = v.run(ctx, db, Request{Direction: Down, Step: 1}); uerr != nil {
		out.failed(uerr, "rolling it back: ")
		return out, nil
	}
	undone := snap()
	if err != nil {
		return nil, err
	}
	out.Differences, out.Notes = undoable(before.compare(undone))
	out.Notes = append(out.Notes, before.reordered(undone)...)
	if len(out.Differences) > 0 {
		out.Outcome, out.Reason = Failed, "after up and down the schema is not what it was before"
		return out, nil
	}
	if _, _, uerr = v.run(ctx, db, up); uerr != nil {
		out.failed(uerr, "applying it again: ")
		return out, nil
	}
	again := snap()
	if err != nil {
		return nil, err
	}
	out.Outcome = VerifiedOK
	if out.Differences = made.compare(again); len(out.Differences) > 0 {
		out.Outcome, out.Reason = Failed, "applied again after its rollback it makes another schema than the first time"
		return out, nil
	}
	return out, v.withRows(ctx, m, version, out)
}

// failed says how a step ended that did not go well.
func (v *Verified) failed(err error, when string) {
	if lacks := lacking(err); lacks != "" {
		v.Outcome, v.Reason = Skipped, "the scratch server does not have what it needs: "+lacks
		return
	}
	var f *Failure
	if errors.As(err, &f) {
		v.Outcome, v.Failure = Failed, f
		v.Failure.Message, v.Failure.Remains = when+f.Message, ""
		return
	}
	var e *Error
	if errors.As(err, &e) && e.Refused {
		v.Outcome, v.Reason = Skipped, when+strings.TrimSuffix(err.Error(), ". Nothing was changed")
		return
	}
	v.Outcome, v.Reason = Failed, when+err.Error()
}

// irreversible says why a migration has no way back, "" when it has one.
func irreversible(m *migration.Migration) string {
	switch b := m.Down; {
	case b.Origin == migration.Missing:
		return "it has no down migration"
	case b.Origin == migration.Raises && b.Reason != "":
		return "its author says that it cannot be rolled back: " + b.Reason
	case b.Origin == migration.Raises:
		return "its author says that it cannot be rolled back"
	case b.Err != nil:
		return b.Err.Message
	}
	return ""
}

// lacking says what a server is missing that a failed migration needs from it:
// an extension, a role. "" means that the failure is the migration's own.
func lacking(err error) string {
	var f *Failure
	if !errors.As(err, &f) {
		return ""
	}
	statement := strings.ToLower(strings.Join(strings.Fields(f.Statement), " "))
	extension := strings.HasPrefix(statement, "create extension") || strings.HasPrefix(statement, "alter extension")
	switch {
	case extension && f.SQLState != "42601" && f.SQLState != "42710":
		return f.Message
	case f.SQLState == "42704" && strings.Contains(f.Message, "role ") && strings.Contains(f.Message, "does not exist"):
		return f.Message
	case f.SQLState == "22023" && strings.Contains(statement, "timescaledb"), // unrecognized parameter namespace
		(f.SQLState == "42883" || f.SQLState == "3F000" || f.SQLState == "42P01") && timescaleOnly(f, statement):
		return "TimescaleDB: " + f.Message
	}
	return ""
}

// timescaleOnly reports whether a statement that found no such function needs
// TimescaleDB for it.
func timescaleOnly(f *Failure, statement string) bool {
	if strings.Contains(statement, "timescaledb") {
		return true
	}
	for _, name := range []string{"create_hypertable", "add_dimension", "by_range", "by_hash", "add_retention_policy", "add_compression_policy", "add_columnstore_policy",
		"add_continuous_aggregate_policy", "add_job", "add_reorder_policy", "set_chunk_time_interval", "set_integer_now_func", "remove_retention_policy",
		"remove_compression_policy", "remove_continuous_aggregate_policy", "time_bucket", "enable_chunk_skipping"} {
		if strings.Contains(f.Message, name+"(") {
			return true
		}
	}
	return false
}

// versionTable is the version table of the project in the runner's database.
func (r *Runner) versionTable(ctx context.Context) (table, error) {
	conn, srv, err := r.connect(ctx)
	if err != nil {
		return table{}, err
	}
	defer closeConn(conn)
	s, err := r.read(ctx, conn, srv, "")
	if err != nil {
		return table{}, err
	}
	return s.table, nil
}

// A VerifyReport is the outcome of Verify in the JSON form of the command line.
type VerifyReport struct {
	Migrations []VerifyReportLine `json:"migrations"`
	// Host is the scratch server's.
	Host string `json:"host"`
}

// A VerifyReportLine is one migration of a VerifyReport.
type VerifyReportLine struct {
	Version     string       `json:"version"`
	Name        string       `json:"name"`
	Path        string       `json:"path"`
	Outcome     string       `json:"outcome"`
	UpMS        int64        `json:"up_ms"`
	DownMS      int64        `json:"down_ms"`
	Differences []Difference `json:"differences"`
	Error       *ReportError `json:"error"`
	// Reason says why it was skipped, cannot be undone or failed without an
	// error of the server.
	Reason string   `json:"reason,omitempty"`
	Notes  []string `json:"notes,omitempty"`
}

// ReportVerified is the outcome of Verify as it is reported.
func (r *Runner) ReportVerified(list []Verified, display func(string) string) *VerifyReport {
	out := &VerifyReport{Migrations: []VerifyReportLine{}, Host: r.target.Host}
	for _, v := range list {
		line := VerifyReportLine{Version: v.Migration.Version, Name: v.Migration.Name, Path: display(v.Migration.Path()), Outcome: v.Outcome,
			UpMS: v.Up.Milliseconds(), DownMS: v.Down.Milliseconds(), Differences: v.Differences, Reason: v.Reason, Notes: v.Notes}
		if line.Differences == nil {
			line.Differences = []Difference{}
		}
		if v.Failure != nil {
			line.Error = v.Failure.report(display)
		}
		out.Migrations = append(out.Migrations, line)
	}
	return out
}

// Summary says in words what came out for a migration.
func (l *VerifyReportLine) Summary() string {
	switch {
	case l.Error != nil:
		return l.Error.Message
	case l.Reason != "":
		return l.Reason
	case l.Outcome == VerifiedOK:
		return fmt.Sprintf("up %d ms, down %d ms", l.UpMS, l.DownMS)
	}
	return ""
}
