package lsp

import (
	"context"
	"sync"

	"go.lsp.dev/uri"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/internal/workspace"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// A file is a document as one request sees it, with its migration.
type file struct {
	path  string
	snap  *workspace.Snapshot
	lines *source.Lines
	// m is the migration that the file belongs to, and p its project; both are
	// nil where the file is none.
	m    *migration.Migration
	p    *workspace.Project
	memo *lockMemo
}

// file looks a document up in the world of a request. It is nil, without an
// error, where there is nothing to say about it.
func (s *Server) file(ctx context.Context, u uri.URI) (*file, error) {
	path := s.path(u)
	snap := worldOf(ctx).of(path)
	if snap == nil {
		return nil, nil
	}
	lines, err := snap.Lines(path)
	if err != nil {
		return nil, nil // gone from disk, and not open
	}
	f := &file{path: path, snap: snap, lines: lines, memo: &s.locks}
	f.m, f.p = snap.Migration(ctx, path)
	if f.p != nil && f.p.Foreign != "" {
		f.m, f.p = nil, nil // another database's: left alone
	}
	return f, ctx.Err()
}

// A sent is one statement that a migration sends, with what stands around it.
type sent struct {
	*migration.Statement
	direction migration.Direction
	body      *migration.Body
	unit      *migration.Unit
}

// bodies are the directions that have something to say, up first.
func (f *file) bodies() []*migration.Body {
	if f.m == nil {
		return nil
	}
	return []*migration.Body{f.m.Up, f.m.Down}
}

// statements are those of both directions that come from this file.
func (f *file) statements() []sent {
	var out []sent
	for _, b := range f.bodies() {
		for _, u := range b.Units {
			for _, st := range u.Statements {
				if st.Path == f.path {
					out = append(out, sent{st, b.Direction, b, u})
				}
			}
		}
	}
	return out
}

// before is the catalog that a direction starts from.
func (f *file) before(d migration.Direction) *schema.Catalog {
	i := f.p.Index(f.m)
	if i < 0 {
		return schema.New().Taint()
	}
	if d == migration.Down {
		return f.p.Catalog(i + 1)
	}
	return f.p.Catalog(i)
}

// locks are the locks of every statement of a body, in order.
func (f *file) locks(b *migration.Body) lockTable {
	return f.memo.of(f.m, b, f.before(b.Direction))
}

// A lockTable holds the locks of the statements of a body. It must not be
// changed.
type lockTable map[*migration.Statement][]schema.Lock

// lockMemo keeps the lock tables that were asked for last: hovers and hints
// ask for the same ones again and again, and a long body is folded whole for
// each. Safe for concurrent use.
type lockMemo struct {
	mu   sync.Mutex // guards last
	last [4]lockEntry
}

type lockEntry struct {
	body   *migration.Body
	before *schema.Catalog
	table  lockTable
}

func (l *lockMemo) of(m *migration.Migration, b *migration.Body, before *schema.Catalog) lockTable {
	l.mu.Lock()
	for _, e := range l.last {
		if e.body == b && e.before == before {
			l.mu.Unlock()
			return e.table
		}
	}
	l.mu.Unlock()
	table := lockTable{}
	cat := before
	for _, st := range b.Statements() {
		table[st] = schema.StatementLocks(st, cat)
		cat = cat.ApplyStatement(&schema.Origin{Migration: m, Direction: b.Direction, Statement: st}, st)
	}
	l.mu.Lock()
	copy(l.last[1:], l.last[:])
	l.last[0] = lockEntry{b, before, table}
	l.mu.Unlock()
	return table
}

// anchor is the place in the file that a direction is shown at: the def of an
// Ecto migration, else its first statement.
func (f *file) anchor(b *migration.Body) (source.Span, bool) {
	if b.Path != f.path || b.Origin == migration.Missing {
		return source.Span{}, false
	}
	if f.m.Format == migration.Ecto {
		return f.firstLine(b.Span), true
	}
	for _, st := range b.Statements() {
		if st.Path == f.path {
			return f.firstLine(st.Span), true
		}
	}
	return f.firstLine(b.Span), true
}

// firstLine cuts a span at the end of the line that it starts on.
func (f *file) firstLine(span source.Span) source.Span {
	line := f.lines.Position(span.Start, source.UTF8).Line
	return source.Span{Start: span.Start, End: max(span.Start, min(span.End, f.lines.Line(line).End))}
}

// wholeLines widens a span to the lines that it touches.
func (f *file) wholeLines(span source.Span) source.Span {
	first := f.lines.Position(span.Start, source.UTF8).Line
	last := f.lines.Position(span.End, source.UTF8).Line
	return source.Span{Start: f.lines.Start(first), End: f.lines.Line(last).End}
}
