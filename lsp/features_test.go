package lsp

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.lsp.dev/jsonrpc2"

	"github.com/ddlsp/ddlsp/internal/lsptest"
)

// A goose project with non-ASCII text before and on the lines that are asked
// about.
const (
	gooseOne = `-- +goose Up
CREATE TABLE orders (id bigint PRIMARY KEY, note text);
-- +goose Down
DROP TABLE orders;
`
	gooseTwo = `-- +goose Up
-- größer 😀
ALTER TABLE orders
    ADD COLUMN "größe😀" int; -- é
COMMENT ON TABLE orders IS 'naïve 😀';

-- +goose Down
ALTER TABLE orders DROP COLUMN "größe😀";
`
)

// writeFiles writes files below a new directory, whose name a URI escapes.
func writeFiles(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a@b c=ü")
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func gooseProject(t testing.TB) (dir, one, two string) {
	dir = writeFiles(t, map[string]string{
		"migrations/00001_create_orders.sql": gooseOne,
		"migrations/00002_add_size.sql":      gooseTwo,
	})
	return dir, filepath.Join(dir, "migrations", "00001_create_orders.sql"), filepath.Join(dir, "migrations", "00002_add_size.sql")
}

// inEncodings runs a test once for each way to count positions.
func inEncodings(t *testing.T, test func(t *testing.T, encodings []string)) {
	for _, e := range []string{lsptest.UTF16, lsptest.UTF8, lsptest.UTF32} {
		t.Run(e, func(t *testing.T) { test(t, []string{e}) })
	}
}

func TestNegotiation(t *testing.T) {
	for _, tt := range []struct {
		offered []string
		want    string
	}{
		{[]string{"utf-16"}, "utf-16"},
		{[]string{"utf-8", "utf-16", "utf-32"}, "utf-8"},
		{[]string{"utf-32", "utf-8", "utf-16"}, "utf-8"},
		{[]string{"utf-32", "utf-16"}, "utf-16"},
		{[]string{"utf-32"}, "utf-32"},
		{[]string{}, "utf-16"},
		{[]string{"klingon"}, "utf-16"},
	} {
		e := connect(t, lsptest.Options{Encodings: tt.offered})
		if e.Encoding() != tt.want {
			t.Errorf("offered %v: the server chose %s, want %s", tt.offered, e.Encoding(), tt.want)
		}
	}
}

func TestHover(t *testing.T) {
	inEncodings(t, func(t *testing.T, encodings []string) {
		dir, _, two := gooseProject(t)
		e := connect(t, lsptest.Options{Dir: dir, Encodings: encodings})
		e.Open(two)
		at, _ := e.Find(two, `int; -- é`)
		text := e.Hover(two, at)
		for _, want := range []string{"Runs on migrate, inside a transaction", `ADD COLUMN "größe😀" int`, "`ACCESS EXCLUSIVE` on `orders`", "blocks reads and writes"} {
			if !strings.Contains(text, want) {
				t.Errorf("the hover lacks %q:\n%s", want, text)
			}
		}
		if strings.Contains(text, "COMMENT ON") || strings.Contains(text, "rollback") {
			t.Errorf("the hover tells of other statements:\n%s", text)
		}
		// The first line of a direction tells all of it.
		text = e.Hover(two, 0)
		for _, want := range []string{"ADD COLUMN", "COMMENT ON TABLE"} {
			if !strings.Contains(text, want) {
				t.Errorf("the hover of the direction lacks %q:\n%s", want, text)
			}
		}
		at, _ = e.Find(two, `DROP COLUMN`)
		if text = e.Hover(two, at); !strings.Contains(text, "Runs on rollback") {
			t.Errorf("the hover of down:\n%s", text)
		}
		at, _ = e.Find(two, `größer`)
		if text = e.Hover(two, at); text != "" {
			t.Errorf("the hover of a comment: %q", text)
		}
	})
}

func TestHoverInPlainText(t *testing.T) {
	dir, _, two := gooseProject(t)
	e := connect(t, lsptest.Options{Dir: dir, Capabilities: func(caps map[string]any) {
		delete(caps["textDocument"].(map[string]any), "hover")
	}})
	e.Open(two)
	at, _ := e.Find(two, `int;`)
	var res struct {
		Contents struct{ Kind string }
	}
	if err := e.Call("textDocument/hover", e.At(two, at), &res); err != nil || res.Contents.Kind != "plaintext" {
		t.Errorf("kind %q, %v", res.Contents.Kind, err)
	}
}

func lenses(t *testing.T, e *lsptest.Editor, path string) (titles []string) {
	t.Helper()
	var list []lsptest.CodeLens
	if err := e.Call("textDocument/codeLens", map[string]any{"textDocument": map[string]any{"uri": lsptest.URI(path)}}, &list); err != nil {
		t.Fatal(err)
	}
	if list == nil {
		t.Fatal("code lenses are null")
	}
	for _, l := range list {
		start, _ := e.Span(path, l.Range)
		titles = append(titles, l.Command.Title+": "+strings.SplitN(e.Text(path)[start:], "\n", 2)[0])
	}
	return titles
}

func TestCodeLens(t *testing.T) {
	dir, _, two := gooseProject(t)
	e := connect(t, lsptest.Options{Dir: dir})
	e.Open(two)
	want := []string{
		"Migrate: ALTER TABLE orders", "Show SQL: ALTER TABLE orders",
		`Roll back: ALTER TABLE orders DROP COLUMN "größe😀";`, `Show SQL: ALTER TABLE orders DROP COLUMN "größe😀";`,
	}
	if d := cmp.Diff(want, lenses(t, e, two)); d != "" {
		t.Errorf("code lenses (-want +got):\n%s", d)
	}
	// Without trust nothing offers to run.
	e.Notify("ddlsp/workspaceTrust", map[string]any{"trusted": false})
	for _, title := range lenses(t, e, two) {
		if !strings.HasPrefix(title, "Show") {
			t.Errorf("an untrusted workspace is offered %q", title)
		}
	}
}

func TestSettings(t *testing.T) {
	dir, _, two := gooseProject(t)
	e := connect(t, lsptest.Options{Dir: dir, Init: map[string]any{"settings": map[string]any{"codeLens": map[string]any{"enabled": false}}},
		Capabilities: func(caps map[string]any) { delete(caps["workspace"].(map[string]any), "configuration") }})
	e.Open(two)
	if got := lenses(t, e, two); len(got) != 0 {
		t.Errorf("code lenses are off, but there are %v", got)
	}
	hints := func() int {
		var list []any
		if err := e.Call("textDocument/inlayHint", map[string]any{"textDocument": map[string]any{"uri": lsptest.URI(two)}, "range": e.RangeOf(two, 0, len(e.Text(two)))}, &list); err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	if hints() == 0 {
		t.Error("no inlay hints by default")
	}
	e.Notify("workspace/didChangeConfiguration", map[string]any{"settings": map[string]any{"ddlsp": map[string]any{"inlayHints": map[string]any{"locks": false}}}})
	if n := hints(); n != 0 {
		t.Errorf("%d inlay hints after they were switched off", n)
	}
	if got := lenses(t, e, two); len(got) == 0 {
		t.Error("no code lenses after the default was restored")
	}
}

func TestSettingsArePulled(t *testing.T) {
	dir, _, two := gooseProject(t)
	e := connect(t, lsptest.Options{Dir: dir, Answer: func(method string, params json.RawMessage) (any, bool) {
		if method != "workspace/configuration" {
			return nil, false
		}
		return []any{map[string]any{"codeLens": map[string]any{"enabled": false}}}, true
	}})
	e.Open(two)
	e.Asked("workspace/codeLens/refresh") // follows the answer
	if got := lenses(t, e, two); len(got) != 0 {
		t.Errorf("code lenses are off, but there are %v", got)
	}
}

func TestInlayHints(t *testing.T) {
	inEncodings(t, func(t *testing.T, encodings []string) {
		dir, one, two := gooseProject(t)
		e := connect(t, lsptest.Options{Dir: dir, Encodings: encodings})
		hints := func(path string, start, end int) (out []string) {
			var list []struct {
				Position lsptest.Position
				Label    string
			}
			if err := e.Call("textDocument/inlayHint", map[string]any{"textDocument": map[string]any{"uri": lsptest.URI(path)}, "range": e.RangeOf(path, start, end)}, &list); err != nil {
				t.Fatal(err)
			}
			for _, h := range list {
				at, _ := e.Span(path, lsptest.Range{Start: h.Position, End: h.Position})
				line := e.Text(path)[strings.LastIndexByte(e.Text(path)[:at], '\n')+1 : at]
				out = append(out, strings.TrimSpace(line)+" | "+h.Label)
			}
			return out
		}
		e.Open(one)
		e.Open(two)
		want := []string{
			`ADD COLUMN "größe😀" int; -- é | ACCESS EXCLUSIVE on orders`,
			`COMMENT ON TABLE orders IS 'naïve 😀'; | SHARE UPDATE EXCLUSIVE on orders`,
			`ALTER TABLE orders DROP COLUMN "größe😀"; | ACCESS EXCLUSIVE on orders`,
		}
		if d := cmp.Diff(want, hints(two, 0, len(gooseTwo))); d != "" {
			t.Errorf("inlay hints (-want +got):\n%s", d)
		}
		at, end := e.Find(two, "-- \\+goose Down[^$]*$")
		if d := cmp.Diff(want[2:], hints(two, at, end)); d != "" {
			t.Errorf("inlay hints of a part (-want +got):\n%s", d)
		}
		// A table that the migration makes itself is nobody else's.
		if got := hints(one, 0, strings.Index(gooseOne, "-- +goose Down")); len(got) != 0 {
			t.Errorf("hints for a new table: %v", got)
		}
	})
}

func TestOutline(t *testing.T) {
	dir, _, two := gooseProject(t)
	e := connect(t, lsptest.Options{Dir: dir})
	e.Open(two)
	type symbol struct {
		Name           string
		Range          lsptest.Range
		SelectionRange lsptest.Range
		Children       []symbol
	}
	var tree []symbol
	doc := map[string]any{"textDocument": map[string]any{"uri": lsptest.URI(two)}}
	if err := e.Call("textDocument/documentSymbol", doc, &tree); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range tree {
		names = append(names, s.Name)
		start, end := e.Span(two, s.Range)
		for _, c := range s.Children {
			names = append(names, "  "+c.Name)
			if a, b := e.Span(two, c.Range); a < start || b > end {
				t.Errorf("%q lies outside of %q", c.Name, s.Name)
			}
		}
	}
	want := []string{"up", `  ALTER TABLE orders ADD COLUMN "größe😀" int`, "  COMMENT ON TABLE orders IS 'naïve 😀'", "down", `  ALTER TABLE orders DROP COLUMN "größe😀"`}
	if d := cmp.Diff(want, names); d != "" {
		t.Errorf("outline (-want +got):\n%s", d)
	}
	var folds []struct{ StartLine, EndLine int }
	if err := e.Call("textDocument/foldingRange", doc, &folds); err != nil {
		t.Fatal(err)
	}
	if len(folds) < 3 {
		t.Errorf("folds: %v", folds)
	}
	for _, f := range folds {
		if f.EndLine <= f.StartLine || f.EndLine >= strings.Count(gooseTwo, "\n")+1 {
			t.Errorf("fold %v", f)
		}
	}
}

func kinds(list []lsptest.CodeAction) (out []string) {
	for _, a := range list {
		if !slices.Contains(out, a.Kind) {
			out = append(out, a.Kind)
		}
	}
	return out
}

func TestRunActions(t *testing.T) {
	dir, _, two := gooseProject(t)
	e := connect(t, lsptest.Options{Dir: dir})
	e.Open(two)
	at, end := e.Find(two, "ADD COLUMN")
	list := e.CodeActions(two, at, end, false, "ddlsp.run")
	var titles []string
	for _, a := range list {
		titles = append(titles, a.Title)
		if a.IsPreferred {
			t.Errorf("%q is preferred", a.Title)
		}
		if a.Command == nil {
			t.Errorf("%q runs nothing", a.Title)
		}
	}
	want := []string{"Migrate up to 2 add_size", "Roll back 2 add_size", "Show the SQL of up", "Show the SQL of down"}
	if d := cmp.Diff(want, titles); d != "" {
		t.Errorf("run actions (-want +got):\n%s", d)
	}
	if got := kinds(e.CodeActions(two, at, end, true)); slices.Contains(got, "ddlsp.run") {
		t.Errorf("run actions for a cursor that merely came there: %v", got)
	}
	for _, only := range []string{"quickfix", "source", "refactor"} {
		if got := kinds(e.CodeActions(two, at, end, false, only)); slices.Contains(got, "ddlsp.run") {
			t.Errorf("only %s, but got %v", only, got)
		}
	}
	e.Notify("ddlsp/workspaceTrust", map[string]any{"trusted": false})
	for _, a := range e.CodeActions(two, at, end, false, "ddlsp.run") {
		if !strings.HasPrefix(a.Title, "Show") {
			t.Errorf("an untrusted workspace is offered %q", a.Title)
		}
	}
}

func TestShowSQL(t *testing.T) {
	dir, _, two := gooseProject(t)
	e := connect(t, lsptest.Options{Dir: dir})
	e.Open(two)
	raw, err := e.Command("ddlsp.showSql", map[string]any{"uri": lsptest.URI(two), "direction": "down"})
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Version, Name, Path, Format, Direction, Origin, Transaction string
		Statements                                                  []struct {
			SQL   string
			Locks []struct{ Relation, Mode string }
		}
		Error any
	}
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if got.Version != "2" || got.Path != "migrations/00002_add_size.sql" || got.Format != "goose" || got.Direction != "down" || got.Transaction != "explicit" {
		t.Errorf("showSql answered %s", raw)
	}
	if len(got.Statements) != 1 || got.Statements[0].SQL != `ALTER TABLE orders DROP COLUMN "größe😀"` || len(got.Statements[0].Locks) != 1 {
		t.Errorf("statements %+v", got.Statements)
	}
	for _, bad := range []struct {
		id  string
		arg any
	}{
		{"ddlsp.showSql", map[string]any{"uri": lsptest.URI(two), "direction": "sideways"}},
		{"ddlsp.showSql", map[string]any{"uri": lsptest.URI(two), "directoin": "up"}},
		{"ddlsp.showSql", map[string]any{"uri": lsptest.URI(filepath.Join(dir, "nothing.sql"))}},
		{"ddlsp.showSql", "not an object"},
		{"ddlsp.nothing", nil},
	} {
		if _, err := e.Command(bad.id, bad.arg); err == nil {
			t.Errorf("%s %v was accepted", bad.id, bad.arg)
		}
	}
}

// An editor without an extension of ours shows what a command answers only if
// the server has it shown.
func TestBareClientsAreShownAnswers(t *testing.T) {
	dir, _, two := gooseProject(t)
	bare := connect(t, lsptest.Options{Dir: dir})
	extended := connect(t, lsptest.Options{Dir: dir, Init: map[string]any{"diagnostics": "push"}})
	for _, e := range []*lsptest.Editor{bare, extended} {
		if _, err := e.Command("ddlsp.showSql", map[string]any{"uri": lsptest.URI(two), "direction": "up"}); err != nil {
			t.Fatal(err)
		}
	}
	want := "-- 2 add_size, up, transaction: explicit\n-- locks orders: ACCESS EXCLUSIVE\nALTER TABLE orders\n    ADD COLUMN \"größe😀\" int;\n-- locks orders: SHARE UPDATE EXCLUSIVE\nCOMMENT ON TABLE orders IS 'naïve 😀';\n"
	if d := cmp.Diff([]string{want}, bare.Shown()); d != "" {
		t.Errorf("shown (-want +got):\n%s", d)
	}
	if shown := extended.Shown(); len(shown) != 0 {
		t.Errorf("a client with an extension is shown %q", shown)
	}
}

// A document of no project and of no file is linted by its content.
func TestUntitled(t *testing.T) {
	e := connect(t, lsptest.Options{})
	e.OpenText("untitled:Untitled-1", "SELECT 1;\n")
	e.Diagnostics("untitled:Untitled-1")
	var res *struct{ Contents struct{ Value string } }
	if err := e.Call("textDocument/hover", e.At("untitled:Untitled-1", 3), &res); err != nil || res == nil || !strings.Contains(res.Contents.Value, "SELECT 1") {
		t.Errorf("hover %v, %v", res, err)
	}
}

// A file changed on disk changes what is said of the open ones.
func TestWatchedFiles(t *testing.T) {
	dir, one, two := gooseProject(t)
	e := connect(t, lsptest.Options{Dir: dir})
	for _, raw := range e.Asked("client/registerCapability") {
		if !strings.Contains(string(raw), "didChangeWatchedFiles") || !strings.Contains(string(raw), "**/*.{sql,exs}") {
			t.Errorf("registered %s", raw)
		}
	}
	e.Open(two)
	at, _ := e.Find(two, `ADD COLUMN`)
	if text := e.Hover(two, at); !strings.Contains(text, "`orders`") {
		t.Fatalf("hover: %s", text)
	}
	// The table is now made by the same migration: nobody waits for it.
	if err := os.Remove(one); err != nil {
		t.Fatal(err)
	}
	three := filepath.Join(dir, "migrations", "00003_more.sql")
	if err := os.WriteFile(three, []byte("-- +goose Up\nSELECT 3;\n-- +goose Down\nSELECT 4;\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	e.Notify("workspace/didChangeWatchedFiles", map[string]any{"changes": []any{
		map[string]any{"uri": lsptest.URI(one), "type": 3}, map[string]any{"uri": lsptest.URI(three), "type": 1}}})
	raw, err := e.Command("ddlsp.showSql", map[string]any{"uri": lsptest.URI(three)})
	if err != nil || !strings.Contains(string(raw), "SELECT 3") {
		t.Errorf("the new file: %s, %v", raw, err)
	}
	if _, err := e.Command("ddlsp.showSql", map[string]any{"uri": lsptest.URI(one)}); err == nil {
		t.Error("the removed file is still a migration")
	}
}

