// Package ecto reads Ecto migrations without Elixir: it evaluates the small,
// pure part of the language that migrations are written in, compiles Ecto's
// DSL to the SQL that Ecto would send, with a map from every clause back to
// the .exs file, and writes changes in Ecto's own syntax. It also reads the
// repository configuration that decides what that SQL is.
//
// What cannot be evaluated is opaque: said so, with its place, never guessed.
package ecto

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/migration/ecto/internal/syntax"
)

// Options are what a reader of migrations may know beside the repository.
type Options struct {
	// Prefix is the migrator's --prefix; empty for none.
	Prefix string
	// Wrappers are the project's own modules that stand for Ecto.Migration.
	Wrappers []string
	// Env looks up environment variables; nil leaves what reads them opaque.
	Env func(string) (string, bool)
	// ReadFile reads the file that execute_file and File.read! name; nil leaves
	// it opaque.
	ReadFile func(path string) (string, error)
}

// The rules of the problems that reading finds.
const (
	ruleUnreadable = "unreadable-migration"
	ruleModuleName = "migration-module-name"
	ruleMissingUp  = "missing-up-migration"
)

// Read reads one migration. It never fails: what is wrong is in the result. A
// nil repo has Ecto's defaults.
func Read(f *source.File, repo *Repo, opts Options) *migration.Migration {
	version, name, _ := Version(f.Path)
	m := &migration.Migration{Version: version, Name: name, Format: migration.Ecto, Files: []*source.File{f}}
	m.Up = &migration.Body{Direction: migration.Up, Origin: migration.Missing, Path: f.Path, Tx: migration.Explicit}
	m.Down = &migration.Body{Direction: migration.Down, Origin: migration.Missing, Path: f.Path, Tx: migration.Explicit}
	tree := syntax.Parse(f.Text)
	m.Editor = &editor{file: f, tree: tree}
	r := &reader{m: m, file: f, repo: repo, opts: opts, tree: tree}
	r.brokenSyntax()
	r.mod = findModule(f.Text, tree.Root, func(name string) bool { return name == "Ecto.Migration" || contains(opts.Wrappers, name) })
	if r.mod == nil { // the caller says that it is one: any `use` of something that sounds like it
		r.mod = findModule(f.Text, tree.Root, func(name string) bool { return strings.HasSuffix(name, "Migration") })
	}
	if r.mod == nil {
		if len(m.Problems) == 0 {
			rule := ruleUnreadable // a module that it uses may make it one
			if !useWord.MatchString(f.Text) {
				rule = ruleModuleName
			}
			r.problem(rule, source.Span{End: firstLine(f.Text)}, "the file defines no Ecto migration", "Add `use Ecto.Migration` to its module.")
		}
		m.Beam = "the file defines no Ecto migration"
		return m
	}
	m.Module = r.mod.name
	m.Editor = &editor{file: f, tree: tree, mod: r.mod}
	r.read()
	return m
}

var useWord = regex.MustCompile(`(?m)^\s*use\b`)

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func firstLine(s string) int {
	if nl := strings.IndexAny(s, "\r\n"); nl >= 0 {
		return nl
	}
	return len(s)
}

// A reader puts one Migration together.
type reader struct {
	m    *migration.Migration
	file *source.File
	repo *Repo
	opts Options
	tree *syntax.Tree
	mod  *module
}

func (r *reader) problem(rule string, span source.Span, message, help string) {
	r.m.Problems = append(r.m.Problems, migration.Problem{Rule: rule, Message: message, Help: help, Path: r.file.Path, Span: span})
}

// brokenSyntax reports the first place that does not parse. One error often
// makes others, which would only be noise.
func (r *reader) brokenSyntax() {
	if len(r.tree.Broken) == 0 {
		return
	}
	at := r.tree.Broken[0]
	for _, b := range r.tree.Broken {
		if b.Len() < at.Len() {
			at = b
		}
	}
	if nl := firstLine(r.file.Text[at.Start:at.End]); nl < at.Len() {
		at.End = at.Start + nl
	}
	r.problem(ruleUnreadable, at, "this is not valid Elixir here: the migration cannot be compiled", "Mend the syntax; the rest of the file is read as far as possible.")
	r.m.Beam = "the file has a syntax error"
	r.broken(at, "this is not valid Elixir")
}

