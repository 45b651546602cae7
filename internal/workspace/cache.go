package workspace

import (
	"sync"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
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
	layouts    map[string]*layoutCell
	layoutDisk *disk
}

// A readMigration is a migration and the texts it was read from.
type readMigration struct {
	texts []string
	entry *sqlfile.Entry
	m     *migration.Migration
}

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
		bases: map[string]baseline{}, layouts: map[string]*layoutCell{}}
}

// migration reads an entry unless its texts are as they were.
func (c *cache) migration(key string, texts []string, e entry, read func(prev *migration.Migration) *migration.Migration) *migration.Migration {
	c.mu.Lock()
	old := c.migrations[key]
	c.mu.Unlock()
	var prev *migration.Migration
	if old != nil {
		if old.entry == e.sql && equal(old.texts, texts) {
			return old.m
		}
		prev = old.m
	}
	m := read(prev)
	c.mu.Lock()
	c.migrations[key] = &readMigration{texts, e.sql, m}
	c.mu.Unlock()
	return m
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

// elsewhere is the layout of a directory outside the session's own.
func (c *cache) elsewhere(root string, s *Snapshot) *layout {
	c.mu.Lock()
	if c.layoutDisk != s.disk { // something changed on disk
		c.layouts, c.layoutDisk = map[string]*layoutCell{}, s.disk
	}
	cell := c.layouts[root]
	if cell == nil {
		cell = &layoutCell{}
		c.layouts[root] = cell
	}
	c.mu.Unlock()
	cell.once.Do(func() {
		l := s.discoverIn(root)
		cell.mu.Lock()
		cell.l = l
		cell.mu.Unlock()
	})
	cell.mu.Lock()
	defer cell.mu.Unlock()
	return cell.l
}
