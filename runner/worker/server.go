package worker

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/ddlsp/ddlsp/runner"
)

// A Session is the child's side of one request.
type Session struct {
	out     *lines
	answers chan reply
}

// Event tells the parent of progress.
func (s *Session) Event(e runner.Event) { s.out.write(Message{Event: &e}) }

// Password asks the parent for a password.
func (s *Session) Password(ctx context.Context, user, host, port, database string) (string, error) {
	s.out.write(Message{Password: &PasswordRequest{user, host, port, database}})
	select {
	case a := <-s.answers:
		if a.Password != nil {
			return *a.Password, nil
		}
		return "", errors.New("none was given")
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// Serve reads one request from in, does it and writes the outcome to out. The
// context given to do ends when the parent cancels or its end of in closes.
// The exit code is that of the command line for the same operation.
func Serve(ctx context.Context, in io.Reader, out io.Writer, do func(context.Context, Request, *Session) (any, error)) int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &Session{out: &lines{w: out}, answers: make(chan reply, 1)}
	dec := json.NewDecoder(bufio.NewReader(in))
	var req Request
	if err := dec.Decode(&req); err != nil {
		s.out.write(Message{Error: &Error{Message: "the request cannot be read: " + err.Error(), Exit: runner.ExitUsage}})
		return runner.ExitUsage
	}
	go func() {
		defer cancel()
		for {
			var a reply
			if dec.Decode(&a) != nil || a.Cancel {
				return
			}
			select {
			case s.answers <- a:
			default: // an answer that nobody asked for
			}
		}
	}()
	result, err := do(ctx, req, s)
	var raw json.RawMessage
	if result != nil {
		text, merr := json.Marshal(result)
		if merr != nil {
			err = errors.Join(err, merr)
		}
		raw = text
	}
	if err == nil {
		s.out.write(Message{Result: raw})
		return runner.ExitFine
	}
	code := runner.ExitCode(err)
	var e *Error
	if errors.As(err, &e) {
		code = e.Exit
	}
	s.out.write(Message{Error: &Error{Message: err.Error(), Exit: code, Result: raw}})
	return code
}
