package main

import (
	"github.com/spf13/cobra"

	"github.com/ddlsp/ddlsp/runner"
)

func newRedo(a *app) *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "redo",
		Short: "Roll back the last migration and apply it again",
		Args:  exactArgs(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.change(cmd.Context(), runner.Redo, &f)
		},
	}
	f.register(cmd, runner.Redo)
	return cmd
}
