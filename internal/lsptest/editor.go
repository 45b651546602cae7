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
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
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

type buffer struct {
	version int
	text    string
	history map[int]string // the text of every version since it was opened
}

type published struct {
	version *int
	list    []Diagnostic
	count   int
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

// URI is how VS Code writes a file's URI: more is escaped than need be.
func URI(path string) string {
	parts := strings.Split(filepath.ToSlash(path), "/")
	for i, p := range parts {
		p = url.PathEscape(p)
		p = strings.NewReplacer("@", "%40", ":", "%3A", "+", "%2B", "=", "%3D", "$", "%24", "&", "%26").Replace(p)
		parts[i] = p
	}
	return "file://" + strings.Join(parts, "/")
}

// Path is the way back.
func Path(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return uri
	}
	return filepath.FromSlash(u.Path)
}

// document is the URI of a path, or the URI itself.
func document(path string) string {
	if strings.Contains(path, ":") && !filepath.IsAbs(path) {
		return path
	}
	return URI(path)
}

// key leads every spelling of a URI to one.
func key(uri string) string {
	if s, err := url.PathUnescape(uri); err == nil {
		return s
	}
	return uri
}

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

// Open opens a file with the text that it has on disk.
func (e *Editor) Open(path string) {
	e.t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		e.t.Fatal(err)
	}
	e.OpenText(path, string(text))
}

// OpenText opens a document, a path or a URI of any scheme, with a text.
func (e *Editor) OpenText(path, text string) {
	e.t.Helper()
	uri := document(path)
	e.mu.Lock()
	delete(e.diags, key(uri))
	e.buffers[key(uri)] = &buffer{version: 1, text: text, history: map[int]string{1: text}}
	e.mu.Unlock()
	e.Notify("textDocument/didOpen", map[string]any{"textDocument": map[string]any{
		"uri": uri, "languageId": "plaintext", "version": 1, "text": text}})
}

// Text is the text of an open buffer.
func (e *Editor) Text(path string) string {
	e.t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.buffer(path).text
}

func (e *Editor) buffer(path string) *buffer {
	e.t.Helper()
	b := e.buffers[key(document(path))]
	if b == nil {
		e.t.Fatalf("%s is not open", path)
	}
	return b
}

// A Change replaces the bytes [Start, End) of a buffer.
type Change struct {
	Start, End int
	Text       string
}

// Edit makes changes in one notification, each on the text that the one
// before left.
func (e *Editor) Edit(path string, changes ...Change) {
	e.t.Helper()
	e.mu.Lock()
	b := e.buffer(path)
	var events []any
	text := b.text
	for _, c := range changes {
		events = append(events, map[string]any{
			"range": Range{PositionOf(text, c.Start, e.encoding), PositionOf(text, c.End, e.encoding)},
			"text":  c.Text,
		})
		text = text[:c.Start] + c.Text + text[c.End:]
	}
	version := b.set(text)
	e.mu.Unlock()
	e.didChange(path, version, events)
}

// SetText sends the whole text anew.
func (e *Editor) SetText(path, text string) {
	e.t.Helper()
	e.mu.Lock()
	version := e.buffer(path).set(text)
	e.mu.Unlock()
	e.didChange(path, version, []any{map[string]any{"text": text}})
}

func (b *buffer) set(text string) int {
	b.version++
	b.text = text
	b.history[b.version] = text
	return b.version
}

func (e *Editor) didChange(path string, version int, events []any) {
	e.t.Helper()
	e.Notify("textDocument/didChange", map[string]any{
		"textDocument": map[string]any{"uri": document(path), "version": version}, "contentChanges": events})
}

// Replace changes the first match of a regular expression.
func (e *Editor) Replace(path, re, text string) {
	e.t.Helper()
	start, end := e.Find(path, re)
	e.Edit(path, Change{start, end, text})
}

// Find returns the bytes of the first match of a regular expression.
func (e *Editor) Find(path, re string) (start, end int) {
	e.t.Helper()
	text := e.Text(path)
	m := regexp.MustCompile(re).FindStringIndex(text)
	if m == nil {
		e.t.Fatalf("%s has no %q:\n%s", path, re, text)
	}
	return m[0], m[1]
}

// Save writes the buffer to its file and says so.
func (e *Editor) Save(path string) {
	e.t.Helper()
	if err := os.WriteFile(path, []byte(e.Text(path)), 0o644); err != nil {
		e.t.Fatal(err)
	}
	e.Notify("textDocument/didSave", map[string]any{"textDocument": map[string]any{"uri": document(path)}})
}

