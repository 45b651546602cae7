package lsp

import (
	"context"
	"errors"

	"go.lsp.dev/protocol"

	"github.com/ddlsp/ddlsp/internal/config"
	"github.com/ddlsp/ddlsp/internal/source"
)

// configProblems are the mistakes in configuration files and in the projects'
// own templates. They are shown though nobody has such a file open: what is
// wrong there changes what is said everywhere.
func (s *Server) configProblems(ctx context.Context, w world) map[string][]protocol.Diagnostic {
	defer s.recovered("configuration")
	out := map[string][]protocol.Diagnostic{}
	for _, v := range w {
		_, err := v.snap.Projects(ctx)
		wrong := configErrors(err)
		_, broken := v.snap.Templates(ctx)
		for _, e := range broken {
			wrong = append(wrong, &config.Error{Path: e.Path, Line: e.Line, Message: e.Message})
		}
		for _, e := range wrong {
			lines, err := v.snap.Lines(e.Path)
			if err != nil {
				continue
			}
			at := source.Span{Start: lines.Offset(source.Position{Line: max(0, e.Line-1), Column: max(0, e.Column-1)}, source.UTF8)}
			at.End = max(at.Start, lines.Line(e.Line-1).End)
			out[e.Path] = append(out[e.Path], protocol.Diagnostic{
				Range:    s.rangeOf(lines, at),
				Severity: protocol.DiagnosticSeverityError,
				Source:   protocol.NewOptional(sourceLint),
				Message:  protocol.String(e.Message),
			})
		}
	}
	return out
}

// configErrors finds the located errors in a tree of joined ones.
func configErrors(err error) []*config.Error {
	var one *config.Error
	switch e := err.(type) {
	case nil:
		return nil
	case *config.Error:
		return []*config.Error{e}
	case interface{ Unwrap() []error }:
		var out []*config.Error
		for _, sub := range e.Unwrap() {
			out = append(out, configErrors(sub)...)
		}
		return out
	}
	if errors.As(err, &one) {
		return []*config.Error{one}
	}
	return nil
}
