package lsp

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"

	"github.com/ddlsp/ddlsp/schema"
)

type schemaArgs struct {
	URI string `json:"uri"`
	// At is the last version to take, "" for all; Format is "sql", the
	// default, "mermaid" or "json".
	At     string `json:"at"`
	Format string `json:"format"`
}

// schemaText is the schema in a form that is text.
type schemaText struct {
	Format string `json:"format"`
	Text   string `json:"text"`
}

// schema answers what `ddlsp schema` prints, for what the buffers hold now. It
// asks no database.
func (s *Server) schema(ctx context.Context, _ protocol.ProgressToken, a schemaArgs) (any, error) {
	p, err := s.projectFor(ctx, a.URI)
	if err != nil {
		return nil, err
	}
	history := p.History(ctx)
	if a.At != "" {
		end := 0
		for i, m := range history {
			if m.Version == a.At {
				end = i + 1
			}
		}
		if end == 0 {
			return nil, fmt.Errorf("there is no migration with version %s", a.At)
		}
		history = history[:end]
	}
	d := schema.Describe(p.Catalog(0), history)
	switch a.Format {
	case "json":
		root := p.Root
		if r := s.roots.find(root); r != nil {
			root = r.dir
		}
		return d.Report(func(path string) string {
			if rel, err := filepath.Rel(root, path); err == nil && !strings.HasPrefix(rel, "..") {
				path = rel
			}
			return filepath.ToSlash(path)
		}), ctx.Err()
	case "mermaid":
		return schemaText{a.Format, d.Mermaid()}, ctx.Err()
	case "", "sql":
		return schemaText{"sql", d.SQL()}, ctx.Err()
	}
	return nil, jsonrpc2.NewError(jsonrpc2.InvalidParams, fmt.Sprintf("format %q is unknown; use sql, json or mermaid", a.Format))
}
