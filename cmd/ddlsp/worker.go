package main

import (
	"context"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/ddlsp/ddlsp/internal/workspace"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/runner"
	"github.com/ddlsp/ddlsp/runner/worker"
)

// newWorker is the child process that the language server runs migrations in.
func newWorker(a *app) *cobra.Command {
	return &cobra.Command{
		Use:    "worker",
		Short:  "Run one request of the language server, given on stdin",
		Hidden: true,
		Args:   exactArgs(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			// A server that died takes its end of stdout along; writing there
			// must not kill the bookkeeping.
			signal.Ignore(syscall.SIGPIPE, syscall.SIGHUP)
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			code := worker.Serve(ctx, a.in, a.out, a.work)
			return &exitError{Code: code}
		},
	}
}

// work does one request. Its result is a report, or nil.
func (a *app) work(ctx context.Context, req worker.Request, s *worker.Session) (any, error) {
	if req.Dir != "" {
		a.dir = req.Dir
	}
	a.flags = globalFlags{project: req.Project, repo: req.Repo, config: req.Config, migrations: req.Migrations,
		format: req.Format, database: req.Database, prefix: req.Prefix, quiet: true}
	session, err := a.session()
	if err != nil {
		return nil, asWorkerError(err)
	}
	p, err := a.requested(ctx, session.Snapshot(), req.Path)
	if err != nil {
		return nil, asWorkerError(err)
	}
	if req.Op == "verify" {
		return a.workVerify(ctx, session.Snapshot(), p, req, s)
	}
	a.events = s.Event
	r, target, err := a.runner(ctx, p)
	if err != nil {
		return nil, asWorkerError(err)
	}
	defer target.Close()
	target.Password = s.Password
	if req.Op == "status" {
		st, err := r.Status(ctx, req.Prefix)
		if err != nil {
			return nil, err
		}
		return st.Report(a.display), nil
	}
	direction, ok := map[string]runner.Direction{"migrate": runner.Up, "rollback": runner.Down, "redo": runner.Redo}[req.Op]
	if !ok {
		return nil, &worker.Error{Message: "unknown operation " + req.Op, Exit: exitUsage}
	}
	plan, err := r.Plan(ctx, runner.Request{Direction: direction, To: req.To, ToExclusive: req.ToExclusive, Step: req.Step, All: req.All, Prefix: req.Prefix})
	if err != nil {
		return nil, err
	}
	if req.DryRun || len(plan.Steps) == 0 {
		report := plan.Report(a.display)
		report.DryRun = req.DryRun
		return report, nil
	}
	switch {
	case req.Plan == "":
		return nil, &worker.Error{Message: "a run needs the plan that was agreed to. Nothing was changed", Exit: exitUsage}
	case req.Plan != plan.Hash:
		return nil, &worker.Error{Message: "the database or the files changed since the plan was shown. Nothing was changed. Look at the plan again", Exit: exitUsage}
	case target.Protected && req.Confirm != target.Database:
		return nil, &worker.Error{Message: target.String() + " is protected: its name must be typed. Nothing was changed", Exit: exitUsage}
	}
	res, err := r.Run(ctx, plan, s.Event)
	return res.Report(err, a.display), err
}

// workVerify verifies one version, or what is pending.
func (a *app) workVerify(ctx context.Context, snap *workspace.Snapshot, p *workspace.Project, req worker.Request, s *worker.Session) (any, error) {
	want := func(m *migration.Migration) bool { return m.Version == req.Version }
	if req.Version == "" {
		var err error
		if want, err = a.pending(ctx, p); err != nil {
			return nil, asWorkerError(err)
		}
	} else if !slices.ContainsFunc(p.History(ctx), want) {
		return nil, &worker.Error{Message: "there is no migration with version " + req.Version, Exit: exitUsage}
	}
	report, err := a.verifyProject(ctx, snap, p, want, func(m *migration.Migration, number, of int) {
		s.Event(runner.Event{Kind: "migration", Version: m.Version, Name: m.Name, Number: number, Of: of})
	})
	if err != nil {
		return nil, asWorkerError(err)
	}
	return report, nil
}

// requested is the project of a file, or the only one there is.
func (a *app) requested(ctx context.Context, snap *workspace.Snapshot, path string) (*workspace.Project, error) {
	if path == "" {
		return a.oneProject(ctx, snap)
	}
	p := snap.ProjectOf(ctx, filepath.Clean(path))
	if p == nil {
		return nil, usagef("%s belongs to no project of migrations", a.display(path))
	}
	if p.Foreign != "" {
		return nil, usagef("%s is left alone: %s", a.display(path), p.Foreign)
	}
	return p, nil
}

// asWorkerError keeps the exit code of a command's error.
func asWorkerError(err error) error {
	if e, ok := err.(*exitError); ok {
		return &worker.Error{Message: e.Error(), Exit: e.Code}
	}
	return err
}
