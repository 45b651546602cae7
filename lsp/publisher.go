package lsp

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"

	"go.lsp.dev/protocol"
)

// patience is how long edits may go on cancelling the computation of
// diagnostics before one is let finish: without it a file that takes longer
// than the time between two keys would show nothing until the typing stops.
const patience = 300 * time.Millisecond

// A publisher keeps the client's diagnostics in step with the newest snapshot.
// One goroutine computes and sends; edits only mark what changed, cancel what
// runs, and wake it.
type publisher struct {
	wake chan struct{} // holds at most one token

	mu       sync.Mutex
	edited   []string    // paths changed since they were last sent, newest last
	related  bool        // the other open documents have to be looked at again
	gone     []*document // closed, to be cleared
	cancel   func()      // cancels the running round
	waiting  time.Time   // when the oldest unanswered change came; zero if none
	failures map[string][]protocol.Diagnostic

	// Only the worker uses these.
	sent map[string]published
}

// published is what a client was last told about a path.
type published struct {
	doc     *document // nil for a path that was not open
	version int32
	body    []byte // the encoded message
}

func (p *publisher) start(s *Server) {
	p.wake = make(chan struct{}, 1)
	p.failures = map[string][]protocol.Diagnostic{}
	p.sent = map[string]published{}
	s.spawn("diagnostics", func(ctx context.Context) {
		for {
			select {
			case <-ctx.Done():
				return
			case <-p.wake:
			}
			for ctx.Err() == nil && s.round(ctx) {
			}
		}
	})
}

func (p *publisher) poke() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// changed says that a document was opened or edited. What the last run found
// wrong in it is taken back: the text is another now.
func (p *publisher) changed(path string) {
	p.mu.Lock()
	for i, e := range p.edited {
		if e == path {
			p.edited = append(p.edited[:i], p.edited[i+1:]...)
			break
		}
	}
	p.edited = append(p.edited, path)
	p.related = true
	delete(p.failures, path)
	now := time.Now()
	if p.waiting.IsZero() {
		p.waiting = now
	}
	if p.cancel != nil && now.Sub(p.waiting) < patience {
		p.cancel()
	}
	p.mu.Unlock()
	p.poke()
}

// refresh says that something but a document changed: a file on disk, the
// configuration, a folder.
func (p *publisher) refresh() {
	p.mu.Lock()
	p.related = true
	p.mu.Unlock()
	p.poke()
}

func (p *publisher) closed(doc *document) {
	p.mu.Lock()
	p.gone = append(p.gone, doc)
	p.related = true
	p.mu.Unlock()
	p.poke()
}

// forget takes back what runs found wrong in a file that is no more.
func (p *publisher) forget(path string) {
	p.mu.Lock()
	delete(p.failures, path)
	p.mu.Unlock()
}

// fail publishes what a run found wrong; nil takes back everything that runs
// had published.
func (p *publisher) fail(path string, d *protocol.Diagnostic) {
	p.mu.Lock()
	if d == nil {
		clear(p.failures)
	} else {
		p.failures[path] = append(p.failures[path], *d)
	}
	p.related = true
	p.mu.Unlock()
	p.poke()
}

