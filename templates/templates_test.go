package templates_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/templates"
)

func TestAllAreWhole(t *testing.T) {
	embedded, err := filepath.Glob("text/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if len(embedded) != len(templates.All()) {
		t.Errorf("%d texts, %d templates: each text must have its place in the order", len(embedded), len(templates.All()))
	}
	for _, tmpl := range templates.All() {
		if tmpl.Detail == tmpl.Title || tmpl.Locks == "" {
			t.Errorf("%s does not say what it does and locks", tmpl.Name)
		}
		for _, s := range []templates.Syntax{templates.Ecto, templates.SQL} {
			parts := tmpl.PartsIn(s)
			if len(parts) == 0 && !tmpl.Test {
				t.Errorf("%s has nothing for %s", tmpl.Name, s)
			}
			used := map[string]bool{}
			for _, p := range parts {
				b, _ := p.Body(s)
				if b.Up == "" || b.Down == "" && !tmpl.Statement && !tmpl.Test {
					t.Errorf("%s, part %q, %s: both directions must be there", tmpl.Name, p.Key, s)
				}
				if p.Why == "" && (p.Key != "" || p.NoTransaction) {
					t.Errorf("%s, part %q: must say why it is alone", tmpl.Name, p.Key)
				}
				for _, text := range []templates.Text{b.Up, b.Down, b.Change} {
					for _, f := range text.Fields() {
						used[f] = true
					}
				}
			}
			for _, f := range tmpl.Fields {
				if f.Default(s) != "" && !used[f.Name] && len(parts) > 0 {
					t.Errorf("%s: field %s is not used in %s", tmpl.Name, f.Name, s)
				}
			}
		}
	}
}

func TestTheSixComeFirst(t *testing.T) {
	want := []string{"create_table", "create_hypertable", "alter_table", "add_index", "add_foreign_key", "add_triggers"}
	var got []string
	for _, tmpl := range templates.All() {
		if !tmpl.Snippet {
			got = append(got, tmpl.Name)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("templates that are no snippets: %v, want %v", got, want)
	}
}

// The linter flags these; no template may have them.
func TestNoKnownDefect(t *testing.T) {
	for _, tmpl := range templates.All() {
		for _, s := range []templates.Syntax{templates.Ecto, templates.SQL} {
			for _, p := range tmpl.PartsIn(s) {
				b, _ := p.Body(s)
				all := string(b.Change + "\n" + b.Up + "\n" + b.Down)
				if strings.Contains(string(b.Down), "CASCADE") {
					t.Errorf("%s, %s: down drops more than it names", tmpl.Name, s)
				}
				for _, word := range []string{"OR REPLACE", "IF NOT EXISTS", "SharedData", "GROUP BY bucket", ":utc_datetime_usec"} {
					if strings.Contains(all, word) {
						t.Errorf("%s, %s: contains %s", tmpl.Name, s, word)
					}
				}
			}
		}
	}
}

func TestGuess(t *testing.T) {
	for name, want := range map[string]map[string]string{
		"create_orders":            {"table": "orders"},
		"create_order_items":       {"table": "order_items"},
		"create_orders_table":      {"table": "orders"},
		"create_trades_hypertable": {"table": "trades"},
		"CreateOrders":             {},
		"alter_orders":             {"table": "orders"},
		"add_index_to_orders":      {"table": "orders"},
		"add_email_to_users":       {"table": "users", "column": "email"},
		"add_email_index_to_users": {"table": "users", "column": "email"},
		"add_triggers_to_orders":   {"table": "orders"},
		"index_orders_on_user_id":  {"table": "orders", "column": "user_id"},
		"add_orders_foreign_key":   {"table": "orders"},
		"add_gin_index":            {},
		"create_table":             {},
		"tidy":                     {},
		"create_":                  {},
		"create_größe":             {},
	} {
		got := templates.Guess(name)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("Guess(%q) = %v, want %v", name, got, want)
		}
	}
}

