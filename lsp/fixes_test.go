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

const (
	mixExs    = "defmodule Shop.MixProject do\n  use Mix.Project\n  def project, do: [app: :shop, deps: [{:ecto_sql, \"~> 3.12\"}, {:postgrex, \">= 0.0.0\"}]]\nend\n"
	ectoTable = `defmodule Shop.Repo.Migrations.CreateOrders do
  use Ecto.Migration

  def change do
    create table(:orders) do
      add :note, :string
    end
  end
end
`
	ectoIndex = `defmodule Shop.Repo.Migrations.IndexOrders do
  use Ecto.Migration

  # größer 😀
  def change do
    create index(:orders, [:note])
  end
end
`
)

func ectoProject(t testing.TB) (dir, index string) {
	dir = writeFiles(t, map[string]string{
		"mix.exs": mixExs,
		"priv/repo/migrations/20250101000000_create_orders.exs": ectoTable,
		"priv/repo/migrations/20250102000000_index_orders.exs":  ectoIndex,
	})
	return dir, filepath.Join(dir, "priv", "repo", "migrations", "20250102000000_index_orders.exs")
}

func withRule(list []lsptest.Diagnostic, rule string) *lsptest.Diagnostic {
	for i := range list {
		if list[i].Code == rule {
			return &list[i]
		}
	}
	return nil
}

const blockingIndex = "require-concurrent-index-creation"

// The headline rule, from the squiggle to its end, wherever the cursor is on
// the line and whatever the client says of diagnostics.
func TestQuickFix(t *testing.T) {
	inEncodings(t, func(t *testing.T, encodings []string) {
		dir, index := ectoProject(t)
		e := connect(t, lsptest.Options{Dir: dir, Encodings: encodings})
		e.Open(index)
		d := withRule(e.Diagnostics(index), blockingIndex)
		if d == nil {
			t.Fatalf("no %s: %v", blockingIndex, e.Diagnostics(index))
		}
		if d.Source != "ddlsp" || d.CodeDescription == nil || !strings.Contains(d.CodeDescription.Href, blockingIndex) || d.Message == "" || d.Severity == 0 {
			t.Errorf("diagnostic %+v", d)
		}
		start, _ := e.Span(index, d.Range)
		if at, _ := e.Find(index, "create index"); start != at {
			t.Errorf("the diagnostic starts at %d, want %d", start, at)
		}
		_, lineEnd := e.Find(index, `create index.*`)
		i := slices.IndexFunc(e.CodeActions(index, lineEnd, lineEnd, true, "quickfix"), func(a lsptest.CodeAction) bool { return a.IsPreferred })
		if i < 0 {
			t.Fatalf("no preferred fix at the end of the line: %+v", e.CodeActions(index, lineEnd, lineEnd, true))
		}
		fix := e.CodeActions(index, lineEnd, lineEnd, true, "quickfix")[i]
		if fix.Kind != "quickfix" || len(fix.Diagnostics) != 1 || fix.Diagnostics[0].Code != blockingIndex {
			t.Errorf("fix %+v", fix)
		}
		e.Apply(fix)
		text := e.Text(index)
		for _, want := range []string{"concurrently: true", "@disable_ddl_transaction true", "@disable_migration_lock true", "# größer 😀"} {
			if !strings.Contains(text, want) {
				t.Errorf("the fixed text lacks %q:\n%s", want, text)
			}
		}
		if list := e.Diagnostics(index); len(list) != 0 {
			t.Errorf("after the fix: %+v", list)
		}
		if got := kinds(e.CodeActions(index, lineEnd, lineEnd, true)); slices.Contains(got, "quickfix") {
			t.Errorf("fixes where nothing is wrong: %v", got)
		}
	})
}

// Hovering a finding tells what is wrong and why.
func TestHoverOfAFinding(t *testing.T) {
	dir, index := ectoProject(t)
	e := connect(t, lsptest.Options{Dir: dir})
	e.Open(index)
	at, _ := e.Find(index, "create index")
	text := e.Hover(index, at)
	for _, want := range []string{`CREATE INDEX "orders_note_index" ON "orders" ("note")`, "Runs on rollback, reversed from the change", "`SHARE` on `orders`", "blocks writes", blockingIndex} {
		if !strings.Contains(text, want) {
			t.Errorf("the hover lacks %q:\n%s", want, text)
		}
	}
}

