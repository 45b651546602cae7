package worker

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"

	"github.com/ddlsp/ddlsp/runner"
)

// Handlers are called while the child works, one at a time.
type Handlers struct {
	// Event gets the progress; nil to ignore it.
	Event func(runner.Event)
	// Password asks the user; nil when nobody can be asked. An error means
	// that there is no answer.
	Password func(ctx context.Context, r PasswordRequest) (string, error)
}

// A Command starts the child: the program and its arguments, by default the
// hidden command "worker" of ddlsp.
type Command struct {
	Path string
	Args []string
	// Env is the child's environment; nil for the parent's.
	Env []string
}

// Run starts a child, has it do the request and returns the result's JSON. An
// *Error is the child's own; any other error means that the child could not be
// started or died.
//
// When ctx ends the child is told to cancel, and Run still waits for it: it
// ends by itself once the database and its version table are in order. It is
// never killed.
func Run(ctx context.Context, c Command, req Request, h Handlers) (json.RawMessage, error) {
	if len(c.Args) == 0 {
		c.Args = []string{"worker"}
	}
	cmd := exec.Command(c.Path, c.Args...) // not CommandContext, which kills
	cmd.Env = c.Env
	cmd.Dir = req.Dir
	cmd.SysProcAttr = detached()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	stderr := &tail{max: 4 << 10}
	cmd.Stderr = stderr
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("the process that runs migrations could not be started: %w", err)
	}
	out := &lines{w: stdin}
	out.write(req)
	stop := context.AfterFunc(ctx, func() { out.write(reply{Cancel: true}) })
	last, readErr := read(ctx, stdout, out, h)
	stop()
	stdin.Close()
	io.Copy(io.Discard, stdout)
	waitErr := cmd.Wait()
	switch {
	case last.Error != nil:
		return last.Error.Result, last.Error
	case last.Result != nil:
		return last.Result, nil
	case readErr != nil && !errors.Is(readErr, io.EOF):
		return nil, fmt.Errorf("the process that runs migrations spoke nonsense: %w", readErr)
	}
	return nil, fmt.Errorf("the process that runs migrations ended without a result (%v): %s. Look at the status of the database", waitErr, strings.TrimSpace(stderr.String()))
}

// read delivers the child's messages until the last one.
func read(ctx context.Context, r io.Reader, out *lines, h Handlers) (Message, error) {
	dec := json.NewDecoder(bufio.NewReader(r))
	for {
		var m Message
		if err := dec.Decode(&m); err != nil {
			return Message{}, err
		}
		switch {
		case m.Event != nil:
			if h.Event != nil {
				h.Event(*m.Event)
			}
		case m.Password != nil:
			a := reply{Refused: true}
			if h.Password != nil {
				if pw, err := h.Password(ctx, *m.Password); err == nil {
					a = reply{Password: &pw}
				}
			}
			out.write(a)
		default:
			return m, nil
		}
	}
}

// lines writes one JSON value per line, whole, from several goroutines.
type lines struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lines) write(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err = l.w.Write(append(text, '\n'))
	return err
}

// tail keeps the last bytes written to it.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
	max int
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf.Write(p)
	if over := t.buf.Len() - t.max; over > 0 {
		t.buf.Next(over)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}
