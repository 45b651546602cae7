package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"

	"github.com/ddlsp/ddlsp/runner"
	"github.com/ddlsp/ddlsp/runner/worker"
)

// runArgs is the argument of the commands that change a database.
type runArgs struct {
	// URI selects the project and the repo, nothing else.
	URI         string `json:"uri,omitempty"`
	To          string `json:"to,omitempty"`
	ToExclusive string `json:"toExclusive,omitempty"`
	Step        int    `json:"step,omitempty"`
	All         bool   `json:"all,omitempty"`
	Database    string `json:"database,omitempty"`
	Prefix      string `json:"prefix,omitempty"`
	DryRun      bool   `json:"dryRun,omitempty"`
	// Plan is the hash of the plan that the user said yes to.
	Plan string `json:"plan,omitempty"`
	// Confirm is the name of a protected database, as the user typed it.
	Confirm string `json:"confirm,omitempty"`
}

// runs are the databases that something is running on, and those that the
// user chose. Safe for concurrent use.
type runs struct {
	mu     sync.Mutex        // guards both
	busy   map[string]string // what runs, by database
	chosen map[string]string // the database's name, by the project's root
}

// begin takes a database for a run, or says what runs there.
func (r *runs) begin(database, what string) (end func(), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now, ok := r.busy[database]; ok {
		return nil, fmt.Errorf("%s runs on %s: wait for its end, or cancel it", now, database)
	}
	if r.busy == nil {
		r.busy = map[string]string{}
	}
	r.busy[database] = what
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.busy, database)
	}, nil
}

func (s *Server) migrate(ctx context.Context, token protocol.ProgressToken, a runArgs) (any, error) {
	if a.All {
		return nil, jsonrpc2.NewError(jsonrpc2.InvalidParams, "all is for rolling back: migrating takes all that is pending unless it is told otherwise")
	}
	return s.run(ctx, token, "migrate", a)
}

func (s *Server) rollback(ctx context.Context, token protocol.ProgressToken, a runArgs) (any, error) {
	return s.run(ctx, token, "rollback", a)
}

// redoArgs is runArgs without what redo does not take.
type redoArgs struct {
	URI      string `json:"uri"`
	Database string `json:"database"`
	DryRun   bool   `json:"dryRun"`
	Plan     string `json:"plan"`
	Confirm  string `json:"confirm"`
}

func (s *Server) redo(ctx context.Context, token protocol.ProgressToken, a redoArgs) (any, error) {
	return s.run(ctx, token, "redo", runArgs{URI: a.URI, Database: a.Database, DryRun: a.DryRun, Plan: a.Plan, Confirm: a.Confirm})
}

// run is what migrate, rollback and redo have in common: find out what would
// happen, make sure that the user wants exactly that, have the child do it,
// and tell.
func (s *Server) run(ctx context.Context, token protocol.ProgressToken, op string, a runArgs) (any, error) {
	p, req, err := s.request(ctx, op, a)
	if err != nil {
		return nil, err
	}
	if err := s.unsaved(p); err != nil {
		return nil, err
	}
	ctx, hangUp := context.WithCancel(ctx)
	defer hangUp()
	defer context.AfterFunc(s.listening, hangUp)()

	dry := req
	dry.DryRun, dry.Plan, dry.Confirm = true, "", ""
	plan, _, err := s.child(ctx, dry, nil)
	if err != nil || a.DryRun {
		return plan, err
	}
	where := plan.Database + " on " + plan.Host
	switch {
	case a.Plan != "" && a.Plan != plan.Plan:
		return nil, fmt.Errorf("the plan has changed since you saw it: the files, or what is applied on %s, are not what they were. Nothing was sent. Look at the new plan and run it again", where)
	case len(plan.Migrations) == 0:
		s.say(protocol.MessageTypeInfo, nothingToDo(op)+" "+where+".")
		plan.DryRun = false
		return plan, nil
	case plan.Protected && a.Confirm != plan.Database:
		return nil, fmt.Errorf("%s is protected: its name, %q, has to be typed to confirm. Nothing was sent. From a terminal: %s", where, plan.Database, cliCommand(op, a, plan))
	case a.Plan == "":
		if err := s.ask(ctx, op, a, plan); err != nil {
			return nil, err
		}
	}
	end, err := s.runs.begin(where, doing(op))
	if err != nil {
		return nil, err
	}
	defer end()
	s.pub.fail("", nil)
	work, rep, done := s.report(ctx, token, doing(op)+" "+where)
	req.Plan, req.Confirm = plan.Plan, a.Confirm
	begun, of := 0, len(plan.Migrations)
	result, raw, err := s.child(work, req, func(e runner.Event) {
		switch e.Kind {
		case "migration":
			begun++
			rep.say(strings.TrimSpace(fmt.Sprintf("%d of %d: %s %s", begun, of, e.Version, e.Name)), begun-1, of)
		case "waiting", "notice", "output", "progress":
			rep.say(e.Message, begun-1, of)
		}
	})
	if a.Prefix == "" && req.Database == s.databaseFor(p, "") {
		s.learnRun(p, req.Dir, result)
	}
	words, kind := outcome(result, where, err)
	done(words)
	s.say(kind, words)
	if result != nil && result.Error != nil {
		s.publishFailure(req.Dir, result.Error)
	}
	s.spawn("refresh", s.refreshClient)
	if raw != nil {
		return raw, nil // a failed run is a result too: the command line prints the same
	}
	return nil, err
}

