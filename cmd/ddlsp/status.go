package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ddlsp/ddlsp/runner"
)

func newStatus(a *app) *cobra.Command {
	var check bool
	var format, prefix string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show which migrations are applied",
		Long:  "status compares the files with the version table of the project's tool. It only reads,\nand needs no right but to read that table.",
		Args:  exactArgs(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.status(cmd.Context(), check, format, prefix)
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "exit with 1 when a migration is pending")
	cmd.Flags().StringVar(&format, "format", "text", "output: text or json")
	cmd.Flags().StringVar(&prefix, "prefix", "", "the schema that the migrations ran in (Ecto)")
	return cmd
}

func (a *app) status(ctx context.Context, check bool, format, prefix string) error {
	if format != "text" && format != "json" {
		return usagef("--format %s: unknown; use text or json", format)
	}
	ctx, stop := interruptible(ctx)
	defer stop()
	a.flags.prefix = prefix
	session, err := a.session()
	if err != nil {
		return err
	}
	p, err := a.oneProject(ctx, session.Snapshot())
	if err != nil {
		return err
	}
	r, target, err := a.runner(ctx, p)
	if err != nil {
		return runError(err)
	}
	defer target.Close()
	if a.interactive() {
		target.Password = a.askPassword
	}
	s, err := r.Status(ctx, prefix)
	if err != nil {
		return runError(err)
	}
	if format == "json" {
		err = writeJSON(a.out, s.Report(a.display))
	} else {
		err = buffered(a.out, func(w io.Writer) error { return a.printStatus(w, s) })
	}
	if err != nil {
		return err
	}
	if check && (s.Pending() > 0 || s.Dirty()) {
		return &exitError{Code: exitFindings}
	}
	return nil
}

// stateWords are the states as people read them.
var stateWords = map[string]string{
	runner.StateApplied: "applied", runner.StatePending: "pending", runner.StateMissing: "applied, file missing",
	runner.StateOutOfOrder: "pending, out of order", runner.StateDirty: "dirty: a run failed here",
}

func (a *app) printStatus(w io.Writer, s *runner.Status) error {
	st := a.style(a.out)
	fmt.Fprintf(w, "%s %s\n", st.bold(s.Target.String()), st.dim(fmt.Sprintf("(%s, version table %s)", s.Format, s.Table)))
	if !s.Present {
		fmt.Fprintln(w, st.dim("the version table does not exist yet: nothing is applied"))
	}
	if len(s.Migrations) == 0 {
		fmt.Fprintln(w, "there are no migrations")
		return nil
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, m := range s.Migrations {
		at := ""
		if m.AppliedAt != nil {
			at = m.AppliedAt.UTC().Format("2006-01-02 15:04:05")
		}
		state := stateWords[m.State]
		if m.Edited != nil && *m.Edited {
			state += ", EDITED since"
		}
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\n", m.Version, m.Name, state, at)
	}
	return tw.Flush()
}
