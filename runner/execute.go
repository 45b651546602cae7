package runner

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/ddlsp/ddlsp/migration"
)

// An Event tells of the progress of a run.
type Event struct {
	// Kind is "migration" (one begins), "statement" (one is sent), "notice",
	// "waiting" (for a lock), "progress" (of an index that is built), "output" (a
	// line of what mix prints) or "done" (a migration ended).
	Kind      string `json:"kind"`
	Version   string `json:"version,omitempty"`
	Name      string `json:"name,omitempty"`
	Direction string `json:"direction,omitempty"`
	// Number and Of count migrations, or the statements of one.
	Number int `json:"number,omitempty"`
	Of     int `json:"of,omitempty"`
	// Message is the statement's first line, the notice's text, ...
	Message string `json:"message,omitempty"`
	// Severity is that of a notice: NOTICE, WARNING, ...
	Severity string `json:"severity,omitempty"`
	Outcome  string `json:"outcome,omitempty"`
}

// Outcomes of a migration in a plan or run.
const (
	Planned    = "planned"
	Applied    = "applied"
	RolledBack = "rolled_back"
	Failed     = "failed"
	Skipped    = "skipped"
)

// A Done is what became of one step.
type Done struct {
	Step
	Duration time.Duration
	Outcome  string
}

// A Result is what a run did. It is complete also when the run failed.
type Result struct {
	Plan    *Plan
	Steps   []Done
	Notices []Event
	// Notes are what people should know afterwards.
	Notes   []string
	Failure *Failure
}

// An execution is one run of a plan.
type execution struct {
	*Runner
	plan   *Plan
	conn   *pgx.Conn // where migrations run
	events func(Event)
	result *Result
	quiet  bool // notices of our own bookkeeping are not shown
	step   int
}

// Run executes a plan. The events are delivered one at a time, while it runs.
// The result is never nil; its failure, if there is one, is the error too.
func (r *Runner) Run(ctx context.Context, p *Plan, events func(Event)) (*Result, error) {
	if events == nil {
		events = func(Event) {}
	}
	var mu sync.Mutex
	one := func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		events(e)
	}
	x := &execution{Runner: r, plan: p, events: one, result: &Result{Plan: p}, quiet: true}
	for _, s := range p.Steps {
		x.result.Steps = append(x.result.Steps, Done{Step: s, Outcome: Planned})
	}
	if len(p.Steps) == 0 {
		return x.result, nil
	}
	session, err := r.target.take(ctx, x.notice)
	if err != nil {
		return x.result, err
	}
	defer session.close()
	x.conn = session.conn
	err = r.tool.run(ctx, x)
	var f *Failure
	if errors.As(err, &f) {
		x.result.Failure = f
	}
	if r.opts.Dump != "" && slices.ContainsFunc(x.result.Steps, func(d Done) bool { return d.Outcome == Applied || d.Outcome == RolledBack }) {
		x.result.Notes = append(x.result.Notes, fmt.Sprintf("%s is not up to date any more. Write it again with: %s", r.opts.Dump, r.opts.DumpCommand))
	}
	return x.result, err
}

func (x *execution) notice(n *pgconn.Notice) {
	if x.quiet {
		return
	}
	e := Event{Kind: "notice", Severity: n.Severity, Message: n.Message}
	if n.Hint != "" {
		e.Message += " (" + n.Hint + ")"
	}
	if x.step < len(x.plan.Steps) {
		e.Version = x.plan.Steps[x.step].Migration.Version
	}
	x.result.Notices = append(x.result.Notices, e)
	x.events(e)
}

// begin announces step i.
func (x *execution) begin(i int) (done *Done, start time.Time) {
	x.step = i
	d := &x.result.Steps[i]
	x.events(Event{Kind: "migration", Version: d.Migration.Version, Name: d.Migration.Name, Direction: string(d.Direction), Number: i + 1, Of: len(x.plan.Steps)})
	return d, time.Now()
}

// stopped ends a run between two migrations when it was cancelled.
func (x *execution) stopped(ctx context.Context, i int) error {
	if ctx.Err() == nil {
		return nil
	}
	st := x.plan.Steps[i]
	f := &Failure{Step: st, Message: "cancelled before it began", Path: st.Body().Path, Span: st.Body().Span, Cancelled: true, err: ctx.Err()}
	x.remains(f, "")
	return f
}

// end records what became of step i.
func (x *execution) end(d *Done, start time.Time, outcome string) {
	d.Duration, d.Outcome = time.Since(start), outcome
	if outcome != Skipped {
		x.remember(d)
	}
	x.events(Event{Kind: "done", Version: d.Migration.Version, Name: d.Migration.Name, Direction: string(d.Direction), Outcome: outcome})
}

// outcome is how a step ends that went well.
func (s Step) outcome() string {
	if s.Direction == migration.Down {
		return RolledBack
	}
	return Applied
}