func TestFixAll(t *testing.T) {
	dir, index := ectoProject(t)
	e := connect(t, lsptest.Options{Dir: dir})
	e.Open(index)
	for _, only := range []string{"source.fixAll", "source", "source.fixAll.ddlsp"} {
		list := e.CodeActions(index, 0, 0, true, only)
		if len(list) != 1 || list[0].Kind != "source.fixAll.ddlsp" {
			t.Fatalf("only %s: %+v", only, list)
		}
	}
	e.Apply(e.CodeActions(index, 0, 0, true, "source.fixAll")[0])
	if d := withRule(e.Diagnostics(index), blockingIndex); d != nil {
		t.Errorf("fix all left %+v", d)
	}
	if list := e.CodeActions(index, 0, 0, true, "source.fixAll"); len(list) != 0 {
		t.Errorf("nothing to fix, but %+v", list)
	}
}

// A suppression is offered beside every fix, and works.
func TestIgnoreAction(t *testing.T) {
	dir, index := ectoProject(t)
	goose := writeFiles(t, map[string]string{
		"migrations/00001_a.sql": gooseOne,
		"migrations/00002_b.sql": "-- +goose Up\nCREATE INDEX i ON orders (note);\n-- +goose Down\nDROP INDEX i;\n",
	})
	e := connect(t, lsptest.Options{Folders: []string{dir, goose}})
	for _, path := range []string{index, filepath.Join(goose, "migrations", "00002_b.sql")} {
		e.Open(path)
		at, _ := e.Find(path, "(create index|CREATE INDEX)")
		list := e.CodeActions(path, at, at, false, "quickfix")
		i := slices.IndexFunc(list, func(a lsptest.CodeAction) bool { return strings.HasPrefix(a.Title, "Ignore "+blockingIndex) })
		if i < 0 {
			t.Fatalf("%s: no suppression is offered: %+v", path, list)
		}
		e.Apply(list[i])
		if list := e.Diagnostics(path); withRule(list, blockingIndex) != nil || withRule(list, "unused-suppression") != nil {
			t.Errorf("after suppressing: %+v\n%s", list, e.Text(path))
		}
	}
}

// A fix that makes a file: by the edit where the client can, else by the
// server.
func TestFixMakesAFile(t *testing.T) {
	for name, opts := range map[string]lsptest.Options{
		"the client creates": {},
		"the server creates": {Capabilities: func(caps map[string]any) {
			caps["workspace"].(map[string]any)["workspaceEdit"] = map[string]any{"documentChanges": true}
		}},
		"plain changes": {Capabilities: func(caps map[string]any) { delete(caps["workspace"].(map[string]any), "workspaceEdit") }},
	} {
		t.Run(name, func(t *testing.T) {
			dir := writeFiles(t, map[string]string{
				"migrations/000001_a.up.sql":   "CREATE TABLE a (id bigint PRIMARY KEY);\n",
				"migrations/000001_a.down.sql": "DROP TABLE a;\n",
				"migrations/000002_b.up.sql":   "CREATE TABLE b (id int PRIMARY KEY);\n",
			})
			up := filepath.Join(dir, "migrations", "000002_b.up.sql")
			down := filepath.Join(dir, "migrations", "000002_b.down.sql")
			opts.Dir = dir
			e := connect(t, opts)
			e.Open(up)
			if withRule(e.Diagnostics(up), "missing-down-migration") == nil {
				t.Fatalf("diagnostics %+v", e.Diagnostics(up))
			}
			list := e.CodeActions(up, 0, 0, false, "quickfix")
			i := slices.IndexFunc(list, func(a lsptest.CodeAction) bool {
				return len(a.Diagnostics) == 1 && a.Diagnostics[0].Code == "missing-down-migration" && !strings.HasPrefix(a.Title, "Ignore")
			})
			if i < 0 {
				t.Fatalf("no fix: %+v", list)
			}
			e.Apply(list[i])
			text, err := os.ReadFile(down)
			if err != nil || !strings.Contains(string(text), "DROP TABLE b") {
				t.Fatalf("the down file holds %q, %v", text, err)
			}
			// Whoever wrote it, the server hears of it, here or from the client.
			e.Notify("workspace/didChangeWatchedFiles", map[string]any{"changes": []any{map[string]any{"uri": lsptest.URI(down), "type": 1}}})
			e.AwaitDiagnostics(up, func(list []lsptest.Diagnostic) bool { return withRule(list, "missing-down-migration") == nil })
		})
	}
}

