package lsptest

import (
	"encoding/json"
)

// Hover returns what is shown at a byte offset, "" for nothing.
func (e *Editor) Hover(path string, offset int) string {
	e.t.Helper()
	var res *struct {
		Contents struct{ Kind, Value string } `json:"contents"`
		Range    *Range                       `json:"range"`
	}
	if err := e.Call("textDocument/hover", e.At(path, offset), &res); err != nil {
		e.t.Fatalf("hover: %v", err)
	}
	if res == nil {
		return ""
	}
	if res.Range != nil {
		e.checkRange(path, e.Text(path), *res.Range)
	}
	return res.Contents.Value
}

// Complete returns what is proposed at a byte offset.
func (e *Editor) Complete(path string, offset int) []CompletionItem {
	e.t.Helper()
	var list struct {
		Items *[]CompletionItem `json:"items"`
	}
	if err := e.Call("textDocument/completion", e.At(path, offset), &list); err != nil {
		e.t.Fatalf("completion: %v", err)
	}
	if list.Items == nil {
		e.t.Fatal("completion items are null")
	}
	for _, item := range *list.Items {
		if item.TextEdit != nil {
			e.checkRange(path, e.Text(path), item.TextEdit.Range)
		}
	}
	return *list.Items
}

// CodeActions asks for the actions of a byte range; automatic as if the
// cursor had merely come there.
func (e *Editor) CodeActions(path string, start, end int, automatic bool, only ...string) []CodeAction {
	e.t.Helper()
	ctx := map[string]any{"diagnostics": []any{}, "triggerKind": 1}
	if automatic {
		ctx["triggerKind"] = 2
	}
	if only != nil {
		ctx["only"] = only
	}
	var list *[]CodeAction
	err := e.Call("textDocument/codeAction", map[string]any{
		"textDocument": map[string]any{"uri": document(path)}, "range": e.RangeOf(path, start, end), "context": ctx,
	}, &list)
	if err != nil {
		e.t.Fatalf("codeAction: %v", err)
	}
	if list == nil {
		e.t.Fatal("code actions are null")
	}
	return *list
}

// Apply carries a code action out: resolves it where it has nothing to do yet,
// applies its edit, runs its command.
func (e *Editor) Apply(a CodeAction) json.RawMessage {
	e.t.Helper()
	if a.Edit == nil && a.Command == nil {
		var resolved CodeAction
		if err := e.Call("codeAction/resolve", a, &resolved); err != nil {
			e.t.Fatalf("codeAction/resolve %q: %v", a.Title, err)
		}
		a = resolved
	}
	if a.Edit != nil {
		e.ApplyEdit(a.Edit)
	}
	if a.Command == nil {
		return nil
	}
	res, err := e.run(a.Command)
	if err != nil {
		e.t.Fatalf("%s: %v", a.Command.Command, err)
	}
	return res
}

func (e *Editor) run(c *Command) (json.RawMessage, error) {
	var res json.RawMessage
	err := e.Call("workspace/executeCommand", map[string]any{"command": c.Command, "arguments": c.Arguments}, &res)
	return res, err
}

// Command runs one of the server's commands with one argument.
func (e *Editor) Command(id string, arg any) (json.RawMessage, error) {
	e.t.Helper()
	raw, err := json.Marshal(arg)
	if err != nil {
		e.t.Fatal(err)
	}
	return e.run(&Command{Command: id, Arguments: []json.RawMessage{raw}})
}
