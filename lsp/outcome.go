package lsp

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"go.lsp.dev/protocol"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/runner"
)

func doing(op string) string {
	return map[string]string{"migrate": "Migrating", "rollback": "Rolling back", "redo": "Redoing"}[op]
}

func nothingToDo(op string) string {
	if op == "migrate" {
		return "Nothing is pending on"
	}
	return "Nothing is applied on"
}

// outcome says how a run ended.
func outcome(r *runner.Report, where string, err error) (string, protocol.MessageType) {
	if r == nil {
		if err == nil {
			err = errors.New("no result")
		}
		return err.Error(), protocol.MessageTypeError
	}
	count := map[string]int{}
	for _, m := range r.Migrations {
		count[m.Outcome]++
	}
	var parts []string
	for _, o := range []struct{ outcome, words string }{
		{runner.RolledBack, "rolled back"}, {runner.Applied, "applied"}, {runner.Failed, "failed"}, {runner.Skipped, "skipped"},
	} {
		if n := count[o.outcome]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, o.words))
		}
	}
	if len(parts) == 0 {
		parts = []string{"nothing was run"}
	}
	words := where + ": " + strings.Join(parts, ", ") + "."
	if r.Error == nil {
		return words, protocol.MessageTypeInfo
	}
	words += " " + r.Error.Message
	if r.Error.Remains != "" {
		words += "\n" + r.Error.Remains
	}
	return words, protocol.MessageTypeError
}

func (s *Server) say(kind protocol.MessageType, text string) {
	if err := s.client.ShowMessage(s.life, &protocol.ShowMessageParams{Type: kind, Message: text}); err != nil && s.life.Err() == nil {
		s.log.Warn("window/showMessage", "err", err)
	}
}

// publishFailure marks the statement that failed. dir is what the report's
// paths are relative to.
func (s *Server) publishFailure(dir string, e *runner.ReportError) {
	if e.Path == nil || e.Range == nil {
		return
	}
	path := filepath.FromSlash(*e.Path)
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	r := s.roots.find(path)
	if r == nil {
		return
	}
	lines, err := r.session.Snapshot().Lines(path)
	if err != nil {
		return
	}
	message := e.Message
	if e.Remains != "" {
		message += "\n" + e.Remains
	}
	d := &protocol.Diagnostic{
		Range:    s.rangeOf(lines, source.Span{Start: e.Range.Start.Offset, End: e.Range.End.Offset}),
		Severity: protocol.DiagnosticSeverityError,
		Source:   protocol.NewOptional(sourceRun),
		Message:  protocol.String(message),
	}
	if e.SQLState != "" {
		d.Code = protocol.String(e.SQLState)
	}
	s.pub.fail(path, d)
}
