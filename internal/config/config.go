// Package config reads ddlsp.toml: it finds the file, checks every key and
// value and reports mistakes with line and column. It holds no password: a
// database is named by an environment variable or a URL without one.
package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
)

// Names are the file names of a configuration, the first one that exists in a
// directory counts.
var Names = []string{"ddlsp.toml", ".ddlsp.toml"}

// A Config is one configuration file. The zero value is what holds without a
// file. It does not change after it was loaded.
type Config struct {
	// Path is the absolute path of the file, "" without one.
	Path string `toml:"-"`
	Settings
	// Projects are separate repos below one file; their own keys win over those
	// of the file.
	Projects []Project `toml:"projects"`

	at positions
}

// Settings are the keys that the file itself and each of its [[projects]] take.
type Settings struct {
	// Format is the migrations' format by its name, "auto" or "".
	Format Format `toml:"format"`
	// Migrations are directories, relative to the file; several are one merged
	// history.
	Migrations []string `toml:"migrations"`
	// Repo is the Ecto repo, where the application has several.
	Repo string `toml:"repo"`
	// Baseline is a SQL file with the schema before the first migration.
	Baseline string `toml:"baseline"`
	// PostgresVersion is a major version, 0 when not set.
	PostgresVersion  int    `toml:"postgres_version"`
	TimescaleVersion string `toml:"timescaledb_version"`
	// StartAfter is the newest version that is not linted.
	StartAfter string `toml:"start_after"`
	// Rollback is "required" or "forward-only".
	Rollback Rollback `toml:"rollback"`
	// Runner is "auto", "native" or "mix".
	Runner          Runner              `toml:"runner"`
	DefaultDatabase string              `toml:"default_database"`
	Rules           map[string]Severity `toml:"rules"`
	Tables          Tables              `toml:"tables"`
	Overrides       []Override          `toml:"overrides"`
	// Naming are regular expressions that names must match, by what is named:
	// "table", "column", "index", "constraint", "view", "function", "trigger",
	// "type".
	Naming    map[string]string   `toml:"naming"`
	Databases map[string]Database `toml:"databases"`
}

// A Project is one of [[projects]].
type Project struct{ Settings }

// Tables say what is known of tables without a database.
type Tables struct {
	// Small are tables that size-proportional rules stay quiet on.
	Small []string `toml:"small"`
	// LargeRows is the number of rows from which a table counts as large; 0
	// when not set.
	LargeRows int64 `toml:"large_rows"`
}

// An Override changes rules for some files.
type Override struct {
	// Files are globs relative to the configuration file, with / and **.
	Files []string            `toml:"files"`
	Rules map[string]Severity `toml:"rules"`
}

// A Database is one of [databases.*].
type Database struct {
	// URLEnv names the environment variable that holds the URL.
	URLEnv string `toml:"url_env"`
	// URL is a URL without a password.
	URL string `toml:"url"`
	// Scratch: verify may create and drop databases on this server.
	Scratch bool `toml:"scratch"`
	// Protected asks for a typed confirmation.
	Protected bool `toml:"protected"`
	// Sizes: the table sizes of this database may change severities.
	Sizes bool `toml:"sizes"`
	// LockTimeout is 0 when not set.
	LockTimeout Duration `toml:"lock_timeout"`
}

// Dir is the directory that the paths in the file are relative to.
func (c *Config) Dir() string {
	if c == nil || c.Path == "" {
		return ""
	}
	return filepath.Dir(c.Path)
}

// For returns the settings of project i, with those of the file where it has
// none of its own.
func (c *Config) For(i int) Settings {
	s, base := c.Projects[i].Settings, c.Settings
	if s.Format == "" {
		s.Format = base.Format
	}
	if s.Baseline == "" {
		s.Baseline = base.Baseline
	}
	if s.PostgresVersion == 0 {
		s.PostgresVersion = base.PostgresVersion
	}
	if s.TimescaleVersion == "" {
		s.TimescaleVersion = base.TimescaleVersion
	}
	if s.StartAfter == "" {
		s.StartAfter = base.StartAfter
	}
	if s.Rollback == "" {
		s.Rollback = base.Rollback
	}
	if s.Runner == "" {
		s.Runner = base.Runner
	}
	if s.DefaultDatabase == "" {
		s.DefaultDatabase = base.DefaultDatabase
	}
	if s.Tables.LargeRows == 0 {
		s.Tables.LargeRows = base.Tables.LargeRows
	}
	s.Tables.Small = append(append([]string(nil), base.Tables.Small...), s.Tables.Small...)
	s.Rules = merge(base.Rules, s.Rules)
	s.Naming = merge(base.Naming, s.Naming)
	s.Databases = merge(base.Databases, s.Databases)
	s.Overrides = append(append([]Override(nil), base.Overrides...), s.Overrides...)
	return s
}

func merge[V any](base, own map[string]V) map[string]V {
	if len(base) == 0 {
		return own
	}
	out := make(map[string]V, len(base)+len(own))
	for k, v := range base {
		out[k] = v
	}
	for k, v := range own {
		out[k] = v
	}
	return out
}

// DatabaseNames are the names of [databases.*], sorted.
func (s *Settings) DatabaseNames() []string {
	names := make([]string, 0, len(s.Databases))
	for n := range s.Databases {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// Find returns the nearest configuration file in dir or above it.
func Find(dir string) (path string, ok bool) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", false
	}
	for {
		if path, ok := In(dir); ok {
			return path, true
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", false
		}
		dir = up
	}
}

// In returns the configuration file that lies in dir itself.
func In(dir string) (path string, ok bool) {
	for _, name := range Names {
		path := filepath.Join(dir, name)
		if st, err := os.Stat(path); err == nil && !st.IsDir() {
			return path, true
		}
	}
	return "", false
}

// Load reads the file at path. A mistake in it is an *Error, or several of
// them joined.
func Load(path string) (*Config, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(abs)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s: there is no such configuration file", path)
	} else if err != nil {
		return nil, fmt.Errorf("the configuration cannot be read: %w", err)
	}
	return Parse(abs, string(text))
}
