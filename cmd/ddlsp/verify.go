package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ddlsp/ddlsp/internal/workspace"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/runner"
)

func newVerify(a *app) *cobra.Command {
	var all bool
	var format string
	cmd := &cobra.Command{
		Use:   "verify [PATH|VERSION...]",
		Short: "Run migrations up, down and up again on a scratch database",
		Long: `verify runs migrations on a scratch database: all earlier ones, then each one up,
down and up again. After down the schema must be what it was before, and the
second up must make what the first one made. Without arguments it takes the
pending migrations of the database.

The scratch database is made on the server of the [databases.*] with
scratch = true, else on a private server that ddlsp starts; it is dropped again.
Data is not compared.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.verify(cmd.Context(), args, all, format)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "every migration")
	cmd.Flags().StringVar(&format, "format", "text", "output: text or json")
	return cmd
}

func (a *app) verify(ctx context.Context, args []string, all bool, format string) error {
	switch {
	case format != "text" && format != "json":
		return usagef("--format %s: unknown; use text or json", format)
	case all && len(args) > 0:
		return usagef("verify takes migrations or --all, not both")
	}
	ctx, stop := interruptible(ctx)
	defer stop()
	session, err := a.session()
	if err != nil {
		return err
	}
	snap := session.Snapshot()
	var p *workspace.Project
	var named []*migration.Migration
	for _, arg := range args {
		m, of, err := a.migration(ctx, snap, arg)
		switch {
		case err != nil:
			return err
		case of == nil || of.Index(m) < 0:
			return usagef("%s belongs to no project of migrations, so there is nothing to run it after", arg)
		case p != nil && (of.Root != p.Root || of.Repo != p.Repo):
			return usagef("the migrations belong to several projects: verify those of one at a time")
		}
		p, named = of, append(named, m)
	}
	if p == nil {
		if p, err = a.oneProject(ctx, snap); err != nil {
			return err
		}
	}
	want := func(m *migration.Migration) bool { return all || slices.Contains(named, m) }
	if !all && len(args) == 0 {
		if want, err = a.pending(ctx, p); err != nil {
			return err
		}
	}
	report, err := a.verifyProject(ctx, snap, p, want, func(m *migration.Migration, number, of int) {
		if isTerminal(a.err) && !a.flags.quiet {
			fmt.Fprintf(a.err, "verifying %d of %d: %s %s\n", number, of, m.Version, m.Name)
		}
	})
	if err != nil {
		return runError(err)
	}
	if format == "json" {
		err = writeJSON(a.out, report)
	} else {
		err = buffered(a.out, func(w io.Writer) error { a.printVerified(w, report); return nil })
	}
	if err != nil {
		return err
	}
	if slices.ContainsFunc(report.Migrations, func(l runner.VerifyReportLine) bool { return l.Outcome == runner.Failed }) {
		return &exitError{Code: exitFindings}
	}
	return nil
}

// pending chooses what is not applied on the project's database.
func (a *app) pending(ctx context.Context, p *workspace.Project) (func(*migration.Migration) bool, error) {
	r, target, err := a.runner(ctx, p)
	if err != nil {
		return nil, &exitError{exitUsage, fmt.Errorf("which migrations are pending is not known: name some, or take --all: %w", err)}
	}
	defer target.Close()
	if a.interactive() {
		target.Password = a.askPassword
	}
	st, err := r.Status(ctx, "")
	if err != nil {
		return nil, &exitError{runner.ExitCode(err), fmt.Errorf("which migrations are pending is not known: name some, or take --all: %w", err)}
	}
	versions := map[string]bool{}
	for _, l := range st.Migrations {
		versions[l.Version] = l.State == runner.StatePending || l.State == runner.StateOutOfOrder
	}
	return func(m *migration.Migration) bool { return versions[m.Version] }, nil
}

// verifyProject verifies migrations of a project.
func (a *app) verifyProject(ctx context.Context, snap *workspace.Snapshot, p *workspace.Project, want func(*migration.Migration) bool, each func(*migration.Migration, int, int)) (*runner.VerifyReport, error) {
	o := runner.VerifyOptions{Want: want, Each: each}
	history := p.History(ctx)
	if !slices.ContainsFunc(history, want) {
		return &runner.VerifyReport{Migrations: []runner.VerifyReportLine{}}, nil
	}
	if p.Settings.Baseline != "" {
		path := filepath.Join(p.Config.Dir(), filepath.FromSlash(p.Settings.Baseline))
		lines, err := snap.Lines(path)
		if err != nil {
			return nil, usagef("the baseline %s cannot be read: %v", a.display(path), reason(err))
		}
		o.Baseline = lines.Text()
	}
	target, err := runner.ResolveScratch(ctx, a.resolveOptions(p))
	if err != nil {
		return nil, err
	}
	defer target.Close()
	opts := a.runnerOptions(p)
	if opts.Ecto != nil {
		opts.Ecto.Runner = runner.RunNative // mix would not run on a scratch database
	}
	r, err := runner.New(target, history, opts)
	if err != nil {
		return nil, err
	}
	list, err := r.Verify(ctx, o)
	if err != nil {
		return nil, err
	}
	return r.ReportVerified(list, a.display), nil
}

// verifiedWords are the outcomes as people read them.
var verifiedWords = map[string]string{
	runner.VerifiedOK: "ok", runner.Failed: "FAILED", runner.NotReversible: "not reversible", runner.Skipped: "skipped, NOT VERIFIED",
}

func (a *app) printVerified(w io.Writer, r *runner.VerifyReport) {
	if len(r.Migrations) == 0 {
		fmt.Fprintln(w, "There is nothing to verify.")
		return
	}
	st := a.style(a.out)
	count := map[string]int{}
	for _, l := range r.Migrations {
		count[l.Outcome]++
		at := l.Path
		if l.Error != nil && l.Error.Path != nil && l.Error.Range != nil {
			at = fmt.Sprintf("%s:%d:%d", *l.Error.Path, l.Error.Range.Start.Line, l.Error.Range.Start.Column)
		}
		fmt.Fprintf(w, "%s: %s: %s\n", at, st.bold(verifiedWords[l.Outcome]), l.Summary())
		if l.Error != nil && l.Error.Statement != "" {
			fmt.Fprintf(w, "  in: %s\n", strings.ReplaceAll(shorten(l.Error.Statement, 400), "\n", "\n      "))
		}
		for _, d := range l.Differences {
			switch d.Kind {
			case "added":
				fmt.Fprintf(w, "  + %s  %s\n", d.Object, st.dim(shorten(d.After, 200)))
			case "removed":
				fmt.Fprintf(w, "  - %s  %s\n", d.Object, st.dim(shorten(d.Before, 200)))
			default:
				fmt.Fprintf(w, "  ~ %s\n      before: %s\n      after:  %s\n", d.Object, shorten(d.Before, 400), shorten(d.After, 400))
			}
		}
		for _, n := range l.Notes {
			fmt.Fprintf(w, "  note: %s\n", n)
		}
	}
	var parts []string
	for _, o := range []string{runner.VerifiedOK, runner.Failed, runner.NotReversible, runner.Skipped} {
		if count[o] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[o], verifiedWords[o]))
		}
	}
	if !a.flags.quiet {
		fmt.Fprintf(w, "%s: %s\n", plural(len(r.Migrations), "migration"), strings.Join(parts, ", "))
	}
}