// A sender sends one unit as its tool does. sent is the number of statements
// of the unit that the server finished.
type sender func(ctx context.Context, u *migration.Unit) (sent int, err error)

// simple sends the unit as one simple query, as most tools do.
func (x *execution) simple(ctx context.Context, u *migration.Unit) (sent int, err error) {
	results := x.conn.PgConn().Exec(ctx, u.SQL)
	for results.NextResult() {
		if _, err := results.ResultReader().Close(); err == nil {
			sent++
		}
	}
	return sent, results.Close()
}

// extended sends the unit by the extended protocol, which takes one statement
// and refuses two, as Postgrex does.
func (x *execution) extended(ctx context.Context, u *migration.Unit) (sent int, err error) {
	if err := x.conn.PgConn().ExecParams(ctx, u.SQL, nil, nil, nil, nil).Read().Err; err != nil {
		return 0, err
	}
	return 1, nil
}

// body sends the units of a step. The failure it returns lacks Remains.
func (x *execution) body(ctx context.Context, st Step, send sender) error {
	units := st.Body().Units
	x.quiet = false
	defer func() { x.quiet = true }()
	defer x.watch(ctx)()
	for i, u := range units {
		x.events(Event{Kind: "statement", Version: st.Migration.Version, Direction: string(st.Direction), Number: i + 1, Of: len(units), Message: firstLine(u)})
		sent, err := send(ctx, u)
		if err != nil {
			return x.failure(st, i, sent, err)
		}
	}
	return nil
}

// firstLine is the beginning of a unit, for progress.
func firstLine(u *migration.Unit) string {
	text := u.SQL
	if len(u.Statements) > 0 {
		text = u.Statements[0].SQL
	}
	text, _, cut := strings.Cut(strings.TrimSpace(text), "\n")
	if r := []rune(text); len(r) > 100 {
		text, cut = string(r[:100]), true
	}
	if cut || len(u.Statements) > 1 {
		text += " ..."
	}
	return text
}

// exec runs a statement of our own bookkeeping, by the simple protocol without
// arguments and by the extended one with them.
func exec(ctx context.Context, conn *pgx.Conn, sql string, args ...string) error {
	if len(args) == 0 {
		_, err := conn.PgConn().Exec(ctx, sql).ReadAll()
		return err
	}
	values := make([][]byte, len(args))
	for i, a := range args {
		values[i] = []byte(a)
	}
	return conn.PgConn().ExecParams(ctx, sql, values, nil, nil, nil).Read().Err
}

// background is a context for bookkeeping that must be done even when the run
// was cancelled.
func background(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
}

// rollback ends a transaction that failed.
func (x *execution) rollback(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := background(ctx)
	defer cancel()
	if !conn.IsClosed() {
		exec(ctx, conn, "rollback")
	}
}

// advisory polls for session advisory locks, all or none, outside any
// transaction: a session that waits inside pg_advisory_lock holds a snapshot
// that a concurrent index build of the owner waits for, and neither would end.
func (x *execution) advisory(ctx context.Context, conn *pgx.Conn, keys []int64) (unlock func(), err error) {
	return x.poll(ctx, conn, "", keys)
}

// among is a lock among runs of ddlsp alone, for a migration whose tool takes
// none: without it two of them would both run it.
func (x *execution) among(ctx context.Context, conn *pgx.Conn, key int64) (unlock func(), err error) {
	return x.poll(ctx, conn, "pg_catalog.", []int64{key})
}

// poll is advisory; qualified is how the functions are written, by which the
// server's log tells the tool's locks from ddlsp's own.
func (x *execution) poll(ctx context.Context, conn *pgx.Conn, qualified string, keys []int64) (unlock func(), err error) {
	deadline := time.Now().Add(x.opts.LockWait)
	if e := x.opts.Ecto; e != nil && e.MaxTries > 0 {
		every := 5 * time.Second
		if e.RetryMillis > 0 {
			every = time.Duration(e.RetryMillis) * time.Millisecond
		}
		deadline = time.Now().Add(min(x.opts.LockWait, time.Duration(e.MaxTries)*every))
	}
	told := false
	for {
		var held []int64
		for _, k := range keys {
			var ok bool
			if err := conn.QueryRow(ctx, "SELECT "+qualified+"pg_try_advisory_lock($1)", k).Scan(&ok); err != nil {
				return nil, x.lockError(ctx, err)
			}
			if !ok {
				break
			}
			held = append(held, k)
		}
		release := func() {
			ctx, cancel := background(ctx)
			defer cancel()
			for _, k := range slices.Backward(held) {
				if !conn.IsClosed() {
					exec(ctx, conn, fmt.Sprintf("SELECT %spg_advisory_unlock(%d)", qualified, k))
				}
			}
		}
		if len(held) == len(keys) {
			return release, nil
		}
		key := keys[len(held)]
		release()
		who := holder(ctx, conn, key)
		if time.Now().After(deadline) {
			return nil, stillLocked(who)
		}
		if !told {
			told = true
			x.events(Event{Kind: "waiting", Message: "for the migration lock, held by " + who})
		}
		select {
		case <-ctx.Done():
			return nil, failf("waiting for the migration lock was cancelled. Nothing was changed")
		case <-time.After(150*time.Millisecond + rand.N(100*time.Millisecond)):
		}
	}
}