// request turns a command's argument into the child's request.
func (s *Server) request(ctx context.Context, op string, a runArgs) (scope, worker.Request, error) {
	if !s.trusted.Load() {
		return scope{}, worker.Request{}, errors.New("the workspace is not trusted: no database is opened and nothing is run in it. Trust the workspace first")
	}
	p, err := s.projectFor(ctx, a.URI)
	if err != nil {
		return scope{}, worker.Request{}, err
	}
	req := worker.Request{
		Op: op, Dir: p.Root, Project: p.Root,
		To: a.To, ToExclusive: a.ToExclusive, Step: a.Step, All: a.All, Prefix: a.Prefix,
		Database: s.databaseFor(p, a.Database),
	}
	if files := p.Files(); len(files) > 0 {
		req.Path = files[0] // tells apart the repos of one project
	}
	if r := s.roots.find(p.Root); r != nil {
		req.Dir = r.dir
	}
	return p, req, nil
}

// unsaved refuses to run what is not what the user sees: the child reads the
// files, not the buffers.
func (s *Server) unsaved(p scope) error {
	paths := p.Files()
	if p.Config != nil && p.Config.Path != "" {
		paths = append(paths, p.Config.Path)
	}
	for _, path := range paths {
		doc := s.docs.at(path)
		r := s.roots.find(path)
		if doc == nil || r == nil {
			continue
		}
		buf, ok := r.session.Snapshot().Buffer(path)
		if !ok {
			continue
		}
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) && !doc.edited.Load() {
			continue // deleted a moment ago; the client is about to say so
		}
		if err != nil || string(text) != buf.Lines.Text() {
			return fmt.Errorf("%s has unsaved changes: save it first, since what runs is what is in the file. Nothing was sent", filepath.Base(path))
		}
	}
	return nil
}

// child runs one request in a process of its own. A failed run gives a report
// and no error; an error means that there is no report.
func (s *Server) child(ctx context.Context, req worker.Request, event func(runner.Event)) (*runner.Report, json.RawMessage, error) {
	raw, err := s.inChild(ctx, req, event)
	if len(raw) == 0 || string(raw) == "null" {
		if err == nil {
			err = errors.New("the process that runs migrations gave no result")
		}
		return nil, nil, err
	}
	var rep runner.Report
	if jsonErr := json.Unmarshal(raw, &rep); jsonErr != nil {
		return nil, nil, errors.Join(err, jsonErr)
	}
	if err != nil && rep.Error == nil {
		return nil, nil, err // a plan that came to nothing
	}
	return &rep, raw, nil
}

func (s *Server) inChild(ctx context.Context, req worker.Request, event func(runner.Event)) (json.RawMessage, error) {
	cmd := worker.Command{}
	if len(s.opts.Worker) > 0 {
		cmd.Path, cmd.Args = s.opts.Worker[0], s.opts.Worker[1:]
	} else {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("the program does not know where it is: %w", err)
		}
		cmd.Path = self
	}
	h := worker.Handlers{Event: event}
	if s.caps.password {
		h.Password = s.password
	}
	return worker.Run(ctx, cmd, req, h)
}
