package workspace

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/ddlsp/ddlsp/internal/config"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/migration/sqlfile"
)

// A walker goes down a tree.
type walker struct {
	s    *Snapshot
	l    *layout
	root string
	left int // directories that may still be looked into
}

func (w *walker) walk(dir string, cfg *config.Config) {
	if w.left--; w.left < 0 {
		return
	}
	if dir != w.root && w.s.opts.Config == "" {
		if path, ok := config.In(dir); ok && path != cfg.Path {
			own, err := w.s.configFor(dir)
			w.l.fail(err)
			cfg = own
			if w.s.configured(w.l, cfg) {
				return
			}
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // what cannot be looked into holds no project
	}
	var sql, folders, exs bool
	var below []string
	for _, e := range entries {
		name := e.Name()
		switch {
		case name == "mix.exs" && !e.IsDir():
			w.mix(dir, cfg)
		case filepath.Ext(name) == ".exs" && !e.IsDir():
			exs = true
		case e.IsDir():
			if !skipped(name) {
				below = append(below, name)
			}
		case strings.EqualFold(filepath.Ext(name), ".sql"):
			sql = true
		}
	}
	for path := range w.s.buffers {
		if filepath.Dir(path) == dir {
			sql = sql || strings.EqualFold(filepath.Ext(path), ".sql")
			exs = exs || filepath.Ext(path) == ".exs"
		}
	}
	if w.l.inEcto(dir) { // SQL beside Ecto migrations is what they read
		return
	}
	if exs && mixAbove(dir) == "" && w.s.holdsEcto(dir) {
		w.s.fillEcto(w.l, &plan{root: dir, format: migration.Ecto, dirs: []string{dir}, config: cfg, settings: cfg.Settings, evidence: []string{"what stands in its files"}})
		return
	}
	for _, name := range below {
		for _, file := range []string{"up.sql", "migration.sql"} {
			if _, err := os.Stat(filepath.Join(dir, name, file)); err == nil {
				folders = true
			}
		}
	}
	found := false
	if sql || folders {
		found = w.directory(dir, cfg)
	}
	for _, name := range below {
		path := filepath.Join(dir, name)
		if found && holdsOne(path) {
			continue
		}
		w.walk(path, cfg)
	}
}

// holdsOne reports whether a directory is one migration of diesel's or
// Prisma's.
func holdsOne(dir string) bool {
	for _, file := range []string{"up.sql", "migration.sql"} {
		if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
			return true
		}
	}
	return false
}

// directory adds the project of one directory, if it is one.
func (w *walker) directory(dir string, cfg *config.Config) bool {
	names := w.s.names(dir)
	format := w.s.forced(cfg.Settings)
	detected, evidence := sqlfile.Detect(names, w.s.reader(dir), w.s.hints(dir, w.root))
	switch {
	case format == "" && detected == migration.Plain && len(evidence) == 0:
		return false
	case format == "":
		format = detected
	case detected == migration.Plain && !named(dir):
		// A forced format does not make every directory with SQL one of
		// migrations.
		return false
	default:
		evidence = append([]string{"the configuration"}, evidence...)
	}
	root, _ := rootAbove(dir)
	if !within(w.root, root) {
		root = w.root
	}
	w.s.fill(w.l, &plan{root: root, format: format, dirs: []string{dir}, config: cfg, settings: cfg.Settings, evidence: evidence})
	return true
}

// named reports whether a directory is called as directories of migrations
// are.
func named(dir string) bool {
	base := strings.ToLower(filepath.Base(dir))
	return strings.Contains(base, "migration") || base == "migrate" || base == "schema"
}