func TestLikely(t *testing.T) {
	for name, want := range map[string]string{
		"create_orders": "create_table", "create_trades_hypertable": "create_hypertable create_table", "alter_orders": "alter_table",
		"add_email_to_users": "add_column", "add_status_index_to_orders": "add_index add_column", "index_orders_on_user_id": "add_index",
		"add_unique_index_to_users": "add_unique_index add_index add_column", "add_user_id_to_orders": "add_foreign_key add_column",
		"soft_delete_users": "soft_delete", "tidy": "", "": "", "AddTriggers": "", "add_triggers": "add_triggers", "add_retention_to_trades": "retention_policy add_column",
	} {
		var got []string
		for _, tmpl := range templates.Likely(templates.All(), name) {
			got = append(got, tmpl.Name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("Likely(%q) = %v, want %s", name, got, want)
		}
	}
}

func TestText(t *testing.T) {
	text := templates.Text("add :{{column}}, default: %{}\n\n{{table}}_{{column}} {{ }} {{1, 2}} {{open")
	if got, want := text.Fields(), []string{"column", "table"}; !slices.Equal(got, want) {
		t.Errorf("Fields = %q, want %q", got, want)
	}
	got := text.Fill(map[string]string{"column": "a", "table": "t"})
	if want := "add :a, default: %{}\n\nt_a {{ }} {{1, 2}} {{open"; got != want {
		t.Errorf("Fill = %q, want %q", got, want)
	}
	if got, want := templates.Text("a\n\nb").Indent("  "), templates.Text("  a\n\n  b"); got != want {
		t.Errorf("Indent = %q, want %q", got, want)
	}
}

func TestReservedWordsAreNoIdentifiers(t *testing.T) {
	for name, want := range map[string]bool{"orders": true, "order": false, "User": false, "user": false, "users": true,
		"a b": false, "": false, "timestamp": true, strings.Repeat("x", 64): false, "1a": false, "größe": false} {
		if got := templates.IsIdentifier(name); got != want {
			t.Errorf("IsIdentifier(%q) = %v, want %v", name, got, want)
		}
	}
}

// formatter is what a project's .formatter.exs imports from ecto_sql.
const formatter = `[
  inputs: ["*.exs"],
  locals_without_parens: [
    add: 2, add: 3, add_if_not_exists: 2, add_if_not_exists: 3, alter: 2, create: 1, create: 2,
    create_if_not_exists: 1, create_if_not_exists: 2, drop: 1, drop: 2, drop_if_exists: 1, drop_if_exists: 2,
    execute: 1, execute: 2, modify: 2, modify: 3, remove: 1, remove: 2, remove: 3, rename: 2, rename: 3, timestamps: 1
  ]
]
`

// Every Ecto text is formatted as Elixir's own formatter would, with a short
// name of a table and a long one.
func TestEctoTextsAreFormatted(t *testing.T) {
	mix, err := exec.LookPath("mix")
	if err != nil {
		t.Skip("SKIPPED, NOT TESTED: no mix, so that nothing says whether the Ecto templates are formatted")
	}
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	rules := filepath.Join(t.TempDir(), "formatter.exs")
	if err := os.WriteFile(rules, []byte(formatter), 0o644); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, table := range []string{"a", "purchase_order_lines"} {
		for _, tmpl := range templates.All() {
			values := tmpl.Defaults(templates.Ecto, map[string]string{"table": table})
			for _, p := range tmpl.PartsIn(templates.Ecto) {
				name := fmt.Sprintf("%s_%s_%s", tmpl.Name, p.Key, table)
				if tmpl.Test {
					b, _ := p.Body(templates.Ecto)
					write(name+"_file.exs", b.Up.Fill(values)+"\n")
					continue
				}
				write(name+"_file.exs", p.EctoText(templates.EctoFile{Module: "Shop.Repo.Migrations.A"}).Fill(values))
				b, _ := p.Body(templates.Ecto)
				for what, text := range map[string]templates.Text{"up": b.Up, "down": b.Down, "create": b.InCreate, "alter": b.InAlter} {
					if text != "" {
						write(name+"_"+what+".exs", text.Fill(values)+"\n")
					}
				}
				n++
			}
		}
	}
	cmd := exec.Command(mix, "format", "--check-formatted", "--dot-formatter", rules)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "MIX_HOME="+t.TempDir(), "HEX_OFFLINE=1")
	// The control shows that the check finds what there is to find.
	write("control.exs", "add  :a,:string\n")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "* control.exs") {
		t.Fatalf("mix format did not find the unformatted control: %v\n%s", err, out)
	}
	if strings.Count(string(out), "* ") > 2 {
		t.Errorf("not formatted, besides the control:\n%s", out)
	}
	t.Logf("%d files checked by mix format", n)
}
