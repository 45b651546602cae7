package workspace

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/migration/ecto"
	"github.com/ddlsp/ddlsp/migration/sqlfile"
	"github.com/ddlsp/ddlsp/snippets"
	"github.com/ddlsp/ddlsp/templates"
)

// NewRequest asks for a new migration.
type NewRequest struct {
	// Template is the name of a template, Name that of the migration
	// ("create_orders", or "CreateOrders").
	Template, Name string
	// Table is the table to write about; empty takes it from Name.
	Table string
	// Dir is the directory to write into, one of the project's; empty is its
	// first.
	Dir string
	// Now decides a version made from the clock.
	Now time.Time
}

// A NewMigration is what a template came to: one migration, or several that
// must follow each other.
type NewMigration struct {
	Template *templates.Template
	// Files are new files, in the order of their versions.
	Files []source.Edit
	// Snippets are the texts of Files with tab stops, in the snippet syntax of
	// the language server protocol.
	Snippets []string
	// Notes say why there are several migrations, and what else to know.
	Notes []string
}

var migrationName = regex.MustCompile(`^[a-z][a-z0-9_]*$`)

// NewMigration writes a template as the next migration of a project, named as
// the project's own tool would name it. It reads and writes nothing but what
// it returns; an error says what to do.
func (s *Snapshot) NewMigration(ctx context.Context, p *Project, req NewRequest) (*NewMigration, error) {
	list, problems := p.Templates()
	t := templates.Find(list, req.Template)
	for _, e := range problems {
		// A broken template must not give way to the built-in one of its name.
		if templateName(e.Path) == req.Template && (t == nil || t.Path != e.Path) {
			return nil, fmt.Errorf("the template is broken: %w", e)
		}
	}
	switch {
	case t == nil:
		return nil, fmt.Errorf("there is no template %q; 'ddlsp new --list' lists them", req.Template)
	case t.Statement:
		return nil, fmt.Errorf("%s is a single statement: it is offered as a completion inside a migration", t.Name)
	case p.Foreign != "":
		return nil, fmt.Errorf("%s is left alone: %s", p.Root, p.Foreign)
	case p.Format != migration.Ecto && !sqlfile.CanWrite(p.Format):
		return nil, fmt.Errorf("migrations of the format %s are written by its own tool only", p.Format)
	}
	name := underscore(req.Name)
	if !migrationName.MatchString(name) {
		return nil, fmt.Errorf("a migration cannot be called %q: use letters, digits and underscores, a letter first", req.Name)
	}
	if req.Table != "" && !templates.IsIdentifier(req.Table) {
		return nil, fmt.Errorf("the templates cannot write about a table called %q: use lower case letters, digits and underscores, and no reserved word of SQL", req.Table)
	}
	if t.Test {
		return p.newTest(ctx, t, name, req)
	}
	dir, err := p.newDir(req.Dir)
	if err != nil {
		return nil, err
	}
	syntax := templates.SQL
	if p.Format == migration.Ecto {
		syntax = templates.Ecto
	}
	suggested := s.suggestions(ctx, p, name)
	if len(suggested.Parts(t, syntax)) == 0 {
		return nil, fmt.Errorf("the template %s has no text for %s migrations (.%s)", t.Name, p.Format, syntax)
	}
	for _, part := range t.PartsIn(syntax) {
		if b, _ := part.Body(syntax); b.Up == "" {
			return nil, fmt.Errorf("the template %s is for the block of a table only: it is offered as a completion there", t.Name)
		}
	}
	values := suggested.Values(t, syntax)
	if req.Table != "" {
		values["table"] = req.Table
	}
	w := writer{template: t, s: s, p: p, dir: dir, now: req.Now, history: p.History(ctx), taken: map[string]bool{}, modules: map[string]bool{}, snippets: map[string]string{}}
	for _, m := range w.history {
		w.taken[m.Name] = true
		w.modules[m.Module] = true
	}
	out := &NewMigration{Template: t}
	for i, part := range suggested.Parts(t, syntax) {
		of := name
		if part.Key != "" && i > 0 {
			of += "_" + part.Key
			out.Notes = append(out.Notes, of+" is a migration of its own: "+part.Why)
		}
		var files []source.Edit
		if syntax == templates.Ecto {
			file := templates.EctoFile{Use: suggested.Use, AdvisoryLock: suggested.AdvisoryLock}
			files, err = w.ecto(of, p.namespace(w.history), file, part, values)
		} else {
			files, err = w.sql(of, part, values)
		}
		if err != nil {
			return nil, err
		}
		out.Files = append(out.Files, files...)
		for _, f := range files {
			out.Snippets = append(out.Snippets, w.snippets[f.Path])
		}
	}
	if n := t.Needs.String(); n != "" {
		out.Notes = append(out.Notes, "it needs "+n)
	}
	return out, nil
}

