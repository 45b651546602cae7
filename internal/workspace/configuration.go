package workspace

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/ddlsp/ddlsp/analysis/rules"
	"github.com/ddlsp/ddlsp/internal/config"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/migration/sqlfile"
)

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
