package lsp

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.lsp.dev/protocol"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/internal/workspace"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// A mention is a place in a file that names a relation, a column or an index.
type mention struct {
	schema.Target
	defines bool
	path    string
	span    source.Span
}

// mentionsOf calls yield for what a migration names, in the order in which it
// would run. A direction that was derived from the other one has no text of
// its own and is passed over.
func mentionsOf(m *migration.Migration, yield func(mention)) {
	for _, b := range []*migration.Body{m.Up, m.Down} {
		if b.Origin == migration.Derived {
			continue
		}
		for _, st := range b.Statements() {
			mentionsIn(m, b.Direction, st, yield)
		}
	}
}

// mentionsIn calls yield for what one statement names. What a rollback makes
// again was made before: only up defines.
func mentionsIn(m *migration.Migration, d migration.Direction, st *migration.Statement, yield func(mention)) {
	file := m.File(st.Path)
	if file == nil {
		return
	}
	for _, op := range st.Ops() {
		for _, x := range schema.Mentions(op) {
			if st.IsUnknown(x.Span) {
				continue
			}
			last := x.Defines && x.Span == source.Span{} // the new name of a renaming
			if span, ok := narrow(file.Text, st.Where(x.Span), x.Name(), last); ok {
				yield(mention{x.Target, x.Defines && d == migration.Up, st.Path, span})
			}
		}
	}
}

// narrow finds a name as a whole word in a span of a file: the last one where
// last is set, else the first. What a migration names without writing it, as a
// loop does, is nowhere.
func narrow(text string, span source.Span, name string, last bool) (source.Span, bool) {
	if name == "" || span.Start < 0 || span.End > len(text) || span.Start > span.End {
		return source.Span{}, false
	}
	part := text[span.Start:span.End]
	lower, name := part, name
	if l := strings.ToLower(part); len(l) == len(part) { // unquoted names are written in any case
		lower, name = l, strings.ToLower(name)
	}
	found, ok := source.Span{}, false
	for at := 0; ; {
		i := strings.Index(lower[at:], name)
		if i < 0 {
			return found, ok
		}
		start, end := at+i, at+i+len(name)
		before, _ := utf8.DecodeLastRuneInString(part[:start])
		after, _ := utf8.DecodeRuneInString(part[end:])
		if !wordRune(before) && !wordRune(after) {
			found, ok = source.Span{Start: span.Start + start, End: span.Start + end}, true
			if !last {
				return found, ok
			}
		}
		at = end
	}
}

func wordRune(r rune) bool {
	return r == '_' || r == '$' || r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// targets are what the name at an offset stands for; "orders" in an Ecto
// command may be several things at once.
func (f *file) targets(at int) []schema.Target {
	if f.m == nil {
		return nil
	}
	var out []schema.Target
	seen := map[schema.Target]bool{}
	mentionsOf(f.m, func(x mention) {
		if x.path == f.path && x.span.Start <= at && at <= x.span.End && !seen[x.Target] {
			seen[x.Target] = true
			out = append(out, x.Target)
		}
	})
	return out
}

// mentions are the places in the file's history that name one of the targets,
// in the order of the history.
func (f *file) mentions(ctx context.Context, targets []schema.Target) []mention {
	want := map[schema.Target]bool{}
	for _, t := range targets {
		want[t] = true
	}
	type place struct {
		path string
		span source.Span
	}
	seen := map[place]bool{}
	var out []mention
	for _, m := range f.p.History(ctx) {
		mentionsOf(m, func(x mention) {
			if want[x.Target] && !seen[place{x.path, x.span}] {
				seen[place{x.path, x.span}] = true
				out = append(out, x)
			}
		})
		if ctx.Err() != nil {
			return nil
		}
	}
	return out
}

// Definition leads from a table, view, column or index to the statement that
// makes it: the newest one that the history holds up to this file, since a
// name may be dropped and made again.
func (s *Server) Definition(ctx context.Context, p *protocol.DefinitionParams) (protocol.DefinitionResult, error) {
	out := protocol.LocationSlice{}
	f, err := s.file(ctx, p.TextDocument.URI)
	if err != nil || f == nil {
		return out, err
	}
	targets := f.targets(s.offsetOf(f.lines, p.Position))
	if len(targets) == 0 {
		return out, nil
	}
	here := f.p.Index(f.m)
	order := map[string]int{} // by path
	for i, m := range f.p.History(ctx) {
		for _, file := range m.Files {
			order[file.Path] = i
		}
	}
	newest := map[schema.Target]mention{}
	for _, x := range f.mentions(ctx, targets) {
		if x.defines && (here < 0 || order[x.path] <= here) {
			newest[x.Target] = x
		}
	}
	for _, t := range targets {
		if x, ok := newest[t]; ok {
			if loc, ok := s.location(f.snap, x.path, x.span); ok {
				out = append(out, loc)
			}
		}
	}
	return out, ctx.Err()
}

// References are all places in the history that name what stands under the
// cursor, rollbacks included.
func (s *Server) References(ctx context.Context, p *protocol.ReferenceParams) ([]protocol.Location, error) {
	out := []protocol.Location{}
	f, err := s.file(ctx, p.TextDocument.URI)
	if err != nil || f == nil {
		return out, err
	}
	targets := f.targets(s.offsetOf(f.lines, p.Position))
	if len(targets) == 0 {
		return out, nil
	}
	for _, x := range f.mentions(ctx, targets) {
		if x.defines && !p.Context.IncludeDeclaration {
			continue
		}
		if loc, ok := s.location(f.snap, x.path, x.span); ok {
			out = append(out, loc)
		}
	}
	return out, ctx.Err()
}

// location is a place in any file of a snapshot.
func (s *Server) location(snap *workspace.Snapshot, path string, span source.Span) (protocol.Location, bool) {
	lines, err := snap.Lines(path)
	if err != nil {
		return protocol.Location{}, false
	}
	return protocol.Location{URI: s.uriOf(path), Range: s.rangeOf(lines, span)}, true
}
