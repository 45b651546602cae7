package workspace

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/ddlsp/ddlsp/internal/config"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/migration/ecto"
	"github.com/ddlsp/ddlsp/migration/sqlfile"
)

// A layout is what was found below a directory. It depends on the names of
// files and on a look into some of them, not on what is typed.
type layout struct {
	root  string
	plans []*plan
	err   error
	// files are all files of all plans.
	files map[string]bool
	// owners leads from a file to its plan.
	owners map[string]*plan
}

// A plan is a project before its migrations are read.
type plan struct {
	key      string
	root     string
	format   migration.Format
	dirs     []string
	config   *config.Config
	settings config.Settings
	evidence []string
	foreign  string
	entries  []entry
	repo     *ecto.Repo // of an Ecto project; nil when it is not known
}

// An entry is one migration before it is read. path is its first file.
type entry struct {
	path string
	sql  *sqlfile.Entry
	// problems are what the names of Ecto migrations say is wrong.
	problems []migration.Problem
}

func (l *layout) owner(path string) *plan { return l.owners[path] }

// matters reports whether a file that comes or goes could change the layout.
func (l *layout) matters(path string) bool {
	if isConfig(path) || filepath.Base(path) == "mix.exs" { // also above the root
		return true
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".sql", ".exs", ".ex", ".toml", ".conf", ".sum", ".json", ".lock", ".env", ".go", "":
		return within(l.root, path) || l.root == ""
	}
	return false
}

// skipped are directories that hold no migrations of the project itself.
func skipped(name string) bool {
	switch name {
	case "node_modules", "deps", "_build", "vendor", "target", "__pycache__", "site-packages", "bower_components":
		return true
	}
	return strings.HasPrefix(name, ".") && name != "." && name != ".."
}

// markers are the files that make a directory the root of a project, the
// strongest first.
var markers = []string{"ddlsp.toml", ".ddlsp.toml", "mix.exs", "go.mod", "Cargo.toml", "package.json", "tern.conf", "flyway.toml", "atlas.hcl", "diesel.toml", ".git", ".env"}

// rootAbove is the nearest directory, from dir upward, that a project could
// have as its root; dir itself, and false, without one.
func rootAbove(dir string) (root string, marked bool) {
	for d := dir; ; {
		for _, m := range markers {
			if _, err := os.Lstat(filepath.Join(d, m)); err == nil {
				return d, true
			}
		}
		up := filepath.Dir(d)
		if up == d {
			return dir, false
		}
		d = up
	}
}

// discover finds the projects of the session: those below the directory, or,
// when there are none, those of the project that the directory lies in.
func (s *Snapshot) discover(ctx context.Context) *layout {
	root := s.opts.Dir
	if s.opts.Project != "" {
		root = s.opts.Project
	}
	if st, err := os.Stat(root); err != nil || !st.IsDir() {
		l := newLayout(root)
		l.err = fmt.Errorf("%s: there is no such directory", root)
		return l
	}
	l := s.discoverIn(root)
	if len(s.opts.Migrations) > 0 || s.opts.Project != "" {
		return l
	}
	if mix := mixAbove(root); mix != "" && mix != root && (len(l.plans) == 0 || s.opts.Repo != "") {
		if above := s.discoverIn(mix); len(above.plans) > 0 {
			return above
		}
	}
	if len(l.plans) == 0 {
		if up, _ := rootAbove(root); up != root {
			if above := s.discoverIn(up); len(above.plans) > 0 {
				if l.err != nil {
					above.err = l.err
				}
				return above
			}
		}
	}
	return l
}

func newLayout(root string) *layout {
	return &layout{root: root, files: map[string]bool{}, owners: map[string]*plan{}}
}

func (l *layout) add(p *plan) {
	for _, e := range p.entries {
		paths := []string{e.path}
		if e.sql != nil {
			paths = e.sql.Files
		}
		for _, f := range paths {
			l.files[f] = true
			if l.owners[f] == nil {
				l.owners[f] = p
			}
		}
	}
	l.plans = append(l.plans, p)
}

func (l *layout) fail(err error) {
	if err != nil {
		l.err = errors.Join(l.err, err)
	}
}

// discoverIn finds the projects below root.
func (s *Snapshot) discoverIn(root string) *layout { return s.discoverBelow(root, true) }

// maxDirs is how many directories are looked into: a session that was opened
// over a whole disk must not read it all.
const maxDirs = 20000

// discoverBelow finds the projects below root, or in root alone.
func (s *Snapshot) discoverBelow(root string, deep bool) *layout {
	l := newLayout(root)
	cfg, err := s.configFor(root)
	l.fail(err)
	if len(s.opts.Migrations) > 0 {
		s.named(l, cfg, cfg.Settings, root, s.opts.Migrations, "the flag --migrations")
		return l
	}
	if s.configured(l, cfg) {
		return l
	}
	w := walker{s: s, l: l, root: root, left: maxDirs}
	if !deep {
		w.left = 1
	}
	w.walk(root, cfg)
	sort.SliceStable(l.plans, func(i, j int) bool { return l.plans[i].dirs[0] < l.plans[j].dirs[0] })
	return l
}

// fill lists the entries of a plan and adds it.
func (s *Snapshot) fill(l *layout, p *plan) {
	p.key = string(p.format) + ":" + strings.Join(p.dirs, "\x00")
	var dirs []sqlfile.Dir
	for _, d := range p.dirs {
		dirs = append(dirs, sqlfile.Dir{Path: d, Names: s.names(d)})
	}
	list := sqlfile.List(p.format, dirs)
	for i := range list {
		e := &list[i]
		if len(e.Files) > 0 {
			p.entries = append(p.entries, entry{path: e.Files[0], sql: e})
		}
	}
	p.foreign = s.otherDatabase(p)
	l.add(p)
}

// names lists a directory as sqlfile wants it: the names of its files, and
// those of files one directory deeper with a slash. Open buffers that are not
// on disk yet count.
func (s *Snapshot) names(dir string) []string {
	var out []string
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if !e.IsDir() {
			out = append(out, e.Name())
			continue
		}
		if skipped(e.Name()) {
			continue
		}
		for _, name := range []string{"up.sql", "down.sql", "metadata.toml", "migration.sql"} {
			if _, err := os.Stat(filepath.Join(dir, e.Name(), name)); err == nil {
				out = append(out, e.Name()+"/"+name)
			}
		}
	}
	for path := range s.buffers {
		if name := rel(dir, path); !strings.Contains(name, "/") && name != filepath.ToSlash(path) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

func (s *Snapshot) reader(dir string) func(string) (string, error) {
	return func(name string) (string, error) { return s.saved(filepath.Join(dir, filepath.FromSlash(name))) }
}

// saved is the text of a file on disk; that of its buffer when it was never
// saved. What projects there are must not change while somebody types.
func (s *Snapshot) saved(path string) (string, error) {
	f := s.disk.read(path)
	if f.err != nil {
		return s.text(path)
	}
	return f.text, nil
}

// speaks reports whether a file says by its own name or content that it is a
// migration.
func (s *Snapshot) speaks(path, text string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".sql":
		return sqlfile.Recognise(filepath.Base(path), text) != migration.Plain
	case ".exs":
		return ecto.IsMigration(text, s.wrappersFor(filepath.Dir(path)))
	}
	return false
}
