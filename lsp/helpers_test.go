package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"testing"
	"time"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/uri"

	"github.com/ddlsp/ddlsp/internal/lsptest"
)

// connect runs a server and returns an editor on its other end. The server
// must end in order with the editor.
func connect(t testing.TB, opts lsptest.Options) *lsptest.Editor {
	t.Helper()
	return connectTo(t, Options{}, opts)
}

func connectTo(t testing.TB, server Options, opts lsptest.Options) *lsptest.Editor {
	t.Helper()
	near, far := net.Pipe()
	server.Log = slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelError}))
	// "test/texts" answers the text of every open document, in the order of
	// the wire as a notification would be handled.
	server.debug = map[string]func(*Server) (any, error){"test/texts": texts}
	type end struct {
		code int
		err  error
	}
	ended := make(chan end, 1)
	go func() {
		code, err := Serve(context.Background(), far, server)
		far.Close()
		ended <- end{code, err}
	}()
	t.Cleanup(func() {
		select {
		case e := <-ended:
			if e.code != 0 || e.err != nil {
				t.Errorf("the server ended with %d, %v", e.code, e.err)
			}
		case <-time.After(20 * time.Second):
			t.Error("the server did not end")
		}
	})
	return lsptest.Start(t, near, opts)
}

func texts(s *Server) (any, error) {
	out := map[string]string{}
	for _, doc := range s.docs.all() {
		buf, ok := doc.root.session.Snapshot().Buffer(doc.path)
		if !ok {
			return nil, fmt.Errorf("%s is not open in its session", doc.path)
		}
		out[doc.path] = buf.Lines.Text()
	}
	raw, err := json.Marshal(out)
	return json.RawMessage(raw), err
}

// testLog fails the test for everything that the server logs as an error: a
// panic that was caught is still a bug.
type testLog struct{ t testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Errorf("the server logged: %s", p)
	return len(p), nil
}

func awaitTrue(t *testing.T, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); !cond(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited in vain")
		}
	}
}

func asError(err error, target **lsptest.Error) bool { return errors.As(err, target) }

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func panics(context.Context, *jsonrpc2.Request) (any, error) { panic("on purpose") }

func mustURI(t *testing.T, s string) uri.URI {
	t.Helper()
	u, err := uri.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
