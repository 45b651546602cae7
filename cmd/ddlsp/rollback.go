package main

import (
	"github.com/spf13/cobra"

	"github.com/ddlsp/ddlsp/runner"
)

func newRollback(a *app) *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "rollback",
		Short: "Roll back the last migration, or more",
		Long:  "rollback takes back one migration unless a flag says otherwise. --to takes back that\nversion too, as in Ecto; --to-exclusive leaves it.",
		Args:  exactArgs(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.change(cmd.Context(), runner.Down, &f)
		},
	}
	f.register(cmd, runner.Down)
	return cmd
}
