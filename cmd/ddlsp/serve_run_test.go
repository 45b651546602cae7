package main

import (
	"encoding/json"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ddlsp/ddlsp/internal/lsptest"
	"github.com/ddlsp/ddlsp/runner"
)

const (
	gooseOrders = "-- +goose Up\nCREATE TABLE orders (id bigint PRIMARY KEY);\n\n-- +goose Down\nDROP TABLE orders;\n"
	gooseNotes  = "-- +goose Up\nALTER TABLE orders ADD COLUMN note text; -- ü😀\n\n-- +goose Down\nALTER TABLE orders DROP COLUMN note;\n"
	gooseFails  = "-- +goose Up\nCREATE TABLE größe (id int);\n-- é😀\nALTER TABLE nothing ADD COLUMN x int;\n\n-- +goose Down\nDROP TABLE größe;\n"
	gooseSlow   = "-- +goose Up\nSELECT pg_sleep(60);\n\n-- +goose Down\nSELECT 1;\n"
)

// A user is an editor with a server process, and the answer that its owner
// gives to every question.
type user struct {
	*lsptest.Editor
	server *process
	answer func(actions []string) any // null unless set
	// password answers ddlsp/password; nobody is asked unless set.
	password func(params json.RawMessage) any
}

type stream struct {
	io.Reader
	io.WriteCloser
}

// edit starts the language server on a project, as an editor does.
func (p *project) edit(t *testing.T, opts lsptest.Options) *user {
	t.Helper()
	u := &user{}
	if os.Getenv("DDLSP_DATABASE_URL") == "" {
		t.Setenv("DDLSP_DATABASE_URL", p.db.URL)
	}
	u.server = serve(t, "--log-file", filepath.Join(p.dir, "server.log"))
	opts.Dir = p.dir
	opts.Answer = func(method string, params json.RawMessage) (any, bool) {
		if method == "ddlsp/password" && u.password != nil {
			return u.password(params), true
		}
		if method != "window/showMessageRequest" || u.answer == nil {
			return nil, false
		}
		var q struct{ Actions []struct{ Title string } }
		if err := json.Unmarshal(params, &q); err != nil {
			t.Error(err)
		}
		var titles []string
		for _, a := range q.Actions {
			titles = append(titles, a.Title)
		}
		return u.answer(titles), true
	}
	u.Editor = lsptest.Start(t, stream{u.server.out, u.server.in}, opts)
	return u
}

func yes(actions []string) any { return map[string]any{"title": actions[0]} }

func (p *project) path(name string) string { return filepath.Join(p.dir, "migrations", name) }

// do runs a command and reads its report.
func (u *user) do(t *testing.T, id string, arg map[string]any) *runner.Report {
	t.Helper()
	raw, err := u.Command(id, arg)
	if err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	var r runner.Report
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatalf("%s answered %s: %v", id, raw, err)
	}
	return &r
}

// refused checks that a command is refused for a reason.
func (u *user) refused(t *testing.T, id string, arg map[string]any, why string) {
	t.Helper()
	raw, err := u.Command(id, arg)
	if err == nil {
		t.Errorf("%s %v answered %s, want a refusal", id, arg, raw)
	} else if !strings.Contains(err.Error(), why) {
		t.Errorf("%s %v was refused with %q, want %q in it", id, arg, err, why)
	}
}