// newTest writes a test for a migration that is there already.
func (p *Project) newTest(ctx context.Context, t *templates.Template, name string, req NewRequest) (*NewMigration, error) {
	if p.Format != migration.Ecto {
		return nil, fmt.Errorf("%s is written for Ecto projects only; this one is %s", t.Name, p.Format)
	}
	for _, m := range p.History(ctx) {
		if m.Name != name || m.Module == "" {
			continue
		}
		known := templates.Guess(name)
		known["module"], known["version"] = m.Module, thousands(m.Version)
		if repo, _, ok := strings.Cut(m.Module, ".Migrations."); ok {
			known["repo"] = repo
		}
		if req.Table != "" {
			known["table"] = req.Table
		}
		b, ok := t.Parts[0].Body(templates.Ecto)
		if !ok {
			return nil, fmt.Errorf("the template %s has no text for Ecto (.exs)", t.Name)
		}
		text := b.Up.Fill(t.Defaults(templates.Ecto, known)) + "\n"
		path := filepath.Join(p.Root, "test", "migrations", name+"_test.exs")
		return &NewMigration{Template: t, Files: []source.Edit{{Path: path, New: text}}, Snippets: []string{snippets.Encode(t, b.Up+"\n", t.Defaults(templates.Ecto, known))}}, nil
	}
	return nil, fmt.Errorf("there is no migration called %s to test; give the name of one that is there", name)
}

// thousands writes a number as mix format does: groups of three digits, from
// six digits on.
func thousands(n string) string {
	if len(n) < 6 {
		return n
	}
	for i := len(n) - 3; i > 0; i -= 3 {
		n = n[:i] + "_" + n[i:]
	}
	return n
}

// newDir is the directory for a new migration.
func (p *Project) newDir(dir string) (string, error) {
	if len(p.Dirs) == 0 {
		return "", fmt.Errorf("%s: the project has no directory of migrations", p.Root)
	}
	if dir == "" {
		return p.Dirs[0], nil
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(p.Root, dir)
	}
	for _, d := range p.Dirs {
		if d == filepath.Clean(dir) || p.Format == migration.Ecto && within(d, dir) {
			return filepath.Clean(dir), nil
		}
	}
	return "", fmt.Errorf("%s is no directory of the project's migrations; it has %s", dir, strings.Join(p.Dirs, ", "))
}

// A writer writes the parts of one template, each after the other.
type writer struct {
	template *templates.Template
	snippets map[string]string // by path

	s       *Snapshot
	p       *Project
	dir     string
	now     time.Time
	history []*migration.Migration
	taken   map[string]bool // names of migrations
	modules map[string]bool
	used    map[string]bool // versions beside those of history; may be nil
	// For the migrations that fixes write: the names that are taken in the
	// history, what modules begin with and what they use.
	known      func(name string) bool
	space, use string
}

// written puts a new migration at the end of the history, so that the next
// part gets a later version.
func (w *writer) written(files []source.Edit) {
	m := &migration.Migration{Format: w.p.Format}
	for _, f := range files {
		m.Files = append(m.Files, &source.File{Path: f.Path, Text: f.New})
	}
	w.history = append(w.history, m)
	w.now = w.now.Add(time.Second)
}

