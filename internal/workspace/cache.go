package workspace

import (
	"reflect"
	"sync"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/migration/ecto"
	"github.com/ddlsp/ddlsp/migration/sqlfile"
	"github.com/ddlsp/ddlsp/schema"
)

// A cache keeps the newest result of each computation of a session together
// with what it was computed from. Older snapshots that still ask get right
// answers too, only not from here.
type cache struct {
	mu         sync.Mutex
	migrations map[string]*readMigration
	histories  map[string]*history
	catalogs   map[string][]folded
	bases      map[string]baseline
	sizes      map[string]readSizes
	layouts    map[string]*layoutCell
	repos      map[string]*ecto.Repo
	wrapping   map[string][]string // by root of a Mix project
	layoutDisk *disk
	templates  map[string]readTemplate // by path
}

// A readMigration is a migration and what it was read from.
type readMigration struct {
	texts []string
	entry *sqlfile.Entry
	repo  *ecto.Repo
	deps  []dependency
	m     *migration.Migration
}

// A dependency is a file that a migration itself reads, with the text it had.
type dependency struct{ path, text string }

// A folded catalog is what one migration makes of the catalog before it.
type folded struct {
	before, after *schema.Catalog
	m             *migration.Migration
}

type baseline struct {
	text    string
	catalog *schema.Catalog
}

func newCache() *cache {
	return &cache{migrations: map[string]*readMigration{}, histories: map[string]*history{}, catalogs: map[string][]folded{},
		bases: map[string]baseline{}, sizes: map[string]readSizes{}, layouts: map[string]*layoutCell{}, wrapping: map[string][]string{}, repos: map[string]*ecto.Repo{},
		templates: map[string]readTemplate{}}
}

// migration reads an entry unless its texts are as they were. text is how
// files are read now.
func (c *cache) migration(key string, texts []string, e entry, repo *ecto.Repo, text func(string) (string, error),
	read func(prev *migration.Migration) (*migration.Migration, []dependency)) *migration.Migration {
	c.mu.Lock()
	old := c.migrations[key]
	c.mu.Unlock()
	var prev *migration.Migration
	if old != nil {
		if sameEntry(old.entry, e.sql) && old.repo == repo && equal(old.texts, texts) && fresh(old.deps, text) {
			return old.m
		}
		prev = old.m
	}
	m, deps := read(prev)
	c.mu.Lock()
	c.migrations[key] = &readMigration{texts, e.sql, repo, deps, m}
	c.mu.Unlock()
	return m
}

// sameEntry compares entries of two layouts.
func sameEntry(a, b *sqlfile.Entry) bool {
	return a == b || a != nil && b != nil && reflect.DeepEqual(a, b)
}

// sameRepo returns the repository as it was read before, if nothing in it
// changed: what was made with it then still holds.
func (c *cache) sameRepo(r *ecto.Repo) *ecto.Repo {
	key := r.Root + "\x00" + r.Name + "\x00" + r.Dir
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.repos[key]; old != nil && reflect.DeepEqual(old, r) {
		return old
	}
	c.repos[key] = r
	return r
}

func fresh(deps []dependency, text func(string) (string, error)) bool {
	for _, d := range deps {
		if now, _ := text(d.path); now != d.text {
			return false
		}
	}
	return true
}

func equal(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// history wraps a list of migrations; a list of the same ones keeps its
// findings.
func (c *cache) history(key string, list []*migration.Migration) *history {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.histories[key]; old != nil && same(old.migrations, list) {
		return old
	}
	h := &history{migrations: list, index: make(map[string]int, len(list)), results: map[int]analysis.Result{}}
	for i, m := range list {
		for _, f := range m.Files {
			h.index[f.Path] = i
		}
	}
	c.histories[key] = h
	return h
}

func same(a, b []*migration.Migration) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// catalog folds the first n migrations. Only what comes after the first
// migration that changed is folded again.
func (c *cache) catalog(p *Project, h *history, n int) *schema.Catalog {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.before) == 0 {
		h.before = append(h.before, p.base())
	}
	if n < len(h.before) {
		return h.before[n]
	}
	c.mu.Lock()
	chain := c.catalogs[p.plan.key]
	c.mu.Unlock()
	grown := append([]folded(nil), chain...)
	for i := len(h.before) - 1; i < n; i++ {
		before, m := h.before[i], h.migrations[i]
		if i < len(chain) && chain[i].before == before && chain[i].m == m {
			h.before = append(h.before, chain[i].after)
			continue
		}
		f := folded{before: before, m: m, after: before.ApplyMigration(m, migration.Up)}
		if i < len(grown) {
			grown[i] = f
		} else {
			grown = append(grown, f)
		}
		h.before = append(h.before, f.after)
	}
	c.mu.Lock()
	c.catalogs[p.plan.key] = grown
	c.mu.Unlock()
	return h.before[n]
}

// baseline is the catalog of a baseline file.
func (c *cache) baseline(path, text string) *schema.Catalog {
	c.mu.Lock()
	b, ok := c.bases[path]
	c.mu.Unlock()
	if ok && b.text == text {
		return b.catalog
	}
	name := sqlfile.Entry{Up: path, Files: []string{path}}
	m := sqlfile.Read(migration.Plain, name, []*source.File{{Path: path, Text: text}}, nil)
	b = baseline{text, schema.New().ApplyMigration(m, migration.Up)}
	c.mu.Lock()
	c.bases[path] = b
	c.mu.Unlock()
	return b.catalog
}

// readSizes are the sizes that a text says.
type readSizes struct {
	text  string
	sizes *Sizes
	err   error
}

// tableSizes reads a file of table sizes unless its text is as it was.
func (c *cache) tableSizes(path, text string) (*Sizes, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.sizes[path]
	if !ok || r.text != text {
		r.text = text
		r.sizes, r.err = ParseSizes(text)
		c.sizes[path] = r
	}
	return r.sizes, r.err
}

// elsewhere is the layout of a directory outside the session's own.
func (c *cache) elsewhere(root string, deep bool, s *Snapshot) *layout {
	c.mu.Lock()
	if c.layoutDisk != s.disk { // something changed on disk
		c.layouts, c.wrapping, c.layoutDisk = map[string]*layoutCell{}, map[string][]string{}, s.disk
	}
	cell := c.layouts[root]
	if cell == nil {
		cell = &layoutCell{}
		c.layouts[root] = cell
	}
	c.mu.Unlock()
	cell.once.Do(func() {
		l := s.discoverBelow(root, deep)
		cell.mu.Lock()
		cell.l = l
		cell.mu.Unlock()
	})
	cell.mu.Lock()
	defer cell.mu.Unlock()
	return cell.l
}

// wrappers are the modules that stand for Ecto.Migration in a Mix project.
func (c *cache) wrappers(root string, s *Snapshot) []string {
	c.mu.Lock()
	if c.layoutDisk != s.disk {
		c.layouts, c.wrapping, c.layoutDisk = map[string]*layoutCell{}, map[string][]string{}, s.disk
	}
	known, ok := c.wrapping[root]
	c.mu.Unlock()
	if ok {
		return known
	}
	repos, err := s.repos(root)
	var out []string
	if err == nil {
		for _, r := range repos {
			out = append(out, r.Wrappers...)
		}
	}
	c.mu.Lock()
	c.wrapping[root] = out
	c.mu.Unlock()
	return out
}
