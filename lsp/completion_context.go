package lsp

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/snippets"
)

// completionContext says what is known of the place to complete at.
func (s *Server) completionContext(_ context.Context, f *file, offset int) snippets.Context {
	c := snippets.Context{Path: f.path, Text: f.lines.Text(), Offset: offset, Format: migration.Plain}
	if strings.EqualFold(filepath.Ext(f.path), ".exs") {
		c.Format = migration.Ecto
	}
	if f.m != nil {
		c.Format = f.m.Format
		c.Project.Name = f.m.Name
		c.Project.Module = f.m.Module
	}
	return c
}
