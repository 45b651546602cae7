package lsp

import (
	"errors"
	"io/fs"
	"sort"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/internal/workspace"
)

// errCreates says that an edit makes a file and the client cannot.
var errCreates = errors.New("the editor cannot create files by an edit")

// workspaceEdit turns byte edits into the client's: versioned document changes
// where it takes them, else plain changes. Edits of a file that does not exist
// create it; for a client that cannot, the error is errCreates.
func (s *Server) workspaceEdit(snap *workspace.Snapshot, edits []source.Edit) (*protocol.WorkspaceEdit, error) {
	byPath := map[string][]source.Edit{}
	var paths []string
	for _, e := range edits {
		if byPath[e.Path] == nil {
			paths = append(paths, e.Path)
		}
		byPath[e.Path] = append(byPath[e.Path], e)
	}
	sort.Strings(paths)
	out := &protocol.WorkspaceEdit{}
	for _, path := range paths {
		u := s.uriOf(path)
		lines, err := snap.Lines(path)
		fresh := errors.Is(err, fs.ErrNotExist)
		if err != nil && !fresh {
			return nil, err
		}
		if fresh {
			if !s.caps.createFiles {
				return nil, errCreates
			}
			lines = source.NewLines("")
			out.DocumentChanges = append(out.DocumentChanges, &protocol.CreateFile{Kind: "create", URI: u})
		}
		text := s.textEdits(lines, byPath[path])
		if !s.caps.documentChanges {
			if out.Changes == nil {
				out.Changes = map[uri.URI][]protocol.TextEdit{}
			}
			out.Changes[u] = text
			continue
		}
		change := &protocol.TextDocumentEdit{TextDocument: protocol.OptionalVersionedTextDocumentIdentifier{
			TextDocumentIdentifier: protocol.TextDocumentIdentifier{URI: u},
		}}
		if buf, ok := snap.Buffer(path); ok {
			change.TextDocument.Version = &buf.Version
		}
		for i := range text {
			change.Edits = append(change.Edits, &text[i])
		}
		out.DocumentChanges = append(out.DocumentChanges, change)
	}
	return out, nil
}

func (s *Server) textEdits(l *source.Lines, edits []source.Edit) []protocol.TextEdit {
	out := make([]protocol.TextEdit, len(edits))
	for i, e := range edits {
		out[i] = protocol.TextEdit{Range: s.rangeOf(l, e.Span), NewText: e.New}
	}
	return out
}
