package lsp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/ddlsp/ddlsp/internal/source"
)

// Options configure a server. The zero value works.
type Options struct {
	// Version is what the server calls itself in initialize.
	Version string
	// Log receives what goes wrong; nil logs nothing. It must not write to the
	// connection.
	Log *slog.Logger
	// Worker is the command line of the process that runs migrations; empty
	// means this very program with the argument "worker".
	Worker []string

	// debug are calls that only tests know.
	debug map[string]func(*Server) (any, error)
}

// A Server is the server side of one connection.
type Server struct {
	protocol.UnimplementedServer

	opts   Options
	log    *slog.Logger
	conn   jsonrpc2.Conn
	client protocol.Client

	// life ends with the connection; work that outlives a request uses it.
	life context.Context
	end  context.CancelFunc
	// listening ends as soon as the client's end of the stream is closed. What
	// must not go on without a client (a run) ends with it, while requests
	// that came before are still answered.
	listening context.Context

	state  atomic.Int32
	exited atomic.Bool // an exit notification came
	calls  inflight

	// Set by initialize, before any other message is handled.
	caps     clientCaps
	encoding source.Encoding
	pull     bool // diagnostics are pulled; only failures of runs are pushed
	// bare is set for a client that says nothing of ddlsp, so that it has no
	// extension: what a command answers nobody would see, and it is shown as a
	// message too.
	bare bool

	roots roots
	docs  documents
	// departed are the open documents without a file; only the reader uses it.
	departed map[uri.URI]departed
	pub      publisher
	settings settingsBox
	trusted  atomic.Bool
	progress progressTokens
	runs     runs
	states   states
	locks    lockMemo
	work     sync.WaitGroup // goroutines that outlive a request
}

// Serve answers one client on stream until it says exit or the stream ends,
// and returns the exit code that the protocol asks for: 0 after an orderly
// shutdown, 1 without one. The error says why the connection broke.
func Serve(ctx context.Context, stream io.ReadWriteCloser, opts Options) (code int, err error) {
	s := &Server{opts: opts, log: opts.Log}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.life, s.end = context.WithCancel(ctx)
	defer s.end()
	s.trusted.Store(true)
	var hangUp context.CancelFunc
	s.listening, hangUp = context.WithCancel(s.life)
	defer hangUp()
	s.conn = jsonrpc2.NewConn(jsonrpc2.NewStream(hearing{stream, hangUp}), jsonrpc2.WithCodec(codec{}))
	s.client = protocol.ClientDispatcher(s.conn)
	s.pub.start(s)
	s.conn.Go(s.life, s.handler())
	select {
	case <-s.conn.Done():
	case <-s.life.Done():
		// exit came, or the program is told to stop. What is being answered is
		// cancelled with life. A reader that waits for input may be impossible to
		// wake (a terminal's stdin), so it is not waited for long.
		stream.Close()
		await(s.conn.Done())
	}
	s.end()
	// What still computes has nobody left to compute for.
	idle := make(chan struct{})
	go func() {
		s.work.Wait()
		close(idle)
	}()
	await(idle)
	err = s.conn.Err()
	if errors.Is(err, io.EOF) || errors.Is(err, context.Canceled) || errors.Is(err, os.ErrClosed) || s.exited.Load() {
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("the connection to the editor broke: %w", err)
	}
	if s.state.Load() == stateShutdown && err == nil {
		return 0, nil
	}
	return 1, err
}

// await waits for something that should come at once, but not for ever.
func await(c <-chan struct{}) {
	select {
	case <-c:
	case <-time.After(time.Second):
	}
}

// hearing tells when nothing more can be read from a stream.
type hearing struct {
	io.ReadWriteCloser
	ended func()
}

func (h hearing) Read(p []byte) (int, error) {
	n, err := h.ReadWriteCloser.Read(p)
	if err != nil {
		h.ended()
	}
	return n, err
}

// exit ends the connection from the reader.
func (s *Server) exit() {
	s.exited.Store(true)
	s.end()
}

// spawn runs f beside the requests; Serve waits for it. ctx ends with the
// connection. A panic in f is logged and ends f only.
func (s *Server) spawn(name string, f func(ctx context.Context)) {
	s.work.Add(1)
	go func() {
		defer s.work.Done()
		defer s.recovered(name)
		f(s.life)
	}()
}
