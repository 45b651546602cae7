package lsp

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/internal/lsptest"
)

// TestFixThatWritesTheNextMigration applies one from an editor that can make
// files by an edit, from one that cannot, and from one that refuses.
func TestFixThatWritesTheNextMigration(t *testing.T) {
	const check = "-- +goose Up\nALTER TABLE orders ADD CONSTRAINT n_positive CHECK (n > 0);\n-- +goose Down\nALTER TABLE orders DROP CONSTRAINT n_positive;\n"
	for _, c := range []struct {
		name            string
		creates, refuse bool
	}{{"creates files", true, false}, {"does not", false, false}, {"refuses", false, true}} {
		t.Run(c.name, func(t *testing.T) {
			dir := writeFiles(t, map[string]string{
				"migrations/00001_a.sql": "-- +goose Up\nCREATE TABLE orders (n int);\n-- +goose Down\nDROP TABLE orders;\n",
				"migrations/00002_b.sql": check,
			})
			file := filepath.Join(dir, "migrations", "00002_b.sql")
			e := connect(t, lsptest.Options{Dir: dir, Capabilities: func(caps map[string]any) {
				operations := []string{}
				if c.creates {
					operations = []string{"create"}
				}
				caps["workspace"].(map[string]any)["workspaceEdit"] = map[string]any{"documentChanges": true, "resourceOperations": operations}
			}, Answer: func(method string, _ json.RawMessage) (any, bool) {
				return map[string]any{"applied": false}, c.refuse && method == "workspace/applyEdit"
			}})
			e.Open(file)
			if withRule(e.Diagnostics(file), "constraint-missing-not-valid") == nil {
				t.Fatalf("no finding: %v", e.Diagnostics(file))
			}
			at, _ := e.Find(file, "ALTER")
			actions := e.CodeActions(file, at, at, true, "quickfix")
			i := slices.IndexFunc(actions, func(a lsptest.CodeAction) bool {
				return strings.Contains(a.Title, "validate the constraint in a new migration")
			})
			if i < 0 {
				t.Fatalf("no such fix: %+v", actions)
			}
			next := filepath.Join(dir, "migrations", "00003_validate_n_positive.sql")
			if c.refuse {
				if _, err := e.Command(actions[i].Command.Command, actions[i].Command.Arguments[0]); err == nil {
					t.Error("no error from an edit that was refused")
				}
				if _, err := os.Stat(next); !os.IsNotExist(err) {
					t.Errorf("the new migration was left behind: %v", err)
				}
				return
			}
			e.Apply(actions[i])
			if text := e.Text(file); !strings.Contains(text, "CHECK (n > 0) NOT VALID;") {
				t.Errorf("the file is\n%s", text)
			}
			text, err := os.ReadFile(next)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(text), "ALTER TABLE orders VALIDATE CONSTRAINT n_positive;") {
				t.Errorf("the new migration is\n%s", text)
			}
			if withRule(e.Diagnostics(file), "constraint-missing-not-valid") != nil {
				t.Errorf("after the fix: %v", e.Diagnostics(file))
			}
		})
	}
}
