package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ddlsp/ddlsp/internal/workspace"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

func newSQL(a *app) *cobra.Command {
	var (
		down           bool
		prefix, format string
	)
	cmd := &cobra.Command{
		Use:   "sql PATH|VERSION",
		Short: "Print the SQL that a migration would run, with its locks",
		Args:  exactArgs(1, "a migration's file or version"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.sql(cmd.Context(), args[0], down, prefix, format)
		},
	}
	cmd.Flags().BoolVar(&down, "down", false, "the rollback instead")
	cmd.Flags().StringVar(&prefix, "prefix", "", "the schema that an Ecto migration runs in")
	cmd.Flags().StringVar(&format, "format", "text", "output: text or json")
	return cmd
}

// exactArgs is a cobra check that says what is missing.
func exactArgs(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return usagef("%s takes %s: %s", cmd.CommandPath(), what, cmd.UseLine())
		}
		return nil
	}
}

func (a *app) sql(ctx context.Context, what string, down bool, prefix, format string) error {
	if format != "text" && format != "json" {
		return usagef("--format %s: unknown; use text or json", format)
	}
	a.flags.prefix = prefix
	session, err := a.session()
	if err != nil {
		return err
	}
	snap := session.Snapshot()
	m, p, err := a.migration(ctx, snap, what)
	if err != nil {
		return err
	}
	dir, n := migration.Up, max(p.Index(m), 0)
	if down {
		dir, n = migration.Down, n+1
	}
	lines := a.lines(snap)
	r := workspace.ReportSQL(m, dir, p.Catalog(n), lines, a.display)
	if format == "json" {
		return writeJSON(a.out, r)
	}
	st := a.style(a.out)
	if len(r.Statements) == 0 && !a.flags.quiet {
		fmt.Fprintln(a.err, nothingToSend(m, dir))
	}
	return buffered(a.out, func(w io.Writer) error {
		printSQL(w, st, m.Body(dir), r)
		return nil
	})
}

// migration finds a migration by a path or a version.
func (a *app) migration(ctx context.Context, snap *workspace.Snapshot, what string) (*migration.Migration, *workspace.Project, error) {
	path := a.abs(what)
	if st, err := os.Stat(path); err == nil && !st.IsDir() {
		if _, err := snap.Lines(path); err != nil {
			return nil, nil, usagef("%s: %v", what, reason(err))
		}
		m, p := snap.Migration(ctx, path)
		if m == nil {
			if p := snap.ProjectOf(ctx, path); p != nil && p.Foreign != "" {
				return nil, nil, usagef("%s is left alone: %s", what, p.Foreign)
			}
			return nil, nil, usagef("%s is not a migration: no tool's naming or directives were recognised", what)
		}
		return m, p, nil
	}
	if strings.ContainsAny(what, `/\`) || strings.HasSuffix(what, ".sql") || strings.HasSuffix(what, ".exs") {
		return nil, nil, usagef("%s: there is no such file", what)
	}
	p, err := a.oneProject(ctx, snap)
	if err != nil {
		return nil, nil, err
	}
	return a.migrationOf(ctx, p, what)
}

// byVersion finds a version, with or without leading zeros.
func byVersion(history []*migration.Migration, version string) *migration.Migration {
	for _, m := range history {
		if m.Version == version {
			return m
		}
	}
	if trimmed := strings.TrimLeft(version, "0"); trimmed != "" {
		for _, m := range history {
			if strings.TrimLeft(m.Version, "0") == trimmed {
				return m
			}
		}
	}
	return nil
}

// nothingToSend says why a direction has no statements.
func nothingToSend(m *migration.Migration, d migration.Direction) string {
	body := m.Body(d)
	if m.Broken != nil {
		return fmt.Sprintf("%s %s cannot be loaded and sends nothing", m.Version, m.Name)
	}
	switch body.Origin {
	case migration.Missing:
		return fmt.Sprintf("%s %s has no %s", m.Version, m.Name, d)
	case migration.Raises:
		return fmt.Sprintf("%s of %s %s refuses to run: %s", d, m.Version, m.Name, firstOf(body.Reason, "it raises"))
	}
	if body.Err != nil {
		return fmt.Sprintf("%s of %s %s sends nothing before its error", d, m.Version, m.Name)
	}
	return fmt.Sprintf("%s of %s %s sends nothing", d, m.Version, m.Name)
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// printSQL writes a report as SQL with comments, so that it can be piped into
// psql to look at.
func printSQL(w io.Writer, st style, body *migration.Body, r *workspace.SQLReport) {
	fmt.Fprintln(w, st.dim(fmt.Sprintf("-- %s %s, %s (%s)", r.Version, r.Name, r.Direction, r.Path)))
	switch {
	case body.Tx == migration.Unknown:
		fmt.Fprintln(w, st.dim("-- transaction: depends on who runs the file"))
	case r.Transaction == "explicit":
		fmt.Fprintln(w, st.dim("-- in one transaction"))
	case r.Transaction == "implicit":
		fmt.Fprintln(w, st.dim("-- sent as one query: an implicit transaction"))
	default:
		fmt.Fprintln(w, st.dim("-- outside a transaction"))
	}
	if r.Origin == string(migration.Derived) {
		fmt.Fprintln(w, st.dim("-- derived from change/0"))
	}
	for _, fact := range r.Environment {
		fmt.Fprintln(w, st.dim("-- depends on the environment: "+fact+" here"))
	}
	for _, s := range r.Statements {
		fmt.Fprintln(w)
		for _, l := range s.Locks {
			text := "-- " + l.Relation + ": " + l.Mode
			if b := schema.Mode(l.Mode).Blocks(); b != "" {
				text += ", blocks " + b
			}
			fmt.Fprintln(w, st.dim(text))
		}
		if s.Opaque != nil {
			fmt.Fprintln(w, st.dim("-- cannot be run by ddlsp: "+strings.ReplaceAll(*s.Opaque, "\n", " ")))
		}
		if strings.TrimSpace(s.SQL) != "" {
			fmt.Fprintln(w, strings.TrimRight(s.SQL, " \t\r\n;")+";")
		}
	}
	if r.Error != nil {
		fmt.Fprintln(w)
		fmt.Fprintln(w, st.dim(fmt.Sprintf("-- raises here (%s:%d): %s", r.Path, r.Error.Range.Start.Line, strings.ReplaceAll(r.Error.Message, "\n", "\n--   "))))
	}
}
