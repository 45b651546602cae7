// Package lsptest is an editor for tests: it holds buffers, speaks the
// Language Server Protocol over any stream, and checks what a server must
// never do whatever the test is about: answer a request twice, publish a list
// that is null, a range outside the text it is for, or an older version after
// a newer one.
package lsptest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// patience is how long an answer may take before a test gives up on it.
const patience = 30 * time.Second

// Options say what kind of editor it is. The zero value is one that can do
// everything and counts in UTF-16, as VS Code does.
type Options struct {
	// Dir is the workspace folder; empty for none.
	Dir string
	// Folders are the workspace folders, where one is not enough.
	Folders []string
	// Encodings are offered in this order; nil offers UTF-16 only.
	Encodings []string
	// Init are the initializationOptions.
	Init any
	// Capabilities changes the client capabilities before they are sent.
	Capabilities func(caps map[string]any)
	// Answer answers the server's requests by method; the second value says
	// whether it did. What it does not answer gets the editor's own answer:
	// null, or "method not found" for what it does not know.
	Answer func(method string, params json.RawMessage) (any, bool)
}

// An Editor is the client side of one connection. Its methods fail the test
// when something goes wrong; they are safe for concurrent use.
type Editor struct {
	t        testing.TB
	opts     Options
	encoding string
	conn     io.ReadWriteCloser
	writeMu  sync.Mutex

	// Capabilities are the server's.
	Capabilities map[string]json.RawMessage

	mu      sync.Mutex // guards all below
	cond    *sync.Cond
	nextID  int
	pending map[int]chan *Message
	buffers map[string]*buffer // by URI
	diags   map[string]*published
	shown   []string // window/showMessage
	notes   []*Message
	asked   []*Message // requests of the server
	done    bool
	readErr error
}

// Start connects, initializes, and ends the connection with the test.
func Start(t testing.TB, conn io.ReadWriteCloser, opts Options) *Editor {
	t.Helper()
	e := &Editor{t: t, opts: opts, conn: conn, pending: map[int]chan *Message{}, buffers: map[string]*buffer{}, diags: map[string]*published{}}
	e.cond = sync.NewCond(&e.mu)
	go e.read()
	t.Cleanup(func() { e.Shutdown() })

	encodings := opts.Encodings
	if encodings == nil {
		encodings = []string{UTF16}
	}
	caps := capabilities(encodings)
	if opts.Capabilities != nil {
		opts.Capabilities(caps)
	}
	params := map[string]any{
		"processId":    os.Getpid(),
		"clientInfo":   map[string]any{"name": "lsptest"},
		"rootUri":      nil,
		"capabilities": caps,
	}
	folders := opts.Folders
	if opts.Dir != "" {
		folders = append([]string{opts.Dir}, folders...)
		params["rootUri"] = URI(opts.Dir)
	}
	var list []any
	for _, f := range folders {
		list = append(list, map[string]any{"uri": URI(f), "name": filepath.Base(f)})
	}
	if list != nil {
		params["workspaceFolders"] = list
	}
	if opts.Init != nil {
		params["initializationOptions"] = opts.Init
	}
	var res struct {
		Capabilities map[string]json.RawMessage `json:"capabilities"`
	}
	if err := e.Call("initialize", params, &res); err != nil {
		t.Fatalf("initialize: %v", err)
	}
	e.Capabilities = res.Capabilities
	e.encoding = UTF16
	if raw := res.Capabilities["positionEncoding"]; raw != nil {
		if err := json.Unmarshal(raw, &e.encoding); err != nil {
			t.Fatal(err)
		}
	}
	e.Notify("initialized", map[string]any{})
	return e
}

// Encoding is what the server chose.
func (e *Editor) Encoding() string { return e.encoding }

func (e *Editor) write(m any) error {
	e.writeMu.Lock()
	defer e.writeMu.Unlock()
	_, err := e.conn.Write(Frame(m))
	return err
}

// Notify sends a notification.
func (e *Editor) Notify(method string, params any) {
	e.t.Helper()
	if err := e.write(map[string]any{"jsonrpc": "2.0", "method": method, "params": params}); err != nil {
		e.t.Errorf("%s: %v", method, err)
	}
}

// A Pending is a request that was sent and not awaited yet.
type Pending struct {
	e      *Editor
	ID     int
	method string
	answer chan *Message
}

// Send sends a request without waiting for its answer.
func (e *Editor) Send(method string, params any) *Pending {
	e.t.Helper()
	e.mu.Lock()
	e.nextID++
	p := &Pending{e: e, ID: e.nextID, method: method, answer: make(chan *Message, 1)}
	e.pending[p.ID] = p.answer
	e.mu.Unlock()
	msg := map[string]any{"jsonrpc": "2.0", "id": p.ID, "method": method}
	if params != nil {
		msg["params"] = params
	}
	if err := e.write(msg); err != nil {
		e.t.Errorf("%s: %v", method, err)
	}
	return p
}

// Wait waits for the answer; an error of the server's is an *Error.
func (p *Pending) Wait(result any) error {
	select {
	case m := <-p.answer:
		switch {
		case m == nil:
			return fmt.Errorf("%s: the connection ended without an answer", p.method)
		case m.Error != nil:
			return m.Error
		case result == nil:
			return nil
		}
		if err := json.Unmarshal(m.Result, result); err != nil {
			return fmt.Errorf("%s answered %s: %w", p.method, m.Result, err)
		}
		return nil
	case <-time.After(patience):
		return fmt.Errorf("%s was not answered in %v", p.method, patience)
	}
}

// Cancel sends $/cancelRequest for it.
func (p *Pending) Cancel() { p.e.Notify("$/cancelRequest", map[string]any{"id": p.ID}) }

