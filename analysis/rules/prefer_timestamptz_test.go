package rules_test

import (
	"testing"

	"github.com/ddlsp/ddlsp/internal/workspace"
)

// TestEctoTimestamps: what Ecto makes of its own time types is reported only
// where somebody asks for it, what execute says always.
func TestEctoTimestamps(t *testing.T) {
	const path = "priv/repo/migrations/20240101000000_orders.exs"
	files := map[string]string{path: ectoModule(`create table(:orders) do
  add :placed_at, :utc_datetime
  timestamps()
end

execute("ALTER TABLE orders ADD COLUMN sent_at timestamp", "ALTER TABLE orders DROP COLUMN sent_at")
`)}
	count := func(opts workspace.LintOptions) int {
		_, found := lintFiles(t, files, opts)
		return len(reported(found, "prefer-timestamptz"))
	}
	if n := count(workspace.LintOptions{}); n != 1 {
		t.Errorf("%d findings by default, want that of execute", n)
	}
	if n := count(workspace.LintOptions{Select: []string{"prefer-timestamptz"}}); n != 3 {
		t.Errorf("%d findings when selected, want 3", n)
	}
	files["ddlsp.toml"] = "[rules]\nprefer-timestamptz = \"info\"\n"
	if n := count(workspace.LintOptions{}); n != 3 {
		t.Errorf("%d findings when configured, want 3", n)
	}
	files["ddlsp.toml"] = "[[overrides]]\nfiles = [\"priv/**\"]\nrules = { prefer-timestamptz = \"warning\" }\n"
	if n := count(workspace.LintOptions{}); n != 3 {
		t.Errorf("%d findings when configured for the file, want 3", n)
	}
}
