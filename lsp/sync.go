package lsp

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/ddlsp/ddlsp/internal/source"
)

// documents are the open documents, by the path that the rest of the program
// knows them by. Safe for concurrent use; only the reader changes them.
type documents struct {
	mu     sync.Mutex // guards byURI and byPath
	byURI  map[uri.URI]*document
	byPath map[string]*document
}

// A document is one opening of a URI: opened anew, it is another document, so
// that diagnostics computed for the one are never taken for the other's.
type document struct {
	uri  uri.URI
	path string
	// edited is set while the text may differ from what the client last saved.
	edited atomic.Bool
	// Only the reader uses these; others ask a snapshot.
	version int32
	root    *root
}

func (d *documents) open(doc *document) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.byURI == nil {
		d.byURI, d.byPath = map[uri.URI]*document{}, map[string]*document{}
	}
	d.byURI[doc.uri] = doc
	d.byPath[doc.path] = doc
}

func (d *documents) close(u uri.URI) *document {
	d.mu.Lock()
	defer d.mu.Unlock()
	doc := d.byURI[u]
	if doc == nil {
		return nil
	}
	delete(d.byURI, u)
	if d.byPath[doc.path] == doc {
		delete(d.byPath, doc.path)
	}
	return doc
}

func (d *documents) get(u uri.URI) *document {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.byURI[u]
}

func (d *documents) at(path string) *document {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.byPath[path]
}

func (d *documents) uri(path string) (uri.URI, bool) {
	if doc := d.at(path); doc != nil {
		return doc.uri, true
	}
	return "", false
}

func (d *documents) all() []*document {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make([]*document, 0, len(d.byPath))
	for _, doc := range d.byPath {
		out = append(out, doc)
	}
	return out
}

// path is the path of any URI that a request names: the open document's, else
// the file's.
func (s *Server) path(u uri.URI) string {
	if doc := s.docs.get(u); doc != nil {
		return doc.path
	}
	return pathOf(u, "")
}

func (s *Server) DidOpen(_ context.Context, p *protocol.DidOpenTextDocumentParams) error {
	item := p.TextDocument
	delete(s.departed, item.URI)
	path := pathOf(item.URI, item.Text)
	doc := &document{uri: item.URI, path: path, version: item.Version, root: s.roots.of(path)}
	s.docs.open(doc)
	doc.root.session.Open(path, item.Version, item.Text)
	s.pub.changed(path)
	return nil
}

func (s *Server) DidChange(_ context.Context, p *protocol.DidChangeTextDocumentParams) error {
	s.bringBack(p.TextDocument.URI)
	doc := s.docs.get(p.TextDocument.URI)
	if doc == nil {
		return fmt.Errorf("%s was changed but is not open", p.TextDocument.URI)
	}
	if p.TextDocument.Version <= doc.version {
		// The change still has to be applied, or the texts would part.
		s.log.Warn("version does not grow", "uri", doc.uri, "from", doc.version, "to", p.TextDocument.Version)
	}
	version := max(doc.version, p.TextDocument.Version)
	doc.root.session.Change(doc.path, version, func(l *source.Lines) *source.Lines {
		for _, c := range p.ContentChanges {
			l = s.applyChange(l, c)
		}
		return l
	})
	doc.version = version
	doc.edited.Store(true)
	s.pub.changed(doc.path)
	return nil
}

func (s *Server) applyChange(l *source.Lines, c protocol.TextDocumentContentChangeEvent) *source.Lines {
	switch c := c.(type) {
	case *protocol.TextDocumentContentChangePartial:
		return l.Replace(s.spanOf(l, c.Range), c.Text)
	case *protocol.TextDocumentContentChangeWholeDocument:
		return source.NewLines(c.Text)
	}
	s.log.Error("a change of a kind that the protocol does not know", "type", fmt.Sprintf("%T", c))
	return l
}

func (s *Server) DidSave(_ context.Context, p *protocol.DidSaveTextDocumentParams) error {
	s.bringBack(p.TextDocument.URI)
	if doc := s.docs.get(p.TextDocument.URI); doc != nil {
		doc.edited.Store(false)
	}
	path := s.path(p.TextDocument.URI)
	s.roots.of(path).session.Touch(path)
	s.pub.changed(path)
	return nil
}

// A departed document is open in the client, but its file was deleted. Clients
// keep documents for minutes after their last window has gone, and a branch
// that is checked out takes migrations away: such a text is no part of the
// history until somebody works on it or the file is back.
type departed struct {
	doc  *document
	text string
}

// depart takes a document out whose file the client says is deleted, unless
// there are edits in it.
func (s *Server) depart(path string) {
	doc := s.docs.at(path)
	if doc == nil || doc.edited.Load() || doc.uri.Scheme() != "file" {
		return
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return // it is there again
	}
	buf, ok := doc.root.session.Snapshot().Buffer(path)
	if !ok {
		return
	}
	if s.departed == nil {
		s.departed = map[uri.URI]departed{}
	}
	s.departed[doc.uri] = departed{doc, buf.Lines.Text()}
	s.docs.close(doc.uri)
	doc.root.session.Close(path)
	s.pub.closed(doc)
}

// bringBack makes a departed document an open one again.
func (s *Server) bringBack(u uri.URI) {
	d, ok := s.departed[u]
	if !ok {
		return
	}
	delete(s.departed, u)
	doc := &document{uri: u, path: d.doc.path, version: d.doc.version, root: s.roots.of(d.doc.path)}
	s.docs.open(doc)
	doc.root.session.Open(doc.path, doc.version, d.text)
	s.pub.changed(doc.path)
}

func (s *Server) DidClose(_ context.Context, p *protocol.DidCloseTextDocumentParams) error {
	if _, ok := s.departed[p.TextDocument.URI]; ok {
		delete(s.departed, p.TextDocument.URI)
		return nil
	}
	doc := s.docs.close(p.TextDocument.URI)
	if doc == nil {
		return fmt.Errorf("%s was closed but is not open", p.TextDocument.URI)
	}
	doc.root.session.Close(doc.path)
	s.pub.closed(doc)
	return nil
}
