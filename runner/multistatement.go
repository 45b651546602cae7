package runner

import (
	"strings"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// cutAtSemicolons is a history as golang-migrate runs it with
// x-multi-statement=true: each file is cut after every semicolon, in quotes
// and function bodies too, and the pieces are sent one by one, without a
// transaction around them.
func cutAtSemicolons(history []*migration.Migration) []*migration.Migration {
	out := make([]*migration.Migration, len(history))
	for i, m := range history {
		copied := *m
		copied.Up, copied.Down = cutBody(m.Up), cutBody(m.Down)
		out[i] = &copied
	}
	return out
}

func cutBody(b *migration.Body) *migration.Body {
	copied := *b
	copied.Tx, copied.Units = migration.None, nil
	for _, u := range b.Units {
		whole := source.Fragment{Text: u.SQL, Map: u.Map}
		for start := 0; start < len(u.SQL); {
			end := len(u.SQL)
			if i := strings.IndexByte(u.SQL[start:], ';'); i >= 0 {
				end = start + i + 1
			}
			copied.Units = append(copied.Units, pieceUnit(b, whole, source.Span{Start: start, End: end}))
			start = end
		}
	}
	return &copied
}

// pieceUnit is a piece of a file as a unit with the one statement that the
// server is to make of it; a piece of white space is none.
func pieceUnit(b *migration.Body, whole source.Fragment, piece source.Span) *migration.Unit {
	f := whole.Slice(piece)
	u := &migration.Unit{SQL: f.Text, Map: f.Map}
	text := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(f.Text), ";"))
	if text == "" {
		return u
	}
	at := strings.Index(f.Text, text)
	inner := f.Slice(source.Span{Start: at, End: at + len(text)})
	u.Statements = []*migration.Statement{{SQL: text, Path: b.Path, Map: inner.Map, Span: inner.Map.Span(source.Span{End: len(text)})}}
	return u
}
