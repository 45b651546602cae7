package lsp

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ddlsp/ddlsp/internal/lsptest"
)

const fourth = "-- +goose Up\nCREATE TABLE a (id int);\n-- +goose Down\nDROP TABLE a;\n"

// A text whose file was deleted while the client still holds it is no part of
// the history, until it is edited or the file is back.
func TestDeletedFiles(t *testing.T) {
	dir, _, _ := gooseProject(t)
	e := connect(t, lsptest.Options{Dir: dir, Init: map[string]any{"diagnostics": "push"}})
	gone, other := filepath.Join(dir, "migrations", "00004_gone.sql"), filepath.Join(dir, "migrations", "00004_other.sql")
	write := func(path string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(fourth), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	changed := func(path string, kind int) {
		e.Notify("workspace/didChangeWatchedFiles", map[string]any{"changes": []any{map[string]any{"uri": lsptest.URI(path), "type": kind}}})
	}
	const created, deleted = 1, 3
	twice := func(ds []lsptest.Diagnostic) bool {
		return slices.ContainsFunc(ds, func(d lsptest.Diagnostic) bool { return d.Code == "duplicate-migration-version" })
	}
	alone := func(ds []lsptest.Diagnostic) bool { return !twice(ds) }

	write(gone)
	e.Open(gone)
	e.Diagnostics(gone)
	write(other)
	e.Open(other)
	e.AwaitDiagnostics(other, twice)

	// A deletion that is none changes nothing.
	changed(gone, deleted)
	e.AwaitDiagnostics(other, twice)

	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	changed(gone, deleted)
	e.AwaitDiagnostics(other, alone)
	e.AwaitDiagnostics(gone, alone)
	if hover := e.Hover(gone, 20); hover != "" {
		t.Errorf("a hover over a deleted file: %s", hover)
	}

	// Edited, it is somebody's work again, and stays so.
	e.Replace(gone, "CREATE TABLE a", "CREATE TABLE b")
	e.AwaitDiagnostics(other, twice)
	changed(gone, deleted)
	e.AwaitDiagnostics(other, twice)
	e.Close(gone)
	e.AwaitDiagnostics(other, alone)

	// The same with a file that comes back.
	write(gone)
	e.Open(gone)
	e.AwaitDiagnostics(other, twice)
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	changed(gone, deleted)
	e.AwaitDiagnostics(other, alone)
	write(gone)
	changed(gone, created)
	e.AwaitDiagnostics(other, twice)

	// Closed while it is away.
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	changed(gone, deleted)
	e.AwaitDiagnostics(other, alone)
	e.Close(gone)
	e.AwaitDiagnostics(other, alone)
}