// Call sends a request and waits for its answer.
func (e *Editor) Call(method string, params, result any) error {
	e.t.Helper()
	return e.Send(method, params).Wait(result)
}

func (e *Editor) read() {
	r := bufio.NewReader(e.conn)
	for {
		m, err := ReadMessage(r)
		if err != nil {
			e.mu.Lock()
			e.done, e.readErr = true, err
			for id, c := range e.pending {
				delete(e.pending, id)
				c <- nil
			}
			e.cond.Broadcast()
			e.mu.Unlock()
			return
		}
		switch {
		case m.Method == "":
			e.answered(m)
		case m.ID != nil:
			go e.answer(m)
		default:
			e.notified(m)
		}
	}
}

func (e *Editor) answered(m *Message) {
	var id int
	if err := json.Unmarshal(m.ID, &id); err != nil {
		e.t.Errorf("an answer with the id %s: %v", m.ID, err)
		return
	}
	e.mu.Lock()
	c := e.pending[id]
	delete(e.pending, id)
	e.mu.Unlock()
	if c == nil {
		e.t.Errorf("request %d was answered twice, or never asked: %s", id, m.Result)
		return
	}
	if m.Error == nil && m.Result == nil {
		e.t.Errorf("the answer to request %d has neither result nor error", id)
	}
	c <- m
}

func (e *Editor) answer(m *Message) {
	e.mu.Lock()
	e.asked = append(e.asked, m)
	e.cond.Broadcast()
	e.mu.Unlock()
	reply := map[string]any{"jsonrpc": "2.0", "id": m.ID, "result": nil}
	if e.opts.Answer != nil {
		if res, ok := e.opts.Answer(m.Method, m.Params); ok {
			reply["result"] = res
			if err, isErr := res.(*Error); isErr {
				delete(reply, "result")
				reply["error"] = err
			}
			e.write(reply)
			return
		}
	}
	switch m.Method {
	case "client/registerCapability", "client/unregisterCapability", "window/workDoneProgress/create", "window/showMessageRequest",
		"workspace/codeLens/refresh", "workspace/inlayHint/refresh", "workspace/diagnostic/refresh":
	case "window/showDocument":
		reply["result"] = map[string]any{"success": true}
	case "workspace/applyEdit":
		var p struct {
			Edit WorkspaceEdit `json:"edit"`
		}
		if err := json.Unmarshal(m.Params, &p); err != nil {
			e.t.Error(err)
		}
		e.ApplyEdit(&p.Edit)
		reply["result"] = map[string]any{"applied": true}
	case "workspace/configuration":
		var p struct {
			Items []any `json:"items"`
		}
		json.Unmarshal(m.Params, &p)
		reply["result"] = make([]any, len(p.Items))
	default:
		delete(reply, "result")
		reply["error"] = &Error{Code: -32601, Message: "unknown method " + m.Method}
	}
	e.write(reply) // the server may have gone; its test sees that elsewhere
}

func (e *Editor) notified(m *Message) {
	e.mu.Lock()
	defer e.mu.Unlock()
	defer e.cond.Broadcast()
	e.notes = append(e.notes, m)
	switch m.Method {
	case "textDocument/publishDiagnostics":
		e.published(m.Params)
	case "window/showMessage":
		var p struct{ Message string }
		json.Unmarshal(m.Params, &p)
		e.shown = append(e.shown, p.Message)
	}
}

// Shutdown ends the connection in order; a second call does nothing.
func (e *Editor) Shutdown() {
	e.t.Helper()
	e.mu.Lock()
	done := e.done
	e.mu.Unlock()
	if done {
		return
	}
	if err := e.Call("shutdown", nil, nil); err != nil {
		e.mu.Lock()
		done = e.done
		e.mu.Unlock()
		if !done {
			e.t.Errorf("shutdown: %v", err)
		}
		return
	}
	e.write(map[string]any{"jsonrpc": "2.0", "method": "exit"})
	e.mu.Lock()
	e.wait("the connection to end", func() bool { return e.done })
	e.mu.Unlock()
	e.conn.Close()
}

func capabilities(encodings []string) map[string]any {
	return map[string]any{
		"general": map[string]any{"positionEncodings": encodings},
		"workspace": map[string]any{
			"applyEdit":              true,
			"configuration":          true,
			"workspaceFolders":       true,
			"workspaceEdit":          map[string]any{"documentChanges": true, "resourceOperations": []string{"create", "rename", "delete"}},
			"didChangeWatchedFiles":  map[string]any{"dynamicRegistration": true},
			"didChangeConfiguration": map[string]any{"dynamicRegistration": true},
			"codeLens":               map[string]any{"refreshSupport": true},
			"inlayHint":              map[string]any{"refreshSupport": true},
			"diagnostics":            map[string]any{"refreshSupport": true},
		},
		"textDocument": map[string]any{
			"completion": map[string]any{"completionItem": map[string]any{"snippetSupport": true, "documentationFormat": []string{"markdown", "plaintext"}}},
			"hover":      map[string]any{"contentFormat": []string{"markdown", "plaintext"}},
			"codeAction": map[string]any{
				"codeActionLiteralSupport": map[string]any{"codeActionKind": map[string]any{"valueSet": []string{"", "quickfix", "refactor", "source"}}},
				"isPreferredSupport":       true, "dataSupport": true,
				"resolveSupport": map[string]any{"properties": []string{"edit", "command"}},
			},
			"publishDiagnostics": map[string]any{"relatedInformation": true, "versionSupport": true, "codeDescriptionSupport": true},
			"documentSymbol":     map[string]any{"hierarchicalDocumentSymbolSupport": true},
		},
		"window": map[string]any{"workDoneProgress": true, "showDocument": map[string]any{"support": true}, "showMessage": map[string]any{}},
	}
}
