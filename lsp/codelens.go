package lsp

import (
	"context"

	"go.lsp.dev/protocol"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/runner"
)

// CodeLens offers to run a migration, and to show what it sends, above each of
// its directions.
func (s *Server) CodeLens(ctx context.Context, p *protocol.CodeLensParams) ([]protocol.CodeLens, error) {
	out := []protocol.CodeLens{}
	f, err := s.file(ctx, p.TextDocument.URI)
	if err != nil || f == nil || f.m == nil || !s.settings.get().CodeLens.enabled() {
		return out, err
	}
	add := func(span source.Span, c protocol.Command) {
		out = append(out, protocol.CodeLens{Range: s.rangeOf(f.lines, span), Command: c})
	}
	run := s.runnable(f)
	for _, b := range f.bodies() {
		at, ok := f.anchor(b)
		if !ok {
			continue
		}
		if k, ok := s.states.of(f.m.Path()); ok && run && b.Direction == migration.Up && k.String() != "" {
			add(at, command(k.String(), cmdStatus, statusArgs{URI: string(s.uriOf(f.path))}))
		}
		// An Ecto change is both directions in one place.
		if run {
			if b.Direction == migration.Up {
				add(at, s.migrateCommand(f, "Migrate"))
			} else {
				add(at, s.rollbackCommand(f, "Roll back"))
			}
		}
		title := "Show SQL"
		if b.Origin == migration.Derived {
			title = "Show rollback SQL"
		}
		add(at, command(title, cmdShowSQL, showSQLArgs{URI: string(s.uriOf(b.Path)), Direction: string(b.Direction)}))
	}
	return out, ctx.Err()
}

// runnable reports whether the server can run the file's migration: it has a
// version, ddlsp's runner knows the format, and the user trusts the workspace.
func (s *Server) runnable(f *file) bool {
	if f.m == nil || f.m.Version == "" || !s.trusted.Load() {
		return false
	}
	return runner.Runs(f.m.Format)
}

func (s *Server) migrateCommand(f *file, title string) protocol.Command {
	return command(title, cmdMigrate, runArgs{URI: string(s.uriOf(f.path)), To: f.m.Version})
}

func (s *Server) rollbackCommand(f *file, title string) protocol.Command {
	return command(title, cmdRollback, runArgs{URI: string(s.uriOf(f.path)), To: f.m.Version})
}
