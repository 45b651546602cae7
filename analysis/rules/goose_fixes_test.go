package rules_test

import (
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/workspace"
)

// TestGooseFixes mends what goose would refuse: the fixed file is one that
// goose takes, with every line end as it was.
func TestGooseFixes(t *testing.T) {
	analysis.PanicsEscape = true
	const down = "\n-- +goose Down\nDROP TABLE a;\n"
	for name, c := range map[string]struct{ text, want string }{
		"indented":        {"-- +goose Up\nCREATE TABLE a (x int);\n\n  -- +goose Down\nDROP TABLE a;\n", "-- +goose Up\nCREATE TABLE a (x int);\n" + down},
		"no Up":           {"CREATE TABLE a (x int);\n" + down, "-- +goose Up\nCREATE TABLE a (x int);\n" + down},
		"no semicolon":    {"-- +goose Up\nCREATE TABLE a (\n  x int\n)\n" + down, "-- +goose Up\nCREATE TABLE a (\n  x int\n);\n" + down},
		"open at Down":    {"-- +goose Up\n-- +goose StatementBegin\nCREATE TABLE a (x int);\n" + down, "-- +goose Up\n-- +goose StatementBegin\nCREATE TABLE a (x int);\n\n-- +goose StatementEnd\n\n-- +goose Down\nDROP TABLE a;\n"},
		"open at the end": {"-- +goose Up\nCREATE TABLE a (x int);\n\n-- +goose Down\n-- +goose StatementBegin\nDROP TABLE a;", "-- +goose Up\nCREATE TABLE a (x int);\n\n-- +goose Down\n-- +goose StatementBegin\nDROP TABLE a;\n-- +goose StatementEnd\n"},
		"torn": {"-- +goose Up\nCREATE TABLE a (x int);\nCREATE FUNCTION f() RETURNS int AS $$\nBEGIN\n  PERFORM 1;\n  RETURN 2;\nEND\n$$\nLANGUAGE plpgsql;\n\n-- +goose Down\nDROP FUNCTION f();\nDROP TABLE a;\n",
			"-- +goose Up\nCREATE TABLE a (x int);\n-- +goose StatementBegin\nCREATE FUNCTION f() RETURNS int AS $$\nBEGIN\n  PERFORM 1;\n  RETURN 2;\nEND\n$$\nLANGUAGE plpgsql;\n-- +goose StatementEnd\n\n-- +goose Down\nDROP FUNCTION f();\nDROP TABLE a;\n"},
	} {
		for _, crlf := range []bool{false, true} {
			text, want := c.text, c.want
			if crlf {
				text, want = strings.ReplaceAll(text, "\n", "\r\n"), strings.ReplaceAll(want, "\n", "\r\n")
				if !strings.Contains(text, "\r\n") {
					continue
				}
			}
			t.Run(name, func(t *testing.T) {
				files := map[string]string{"00001_a.sql": text}
				dir, found := lintFiles(t, files, workspace.LintOptions{Select: []string{"goose-annotation"}})
				if len(found) == 0 || len(found[0].Fixes) != 1 {
					t.Fatalf("findings %+v", found)
				}
				fixed := applyFix(t, dir, files, found[0].Fixes[0])
				if got := fixed["00001_a.sql"]; got != want {
					t.Errorf("got\n%q\nwant\n%q", got, want)
				}
				if _, again := lintFiles(t, fixed, workspace.LintOptions{Select: []string{"goose-annotation", "unparsable-sql"}}); len(again) > 0 {
					t.Errorf("still: %s", again[0].Message)
				}
			})
		}
	}
}
