package lsp

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.lsp.dev/protocol"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// The kinds of our own code actions.
const (
	kindFixAll protocol.CodeActionKind = "source.fixAll.ddlsp"
	kindRun    protocol.CodeActionKind = "ddlsp.run"
)

// CodeAction offers what can be done at a range. The findings are the server's
// own, for some clients send only the diagnostics under the cursor, and the
// range is widened to whole lines, since a cursor beside a squiggle means it.
func (s *Server) CodeAction(ctx context.Context, p *protocol.CodeActionParams) ([]protocol.CommandOrCodeAction, error) {
	out := []protocol.CommandOrCodeAction{}
	f, err := s.file(ctx, p.TextDocument.URI)
	if err != nil || f == nil || !s.caps.actionLiterals {
		return out, err
	}
	wants := func(kind protocol.CodeActionKind) bool { return wanted(p.Context.Only, kind) }
	automatic := p.Context.TriggerKind == protocol.CodeActionTriggerKindAutomatic
	at := f.wholeLines(s.spanOf(f.lines, p.Range))

	if wants(protocol.CodeActionKindQuickFix) || wants(kindFixAll) {
		findings := s.findings(ctx, f.snap, f.path)
		if wants(protocol.CodeActionKindQuickFix) {
			out = append(out, s.quickFixes(f, findings, at)...)
		}
		if wants(kindFixAll) && (len(p.Context.Only) > 0 || !automatic) {
			if a := s.fixAll(f, findings); a != nil {
				out = append(out, a)
			}
		}
	}
	if wants(kindRun) && !automatic {
		out = append(out, s.runActions(f, at)...)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.changedSince(f) {
		return nil, protocol.ErrContentModified
	}
	return out, nil
}

// wanted reports whether a client that asks for the kinds of only, or for
// everything, wants a kind: "source" asks for "source.fixAll.ddlsp" too.
func wanted(only []protocol.CodeActionKind, kind protocol.CodeActionKind) bool {
	if len(only) == 0 {
		return true
	}
	for _, o := range only {
		if o == "" || o == kind || strings.HasPrefix(string(kind), string(o)+".") {
			return true
		}
	}
	return false
}

// changedSince reports whether the document has another text by now than the
// request saw: its ranges would be wrong.
func (s *Server) changedSince(f *file) bool {
	was, open := f.snap.Buffer(f.path)
	r := s.roots.find(f.path)
	if !open || r == nil {
		return false
	}
	now, open := r.session.Snapshot().Buffer(f.path)
	return open && now.Lines != was.Lines
}

func (s *Server) quickFixes(f *file, findings []analysis.Finding, at source.Span) []protocol.CommandOrCodeAction {
	var out, ignores []protocol.CommandOrCodeAction
	seen := map[string]bool{}
	for i := range findings {
		find := &findings[i]
		if !find.Span.Overlaps(at) {
			continue
		}
		diag := s.diagnostic(f.snap, f.lines, find)
		preferred := true
		for n, fix := range find.Fixes {
			key := fmt.Sprint(fix.Title, fix.Edits)
			if seen[key] {
				continue // two findings that one fix mends
			}
			seen[key] = true
			action := &protocol.CodeAction{
				Title: fix.Title, Kind: ptr(protocol.CodeActionKindQuickFix), Diagnostics: []protocol.Diagnostic{diag},
			}
			edit, err := s.workspaceEdit(f.snap, fix.Edits)
			switch {
			case errors.Is(err, errCreates):
				action.Command = command(fix.Title, cmdApplyFix, applyFixArgs{
					URI: string(s.uriOf(f.path)), Rule: find.Rule, Start: find.Span.Start, Fix: n})
			case err != nil:
				s.log.Warn("fix", "rule", find.Rule, "err", err)
				continue
			default:
				action.Edit = edit
			}
			if fix.Safe && preferred {
				action.IsPreferred = ptr(true)
				preferred = false
			}
			out = append(out, action)
		}
		if edit, ok := f.ignoreEdit(find); ok && !seen["ignore "+find.Rule+fmt.Sprint(edit.Span)] {
			seen["ignore "+find.Rule+fmt.Sprint(edit.Span)] = true
			if w, err := s.workspaceEdit(f.snap, []source.Edit{edit}); err == nil {
				ignores = append(ignores, &protocol.CodeAction{
					Title: "Ignore " + find.Rule + " for this statement", Kind: ptr(protocol.CodeActionKindQuickFix),
					Diagnostics: []protocol.Diagnostic{diag}, Edit: w,
				})
			}
		}
	}
	return append(out, ignores...)
}

// ignoreEdit puts a comment above the statement that a finding is about. A
// finding about no statement has nowhere to put one.
func (f *file) ignoreEdit(find *analysis.Finding) (source.Edit, bool) {
	for _, st := range f.statements() {
		if !st.Span.Contains(find.Span.Start) && (st.Command == nil || !st.Command.Span.Contains(find.Span.Start)) {
			continue
		}
		start, mark := st.Span.Start, "-- "
		if st.Command != nil {
			start = st.Command.Span.Start
		}
		if f.m.Format == migration.Ecto {
			mark = "# "
		}
		line := f.lines.Line(f.lines.Position(start, source.UTF8).Line)
		text := line.Of(f.lines.Text())
		indent := text[:len(text)-len(strings.TrimLeft(text, " \t"))]
		if strings.TrimSpace(text[:start-line.Start]) != "" {
			return source.Edit{}, false // something stands before it on its line
		}
		return source.Edit{Path: f.path, Span: source.Span{Start: line.Start, End: line.Start}, New: indent + mark + "ddlsp:ignore " + find.Rule + "\n"}, true
	}
	return source.Edit{}, false
}

// fixAll is every safe fix of the file at once.
func (s *Server) fixAll(f *file, findings []analysis.Finding) *protocol.CodeAction {
	var fixes []analysis.Fix
	for _, find := range findings {
		for _, fix := range find.Fixes {
			if fix.Safe {
				fixes = append(fixes, fix)
				break // one way to mend a finding is enough
			}
		}
	}
	edits, _ := analysis.Merge(fixes)
	if len(edits) == 0 {
		return nil
	}
	edit, err := s.workspaceEdit(f.snap, edits)
	if err != nil {
		return nil
	}
	return &protocol.CodeAction{Title: "Fix everything that can be fixed safely", Kind: ptr(kindFixAll), Edit: edit}
}

// runActions offer the commands of the migration under the cursor, for the
// clients that show no code lenses.
func (s *Server) runActions(f *file, at source.Span) []protocol.CommandOrCodeAction {
	if f.m == nil {
		return nil
	}
	var out []protocol.CommandOrCodeAction
	add := func(c protocol.Command) {
		out = append(out, &protocol.CodeAction{Title: c.Title, Kind: ptr(kindRun), Command: c})
	}
	name := strings.TrimSpace(f.m.Version + " " + f.m.Name)
	if s.runnable(f) {
		add(s.migrateCommand(f, "Migrate up to "+name))
		if f.m.Down.Origin != migration.Missing {
			add(s.rollbackCommand(f, "Roll back "+name))
		}
	}
	for _, b := range f.bodies() {
		if len(b.Units) > 0 {
			add(command("Show the SQL of "+string(b.Direction), cmdShowSQL, showSQLArgs{URI: string(s.uriOf(b.Path)), Direction: string(b.Direction)}))
		}
	}
	return out
}

// CodeActionResolve has nothing to add: actions come complete. It is answered
// because some clients ask whatever an action holds.
func (s *Server) CodeActionResolve(_ context.Context, p *protocol.CodeAction) (*protocol.CodeAction, error) {
	return p, nil
}
