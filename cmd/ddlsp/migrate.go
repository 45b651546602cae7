package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/ddlsp/ddlsp/runner"
)

// runFlags are the flags of the commands that change a database.
type runFlags struct {
	request runner.Request
	dryRun  bool
	yes     bool
	confirm string
	format  string
}

func newMigrate(a *app) *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Apply the pending migrations",
		Long:  "migrate applies the pending migrations, all of them unless a flag says otherwise,\nexactly as the project's own tool would.",
		Args:  exactArgs(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.change(cmd.Context(), runner.Up, &f)
		},
	}
	f.register(cmd, runner.Up)
	return cmd
}

// register defines the flags that the command for a direction takes.
func (f *runFlags) register(cmd *cobra.Command, d runner.Direction) {
	fs := cmd.Flags()
	if d != runner.Redo {
		to, exclusive := "migrate up to this version, itself included", "migrate up to this version, itself not included"
		if d == runner.Down {
			to, exclusive = "roll back down to this version, itself included", "roll back down to this version, which stays"
		}
		fs.StringVar(&f.request.To, "to", "", to)
		fs.StringVar(&f.request.ToExclusive, "to-exclusive", "", exclusive)
		fs.IntVar(&f.request.Step, "step", 0, "the number of migrations")
		if d == runner.Down {
			fs.BoolVar(&f.request.All, "all", false, "roll back everything")
		}
	}
	fs.StringVar(&f.request.Prefix, "prefix", "", "the schema to run in (Ecto)")
	fs.BoolVar(&f.dryRun, "dry-run", false, "show what would run, and change nothing")
	fs.BoolVar(&f.yes, "yes", false, "do not ask")
	fs.StringVar(&f.confirm, "confirm", "", "the name of the database, which a protected one wants typed")
	fs.StringVar(&f.format, "format", "text", "output: text or json")
}

// valid checks what the flags say together.
func (f *runFlags) valid(cmd string) error {
	if f.format != "text" && f.format != "json" {
		return usagef("--format %s: unknown; use text or json", f.format)
	}
	r, n := f.request, 0
	for _, set := range []bool{r.To != "", r.ToExclusive != "", r.Step != 0, r.All} {
		if set {
			n++
		}
	}
	if n > 1 {
		return usagef("%s takes one of --to, --to-exclusive, --step and --all", cmd)
	}
	if r.Step < 0 {
		return usagef("--step %d: a number of migrations is 1 or more", r.Step)
	}
	return nil
}

// change plans a request, asks, and runs it.
func (a *app) change(ctx context.Context, d runner.Direction, f *runFlags) error {
	f.request.Direction = d
	if err := f.valid(verb[d].command); err != nil {
		return err
	}
	ctx, stop := interruptible(ctx)
	defer stop()
	a.flags.prefix = f.request.Prefix
	session, err := a.session()
	if err != nil {
		return err
	}
	p, err := a.oneProject(ctx, session.Snapshot())
	if err != nil {
		return err
	}
	a.events = a.progress(f)
	r, target, err := a.runner(ctx, p)
	if err != nil {
		return runError(err)
	}
	defer target.Close()
	if a.interactive() {
		target.Password = a.askPassword
	}
	plan, err := r.Plan(ctx, f.request)
	if err != nil {
		return runError(err)
	}
	if f.dryRun || len(plan.Steps) == 0 {
		return a.showPlan(plan, f)
	}
	if err := a.consent(plan, f); err != nil {
		return err
	}
	res, err := r.Run(ctx, plan, a.progress(f))
	return a.showResult(res, err, f)
}

// interruptible is a context that ends with an interrupt from the terminal or
// a request to terminate. A second one ends the process.
func interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// interactive reports whether somebody can be asked.
func (a *app) interactive() bool { return isTerminal(a.in) && isTerminal(a.err) }

// migrations is the number of migrations of a plan; a redo has each twice.
func migrations(plan *runner.Plan) int {
	if plan.Request.Direction == runner.Redo {
		return len(plan.Steps) / 2
	}
	return len(plan.Steps)
}

// verb has the words for a direction.
var verb = map[runner.Direction]struct{ command, will, did string }{
	runner.Up:   {"migrate", "Apply", "applied"},
	runner.Down: {"rollback", "Roll back", "rolled back"},
	runner.Redo: {"redo", "Roll back and apply again", "rolled back and applied again"},
}

