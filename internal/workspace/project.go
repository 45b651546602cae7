package workspace

import (
	"context"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/analysis/rules"
	"github.com/ddlsp/ddlsp/internal/config"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/migration/ecto"
	"github.com/ddlsp/ddlsp/migration/sqlfile"
	"github.com/ddlsp/ddlsp/schema"
)

// A Project is one history of migrations, seen from one snapshot.
type Project struct {
	// Root is the project's directory: where its tool's settings lie.
	Root   string
	Format migration.Format
	// Dirs are the directories of migrations, one history together.
	Dirs []string
	// Config is never nil; Settings are its keys as they hold for this project.
	Config   *config.Config
	Settings config.Settings
	// Evidence is what spoke for the format, for people.
	Evidence []string
	// Foreign says why the project is left alone (another database); "" when it
	// is not.
	Foreign string
	// Repo is the Ecto repository; nil for other formats, and for migrations
	// outside of a Mix project.
	Repo *ecto.Repo

	plan  *plan
	snap  *Snapshot
	hist  func() *history
	sizes func() *Sizes // of its file; nil without one that can be read
}

// A history is the migrations of a project in order.
type history struct {
	migrations []*migration.Migration
	// index leads from a path to its migration.
	index map[string]int

	mu      sync.Mutex
	before  []*schema.Catalog // before[i] is what migrations[:i] leave
	results map[int]analysis.Result
	basis   basis

	endOnce sync.Once
	ending  *ending
}

// project is the project of a plan as this snapshot sees it, one value for all
// who ask.
func (s *Snapshot) project(p *plan) *Project {
	if known, ok := s.projects.Load(p); ok {
		return known.(*Project)
	}
	pr := &Project{Root: p.root, Format: p.format, Dirs: p.dirs, Config: p.config, Settings: p.settings,
		Evidence: p.evidence, Foreign: p.foreign, Repo: p.repo, plan: p, snap: s}
	pr.hist = sync.OnceValue(pr.build)
	pr.sizes = sync.OnceValue(func() *Sizes {
		sizes, err := pr.Sizes()
		if err != nil {
			return nil // doctor and lint say so
		}
		return sizes
	})
	known, _ := s.projects.LoadOrStore(p, pr)
	return known.(*Project)
}

// History is the migrations in the order in which the tool runs them.
func (p *Project) History(ctx context.Context) []*migration.Migration {
	return p.history().migrations
}

// Files are the paths of all migration files, in the order of the history.
func (p *Project) Files() []string {
	var out []string
	for _, m := range p.history().migrations {
		for _, f := range m.Files {
			out = append(out, f.Path)
		}
	}
	return out
}

func (p *Project) history() *history { return p.hist() }

// build reads the history, taking over every migration whose text is as it
// was.
func (p *Project) build() *history {
	list := make([]*migration.Migration, len(p.plan.entries))
	parallel(len(list), func(i int) { list[i] = p.snap.read(p.plan, p.plan.entries[i]) })
	return p.snap.cache.history(p.plan.key, list)
}

// Catalog is the schema that the first n migrations leave; n may be the length
// of the history.
func (p *Project) Catalog(n int) *schema.Catalog {
	h := p.history()
	return p.snap.cache.catalog(p, h, n)
}

// Index is the place of a migration in the history, -1 if it is not in it.
func (p *Project) Index(m *migration.Migration) int {
	h := p.history()
	for _, f := range m.Files {
		if i, ok := h.index[f.Path]; ok && h.migrations[i] == m {
			return i
		}
	}
	return -1
}

// nothing is the catalog of an empty database, unknown that of one that could
// not be read. They are the same values each time: what is folded onto them is
// kept by its start.
var nothing, unknown = schema.New(), schema.New().Taint()

// base is the schema before the first migration.
func (p *Project) base() *schema.Catalog {
	if p.Settings.Baseline == "" {
		return nothing
	}
	path := filepath.Join(p.Config.Dir(), filepath.FromSlash(p.Settings.Baseline))
	text, err := p.snap.text(path)
	if err != nil {
		return unknown
	}
	return p.snap.cache.baseline(path, text)
}

// LintSettings are the configuration's settings as the rules take them.
func (p *Project) LintSettings() analysis.Settings {
	c := &p.Settings
	s := analysis.Settings{
		PostgresVersion: c.PostgresVersion, TimescaleVersion: c.TimescaleVersion,
		ForwardOnly: c.Rollback == "forward-only", StartAfter: c.StartAfter, SmallTables: c.Tables.Small,
		Severities: severities(c.Rules), LargeRows: c.Tables.LargeRows, Naming: c.Naming,
	}
	if sizes := p.sizes(); sizes != nil {
		s.Sizes = sizes.Tables
	}
	if p.Repo != nil {
		s.Session = p.Repo.Config.Session
	}
	for _, db := range c.Databases {
		if db.LockTimeout > 0 {
			s.Session = append(slices.Clip(s.Session), "lock_timeout")
		}
		s.Session = append(slices.Clip(s.Session), urlSettings(db.URL)...)
	}
	if len(c.Overrides) > 0 {
		dir, overrides := p.Config.Dir(), c.Overrides
		s.SeveritiesFor = func(path string) map[string]analysis.Severity {
			name := rel(dir, path)
			var out map[string]analysis.Severity
			for _, o := range overrides {
				for _, glob := range o.Files {
					if ok, _ := doublestar.Match(glob, name); !ok {
						continue
					}
					if out == nil {
						out = map[string]analysis.Severity{}
					}
					for k, v := range severities(o.Rules) {
						out[k] = v
					}
					break
				}
			}
			return out
		}
	}
	return s
}

