package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ddlsp/ddlsp/internal/config"
	"github.com/ddlsp/ddlsp/internal/workspace"
)

func newInit(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "init",
		Short: "Write a small ddlsp.toml for the project here",
		Args:  exactArgs(0, "no arguments"),
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.init(cmd.Context()) },
	}
}

func (a *app) init(ctx context.Context) error {
	dir := a.dir
	if a.flags.project != "" {
		dir = a.abs(a.flags.project)
	}
	if path, ok := config.In(dir); ok {
		return usagef("%s is there already; it is not overwritten", a.display(path))
	}
	session, err := a.session()
	if err != nil {
		return err
	}
	p, err := a.oneProject(ctx, session.Snapshot())
	if err != nil {
		return err
	}
	path := filepath.Join(dir, config.Names[0])
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, os.ErrExist) {
		return usagef("%s is there already; it is not overwritten", a.display(path))
	}
	if err != nil {
		return usagef("%s cannot be written: %v", a.display(path), reason(err))
	}
	_, err = file.WriteString(a.initialConfig(ctx, p, dir))
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return usagef("%s cannot be written: %v", a.display(path), reason(err))
	}
	fmt.Fprintf(a.out, "wrote %s\n", a.display(path))
	return nil
}

// initialConfig is the text of a first configuration: what was detected, so
// that it stays so, and the newest version, so that old migrations are not
// judged.
func (a *app) initialConfig(ctx context.Context, p *workspace.Project, dir string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# ddlsp found this project by: %s\n", strings.Join(p.Evidence, "; "))
	fmt.Fprintf(&b, "format = %q\n", p.Format)
	var dirs []string
	for _, d := range p.Dirs {
		if rel, err := filepath.Rel(dir, d); err == nil {
			d = rel
		}
		dirs = append(dirs, fmt.Sprintf("%q", filepath.ToSlash(d)))
	}
	fmt.Fprintf(&b, "migrations = [%s]\n", strings.Join(dirs, ", "))
	if h := p.History(ctx); len(h) > 0 {
		fmt.Fprintf(&b, "\n# Migrations up to this one are read for what they say of the schema, but not linted.\nstart_after = %q\n", h[len(h)-1].Version)
	}
	b.WriteString(`
# The oldest PostgreSQL that the migrations must run on.
# postgres_version = 16

# [rules]
# drop-column = "off"          # off, hint, info, warning, error

# [tables]
# small = ["settings"]         # tables on which a blocking build does not matter
# large_rows = 100000          # with sizes of tables: fewer rows than these lower a severity

# [databases.dev]
# url_env = "DATABASE_URL"     # the variable that holds the URL; no password belongs in this file

# [databases.production]
# url_env = "PRODUCTION_DATABASE_URL"
# protected = true             # asks for the database's name before it is changed
# sizes = true                 # ddlsp lint --database production heeds the sizes of its tables
`)
	return b.String()
}