func (w *writer) ecto(name, namespace string, file templates.EctoFile, part templates.Part, values map[string]string) ([]source.Edit, error) {
	// Ecto's own generator refuses the name of any migration that is there, as
	// pending migrations of one name cannot be run together.
	if w.taken[name] {
		return nil, fmt.Errorf("there is a migration called %s already, and Ecto refuses two of one name: choose another", name)
	}
	file.Module = namespace + "." + snippets.Camelize(name)
	if w.modules[file.Module] {
		return nil, fmt.Errorf("there is a migration with the module %s already: choose another name", file.Module)
	}
	base := ecto.FileName(w.free(), name)
	text := part.EctoText(file)
	files := []source.Edit{{Path: filepath.Join(w.dir, base), New: text.Fill(values)}}
	w.snippets[files[0].Path] = snippets.Encode(w.template, text, values)
	w.taken[name], w.modules[file.Module] = true, true
	w.written(files)
	return files, nil
}

// free is the first moment, from now, whose version no migration has.
func (w *writer) free() time.Time {
	used := map[string]bool{}
	for _, m := range w.history {
		version, _, _ := strings.Cut(filepath.Base(m.Path()), "_")
		used[version] = true
	}
	for t := w.now.UTC(); ; t = t.Add(time.Second) {
		if v := t.Format("20060102150405"); !used[v] && !w.used[v] {
			w.now = t
			return t
		}
	}
}

func (w *writer) sql(name string, part templates.Part, values map[string]string) ([]source.Edit, error) {
	b, _ := part.Body(templates.SQL)
	down := b.Down
	if !w.p.Format.HasDown() {
		down = ""
	}
	version := sqlfile.NextVersion(w.p.Format, w.history, w.now)
	files, err := w.render(name, b.Up.Fill(values), down.Fill(values), part.NoTransaction)
	if err != nil {
		return nil, err
	}
	marked, err := sqlfile.Render(w.p.Format, version, b.Up.Mark(), down.Mark(), sqlfile.RenderOptions{Name: name, NoTransaction: part.NoTransaction})
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		w.snippets[f.Path] = snippets.Encode(w.template, templates.Unmark(marked[rel(w.dir, f.Path)]), values)
	}
	return files, nil
}

// render writes a SQL migration.
func (w *writer) render(name, up, down string, noTransaction bool) ([]source.Edit, error) {
	version := sqlfile.NextVersion(w.p.Format, w.history, w.now)
	texts, err := sqlfile.Render(w.p.Format, version, up, down, sqlfile.RenderOptions{Name: name, NoTransaction: noTransaction})
	if err != nil {
		return nil, err
	}
	var files []source.Edit
	order := sqlfile.FileNames(w.p.Format, version, name)
	rank := func(n string) int {
		for i, o := range order {
			if o == n {
				return i
			}
		}
		return len(order)
	}
	for n, text := range texts {
		files = append(files, source.Edit{Path: filepath.Join(w.dir, filepath.FromSlash(n)), New: text})
	}
	sort.Slice(files, func(i, j int) bool {
		a, b := rank(rel(w.dir, files[i].Path)), rank(rel(w.dir, files[j].Path))
		if a != b {
			return a < b
		}
		return files[i].Path < files[j].Path
	})
	w.written(files)
	return files, nil
}

// Write creates the files; it never overwrites one. When one cannot be
// created, those before it are removed again.
func (n *NewMigration) Write() error {
	for i, f := range n.Files {
		err := create(f.Path, f.New)
		if err == nil {
			continue
		}
		for _, made := range n.Files[:i] {
			_ = os.Remove(made.Path) // made a moment ago
		}
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s exists already; nothing was written", f.Path)
		}
		return fmt.Errorf("%s cannot be written: %w", f.Path, err)
	}
	return nil
}

func create(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// underscore is a name as file names have it: "CreateOrders" and "create
// orders" are "create_orders".
func underscore(name string) string {
	var b strings.Builder
	lower := false
	for _, r := range strings.TrimSpace(name) {
		switch {
		case 'A' <= r && r <= 'Z':
			if lower {
				b.WriteByte('_')
			}
			r += 'a' - 'A'
			lower = false
		case r == ' ' || r == '-':
			r, lower = '_', false
		default:
			lower = 'a' <= r && r <= 'z' || '0' <= r && r <= '9'
		}
		b.WriteRune(r)
	}
	return b.String()
}