// A change of one file is seen in the other open files that it concerns.
func TestRelatedFiles(t *testing.T) {
	dir, index := ectoProject(t)
	table := filepath.Join(dir, "priv", "repo", "migrations", "20250101000000_create_orders.exs")
	e := connect(t, lsptest.Options{Dir: dir})
	e.Open(table)
	e.Open(index)
	if withRule(e.Diagnostics(index), blockingIndex) == nil {
		t.Fatal("no diagnostic to begin with")
	}
	// The pair partner of golang-migrate, likewise.
	pair := writeFiles(t, map[string]string{
		"migrations/000001_a.up.sql":   "CREATE TABLE a (id bigint PRIMARY KEY);\n",
		"migrations/000001_a.down.sql": "DROP TABLE a;\n",
	})
	up, down := filepath.Join(pair, "migrations", "000001_a.up.sql"), filepath.Join(pair, "migrations", "000001_a.down.sql")
	p := connect(t, lsptest.Options{Dir: pair})
	p.Open(up)
	p.Open(down)
	if list := p.Diagnostics(up); len(list) != 0 {
		t.Fatalf("diagnostics %+v", list)
	}
	p.SetText(down, "\n")
	isEmptyDown := func(list []lsptest.Diagnostic) bool { return withRule(list, "empty-down-migration") != nil }
	p.Diagnostics(down)
	if !isEmptyDown(p.Diagnostics(down)) {
		p.AwaitDiagnostics(up, isEmptyDown)
	}
	p.SetText(down, "DROP TABLE a;\n")
	p.AwaitDiagnostics(up, func(list []lsptest.Diagnostic) bool { return !isEmptyDown(list) })
	p.AwaitDiagnostics(down, func(list []lsptest.Diagnostic) bool { return !isEmptyDown(list) })
}

func completion(t *testing.T, list []lsptest.CompletionItem, label string) lsptest.CompletionItem {
	t.Helper()
	var labels []string
	for _, it := range list {
		if it.Label == label {
			return it
		}
		labels = append(labels, it.Label)
	}
	t.Fatalf("no completion %q among %v", label, labels)
	return lsptest.CompletionItem{}
}

func TestCompletion(t *testing.T) {
	dir, index := ectoProject(t)
	fresh := filepath.Join(filepath.Dir(index), "20250103000000_create_line_items.exs")
	if err := os.WriteFile(fresh, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	e := connect(t, lsptest.Options{Dir: dir})
	e.Open(fresh)
	it := completion(t, e.Complete(fresh, 0), "create_table")
	if it.InsertTextFormat != 2 || it.TextEdit == nil || !strings.Contains(it.TextEdit.NewText, "defmodule Shop.Repo.Migrations.CreateLineItems do") || !strings.Contains(it.TextEdit.NewText, "line_items") {
		t.Errorf("create_table: %+v", it)
	}
	var resolved lsptest.CompletionItem
	if err := e.Call("completionItem/resolve", it, &resolved); err != nil || resolved.TextEdit == nil || resolved.TextEdit.NewText != it.TextEdit.NewText {
		t.Errorf("resolve: %+v, %v", resolved, err)
	}
	// The cursor in a word: the word is replaced.
	e.SetText(fresh, "# ü😀\ncreate_t")
	it = completion(t, e.Complete(fresh, len(e.Text(fresh))), "create_table")
	if start, end := e.Span(fresh, it.TextEdit.Range); e.Text(fresh)[start:end] != "create_t" {
		t.Errorf("the completion replaces %q", e.Text(fresh)[start:end])
	}

	plain := connect(t, lsptest.Options{Dir: dir, Capabilities: func(caps map[string]any) {
		delete(caps["textDocument"].(map[string]any), "completion")
	}})
	plain.Open(fresh)
	it = completion(t, plain.Complete(fresh, 0), "create_table")
	if it.InsertTextFormat != 1 || strings.Contains(it.TextEdit.NewText, "${") {
		t.Errorf("a client without snippets gets %+v", it)
	}
	// What is inserted as it is must be a migration that lints clean.
	plain.Edit(fresh, lsptest.Change{Text: it.TextEdit.NewText})
	if list := plain.Diagnostics(fresh); slices.ContainsFunc(list, func(d lsptest.Diagnostic) bool { return d.Severity <= 2 }) {
		t.Errorf("the completed migration: %+v", list)
	}
}

// Completing one file of a pair writes the other, which an edit cannot make.
func TestCompletionOfAPair(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"migrations/000001_a.up.sql":            "CREATE TABLE a (id bigint PRIMARY KEY);\n",
		"migrations/000001_a.down.sql":          "DROP TABLE a;\n",
		"migrations/000002_create_items.up.sql": "",
	})
	up := filepath.Join(dir, "migrations", "000002_create_items.up.sql")
	down := filepath.Join(dir, "migrations", "000002_create_items.down.sql")
	e := connect(t, lsptest.Options{Dir: dir})
	e.Open(up)
	var list struct {
		Items []struct {
			Label   string
			Command *lsptest.Command
		}
	}
	if err := e.Call("textDocument/completion", e.At(up, 0), &list); err != nil {
		t.Fatal(err)
	}
	for _, it := range list.Items {
		if it.Label != "create_table" {
			continue
		}
		if it.Command == nil {
			t.Fatal("nothing writes the down file")
		}
		e.Apply(lsptest.CodeAction{Title: it.Label, Command: it.Command})
		text, err := os.ReadFile(down)
		if err != nil || !strings.Contains(string(text), "DROP TABLE") {
			t.Fatalf("the down file holds %q, %v", text, err)
		}
		if err := e.Call("workspace/executeCommand", it.Command, nil); err == nil {
			t.Error("the down file was overwritten")
		}
		return
	}
	t.Fatalf("no create_table among %+v", list.Items)
}

