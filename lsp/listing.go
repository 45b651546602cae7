package lsp

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"slices"

	"go.lsp.dev/protocol"

	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/runner"
)

// listedProject is a project as a client's list of migrations shows it. No
// database is asked.
type listedProject struct {
	// Name tells the projects of the workspace apart.
	Name   string           `json:"name"`
	Root   string           `json:"root"` // absolute
	URI    string           `json:"uri"`  // names the project in other commands
	Format migration.Format `json:"format"`
	Dirs   []string         `json:"dirs"` // relative to the workspace folder
	// Foreign says why the project is left alone. State is whether ddlsp can
	// tell what is applied, Runs whether it can run the migrations; neither is
	// so in a workspace that is not trusted.
	Foreign    string            `json:"foreign,omitempty"`
	State      bool              `json:"state"`
	Runs       bool              `json:"runs"`
	Migrations []listedMigration `json:"migrations"`
}

type listedMigration struct {
	Version string           `json:"version"`
	Name    string           `json:"name"`
	Path    string           `json:"path"` // relative to the workspace folder
	URI     string           `json:"uri"`
	Up      migration.Origin `json:"up"`
	Down    migration.Origin `json:"down"`
}

type listing struct {
	Projects []listedProject `json:"projects"`
}

// migrations lists the projects of the workspace and their histories, as they
// are in the files: what is applied only the status knows.
func (s *Server) migrations(ctx context.Context, _ protocol.ProgressToken, _ struct{}) (any, error) {
	all, err := s.projects(ctx)
	if err != nil && len(all) == 0 {
		return nil, err
	}
	roots := map[string]int{}
	for _, p := range all {
		roots[p.Root]++
	}
	out := listing{Projects: []listedProject{}}
	for _, p := range all {
		l := listedProject{
			Name: s.display(p.Root), Root: p.Root, URI: string(s.uriOf(p.Root)), Format: p.Format, Dirs: []string{},
			Foreign: p.Foreign, Migrations: []listedMigration{},
		}
		if p.Foreign == "" && s.trusted.Load() {
			l.State, l.Runs = runner.ReadsState(p.Format), runner.Runs(p.Format)
		}
		if l.Name == "." {
			l.Name = filepath.Base(p.Root)
		}
		switch {
		case roots[p.Root] == 1:
		case p.Repo != nil && p.Repo.Name != "":
			l.Name = p.Repo.Name
		case len(p.Dirs) > 0:
			l.Name = s.display(p.Dirs[0])
		}
		for _, d := range p.Dirs {
			l.Dirs = append(l.Dirs, s.display(d))
		}
		if files := p.Files(); len(files) > 0 {
			l.URI = string(s.uriOf(files[0])) // tells apart the repos of one directory
		}
		if p.Foreign == "" {
			for _, m := range p.History(ctx) {
				line := listedMigration{Version: m.Version, Name: m.Name, Path: s.display(m.Path()), Up: migration.Missing, Down: migration.Missing}
				if m.Path() != "" {
					line.URI = string(s.uriOf(m.Path()))
				}
				if m.Up != nil {
					line.Up = m.Up.Origin
				}
				if m.Down != nil {
					line.Down = m.Down.Origin
				}
				l.Migrations = append(l.Migrations, line)
			}
		}
		out.Projects = append(out.Projects, l)
	}
	slices.SortStableFunc(out.Projects, func(a, b listedProject) int { return cmp.Compare(a.Name, b.Name) })
	return out, ctx.Err()
}

type toolCommandArgs struct {
	URI string `json:"uri"`
}

type toolCommands struct {
	// Directory is where the commands are meant to be typed.
	Directory string               `json:"directory"`
	Commands  []runner.ToolCommand `json:"commands"`
}

// toolCommand answers how the team's own tool would run a migration.
func (s *Server) toolCommand(ctx context.Context, _ protocol.ProgressToken, a toolCommandArgs) (any, error) {
	f, err := s.subject(ctx, a.URI)
	if err != nil {
		return nil, err
	}
	opts := runner.Options{Format: f.m.Format}
	out := toolCommands{Directory: filepath.Dir(f.path)}
	history := []*migration.Migration{f.m}
	if f.p != nil {
		history, out.Directory = f.p.History(ctx), f.p.Root
		for _, d := range f.p.Dirs {
			if rel, err := filepath.Rel(f.p.Root, d); err == nil {
				d = filepath.ToSlash(rel)
			}
			opts.Dirs = append(opts.Dirs, d)
		}
		opts.Ecto = &runner.Ecto{}
		if f.p.Repo != nil {
			opts.Ecto.Repo = f.p.Repo.Name
		}
	}
	out.Commands = runner.ToolCommands(history, f.m, opts)
	if len(out.Commands) == 0 {
		return nil, errors.New("ddlsp does not know the command that runs " + filepath.Base(f.path) + " with its own tool")
	}
	if s.bare {
		words := "In " + out.Directory + ":"
		for _, c := range out.Commands {
			words += "\n" + c.Title + ": " + c.Command
		}
		s.say(protocol.MessageTypeInfo, words)
	}
	return out, ctx.Err()
}
