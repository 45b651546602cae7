package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ddlsp/ddlsp/internal/workspace"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/snippets"
	"github.com/ddlsp/ddlsp/templates"
)

func newNew(a *app) *cobra.Command {
	var list bool
	var table string
	cmd := &cobra.Command{
		Use:   "new TEMPLATE NAME",
		Short: "Write a new migration from a template",
		Long: "new writes a migration in the project's own format, named as its tool names one. A template\n" +
			"that needs several migrations, such as a concurrent index after a new column, writes them all.\n" +
			"Files that exist are never overwritten.\n\n" +
			"A project's own templates are the files .ddlsp/templates/NAME.txtar; one with the name of a\n" +
			"built-in template takes its place.",
		Example: "  ddlsp new --list\n  ddlsp new --list create_table\n  ddlsp new create_table create_orders\n  ddlsp new add_index add_status_index_to_orders --table orders",
		Args: func(cmd *cobra.Command, args []string) error {
			if list && len(args) > 1 {
				return usagef("--list takes the name of one template, or nothing")
			}
			if list {
				return nil
			}
			return exactArgs(2, "a template and a name (`ddlsp new --list` shows the templates)")(cmd, args)
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var names []string
			all, _ := a.templates(cmd.Context())
			for _, t := range all {
				if !t.Statement || list {
					names = append(names, t.Name+"\t"+t.Title)
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if list && len(args) == 1 {
				return a.showTemplate(cmd.Context(), args[0])
			}
			if list {
				return a.listTemplates(cmd.Context())
			}
			return a.new(cmd.Context(), workspace.NewRequest{Template: args[0], Name: args[1], Table: table, Now: time.Now()})
		},
	}
	cmd.Flags().BoolVar(&list, "list", false, "list the templates, or show the one named")
	cmd.Flags().StringVar(&table, "table", "", "the table to write about (default: taken from NAME)")
	return cmd
}

// templates are those of the projects here, or where there is none those that
// are built in.
func (a *app) templates(ctx context.Context) ([]*templates.Template, []*templates.Error) {
	session, err := a.session()
	if err != nil {
		return templates.All(), nil
	}
	return session.Snapshot().Templates(ctx)
}

func (a *app) listTemplates(ctx context.Context) error {
	all, problems := a.templates(ctx)
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	for _, t := range all {
		if t.Statement {
			continue
		}
		detail := t.Detail
		if n := t.Needs.String(); n != "" {
			detail += "; needs " + n
		}
		if t.Path != "" {
			detail += " [" + a.display(t.Path) + "]"
		}
		fmt.Fprintf(w, "%s\t%s\n", t.Name, detail)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	a.warnOf(problems)
	return nil
}

// warnOf says what is wrong with templates.
func (a *app) warnOf(problems []*templates.Error) {
	for _, e := range problems {
		fmt.Fprintf(a.err, "warning: %s:%d: %s\n", a.display(e.Path), e.Line, e.Message)
	}
}

// showTemplate prints what a template does, locks, needs and writes: in the
// project's language, or in both where there is no project.
func (a *app) showTemplate(ctx context.Context, name string) error {
	all, problems := a.templates(ctx)
	t := templates.Find(all, name)
	if t == nil {
		a.warnOf(problems)
		return usagef("there is no template %q; `ddlsp new --list` lists them", name)
	}
	syntaxes := []templates.Syntax{templates.Ecto, templates.SQL}
	if session, err := a.session(); err == nil {
		if p, err := a.oneProject(ctx, session.Snapshot()); err == nil {
			syntaxes = []templates.Syntax{templates.SQL}
			if p.Format == migration.Ecto {
				syntaxes[0] = templates.Ecto
			}
		}
	}
	text := snippets.About(t, syntaxes...)
	if text == "" {
		return usagef("the template %s has no text for the migrations of this project", name)
	}
	_, err := fmt.Fprint(a.out, text)
	return err
}

// new writes the migrations of a template and prints their paths.
func (a *app) new(ctx context.Context, req workspace.NewRequest) error {
	session, err := a.session()
	if err != nil {
		return err
	}
	snap := session.Snapshot()
	p, err := a.oneProject(ctx, snap)
	if err != nil {
		return err
	}
	n, err := snap.NewMigration(ctx, p, req)
	if err == nil {
		err = n.Write()
	}
	if err != nil {
		return &exitError{exitUsage, err}
	}
	for _, f := range n.Files {
		fmt.Fprintln(a.out, a.display(f.Path))
	}
	if !a.flags.quiet {
		for _, note := range n.Notes {
			fmt.Fprintf(a.err, "note: %s\n", note)
		}
	}
	return nil
}
