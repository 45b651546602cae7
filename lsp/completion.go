package lsp

import (
	"context"
	"path/filepath"
	"sort"
	"strings"

	"go.lsp.dev/protocol"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/snippets"
)

// Completion proposes what fits the place: templates, as snippets with tab
// stops or for a client without snippets as plain text, and the names of tables
// and columns.
func (s *Server) Completion(ctx context.Context, p *protocol.CompletionParams) (protocol.CompletionResult, error) {
	list := &protocol.CompletionList{Items: []protocol.CompletionItem{}}
	f, err := s.file(ctx, p.TextDocument.URI)
	if err != nil || f == nil {
		return list, err
	}
	for _, it := range f.snap.Completions(ctx, f.path, s.offsetOf(f.lines, p.Position)) {
		list.Items = append(list.Items, s.completionItem(f, it))
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return list, nil
}

func (s *Server) completionItem(f *file, it snippets.Item) protocol.CompletionItem {
	if s.caps.editsLate {
		it = together(it, f.lines.Text())
	}
	// An editor that expands snippets indents their lines to the cursor's by
	// itself, asked or not; plain text it inserts as it is.
	text, format, mode := indented(it.Plain, it.Indent), protocol.InsertTextFormatPlainText, protocol.InsertTextModeAsIs
	if s.caps.snippets {
		text, format, mode = it.Snippet, protocol.InsertTextFormatSnippet, protocol.InsertTextModeAdjustIndentation
	}
	item := protocol.CompletionItem{
		Label:            it.Label,
		Kind:             protocol.CompletionItemKindSnippet,
		Detail:           protocol.NewOptional(it.Detail),
		SortText:         protocol.NewOptional(it.Sort),
		FilterText:       protocol.NewOptional(it.Filter),
		InsertTextFormat: format,
		TextEdit: &protocol.TextEdit{
			Range:   s.rangeOf(f.lines, source.Span{Start: it.Start, End: it.End}),
			NewText: text,
		},
	}
	if s.caps.insertModes {
		item.InsertTextMode = mode
	}
	switch it.Kind {
	case snippets.Table:
		item.Kind = protocol.CompletionItemKindClass
	case snippets.Column:
		item.Kind = protocol.CompletionItemKindField
	}
	if it.Documentation != "" {
		kind, doc := protocol.MarkupKindMarkdown, it.Documentation
		if !s.caps.docMarkdown {
			kind, doc = protocol.MarkupKindPlainText, unmarked(doc)
		}
		item.Documentation = &protocol.MarkupContent{Kind: kind, Value: doc}
	}
	if len(it.Files) > 0 {
		a := addFilesArgs{URI: string(s.uriOf(f.path))}
		for _, other := range it.Files {
			a.Files = append(a.Files, addFile{filepath.Base(other.Path), other.Text})
		}
		item.Command = command("Write the down migration", cmdAddFiles, a)
	}
	for _, e := range it.Edits {
		item.AdditionalTextEdits = append(item.AdditionalTextEdits, protocol.TextEdit{
			Range: s.rangeOf(f.lines, source.Span{Start: e.Start, End: e.End}), NewText: e.Text,
		})
	}
	return item
}

// together puts the edits behind a completion into its own text, with what
// stands between them.
func together(it snippets.Item, text string) snippets.Item {
	var before, behind []snippets.Edit
	for _, e := range it.Edits {
		if e.Start >= it.End {
			behind = append(behind, e)
		} else {
			before = append(before, e)
		}
	}
	if len(behind) == 0 {
		return it
	}
	sort.SliceStable(behind, func(i, j int) bool { return behind[i].Start < behind[j].Start })
	var tail strings.Builder
	end := it.End
	for _, e := range behind {
		tail.WriteString(text[end:e.Start] + e.Text)
		end = e.End
	}
	it.Plain, it.Indent = indented(it.Plain, it.Indent)+tail.String(), ""
	it.Snippet += strings.NewReplacer(`\`, `\\`, `$`, `\$`, `}`, `\}`).Replace(tail.String())
	it.End, it.Edits = end, before
	return it
}

// unmarked is Markdown of ours as plain text.
func unmarked(doc string) string {
	var b strings.Builder
	code := false
	for line := range strings.Lines(doc) {
		switch {
		case strings.HasPrefix(line, "```"):
			code = !code
		case code:
			b.WriteString(line)
		default:
			b.WriteString(strings.NewReplacer("**", "", "`", "").Replace(line))
		}
	}
	return b.String()
}

// indented puts indent before every line but the first that is not empty.
func indented(text, indent string) string {
	if indent == "" {
		return text
	}
	lines := strings.Split(text, "\n")
	for i := 1; i < len(lines); i++ {
		if lines[i] != "" {
			lines[i] = indent + lines[i]
		}
	}
	return strings.Join(lines, "\n")
}

// CompletionResolve has nothing to add: items come complete. It is answered
// because some clients ask whatever an item holds.
func (s *Server) CompletionResolve(_ context.Context, p *protocol.CompletionItem) (*protocol.CompletionItem, error) {
	return p, nil
}