func TestAddFilesStaysBesideTheMigration(t *testing.T) {
	dir, _, two := gooseProject(t)
	e := connect(t, lsptest.Options{Dir: dir})
	for _, name := range []string{"../x.sql", "/tmp/x.sql", "x.sh", ".sql/../../x.sql", ""} {
		if _, err := e.Command("ddlsp.addFiles", map[string]any{"uri": lsptest.URI(two), "files": []any{map[string]any{"name": name, "text": "x"}}}); err == nil {
			t.Errorf("%q was written", name)
		}
	}
}

func TestNewMigration(t *testing.T) {
	dir, index := ectoProject(t)
	e := connect(t, lsptest.Options{Dir: dir})
	raw, err := e.Command("ddlsp.newMigration", map[string]any{})
	var list struct {
		Templates []struct{ Name, Title string }
	}
	if err != nil || json.Unmarshal(raw, &list) != nil || len(list.Templates) < 6 {
		t.Fatalf("templates: %s, %v", raw, err)
	}
	raw, err = e.Command("ddlsp.newMigration", map[string]any{"uri": lsptest.URI(index), "template": "create_table", "name": "create_things"})
	if err != nil {
		t.Fatal(err)
	}
	var made struct{ Paths, URIs []string }
	if err := json.Unmarshal(raw, &made); err != nil || len(made.Paths) == 0 {
		t.Fatalf("newMigration answered %s, %v", raw, err)
	}
	path := filepath.Join(dir, filepath.FromSlash(made.Paths[0]))
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), "create table(:things") {
		t.Errorf("%s holds %q, %v", path, text, err)
	}
	if asked := e.Asked("window/showDocument"); !strings.Contains(string(asked[0]), "create_things.exs") {
		t.Errorf("shown: %s", asked)
	}
	e.Open(path)
	if list := e.Diagnostics(path); slices.ContainsFunc(list, func(d lsptest.Diagnostic) bool { return d.Severity <= 2 }) {
		t.Errorf("the new migration: %+v", list)
	}
	for _, bad := range []map[string]any{
		{"template": "nosuch", "name": "x"}, {"template": "create_table", "name": "1 2"},
		{"template": "create_table", "name": "create_things"}, {"template": "create_table", "name": "x", "dir": "/tmp"},
	} {
		if raw, err := e.Command("ddlsp.newMigration", bad); err == nil {
			t.Errorf("%v was written: %s", bad, raw)
		}
	}
}

func TestExplain(t *testing.T) {
	e := connect(t, lsptest.Options{})
	raw, err := e.Command("ddlsp.explain", map[string]any{"rule": blockingIndex})
	var page struct{ Rule, Summary, Text, URL string }
	if err != nil || json.Unmarshal(raw, &page) != nil || page.Rule != blockingIndex || !strings.Contains(page.Text, "# "+blockingIndex) || page.Summary == "" {
		t.Errorf("explain: %s, %v", raw, err)
	}
	raw, err = e.Command("ddlsp.explain", nil)
	if err != nil || !strings.Contains(string(raw), `"rule":"`+blockingIndex+`"`) {
		t.Errorf("the list: %s, %v", raw, err)
	}
	if _, err := e.Command("ddlsp.explain", map[string]any{"rule": "nosuch"}); err == nil {
		t.Error("a rule that does not exist is explained")
	}
}
