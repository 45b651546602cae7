package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ddlsp/ddlsp/analysis/rules"
)

func newRules(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "rules",
		Short: "List the rules",
		Args:  exactArgs(0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			return buffered(a.out, func(w io.Writer) error {
				t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
				for _, r := range rules.All() {
					severity := r.Severity.String()
					if !r.Default {
						severity += ", off"
					}
					fmt.Fprintf(t, "%s\t%s\t%s\n", r.ID, severity, r.Summary)
				}
				return t.Flush()
			})
		},
	}
}

func newExplain(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "explain RULE",
		Short: "Explain a rule: what happens, why, and what to do instead",
		Args:  exactArgs(1, "the id of a rule"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return ruleIDs(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if err := knownRule(args[0]); err != nil {
				return err
			}
			_, err := io.WriteString(a.out, rules.PageOf(args[0]).Markdown())
			return err
		},
	}
}
