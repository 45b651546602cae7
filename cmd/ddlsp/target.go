package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/joho/godotenv"

	"github.com/ddlsp/ddlsp/internal/workspace"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/runner"
)

// resolve finds the database of a project in the documented order.
func (a *app) resolve(ctx context.Context, p *workspace.Project) (*runner.Target, error) {
	t, err := runner.Resolve(ctx, a.resolveOptions(p))
	if errors.Is(err, runner.ErrNoDatabase) && a.offerEmbedded(err) {
		a.flags.database = runner.Embedded
		return runner.Resolve(ctx, a.resolveOptions(p))
	}
	return t, err
}

// offerEmbedded asks whether the private server shall be taken where no
// database is named.
func (a *app) offerEmbedded(err error) bool {
	if !a.interactive() {
		return false
	}
	fmt.Fprintf(a.err, "%v\nStart that private server for this project, with a database of its own? [y/N] ", err)
	return a.yes()
}

// yes reads an answer from the terminal.
func (a *app) yes() bool {
	line, _ := a.answers().ReadString('\n')
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes"
}

func (a *app) resolveOptions(p *workspace.Project) runner.ResolveOptions {
	o := runner.ResolveOptions{
		URL: a.flags.databaseURL, Name: a.flags.database,
		Default: p.Settings.DefaultDatabase, Format: p.Format, Root: p.Root, Ecto: ectoConn(a, p),
	}
	if p.Config != nil && p.Config.Path != "" {
		o.ConfigPath = a.display(p.Config.Path)
	}
	for _, name := range p.Settings.DatabaseNames() {
		d := p.Settings.Databases[name]
		o.Databases = append(o.Databases, runner.Database{
			Name: name, URLEnv: d.URLEnv, URL: d.URL, Protected: d.Protected, Scratch: d.Scratch, LockTimeout: time.Duration(d.LockTimeout),
		})
	}
	return o
}

// runner returns the runner of a project on its database. The caller closes
// the target.
func (a *app) runner(ctx context.Context, p *workspace.Project) (*runner.Runner, *runner.Target, error) {
	t, err := a.resolve(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	// The server answers while the migrations are being read.
	t.Prepare(ctx)
	opts := a.runnerOptions(p)
	opts.Events = a.events
	r, err := runner.New(t, p.History(ctx), opts)
	if err != nil {
		t.Close()
		return nil, nil, err
	}
	return r, t, nil
}

// runnerOptions are what the runner must know of a project.
func (a *app) runnerOptions(p *workspace.Project) runner.Options {
	strict := false
	if p.Format == migration.Dbmate {
		strict, _ = strconv.ParseBool(toolSetting(p, "DBMATE_STRICT"))
	}
	dump, dumpCommand := a.schemaDump(p)
	return runner.Options{Format: p.Format, Dump: dump, DumpCommand: dumpCommand, Dirs: displayAll(a, p.Dirs), Table: versionTable(p), Strict: strict, Ecto: ectoOptions(p), LogDir: runner.StateDir(), Root: p.Root, Baseline: p.Catalog(0), LockWait: lockWait}
}

// schemaDump is the file that a project keeps its schema in beside the
// migrations, as it is shown, and the command that writes it; "" for none.
func (a *app) schemaDump(p *workspace.Project) (path, command string) {
	switch p.Format {
	case migration.Ecto:
		command = "mix ecto.dump"
		dir := filepath.Join(p.Root, "priv", "repo")
		if p.Repo != nil {
			if p.Repo.Dir != "" {
				dir = p.Repo.Dir
			}
			if p.Repo.Name != "" {
				command += " -r " + p.Repo.Name
			}
		}
		path = filepath.Join(dir, "structure.sql")
	case migration.Dbmate:
		command = "dbmate dump"
		path = toolSetting(p, "DBMATE_SCHEMA_FILE")
		if path == "" {
			path = filepath.Join("db", "schema.sql")
		}
		if !filepath.IsAbs(path) {
			path = filepath.Join(p.Root, path)
		}
	default:
		return "", ""
	}
	if _, err := os.Stat(path); err != nil {
		return "", ""
	}
	return a.display(path), command
}

// lockWait is how long a run waits for the migration lock.
var lockWait = 15 * time.Second

func displayAll(a *app, paths []string) []string {
	out := make([]string, len(paths))
	for i, p := range paths {
		out[i] = a.display(p)
	}
	return out
}

// versionTable is the name that the tool's settings give the version table, ""
// for the tool's default.
func versionTable(p *workspace.Project) string {
	switch p.Format {
	case migration.Goose:
		return toolSetting(p, "GOOSE_TABLE")
	case migration.Dbmate:
		return toolSetting(p, "DBMATE_MIGRATIONS_TABLE")
	case migration.Tern:
		return runner.TernVersionTable(p.Root)
	}
	return ""
}

// toolSetting is a variable of the environment, else of the project's .env,
// which goose and dbmate read too.
func toolSetting(p *workspace.Project, name string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	vars, err := godotenv.Read(filepath.Join(p.Root, ".env"))
	if err != nil {
		return "" // an unreadable .env is reported where the address is looked for
	}
	return vars[name]
}

// runError is an error of the runner with the exit code it calls for.
func runError(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := err.(*exitError); ok {
		return err
	}
	return &exitError{runner.ExitCode(err), err}
}
