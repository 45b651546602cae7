package rules_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/analysis/rules"
)

// TestRegistry: every rule has a file of its own that is named after it, every
// such file's rule is in All, and All is in order.
func TestRegistry(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]string{}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			kv, ok := n.(*ast.KeyValueExpr)
			if !ok {
				return true
			}
			if k, ok := kv.Key.(*ast.Ident); ok && k.Name == "ID" {
				if b, ok := kv.Value.(*ast.BasicLit); ok {
					id, err := strconv.Unquote(b.Value)
					if err != nil {
						t.Fatal(err)
					}
					if want := strings.ReplaceAll(id, "-", "_") + ".go"; want != e.Name() {
						t.Errorf("rule %s stands in %s, want %s", id, e.Name(), want)
					}
					declared[id] = e.Name()
				}
			}
			return true
		})
	}
	var ids []string
	for _, r := range rules.All() {
		ids = append(ids, r.ID)
		if declared[r.ID] == "" {
			t.Errorf("%s has no file", r.ID)
		}
		delete(declared, r.ID)
		if r.Summary == "" || strings.HasSuffix(r.Summary, ".") || r.Severity == analysis.Off {
			t.Errorf("%s: summary %q, severity %v", r.ID, r.Summary, r.Severity)
		}
		if r.Op != nil && len(r.On) == 0 {
			t.Errorf("%s looks at operations and wants none", r.ID)
		}
	}
	for id := range declared {
		t.Errorf("%s is not in All", id)
	}
	if !slices.IsSorted(ids) {
		t.Errorf("All is not in order: %v", ids)
	}
}

// TestAliases: a name of another tool leads to few rules, and a rule names it
// once.
func TestAliases(t *testing.T) {
	seen := map[string][]string{}
	for _, r := range rules.All() {
		for _, a := range r.Aliases {
			if tool, name, ok := strings.Cut(a, "/"); !ok || tool == "" || name == "" {
				t.Errorf("%s: alias %q is not tool/name", r.ID, a)
			}
			if slices.Contains(seen[a], r.ID) || len(seen[a]) > 4 {
				t.Errorf("%s leads to %v and %s", a, seen[a], r.ID)
			}
			seen[a] = append(seen[a], r.ID)
		}
	}
}
