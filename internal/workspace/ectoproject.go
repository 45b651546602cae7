package workspace

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/ddlsp/ddlsp/internal/config"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/migration/ecto"
)

// repos reads the Ecto repositories of the Mix project at root.
func (s *Snapshot) repos(root string) ([]*ecto.Repo, error) {
	mixEnv, _ := s.opts.Env("MIX_ENV")
	return ecto.ReadRepos(root, s.opts.Env, mixEnv)
}

// mix adds the projects of the Mix project in a directory, one for each
// repository.
func (w *walker) mix(dir string, cfg *config.Config) {
	if f := w.s.forced(cfg.Settings); f != "" && f != migration.Ecto {
		return
	}
	repos, err := w.s.repos(dir)
	w.l.fail(err)
	for _, r := range repos {
		r = w.s.cache.sameRepo(r)
		if w.s.opts.Repo != "" && r.Name != w.s.opts.Repo || w.claimed(r) {
			continue
		}
		if cfg.Settings.Repo != "" && w.s.opts.Repo == "" && r.Name != cfg.Settings.Repo {
			continue
		}
		evidence := []string{rel(w.root, filepath.Join(dir, "mix.exs"))}
		if r.Name != "" {
			evidence = append(evidence, "the repository "+r.Name)
		}
		w.s.fillEcto(w.l, &plan{root: r.Root, format: migration.Ecto, dirs: r.Dirs, config: cfg, settings: cfg.Settings, evidence: evidence, repo: r})
	}
}

// claimed reports whether the directories of a repository are another
// project's already: an umbrella's applications are found with it.
func (w *walker) claimed(r *ecto.Repo) bool {
	for _, p := range w.l.plans {
		for _, d := range p.dirs {
			for _, own := range r.Dirs {
				if d == own && (p.repo == nil || p.repo.Name == r.Name || r.Name == "") {
					return true
				}
			}
		}
	}
	return false
}

// inEcto reports whether a directory lies in one of an Ecto project's
// migrations.
func (l *layout) inEcto(dir string) bool {
	for _, p := range l.plans {
		for _, d := range p.dirs {
			if p.format == migration.Ecto && within(d, dir) {
				return true
			}
		}
	}
	return false
}

// fillEcto lists the migrations below the directories of a plan, as Ecto does:
// all that a sub-directory holds, files without a version passed over.
func (s *Snapshot) fillEcto(l *layout, p *plan) {
	name := ""
	if p.repo != nil {
		name = p.repo.Name
		if !p.repo.IsPostgres() {
			p.foreign = fmt.Sprintf("its adapter is %s", p.repo.Adapter)
		}
	}
	p.key = "ecto:" + name + "\x00" + strings.Join(p.dirs, "\x00")
	var found []*migration.Migration
	add := func(path string) {
		if filepath.Ext(path) != ".exs" {
			return
		}
		if version, name, ok := ecto.Version(path); ok {
			found = append(found, &migration.Migration{Version: version, Name: name, Files: []*source.File{{Path: path}}})
		}
	}
	for _, dir := range p.dirs {
		onDisk := map[string]bool{}
		// A directory that cannot be read holds nothing; doctor shows that.
		_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				onDisk[path] = true
				add(path)
			}
			return nil
		})
		for path := range s.buffers {
			if within(dir, path) && !onDisk[path] {
				add(path)
			}
		}
	}
	sort.SliceStable(found, func(i, j int) bool { return ecto.Compare(found[i], found[j]) < 0 })
	versions, names := map[string]string{}, map[string]string{}
	for _, m := range found {
		e := entry{path: m.Path()}
		problem := func(what, value, other string) {
			e.problems = append(e.problems, migration.Problem{
				Rule: "duplicate-migration-version", Path: e.path,
				Message: fmt.Sprintf("Ecto refuses to run this together with %s, which has the same %s %s", filepath.Base(other), what, value),
				Help:    "Give one of the two files a new version and name.",
			})
		}
		if other, dup := versions[m.Version]; dup {
			problem("version", m.Version, other)
		} else if other, dup := names[m.Name]; dup {
			problem("name", m.Name, other)
		}
		versions[m.Version], names[m.Name] = e.path, e.path
		p.entries = append(p.entries, e)
	}
	l.add(p)
}

