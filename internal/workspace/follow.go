package workspace

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/migration/ecto"
	"github.com/ddlsp/ddlsp/migration/sqlfile"
	"github.com/ddlsp/ddlsp/snippets"
)

// clock is what new versions are made from; tests set it.
var clock = time.Now

// follow writes new migrations at the end of the history, in the directory of
// the migration that they belong to.
func (p *Project) follow(m *migration.Migration, list []analysis.Followup) ([]source.Edit, error) {
	if p.Format != migration.Ecto && !sqlfile.CanWrite(p.Format) || p.Format == migration.Plain || m.Version == "" {
		return nil, migration.ErrNotExpressible
	}
	dir := filepath.Dir(m.Path())
	if p.Format == migration.Diesel {
		dir = filepath.Dir(dir)
	}
	e := p.end()
	w := writer{s: p.snap, p: p, dir: dir, now: clock(), history: slices.Clip(e.history), taken: map[string]bool{}, modules: map[string]bool{}, used: e.used}
	w.known = func(name string) bool { return e.names[name] || e.modules[e.namespace+"."+snippets.Camelize(name)] }
	w.space, w.use = e.namespace, e.use
	var out []source.Edit
	for _, f := range list {
		name := w.unused(f.Name)
		var files []source.Edit
		var err error
		if p.Format == migration.Ecto {
			files = w.ectoFollowup(name, m, f)
		} else {
			down := statementList(f.Down)
			if len(f.Down) == 0 && p.Format.HasDown() {
				down = "SELECT 1; -- nothing to undo\n"
			} else if !p.Format.HasDown() {
				down = ""
			}
			files, err = w.render(name, statementList(f.Up), down, f.NoTransaction)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, files...)
	}
	return out, nil
}

// statementList ends every statement with a semicolon.
func statementList(sql []string) string {
	var b strings.Builder
	for _, s := range sql {
		b.WriteString(strings.TrimRight(s, "; \t\r\n") + ";\n")
	}
	return b.String()
}

// unused is a name that no migration has.
func (w *writer) unused(name string) string {
	name = underscore(name)
	for n := 1; ; n++ {
		of := name
		if n > 1 {
			of = fmt.Sprintf("%s_%d", name, n)
		}
		if !w.taken[of] && !w.known(of) {
			w.taken[of] = true
			return of
		}
	}
}

func (w *writer) ectoFollowup(name string, m *migration.Migration, f analysis.Followup) []source.Edit {
	mod := ecto.Module{Name: w.space + "." + snippets.Camelize(name), Use: w.use, Parentheses: ecto.Parenthesised(m)}
	if f.NoTransaction {
		mod.Attributes = []string{"disable_ddl_transaction"}
		if w.p.Repo == nil || w.p.Repo.Config.TableLock() {
			mod.Attributes = append(mod.Attributes, "disable_migration_lock")
		}
	}
	files := []source.Edit{{Path: filepath.Join(w.dir, ecto.FileName(w.free(), name)), New: ecto.Write(mod, f.Up, f.Down)}}
	w.written(files)
	return files
}

// An ending is what new migrations must know of a history. Many fixes ask for
// it, and a history is long.
type ending struct {
	// history is the migration that decides the next version.
	history              []*migration.Migration
	names, modules, used map[string]bool
	namespace, use       string
}

// end is the ending of the project's history, computed once.
func (p *Project) end() *ending {
	h := p.history()
	h.endOnce.Do(func() {
		e := &ending{names: map[string]bool{}, modules: map[string]bool{}, used: map[string]bool{}}
		if p.Format == migration.Ecto {
			e.namespace, e.use = p.namespace(h.migrations), migrationModule(h.migrations)
		}
		for _, m := range h.migrations {
			e.names[m.Name] = true
			e.modules[m.Module] = true
			version, _, _ := strings.Cut(filepath.Base(m.Path()), "_")
			e.used[version] = true
		}
		if m := sqlfile.Newest(p.Format, h.migrations); m != nil {
			e.history = []*migration.Migration{m}
		} else {
			e.history = h.migrations[:min(1, len(h.migrations))]
		}
		h.ending = e
	})
	return h.ending
}
