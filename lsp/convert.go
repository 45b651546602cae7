package lsp

import (
	"path/filepath"
	"strings"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/ddlsp/ddlsp/internal/source"
)

// Only this file knows how bytes and paths become positions and URIs.

// position is the place of a byte offset.
func (s *Server) position(l *source.Lines, offset int) protocol.Position {
	p := l.Position(offset, s.encoding)
	return protocol.Position{Line: uint32(p.Line), Character: uint32(p.Column)}
}

// rangeOf is the place of a byte range.
func (s *Server) rangeOf(l *source.Lines, span source.Span) protocol.Range {
	return protocol.Range{Start: s.position(l, span.Start), End: s.position(l, span.End)}
}

// offsetOf is the byte offset of a position, clamped to its line.
func (s *Server) offsetOf(l *source.Lines, p protocol.Position) int {
	return l.Offset(source.Position{Line: clampInt(p.Line), Column: clampInt(p.Character)}, s.encoding)
}

// spanOf is the byte range of a range; a reversed one is turned around.
func (s *Server) spanOf(l *source.Lines, r protocol.Range) source.Span {
	span := source.Span{Start: s.offsetOf(l, r.Start), End: s.offsetOf(l, r.End)}
	if span.End < span.Start {
		span.Start, span.End = span.End, span.Start
	}
	return span
}

// clampInt keeps a wire number, which may be 2^32-1 for "the end", an int on
// every platform.
func clampInt(n uint32) int { return int(min(n, 1<<31-1)) }

// untitledDir holds the paths that unsaved documents are given. It is no
// directory of any file system, so that nothing is found beside them.
const untitledDir = string(filepath.Separator) + "untitled:"

// pathOf is the key that the rest of the program knows a document by: for a
// file its absolute, cleaned path. A document of another scheme (untitled:,
// git:) gets a path that exists nowhere, with the extension that its name has
// or, without one, that its text calls for.
//
// Clients escape differently (file:///c%3A/x, file:///home/a@b and
// file:///home/a%40b); decoding has led them all to one form before this.
func pathOf(u uri.URI, text string) string {
	if u.Scheme() == "file" {
		return filepath.Clean(u.FsPath())
	}
	name := strings.Trim(u.Scheme()+":"+u.Path(), "/")
	name = strings.NewReplacer("/", "_", "\\", "_", ":", "_").Replace(name)
	if filepath.Ext(name) == "" {
		if strings.Contains(text, "defmodule ") || strings.Contains(text, "use Ecto.Migration") {
			name += ".exs"
		} else {
			name += ".sql"
		}
	}
	return filepath.Join(untitledDir, name)
}

// uriOf is the URI of a path: the one that the client opened it with, else the
// file's.
func (s *Server) uriOf(path string) uri.URI {
	if u, ok := s.docs.uri(path); ok {
		return u
	}
	return uri.File(path)
}

func ptr[T any](v T) *T { return &v }

// has reads an optional capability.
func has(b *bool) bool { return b != nil && *b }