// broken notes what keeps Elixir from compiling the file; the first counts.
func (r *reader) broken(span source.Span, what string) {
	if r.m.Broken == nil {
		r.m.Broken = &migration.RaiseError{Message: "** (CompileError) " + what, Path: r.file.Path, Span: span}
	}
}

func (r *reader) read() {
	noTx := r.switchAttribute("disable_ddl_transaction")
	noLock := r.switchAttribute("disable_migration_lock")
	config := &noConfig
	if r.repo != nil {
		config = &r.repo.Config
	}
	r.m.NoLock = noLock != nil
	r.m.Schemas = r.schemas()
	if w := argument(r.mod.use, 0).Span.Of(r.file.Text); w != "Ecto.Migration" {
		r.m.Wrapper = w
	}
	r.m.TableLock = noLock == nil && config.TableLock()
	for _, b := range []*migration.Body{r.m.Up, r.m.Down} {
		if noTx != nil {
			b.Tx, b.TxSpan = migration.None, noTx.span
		}
	}
	up, down, change := r.mod.public("up"), r.mod.public("down"), r.mod.public("change")
	if up == nil {
		up = change
	}
	if dynamic := r.mod.dynamic; dynamic != "" && (up == nil || down == nil && change == nil) {
		reason := "defines its functions by " + dynamic
		for _, b := range []*migration.Body{r.m.Up, r.m.Down} {
			if b == r.m.Up && up != nil || b == r.m.Down && (down != nil || change != nil) {
				continue
			}
			r.hidden(b, reason)
		}
		if up != nil {
			r.run(r.m.Up, up, migration.Written, false, up == change)
		}
		if down != nil {
			r.run(r.m.Down, down, migration.Written, false, false)
		}
		r.irreversibleComment()
		return
	}
	if up == nil {
		r.problem(ruleMissingUp, r.head(), fmt.Sprintf("%s defines neither up/0 nor change/0: Ecto refuses to run it", r.name()), "Define change/0, or up/0 and down/0.")
		r.missing(r.m.Up, r.head(), "up/0")
		if down == nil {
			r.missing(r.m.Down, r.head(), "down/0")
		}
	} else {
		r.run(r.m.Up, up, migration.Written, false, up == change)
	}
	switch {
	case down != nil:
		r.run(r.m.Down, down, migration.Written, false, false)
	case change != nil:
		r.run(r.m.Down, change, migration.Derived, true, true)
	case up != nil:
		r.missing(r.m.Down, defHead(up), "down/0")
	}
	r.irreversibleComment()
}

// hidden fills b with one opaque statement: the direction may exist, but not
// where it can be seen.
func (r *reader) hidden(b *migration.Body, reason string) {
	b.Origin, b.Span = migration.Written, r.head()
	st := &migration.Statement{Path: r.file.Path, Span: b.Span, Opaque: reason, NotRunnable: reason, Command: &migration.Command{Name: "use", Span: b.Span}}
	b.Units = []*migration.Unit{{Statements: []*migration.Statement{st}}}
	if r.m.Beam == "" {
		r.m.Beam = reason
	}
}

// defHead is "def name" of a function.
func defHead(f *function) source.Span { return source.Span{Start: f.span.Start, End: f.head.Span.End} }

func (r *reader) name() string {
	if r.mod.name == "" {
		return "the module"
	}
	return r.mod.name
}

func (r *reader) head() source.Span {
	if r.mod.head != (source.Span{}) {
		return r.mod.head
	}
	return source.Span{End: firstLine(r.file.Text)}
}

func (r *reader) missing(b *migration.Body, at source.Span, function string) {
	b.Origin, b.Span = migration.Missing, at
	b.Err = &migration.RaiseError{Message: "** (Ecto.MigrationError) " + r.mod.name + " does not implement a `" + function + "` or `change/0` function", Path: r.file.Path, Span: at, Kind: migration.NoFunction}
}

// public returns a public function without arguments.
func (m *module) public(name string) *function {
	for _, f := range m.functions {
		if f.name == name && len(f.args) == 0 && !f.private {
			return f
		}
	}
	return nil
}

