package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/workspace"
	"github.com/ddlsp/ddlsp/runner"
	"github.com/ddlsp/ddlsp/schema"
)

// readSizes reads the table sizes of --database for lint and, when asked to,
// writes them to the project's file. Only a database whose configuration says
// sizes = true is asked: the tables of another one say nothing of production.
func (a *app) readSizes(ctx context.Context, f lintFlags, snap *workspace.Snapshot, opts *workspace.LintOptions) error {
	name := a.flags.database
	if f.writeSizes && name == "" {
		return usagef("--write-sizes goes with --database NAME: the sizes of which database?")
	}
	if a.flags.databaseURL != "" && name != "" {
		return usagef("lint reads table sizes from a configured database only: name it with --database, and say sizes = true in its [databases.NAME]")
	}
	if name == "" {
		return nil
	}
	ctx, stop := interruptible(ctx)
	defer stop()
	projects, err := snap.Projects(ctx)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	read := map[string]map[string]analysis.TableSize{} // by the project's root and format
	key := func(p *workspace.Project) string { return string(p.Format) + ":" + p.Root }
	written := map[string]bool{}
	for _, p := range projects {
		if p.Foreign != "" {
			continue
		}
		d, ok := p.Settings.Databases[name]
		switch {
		case !ok:
			continue
		case !d.Sizes:
			return usagef("[databases.%s] has no sizes = true: the sizes of its tables decide nothing. Say it of a database that is like production, never of one for development", name)
		}
		sizes, err := a.sizesOf(ctx, p)
		if err != nil {
			return runError(err)
		}
		read[key(p)] = sizes.Tables
		if path := p.SizesPath(); f.writeSizes && !written[path] {
			written[path] = true
			if err := writeSizes(path, sizes); err != nil {
				return failf("%w", err)
			}
			if !a.flags.quiet {
				fmt.Fprintf(a.err, "wrote the sizes of %s to %s\n", plural(len(sizes.Tables), "table"), a.display(path))
			}
		}
	}
	if len(read) == 0 {
		return usagef("there is no [databases.%s] in the configuration of a project here; lint reads table sizes from one with sizes = true", name)
	}
	opts.Sizes = func(p *workspace.Project) map[string]analysis.TableSize { return read[key(p)] }
	return nil
}

// sizesOf asks the database that a project is to be run on.
func (a *app) sizesOf(ctx context.Context, p *workspace.Project) (*workspace.Sizes, error) {
	target, err := a.resolve(ctx, p)
	if err != nil {
		return nil, err
	}
	defer target.Close()
	if a.interactive() {
		target.Password = a.askPassword
	}
	tables, err := runner.TableSizes(ctx, target)
	if err != nil {
		return nil, err
	}
	out := &workspace.Sizes{Database: target.Name, ReadAt: time.Now(), Tables: map[string]analysis.TableSize{}}
	for _, t := range tables {
		if t.Rows >= 0 {
			out.Tables[schema.Ref{Schema: t.Schema, Name: t.Name}.String()] = analysis.TableSize{Rows: t.Rows, Bytes: t.Bytes, AtLeast: t.AtLeast}
		}
	}
	return out, nil
}

func writeSizes(path string, sizes *workspace.Sizes) error {
	text, err := json.MarshalIndent(sizes, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
