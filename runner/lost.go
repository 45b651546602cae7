package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ddlsp/ddlsp/migration"
)

// afterLoss says what became of a step whose connection was lost: the server
// knows nothing of that until it next writes to the client, so the statement
// may still run, and even what was being committed may be there. committed is
// set when the version table says that the step was done after all.
func (x *execution) afterLoss(f *Failure) (text string, committed bool) {
	name := f.Step.Migration.Version
	unknown := fmt.Sprintf("Whether the server goes on with %s or undoes it is not known before it can be reached again: look at the status then, and at pg_stat_activity.", name)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	conn, err := x.target.connect(ctx, nil)
	if err != nil {
		return unknown, false
	}
	defer closeConn(conn)
	// The driver has asked the server to stop the statement; a session that
	// ends at this moment is given a little time.
	pid := x.conn.PgConn().PID()
	for range 20 {
		var state string
		err = conn.QueryRow(ctx, "SELECT coalesce(state, '') FROM pg_catalog.pg_stat_activity WHERE pid = $1", int64(pid)).Scan(&state)
		if err != nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	body := f.Step.Body()
	switch {
	case err == nil:
		end := "and what it did is undone when it ends"
		if body.Tx != migration.Explicit || controlsTransactions(body) {
			end = "and what it does stays, though nobody records it"
		}
		return fmt.Sprintf("The statement still runs on the server, %s. Wait for it, or end it: SELECT pg_terminate_backend(%d). Then look at the status.", end, pid), false
	case !errors.Is(err, pgx.ErrNoRows):
		return unknown, false
	}
	s, err := x.read(ctx, conn, x.plan.state.server, x.plan.Request.Prefix)
	if err != nil {
		return unknown, false
	}
	done := s.applied(name) == (f.Step.Direction == migration.Up)
	switch {
	case done && !s.dirty:
		return fmt.Sprintf("%s was done all the same: the version table says so.", name), true
	case body.Tx == migration.Explicit && !controlsTransactions(body):
		return fmt.Sprintf("Nothing of %s stays: the server undid what was not committed.", name), false
	case transactional(body):
		return fmt.Sprintf("Either all of %s is there or nothing: compare it with the database.", name), false
	}
	return fmt.Sprintf("How far the server came with %s is not known: compare it with the database.", name), false
}
