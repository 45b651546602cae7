package lsp

import (
	"context"
	"fmt"
	"hash/fnv"
	"runtime/debug"

	"go.lsp.dev/protocol"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/internal/workspace"
)

// Names of the sources that a diagnostic of ours can have.
const (
	sourceLint = "ddlsp"
	sourceRun  = "ddlsp run"
)

// findings are those of a file, none where linting is switched off. A rule
// that panics costs its findings, not the server.
func (s *Server) findings(ctx context.Context, snap *workspace.Snapshot, path string) (out []analysis.Finding) {
	if !s.settings.get().Lint.enabled() {
		return nil
	}
	defer s.recovered("lint " + path)
	return snap.Findings(ctx, path)
}

// recovered, deferred, logs a panic and swallows it.
func (s *Server) recovered(what string) {
	if p := recover(); p != nil {
		s.log.Error("panic", "in", what, "panic", p, "stack", string(debug.Stack()))
	}
}

var severities = [...]protocol.DiagnosticSeverity{
	analysis.Hint:    protocol.DiagnosticSeverityHint,
	analysis.Info:    protocol.DiagnosticSeverityInformation,
	analysis.Warning: protocol.DiagnosticSeverityWarning,
	analysis.Error:   protocol.DiagnosticSeverityError,
}

func (s *Server) diagnostics(snap *workspace.Snapshot, l *source.Lines, findings []analysis.Finding) []protocol.Diagnostic {
	out := make([]protocol.Diagnostic, 0, len(findings))
	for i := range findings {
		if findings[i].Severity == analysis.Off {
			continue
		}
		out = append(out, s.diagnostic(snap, l, &findings[i]))
	}
	return out
}

func (s *Server) diagnostic(snap *workspace.Snapshot, l *source.Lines, f *analysis.Finding) protocol.Diagnostic {
	message := f.Message
	if f.Help != "" {
		message += "\n" + f.Help
	}
	d := protocol.Diagnostic{
		Range:    s.rangeOf(l, f.Span),
		Severity: severities[f.Severity],
		Code:     protocol.String(f.Rule),
		Source:   protocol.NewOptional(sourceLint),
		Message:  protocol.String(message),
	}
	d.CodeDescription.Href = ruleURL(f.Rule)
	if f.Rule == "unused-suppression" {
		d.Tags = protocol.NewDiagnosticTags(protocol.DiagnosticTagUnnecessary)
	}
	if s.caps.related {
		for _, r := range f.Related {
			lines := l
			if r.Path != f.Path {
				var err error
				if lines, err = snap.Lines(r.Path); err != nil {
					continue // the file went meanwhile
				}
			}
			d.RelatedInformation = append(d.RelatedInformation, protocol.DiagnosticRelatedInformation{
				Location: protocol.Location{URI: s.uriOf(r.Path), Range: s.rangeOf(lines, r.Span)},
				Message:  r.Message,
			})
		}
	}
	return d
}

// Diagnostic answers a client that pulls.
func (s *Server) Diagnostic(ctx context.Context, p *protocol.DocumentDiagnosticParams) (protocol.DocumentDiagnosticReport, error) {
	path := s.path(p.TextDocument.URI)
	items := []protocol.Diagnostic{}
	if snap := worldOf(ctx).of(path); snap != nil {
		lines, err := snap.Lines(path)
		if err != nil {
			return nil, err
		}
		findings := s.findings(ctx, snap, path)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		items = s.diagnostics(snap, lines, findings)
	}
	full := protocol.FullDocumentDiagnosticReport{Kind: "full", Items: items}
	body, err := protocol.Marshal(&full)
	if err != nil {
		return nil, err
	}
	h := fnv.New64a()
	h.Write(body)
	id := fmt.Sprintf("%016x", h.Sum64())
	if p.PreviousResultID != nil && *p.PreviousResultID == id {
		return &protocol.RelatedUnchangedDocumentDiagnosticReport{
			UnchangedDocumentDiagnosticReport: protocol.UnchangedDocumentDiagnosticReport{Kind: "unchanged", ResultID: id},
		}, nil
	}
	full.ResultID = &id
	return &protocol.RelatedFullDocumentDiagnosticReport{FullDocumentDiagnosticReport: full}, nil
}
