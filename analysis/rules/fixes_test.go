package rules_test

import (
	"fmt"
	"testing"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/workspace"
)

// TestCaseFixes applies every fix that is offered for the acceptance cases,
// under every rule.
func TestCaseFixes(t *testing.T) {
	analysis.PanicsEscape = true
	offered := map[string]int{}
	for _, c := range readCases(t) {
		t.Run(c.ID, func(t *testing.T) {
			dir, found := lintFiles(t, c.Files, workspace.LintOptions{})
			for _, f := range found {
				for i, fix := range f.Fixes {
					offered[f.Rule]++
					t.Run(fmt.Sprintf("%s/%d", f.Rule, i), func(t *testing.T) { checkFix(t, dir, c.Files, f, fix) })
				}
			}
		})
	}
	t.Log(offered)
	for _, id := range []string{"require-concurrent-index-creation", "concurrent-index-in-transaction", "missing-down-migration",
		"empty-down-migration", "irreversible-change", "hypertable-missing-time-index", "hypertable-unique-missing-partition-column"} {
		if offered[id] == 0 {
			t.Errorf("no case has a fix of %s", id)
		}
	}
}
