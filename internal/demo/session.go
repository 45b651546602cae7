package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/ddlsp/ddlsp/internal/lsptest"
	"github.com/ddlsp/ddlsp/internal/pgserver"
)

// The answers of the server's commands, as far as the demonstration looks at
// them.
type (
	planned struct {
		Database   string `json:"database"`
		Host       string `json:"host"`
		DryRun     bool   `json:"dry_run"`
		Plan       string `json:"plan"`
		Migrations []struct {
			Version    string `json:"version"`
			Name       string `json:"name"`
			Direction  string `json:"direction"`
			Statements int    `json:"statements"`
			Outcome    string `json:"outcome"`
		} `json:"migrations"`
		Error *struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	status struct {
		VersionTable string `json:"version_table"`
		Migrations   []struct {
			Version string `json:"version"`
			Name    string `json:"name"`
			State   string `json:"state"`
		} `json:"migrations"`
	}
)

func demonstrate(ctx context.Context, t *host, s *show, bin string) error {
	s.title("A private PostgreSQL and a copy of the example shop")
	server, err := pgserver.Start(ctx, pgserver.Options{})
	if err != nil {
		return err
	}
	defer server.Close()
	database, err := server.CreateDatabase(ctx, "shop_demo", "")
	if err != nil {
		return err
	}
	db, err := server.Connect(ctx, database)
	if err != nil {
		return err
	}
	defer db.Close(ctx)
	query := func(sql string, args ...any) string {
		var out string
		if err := db.QueryRow(ctx, sql, args...).Scan(&out); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		return out
	}
	dir, err := os.MkdirTemp("", "ddlsp-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return err
	}
	if err := os.CopyFS(dir, os.DirFS("examples/shop_ecto")); err != nil {
		return fmt.Errorf("%w; run the demonstration in the repository's directory", err)
	}
	s.say("PostgreSQL %s, database %s", query("SHOW server_version"), database)

	s.title("An editor opens the project: `ddlsp serve` starts and reads it")
	editor, stop, err := start(t, bin, dir, server.TCP(database))
	if err != nil {
		return err
	}
	defer stop()
	migrations := filepath.Join(dir, "priv", "repo", "migrations")
	first, err := filepath.Glob(filepath.Join(migrations, "*create_orders.exs"))
	if err != nil || len(first) != 1 {
		return fmt.Errorf("the example has no migration that creates the orders: %v %v", first, err)
	}
	editor.Open(first[0])
	found := editor.AwaitDiagnostics(first[0], func([]lsptest.Diagnostic) bool { return true })
	if err := s.check(len(found) == 0, "the example is clean: no diagnostics in %s", filepath.Base(first[0])); err != nil {
		return err
	}
	start, _ := editor.Find(first[0], `create index`)
	hover := editor.Hover(first[0], start+1)
	s.say("hovering over its first index shows what it sends and locks:")
	s.text(hover)
	if err := s.check(strings.Contains(hover, "CREATE INDEX"), "the hover shows the SQL that Ecto would send"); err != nil {
		return err
	}

	s.title("A new migration from the template create_table")
	coupons, err := newMigration(editor, "create_table", "create_coupons", migrations)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(coupons)
	if err != nil {
		return err
	}
	s.say("the server wrote %s:", filepath.Base(coupons))
	s.text(string(text))
	// The template refers to tables named users and accounts; the shop has no
	// accounts.
	editor.Open(coupons)
	if strings.Contains(string(text), "references(:accounts") {
		editor.SetText(coupons, regexp.MustCompile(`(?m)^.*account.*\n`).ReplaceAllString(editor.Text(coupons), ""))
		s.say("the shop has no accounts, so those lines are deleted")
		if err := save(editor, coupons); err != nil {
			return err
		}
	}
	found = editor.AwaitDiagnostics(coupons, func([]lsptest.Diagnostic) bool { return true })
	if err := s.check(count(found, 2) == 0, "what the template wrote is lint clean"); err != nil {
		return fmt.Errorf("%w: %v", err, found)
	}

	s.title("A migration typed by hand, with a hazard in it")
	index := filepath.Join(migrations, "20991231235900_index_orders_on_status.exs")
	if err := os.WriteFile(index, nil, 0o644); err != nil {
		return err
	}
	editor.Notify("workspace/didChangeWatchedFiles", map[string]any{"changes": []any{map[string]any{"uri": lsptest.URI(index), "type": 1}}})
	editor.Open(index)
	hazard := "defmodule Shop.Repo.Migrations.IndexOrdersOnStatus do\n  use Ecto.Migration\n\n  def change do\n    create index(:orders, [:status, :placed_at])\n  end\nend\n"
	for i := range hazard { // key by key, as a person types
		editor.Edit(index, lsptest.Change{Start: i, End: i, Text: hazard[i : i+1]})
	}
	s.text(hazard)
	found = editor.AwaitDiagnostics(index, func(d []lsptest.Diagnostic) bool {
		// While the text was half typed there were others.
		return has(d, "require-concurrent-index-creation") && !has(d, "unreadable-migration")
	})
	for _, d := range found {
		s.say("%s:%d [%s]", filepath.Base(index), d.Range.Start.Line+1, d.Code)
		s.text(d.Message)
	}
	if err := s.check(len(found) == 1 && found[0].Range.Start.Line == 4, "the hazard is reported on its line, and nothing else is"); err != nil {
		return fmt.Errorf("%w: %v", err, found)
	}

	s.title("Its quick fix")
	from, to := editor.Find(index, `create index.*`)
	var fix *lsptest.CodeAction
	for _, a := range editor.CodeActions(index, from, to, false, "quickfix") {
		s.say("offered: %s", a.Title)
		if fix == nil && a.Edit != nil && strings.Contains(strings.ToLower(a.Title), "concurrent") {
			fix = &a
		}
	}
	if err := s.check(fix != nil, "a quick fix makes the build concurrent"); err != nil {
		return err
	}
	editor.Apply(*fix)
	s.text(editor.Text(index))
	editor.AwaitDiagnostics(index, func(d []lsptest.Diagnostic) bool { return len(d) == 0 })
	if err := s.check(true, "the diagnostic is gone, and the fix brought no other"); err != nil {
		return err
	}
	if err := save(editor, index); err != nil {
		return err
	}

	s.title("Migrate: first what would run, then with its plan")
	var plan planned
	arg := map[string]any{"uri": lsptest.URI(index), "dryRun": true}
	if err := command(editor, "ddlsp.migrate", arg, &plan); err != nil {
		return err
	}
	for _, m := range plan.Migrations {
		s.say("%s %s: %d statements, %s", m.Version, m.Name, m.Statements, m.Outcome)
	}
	if err := s.check(plan.DryRun && plan.Plan != "" && len(plan.Migrations) == 10, "the plan names %s on %s and all 10 pending migrations", plan.Database, plan.Host); err != nil {
		return fmt.Errorf("%w: %+v", err, plan)
	}
	if err := s.check(query("SELECT count(*)::text FROM pg_class WHERE relname = 'orders'") == "0", "nothing has been sent to the database"); err != nil {
		return err
	}
	var ran planned
	if err := command(editor, "ddlsp.migrate", map[string]any{"uri": lsptest.URI(index), "plan": plan.Plan}, &ran); err != nil {
		return err
	}
	if ran.Error != nil {
		return fmt.Errorf("migrate: %s", ran.Error.Message)
	}
	for _, m := range ran.Migrations {
		if err := s.check(m.Outcome == "applied", "%s %s is applied", m.Version, m.Name); err != nil {
			return err
		}
	}
	if err := s.check(query("SELECT indisvalid::text FROM pg_index WHERE indexrelid = to_regclass('orders_status_placed_at_index')") == "true", "PostgreSQL's catalog has the index, and it is valid"); err != nil {
		return err
	}
	if err := s.check(query("SELECT count(*)::text FROM schema_migrations") == "10", "schema_migrations has a row for each, as Ecto writes it"); err != nil {
		return err
	}

	s.title("Status")
	var st status
	if err := command(editor, "ddlsp.status", map[string]any{"uri": lsptest.URI(index)}, &st); err != nil {
		return err
	}
	for _, m := range st.Migrations {
		s.say("%-8s %s %s", m.State, m.Version, m.Name)
		if m.State != "applied" {
			return fmt.Errorf("%s is %s, not applied", m.Version, m.State)
		}
	}
	if err := s.check(len(st.Migrations) == 10 && st.VersionTable == "schema_migrations", "all 10 are applied"); err != nil {
		return fmt.Errorf("%w: %+v", err, st)
	}

	s.title("Roll back one step; the editor asks first")
	var back planned
	if err := command(editor, "ddlsp.rollback", map[string]any{"uri": lsptest.URI(index), "step": 1}, &back); err != nil {
		return err
	}
	questions := editor.Asked("window/showMessageRequest")
	if err := s.check(len(questions) == 1 && strings.Contains(string(questions[0]), database), "the question named the database"); err != nil {
		return err
	}
	var asked struct{ Message string }
	if err := json.Unmarshal(questions[0], &asked); err == nil {
		s.text(asked.Message)
	}
	if err := s.check(back.Error == nil && len(back.Migrations) == 1 && back.Migrations[0].Outcome == "rolled_back", "the newest migration is rolled back"); err != nil {
		return fmt.Errorf("%w: %+v", err, back)
	}
	if err := s.check(query("SELECT (to_regclass('orders_status_placed_at_index') IS NULL)::text") == "true", "the index is gone from the catalog"); err != nil {
		return err
	}
	if err := s.check(query("SELECT count(*)::text FROM schema_migrations WHERE version = 20991231235900") == "0", "and so is its version row"); err != nil {
		return err
	}

	s.title("The same from the shell: `ddlsp status --check`")
	cmd := exec.Command(bin, "status", "--check")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "DDLSP_DATABASE_URL="+server.TCP(database), "NO_COLOR=1")
	out, failed := cmd.CombinedOutput()
	s.text(string(out))
	if err := s.check(cmd.ProcessState.ExitCode() == 1 && strings.Contains(string(out), "pending"), "it exits with 1, since one migration is pending"); err != nil {
		return fmt.Errorf("%w: %v", err, failed)
	}
	editor.Shutdown()
	return nil
}