// consent asks before anything is changed.
func (a *app) consent(plan *runner.Plan, f *runFlags) error {
	t := plan.Target
	if f.confirm != "" && f.confirm != t.Database {
		return usagef("--confirm %s: the database is %s, on %s. Nothing was changed", f.confirm, t.Database, t.Host)
	}
	named := f.confirm == t.Database
	if f.yes && (named || !t.Protected) {
		for _, n := range plan.Notes {
			fmt.Fprintf(a.err, "note: %s\n", n)
		}
		return nil
	}
	if !a.interactive() {
		if f.yes {
			return usagef("%s is protected: add --confirm %s. Nothing was changed", t, t.Database)
		}
		also := ""
		if t.Protected && !named {
			also = " --confirm " + t.Database
		}
		return usagef("this would change %s, and there is no terminal to ask at: look at it with --dry-run, then add --yes%s. Nothing was changed", t, also)
	}
	a.describe(a.err, plan)
	if t.Protected && !named {
		fmt.Fprintf(a.err, "%s is protected. Type the name of the database to go on: ", t)
		if line, _ := a.answers().ReadString('\n'); strings.TrimSpace(line) != t.Database {
			return usagef("that is not its name. Nothing was changed")
		}
		return nil
	}
	fmt.Fprintf(a.err, "%s %s (%s) on %s? [y/N] ", verb[plan.Request.Direction].will, plural(migrations(plan), "migration"), plural(plan.Statements(), "statement"), t)
	if !a.yes() {
		return usagef("not confirmed. Nothing was changed")
	}
	return nil
}

// describe lists what a plan would do.
func (a *app) describe(w io.Writer, plan *runner.Plan) {
	st := a.style(w)
	t := plan.Target
	fmt.Fprintf(w, "%s %s\n", st.bold(t.String()), st.dim("(from "+t.Source+")"))
	for _, s := range plan.Steps {
		fmt.Fprintf(w, "  %-4s  %s %s  %s\n", s.Direction, s.Migration.Version, s.Migration.Name, st.dim(plural(len(s.Body().Statements()), "statement")))
	}
	for _, n := range plan.Notes {
		fmt.Fprintf(w, "note: %s\n", n)
	}
	if d := plan.Drops(); len(d) > 0 && plan.Request.Direction != runner.Up {
		parts := make([]string, len(plan.Losses))
		for i, l := range plan.Losses {
			parts[i] = l.String()
		}
		if len(parts) == 0 {
			parts = d
		}
		fmt.Fprintf(w, "%s %s\n", st.bold("this destroys:"), strings.Join(parts, ", "))
	}
}

// showPlan prints a plan that is not run.
func (a *app) showPlan(plan *runner.Plan, f *runFlags) error {
	report := plan.Report(a.display)
	report.DryRun = f.dryRun
	if f.format == "json" {
		return writeJSON(a.out, report)
	}
	if len(plan.Steps) == 0 {
		nothing := map[runner.Direction]string{runner.Up: "Nothing to migrate", runner.Down: "Nothing to roll back", runner.Redo: "Nothing to redo"}
		fmt.Fprintf(a.out, "%s on %s.\n", nothing[plan.Request.Direction], plan.Target)
		for _, n := range plan.Notes {
			fmt.Fprintf(a.err, "note: %s\n", n)
		}
		return nil
	}
	return buffered(a.out, func(w io.Writer) error {
		a.describe(w, plan)
		st := a.style(a.out)
		for _, line := range report.Migrations {
			fmt.Fprintf(w, "\n%s\n", st.dim(fmt.Sprintf("-- %s %s, %s (%s), %s", line.Version, line.Name, line.Direction, line.Path, transaction[line.Transaction])))
			for _, s := range line.SQL {
				for _, l := range s.Locks {
					fmt.Fprintln(w, st.dim("-- "+l.Relation+": "+l.Mode))
				}
				switch text := strings.TrimRight(s.SQL, " \t\r\n;"); {
				case s.Opaque != nil && text == "":
					fmt.Fprintln(w, st.dim("-- not known before it runs: "+*s.Opaque))
				case s.Opaque != nil:
					fmt.Fprintln(w, st.dim("-- not wholly known before it runs: "+*s.Opaque))
					fallthrough
				default:
					fmt.Fprintln(w, text+";")
				}
			}
			if len(line.SQL) == 0 {
				fmt.Fprintln(w, st.dim("-- sends nothing"))
			}
		}
		fmt.Fprintf(w, "\n%s\n", st.dim("-- nothing was changed"))
		return nil
	})
}

