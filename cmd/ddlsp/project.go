package main

import (
	"context"
	"os"
	"strings"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/internal/workspace"
	"github.com/ddlsp/ddlsp/migration"
)

// session opens the workspace that the global flags describe.
func (a *app) session() (*workspace.Session, error) {
	o := workspace.Options{Dir: a.dir, Repo: a.flags.repo, Prefix: a.flags.prefix, Format: migration.Format(a.flags.format)}
	if a.flags.format != "" && a.flags.format != "auto" && !knownFormat(o.Format) {
		names := make([]string, len(migration.Formats))
		for i, f := range migration.Formats {
			names[i] = string(f)
		}
		return nil, usagef("--migration-format %s: unknown; use auto, %s", a.flags.format, strings.Join(names, ", "))
	}
	if o.Format == "auto" {
		o.Format = ""
	}
	if p := a.flags.project; p != "" {
		o.Project = a.abs(p)
		if st, err := os.Stat(o.Project); err != nil || !st.IsDir() {
			return nil, usagef("--project %s: there is no such directory", p)
		}
	}
	if p := a.flags.config; p != "" {
		o.Config = a.abs(p)
		if _, err := os.Stat(o.Config); err != nil {
			return nil, usagef("--config %s: the file cannot be read: %v", p, reason(err))
		}
	}
	for _, m := range a.flags.migrations {
		dir := a.abs(m)
		if st, err := os.Stat(dir); err != nil || !st.IsDir() {
			return nil, usagef("--migrations %s: there is no such directory", m)
		}
		o.Migrations = append(o.Migrations, dir)
	}
	return workspace.NewSession(o), nil
}

func knownFormat(f migration.Format) bool {
	for _, x := range migration.Formats {
		if x == f {
			return true
		}
	}
	return false
}

// reason is the cause of a file error without the path, which the message
// names already.
func reason(err error) error {
	if e, ok := err.(*os.PathError); ok {
		return e.Err
	}
	return err
}

// lines returns the line tables of a snapshot; a file that cannot be read has
// an empty one.
func (a *app) lines(snap *workspace.Snapshot) func(string) *source.Lines {
	empty := source.NewLines("")
	return func(path string) *source.Lines {
		if l, err := snap.Lines(path); err == nil {
			return l
		}
		return empty
	}
}

// oneProject returns the project that a command which needs exactly one works
// on.
func (a *app) oneProject(ctx context.Context, snap *workspace.Snapshot) (*workspace.Project, error) {
	all, err := snap.Projects(ctx)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	var usable []*workspace.Project
	var foreign []string
	for _, p := range all {
		if p.Foreign != "" {
			foreign = append(foreign, a.display(p.Root)+": "+p.Foreign)
			continue
		}
		usable = append(usable, p)
	}
	switch {
	case len(usable) == 1:
		return usable[0], nil
	case len(usable) > 1:
		names := make([]string, len(usable))
		for i, p := range usable {
			names[i] = "  " + a.display(p.Root) + " (" + string(p.Format) + ")"
			if p.Repo != nil && p.Repo.Name != "" {
				names[i] += ", --repo " + p.Repo.Name
			}
		}
		return nil, usagef("there are several projects here; say which with --project or --repo:\n%s", strings.Join(names, "\n"))
	case len(foreign) > 0:
		return nil, usagef("no PostgreSQL migrations below %s; left alone:\n  %s", a.dir, strings.Join(foreign, "\n  "))
	}
	return nil, usagef("no migrations found below %s; run ddlsp in the project's directory, or name the directory with --migrations (`ddlsp doctor` shows what was looked at)", a.dir)
}
