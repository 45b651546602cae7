package lsp

import (
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/internal/lsptest"
	"github.com/ddlsp/ddlsp/snippets"
)

// Edits behind a completion become a part of it, those before it do not.
func TestTogether(t *testing.T) {
	text := "use\nup\n  add\nend\ndown $x}\nend\n"
	at := strings.Index(text, "add")
	it := snippets.Item{Plain: "one\ntwo", Snippet: "${1:one}\ntwo$0", Indent: "  ", Start: at, End: at + 3, Edits: []snippets.Edit{
		{Start: strings.Index(text, "end\nd"), End: strings.Index(text, "down"), Text: ""},
		{Start: 3, End: 3, Text: " it"},
		{Start: strings.LastIndex(text, "end"), End: strings.LastIndex(text, "end"), Text: "three\n"},
	}}
	got := together(it, text)
	if len(got.Edits) != 1 || got.Edits[0].Text != " it" {
		t.Errorf("edits %+v", got.Edits)
	}
	if after := text[:got.Start] + indented(got.Plain, got.Indent) + text[got.End:]; after != "use\nup\n  one\n  two\ndown $x}\nthree\nend\n" {
		t.Errorf("gives %q", after)
	}
	if want := "${1:one}\ntwo$0\ndown \\$x\\}\nthree\n"; got.Snippet != want {
		t.Errorf("snippet %q, want %q", got.Snippet, want)
	}
}

// A client that shows plain text gets no Markdown.
func TestPlainDocumentation(t *testing.T) {
	dir, _, two := gooseProject(t)
	for _, markdown := range []bool{true, false} {
		e := connect(t, lsptest.Options{Dir: dir, Capabilities: func(caps map[string]any) {
			formats := []string{"plaintext"}
			if markdown {
				formats = []string{"markdown", "plaintext"}
			}
			caps["textDocument"].(map[string]any)["completion"] = map[string]any{"completionItem": map[string]any{"documentationFormat": formats}}
		}})
		e.OpenText(lsptest.URI(two), "-- +goose Up\n\n-- +goose Down\n")
		var list struct {
			Items []struct {
				Label         string
				Documentation struct{ Kind, Value string }
			}
		}
		if err := e.Call("textDocument/completion", e.At(lsptest.URI(two), 13), &list); err != nil || len(list.Items) == 0 {
			t.Fatalf("%+v, %v", list, err)
		}
		for _, it := range list.Items {
			d := it.Documentation
			if marked := strings.Contains(d.Value, "```") || strings.Contains(d.Value, "**"); marked != markdown || (d.Kind == "markdown") != markdown || !strings.Contains(d.Value, "Locks: ") {
				t.Errorf("%s, markdown %v: %+v", it.Label, markdown, d)
			}
		}
	}
}
