package lsp

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/internal/workspace"
)

// createFile writes a new file. It never overwrites one.
func createFile(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists already", path)
	}
	if err != nil {
		return err
	}
	if _, err := f.WriteString(text); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// show has the client open a file, where it can.
func (s *Server) show(ctx context.Context, path string) {
	if !s.caps.showDocument {
		return
	}
	if _, err := s.client.ShowDocument(ctx, &protocol.ShowDocumentParams{URI: uri.File(path), TakeFocus: ptr(true)}); err != nil && ctx.Err() == nil {
		s.log.Warn("window/showDocument", "err", err)
	}
}

// applyEdits writes the files that edits make and has the client apply the
// others.
func (s *Server) applyEdits(ctx context.Context, snap *workspace.Snapshot, label string, edits []source.Edit) error {
	var rest []source.Edit
	var made []string
	for _, e := range edits {
		if _, err := snap.Lines(e.Path); !errors.Is(err, fs.ErrNotExist) {
			rest = append(rest, e)
			continue
		}
		if err := createFile(e.Path, e.New); err != nil {
			return err
		}
		made = append(made, e.Path)
		s.touch(e.Path)
	}
	if len(rest) > 0 {
		if err := s.applyInEditor(ctx, snap, label, rest); err != nil {
			for _, path := range made { // the one without the other would be wrong
				_ = os.Remove(path) // made a moment ago
				s.touch(path)
			}
			return err
		}
	}
	for _, path := range made {
		s.show(ctx, path)
	}
	s.pub.refresh()
	return nil
}

// applyInEditor has the client make edits of files that exist.
func (s *Server) applyInEditor(ctx context.Context, snap *workspace.Snapshot, label string, edits []source.Edit) error {
	w, err := s.workspaceEdit(snap, edits)
	if err != nil {
		return err
	}
	res, err := s.client.ApplyEdit(ctx, &protocol.ApplyWorkspaceEditParams{Label: &label, Edit: *w})
	if err != nil {
		return fmt.Errorf("the editor did not apply the edit: %w", err)
	}
	if res == nil || !res.Applied {
		return errors.New("the editor did not apply the edit")
	}
	return nil
}
