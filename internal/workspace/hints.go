package workspace

import (
	"os"
	"path/filepath"

	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/migration/sqlfile"
)

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

var sqlxDependency = regex.MustCompile(`(?m)^\s*(\[[\w.-]*dependencies\.)?sqlx\b`)

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
