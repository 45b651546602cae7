package runner

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// mix runs mix in the project and returns what it prints. Each line is given
// to line too, while it runs; nil for nobody. When ctx ends mix and all that
// it started are stopped. The error says in mix's own words what went wrong;
// neither it nor a line holds the target's password.
func (r *Runner) mix(ctx context.Context, args []string, line func(string)) (string, error) {
	path, err := osexec.LookPath("mix")
	if err != nil {
		return "", errors.New("mix is not found on the PATH: install Elixir, or put it there")
	}
	cmd := osexec.Command(path, args...) // not CommandContext, which would kill only mix itself
	cmd.Dir = r.opts.Ecto.Dir
	cmd.Env = append(os.Environ(), "MIX_ENV="+r.mixEnv())
	cmd.SysProcAttr = ownGroup()
	out, in := io.Pipe()
	cmd.Stdout, cmd.Stderr = in, in
	cmd.WaitDelay = 2 * time.Second // a grandchild may keep the pipe open
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("mix could not be started: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { endGroup(cmd.Process) })
	var text strings.Builder
	var wg sync.WaitGroup
	wg.Go(func() {
		sc := bufio.NewReader(out)
		for {
			l, err := sc.ReadString('\n')
			if l = r.withoutSecrets(strings.TrimRight(l, "\r\n")); l != "" {
				if text.Len() < 1<<20 {
					text.WriteString(l + "\n")
				}
				if line != nil {
					line(l)
				}
			}
			if err != nil {
				return
			}
		}
	})
	err = cmd.Wait()
	in.Close()
	wg.Wait()
	if !stop() || ctx.Err() != nil {
		return text.String(), context.Canceled
	}
	if err != nil {
		what := lastError(text.String())
		if what == "" {
			what = err.Error()
		}
		return text.String(), errors.New(what)
	}
	return text.String(), nil
}

// mixEnv is the environment of the configuration that was read.
func (r *Runner) mixEnv() string {
	if v := os.Getenv("MIX_ENV"); v != "" {
		return v
	}
	return "dev"
}

// withoutSecrets takes the target's password out of a line that mix printed.
func (r *Runner) withoutSecrets(line string) string {
	pw := r.target.config.Password
	if len(pw) < 4 { // too short to be told from other text, and no secret
		return line
	}
	for _, form := range []string{pw, url.QueryEscape(pw), url.PathEscape(pw)} {
		line = strings.ReplaceAll(line, form, "***")
	}
	return line
}

var (
	runningLine  = regex.MustCompile(`== Running (\d+) `)
	migratedLine = regex.MustCompile(`== Migrated (\d+) in `)
	commandLine  = regex.MustCompile(`^\d\d:\d\d:\d\d\.\d+ \[info\] (.*)`)
	stackLine    = regex.MustCompile(`^\s+(\([a-z_0-9]+ |[^\s:]+\.exs?:\d+: |[^\s:]+\.erl:\d+: )`)
	stackPlace   = regex.MustCompile(`(?m)^\s+(?:\([^)]*\) )?(\S+\.exs):(\d+)`)
	serverError  = regex.MustCompile(`\(Postgrex\.Error\) (?:ERROR|FATAL) ([0-9A-Z]{5}) \([a-z_0-9]+\) (.*)`)
)

// runByMix has mix do a plan. What became of each migration is read from the
// version table, before and after.
func (x *execution) runByMix(ctx context.Context) error {
	before, err := x.nowApplied(ctx)
	if err != nil {
		return err
	}
	if err := x.recheck(before); err != nil {
		return err
	}
	req := x.plan.Request
	tasks := [][]string{x.arguments(req.Direction, req)}
	if req.Direction == Redo {
		n := len(x.plan.Steps) / 2
		last := x.plan.Steps[len(x.plan.Steps)-1].Migration.Version
		tasks = [][]string{
			x.arguments(Down, Request{Step: n, Prefix: req.Prefix}),
			x.arguments(Up, Request{To: last, Prefix: req.Prefix}),
		}
	}
	for i, args := range tasks {
		first, end := 0, len(x.plan.Steps)
		if len(tasks) == 2 {
			first, end = i*end/2, (i+1)*end/2
		}
		if err := x.task(ctx, args, before, first, end); err != nil {
			return err
		}
		if i+1 < len(tasks) {
			if before, err = x.nowApplied(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// nowApplied reads the version table.
func (x *execution) nowApplied(ctx context.Context) (*state, error) {
	conn, srv, err := x.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer closeConn(conn)
	return x.read(ctx, conn, srv, x.plan.Request.Prefix)
}

// task runs one mix task, which is to do the steps from first to end.
func (x *execution) task(ctx context.Context, args []string, before *state, first, end int) error {
	began := map[string]time.Time{}
	var since time.Time
	if err := x.conn.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&since); err != nil {
		return refusef("%s did not answer: %w", x.target, plainError(err))
	}
	x.events(Event{Kind: "output", Message: "mix " + strings.Join(args, " ")})
	out, runErr := x.mix(ctx, args, func(l string) {
		if m := runningLine.FindStringSubmatch(l); m != nil {
			began[m[1]] = time.Now()
			for i := first; i < end; i++ {
				if d := x.result.Steps[i]; sameVersion(d.Migration.Version, m[1]) {
					x.step = i
					x.events(Event{Kind: "migration", Version: d.Migration.Version, Name: d.Migration.Name, Direction: string(d.Direction), Number: i + 1, Of: len(x.plan.Steps)})
				}
			}
		}
		if m := migratedLine.FindStringSubmatch(l); m != nil {
			for i := first; i < end; i++ {
				if d := &x.result.Steps[i]; sameVersion(d.Migration.Version, m[1]) && !began[m[1]].IsZero() {
					d.Duration = time.Since(began[m[1]])
				}
			}
		}
		x.events(Event{Kind: "output", Message: l})
	})
	reading, cancel := background(ctx)
	defer cancel()
	if ctx.Err() != nil {
		x.cancelLeftOver(reading, since, first, end)
	}
	after, err := x.nowApplied(reading)
	if err != nil {
		return failf("mix ended (%s), and then the version table could not be read: %w. Look at the status of the database", ended(runErr), err)
	}
	var undone []int
	for i := first; i < end; i++ {
		d := &x.result.Steps[i]
		is, was := after.applied(d.Migration.Version), before.applied(d.Migration.Version)
		switch want := d.Direction == migration.Up; {
		case is != want:
			undone = append(undone, i)
			continue
		case was == want:
			d.Outcome = Skipped
		default:
			d.Outcome = d.outcome()
			x.remember(d)
		}
		x.events(Event{Kind: "done", Version: d.Migration.Version, Name: d.Migration.Name, Direction: string(d.Direction), Outcome: d.Outcome})
	}
	if runErr == nil && len(undone) == 0 {
		return nil
	}
	return x.mixFailure(out, runErr, undone, began)
}

// cancelLeftOver cancels the statement that a stopped mix left running in the
// server: a statement of this plan, in a session that the same user began from
// the same place since then.
func (x *execution) cancelLeftOver(ctx context.Context, since time.Time, first, end int) {
	const shown = 200 // the server shows no more than the beginning of a statement
	var texts []string
	for _, st := range x.plan.Steps[first:end] {
		for _, s := range st.Body().Statements() {
			if r := []rune(s.SQL); s.NotRunnable == "" && s.Opaque == "" && len(r) > 0 {
				texts = append(texts, string(r[:min(shown, len(r))]))
			}
		}
	}
	// What cannot be cancelled ends by itself, which is what is said of it.
	_, _ = x.conn.Exec(ctx, `SELECT pg_catalog.pg_cancel_backend(a.pid) FROM pg_catalog.pg_stat_activity a, pg_catalog.pg_stat_activity me
WHERE me.pid = pg_catalog.pg_backend_pid() AND a.pid <> me.pid AND a.datid = me.datid AND a.usesysid = me.usesysid
 AND a.client_addr IS NOT DISTINCT FROM me.client_addr AND a.backend_start >= $1 AND a.state = 'active' AND left(a.query, $2) = ANY($3)`, since, shown, texts)
}

func ended(err error) string {
	if err == nil {
		return "well"
	}
	return err.Error()
}

// mixFailure says what mix did not do, and why.
func (x *execution) mixFailure(out string, runErr error, undone []int, began map[string]time.Time) error {
	cancelled := errors.Is(runErr, context.Canceled)
	if len(undone) == 0 {
		return failf("the version table has all of the plan, and yet mix failed: %w", runErr)
	}
	at := undone[0]
	for _, i := range undone { // the one that was begun, whatever their order
		if !began[bare(x.result.Steps[i].Migration.Version)].IsZero() {
			at = i
		}
	}
	x.step = at
	st := x.plan.Steps[at]
	body := st.Body()
	f := &Failure{Step: st, Path: body.Path, Span: body.Span, vague: true, err: runErr}
	started := !began[bare(st.Migration.Version)].IsZero()
	switch {
	case cancelled:
		f.Message, f.Cancelled = "cancelled", true
		if !started {
			f.Message = "cancelled before it began"
		}
	case runErr == nil:
		f.Message = "mix ended without an error, and the version table does not show it"
	default:
		f.Message = runErr.Error()
		if m := serverError.FindStringSubmatch(f.Message); m != nil {
			f.SQLState = m[1]
			f.Message, f.Statement, _ = strings.Cut(m[2], " query: ")
		}
		if !f.placeByLog(out) {
			f.placeInStack(out)
		}
	}
	if started {
		x.result.Steps[at].Outcome = Failed
		x.remember(&x.result.Steps[at])
		what := ""
		if cancelled {
			what = " mix was stopped; a statement that was running, and could not be cancelled, goes on in the server until it ends."
		}
		x.remains(f, "The version table is as it was before it."+what)
	} else {
		x.remains(f, "")
		f.Remains = strings.TrimSpace(x.result.unreached() + " " + notReached(f.Remains))
	}
	return f
}

// notReached keeps the part of a text that lists what was done and what was
// not.
func notReached(remains string) string {
	for _, begin := range []string{"Done before it:", "Not reached:"} {
		if i := strings.Index(remains, begin); i >= 0 {
			return remains[i:]
		}
	}
	return ""
}

// placeByLog finds the statement that Ecto logged last, where it is one of
// those that are known.
func (f *Failure) placeByLog(out string) bool {
	last := ""
	for line := range strings.Lines(out) {
		if m := commandLine.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			last = m[1]
		}
	}
	text, ok := strings.CutPrefix(last, "execute ")
	sql, err := strconv.Unquote(text) // Elixir escapes as Go does, but for a few characters
	if !ok || err != nil {
		return false
	}
	body := f.Step.Body()
	sure := !slices.ContainsFunc(body.Statements(), func(s *migration.Statement) bool { return s.Opaque != "" || s.NotRunnable != "" })
	for i, s := range body.Statements() {
		if s.SQL == sql {
			f.Path, f.Span, f.Statement = s.Path, s.Span, s.SQL
			f.before, f.vague = i, !sure
			return true
		}
	}
	return false
}

// placeInStack finds the line of the migration that Elixir's stack names.
func (f *Failure) placeInStack(out string) {
	file := f.Step.Migration.File(f.Path)
	if file == nil {
		return
	}
	var n int
	for _, m := range stackPlace.FindAllStringSubmatch(out, -1) {
		if filepath.Base(m[1]) == filepath.Base(f.Path) {
			n, _ = strconv.Atoi(m[2]) // digits, or too many: then no line has the number
			break
		}
	}
	lines := source.NewLines(file.Text)
	if n < 1 || n > lines.Count() {
		return
	}
	span := lines.Line(n - 1)
	text := span.Of(file.Text)
	span.Start += len(text) - len(strings.TrimLeft(text, " \t"))
	span.End = span.Start + len(strings.TrimSpace(text))
	f.Span = span
}