// A mistake in the configuration is shown in the configuration, open or not,
// and goes with it.
func TestConfigurationProblems(t *testing.T) {
	dir, _, two := gooseProject(t)
	toml := filepath.Join(dir, "ddlsp.toml")
	if err := os.WriteFile(toml, []byte("# ü😀\nformat = \"goose\"\nrolback = \"required\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	e := connect(t, lsptest.Options{Dir: dir})
	e.Open(two)
	list := e.AwaitDiagnostics(toml, func(list []lsptest.Diagnostic) bool { return len(list) > 0 })
	if d := list[0]; d.Range.Start.Line != 2 || d.Severity != 1 || !strings.Contains(d.Message, "rollback") {
		t.Errorf("diagnostics %+v", list)
	}
	if err := os.WriteFile(toml, []byte("format = \"goose\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	e.Notify("workspace/didChangeWatchedFiles", map[string]any{"changes": []any{map[string]any{"uri": lsptest.URI(toml), "type": 2}}})
	e.AwaitDiagnostics(toml, func(list []lsptest.Diagnostic) bool { return len(list) == 0 })
}

// A project's own templates are offered, what is wrong with one is shown in
// it, and a change of it on disk is seen.
func TestOwnTemplates(t *testing.T) {
	dir, _, two := gooseProject(t)
	own := filepath.Join(dir, ".ddlsp", "templates", "mine.txtar")
	if err := os.MkdirAll(filepath.Dir(own), 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(kind int, text string) {
		t.Helper()
		if err := os.WriteFile(own, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(1, "title: Mine\n-- up.sql --\nSELECT {{a}};\n")
	e := connect(t, lsptest.Options{Dir: dir})
	e.Open(two)
	list := e.AwaitDiagnostics(own, func(list []lsptest.Diagnostic) bool { return len(list) > 0 })
	if d := list[0]; d.Range.Start.Line != 2 || !strings.Contains(d.Message, "the field a is not declared") {
		t.Errorf("diagnostics %+v", list)
	}
	write(2, "title: Mine\nfield a = 1\n-- up.sql --\nSELECT {{a}};\n")
	e.Notify("workspace/didChangeWatchedFiles", map[string]any{"changes": []any{map[string]any{"uri": lsptest.URI(own), "type": 2}}})
	e.AwaitDiagnostics(own, func(list []lsptest.Diagnostic) bool { return len(list) == 0 })
	raw, err := e.Command("ddlsp.newMigration", map[string]any{"uri": lsptest.URI(two)})
	if err != nil || !strings.Contains(string(raw), `{"templates":[{"name":"mine","title":"Mine","detail":"Mine","own":true,"documentation":"**Mine**`) {
		t.Errorf("list: %.300s, %v", raw, err)
	}
	if raw, err = e.Command("ddlsp.newMigration", map[string]any{"uri": lsptest.URI(two), "template": "mine", "name": "try"}); err != nil || !strings.Contains(string(raw), "00003_try.sql") {
		t.Errorf("new: %s, %v", raw, err)
	}
	three := filepath.Join(dir, "migrations", "00003_try.sql")
	if err := os.WriteFile(three, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	e.Open(three)
	var items struct {
		Items []struct {
			Label    string
			TextEdit struct{ NewText string }
		}
	}
	if err := e.Call("textDocument/completion", e.At(three, 0), &items); err != nil || len(items.Items) == 0 || items.Items[0].Label != "mine" ||
		!strings.Contains(items.Items[0].TextEdit.NewText, "SELECT ${1:1};") {
		t.Errorf("completion: %+v, %v", items, err)
	}
}

// A client that cannot watch is looked after by looking.
func TestPolling(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED, NOT TESTED: takes as long as the server waits between two looks")
	}
	dir, _, two := gooseProject(t)
	e := connect(t, lsptest.Options{Dir: dir, Capabilities: func(caps map[string]any) {
		delete(caps["workspace"].(map[string]any), "didChangeWatchedFiles")
	}})
	e.Open(two)
	e.Diagnostics(two)
	three := filepath.Join(dir, "migrations", "00003_more.sql")
	awaitTrue(t, func() bool {
		// Written anew each time, so that it is certainly after a first look.
		os.WriteFile(three, []byte("-- +goose Up\nSELECT 3;\n-- +goose Down\nSELECT 4;\n"), 0o644)
		_, err := e.Command("ddlsp.showSql", map[string]any{"uri": lsptest.URI(three)})
		return err == nil
	})
}

// Documents follow their folders when those come and go.
func TestWorkspaceFolders(t *testing.T) {
	dir, _, two := gooseProject(t)
	other, _, otherTwo := gooseProject(t)
	e := connect(t, lsptest.Options{Dir: dir})
	e.Open(two)
	e.Open(otherTwo) // of no folder yet
	if got := lenses(t, e, otherTwo); len(got) == 0 {
		t.Error("a file outside of every folder has no lenses")
	}
	folder := func(dir string) []any { return []any{map[string]any{"uri": lsptest.URI(dir), "name": "x"}} }
	e.Notify("workspace/didChangeWorkspaceFolders", map[string]any{"event": map[string]any{"added": folder(other), "removed": folder(dir)}})
	for _, path := range []string{two, otherTwo} {
		e.Edit(path, lsptest.Change{Start: 0, End: 0, Text: "\n"})
		e.Diagnostics(path)
		sameText(t, e, path)
		if got := lenses(t, e, path); len(got) != 4 {
			t.Errorf("%s has the lenses %v", path, got)
		}
	}
}

// Diagnostics are pulled by those who say so, and then nothing is pushed.
func TestPull(t *testing.T) {
	dir, _, two := gooseProject(t)
	e := connect(t, lsptest.Options{Dir: dir, Init: map[string]any{"diagnostics": "pull"}})
	if e.Capabilities["diagnosticProvider"] == nil {
		t.Error("the server does not offer to be asked")
	}
	e.Open(two)
	ask := func(previous string) (report struct {
		Kind     string
		ResultID string
		Items    []lsptest.Diagnostic
	}) {
		params := map[string]any{"textDocument": map[string]any{"uri": lsptest.URI(two)}}
		if previous != "" {
			params["previousResultId"] = previous
		}
		if err := e.Call("textDocument/diagnostic", params, &report); err != nil {
			t.Fatal(err)
		}
		return report
	}
	first := ask("")
	if first.Kind != "full" || first.Items == nil || first.ResultID == "" {
		t.Errorf("report %+v", first)
	}
	if again := ask(first.ResultID); again.Kind != "unchanged" || again.ResultID != first.ResultID {
		t.Errorf("report %+v", again)
	}
	if n := e.Publications(two); n != 0 {
		t.Errorf("%d publications to a client that pulls", n)
	}
	push := connect(t, lsptest.Options{Dir: dir})
	if push.Capabilities["diagnosticProvider"] != nil {
		t.Error("the server offers to be asked though it pushes")
	}
}

// A request that is cancelled says so, and the server goes on.
func TestCancel(t *testing.T) {
	dir, _, two := gooseProject(t)
	e := connect(t, lsptest.Options{Dir: dir})
	e.Open(two)
	cancelled := 0
	for range 300 {
		p := e.Send("textDocument/hover", e.At(two, 0))
		p.Cancel()
		var rpc *lsptest.Error
		switch err := p.Wait(nil); {
		case err == nil:
		case asError(err, &rpc) && rpc.Code == -32800:
			cancelled++
		default:
			t.Fatalf("a cancelled request answered %v", err)
		}
	}
	t.Logf("%d of 300 were cancelled in time", cancelled)
	e.Notify("$/cancelRequest", map[string]any{"id": 123456})
	e.Notify("$/cancelRequest", map[string]any{"id": "no such"})
	if text := e.Hover(two, 0); text == "" {
		t.Error("no hover after cancelling")
	}
}

// What makes one request panic must not end the server.
func TestPanicIsContained(t *testing.T) {
	s := &Server{log: discard()}
	_, err := s.answer(t.Context(), &jsonrpc2.Request{}, panics)
	if err == nil || !strings.Contains(err.Error(), "failed inside the server") {
		t.Errorf("a panic became %v", err)
	}
}

// Every document URI that an editor may send leads to one path.
func TestPathOf(t *testing.T) {
	if filepath.Separator != '/' {
		t.Skip("SKIPPED, NOT TESTED: paths of another kind")
	}
	for in, want := range map[string]string{
		"file:///home/a@b/x.sql":              "/home/a@b/x.sql",
		"file:///home/a%40b/x.sql":            "/home/a@b/x.sql",
		"file:///home/a%20b/%C3%BC.sql":       "/home/a b/ü.sql",
		"file:///home/./a/../x.sql":           "/home/x.sql",
		"file:///home/x.sql#frag":             "/home/x.sql",
		"untitled:Untitled-1":                 "/untitled:/untitled_Untitled-1.sql",
		"untitled:/home/new.exs":              "/untitled:/untitled__home_new.exs",
		"git:/home/x.sql?%7B%22ref%22%3A1%7D": "/untitled:/git__home_x.sql",
	} {
		if got := pathOf(mustURI(t, in), ""); got != want {
			t.Errorf("pathOf(%s) = %s, want %s", in, got, want)
		}
	}
	if got := pathOf(mustURI(t, "untitled:Untitled-2"), "defmodule X do"); filepath.Ext(got) != ".exs" {
		t.Errorf("an Elixir text became %s", got)
	}
}