func TestServeMigrates(t *testing.T) {
	p := newProject(t, "migrations/00001_orders.sql", gooseOrders, "migrations/00002_notes.sql", gooseNotes)
	u := p.edit(t, lsptest.Options{})
	two := p.path("00002_notes.sql")
	u.Open(two)
	u.answer = yes
	r := u.do(t, "ddlsp.migrate", map[string]any{"uri": lsptest.URI(two)})
	if r.Error != nil || r.DryRun || len(r.Migrations) != 2 || r.Migrations[1].Outcome != runner.Applied || r.Migrations[1].Path != "migrations/00002_notes.sql" {
		t.Fatalf("migrate: %+v", r)
	}
	p.wantTables("goose_db_version", "orders")
	question := string(u.Asked("window/showMessageRequest")[0])
	for _, want := range []string{p.db.Name + " on ", "up 1 orders", "up 2 notes"} {
		if !strings.Contains(question, want) {
			t.Errorf("the question lacks %q: %s", want, question)
		}
	}
	if shown := u.Shown(); len(shown) == 0 || !strings.Contains(shown[0], "2 applied") {
		t.Errorf("shown: %v", shown)
	}
	progress := u.Notifications("$/progress")
	if len(progress) < 4 || !strings.Contains(string(progress[0]), `"begin"`) || !strings.Contains(string(progress[len(progress)-1]), `"end"`) {
		t.Errorf("progress: %s", progress)
	}
	u.Asked("workspace/codeLens/refresh")

	// Again: nothing to do, and nothing is asked.
	asked := len(u.Asked("window/showMessageRequest"))
	if r := u.do(t, "ddlsp.migrate", map[string]any{"uri": lsptest.URI(two)}); len(r.Migrations) != 0 || len(u.Asked("window/showMessageRequest")) != asked {
		t.Errorf("migrate with nothing pending: %+v", r)
	}

	raw, err := u.Command("ddlsp.status", map[string]any{})
	var st runner.StatusReport
	if err != nil || json.Unmarshal(raw, &st) != nil || len(st.Migrations) != 2 || st.Migrations[0].State != "applied" || st.Database != p.db.Name {
		t.Errorf("status: %s, %v", raw, err)
	}

	// The action beside the code, with a plan that the client shows itself.
	at, end := u.Find(two, "ALTER TABLE orders DROP")
	i := slices.IndexFunc(u.CodeActions(two, at, end, false, "ddlsp.run"), func(a lsptest.CodeAction) bool { return a.Title == "Roll back 2 notes" })
	if i < 0 {
		t.Fatal("no action rolls back")
	}
	plan := u.do(t, "ddlsp.rollback", map[string]any{"uri": lsptest.URI(two), "to": "2", "dryRun": true})
	if !plan.DryRun || plan.Plan == "" || len(plan.Migrations) != 1 || len(plan.Migrations[0].SQL) != 1 || !slices.Contains(plan.Drops, "column orders.note") {
		t.Fatalf("plan: %+v", plan)
	}
	u.answer = nil // a client with its own question is not asked another
	r = u.do(t, "ddlsp.rollback", map[string]any{"uri": lsptest.URI(two), "to": "2", "plan": plan.Plan})
	if r.Error != nil || len(r.Migrations) != 1 || r.Migrations[0].Outcome != runner.RolledBack {
		t.Fatalf("rollback: %+v", r)
	}
	if got := p.column("SELECT column_name FROM information_schema.columns WHERE table_name = 'orders'"); !slices.Equal(got, []string{"id"}) {
		t.Errorf("columns after rollback: %v", got)
	}
	u.answer = yes
	if r := u.do(t, "ddlsp.redo", map[string]any{"uri": lsptest.URI(two)}); len(r.Migrations) != 2 || r.Error != nil {
		t.Errorf("redo: %+v", r)
	}
	p.wantTables("goose_db_version", "orders")
}

// Lenses show what the user's own commands found out, and ask nothing
// themselves.
func TestServeShowsStates(t *testing.T) {
	p := newProject(t, "migrations/00001_orders.sql", gooseOrders, "migrations/00002_notes.sql", gooseNotes)
	u := p.edit(t, lsptest.Options{})
	one, two := p.path("00001_orders.sql"), p.path("00002_notes.sql")
	u.Open(one)
	u.Open(two)
	state := func(path string) string {
		t.Helper()
		var list []lsptest.CodeLens
		if err := u.Call("textDocument/codeLens", map[string]any{"textDocument": map[string]any{"uri": lsptest.URI(path)}}, &list); err != nil {
			t.Fatal(err)
		}
		for _, l := range list {
			if l.Command.Command == "ddlsp.status" {
				return l.Command.Title
			}
		}
		return ""
	}
	want := func(path, want string) {
		t.Helper()
		if got := state(path); got != want {
			t.Errorf("%s: %q, want %q", filepath.Base(path), got, want)
		}
	}
	want(one, "")
	p.must(0, "migrate", "--step", "1", "--yes")
	want(one, "")
	today := p.column("SELECT to_char(now(), 'YYYY-MM-DD')")[0]
	if _, err := u.Command("ddlsp.status", map[string]any{}); err != nil {
		t.Fatal(err)
	}
	want(one, "applied "+today)
	want(two, "pending")
	u.answer = yes
	u.do(t, "ddlsp.migrate", map[string]any{"uri": lsptest.URI(two)})
	want(two, "applied "+today)
	u.do(t, "ddlsp.rollback", map[string]any{"uri": lsptest.URI(two)})
	want(two, "pending")
	p.write("migrations/00001_orders.sql", strings.Replace(gooseOrders, "bigint", "int", 1))
	if _, err := u.Command("ddlsp.status", map[string]any{}); err != nil {
		t.Fatal(err)
	}
	want(one, "applied "+today+", edited since")
}