// Close closes a buffer.
func (e *Editor) Close(path string) {
	e.t.Helper()
	e.mu.Lock()
	delete(e.buffers, key(document(path)))
	e.mu.Unlock()
	e.Notify("textDocument/didClose", map[string]any{"textDocument": map[string]any{"uri": document(path)}})
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

// At is the textDocument and position of a byte offset.
func (e *Editor) At(path string, offset int) map[string]any {
	e.t.Helper()
	return map[string]any{
		"textDocument": map[string]any{"uri": document(path)},
		"position":     PositionOf(e.Text(path), offset, e.encoding),
	}
}

// RangeOf is a byte range as the protocol writes it.
func (e *Editor) RangeOf(path string, start, end int) Range {
	e.t.Helper()
	text := e.Text(path)
	return Range{PositionOf(text, start, e.encoding), PositionOf(text, end, e.encoding)}
}

// Span leads a range back to bytes.
func (e *Editor) Span(path string, r Range) (start, end int) {
	e.t.Helper()
	text := e.Text(path)
	start, err := OffsetOf(text, r.Start, e.encoding)
	if err != nil {
		e.t.Fatal(err)
	}
	if end, err = OffsetOf(text, r.End, e.encoding); err != nil {
		e.t.Fatal(err)
	}
	return start, end
}

// Hover returns what is shown at a byte offset, "" for nothing.
func (e *Editor) Hover(path string, offset int) string {
	e.t.Helper()
	var res *struct {
		Contents struct{ Kind, Value string } `json:"contents"`
		Range    *Range                       `json:"range"`
	}
	if err := e.Call("textDocument/hover", e.At(path, offset), &res); err != nil {
		e.t.Fatalf("hover: %v", err)
	}
	if res == nil {
		return ""
	}
	if res.Range != nil {
		e.checkRange(path, e.Text(path), *res.Range)
	}
	return res.Contents.Value
}

// Complete returns what is proposed at a byte offset.
func (e *Editor) Complete(path string, offset int) []CompletionItem {
	e.t.Helper()
	var list struct {
		Items *[]CompletionItem `json:"items"`
	}
	if err := e.Call("textDocument/completion", e.At(path, offset), &list); err != nil {
		e.t.Fatalf("completion: %v", err)
	}
	if list.Items == nil {
		e.t.Fatal("completion items are null")
	}
	for _, item := range *list.Items {
		if item.TextEdit != nil {
			e.checkRange(path, e.Text(path), item.TextEdit.Range)
		}
	}
	return *list.Items
}

// CodeActions asks for the actions of a byte range; automatic as if the
// cursor had merely come there.
func (e *Editor) CodeActions(path string, start, end int, automatic bool, only ...string) []CodeAction {
	e.t.Helper()
	ctx := map[string]any{"diagnostics": []any{}, "triggerKind": 1}
	if automatic {
		ctx["triggerKind"] = 2
	}
	if only != nil {
		ctx["only"] = only
	}
	var list *[]CodeAction
	err := e.Call("textDocument/codeAction", map[string]any{
		"textDocument": map[string]any{"uri": document(path)}, "range": e.RangeOf(path, start, end), "context": ctx,
	}, &list)
	if err != nil {
		e.t.Fatalf("codeAction: %v", err)
	}
	if list == nil {
		e.t.Fatal("code actions are null")
	}
	return *list
}

// Apply carries a code action out: resolves it where it has nothing to do yet,
// applies its edit, runs its command.
func (e *Editor) Apply(a CodeAction) json.RawMessage {
	e.t.Helper()
	if a.Edit == nil && a.Command == nil {
		var resolved CodeAction
		if err := e.Call("codeAction/resolve", a, &resolved); err != nil {
			e.t.Fatalf("codeAction/resolve %q: %v", a.Title, err)
		}
		a = resolved
	}
	if a.Edit != nil {
		e.ApplyEdit(a.Edit)
	}
	if a.Command == nil {
		return nil
	}
	res, err := e.run(a.Command)
	if err != nil {
		e.t.Fatalf("%s: %v", a.Command.Command, err)
	}
	return res
}

func (e *Editor) run(c *Command) (json.RawMessage, error) {
	var res json.RawMessage
	err := e.Call("workspace/executeCommand", map[string]any{"command": c.Command, "arguments": c.Arguments}, &res)
	return res, err
}

// Command runs one of the server's commands with one argument.
func (e *Editor) Command(id string, arg any) (json.RawMessage, error) {
	e.t.Helper()
	raw, err := json.Marshal(arg)
	if err != nil {
		e.t.Fatal(err)
	}
	return e.run(&Command{Command: id, Arguments: []json.RawMessage{raw}})
}

// ApplyEdit applies a workspace edit: to the buffers that are open, to files
// otherwise.
func (e *Editor) ApplyEdit(w *WorkspaceEdit) {
	e.t.Helper()
	for uri, edits := range w.Changes {
		e.applyTo(uri, nil, edits)
	}
	for _, c := range w.DocumentChanges {
		switch {
		case c.Kind == "create":
			if err := os.MkdirAll(filepath.Dir(Path(c.URI)), 0o755); err != nil {
				e.t.Error(err)
			}
			f, err := os.OpenFile(Path(c.URI), os.O_CREATE|os.O_EXCL, 0o644)
			if err != nil {
				e.t.Errorf("create: %v", err)
				continue
			}
			f.Close()
		case c.Kind != "":
			e.t.Errorf("an edit of the kind %q", c.Kind)
		default:
			e.applyTo(c.TextDocument.URI, c.TextDocument.Version, c.Edits)
		}
	}
}

func (e *Editor) applyTo(uri string, version *int, edits []TextEdit) {
	e.t.Helper()
	e.mu.Lock()
	b := e.buffers[key(uri)]
	if b == nil {
		e.mu.Unlock()
		path := Path(uri)
		old, err := os.ReadFile(path)
		if err != nil {
			e.t.Errorf("edit of %s: %v", uri, err)
			return
		}
		text, err := Apply(string(old), edits, e.encoding)
		if err != nil {
			e.t.Errorf("edit of %s: %v", uri, err)
			return
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			e.t.Error(err)
		}
		e.Notify("workspace/didChangeWatchedFiles", map[string]any{"changes": []any{map[string]any{"uri": uri, "type": 2}}})
		return
	}
	if version != nil && *version != b.version {
		e.t.Errorf("%s: an edit for version %d of a buffer of version %d", uri, *version, b.version)
	}
	text, err := Apply(b.text, edits, e.encoding)
	if err != nil {
		e.mu.Unlock()
		e.t.Errorf("edit of %s: %v", uri, err)
		return
	}
	v := b.set(text)
	e.mu.Unlock()
	e.didChange(uri, v, []any{map[string]any{"text": text}})
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
