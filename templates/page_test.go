package templates_test

import (
	_ "embed"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ddlsp/ddlsp/templates"
)

//go:generate go test -run TestPage -update .

var update = flag.Bool("update", false, "write docs/templates.md")

// page is the documentation of all templates.
func page() string {
	var b strings.Builder
	b.WriteString("# Templates\n\nWhat `ddlsp new TEMPLATE NAME` writes and the editor offers as completions, with the names that stand there when nothing better\n" +
		"is known. In an editor every such name is a tab stop. SQL is shown without what a format puts around it.\n\n")
	for _, t := range templates.All() {
		b.WriteString("- [`" + t.Name + "`](#" + t.Name + "): " + t.Title + "\n")
	}
	b.WriteString("\nNames come from what is known: the table and column from the migration's name (`add_email_to_users`), the tables to refer to, the types of\n" +
		"their keys and the time column of a hypertable from the project's migrations, the module and the lock from the repo. The same name in several\n" +
		"places is one tab stop, in both directions where they stand in one file. A pair of files gets its other file when the template is taken, with the\n" +
		"names as they are then, and never over a file that is there: what is typed into the first file afterwards has to be typed into the other one\n" +
		"too, and [`down-does-not-undo-up`](rules/down-does-not-undo-up.md) tells when the two no longer fit. `ddlsp new TEMPLATE NAME --table TABLE` writes\n" +
		"both with the right name at once.\n")
	b.WriteString("\nA project can have [templates of its own](#your-own-templates).\n")
	for _, t := range templates.All() {
		b.WriteString("\n## " + t.Name + "\n\n" + t.Detail + ".\n\nLocks: " + t.Locks + ".\n")
		if n := t.Needs.String(); n != "" {
			b.WriteString("\nNeeds " + n + ".\n")
		}
		if t.Statement {
			b.WriteString("\nA single statement: only as a completion inside a migration.\n")
		}
		for _, s := range []templates.Syntax{templates.Ecto, templates.SQL} {
			for _, p := range t.PartsIn(s) {
				body, _ := p.Body(s)
				values := t.Defaults(s, nil)
				name := map[templates.Syntax]string{templates.Ecto: "Ecto", templates.SQL: "SQL"}[s]
				if p.Key != "" {
					name += ", the migration `" + p.Key + "`"
				}
				if p.NoTransaction {
					name += ", outside a transaction"
				}
				if p.Why != "" {
					name += " (" + p.Why + ")"
				}
				b.WriteString("\n" + name + ":\n")
				block := func(language, text string) { b.WriteString("\n```" + language + "\n" + text + "\n```\n") }
				switch {
				case s == templates.Ecto && t.Test:
					block("elixir", body.Up.Fill(values))
				case s == templates.Ecto && body.Change != "":
					block("elixir", "def change do\n"+body.Change.Indent("  ").Fill(values)+"\nend")
				case s == templates.Ecto:
					text := "def up do\n" + body.Up.Indent("  ").Fill(values) + "\nend"
					if body.Down != "" {
						text += "\n\ndef down do\n" + body.Down.Indent("  ").Fill(values) + "\nend"
					}
					block("elixir", text)
				default:
					block("sql", "-- up\n"+body.Up.Fill(values))
					if body.Down != "" {
						block("sql", "-- down\n"+body.Down.Fill(values))
					}
				}
			}
		}
	}
	return b.String() + "\n" + strings.TrimSpace(own) + "\n"
}

//go:embed testdata/own.md
var own string

// The example of a project's own template is one.
func TestOwnExample(t *testing.T) {
	_, after, _ := strings.Cut(own, "```txtar\n")
	text, _, ok := strings.Cut(after, "```\n")
	tmpl, err := templates.Parse("add_tenant", text)
	if !ok || err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	for _, s := range []templates.Syntax{templates.Ecto, templates.SQL} {
		if n := len(tmpl.PartsIn(s)); n != 2 {
			t.Errorf("%s: %d parts, want 2", s, n)
		}
	}
}

// The page in docs is what the templates say.
func TestPage(t *testing.T) {
	const path = "../docs/templates.md"
	want := page()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/templates.md is not current; go test ./templates -run TestPage -update writes it (-want +got):\n%s", diff)
	}
}
