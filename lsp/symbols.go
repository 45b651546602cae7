package lsp

import (
	"context"
	"strings"
	"unicode/utf8"

	"go.lsp.dev/protocol"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// symbolLength is how many characters of a statement an outline shows.
const symbolLength = 72

// DocumentSymbol is the outline: the directions, and in them the statements.
func (s *Server) DocumentSymbol(ctx context.Context, p *protocol.DocumentSymbolParams) (protocol.DocumentSymbolResult, error) {
	f, err := s.file(ctx, p.TextDocument.URI)
	if err != nil {
		return nil, err
	}
	tree := protocol.DocumentSymbolSlice{}
	if f != nil {
		for _, b := range f.bodies() {
			if sym, ok := s.outline(f, b); ok {
				tree = append(tree, sym)
			}
		}
	}
	if s.caps.hierarchical {
		return tree, ctx.Err()
	}
	flat := protocol.SymbolInformationSlice{}
	for _, dir := range tree {
		for _, sym := range append([]protocol.DocumentSymbol{dir}, dir.Children...) {
			flat = append(flat, protocol.SymbolInformation{
				BaseSymbolInformation: protocol.BaseSymbolInformation{Name: sym.Name, Kind: sym.Kind},
				Location:              protocol.Location{URI: p.TextDocument.URI, Range: sym.Range},
			})
		}
	}
	return flat, ctx.Err()
}

func (s *Server) outline(f *file, b *migration.Body) (protocol.DocumentSymbol, bool) {
	if b.Path != f.path || b.Origin == migration.Missing || b.Origin == migration.Derived {
		return protocol.DocumentSymbol{}, false
	}
	whole := b.Span
	var children []protocol.DocumentSymbol
	var last source.Span
	for _, st := range b.Statements() {
		if st.Path != f.path || st.Span == last {
			continue
		}
		last = st.Span
		whole = whole.Union(st.Span)
		r := s.rangeOf(f.lines, st.Span)
		children = append(children, protocol.DocumentSymbol{
			Name: firstWords(st.SQL), Kind: protocol.SymbolKindEvent, Range: r, SelectionRange: r,
		})
	}
	name := string(b.Direction)
	if b.Direction == migration.Up && f.m.Down.Origin == migration.Derived {
		name = "change"
	}
	return protocol.DocumentSymbol{
		Name: name, Kind: protocol.SymbolKindFunction, Children: children,
		Range:          s.rangeOf(f.lines, whole),
		SelectionRange: s.rangeOf(f.lines, f.firstLine(whole)),
	}, true
}

// firstWords is the beginning of a statement on one line.
func firstWords(sql string) string {
	text := strings.Join(strings.Fields(sql), " ")
	if utf8.RuneCountInString(text) > symbolLength {
		text = string([]rune(text)[:symbolLength-1]) + "…"
	}
	if text == "" {
		text = "(unreadable)"
	}
	return text
}

// FoldingRanges are the directions and the statements of several lines.
func (s *Server) FoldingRanges(ctx context.Context, p *protocol.FoldingRangeParams) ([]protocol.FoldingRange, error) {
	out := []protocol.FoldingRange{}
	f, err := s.file(ctx, p.TextDocument.URI)
	if err != nil || f == nil {
		return out, err
	}
	seen := map[[2]uint32]bool{}
	fold := func(span source.Span) {
		start := uint32(f.lines.Position(span.Start, source.UTF8).Line)
		end := f.lines.Position(span.End, source.UTF8)
		last := uint32(end.Line)
		if end.Column == 0 && last > start { // it ends with a line end
			last--
		}
		if key := [2]uint32{start, last}; last > start && !seen[key] {
			seen[key] = true
			out = append(out, protocol.FoldingRange{StartLine: start, EndLine: last})
		}
	}
	for _, b := range f.bodies() {
		if b.Path == f.path && b.Origin != migration.Missing {
			fold(b.Span)
		}
	}
	for _, st := range f.statements() {
		fold(st.Span)
	}
	return out, ctx.Err()
}
