package lsp

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/ddlsp/ddlsp/internal/workspace"
)

// A root is one workspace folder with its session. A document outside every
// folder gets a root of its own, made from the project that it lies in.
type root struct {
	dir     string
	session *workspace.Session
	loose   bool // made for a document, not a folder of the client's
}

// roots are the folders of the client. Safe for concurrent use.
type roots struct {
	mu   sync.Mutex // guards list
	list []*root    // the deepest folder first
}

// add makes a root of a folder; a folder that is one already stays.
func (r *roots) add(dir string, loose bool) *root {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, x := range r.list {
		if x.dir == dir {
			x.loose = x.loose && loose
			return x
		}
	}
	x := &root{dir: dir, loose: loose, session: workspace.NewSession(workspace.Options{Dir: dir})}
	r.list = append(r.list, x)
	slices.SortStableFunc(r.list, func(a, b *root) int { return len(b.dir) - len(a.dir) })
	return x
}

// remove forgets a folder and returns it, or nil.
func (r *roots) remove(dir string) *root {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.list, func(x *root) bool { return x.dir == dir })
	if i < 0 {
		return nil
	}
	x := r.list[i]
	r.list = slices.Delete(r.list, i, i+1)
	return x
}

func (r *roots) all() []*root {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.list)
}

// of returns the root that a path lies in, making one where there is none.
func (r *roots) of(path string) *root {
	if x := r.find(path); x != nil {
		return x
	}
	return r.add(projectDir(path), true)
}

func (r *roots) find(path string) *root {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, x := range r.list {
		if inside(x.dir, path) {
			return x
		}
	}
	return nil
}

// inside reports whether path is dir or lies below it.
func inside(dir, path string) bool {
	rest, ok := strings.CutPrefix(path, dir)
	return ok && (rest == "" || os.IsPathSeparator(rest[0]) || dir != "" && os.IsPathSeparator(dir[len(dir)-1]))
}

// projectDir is the directory that a file opened on its own belongs to: the
// nearest one upward that holds a project, else its own.
func projectDir(path string) string {
	own := filepath.Dir(path)
	for dir := own; ; dir = filepath.Dir(dir) {
		for _, mark := range []string{"ddlsp.toml", ".ddlsp.toml", "mix.exs", "go.mod", ".git"} {
			if _, err := os.Stat(filepath.Join(dir, mark)); err == nil {
				return dir
			}
		}
		if dir == filepath.Dir(dir) {
			return own
		}
	}
}

// A world is every root with its snapshot: what a request sees. It never
// changes.
type world []view

type view struct {
	root *root
	snap *workspace.Snapshot
}

// world takes the snapshots of this moment.
func (s *Server) world() world {
	list := s.roots.all()
	w := make(world, len(list))
	for i, r := range list {
		w[i] = view{r, r.session.Snapshot()}
	}
	return w
}

// of returns the snapshot that a path belongs to, or nil when no root held it.
func (w world) of(path string) *workspace.Snapshot {
	for _, v := range w {
		if inside(v.root.dir, path) {
			return v.snap
		}
	}
	return nil
}

type worldKey struct{}

func withWorld(ctx context.Context, w world) context.Context {
	return context.WithValue(ctx, worldKey{}, w)
}

func worldOf(ctx context.Context) world {
	w, _ := ctx.Value(worldKey{}).(world)
	return w
}
