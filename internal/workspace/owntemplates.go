package workspace

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/migration/ecto"
	"github.com/ddlsp/ddlsp/migration/sqlfile"
	"github.com/ddlsp/ddlsp/templates"
)

// templatesDir is where a project keeps templates of its own.
var templatesDir = filepath.Join(".ddlsp", "templates")

// What is read of a project's own templates: more is a mistake, and must not
// stop the editor.
const (
	maxTemplates = 200
	maxTemplate  = 256 << 10 // bytes
)

// Templates are the templates to offer in the project: those that are built
// in, and its own. The problems say what is wrong with the files of its own,
// each with the file's path and line; a broken one is left out.
func (p *Project) Templates() ([]*templates.Template, []*templates.Error) {
	own, problems := p.ownTemplates()
	return templates.With(own), problems
}

// Templates are those of all projects together: built in, and the projects'
// own. Several projects may bring different ones of one name.
func (s *Snapshot) Templates(ctx context.Context) (list []*templates.Template, problems []*templates.Error) {
	projects, _ := s.Projects(ctx)
	seen := map[string]bool{}
	for _, p := range projects {
		dir := p.TemplatesDir()
		if p.Foreign != "" || dir == "" || seen[dir] {
			continue
		}
		seen[dir] = true
		own, wrong := p.ownTemplates()
		problems = append(problems, wrong...)
		list = append(list, own...)
	}
	return templates.With(list), problems
}

// TemplatesDir is the directory of the project's own templates, the nearest
// one from its root upward within the repository; "" when there is none.
func (p *Project) TemplatesDir() string {
	for dir := p.Root; ; {
		own := filepath.Join(dir, templatesDir)
		if st, err := os.Stat(own); err == nil && st.IsDir() {
			return own
		}
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return ""
		}
		up := filepath.Dir(dir)
		if up == dir || !within(p.snap.opts.Dir, up) && !inRepository(up) {
			return ""
		}
		dir = up
	}
}

// inRepository reports whether a directory lies in a Git repository.
func inRepository(dir string) bool {
	for {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return true
		}
		up := filepath.Dir(dir)
		if up == dir {
			return false
		}
		dir = up
	}
}

// IsTemplate reports whether a file is, by its place, one of a project's own
// templates.
func IsTemplate(path string) bool {
	return strings.HasSuffix(filepath.Dir(path), string(filepath.Separator)+templatesDir)
}

// templateName is the name of the template in a file.
func templateName(path string) string {
	return strings.TrimSuffix(filepath.Base(path), templates.Extension)
}

func (p *Project) ownTemplates() (own []*templates.Template, problems []*templates.Error) {
	dir := p.TemplatesDir()
	if dir == "" {
		return nil, nil
	}
	fail := func(path, format string, args ...any) {
		problems = append(problems, &templates.Error{Path: path, Line: 1, Message: fmt.Sprintf(format, args...)})
	}
	names, err := os.ReadDir(dir)
	if err != nil {
		fail(dir, "the directory cannot be read: %v", reason(err))
	}
	for path := range p.snap.buffers { // not saved yet
		if filepath.Dir(path) == dir && !slices.ContainsFunc(names, func(e os.DirEntry) bool { return e.Name() == filepath.Base(path) }) {
			names = append(names, unsaved(filepath.Base(path)))
		}
	}
	for _, e := range names {
		path := filepath.Join(dir, e.Name())
		switch {
		case strings.HasPrefix(e.Name(), ".") || strings.HasSuffix(e.Name(), "~") || strings.EqualFold(filepath.Ext(e.Name()), ".md") || strings.EqualFold(e.Name(), "readme"):
			continue
		case filepath.Ext(e.Name()) != templates.Extension:
			fail(path, "it is not read: the files of templates end in %s", templates.Extension)
			continue
		case len(own) >= maxTemplates:
			fail(path, "it is not read: a project has at most %d templates of its own", maxTemplates)
			return own, problems
		}
		if _, open := p.snap.buffers[path]; !open {
			if st, err := os.Stat(path); err != nil {
				fail(path, "it cannot be read: %v", reason(err))
				continue
			} else if !st.Mode().IsRegular() || st.Size() > maxTemplate {
				fail(path, "it is not read: a template is a file of at most %d KiB", maxTemplate>>10)
				continue
			}
		}
		text, err := p.snap.text(path)
		if err != nil {
			fail(path, "%v", err)
			continue
		}
		t, wrong := p.snap.cache.template(path, text)
		if wrong != nil {
			problems = append(problems, wrong)
		}
		if t != nil {
			own = append(own, t)
		}
	}
	return own, problems
}

