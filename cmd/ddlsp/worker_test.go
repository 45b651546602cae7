package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/ddlsp/ddlsp/runner"
	"github.com/ddlsp/ddlsp/runner/worker"
)

// ourselves is this program under its own name.
func ourselves(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("ddlsp")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// inChild has a child do a request.
func (p *project) inChild(ctx context.Context, req worker.Request, h worker.Handlers) (*runner.Report, error) {
	p.t.Helper()
	req.Dir = p.dir
	raw, err := worker.Run(ctx, worker.Command{Path: ourselves(p.t)}, req, h)
	if raw == nil {
		return nil, err
	}
	var r runner.Report
	if jerr := json.Unmarshal(raw, &r); jerr != nil {
		p.t.Fatalf("%v in %s", jerr, raw)
	}
	return &r, err
}

// slowProject has a migration that sleeps between two statements.
func slowProject(t *testing.T) *project {
	p := newProject(t, gooseFiles[:2]...)
	p.write("migrations/00002_slow.sql", "-- +goose Up\nCREATE TABLE slow (id int);\nSELECT pg_sleep(30);\n-- +goose Down\nDROP TABLE slow;\n")
	t.Setenv("DDLSP_DATABASE_URL", p.db.URL)
	return p
}

func TestWorkerRuns(t *testing.T) {
	p := newProject(t, gooseFiles...)
	t.Setenv("DDLSP_DATABASE_URL", p.db.URL)
	ctx := t.Context()
	plan, err := p.inChild(ctx, worker.Request{Op: "migrate", DryRun: true}, worker.Handlers{})
	if err != nil {
		t.Fatal(err)
	}
	if !plan.DryRun || len(plan.Migrations) != 3 || plan.Database != p.db.Name || len(plan.Migrations[0].SQL) != 1 {
		t.Errorf("plan: %+v", plan)
	}
	p.wantTables()
	for _, hash := range []string{"", "0123456789abcdef"} {
		_, err := p.inChild(ctx, worker.Request{Op: "migrate", Plan: hash}, worker.Handlers{})
		var e *worker.Error
		if !errors.As(err, &e) || e.Exit != 2 {
			t.Errorf("plan %q: %v", hash, err)
		}
	}
	p.wantTables()
	var kinds []string
	r, err := p.inChild(ctx, worker.Request{Op: "migrate", Plan: plan.Plan}, worker.Handlers{Event: func(e runner.Event) { kinds = append(kinds, e.Kind) }})
	if err != nil {
		t.Fatal(err)
	}
	if r.DryRun || r.Migrations[2].Outcome != "applied" {
		t.Errorf("result: %+v", r)
	}
	contains(t, strings.Join(kinds, " "), "migration statement done migration statement statement done")
	p.wantTables("a", "b", "goose_db_version")
	// The plan is used up: there is nothing left that it speaks of.
	if _, err := p.inChild(ctx, worker.Request{Op: "rollback", Plan: plan.Plan}, worker.Handlers{}); err == nil {
		t.Error("a plan to migrate was taken for a rollback")
	}
	// An edit after the plan was shown.
	plan, err = p.inChild(ctx, worker.Request{Op: "rollback", DryRun: true}, worker.Handlers{})
	if err != nil {
		t.Fatal(err)
	}
	p.write("migrations/00003_c.sql", "-- +goose NO TRANSACTION\n-- +goose Up\nSELECT 1;\n-- +goose Down\nDROP TABLE b;\n")
	if _, err := p.inChild(ctx, worker.Request{Op: "rollback", Plan: plan.Plan}, worker.Handlers{}); err == nil || !strings.Contains(err.Error(), "changed since the plan") {
		t.Errorf("an edited file: %v", err)
	}
	p.wantTables("a", "b", "goose_db_version")
}

func TestWorkerAsksForThePassword(t *testing.T) {
	p := newProject(t, gooseFiles...)
	t.Setenv("DDLSP_DATABASE_URL", strings.Replace(p.db.TCP, ":"+p.db.Server.Password(), "", 1))
	t.Setenv("PGPASSFILE", os.DevNull)
	asked := 0
	ask := func(answer string) worker.Handlers {
		return worker.Handlers{Password: func(_ context.Context, r worker.PasswordRequest) (string, error) {
			asked++
			if r.User != "postgres" || r.Host != "127.0.0.1" || r.Database != p.db.Name {
				t.Errorf("asked for %+v", r)
			}
			return answer, nil
		}}
	}
	if _, err := p.inChild(t.Context(), worker.Request{Op: "status"}, ask(p.db.Server.Password())); err != nil {
		t.Errorf("with the password: %v", err)
	}
	if _, err := p.inChild(t.Context(), worker.Request{Op: "status"}, ask("wrong-pass-word")); err == nil || strings.Contains(err.Error(), "wrong-pass-word") {
		t.Errorf("with a wrong one: %v", err)
	}
	if _, err := p.inChild(t.Context(), worker.Request{Op: "status"}, worker.Handlers{}); err == nil {
		t.Error("without one: no error")
	}
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
}

func TestWorkerCancel(t *testing.T) {
	p := slowProject(t)
	plan, err := p.inChild(t.Context(), worker.Request{Op: "migrate", DryRun: true}, worker.Handlers{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	begin := time.Now()
	r, err := p.inChild(ctx, worker.Request{Op: "migrate", Plan: plan.Plan}, worker.Handlers{Event: func(e runner.Event) {
		if strings.Contains(e.Message, "pg_sleep") {
			time.AfterFunc(50*time.Millisecond, cancel)
		}
	}})
	if err == nil || r == nil || r.Error == nil || !r.Error.Cancelled || r.Error.SQLState != "57014" {
		t.Fatalf("cancelled: %v %+v", err, r)
	}
	if d := time.Since(begin); d > 10*time.Second {
		t.Errorf("it took %v", d)
	}
	contains(t, r.Error.Remains, "Nothing of 2 stays", "Done before it: 1")
	p.wantTables("a", "goose_db_version")
	p.unlocked()
}

// unlocked makes sure that nobody holds the migration lock any more.
func (p *project) unlocked() {
	p.t.Helper()
	for range 100 {
		if rows := p.column("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"); len(rows) == 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	p.t.Error("the migration lock is still held")
}

// start begins a run in a child of which the test holds both ends.
func (p *project) start(plan string) (cmd *exec.Cmd, in io.WriteCloser) {
	p.t.Helper()
	cmd = exec.Command(ourselves(p.t), "worker")
	cmd.Dir = p.dir
	in, err := cmd.StdinPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	if err := json.NewEncoder(in).Encode(worker.Request{Op: "migrate", Plan: plan}); err != nil {
		p.t.Fatal(err)
	}
	for dec := json.NewDecoder(out); ; {
		var m worker.Message
		if err := dec.Decode(&m); err != nil {
			p.t.Fatalf("the child ended: %v", err)
		}
		if m.Error != nil || m.Result != nil {
			p.t.Fatalf("the child ended: %v %s", m.Error, m.Result)
		}
		if m.Event != nil && (strings.Contains(m.Event.Message, "pg_sleep") || strings.HasSuffix(m.Event.Message, " ...")) {
			out.Close() // nobody listens any more
			return cmd, in
		}
	}
}

// The editor dies: the child cancels the statement, puts its bookkeeping in
// order and ends.
func TestWorkerOutlivesItsParent(t *testing.T) {
	p := newProject(t, pairFiles[:4]...)
	p.write("migrations/000002_slow.up.sql", "CREATE TABLE slow (id int);\nSELECT pg_sleep(30);\n", "migrations/000002_slow.down.sql", "DROP TABLE slow;\n")
	t.Setenv("DDLSP_DATABASE_URL", p.db.URL)
	plan, err := p.inChild(t.Context(), worker.Request{Op: "migrate", DryRun: true}, worker.Handlers{})
	if err != nil {
		t.Fatal(err)
	}
	cmd, in := p.start(plan.Plan)
	in.Close()
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case <-done:
	case <-time.After(15 * time.Second):
		cmd.Process.Kill()
		t.Fatal("the child goes on")
	}
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit code %d", code)
	}
	p.unlocked()
	p.wantTables("a", "schema_migrations")
	if got := p.column("SELECT version || ' ' || dirty FROM schema_migrations"); got[0] != "2 true" {
		t.Errorf("version row %v", got) // as golang-migrate leaves it
	}
}

// A process that is killed leaves what its tool would: the server undoes the
// open transaction and frees the lock, and the next run goes on.
func TestKilledInTheMiddle(t *testing.T) {
	p := slowProject(t)
	plan, err := p.inChild(t.Context(), worker.Request{Op: "migrate", DryRun: true}, worker.Handlers{})
	if err != nil {
		t.Fatal(err)
	}
	cmd, in := p.start(plan.Plan)
	defer in.Close()
	cmd.Process.Kill()
	cmd.Wait()
	// The server notices when it next writes to the client; a person would end
	// its session.
	p.db.Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
	p.unlocked()
	p.wantTables("a", "goose_db_version")
	p.write("migrations/00002_slow.sql", "-- +goose Up\nCREATE TABLE slow (id int);\n-- +goose Down\nDROP TABLE slow;\n")
	p.must(0, "migrate", "--yes")
	p.wantTables("a", "goose_db_version", "slow")
}
