package runner

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// watchAfter is how long a statement runs before somebody looks what it does,
// watchEvery how often they look then.
const (
	watchAfter = time.Second
	watchEvery = time.Second
)

// watch tells of a statement that takes long what it waits for, and how far it
// has built its index, from a connection of its own. stop ends the watch and
// returns once no event of it can follow.
func (x *execution) watch(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	pid := int64(x.conn.PgConn().PID())
	wg.Go(func() {
		select {
		case <-ctx.Done():
			return
		case <-time.After(watchAfter):
		}
		conn, err := x.target.connect(ctx, nil)
		if err != nil {
			return
		}
		defer closeConn(conn)
		last := ""
		for {
			for _, look := range []func(context.Context, *pgx.Conn, int64) (Event, bool){buildProgress, blockedBy} {
				if e, ok := look(ctx, conn, pid); ok && e.Message != last && ctx.Err() == nil {
					last = e.Message
					if x.step < len(x.plan.Steps) {
						e.Version = x.plan.Steps[x.step].Migration.Version
					}
					x.events(e)
				}
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(watchEvery):
			}
		}
	})
	return func() {
		cancel()
		wg.Wait()
	}
}

// blockedBy says whose locks a session waits for.
func blockedBy(ctx context.Context, conn *pgx.Conn, pid int64) (Event, bool) {
	rows, err := conn.Query(ctx, `SELECT a.pid, coalesce(nullif(a.application_name, ''), 'a program without a name'), coalesce(a.usename::text, '?'), coalesce(a.state, '?'),
 coalesce(date_trunc('second', clock_timestamp() - a.xact_start)::text, '')
FROM unnest(pg_catalog.pg_blocking_pids($1::int)) b JOIN pg_catalog.pg_stat_activity a ON a.pid = b ORDER BY a.xact_start LIMIT 3`, pid)
	if err != nil {
		return Event{}, false
	}
	who, err := pgx.CollectRows(rows, sessionText)
	if err != nil || len(who) == 0 {
		return Event{}, false
	}
	return Event{Kind: "waiting", Message: "for a lock held by " + strings.Join(who, ", and by ")}, true
}

// sessionText describes a session of the server in words.
func sessionText(row pgx.CollectableRow) (string, error) {
	var pid int
	var app, user, state, since string
	if err := row.Scan(&pid, &app, &user, &state, &since); err != nil {
		return "", err
	}
	s := fmt.Sprintf("process %d (%s of %s, %s", pid, app, user, state)
	if since != "" {
		s += ", its transaction open for " + since
	}
	return s + ")", nil
}

// buildProgress says how far a session has come with building an index.
func buildProgress(ctx context.Context, conn *pgx.Conn, pid int64) (Event, bool) {
	var phase, index string
	var done, total, lockers, waited int64
	err := conn.QueryRow(ctx, `SELECT phase, coalesce(index_relid::regclass::text, 'the index'),
 CASE WHEN tuples_total > 0 THEN tuples_done ELSE blocks_done END, CASE WHEN tuples_total > 0 THEN tuples_total ELSE blocks_total END, lockers_total, lockers_done
FROM pg_catalog.pg_stat_progress_create_index WHERE pid = $1::int`, pid).Scan(&phase, &index, &done, &total, &lockers, &waited)
	if err != nil {
		return Event{}, false
	}
	if index == "-" || index == "0" {
		index = "the index"
	}
	e := Event{Kind: "progress", Message: fmt.Sprintf("%s: %s", index, phase)}
	switch {
	case total > 0:
		e.Message += fmt.Sprintf(", %d %%", 100*done/total)
	case lockers > 0:
		e.Message += fmt.Sprintf(", %d of %d sessions", waited, lockers)
	}
	return e, true
}

// holders says who holds locks on the relations of a statement that gave up
// waiting for one.
func (x *execution) holders(ctx context.Context, f *Failure) string {
	ctx, cancel := background(ctx)
	defer cancel()
	conn, err := x.target.connect(ctx, nil)
	if err != nil {
		return ""
	}
	defer closeConn(conn)
	names := f.relations()
	if len(names) == 0 {
		return ""
	}
	rows, err := conn.Query(ctx, `SELECT DISTINCT a.pid, coalesce(nullif(a.application_name, ''), 'a program without a name'), coalesce(a.usename::text, '?'), coalesce(a.state, '?'),
 coalesce(date_trunc('second', clock_timestamp() - a.xact_start)::text, '')
FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.granted AND l.locktype = 'relation' AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
 AND l.relation IN (SELECT to_regclass(n) FROM unnest($1::text[]) n) AND a.pid <> pg_backend_pid() AND a.pid <> $2::int LIMIT 3`, names, int64(x.conn.PgConn().PID()))
	if err != nil {
		return ""
	}
	who, err := pgx.CollectRows(rows, sessionText)
	if err != nil || len(who) == 0 {
		return ""
	}
	return " Locks on it are held by " + strings.Join(who, ", and by ") + "."
}
