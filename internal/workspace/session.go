// Package workspace finds the projects below a directory, holds open buffers
// over the files on disk, and answers what a file's migration, history,
// catalog and findings are.
//
// A Session is the one mutable value: editors change it. It hands out
// Snapshots, which never change: each request works on the one that was
// current when it arrived. Snapshots share what did not change between them:
// files read from disk, migrations by their text, catalogs by the migrations
// before them, findings by the whole history.
package workspace

import (
	"context"
	"os"
	"path/filepath"
	"sync"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// Options say where to look. Paths may be relative to the process's working
// directory; the zero value is the working directory itself.
type Options struct {
	// Dir is the working directory or the editor's folder.
	Dir string
	// Project is the project's directory, when it was named.
	Project string
	// Config is the configuration file, when it was named; else the nearest one
	// upward counts.
	Config string
	// Migrations are the directories of migrations, when they were named.
	Migrations []string
	// Format is the format, when it was named.
	Format migration.Format
	// Repo is the Ecto repo, when it was named; Prefix Ecto's prefix.
	Repo   string
	Prefix string
	// Env looks up environment variables; nil is os.LookupEnv.
	Env func(string) (string, bool)
}

// A Session is the workspace of one editor, or of one command. It is safe for
// concurrent use.
type Session struct {
	opts  Options
	cache *cache

	mu  sync.Mutex
	now *Snapshot
}

// NewSession begins a session. Nothing is read before a snapshot is asked.
func NewSession(opts Options) *Session {
	if opts.Dir == "" {
		opts.Dir = "."
	}
	opts.Dir = clean(opts.Dir)
	if opts.Project != "" {
		opts.Project = clean(opts.Project)
	}
	if opts.Config != "" {
		opts.Config = clean(opts.Config)
	}
	dirs := make([]string, len(opts.Migrations))
	for i, d := range opts.Migrations {
		dirs[i] = clean(d)
	}
	opts.Migrations = dirs
	if opts.Env == nil {
		opts.Env = os.LookupEnv
	}
	s := &Session{opts: opts, cache: newCache()}
	s.now = &Snapshot{seq: 1, opts: &s.opts, cache: s.cache, disk: newDisk(), layout: &layoutCell{}}
	return s
}

// clean makes a path absolute; a path that cannot be is kept as it is.
func clean(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return filepath.Clean(path)
}

// A Buffer is a file that is open in an editor. It never changes.
type Buffer struct {
	Path    string
	Version int32
	Lines   *source.Lines
}

// Snapshot is the current state.
func (s *Session) Snapshot() *Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// change replaces the current snapshot by a changed copy of it.
func (s *Session) change(f func(next *Snapshot)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := &Snapshot{seq: s.now.seq + 1, opts: s.now.opts, cache: s.cache, disk: s.now.disk, layout: s.now.layout,
		buffers: s.now.buffers}
	f(next)
	s.now = next
}

// Open puts a buffer over the file at path.
func (s *Session) Open(path string, version int32, text string) {
	path = clean(path)
	s.change(func(n *Snapshot) {
		old := n.buffers
		n.buffers = withBuffer(old, &Buffer{path, version, source.NewLines(text)})
		if _, was := old[path]; !was {
			n.layout = n.layout.unlessKnown(n.disk, path)
		}
	})
}

// Change edits an open buffer; a change of a file that is not open is ignored.
// edits is called with the session locked and must be quick.
func (s *Session) Change(path string, version int32, edits func(*source.Lines) *source.Lines) {
	path = clean(path)
	s.change(func(n *Snapshot) {
		if b := n.buffers[path]; b != nil {
			n.buffers = withBuffer(n.buffers, &Buffer{path, version, edits(b.Lines)})
			if isConfig(path) {
				n.layout = &layoutCell{}
			}
		}
	})
}

// Close takes the buffer away; the file is again what is on disk.
func (s *Session) Close(path string) {
	path = clean(path)
	s.change(func(n *Snapshot) {
		if _, open := n.buffers[path]; !open {
			return
		}
		buffers := make(map[string]*Buffer, len(n.buffers))
		for k, b := range n.buffers {
			if k != path {
				buffers[k] = b
			}
		}
		n.buffers = buffers
		n.disk = n.disk.without(path)
		n.layout = n.layout.unlessKnown(n.disk, path)
	})
}

// Touch says that files changed, came or went on disk; without paths, that
// anything may have.
func (s *Session) Touch(paths ...string) {
	s.change(func(n *Snapshot) {
		if len(paths) == 0 {
			n.disk, n.layout = newDisk(), &layoutCell{}
			return
		}
		cleaned := make([]string, len(paths))
		for i, p := range paths {
			cleaned[i] = clean(p)
		}
		n.disk = n.disk.without(cleaned...)
		for _, p := range cleaned {
			n.layout = n.layout.unlessKnown(n.disk, p)
		}
	})
}

func withBuffer(old map[string]*Buffer, b *Buffer) map[string]*Buffer {
	next := make(map[string]*Buffer, len(old)+1)
	for k, v := range old {
		next[k] = v
	}
	next[b.Path] = b
	return next
}

// A layoutCell holds the projects, found when first asked for.
type layoutCell struct {
	once sync.Once
	mu   sync.Mutex
	l    *layout // nil until found
}

func (c *layoutCell) get(s *Snapshot) *layout {
	c.once.Do(func() {
		l := s.discover(context.Background())
		c.mu.Lock()
		c.l = l
		c.mu.Unlock()
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.l
}

// unlessKnown keeps what was found when path is a file of it that still exists
// and cannot change what the others are; else everything is looked for anew.
func (c *layoutCell) unlessKnown(d *disk, path string) *layoutCell {
	c.mu.Lock()
	l := c.l
	c.mu.Unlock()
	if l == nil {
		return &layoutCell{}
	}
	if l.files[path] && d.exists(path) {
		return c
	}
	if !l.files[path] && !l.matters(path) {
		return c
	}
	return &layoutCell{}
}
