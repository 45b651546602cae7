package lsptest

import (
	"encoding/json"
	"fmt"
	"time"
)

type published struct {
	version *int
	list    []Diagnostic
	count   int
}

// published checks and keeps one publication. The caller holds mu.
func (e *Editor) published(raw json.RawMessage) {
	var p struct {
		URI         string        `json:"uri"`
		Version     *int          `json:"version"`
		Diagnostics *[]Diagnostic `json:"diagnostics"`
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		e.t.Errorf("publishDiagnostics %s: %v", raw, err)
		return
	}
	if p.Diagnostics == nil {
		e.t.Errorf("publishDiagnostics with a list that is null: %s", raw)
		return
	}
	k := key(p.URI)
	now := &published{version: p.Version, list: *p.Diagnostics, count: 1}
	if last := e.diags[k]; last != nil {
		now.count += last.count
		if p.Version != nil && last.version != nil && *p.Version < *last.version {
			e.t.Errorf("%s: diagnostics went back from version %d to %d", p.URI, *last.version, *p.Version)
		}
	}
	e.diags[k] = now
	b := e.buffers[k]
	if b == nil || p.Version == nil {
		return
	}
	if *p.Version > b.version {
		e.t.Errorf("%s: diagnostics for version %d, which does not exist yet", p.URI, *p.Version)
		return
	}
	text, ok := b.history[*p.Version]
	if !ok {
		e.t.Errorf("%s: diagnostics for version %d, which is none of this opening", p.URI, *p.Version)
		return
	}
	for _, d := range now.list {
		e.checkRange(p.URI, text, d.Range)
	}
}

func (e *Editor) checkRange(uri, text string, r Range) {
	start, err := OffsetOf(text, r.Start, e.encoding)
	if err != nil {
		e.t.Errorf("%s: %v", uri, err)
		return
	}
	end, err := OffsetOf(text, r.End, e.encoding)
	if err != nil {
		e.t.Errorf("%s: %v", uri, err)
		return
	}
	if end < start {
		e.t.Errorf("%s: range %v ends before it starts", uri, r)
	}
}

// wait waits until cond holds; the caller holds mu.
func (e *Editor) wait(what string, cond func() bool) {
	e.t.Helper()
	over := false
	timer := time.AfterFunc(patience, func() {
		e.mu.Lock()
		over = true
		e.cond.Broadcast()
		e.mu.Unlock()
	})
	defer timer.Stop()
	for !cond() {
		if over || e.done {
			e.mu.Unlock()
			defer e.mu.Lock() // Fatalf leaves through the caller's Unlock
			e.t.Fatalf("waited in vain for %s (connection ended: %v %v)", what, e.done, e.readErr)
		}
		e.cond.Wait()
	}
}

// Diagnostics waits for those of the buffer's present version.
func (e *Editor) Diagnostics(path string) []Diagnostic {
	e.t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	k := key(document(path))
	version := e.buffer(path).version
	e.wait(fmt.Sprintf("diagnostics of %s version %d", path, version), func() bool {
		d := e.diags[k]
		return d != nil && d.version != nil && *d.version == version
	})
	return e.diags[k].list
}

// AwaitDiagnostics waits until what is published for a path satisfies cond.
func (e *Editor) AwaitDiagnostics(path string, cond func([]Diagnostic) bool) []Diagnostic {
	e.t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	k := key(document(path))
	e.wait("diagnostics of "+path, func() bool {
		d := e.diags[k]
		return d != nil && cond(d.list)
	})
	return e.diags[k].list
}

// Publications counts what was published for a path since it was opened.
func (e *Editor) Publications(path string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	if d := e.diags[key(document(path))]; d != nil {
		return d.count
	}
	return 0
}

// Shown are the messages that the server showed.
func (e *Editor) Shown() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.shown...)
}

// Notifications are all that came of one method.
func (e *Editor) Notifications(method string) []json.RawMessage {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []json.RawMessage
	for _, m := range e.notes {
		if m.Method == method {
			out = append(out, m.Params)
		}
	}
	return out
}

// Asked waits until the server has made a request of a method, and returns
// the parameters of all of them.
func (e *Editor) Asked(method string) []json.RawMessage {
	e.t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.wait("the server to ask "+method, func() bool { return e.asks(method) != nil })
	return e.asks(method)
}

func (e *Editor) asks(method string) (out []json.RawMessage) {
	for _, m := range e.asked {
		if m.Method == method {
			out = append(out, m.Params)
		}
	}
	return out
}
