package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/runner"
	"github.com/ddlsp/ddlsp/runner/worker"
)

// methodPassword asks a client that keeps secrets for a password.
const methodPassword = "ddlsp/password"

// answerTime is how long a question to the user may stay unanswered.
const answerTime = 5 * time.Minute

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

func (r *runs) choose(root, database string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.chosen == nil {
		r.chosen = map[string]string{}
	}
	r.chosen[root] = database
}

func (r *runs) choice(root string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.chosen[root]
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
		case "waiting", "notice":
			rep.say(e.Message, begun-1, of)
		}
	})
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

// databaseFor is the name of the database to use: the command's, the one the
// user chose, the client's setting; "" leaves it to the configuration.
func (s *Server) databaseFor(p scope, named string) string {
	if named != "" {
		return named
	}
	if chosen := s.runs.choice(p.Root); chosen != "" {
		return chosen
	}
	return s.settings.get().Database
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
		if text, err := os.ReadFile(path); err != nil || string(text) != buf.Lines.Text() {
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

// password asks the client. The answer is never kept nor logged.
func (s *Server) password(ctx context.Context, r worker.PasswordRequest) (string, error) {
	raw, err := protocolJSON(r)
	if err != nil {
		return "", err
	}
	var answer *string
	var got jsonrpc2.RawMessage
	if _, err := s.conn.Call(ctx, methodPassword, raw, &got); err != nil {
		return "", errors.New("the editor gave no password")
	}
	if json.Unmarshal(got, &answer) != nil || answer == nil {
		return "", errors.New("the editor gave no password")
	}
	return *answer, nil
}

func protocolJSON(v any) (jsonrpc2.RawMessage, error) {
	raw, err := json.Marshal(v)
	return jsonrpc2.RawMessage(raw), err
}

// ask has the client ask the user. Nothing but the exact yes is one.
func (s *Server) ask(ctx context.Context, op string, a runArgs, plan *runner.Report) error {
	where := plan.Database + " on " + plan.Host
	yes := map[string]string{"migrate": "Migrate ", "rollback": "Roll back ", "redo": "Redo on "}[op] + plan.Database
	refusal := func(why string) error {
		return fmt.Errorf("%s. Nothing was sent to %s. From a terminal: %s", why, where, cliCommand(op, a, plan))
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	kind := protocol.MessageTypeInfo
	if op != "migrate" || len(plan.Drops) > 0 || plan.Protected {
		kind = protocol.MessageTypeWarning
	}
	answer, err := s.client.ShowMessageRequest(ctx, &protocol.ShowMessageRequestParams{
		Type: kind, Message: question(op, plan),
		Actions: []protocol.MessageActionItem{{Title: yes}, {Title: "Cancel"}},
	})
	switch {
	case ctx.Err() != nil:
		return refusal("The question was not answered")
	case err != nil:
		err := refusal("The editor cannot ask for confirmation")
		s.say(protocol.MessageTypeWarning, err.Error())
		return err
	case answer == nil || answer.Title != yes:
		return refusal("Not confirmed")
	}
	return nil
}

// question says what would happen, and where.
func question(op string, plan *runner.Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s on %s?", map[string]string{
		"migrate": "Apply " + count(len(plan.Migrations)) + " to", "rollback": "Roll back " + count(len(plan.Migrations)) + " of", "redo": "Roll back and apply again on",
	}[op], plan.Database, plan.Host)
	for _, m := range plan.Migrations {
		fmt.Fprintf(&b, "\n%s %s %s", m.Direction, m.Version, m.Name)
	}
	if len(plan.Drops) > 0 {
		fmt.Fprintf(&b, "\nThis drops %s.", strings.Join(plan.Drops, ", "))
	}
	for _, n := range plan.Notes {
		b.WriteString("\n" + n)
	}
	return b.String()
}

func count(migrations int) string {
	if migrations == 1 {
		return "1 migration"
	}
	return fmt.Sprintf("%d migrations", migrations)
}

// cliCommand is the same run for a terminal, where everybody can be asked.
func cliCommand(op string, a runArgs, plan *runner.Report) string {
	words := []string{"ddlsp", op}
	add := func(flag, value string) {
		if value != "" {
			words = append(words, flag, value)
		}
	}
	add("--to", a.To)
	add("--to-exclusive", a.ToExclusive)
	if a.Step > 0 {
		add("--step", fmt.Sprint(a.Step))
	}
	if a.All {
		words = append(words, "--all")
	}
	add("--prefix", a.Prefix)
	add("--database", plan.Name)
	return strings.Join(words, " ")
}

func doing(op string) string {
	return map[string]string{"migrate": "Migrating", "rollback": "Rolling back", "redo": "Redoing"}[op]
}

func nothingToDo(op string) string {
	if op == "migrate" {
		return "Nothing is pending on"
	}
	return "Nothing is applied on"
}

// outcome says how a run ended.
func outcome(r *runner.Report, where string, err error) (string, protocol.MessageType) {
	if r == nil {
		if err == nil {
			err = errors.New("no result")
		}
		return err.Error(), protocol.MessageTypeError
	}
	count := map[string]int{}
	for _, m := range r.Migrations {
		count[m.Outcome]++
	}
	var parts []string
	for _, o := range []struct{ outcome, words string }{
		{runner.RolledBack, "rolled back"}, {runner.Applied, "applied"}, {runner.Failed, "failed"}, {runner.Skipped, "skipped"},
	} {
		if n := count[o.outcome]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, o.words))
		}
	}
	if len(parts) == 0 {
		parts = []string{"nothing was run"}
	}
	words := where + ": " + strings.Join(parts, ", ") + "."
	if r.Error == nil {
		return words, protocol.MessageTypeInfo
	}
	words += " " + r.Error.Message
	if r.Error.Remains != "" {
		words += "\n" + r.Error.Remains
	}
	return words, protocol.MessageTypeError
}