// stillLocked is the error of a run that gave up waiting for who holds the
// migration lock.
func stillLocked(who string) error {
	return failf("%w: %s. Nothing was changed. Wait for it to finish, or see what it does", ErrLocked, who)
}

func (x *execution) lockError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return failf("cancelled before anything was changed")
	}
	return failf("the migration lock was not obtained: %w", plainError(err))
}

// holder describes who holds an advisory lock.
func holder(ctx context.Context, conn *pgx.Conn, key int64) string {
	var pid int
	var app, client, since string
	err := conn.QueryRow(ctx, `SELECT a.pid, coalesce(nullif(a.application_name, ''), 'a program without a name'), coalesce(host(a.client_addr), 'the same machine'),
 coalesce(date_trunc('second', now() - a.backend_start)::text, '?')
FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.classid = $1 AND l.objid = $2 AND l.objsubid = 1
 AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) LIMIT 1`,
		int64(uint32(uint64(key)>>32)), int64(uint32(uint64(key)))).Scan(&pid, &app, &client, &since)
	if err != nil {
		return "another session"
	}
	return fmt.Sprintf("process %d of the server (%s from %s, connected for %s)", pid, app, client, since)
}

// lockTimeout bounds the waits for locks of a whole transactional migration,
// where the target is configured so, and retries it: nothing of it stays
// behind. It never touches a migration that runs outside a transaction, where
// an abandoned concurrent build leaves an invalid index.
func (x *execution) lockTimeout(ctx context.Context, st Step, attempt func() error) error {
	d := x.target.LockTimeout
	if d == 0 || !transactional(st.Body()) {
		return attempt()
	}
	if err := exec(ctx, x.conn, fmt.Sprintf("SET lock_timeout = %d", d.Milliseconds())); err != nil {
		return x.failure(st, 0, 0, err)
	}
	defer func() {
		ctx, cancel := background(ctx)
		defer cancel()
		if !x.conn.IsClosed() {
			exec(ctx, x.conn, "RESET lock_timeout")
		}
	}()
	const tries = 5
	for n := 1; ; n++ {
		err := attempt()
		pe := pgError(err)
		if pe == nil || pe.Code != "55P03" || n == tries || ctx.Err() != nil {
			return err
		}
		wait := time.Duration(n)*500*time.Millisecond + rand.N(500*time.Millisecond)
		x.events(Event{Kind: "waiting", Version: st.Migration.Version,
			Message: fmt.Sprintf("a lock was not obtained within %v; everything was rolled back, try %d of %d in %v", d, n+1, tries, wait.Round(100*time.Millisecond))})
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}

// transactional reports whether all of a body is undone when it fails.
func transactional(b *migration.Body) bool {
	if controlsTransactions(b) {
		return false
	}
	switch b.Tx {
	case migration.Explicit:
		return true
	case migration.ImplicitIfMulti:
		return len(b.Units) == 1 && (len(b.Units[0].Statements) > 1 || !concurrent(b))
	}
	return false
}

// concurrent reports whether a body builds or drops an index concurrently.
func concurrent(b *migration.Body) bool {
	return says(b, "concurrently") && hasOp(b, func(op migration.Op) bool {
		switch op := op.(type) {
		case *migration.CreateIndex:
			return op.Concurrently
		case *migration.DropIndex:
			return op.Concurrently
		case *migration.Reindex:
			return op.Concurrently
		case *migration.DetachPartition:
			return op.Concurrently
		}
		return false
	})
}

// controlsTransactions reports whether a body says BEGIN or COMMIT itself.
func controlsTransactions(b *migration.Body) bool {
	return says(b, "begin", "start", "commit", "end", "rollback", "abort", "savepoint", "prepare") && hasOp(b, func(op migration.Op) bool { _, ok := op.(*migration.TxControl); return ok })
}

// says reports whether one of some words stands anywhere in what a body sends.
// Reading SQL for the first time costs more than a small run: what does not
// even hold the word need not be read.
func says(b *migration.Body, words ...string) bool {
	for _, u := range b.Units {
		text := strings.ToLower(u.SQL)
		for _, w := range words {
			if strings.Contains(text, w) {
				return true
			}
		}
	}
	return false
}

func hasOp(b *migration.Body, is func(migration.Op) bool) bool {
	for _, s := range b.Statements() {
		if slices.ContainsFunc(s.Ops(), is) {
			return true
		}
	}
	return false
}