// unsaved is the entry of a file that is only in the editor.
type unsaved string

func (u unsaved) Name() string               { return string(u) }
func (u unsaved) IsDir() bool                { return false }
func (u unsaved) Type() fs.FileMode          { return 0 }
func (u unsaved) Info() (fs.FileInfo, error) { return nil, fs.ErrNotExist }

// template reads a template unless its text is as it was. A template that can
// be read may come with an error, too: about what it makes.
func (c *cache) template(path, text string) (*templates.Template, *templates.Error) {
	c.mu.Lock()
	known, ok := c.templates[path]
	c.mu.Unlock()
	if ok && known.text == text {
		return known.t, known.err
	}
	var at *templates.Error
	t, err := templates.Parse(templateName(path), text)
	switch {
	case err == nil:
		t.Path = path
		at = misread(t)
	case !errors.As(err, &at):
		at = &templates.Error{Line: 1, Message: err.Error()}
	}
	if at != nil {
		at = &templates.Error{Path: path, Line: at.Line, Message: at.Message}
	}
	c.mu.Lock()
	c.templates[path] = readTemplate{text, t, at}
	c.mu.Unlock()
	return t, at
}

// A readTemplate is a template and what it was read from.
type readTemplate struct {
	text string
	t    *templates.Template
	err  *templates.Error
}

// misread is the first place of a template that is no SQL, or no Elixir, when
// its fields have their defaults; nil without one.
func misread(t *templates.Template) *templates.Error {
	if t.Test {
		return nil
	}
	for _, s := range []templates.Syntax{templates.Ecto, templates.SQL} {
		values := t.Defaults(s, nil)
		for _, part := range t.PartsIn(s) {
			b, _ := part.Body(s)
			texts := []struct {
				what string
				text templates.Text
			}{{"up", b.Up}, {"down", b.Down}}
			if b.Change != "" {
				texts[0].what, texts[0].text = "change", b.Change
			}
			for _, one := range texts {
				if one.text == "" {
					continue
				}
				if lines, message := trouble(s, one.what, one.text.Fill(values)); message != "" {
					lines = min(lines, strings.Count(string(one.text), "\n")) // what is missing is missed behind the end
					return &templates.Error{Line: t.Line(part, one.what, s) + lines,
						Message: fmt.Sprintf("with the fields' defaults, %s.%s cannot be read: %s", one.what, s, message)}
				}
			}
		}
	}
	return nil
}

// trouble reads one direction; message is empty when it can be read. line
// counts from 0 in the text.
func trouble(s templates.Syntax, what, text string) (line int, message string) {
	before := ""
	var m *migration.Migration
	if s == templates.SQL {
		m = sqlfile.ReadFile(&source.File{Path: "template.sql", Text: text}, nil)
	} else {
		before = "defmodule T do\n  use Ecto.Migration\n  def " + what + " do\n"
		text = before + text + "\nend\nend\n"
		m = ecto.Read(&source.File{Path: "1_template.exs", Text: text}, nil, ecto.Options{})
		for _, p := range m.Problems {
			if p.Rule == "unreadable-migration" {
				return strings.Count(text[len(before):max(len(before), p.Span.Start)], "\n"), p.Message
			}
		}
	}
	for _, b := range []*migration.Body{m.Up, m.Down} {
		for _, st := range b.Statements() {
			if st.Opaque != "" || len(st.Unknown) > 0 {
				continue
			}
			if err := st.Parse().Err; err != nil {
				return strings.Count(text[len(before):max(len(before), st.Where(err.At()).Start)], "\n"), err.Message
			}
		}
	}
	return 0, ""
}
