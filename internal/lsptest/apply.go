package lsptest

import (
	"os"
	"path/filepath"
)

// ApplyEdit applies a workspace edit: to the buffers that are open, to files
// otherwise.
func (e *Editor) ApplyEdit(w *WorkspaceEdit) {
	e.t.Helper()
	for uri, edits := range w.Changes {
		e.applyTo(uri, nil, edits)
	}
	for _, c := range w.DocumentChanges {
		switch {
		case c.Kind == "create":
			if err := os.MkdirAll(filepath.Dir(Path(c.URI)), 0o755); err != nil {
				e.t.Error(err)
			}
			f, err := os.OpenFile(Path(c.URI), os.O_CREATE|os.O_EXCL, 0o644)
			if err != nil {
				e.t.Errorf("create: %v", err)
				continue
			}
			f.Close()
		case c.Kind != "":
			e.t.Errorf("an edit of the kind %q", c.Kind)
		default:
			e.applyTo(c.TextDocument.URI, c.TextDocument.Version, c.Edits)
		}
	}
}

func (e *Editor) applyTo(uri string, version *int, edits []TextEdit) {
	e.t.Helper()
	e.mu.Lock()
	b := e.buffers[key(uri)]
	if b == nil {
		e.mu.Unlock()
		path := Path(uri)
		old, err := os.ReadFile(path)
		if err != nil {
			e.t.Errorf("edit of %s: %v", uri, err)
			return
		}
		text, err := Apply(string(old), edits, e.encoding)
		if err != nil {
			e.t.Errorf("edit of %s: %v", uri, err)
			return
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			e.t.Error(err)
		}
		e.Notify("workspace/didChangeWatchedFiles", map[string]any{"changes": []any{map[string]any{"uri": uri, "type": 2}}})
		return
	}
	if version != nil && *version != b.version {
		e.t.Errorf("%s: an edit for version %d of a buffer of version %d", uri, *version, b.version)
	}
	text, err := Apply(b.text, edits, e.encoding)
	if err != nil {
		e.mu.Unlock()
		e.t.Errorf("edit of %s: %v", uri, err)
		return
	}
	v := b.set(text)
	e.mu.Unlock()
	e.didChange(uri, v, []any{map[string]any{"text": text}})
}
