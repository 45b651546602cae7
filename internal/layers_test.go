// Package internal_test checks the architecture: which package may import
// which, as the README's table of packages says.
package internal_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/ddlsp/ddlsp/"

// A layer says what a package may import of ours. A name ending in /... means the packages below it too.
type layer struct {
	pkg string
	may []string
}

var layers = []layer{
	{"internal", nil}, // this test
	{"internal/source", nil},
	{"internal/regex", nil},
	{"internal/pgparse", []string{"internal/source"}},
	{"internal/config", []string{"internal/source"}},
	{"internal/pgserver/...", []string{"internal/pgserver/..."}},
	{"templates", nil},
	{"migration", []string{"internal/source", "internal/pgparse"}},
	{"migration/sqlfile", []string{"migration", "internal/source", "internal/pgparse"}},
	{"migration/ecto/...", []string{"migration", "internal/source", "internal/pgparse", "migration/ecto/..."}},
	{"schema", []string{"migration", "internal/source"}},
	{"analysis", []string{"migration", "schema", "internal/source"}},
	{"analysis/rules", []string{"analysis", "migration", "schema", "internal/source"}},
	{"snippets", []string{"templates", "migration", "schema", "internal/source"}},
	{"internal/workspace", []string{"internal/source", "internal/config", "migration", "migration/sqlfile", "migration/ecto", "schema", "analysis", "analysis/rules", "templates", "snippets"}},
	{"runner/...", []string{"migration", "schema", "internal/source", "internal/config", "internal/pgserver/...", "runner/..."}},
	{"internal/lsptest", []string{"internal/source"}},
	{"internal/compare", []string{"internal/source", "internal/workspace"}},
	{"internal/demo", []string{"internal/lsptest", "internal/pgserver/..."}},
	{"lsp", []string{"internal/source", "internal/config", "internal/workspace", "migration", "schema", "analysis", "analysis/rules", "snippets", "templates", "runner/..."}},
	{"cmd/ddlsp", []string{"internal/source", "internal/config", "internal/workspace", "internal/pgserver/...", "migration", "schema", "analysis", "analysis/rules", "snippets", "templates", "runner/...", "lsp"}},
}

// doors are the foreign modules that only some packages may import.
var doors = map[string][]string{
	"github.com/pganalyze/pg_query_go/": {"internal/pgparse"},
	"github.com/smacker/go-tree-sitter": {"migration/ecto/..."},
	"github.com/jackc/pgx/":             {"runner/...", "internal/pgserver/..."},
	"go.lsp.dev/":                       {"lsp", "internal/lsptest"},
	"github.com/spf13/cobra":            {"cmd/ddlsp", "internal/demo"},
}

func matches(pattern, pkg string) bool {
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return pkg == base || strings.HasPrefix(pkg, base+"/")
	}
	return pattern == pkg
}

func TestImportGraph(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...").Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		pkg := strings.TrimPrefix(p.ImportPath, module)
		i := slices.IndexFunc(layers, func(l layer) bool { return matches(l.pkg, pkg) })
		if i < 0 {
			t.Errorf("%s is not in the table of packages: say what it may import", pkg)
			continue
		}
		for _, imp := range p.Imports {
			if ours, ok := strings.CutPrefix(imp, module); ok {
				if ours != "internal/regex" && !slices.ContainsFunc(layers[i].may, func(m string) bool { return matches(m, ours) }) {
					t.Errorf("%s imports %s, which the table does not allow", pkg, ours)
				}
				continue
			}
			for door, who := range doors {
				if strings.HasPrefix(imp, door) && !slices.ContainsFunc(who, func(w string) bool { return matches(w, pkg) }) {
					t.Errorf("%s imports %s, which only %s may", pkg, imp, strings.Join(who, ", "))
				}
			}
		}
	}
}
