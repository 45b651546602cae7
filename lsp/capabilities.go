package lsp

import (
	"slices"

	"go.lsp.dev/protocol"

	"github.com/ddlsp/ddlsp/internal/source"
)

// clientCaps is what the server wants to know of the client, read once.
type clientCaps struct {
	snippets         bool
	insertModes      bool // knows insertTextMode
	markdown         bool // in hovers
	docMarkdown      bool // in completion items
	documentChanges  bool
	createFiles      bool
	watchFiles       bool // registers watchers dynamically
	configuration    bool // answers workspace/configuration
	configurationReg bool // wants didChangeConfiguration registered
	progress         bool // answers window/workDoneProgress/create
	showDocument     bool
	codeLensRefresh  bool
	inlayRefresh     bool
	diagRefresh      bool
	actionLiterals   bool
	related          bool
	password         bool // answers ddlsp/password
	hierarchical     bool // document symbols with children
	// editsLate is set for Eglot and Helix: they make a completion's additional
	// edits after its own, and at the places they had before, so that those
	// further down hit the wrong text.
	editsLate bool
	// errorsUnseen is set for Helix: it writes what a command fails with to its
	// log alone.
	errorsUnseen bool
}

func readCaps(c protocol.ClientCapabilities) clientCaps {
	var out clientCaps
	if w := c.Workspace; w != nil {
		out.configuration = has(w.Configuration)
		if w.WorkspaceEdit != nil {
			out.documentChanges = has(w.WorkspaceEdit.DocumentChanges)
			out.createFiles = out.documentChanges && slices.Contains(w.WorkspaceEdit.ResourceOperations, protocol.ResourceOperationKindCreate)
		}
		if w.DidChangeWatchedFiles != nil {
			out.watchFiles = has(w.DidChangeWatchedFiles.DynamicRegistration)
		}
		if w.DidChangeConfiguration != nil {
			out.configurationReg = has(w.DidChangeConfiguration.DynamicRegistration)
		}
		if w.CodeLens != nil {
			out.codeLensRefresh = has(w.CodeLens.RefreshSupport)
		}
		if w.InlayHint != nil {
			out.inlayRefresh = has(w.InlayHint.RefreshSupport)
		}
		if w.Diagnostics != nil {
			out.diagRefresh = has(w.Diagnostics.RefreshSupport)
		}
	}
	if t := c.TextDocument; t != nil {
		if t.Completion != nil && t.Completion.CompletionItem != nil {
			out.snippets = has(t.Completion.CompletionItem.SnippetSupport)
			out.insertModes = len(t.Completion.CompletionItem.InsertTextModeSupport.ValueSet) > 0
			out.docMarkdown = slices.Contains(t.Completion.CompletionItem.DocumentationFormat, protocol.MarkupKindMarkdown)
		}
		if t.Hover != nil {
			out.markdown = slices.Contains(t.Hover.ContentFormat, protocol.MarkupKindMarkdown)
		}
		if t.CodeAction != nil {
			out.actionLiterals = len(t.CodeAction.CodeActionLiteralSupport.CodeActionKind.ValueSet) > 0
		}
		if t.PublishDiagnostics != nil {
			out.related = has(t.PublishDiagnostics.RelatedInformation)
		}
		if t.DocumentSymbol != nil {
			out.hierarchical = has(t.DocumentSymbol.HierarchicalDocumentSymbolSupport)
		}
	}
	if w := c.Window; w != nil {
		out.progress = has(w.WorkDoneProgress)
		out.showDocument = w.ShowDocument != nil && w.ShowDocument.Support
	}
	return out
}

// negotiate chooses how positions count: bytes where the client offers them,
// since then nothing needs converting; else UTF-16, which every client must
// know; code points only for a client that offers nothing else.
func negotiate(general *protocol.GeneralClientCapabilities) (source.Encoding, protocol.PositionEncodingKind) {
	if general == nil {
		return source.UTF16, protocol.PositionEncodingKindUTF16
	}
	offered := general.PositionEncodings
	switch {
	case slices.Contains(offered, protocol.PositionEncodingKindUTF8):
		return source.UTF8, protocol.PositionEncodingKindUTF8
	case len(offered) > 0 && !slices.Contains(offered, protocol.PositionEncodingKindUTF16) && slices.Contains(offered, protocol.PositionEncodingKindUTF32):
		return source.UTF32, protocol.PositionEncodingKindUTF32
	}
	return source.UTF16, protocol.PositionEncodingKindUTF16
}
