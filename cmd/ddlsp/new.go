package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ddlsp/ddlsp/internal/workspace"
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
			"Files that exist are never overwritten.",
		Example: "  ddlsp new create_table create_orders\n  ddlsp new add_index add_status_index_to_orders --table orders\n  ddlsp new --list",
		Args: func(cmd *cobra.Command, args []string) error {
			if list {
				return exactArgs(0, "no arguments with --list")(cmd, args)
			}
			return exactArgs(2, "a template and a name (`ddlsp new --list` shows the templates)")(cmd, args)
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var names []string
			for _, t := range templates.All() {
				if !t.Statement {
					names = append(names, t.Name+"\t"+t.Title)
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if list {
				return a.listTemplates()
			}
			return a.new(cmd.Context(), workspace.NewRequest{Template: args[0], Name: args[1], Table: table, Now: time.Now()})
		},
	}
	cmd.Flags().BoolVar(&list, "list", false, "list the templates")
	cmd.Flags().StringVar(&table, "table", "", "the table to write about (default: taken from NAME)")
	return cmd
}

func (a *app) listTemplates() error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	for _, t := range templates.All() {
		if !t.Statement {
			fmt.Fprintf(w, "%s\t%s\n", t.Name, t.Detail)
		}
	}
	return w.Flush()
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