func (s *Server) say(kind protocol.MessageType, text string) {
	if err := s.client.ShowMessage(s.life, &protocol.ShowMessageParams{Type: kind, Message: text}); err != nil && s.life.Err() == nil {
		s.log.Warn("window/showMessage", "err", err)
	}
}

// publishFailure marks the statement that failed. dir is what the report's
// paths are relative to.
func (s *Server) publishFailure(dir string, e *runner.ReportError) {
	if e.Path == nil || e.Range == nil {
		return
	}
	path := filepath.FromSlash(*e.Path)
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	r := s.roots.find(path)
	if r == nil {
		return
	}
	lines, err := r.session.Snapshot().Lines(path)
	if err != nil {
		return
	}
	message := e.Message
	if e.Remains != "" {
		message += "\n" + e.Remains
	}
	d := &protocol.Diagnostic{
		Range:    s.rangeOf(lines, source.Span{Start: e.Range.Start.Offset, End: e.Range.End.Offset}),
		Severity: protocol.DiagnosticSeverityError,
		Source:   protocol.NewOptional(sourceRun),
		Message:  protocol.String(message),
	}
	if e.SQLState != "" {
		d.Code = protocol.String(e.SQLState)
	}
	s.pub.fail(path, d)
}

type statusArgs struct {
	URI      string `json:"uri"`
	Database string `json:"database"`
}

// status answers what `ddlsp status` prints. It only reads.
func (s *Server) status(ctx context.Context, _ protocol.ProgressToken, a statusArgs) (any, error) {
	_, req, err := s.request(ctx, "status", runArgs{URI: a.URI, Database: a.Database})
	if err != nil {
		return nil, err
	}
	ctx, hangUp := context.WithCancel(ctx)
	defer hangUp()
	defer context.AfterFunc(s.listening, hangUp)()
	raw, err := s.inChild(ctx, req, nil)
	if err == nil && s.bare {
		s.say(protocol.MessageTypeInfo, statusWords(raw))
	}
	return raw, err
}

// statusWords is a status for people: what is not applied, one by one.
func statusWords(raw json.RawMessage) string {
	var r runner.StatusReport
	if err := json.Unmarshal(raw, &r); err != nil {
		return err.Error()
	}
	var b strings.Builder
	applied := 0
	for _, m := range r.Migrations {
		if m.State == "applied" {
			applied++
		}
	}
	fmt.Fprintf(&b, "%s on %s: %d of %d applied", r.Database, r.Host, applied, len(r.Migrations))
	for _, m := range r.Migrations {
		if m.State != "applied" {
			fmt.Fprintf(&b, "\n%s: %s %s", strings.ReplaceAll(m.State, "_", " "), m.Version, m.Name)
		}
	}
	return b.String()
}

type databaseInfo struct {
	Name      string `json:"name"`
	Protected bool   `json:"protected"`
}

type databaseList struct {
	Databases []databaseInfo `json:"databases"`
	Selected  *string        `json:"selected"`
}

// selectDatabase chooses the database that the project's commands use from
// now on; without a name it lists those there are. An empty choice, as
// configured, is null.
func (s *Server) selectDatabase(ctx context.Context, _ protocol.ProgressToken, a statusArgs) (any, error) {
	p, err := s.projectFor(ctx, a.URI)
	if err != nil {
		return nil, err
	}
	out := databaseList{Databases: []databaseInfo{}}
	var names []string
	for name := range p.Settings.Databases {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		out.Databases = append(out.Databases, databaseInfo{name, p.Settings.Databases[name].Protected})
	}
	if a.Database != "" {
		if !slices.Contains(names, a.Database) && a.Database != runner.Embedded {
			if len(names) == 0 {
				return nil, fmt.Errorf("%s configures no databases: the one that the project's own tool uses is taken", p.Root)
			}
			return nil, fmt.Errorf("there is no database %q; there is %s", a.Database, strings.Join(names, ", "))
		}
		s.runs.choose(p.Root, a.Database)
		s.spawn("refresh", s.refreshClient)
	}
	if now := s.databaseFor(p, ""); now != "" {
		out.Selected = &now
	} else if p.Settings.DefaultDatabase != "" {
		out.Selected = &p.Settings.DefaultDatabase
	}
	return out, nil
}