// round sends what is due, the file being typed in first, and reports whether
// there is more to do.
func (s *Server) round(life context.Context) (again bool) {
	p := &s.pub
	ctx, cancel := context.WithCancel(life)
	defer cancel()
	p.mu.Lock()
	edited, related, gone := p.edited, p.related, p.gone
	p.edited, p.related, p.gone = nil, false, nil
	p.cancel = cancel
	failed := make(map[string][]protocol.Diagnostic, len(p.failures))
	for path, list := range p.failures {
		failed[path] = list
	}
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.cancel = nil
		if len(p.edited) == 0 {
			p.waiting = time.Time{}
		}
		again = len(p.edited) > 0 || p.related || len(p.gone) > 0
		p.mu.Unlock()
	}()

	for _, doc := range gone {
		if s.docs.at(doc.path) == nil {
			s.send(doc.path, nil, nil, failed[doc.path], true)
		}
	}
	// The documents are looked up before the snapshots are taken: one that is
	// still the same when its findings are sent was open all the time.
	open := map[string]*document{}
	for _, doc := range s.docs.all() {
		open[doc.path] = doc
	}
	w := s.world()
	if related && !s.pull {
		for path, list := range s.configProblems(ctx, w) {
			failed[path] = append(slices.Clip(failed[path]), list...)
		}
	}
	for i := len(edited) - 1; i >= 0; i-- {
		doc := open[edited[i]]
		delete(open, edited[i])
		if doc == nil {
			continue
		}
		if !s.publish(ctx, w, doc, failed[doc.path], true) {
			p.again(edited[:i+1])
			return
		}
	}
	if !related {
		return
	}
	for _, doc := range open {
		if !s.publish(ctx, w, doc, failed[doc.path], false) {
			p.again(nil)
			return
		}
	}
	for path := range failed {
		if s.docs.at(path) == nil {
			s.send(path, nil, nil, failed[path], false)
		}
	}
	for path, last := range p.sent {
		if last.doc == nil && failed[path] == nil {
			s.send(path, nil, nil, nil, false)
		}
	}
	return
}

// again puts back what a cancelled round did not get to. Newer changes stay
// the first to be done.
func (p *publisher) again(edited []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.related = true
	var older []string
	for _, path := range edited {
		seen := false
		for _, e := range p.edited {
			seen = seen || e == path
		}
		if !seen {
			older = append(older, path)
		}
	}
	p.edited = append(older, p.edited...)
}

// publish sends the findings of one open document; force sends them even if
// they are the same as before, so that the client learns they hold for its
// new version. It reports false when it was cancelled.
func (s *Server) publish(ctx context.Context, w world, doc *document, failed []protocol.Diagnostic, force bool) bool {
	snap := w.of(doc.path)
	if snap == nil {
		return true
	}
	buf, ok := snap.Buffer(doc.path)
	if !ok {
		return true
	}
	var diags []protocol.Diagnostic
	if !s.pull {
		findings := s.findings(ctx, snap, doc.path)
		if ctx.Err() != nil {
			return false
		}
		diags = s.diagnostics(snap, buf.Lines, findings)
	}
	s.send(doc.path, doc, &buf.Version, append(diags, failed...), force && !s.pull)
	return true
}

// send tells the client about a path unless that would tell it of an older
// version, or nothing new. Only the worker calls it, so sets arrive in order.
func (s *Server) send(path string, doc *document, version *int32, diags []protocol.Diagnostic, force bool) {
	p := &s.pub
	last, known := p.sent[path]
	if doc != nil {
		if s.docs.at(path) != doc {
			return // closed, or opened anew, meanwhile
		}
		if known && last.doc == doc && *version < last.version {
			return
		}
	}
	if diags == nil {
		diags = []protocol.Diagnostic{} // null would be no list
	}
	params := &protocol.PublishDiagnosticsParams{URI: s.uriOf(path), Diagnostics: diags}
	now := published{doc: doc}
	if version != nil {
		now.version = *version
	}
	body, err := protocol.Marshal(params)
	if err != nil {
		s.log.Error("diagnostics", "path", path, "err", err)
		return
	}
	now.body = body
	same := known && last.doc == doc && bytes.Equal(last.body, body)
	if same && !force || !known && len(diags) == 0 && !force {
		return
	}
	if doc == nil && len(diags) == 0 {
		delete(p.sent, path)
		if !known {
			return
		}
	} else {
		p.sent[path] = now
	}
	if version != nil {
		params.Version = protocol.NewOptional(*version)
	}
	if err := s.client.PublishDiagnostics(s.life, params); err != nil && s.life.Err() == nil {
		s.log.Warn("publish diagnostics", "path", path, "err", err)
	}
}
