package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/ddlsp/ddlsp/runner"
	"github.com/spf13/cobra"
)

// Exit codes of every command.
const (
	exitFine     = 0
	exitFindings = 1 // findings, failed SQL, a lock held by another runner
	exitUsage    = 2 // usage, configuration, environment; nothing was sent that could change the database
)

// An exitError is an error that decides the exit code. A nil Err means that
// all there is to say has been said.
type exitError struct {
	Code int
	Err  error
}

func (e *exitError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit %d", e.Code)
	}
	return e.Err.Error()
}

func (e *exitError) Unwrap() error { return e.Err }

// failf is an error with exit code 1.
func failf(format string, args ...any) error {
	return &exitError{exitFindings, fmt.Errorf(format, args...)}
}

// usagef is an error with exit code 2.
func usagef(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// An app is one run of the program: its streams, its working directory and
// the global flags.
type app struct {
	in       io.Reader
	out, err io.Writer
	dir      string
	flags    globalFlags
	// events gets what a command tells before it runs; nil for nobody.
	events func(runner.Event)

	typed *bufio.Reader // what was read of in, where a person answers
}

// answers are the lines that a person types.
func (a *app) answers() *bufio.Reader {
	if a.typed == nil {
		a.typed = bufio.NewReader(a.in)
	}
	return a.typed
}

// globalFlags are the flags that every command takes.
type globalFlags struct {
	project     string
	repo        string
	config      string
	migrations  []string
	format      string
	database    string
	databaseURL string
	quiet       bool
	noColor     bool

	prefix string // of the commands that take one
}

// commands are the verbs; each stands in a file of its own.
var commands = []func(*app) *cobra.Command{
	newLint,
	newSQL,
	newNew,
	newRules,
	newExplain,
	newInit,
	newMigrate,
	newRollback,
	newRedo,
	newStatus,
	newVerify,
	newSchema,
	newDoctor,
	newServe,
	newWorker,
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:           "ddlsp",
		Short:         "Lint, preview and run PostgreSQL and TimescaleDB migrations",
		Long:          "ddlsp reads Ecto and SQL migrations as their own tools do, lints what really runs,\nand applies or rolls them back exactly as those tools would.",
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	f := root.PersistentFlags()
	f.StringVar(&a.flags.project, "project", "", "the project's directory (default: found from the working directory)")
	f.StringVar(&a.flags.repo, "repo", "", "the Ecto repo, where a project has several")
	f.StringVar(&a.flags.config, "config", "", "the configuration file (default: the nearest ddlsp.toml upward)")
	f.StringArrayVar(&a.flags.migrations, "migrations", nil, "a directory of migrations; may be repeated")
	f.StringVar(&a.flags.format, "migration-format", "", "the migrations' format (ecto, goose, golang-migrate, ...; default: found from the files)")
	f.StringVar(&a.flags.database, "database", "", "the database to use, by its name in the configuration")
	f.StringVar(&a.flags.databaseURL, "database-url", "", "the database to use, as a URL")
	f.BoolVar(&a.flags.quiet, "quiet", false, "print results only")
	f.BoolVar(&a.flags.noColor, "no-color", false, "print without colours")
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w\nSee '%s --help'.", err, cmd.CommandPath())
	})
	for _, c := range commands {
		root.AddCommand(c(a))
	}
	return root
}

// run executes the program and returns its exit code.
func run(a *app, args []string) int {
	root := newRoot(a)
	root.SetArgs(args)
	err := root.Execute()
	if err == nil {
		return exitFine
	}
	var exit *exitError
	if !errors.As(err, &exit) {
		exit = &exitError{exitUsage, err} // cobra's own complaints are about usage
	}
	if exit.Err != nil {
		fmt.Fprintf(a.err, "ddlsp: %v\n", exit.Err)
	}
	return exit.Code
}

func main() {
	dir, err := os.Getwd()
	if err != nil {
		fmt.Fprintf(os.Stderr, "ddlsp: the working directory cannot be read: %v\n", err)
		os.Exit(exitUsage)
	}
	os.Exit(run(&app{in: os.Stdin, out: os.Stdout, err: os.Stderr, dir: dir}, os.Args[1:]))
}