// Nothing but the exact yes is one, and a refusal has sent nothing.
func TestServeRefuses(t *testing.T) {
	p := newProject(t, "migrations/00001_orders.sql", gooseOrders)
	one := p.path("00001_orders.sql")
	u := p.edit(t, lsptest.Options{Init: map[string]any{"workspaceTrusted": false}})
	u.Open(one)
	arg := map[string]any{"uri": lsptest.URI(one)}
	u.refused(t, "ddlsp.migrate", arg, "not trusted")
	u.refused(t, "ddlsp.status", arg, "not trusted")
	u.Notify("ddlsp/workspaceTrust", map[string]any{"trusted": true})

	for name, answer := range map[string]func([]string) any{
		"nothing":      func([]string) any { return nil },
		"cancel":       func(a []string) any { return map[string]any{"title": a[len(a)-1]} },
		"something":    func(a []string) any { return map[string]any{"title": strings.ToLower(a[0])} },
		"an error":     func([]string) any { return &lsptest.Error{Code: -32603, Message: "no"} },
		"cannot ask":   func([]string) any { return &lsptest.Error{Code: -32601, Message: "no such method"} },
		"another type": func([]string) any { return 17 },
	} {
		u.answer = answer
		t.Run(name, func(t *testing.T) { u.refused(t, "ddlsp.migrate", arg, "ddlsp migrate") })
	}
	u.answer = yes
	u.refused(t, "ddlsp.migrate", map[string]any{"uri": lsptest.URI(one), "plan": "0123"}, "plan has changed")
	u.refused(t, "ddlsp.migrate", map[string]any{"uri": lsptest.URI(one), "to": "99"}, "no migration with version 99")
	u.refused(t, "ddlsp.migrate", map[string]any{"uri": lsptest.URI(one), "dryrun": true, "yes": true}, "not understood")
	u.refused(t, "ddlsp.migrate", map[string]any{"uri": lsptest.URI(one), "database": "nosuch"}, "nosuch")

	plan := u.do(t, "ddlsp.migrate", map[string]any{"dryRun": true})
	u.Replace(one, "bigint", "int")
	u.refused(t, "ddlsp.migrate", arg, "unsaved changes")
	u.Save(one)
	u.refused(t, "ddlsp.migrate", map[string]any{"uri": lsptest.URI(one), "plan": plan.Plan}, "plan has changed")
	p.wantTables() // not even a version table
}

