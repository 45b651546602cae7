package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ddlsp/ddlsp/internal/workspace"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

func newSchema(a *app) *cobra.Command {
	var at, format, prefix string
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the schema that the migrations leave",
		Long: `schema reads the migrations, and the baseline if there is one, and prints the
schema that they leave: as SQL that makes it in an empty database, as JSON, or as
a Mermaid diagram. It asks no database. What cannot be read without running it is
named, not left out.`,
		Args: exactArgs(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.schema(cmd.Context(), at, format, prefix)
		},
	}
	cmd.Flags().StringVar(&at, "at", "", "the schema after this version, itself included")
	cmd.Flags().StringVar(&format, "format", "sql", "output: sql, json or mermaid")
	cmd.Flags().StringVar(&prefix, "prefix", "", "the schema that the migrations run in (Ecto)")
	return cmd
}

func (a *app) schema(ctx context.Context, at, format, prefix string) error {
	if !slices.Contains([]string{"sql", "json", "mermaid"}, format) {
		return usagef("--format %s: unknown; use sql, json or mermaid", format)
	}
	a.flags.prefix = prefix
	session, err := a.session()
	if err != nil {
		return err
	}
	p, err := a.oneProject(ctx, session.Snapshot())
	if err != nil {
		return err
	}
	d, err := a.describeSchema(ctx, p, at)
	if err != nil {
		return err
	}
	switch format {
	case "json":
		return writeJSON(a.out, d.Report(a.display))
	case "mermaid":
		return buffered(a.out, func(w io.Writer) error { _, err := io.WriteString(w, d.Mermaid()); return err })
	}
	return buffered(a.out, func(w io.Writer) error { _, err := io.WriteString(w, d.SQL()); return err })
}

// describeSchema is the schema of a project after a version, "" for the last.
func (a *app) describeSchema(ctx context.Context, p *workspace.Project, at string) (*schema.Description, error) {
	history := p.History(ctx)
	if at != "" {
		m, _, err := a.migrationOf(ctx, p, at)
		if err != nil {
			return nil, err
		}
		history = history[:p.Index(m)+1]
	}
	for _, m := range history {
		if m.Broken != nil {
			fmt.Fprintf(a.err, "note: %s cannot be loaded by its own tool: %s\n", a.display(m.Path()), m.Broken.Message)
		}
	}
	return schema.Describe(p.Catalog(0), history), nil
}

// migrationOf finds a version in the history of a project.
func (a *app) migrationOf(ctx context.Context, p *workspace.Project, version string) (*migration.Migration, *workspace.Project, error) {
	history := p.History(ctx)
	if m := byVersion(history, version); m != nil {
		return m, p, nil
	}
	if len(history) == 0 {
		return nil, nil, usagef("there is no file or version %s: the project in %s has no migrations", version, a.display(p.Root))
	}
	return nil, nil, usagef("there is no file or version %s; the project's versions run from %s to %s", version, history[0].Version, history[len(history)-1].Version)
}