// start runs the server as an editor does. The database's address, with its
// password, travels in the environment.
func start(t *host, bin, dir, url string) (*lsptest.Editor, func(), error) {
	cmd := exec.Command(bin, "serve")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "DDLSP_DATABASE_URL="+url)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	editor := lsptest.Start(t, pipe{out, in}, lsptest.Options{Dir: dir, Answer: yes})
	return editor, func() { in.Close(); cmd.Wait() }, nil
}

// yes is a person who reads the question and agrees: it picks the answer that
// is not a refusal.
func yes(method string, params json.RawMessage) (any, bool) {
	if method != "window/showMessageRequest" {
		return nil, false
	}
	var q struct {
		Actions []struct {
			Title string `json:"title"`
		} `json:"actions"`
	}
	if err := json.Unmarshal(params, &q); err != nil || len(q.Actions) == 0 {
		return nil, false
	}
	return q.Actions[0], true
}

type pipe struct {
	io.ReadCloser
	io.WriteCloser
}

func (p pipe) Close() error {
	p.ReadCloser.Close()
	return p.WriteCloser.Close()
}

// newMigration makes a migration by the server's command and returns its path.
func newMigration(e *lsptest.Editor, template, name, dir string) (string, error) {
	before, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return "", err
	}
	if err := command(e, "ddlsp.newMigration", map[string]any{"uri": lsptest.URI(before[0]), "template": template, "name": name}, nil); err != nil {
		return "", err
	}
	made, err := filepath.Glob(filepath.Join(dir, "*_"+name+".exs"))
	if err != nil || len(made) != 1 {
		return "", fmt.Errorf("the new migration is not in %s: %v %v", dir, made, err)
	}
	return made[0], nil
}

func command(e *lsptest.Editor, id string, arg, result any) error {
	raw, err := e.Command(id, arg)
	if err != nil {
		return fmt.Errorf("%s: %w", id, err)
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(raw, result); err != nil {
		return fmt.Errorf("%s answered %s: %w", id, raw, err)
	}
	return nil
}

func save(e *lsptest.Editor, path string) error {
	if err := os.WriteFile(path, []byte(e.Text(path)), 0o644); err != nil {
		return err
	}
	e.Save(path)
	return nil
}

func has(list []lsptest.Diagnostic, code string) bool {
	for _, d := range list {
		if d.Code == code {
			return true
		}
	}
	return false
}

// count is the number of diagnostics at least as severe: 1 error, 2 warning.
func count(list []lsptest.Diagnostic, severity int) int {
	n := 0
	for _, d := range list {
		if d.Severity <= severity {
			n++
		}
	}
	return n
}
