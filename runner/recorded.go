package runner

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/ddlsp/ddlsp/migration"
)

// A recorder writes what the version table says after a step, on the
// connection and in the transaction of the step.
type recorder func(ctx context.Context, conn *pgx.Conn, st Step) error

// recorded runs step i as goose, dbmate and tern do: the units by simple
// queries and then the version table, in one transaction unless the body has
// turned it off.
func (x *execution) recorded(ctx context.Context, i int, record recorder) error {
	if err := x.stopped(ctx, i); err != nil {
		return err
	}
	done, start := x.begin(i)
	st := done.Step
	before := x.sweep(ctx, st)
	var err error
	if st.Body().Tx == migration.Explicit {
		err = x.lockTimeout(ctx, st, func() error { return x.recordedTogether(ctx, st, record) })
	} else {
		err = x.body(ctx, st, x.simple)
		if err == nil {
			ctx, cancel := background(ctx)
			defer cancel()
			if rerr := record(ctx, x.conn, st); rerr != nil {
				err = x.unrecorded(st, rerr)
			}
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

func (x *execution) recordedTogether(ctx context.Context, st Step, record recorder) error {
	if err := exec(ctx, x.conn, "begin"); err != nil {
		return x.failure(st, len(st.Body().Units), 0, err)
	}
	if err := x.body(ctx, st, x.simple); err != nil {
		x.rollback(ctx, x.conn)
		return err
	}
	if err := record(ctx, x.conn, st); err != nil {
		x.rollback(ctx, x.conn)
		return x.unrecorded(st, err)
	}
	if err := exec(ctx, x.conn, "commit"); err != nil {
		x.rollback(ctx, x.conn)
		return x.failure(st, len(st.Body().Units), 0, err)
	}
	return nil
}

func (x *execution) unrecorded(st Step, err error) error {
	return x.failure(st, len(st.Body().Units), 0, fmt.Errorf("the version table was not written: %w", err))
}
