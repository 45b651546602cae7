package lsp

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"go.lsp.dev/protocol"
)

// watched are the files whose change on disk changes what the server says:
// migrations, and the files that say what a project is.
var watched = []string{
	"**/*.{sql,exs}",
	"**/{ddlsp,.ddlsp}.toml",
	"**/.ddlsp/templates/*",
	"**/.ddlsp/sizes.json",
	"**/{mix.exs,tern.conf,.env,dbconfig.yml,atlas.hcl,diesel.toml}",
}

// pollEvery is how often the directories of the open documents are looked at
// for clients that cannot watch files.
const pollEvery = 2 * time.Second

func (s *Server) DidChangeWatchedFiles(_ context.Context, p *protocol.DidChangeWatchedFilesParams) error {
	for _, e := range p.Changes {
		if e.URI.Scheme() != "file" {
			continue
		}
		path := pathOf(e.URI, "")
		if e.Type == protocol.FileChangeTypeDeleted {
			s.pub.forget(path)
			s.depart(path)
		} else {
			for u, d := range s.departed {
				if d.doc.path == path {
					s.bringBack(u)
				}
			}
		}
		if r := s.roots.find(path); r != nil {
			r.session.Touch(path)
		}
	}
	s.pub.refresh()
	return nil
}

// poll looks at what is on disk beside the open documents until ctx ends.
func (s *Server) poll(ctx context.Context) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	seen := map[string]fileState{}
	first := true
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := s.look()
		for path, state := range now {
			if old, ok := seen[path]; (!ok || old != state) && !first {
				s.touch(path)
			}
		}
		for path := range seen {
			if _, ok := now[path]; !ok {
				s.touch(path)
			}
		}
		seen, first = now, false
	}
}

func (s *Server) touch(path string) {
	if r := s.roots.find(path); r != nil {
		r.session.Touch(path)
		s.pub.refresh()
	}
}

type fileState struct {
	size    int64
	changed time.Time
}

// look lists the files that lie in the directories of the open documents,
// and the configuration files of the roots.
func (s *Server) look() map[string]fileState {
	dirs := map[string]bool{}
	for _, doc := range s.docs.all() {
		dirs[filepath.Dir(doc.path)] = true
		if r := s.roots.find(doc.path); r != nil {
			dirs[r.dir] = true
			dirs[filepath.Join(r.dir, ".ddlsp", "templates")] = true
		}
	}
	out := map[string]fileState{}
	for dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // untitled documents lie nowhere; a directory may be gone
		}
		for _, e := range entries {
			if e.IsDir() {
				continue
			}
			if info, err := e.Info(); err == nil {
				out[filepath.Join(dir, e.Name())] = fileState{info.Size(), info.ModTime()}
			}
		}
	}
	return out
}
