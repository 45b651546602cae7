package lsp

import (
	"context"
	"fmt"
	"sync"

	"go.lsp.dev/protocol"
)

// progressTokens are the work-done progresses under way, so that the client's
// cancel finds its work. Safe for concurrent use.
type progressTokens struct {
	mu      sync.Mutex // guards the rest
	next    int
	cancels map[protocol.ProgressToken]context.CancelFunc
}

func (t *progressTokens) add(token protocol.ProgressToken, cancel context.CancelFunc) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cancels == nil {
		t.cancels = map[protocol.ProgressToken]context.CancelFunc{}
	}
	t.cancels[token] = cancel
}

func (t *progressTokens) remove(token protocol.ProgressToken) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.cancels, token)
}

// WorkDoneProgressCancel is the user's cancel.
func (s *Server) WorkDoneProgressCancel(_ context.Context, p *protocol.WorkDoneProgressCancelParams) error {
	s.progress.mu.Lock()
	cancel := s.progress.cancels[p.Token]
	s.progress.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	return nil
}

// A reporter shows the progress of one piece of work. The nil reporter shows
// nothing.
type reporter struct {
	s     *Server
	token protocol.ProgressToken
}

// report begins a cancellable progress: under the client's own token when the
// request brought one, else under one of the server's where the client takes
// them. ctx ends when the user cancels. done must be called, with the closing
// words.
func (s *Server) report(ctx context.Context, token protocol.ProgressToken, title string) (work context.Context, r *reporter, done func(message string)) {
	work, cancel := context.WithCancel(ctx)
	if token == nil && s.caps.progress {
		s.progress.mu.Lock()
		s.progress.next++
		own := protocol.String(fmt.Sprintf("ddlsp-%d", s.progress.next))
		s.progress.mu.Unlock()
		if err := s.client.WorkDoneProgressCreate(ctx, &protocol.WorkDoneProgressCreateParams{Token: own}); err == nil {
			token = own
		}
	}
	if token == nil {
		return work, nil, func(string) { cancel() }
	}
	r = &reporter{s, token}
	s.progress.add(token, cancel)
	r.send(&protocol.WorkDoneProgressBegin{Kind: "begin", Title: title, Cancellable: ptr(true)})
	return work, r, func(message string) {
		s.progress.remove(token)
		cancel()
		end := &protocol.WorkDoneProgressEnd{Kind: "end"}
		if message != "" {
			end.Message = &message
		}
		r.send(end)
	}
}

// say reports how far the work is; done of total is left out when total is 0.
func (r *reporter) say(message string, done, total int) {
	if r == nil {
		return
	}
	rep := &protocol.WorkDoneProgressReport{Kind: "report", Message: &message, Cancellable: ptr(true)}
	if total > 0 {
		rep.Percentage = ptr(uint32(100 * min(done, total) / total))
	}
	r.send(rep)
}

func (r *reporter) send(value any) {
	raw, err := protocol.Marshal(value)
	if err != nil {
		r.s.log.Error("progress", "err", err)
		return
	}
	if err := r.s.client.Progress(r.s.life, &protocol.ProgressParams{Token: r.token, Value: raw}); err != nil && r.s.life.Err() == nil {
		r.s.log.Warn("progress", "err", err)
	}
}
