package lsp

import (
	"context"
	"strings"

	"go.lsp.dev/protocol"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// InlayHint shows the strongest lock of each statement behind it: one that
// blocks somebody, and only on what was there before the migration.
func (s *Server) InlayHint(ctx context.Context, p *protocol.InlayHintParams) ([]protocol.InlayHint, error) {
	out := []protocol.InlayHint{}
	f, err := s.file(ctx, p.TextDocument.URI)
	if err != nil || f == nil || f.m == nil || !s.settings.get().Inlay.locks() {
		return out, err
	}
	visible := s.spanOf(f.lines, p.Range)
	for _, b := range f.bodies() {
		if b.Origin == migration.Derived {
			continue // its statements stand where up's do, and up's matter first
		}
		locks := f.locks(b)
		last := -1
		for _, st := range b.Statements() {
			if st.Path != f.path {
				continue
			}
			at := f.hintAt(st)
			if at == last || !visible.Contains(at) {
				continue // a loop's statements share a place
			}
			strongest, all := describeLocks(locks[st])
			if strongest == nil {
				continue
			}
			last = at
			out = append(out, protocol.InlayHint{
				Position:    s.position(f.lines, at),
				Label:       protocol.String(string(strongest.Mode) + " on " + strongest.Relation.String()),
				Tooltip:     protocol.String(all),
				PaddingLeft: ptr(true),
			})
		}
		if err := ctx.Err(); err != nil {
			return out, err
		}
	}
	return out, nil
}

// hintAt is where a statement's hint stands: behind SQL, behind the first line
// of a DSL command.
func (f *file) hintAt(st *migration.Statement) int {
	if st.Command != nil {
		return f.firstLine(st.Command.Span).End
	}
	line := f.lines.Position(st.Span.End, source.UTF8).Line
	return f.lines.Line(line).End
}

// describeLocks returns the strongest lock that blocks anybody, and all of
// them in words.
func describeLocks(locks []schema.Lock) (*schema.Lock, string) {
	var strongest *schema.Lock
	var words []string
	for i, l := range locks {
		words = append(words, strings.ReplaceAll(lockWords(l), "`", ""))
		if l.Mode.Blocks() != "" && (strongest == nil || l.Mode.Stronger(strongest.Mode)) {
			strongest = &locks[i]
		}
	}
	return strongest, strings.Join(words, "\n")
}
