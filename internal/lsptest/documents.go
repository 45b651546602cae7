package lsptest

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

type buffer struct {
	version int
	text    string
	history map[int]string // the text of every version since it was opened
}

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
