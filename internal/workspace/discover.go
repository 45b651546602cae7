package workspace

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/ddlsp/ddlsp/analysis/rules"
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

// configured adds the projects that a configuration names, and reports whether
// it names any.
func (s *Snapshot) configured(l *layout, cfg *config.Config) bool {
	named := false
	one := func(settings config.Settings) {
		if len(settings.Migrations) == 0 {
			return
		}
		named = true
		var dirs []string
		for _, d := range settings.Migrations {
			dirs = append(dirs, filepath.Join(cfg.Dir(), filepath.FromSlash(d)))
		}
		s.named(l, cfg, settings, cfg.Dir(), dirs, filepath.Base(cfg.Path))
	}
	one(cfg.Settings)
	for i := range cfg.Projects {
		one(cfg.For(i))
	}
	return named
}

// named adds one project of directories that somebody named.
func (s *Snapshot) named(l *layout, cfg *config.Config, settings config.Settings, root string, dirs []string, who string) {
	var existing []string
	for _, d := range dirs {
		if st, err := os.Stat(d); err != nil || !st.IsDir() {
			l.fail(fmt.Errorf("%s: there is no such directory of migrations (named by %s)", d, who))
			continue
		}
		existing = append(existing, d)
	}
	if len(existing) == 0 {
		return
	}
	format := s.forced(settings)
	p := &plan{root: root, format: format, dirs: existing, config: cfg, settings: settings, evidence: []string{who}}
	if format == migration.Ecto || format == "" && s.holdsEcto(existing[0]) {
		p.format, p.repo = migration.Ecto, s.repoFor(existing[0])
		if p.repo != nil {
			p.root = p.repo.Root
		}
		s.fillEcto(l, p)
		return
	}
	if format == "" {
		names := s.names(existing[0])
		f, evidence := sqlfile.Detect(names, s.reader(existing[0]), s.hints(existing[0], root))
		p.format, p.evidence = f, append(p.evidence, evidence...)
	}
	s.fill(l, p)
}

// forced is the format that a flag or the configuration names, "" for none.
func (s *Snapshot) forced(settings config.Settings) migration.Format {
	if s.opts.Format != "" && s.opts.Format != "auto" {
		return s.opts.Format
	}
	if settings.Format != "" && settings.Format != "auto" {
		return migration.Format(settings.Format)
	}
	return ""
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

// hints looks for the files that speak for a tool, in the directory, beside it
// and up to the root.
func (s *Snapshot) hints(dir, root string) sqlfile.Hints {
	var h sqlfile.Hints
	at := func(d, name string) string {
		path := filepath.Join(d, filepath.FromSlash(name))
		if st, err := os.Stat(path); err == nil && !st.IsDir() {
			return rel(root, path)
		}
		return ""
	}
	h.TernConf = at(dir, "tern.conf")
	h.AtlasSum = at(dir, "atlas.sum")
	h.PrismaLock = at(dir, "migration_lock.toml")
	h.DrizzleJournal = at(dir, "meta/_journal.json")
	if filepath.Base(dir) == "migrations" {
		up := filepath.Dir(dir)
		if filepath.Base(up) == "supabase" {
			h.SupabaseConfig = at(up, "config.toml")
		}
		if h.TernConf == "" {
			h.TernConf = at(up, "tern.conf")
		}
	}
	for d := dir; ; d = filepath.Dir(d) {
		if h.FlywayConf == "" {
			h.FlywayConf = first(at(d, "flyway.toml"), at(d, "flyway.conf"))
		}
		if h.Diesel == "" {
			h.Diesel = at(d, "diesel.toml")
		}
		if h.Sqlx == "" {
			h.Sqlx = at(d, "sqlx.toml")
			if cargo := at(d, "Cargo.toml"); cargo != "" && h.Sqlx == "" {
				if text, err := s.text(filepath.Join(d, "Cargo.toml")); err == nil && sqlxDependency.MatchString(text) {
					h.Sqlx = cargo
				}
			}
		}
		if d == root || d == filepath.Dir(d) || !within(root, d) {
			return h
		}
	}
}

var sqlxDependency = regexp.MustCompile(`(?m)^\s*(\[[\w.-]*dependencies\.)?sqlx\b`)

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// configFor is the configuration that holds in a directory: never nil. The
// error says what is wrong with it; the result is then what holds without it.
func (s *Snapshot) configFor(dir string) (*config.Config, error) {
	path := s.opts.Config
	if path == "" {
		found, ok := config.Find(dir)
		if !ok {
			return &config.Config{}, nil
		}
		path = found
	}
	text, err := s.text(path)
	if err != nil {
		return &config.Config{}, err
	}
	cfg, err := config.Parse(path, text)
	if err != nil {
		return &config.Config{Path: path}, err
	}
	return cfg, unknownRules(cfg)
}

// unknownRules finds the rules that a configuration names and that do not
// exist: a misspelled one would be obeyed by nobody.
func unknownRules(cfg *config.Config) error {
	var errs []error
	var ids []string
	check := func(where string, rs map[string]config.Severity) {
		for _, id := range slices.Sorted(maps.Keys(rs)) {
			if rules.Linter().Rule(id) != nil {
				continue
			}
			if ids == nil {
				for _, r := range rules.Linter().Rules() {
					ids = append(ids, r.ID)
				}
			}
			msg := fmt.Sprintf("there is no rule %q", id)
			if near := config.Nearest(id, ids); near != "" {
				msg += fmt.Sprintf(", did you mean %q?", near)
			} else {
				msg += "; `ddlsp rules` lists them"
			}
			line, column := cfg.At(where + id)
			errs = append(errs, &config.Error{Path: cfg.Path, Line: line, Column: column, Message: msg})
		}
	}
	all := func(prefix string, s *config.Settings) {
		check(prefix+"rules.", s.Rules)
		for i, o := range s.Overrides {
			check(fmt.Sprintf("%soverrides.%d.rules.", prefix, i), o.Rules)
		}
	}
	all("", &cfg.Settings)
	for i := range cfg.Projects {
		all(fmt.Sprintf("projects.%d.", i), &cfg.Projects[i].Settings)
	}
	return errors.Join(errs...)
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
	case format == "" && detected == migration.Plain:
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
