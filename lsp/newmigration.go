package lsp

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"go.lsp.dev/protocol"

	"github.com/ddlsp/ddlsp/internal/workspace"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/snippets"
	"github.com/ddlsp/ddlsp/templates"
)

type newMigrationArgs struct {
	URI      string `json:"uri"`
	Template string `json:"template"`
	Name     string `json:"name"`
	Table    string `json:"table"`
	Dir      string `json:"dir"`
	// Snippets asks for the texts with tab stops as well.
	Snippets bool `json:"snippets"`
}

type templateLine struct {
	Name   string `json:"name"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	// Locks and Needs are empty where there is nothing to say.
	Locks string `json:"locks,omitempty"`
	Needs string `json:"needs,omitempty"`
	// Own marks a project's own template.
	Own bool `json:"own,omitempty"`
	// Documentation is Markdown with what the template writes.
	Documentation string `json:"documentation"`
}

type templateList struct {
	Templates []templateLine `json:"templates"`
}

type newFiles struct {
	Paths []string `json:"paths"` // relative to the workspace folder
	URIs  []string `json:"uris"`
	Notes []string `json:"notes,omitempty"`
	// Snippets are the texts of the files with tab stops.
	Snippets []string `json:"snippets,omitempty"`
}

// newMigration writes a migration from a template and has the client open it;
// without a template it lists those there are. It writes the files itself,
// since not every client can make files by an edit.
func (s *Server) newMigration(ctx context.Context, _ protocol.ProgressToken, a newMigrationArgs) (any, error) {
	if a.Template == "" {
		list := templateList{Templates: []templateLine{}}
		all, languages := templates.All(), []templates.Syntax{templates.Ecto, templates.SQL}
		// Without a project, or with several to choose from, those that hold
		// everywhere.
		if p, err := s.projectFor(ctx, a.URI); err == nil {
			all, _ = p.Templates()
			languages = []templates.Syntax{templates.SQL}
			if p.Format == migration.Ecto {
				languages[0] = templates.Ecto
			}
		}
		for _, t := range all {
			about := snippets.About(t, languages...)
			if !t.Statement && about != "" {
				list.Templates = append(list.Templates, templateLine{t.Name, t.Title, t.Detail, t.Locks, t.Needs.String(), t.Path != "", about})
			}
		}
		return list, nil
	}
	p, err := s.projectFor(ctx, a.URI)
	if err != nil {
		return nil, err
	}
	n, err := p.snap.NewMigration(ctx, p.Project, workspace.NewRequest{Template: a.Template, Name: a.Name, Table: a.Table, Dir: a.Dir, Now: time.Now()})
	if err != nil {
		return nil, err
	}
	if err := n.Write(); err != nil {
		return nil, err
	}
	out := newFiles{Paths: []string{}, Notes: n.Notes}
	if a.Snippets {
		out.Snippets = n.Snippets
	}
	for _, f := range n.Files {
		s.touch(f.Path)
		out.Paths = append(out.Paths, s.display(f.Path))
		out.URIs = append(out.URIs, string(s.uriOf(f.Path)))
	}
	if len(n.Files) > 0 {
		s.show(ctx, n.Files[0].Path)
	}
	return out, nil
}

type addFilesArgs struct {
	// URI is the migration that the files belong to.
	URI   string    `json:"uri"`
	Files []addFile `json:"files"`
}

type addFile struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// addFiles writes the other half of a migration whose first half was just
// completed: the down file of a pair. It makes only SQL files, only beside the
// migration, and never overwrites one.
func (s *Server) addFiles(_ context.Context, _ protocol.ProgressToken, a addFilesArgs) (any, error) {
	u, err := parseURI(a.URI)
	if err != nil {
		return nil, err
	}
	path := s.path(u)
	if u.Scheme() != "file" || !strings.EqualFold(filepath.Ext(path), ".sql") {
		return nil, fmt.Errorf("%s is no SQL migration", a.URI)
	}
	for _, f := range a.Files {
		if f.Name != filepath.Base(f.Name) || !strings.EqualFold(filepath.Ext(f.Name), ".sql") {
			return nil, fmt.Errorf("%q is no file to put beside %s", f.Name, filepath.Base(path))
		}
		target := filepath.Join(filepath.Dir(path), f.Name)
		if err := createFile(target, f.Text); err != nil {
			return nil, err
		}
		s.touch(target)
	}
	return nil, nil
}
