package workspace

import (
	"context"
	"path/filepath"
	"sort"
	"strings"
	"sync"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// A Snapshot is the workspace at one moment. It never changes and is safe for
// concurrent use; what it answers is computed when first asked.
type Snapshot struct {
	seq     int64
	opts    *Options
	cache   *cache
	disk    *disk
	buffers map[string]*Buffer
	layout  *layoutCell
	// projects are those made so far, by their plan; loosely those of
	// single files, by path.
	projects, loosely sync.Map
	// roots are the answers of rootAbove for the directories outside the
	// session's: every file of a large directory asks for the same one.
	roots sync.Map
}

// A projectRoot is an answer of rootAbove.
type projectRoot struct {
	dir    string
	marked bool
}

// Seq grows with every change of the session.
func (s *Snapshot) Seq() int64 { return s.seq }

// Buffer returns the open buffer of a file.
func (s *Snapshot) Buffer(path string) (*Buffer, bool) {
	b, ok := s.buffers[clean(path)]
	return b, ok
}

// Buffers are all open buffers, by path.
func (s *Snapshot) Buffers() []*Buffer {
	out := make([]*Buffer, 0, len(s.buffers))
	for _, b := range s.buffers {
		out = append(out, b)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Path < out[j].Path })
	return out
}

// Lines is the text of a file, from its buffer or from disk.
func (s *Snapshot) Lines(path string) (*source.Lines, error) {
	path = clean(path)
	if b := s.buffers[path]; b != nil {
		return b.Lines, nil
	}
	f := s.disk.read(path)
	if f.err != nil {
		return nil, f.err
	}
	return f.lines(), nil
}

// text is the text of a file without a line table.
func (s *Snapshot) text(path string) (string, error) {
	if b := s.buffers[path]; b != nil {
		return b.Lines.Text(), nil
	}
	f := s.disk.read(path)
	return f.text, f.err
}

// Projects are the projects that were found, foreign ones (of other databases)
// included. The error says what is wrong with configuration; the projects are
// then those that hold without it.
func (s *Snapshot) Projects(ctx context.Context) ([]*Project, error) {
	l := s.layout.get(s)
	out := make([]*Project, len(l.plans))
	for i, p := range l.plans {
		out[i] = s.project(p)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return out, l.err
}

// ProjectOf is the project that a file belongs to, nil when it is in none.
func (s *Snapshot) ProjectOf(ctx context.Context, path string) *Project {
	path = clean(path)
	l := s.layout.get(s)
	if p := l.owner(path); p != nil {
		return s.project(p)
	}
	// Outside of what was looked at: what holds there.
	if l := s.around(path, l); l != nil {
		if p := l.owner(path); p != nil {
			return s.project(p)
		}
	}
	return nil
}

// around is the layout of the place of a file that lies outside the session's
// directory: of the project around it, or, where nothing marks one, of its own
// directory alone.
func (s *Snapshot) around(path string, l *layout) *layout {
	if within(l.root, path) {
		return nil
	}
	dir := filepath.Dir(path)
	known, ok := s.roots.Load(dir)
	if !ok {
		root, marked := rootAbove(dir)
		known, _ = s.roots.LoadOrStore(dir, projectRoot{root, marked})
	}
	root := known.(projectRoot)
	return s.cache.elsewhere(root.dir, root.marked, s)
}

// Migration is the migration that a file belongs to, with its project. A file
// of no project is read by its name and content alone, and its project is a
// Plain one that holds nothing else. Both are nil for a file that is no
// migration.
func (s *Snapshot) Migration(ctx context.Context, path string) (*migration.Migration, *Project) {
	path = clean(path)
	if p := s.ProjectOf(ctx, path); p != nil {
		h := p.history()
		if i, ok := h.index[path]; ok {
			return h.migrations[i], p
		}
	}
	return s.loose(path)
}

// Findings are the findings in one file, sorted by place.
func (s *Snapshot) Findings(ctx context.Context, path string) []analysis.Finding {
	path = clean(path)
	m, p := s.Migration(ctx, path)
	if m == nil || p == nil || p.Foreign != "" {
		return s.unreadable(path)
	}
	res := p.lint(m, analysis.Settings{}, false)
	var out []analysis.Finding
	for _, f := range res.Findings {
		if f.Path == path {
			out = append(out, f)
		}
	}
	return append(out, s.unreadable(path)...)
}

// unreadable is the finding of a file that cannot be read at all.
func (s *Snapshot) unreadable(path string) []analysis.Finding {
	ext := strings.ToLower(filepath.Ext(path))
	if ext != ".sql" && ext != ".exs" {
		return nil
	}
	if _, err := s.text(path); err != nil {
		return []analysis.Finding{{Rule: "unreadable-migration", Severity: analysis.Error, Message: err.Error(),
			Help: "Make the file readable, or move it out of the migrations.", Path: path, Direction: migration.Up}}
	}
	return nil
}

func within(dir, path string) bool {
	r, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(r)
}

func isConfig(path string) bool {
	base := filepath.Base(path)
	return base == "ddlsp.toml" || base == ".ddlsp.toml"
}