// transaction says in words what transaction a migration runs in.
var transaction = map[string]string{
	"explicit": "in one transaction", "implicit": "sent at once", "none": "outside a transaction", "unknown": "",
}

// progress prints events while a run goes on.
func (a *app) progress(f *runFlags) func(runner.Event) {
	st := a.style(a.err)
	return func(e runner.Event) {
		switch e.Kind {
		case "notice":
			if !a.flags.quiet {
				fmt.Fprintf(a.err, "%s: %s\n", e.Severity, e.Message)
			}
		case "output": // mix's own words
			if !a.flags.quiet {
				fmt.Fprintln(a.err, st.dim("  "+e.Message))
			}
		case "waiting":
			fmt.Fprintf(a.err, "waiting: %s\n", e.Message)
		case "progress":
			if !a.flags.quiet {
				fmt.Fprintln(a.err, st.dim("  "+e.Message))
			}
		case "statement":
			if isTerminal(a.err) && !a.flags.quiet {
				fmt.Fprintln(a.err, st.dim(fmt.Sprintf("  %s  %d/%d  %s", e.Version, e.Number, e.Of, e.Message)))
			}
		}
	}
}

// showResult prints what a run did and turns its error into the exit code.
func (a *app) showResult(res *runner.Result, err error, f *runFlags) error {
	report := res.Report(err, a.display)
	if f.format == "json" {
		if werr := writeJSON(a.out, report); werr != nil {
			return werr
		}
		if err == nil {
			return nil
		}
		return &exitError{runner.ExitCode(err), errors.New(summary(report))}
	}
	for _, n := range res.Notes {
		fmt.Fprintf(a.err, "note: %s\n", n)
	}
	st := a.style(a.out)
	n := 0
	for _, m := range report.Migrations {
		switch m.Outcome {
		case runner.Applied, runner.RolledBack:
			n++
			fmt.Fprintf(a.out, "%s %s %s %s\n", strings.ReplaceAll(m.Outcome, "_", " "), m.Version, m.Name, st.dim(fmt.Sprintf("(%d ms)", m.DurationMS)))
		case runner.Skipped:
			fmt.Fprintf(a.out, "skipped %s %s: another runner has done it\n", m.Version, m.Name)
		}
	}
	if err == nil {
		if res.Plan.Request.Direction == runner.Redo {
			n /= 2
		}
		if !a.flags.quiet {
			fmt.Fprintf(a.out, "%s %s on %s.\n", plural(n, "migration"), verb[res.Plan.Request.Direction].did, res.Plan.Target)
		}
		return nil
	}
	return &exitError{runner.ExitCode(err), errors.New(summary(report))}
}

// summary says in words what went wrong, where, and what to do.
func summary(r *runner.Report) string {
	e := r.Error
	var b strings.Builder
	if e.Path != nil && e.Range != nil {
		fmt.Fprintf(&b, "%s:%d:%d: ", *e.Path, e.Range.Start.Line, e.Range.Start.Column)
	}
	b.WriteString(e.Message)
	if e.SQLState != "" {
		fmt.Fprintf(&b, " (SQLSTATE %s)", e.SQLState)
	}
	if e.Statement != "" {
		fmt.Fprintf(&b, "\n  in: %s", strings.ReplaceAll(shorten(e.Statement, 400), "\n", "\n      "))
	}
	if e.Remains != "" {
		fmt.Fprintf(&b, "\n  %s", e.Remains)
	}
	return b.String()
}

// shorten cuts a text after n characters.
func shorten(s string, n int) string {
	s = strings.TrimSpace(s)
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + " ..."
	}
	return s
}

// askPassword reads a password from the terminal without showing it.
func (a *app) askPassword(_ context.Context, user, host, port, database string) (string, error) {
	fmt.Fprintf(a.err, "Password of %s on %s:%s/%s: ", user, host, port, database)
	return readPassword(a.in, a.err)
}