func TestServeProtects(t *testing.T) {
	p := newProject(t, "migrations/00001_orders.sql", gooseOrders,
		"ddlsp.toml", "[databases.live]\nurl_env = \"LIVE_URL\"\nprotected = true\n[databases.dev]\nurl_env = \"LIVE_URL\"\n")
	t.Setenv("LIVE_URL", p.db.URL)
	u := p.edit(t, lsptest.Options{})
	u.answer = yes
	list := func(arg map[string]any) string {
		t.Helper()
		raw, err := u.Command("ddlsp.selectDatabase", arg)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	if got, want := list(map[string]any{}), `{"databases":[{"name":"dev","protected":false},{"name":"live","protected":true}],"selected":null}`; got != want {
		t.Errorf("databases %s, want %s", got, want)
	}
	u.refused(t, "ddlsp.migrate", map[string]any{}, "several databases")
	u.refused(t, "ddlsp.selectDatabase", map[string]any{"database": "prod"}, "dev, live")
	if got := list(map[string]any{"database": "live"}); !strings.Contains(got, `"selected":"live"`) {
		t.Errorf("selected: %s", got)
	}
	u.refused(t, "ddlsp.migrate", map[string]any{}, "is protected")
	u.refused(t, "ddlsp.migrate", map[string]any{"confirm": "live"}, "is protected")
	p.wantTables()
	if r := u.do(t, "ddlsp.migrate", map[string]any{"confirm": p.db.Name}); r.Error != nil || len(r.Migrations) != 1 {
		t.Errorf("migrate: %+v", r)
	}
	p.wantTables("goose_db_version", "orders")
}

// A password is asked of the client that keeps them, used, and kept nowhere.
func TestServeAsksForThePassword(t *testing.T) {
	p := newProject(t, "migrations/00001_orders.sql", gooseOrders)
	address, err := url.Parse(p.db.Server.TCP(p.db.Name))
	if err != nil {
		t.Fatal(err)
	}
	secret, ok := address.User.Password()
	if !ok {
		t.Fatal("the server asks for no password")
	}
	address.User = url.User(address.User.Username())
	t.Setenv("DDLSP_DATABASE_URL", address.String())
	t.Setenv("PGPASSFILE", filepath.Join(p.dir, "none"))
	silent := p.edit(t, lsptest.Options{})
	silent.refused(t, "ddlsp.status", map[string]any{}, "password")

	u := p.edit(t, lsptest.Options{Init: map[string]any{"password": true}})
	u.password = func(json.RawMessage) any { return nil }
	u.refused(t, "ddlsp.status", map[string]any{}, "password")
	u.password = func(params json.RawMessage) any {
		for _, want := range []string{`"user":"` + address.User.Username() + `"`, `"host":"` + address.Hostname() + `"`, `"port":"` + address.Port() + `"`, p.db.Name} {
			if !strings.Contains(string(params), want) {
				t.Errorf("asked for the password with %s, want %s in it", params, want)
			}
		}
		return secret
	}
	if raw, err := u.Command("ddlsp.status", map[string]any{}); err != nil || !strings.Contains(string(raw), `"pending"`) {
		t.Errorf("status: %s, %v", raw, err)
	}
	u.answer = yes
	if r := u.do(t, "ddlsp.migrate", map[string]any{}); r.Error != nil || len(r.Migrations) != 1 {
		t.Errorf("migrate: %+v", r)
	}
	p.wantTables("goose_db_version", "orders")
	for _, method := range []string{"window/showMessage", "window/logMessage", "$/progress"} {
		for _, raw := range u.Notifications(method) {
			if strings.Contains(string(raw), secret) {
				t.Errorf("the password is in %s", raw)
			}
		}
	}
	if log, err := os.ReadFile(filepath.Join(p.dir, "server.log")); err != nil || strings.Contains(string(log), secret) {
		t.Errorf("the log holds the password, or is not there: %v", err)
	}
}

// A failed run marks the statement that failed, until the text changes.
func TestServeShowsFailures(t *testing.T) {
	p := newProject(t, "migrations/00001_orders.sql", gooseOrders, "migrations/00002_fails.sql", gooseFails)
	u := p.edit(t, lsptest.Options{})
	two := p.path("00002_fails.sql")
	u.Open(two)
	u.Diagnostics(two)
	u.answer = yes
	r := u.do(t, "ddlsp.migrate", map[string]any{"uri": lsptest.URI(two)})
	if r.Error == nil || r.Error.SQLState != "42P01" || r.Migrations[0].Outcome != runner.Applied || r.Migrations[1].Outcome != runner.Failed {
		t.Fatalf("migrate: %+v %+v", r, r.Error)
	}
	ofRun := func(d lsptest.Diagnostic) bool { return d.Source == "ddlsp run" }
	list := u.AwaitDiagnostics(two, func(list []lsptest.Diagnostic) bool { return slices.ContainsFunc(list, ofRun) })
	d := list[slices.IndexFunc(list, ofRun)]
	start, end := u.Span(two, d.Range)
	if text := u.Text(two)[start:end]; !strings.Contains("ALTER TABLE nothing ADD COLUMN x int", text) || text == "" || d.Code != "42P01" || d.Severity != 1 {
		t.Errorf("the failure is shown on %q: %+v", text, d)
	}
	if shown := u.Shown(); len(shown) == 0 || !strings.Contains(shown[len(shown)-1], "nothing") {
		t.Errorf("shown: %v", shown)
	}
	u.Replace(two, "ALTER TABLE nothing", "ALTER TABLE orders")
	u.Diagnostics(two)
	u.AwaitDiagnostics(two, func(list []lsptest.Diagnostic) bool { return !slices.ContainsFunc(list, ofRun) })
	u.Save(two)
	if r := u.do(t, "ddlsp.migrate", map[string]any{}); r.Error != nil {
		t.Errorf("migrate: %+v", r.Error)
	}
}

// await waits for something in the database.
func (p *project) await(t *testing.T, what, sql, want string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(30 * time.Millisecond) {
		if got := p.column(sql); len(got) == 1 && got[0] == want {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

const sleeping = "SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%pg_sleep(60)%' AND state = 'active'"

// A run can be cancelled by its progress, and while it goes on no other can
// begin on the database.
func TestServeCancels(t *testing.T) {
	p := newProject(t, "migrations/00001_slow.sql", gooseSlow)
	u := p.edit(t, lsptest.Options{})
	plan := u.do(t, "ddlsp.migrate", map[string]any{"dryRun": true})
	arg := []any{map[string]any{"plan": plan.Plan}}
	run := u.Send("workspace/executeCommand", map[string]any{"command": "ddlsp.migrate", "arguments": arg, "workDoneToken": "mine"})
	p.await(t, "the statement to run", sleeping, "1")
	u.refused(t, "ddlsp.migrate", map[string]any{"plan": plan.Plan}, "runs on")
	u.Notify("window/workDoneProgress/cancel", map[string]any{"token": "mine"})
	var r runner.Report
	if err := run.Wait(&r); err != nil {
		t.Fatal(err)
	}
	if r.Error == nil || !r.Error.Cancelled || r.Migrations[0].Outcome == runner.Applied {
		t.Errorf("a cancelled run: %+v %+v", r, r.Error)
	}
	p.await(t, "the statement to end", sleeping, "0")
	for _, raw := range u.Notifications("$/progress") {
		if !strings.Contains(string(raw), `"mine"`) {
			t.Errorf("progress under another token: %s", raw)
		}
	}
	if got := p.column("SELECT count(*)::text FROM goose_db_version WHERE version_id = 1"); got[0] != "0" {
		t.Errorf("the cancelled migration is marked as applied")
	}
}

// When the server dies in the middle of a run, its child cancels the statement
// and leaves the database in order.
func TestServeDies(t *testing.T) {
	p := newProject(t, "migrations/00001_orders.sql", gooseOrders, "migrations/00002_slow.sql", gooseSlow)
	t.Setenv("DDLSP_DATABASE_URL", p.db.URL)
	server := serve(t)
	send := func(id int, method string, params any) {
		raw, err := json.Marshal(params)
		if err != nil {
			t.Fatal(err)
		}
		server.send(t, call(id, method, string(raw)))
	}
	send(1, "initialize", map[string]any{"processId": os.Getpid(), "rootUri": lsptest.URI(p.dir), "capabilities": map[string]any{}})
	server.receive(t)
	send(2, "workspace/executeCommand", map[string]any{"command": "ddlsp.migrate", "arguments": []any{map[string]any{"dryRun": true}}})
	var plan runner.Report
	for m := server.receive(t); ; m = server.receive(t) {
		if m.Method == "" {
			if err := json.Unmarshal(m.Result, &plan); err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	send(3, "workspace/executeCommand", map[string]any{"command": "ddlsp.migrate", "arguments": []any{map[string]any{"plan": plan.Plan}}})
	p.await(t, "the statement to run", sleeping, "1")
	if err := server.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	p.await(t, "the statement to end", sleeping, "0")
	p.await(t, "the first migration alone to be applied", "SELECT string_agg(version_id::text, ',' ORDER BY id) FROM goose_db_version", "0,1")
	p.await(t, "the child to leave", "SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'", "0")
}
