package sqlfile

import (
	"strings"

	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// pair reads the formats that keep each direction in a file of its own and
// send it as one query.
func (r *reader) pair() {
	up, down := r.file(r.entry.Up), r.file(r.entry.Down)
	switch {
	case up != nil:
		r.m.Up = r.half(migration.Up, up)
	default:
		r.m.Up = missing(migration.Up, r.tx(down), down)
		r.problem("orphan-down-migration", down.Path, source.Span{}, migration.Down,
			"there is no migration that this file undoes: its up file is missing",
			"Create the up file with the same number, or delete this one.")
	}
	switch {
	case down != nil:
		r.m.Down = r.half(migration.Down, down)
	default:
		r.m.Down = missing(migration.Down, r.tx(up), up)
	}
}

func (r *reader) half(d migration.Direction, f *source.File) *migration.Body {
	b := &migration.Body{Direction: d, Path: f.Path, Span: source.Span{End: len(f.Text)}, Tx: r.tx(f)}
	b.TxSpan = r.txSpan(f)
	r.byteOrderMark(f, d)
	c := r.cutter(d, f.Path)
	b.Units = []*migration.Unit{c.unit(fragment(f.Text, b.Span))}
	settle(b, f.Text)
	return b
}

// noTransaction is sqlx's directive, which must be the first bytes of a file.
const noTransaction = "-- no-transaction"

// tx is the transaction that the tool opens around a whole file.
func (r *reader) tx(f *source.File) migration.Tx {
	switch r.format {
	case migration.Sqlx:
		if strings.HasPrefix(f.Text, noTransaction) {
			return migration.ImplicitIfMulti
		}
		return migration.Explicit
	case migration.Diesel:
		if side := r.file(r.entry.Sidecar); side != nil && !runInTransaction.MatchString(side.Text) {
			return migration.ImplicitIfMulti
		}
		return migration.Explicit
	}
	return migration.ImplicitIfMulti
}

// runInTransaction is what diesel's metadata.toml must say: a file without the
// key means false.
var runInTransaction = regex.MustCompile(`(?m)^\s*run_in_transaction\s*=\s*true\b`)

func (r *reader) txSpan(f *source.File) source.Span {
	if r.format == migration.Sqlx && strings.HasPrefix(f.Text, noTransaction) {
		return source.Span{End: len(noTransaction)}
	}
	return source.Span{}
}

// forward reads the formats without a down of their own, and plain files.
func (r *reader) forward() {
	if r.format == migration.Plain && r.entry.Up == "" {
		r.plainDown()
		return
	}
	f := r.m.Files[0]
	b := &migration.Body{Direction: migration.Up, Path: f.Path, Span: source.Span{End: len(f.Text)}}
	if r.format != migration.Plain {
		r.byteOrderMark(f, migration.Up)
	}
	c := r.cutter(migration.Up, f.Path)
	whole := fragment(f.Text, b.Span)
	switch r.format {
	case migration.Flyway, migration.Atlas, migration.Liquibase:
		stmts := c.cut(whole)
		for _, s := range stmts {
			b.Units = append(b.Units, alone(s))
		}
		b.Tx, b.TxSpan = r.forwardTx(f, stmts)
	default:
		b.Units = []*migration.Unit{c.unit(whole)}
		b.Tx = migration.Unknown
		switch r.format {
		case migration.Prisma, migration.Supabase:
			b.Tx = migration.ImplicitIfMulti
		case migration.Drizzle:
			b.Tx = migration.Explicit
		}
	}
	r.placeholders(b)
	settle(b, f.Text)
	r.m.Up = b
	r.m.Down = &migration.Body{Direction: migration.Down, Origin: migration.Missing, Path: f.Path, Tx: b.Tx}
	if d := r.file(r.entry.Down); d != nil && d != f { // Flyway's undo file, a pair's down
		r.m.Down = &migration.Body{Direction: migration.Down, Path: d.Path, Span: source.Span{End: len(d.Text)}}
		stmts := r.cutter(migration.Down, d.Path).cut(fragment(d.Text, r.m.Down.Span))
		for _, s := range stmts {
			r.m.Down.Units = append(r.m.Down.Units, alone(s))
		}
		if r.m.Down.Tx = migration.Unknown; r.format != migration.Plain {
			r.m.Down.Tx, r.m.Down.TxSpan = r.forwardTx(d, stmts)
		}
		r.placeholders(r.m.Down)
		settle(r.m.Down, d.Text)
	}
}

// plainDown reads the down of a pair whose up is not there.
func (r *reader) plainDown() {
	f := r.m.Files[0]
	r.m.Up = &migration.Body{Direction: migration.Up, Origin: migration.Missing, Path: f.Path, Tx: migration.Unknown}
	b := &migration.Body{Direction: migration.Down, Path: f.Path, Span: source.Span{End: len(f.Text)}, Tx: migration.Unknown}
	b.Units = []*migration.Unit{r.cutter(migration.Down, f.Path).unit(fragment(f.Text, b.Span))}
	r.placeholders(b)
	settle(b, f.Text)
	r.m.Down = b
}

// alone is a statement that the tool sends by itself.
func alone(s *migration.Statement) *migration.Unit {
	return &migration.Unit{SQL: s.SQL, Map: s.Map, Statements: []*migration.Statement{s}}
}

var (
	atlasTx = regex.MustCompile(`(?m)^--[ \t]*atlas:txmode[ \t]+(\w+)[ \t\r]*$`)
	// outside are the statements for which Flyway leaves its transaction.
	outside = regex.MustCompile(`(?is)^(create\s+(unique\s+)?index\s+concurrently|drop\s+index\s+concurrently|vacuum|reindex\s+(schema|database|system)|alter\s+system|create\s+(database|tablespace)|drop\s+(database|tablespace)|create\s+subscription|alter\s+type\s+\S+\s+add\s+value)\b`)
)

func (r *reader) forwardTx(f *source.File, stmts []*migration.Statement) (migration.Tx, source.Span) {
	switch r.format {
	case migration.Atlas:
		if m := atlasTx.FindStringSubmatchIndex(f.Text); m != nil && f.Text[m[2]:m[3]] == "none" {
			return migration.None, source.Span{Start: m[0], End: m[1]}
		}
	case migration.Flyway:
		if side := r.file(r.entry.Sidecar); side != nil && strings.Contains(strings.ReplaceAll(side.Text, " ", ""), "executeInTransaction=false") {
			return migration.None, source.Span{}
		}
		for _, s := range stmts {
			if !outside.MatchString(s.SQL) {
				return migration.Explicit, source.Span{}
			}
		}
		if len(stmts) > 0 {
			return migration.None, source.Span{}
		}
	case migration.Liquibase:
		return migration.Unknown, source.Span{}
	}
	return migration.Explicit, source.Span{}
}

// placeholder is a part that Flyway and others fill in before they send the
// text.
var placeholder = regex.MustCompile(`\$\{[^}]*\}|\{\{.*?\}\}`)

// placeholders marks statements whose text is not known because the tool fills
// in something first.
func (r *reader) placeholders(b *migration.Body) {
	if r.format != migration.Flyway && r.format != migration.Liquibase && r.format != migration.Plain {
		return
	}
	for _, u := range b.Units {
		for i, s := range u.Statements {
			if s.Opaque == "" && (strings.Contains(s.SQL, "${") || strings.Contains(s.SQL, "{{")) && placeholder.MatchString(s.SQL) {
				c := s.Hidden("a placeholder stands in it that is filled in when it runs")
				c.NotRunnable = c.Opaque
				u.Statements[i] = c
			}
		}
	}
}