func severities(rules map[string]config.Severity) map[string]analysis.Severity {
	if len(rules) == 0 {
		return nil
	}
	out := make(map[string]analysis.Severity, len(rules))
	for id, name := range rules {
		if s, ok := analysis.ParseSeverity(string(name)); ok {
			out[id] = s
		}
	}
	return out
}

// lint judges one migration of the project. Results of the default settings
// are kept with the history.
func (p *Project) lint(m *migration.Migration, extra analysis.Settings, special bool) analysis.Result {
	h := p.history()
	i := p.Index(m)
	if i < 0 {
		return analysis.Result{}
	}
	basis := basis{p.plan, p.Settings, p.sizes()}
	if !special {
		h.mu.Lock()
		h.restOn(basis)
		r, ok := h.results[i]
		h.mu.Unlock()
		if ok {
			return r
		}
	}
	settings := p.LintSettings()
	settings.Select, settings.Ignore, settings.Pasts = extra.Select, extra.Ignore, extra.Pasts
	if extra.Sizes != nil {
		settings.Sizes = extra.Sizes
	}
	r := rules.Linter().Lint(analysis.Input{History: h.migrations, Target: i, Before: p.Catalog(i), Settings: settings,
		End:    func() *schema.Catalog { return p.Catalog(len(h.migrations)) },
		Follow: func(list []analysis.Followup) ([]source.Edit, error) { return p.follow(m, list) }})
	if !special {
		h.mu.Lock()
		h.restOn(basis)
		h.results[i] = r
		h.mu.Unlock()
	}
	return r
}

// loose reads a file that belongs to no project.
func (s *Snapshot) loose(path string) (*migration.Migration, *Project) {
	if known, ok := s.loosely.Load(path); ok {
		p := known.(*Project)
		return p.history().migrations[0], p
	}
	text, err := s.text(path)
	if err != nil {
		return nil, nil
	}
	var format migration.Format
	switch {
	case strings.EqualFold(filepath.Ext(path), ".sql"):
		format = sqlfile.Recognise(filepath.Base(path), text)
	case strings.EqualFold(filepath.Ext(path), ".exs") && ecto.IsMigration(text, s.wrappersFor(filepath.Dir(path))):
		format = migration.Ecto
	default:
		return nil, nil
	}
	cfg, _ := s.configFor(filepath.Dir(path))
	p := &plan{key: "loose:" + path, root: filepath.Dir(path), format: format, dirs: []string{filepath.Dir(path)},
		config: cfg, settings: cfg.Settings, entries: []entry{{path: path}}}
	if format != migration.Plain {
		p.evidence = []string{"what stands in the file"}
	}
	if _, _, ok := ecto.Version(path); format == migration.Ecto && !ok && filepath.Base(filepath.Dir(path)) == "migrations" {
		p.entries[0].problems = append(p.entries[0].problems, migration.Problem{
			Rule: "migration-filename", Path: path,
			Message: "Ecto passes over this file: its name has no version",
			Help:    "Name it <version>_<name>.exs, with the time in UTC as the version.",
		})
	}
	if format == migration.Ecto {
		// The only repository of the Mix project around it runs it, when it is
		// run: its settings decide the SQL and the lock.
		if r := s.repoFor(filepath.Dir(path)); r != nil && r.IsPostgres() {
			p.repo = s.cache.sameRepo(r)
		}
	}
	pr := s.project(p)
	h := pr.history()
	if len(h.migrations) == 0 {
		return nil, nil
	}
	known, _ := s.loosely.LoadOrStore(path, pr)
	pr = known.(*Project)
	return pr.history().migrations[0], pr
}

// read reads one entry of a project.
func (s *Snapshot) read(p *plan, e entry) *migration.Migration {
	if p.format == migration.Ecto {
		return s.readEcto(p, e)
	}
	key := p.key + "\x00" + e.path
	if e.sql == nil {
		text, _ := s.text(e.path)
		return s.cache.migration(key, []string{text}, e, p.repo, s.text, func(prev *migration.Migration) (*migration.Migration, []dependency) {
			return sqlfile.ReadFile(&source.File{Path: e.path, Text: text}, prev), nil
		})
	}
	paths := e.sql.Files
	if e.sql.Sidecar != "" {
		paths = append(append([]string(nil), paths...), e.sql.Sidecar)
	}
	texts := make([]string, len(paths))
	for i, path := range paths {
		texts[i], _ = s.text(path)
	}
	return s.cache.migration(key, texts, e, p.repo, s.text, func(prev *migration.Migration) (*migration.Migration, []dependency) {
		files := make([]*source.File, len(paths))
		for i, path := range paths {
			files[i] = &source.File{Path: path, Text: texts[i]}
		}
		return sqlfile.Read(p.format, *e.sql, files, prev), nil
	})
}

// urlSettings are the server settings that a connection URL gives its sessions:
// postgres://host/db?options=-c%20lock_timeout%3D5s or ?lock_timeout=5s.
func urlSettings(raw string) []string {
	u, err := url.Parse(raw)
	if raw == "" || err != nil {
		return nil
	}
	var out []string
	for key, values := range u.Query() {
		if key != "options" {
			out = append(out, strings.ToLower(key))
			continue
		}
		for _, v := range values {
			for _, m := range optionSetting.FindAllStringSubmatch(v, -1) {
				out = append(out, strings.ToLower(m[1]))
			}
		}
	}
	slices.Sort(out)
	return out
}

var optionSetting = regex.MustCompile(`(?:-c\s*|--)([A-Za-z_.]+)=`)