// readEcto reads one migration of a plan.
func (s *Snapshot) readEcto(p *plan, e entry) *migration.Migration {
	text, _ := s.text(e.path)
	opts := ecto.Options{Prefix: s.opts.Prefix, Env: s.opts.Env}
	root := p.root
	if p.repo != nil {
		opts.Wrappers = p.repo.Wrappers
		root = p.repo.Root
	}
	// Files that the migration itself reads are named from the directory that
	// Mix runs in.
	file := func(name string) string {
		if filepath.IsAbs(name) {
			return filepath.Clean(name)
		}
		return filepath.Join(root, filepath.FromSlash(name))
	}
	var used []dependency
	// Without a Mix project that directory is not known.
	if isFile(filepath.Join(root, "mix.exs")) {
		opts.ReadFile = func(name string) (string, error) {
			t, err := s.text(file(name))
			used = append(used, dependency{file(name), t})
			return t, err
		}
	}
	key := p.key + "\x00" + e.path
	return s.cache.migration(key, []string{text}, e, p.repo, s.text, func(*migration.Migration) (*migration.Migration, []dependency) {
		m := ecto.Read(&source.File{Path: e.path, Text: text}, p.repo, opts)
		m.Problems = append(m.Problems, e.problems...)
		return m, used
	})
}

// mixAbove is the nearest Mix project that a directory lies in, the umbrella
// where it is one of its applications; "" for none.
func mixAbove(dir string) string {
	for d := dir; ; {
		if isFile(filepath.Join(d, "mix.exs")) {
			if up := filepath.Dir(filepath.Dir(d)); filepath.Base(filepath.Dir(d)) == "apps" && isFile(filepath.Join(up, "mix.exs")) {
				return up
			}
			return d
		}
		up := filepath.Dir(d)
		if up == d {
			return ""
		}
		d = up
	}
}

func isFile(path string) bool {
	st, err := os.Stat(path)
	return err == nil && !st.IsDir()
}

// wrappersFor are the modules that stand for Ecto.Migration in the Mix project
// around a directory.
func (s *Snapshot) wrappersFor(dir string) []string {
	root := mixAbove(dir)
	if root == "" {
		return nil
	}
	return s.cache.wrappers(root, s)
}

// repoFor is the repository whose migrations lie in a directory that somebody
// named; nil when there is none.
func (s *Snapshot) repoFor(dir string) *ecto.Repo {
	root := mixAbove(dir)
	if root == "" {
		return nil
	}
	repos, err := s.repos(root)
	if err != nil {
		return nil
	}
	var postgres []*ecto.Repo
	for _, r := range repos {
		if s.opts.Repo != "" {
			if r.Name == s.opts.Repo {
				return r
			}
			continue
		}
		for _, d := range r.Dirs {
			if d == dir {
				return r
			}
		}
		if within(r.Root, dir) {
			postgres = append(postgres, r)
		}
	}
	if len(postgres) == 1 { // further directories of the only repository
		return postgres[0]
	}
	return nil
}

// holdsEcto reports whether a directory holds an Ecto migration.
func (s *Snapshot) holdsEcto(dir string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if !e.IsDir() && s.isEcto(path) {
			return true
		}
	}
	for path := range s.buffers {
		if filepath.Dir(path) == dir && s.isEcto(path) {
			return true
		}
	}
	return false
}

// isEcto reports whether a file is an Ecto migration by its name and content.
func (s *Snapshot) isEcto(path string) bool {
	if filepath.Ext(path) != ".exs" {
		return false
	}
	if _, _, ok := ecto.Version(path); !ok {
		return false
	}
	text, err := s.saved(path)
	return err == nil && ecto.IsMigration(text, s.wrappersFor(filepath.Dir(path)))
}