// switchAttribute returns the attribute when it is set to something true.
func (r *reader) switchAttribute(name string) *attribute {
	a := r.mod.attribute(name)
	if a == nil {
		return nil
	}
	v := r.evaluator(migration.Up).eval(a.value, &scope{})
	if v.isUnknown() || !v.truthy() {
		return nil
	}
	return a
}

func (r *reader) evaluator(d migration.Direction) *evaluator {
	e := &evaluator{text: r.file.Text, mod: r.mod, direction: d, prefix: nilValue, env: r.opts.Env, path: r.file.Path, readFile: r.opts.ReadFile}
	if r.opts.Prefix != "" {
		e.prefix = newText(r.opts.Prefix, source.Span{})
	}
	return e
}

// run fills b with what a function does in its direction.
func (r *reader) run(b *migration.Body, f *function, origin migration.Origin, backward, change bool) {
	b.Origin, b.Span = origin, f.span
	c := &compiler{mod: r.mod, file: r.file, repo: r.repo, opts: r.opts, body: b, backward: backward, infoIrreversible: change,
		lenient: len(r.tree.Broken) > 0, broken: r.tree.Broken, infos: map[*syntax.Node][]*migration.Command{}}
	c.ev = r.evaluator(b.Direction)
	c.ev.dsl = c
	var functions []*function
	if b.Tx == migration.Explicit {
		if hook := r.mod.public("after_begin"); hook != nil {
			functions = append(functions, hook)
		}
	}
	functions = append(functions, f)
	if b.Tx == migration.Explicit {
		if hook := r.mod.public("before_commit"); hook != nil {
			functions = append(functions, hook)
		}
	}
	c.run(functions...)
	if len(b.Units) == 0 && b.Err == nil {
		b.Origin = migration.Empty
	}
	for _, span := range c.ev.onlyOnce {
		message := c.ev.problems[span]
		if !r.hasProblem(span) {
			r.problem(ruleUnreadable, span, message+": the migration does not compile", "")
		}
		c.ev.needBeam("it does not compile (" + message + ")")
		r.broken(span, message)
	}
	for _, fact := range c.ev.environment {
		if !contains(r.m.Environment, fact) {
			r.m.Environment = append(r.m.Environment, fact)
		}
	}
	if r.m.Beam == "" {
		r.m.Beam = c.ev.beam
	}
}

func (r *reader) hasProblem(span source.Span) bool {
	for _, p := range r.m.Problems {
		if p.Span == span {
			return true
		}
	}
	return false
}

// irreversibleComment obeys `# ddlsp:irreversible reason`.
func (r *reader) irreversibleComment() {
	for _, span := range r.tree.Comments {
		text := strings.TrimSpace(strings.TrimLeft(span.Of(r.file.Text), "#"))
		reason, ok := strings.CutPrefix(text, "ddlsp:irreversible")
		if !ok || reason != "" && !strings.ContainsRune(" \t:", rune(reason[0])) {
			continue
		}
		d := r.m.Down
		if d.Origin == migration.Missing || d.Origin == migration.Empty || d.Err != nil {
			d.Origin = migration.Raises
			d.Reason = strings.TrimLeft(reason, " \t:")
		}
		return
	}
}

// IsMigration reports whether text holds an Ecto migration: a `use` of
// Ecto.Migration or of one of the wrappers. It only looks for the words.
func IsMigration(text string, wrappers []string) bool {
	for rest := text; ; {
		i := strings.Index(rest, "use ")
		if i < 0 {
			return false
		}
		lineStart := strings.LastIndexByte(rest[:i], '\n') + 1
		before := strings.TrimSpace(rest[lineStart:i])
		rest = rest[i+len("use "):]
		if before != "" && !strings.HasSuffix(before, ";") && !strings.HasSuffix(before, " do") {
			continue
		}
		name := strings.TrimLeft(rest, " \t")
		end := 0
		for end < len(name) && (name[end] == '.' || name[end] == '_' || name[end] >= '0' && name[end] <= '9' || name[end] >= 'A' && name[end] <= 'Z' || name[end] >= 'a' && name[end] <= 'z') {
			end++
		}
		if name = name[:end]; name == "Ecto.Migration" || contains(wrappers, name) {
			return true
		}
	}
}
