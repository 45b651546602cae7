package runner

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A spare is a connection of a target that nobody uses at the moment: one that
// was opened while the migrations were still being read, or that a plan was
// made on and that the run may go on with. Opening one costs more than all
// that a small run sends.
type spare struct {
	ready chan struct{} // closed when conn and err are set
	stop  context.CancelFunc
	conn  *pgx.Conn
	err   error
	// notice gets the notices of conn; it is set before conn is used.
	notice func(*pgconn.Notice)
	// idle is when it was last used, zero for never.
	idle time.Time
}

// Prepare begins to connect, and lets the target keep its connection from the
// plan to the run. Close gives it back.
func (t *Target) Prepare(ctx context.Context) {
	t.keeps = true
	t.spare = t.open(ctx)
}

// open connects in the background.
func (t *Target) open(ctx context.Context) *spare {
	ctx, stop := context.WithCancel(ctx)
	s := &spare{ready: make(chan struct{}), stop: stop}
	cfg := t.config.Copy() // the target may learn a password meanwhile
	go func() {
		defer close(s.ready)
		s.conn, s.err = t.dial(ctx, cfg, s.hear)
	}()
	return s
}

// take is the spare connection, or a new one.
func (t *Target) take(ctx context.Context, notice func(*pgconn.Notice)) (*spare, error) {
	s := t.spare
	t.spare = nil
	if s != nil {
		<-s.ready
		switch {
		case s.err != nil && t.Password != nil && wantsPassword(s.err):
		case s.err != nil && !errors.Is(s.err, context.Canceled):
			s.stop()
			return nil, t.explain(ctx, s.err)
		case s.err == nil && s.alive(ctx):
			s.notice = notice
			return s, nil
		}
		s.close()
	}
	s = &spare{ready: make(chan struct{}), stop: func() {}, notice: notice}
	close(s.ready)
	var err error
	s.conn, err = t.connect(ctx, s.hear)
	return s, err
}

// hear passes a notice on.
func (s *spare) hear(n *pgconn.Notice) {
	if s.notice != nil {
		s.notice(n)
	}
}

// alive reports whether a connection that was not used for a while still is
// one.
func (s *spare) alive(ctx context.Context) bool {
	if s.conn.IsClosed() {
		return false
	}
	if s.idle.IsZero() || time.Since(s.idle) < time.Second {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return s.conn.Ping(ctx) == nil
}

// put keeps a connection for the run, or closes it.
func (t *Target) put(s *spare, keep bool) {
	if keep && t.keeps && !s.conn.IsClosed() {
		s.notice, s.idle = nil, time.Now()
		t.spare = s
		return
	}
	s.close()
}

func (s *spare) close() {
	s.stop()
	<-s.ready
	if s.conn != nil {
		closeConn(s.conn)
	}
}
