package sqlfile

import (
	"strings"
	"unicode"

	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// tern cuts a file at a literal separator, fills in templates in each half and
// sends it as one query, unless the half itself turns the transaction off:
// then statement by statement.

const ternSeparator = "---- create above / drop below ----"

const ternDisableTx = "---- tern: disable-tx ----"

// ternDisable finds the directive. tern's own expression does not match a line
// that ends in \r\n.
var ternDisable = regex.MustCompile(`(?m)^---- tern: disable-tx ----$`)

func (r *reader) tern() {
	f := r.m.Files[0]
	cutAt := strings.Index(f.Text, ternSeparator)
	upSpan := source.Span{End: len(f.Text)}
	if cutAt >= 0 {
		upSpan.End = cutAt
	}
	r.m.Up = r.ternHalf(f, migration.Up, upSpan)
	if !ternHasSQL(upSpan.Of(f.Text)) {
		message := "tern refuses the migration: there is no SQL above the separator"
		r.problem("missing-up-migration", f.Path, source.Span{}, migration.Up, message, "Write what the migration does above the line "+ternSeparator+".")
		r.reject(r.m.Up, f.Path, source.Span{}, message)
	}
	if cutAt < 0 {
		r.m.Down = missing(migration.Down, migration.Explicit, f)
		return
	}
	r.m.Down = r.ternHalf(f, migration.Down, source.Span{Start: cutAt + len(ternSeparator), End: len(f.Text)})
	r.m.Down.Span.Start = cutAt
}

// ternHasSQL is tern's own test: one line that is not empty and no comment.
func ternHasSQL(half string) bool {
	for _, l := range strings.Split(half, "\n") {
		if t := strings.TrimSpace(l); t != "" && !strings.HasPrefix(t, "--") {
			return true
		}
	}
	return false
}

func (r *reader) ternHalf(f *source.File, d migration.Direction, span source.Span) *migration.Body {
	b := &migration.Body{Direction: d, Path: f.Path, Span: span, Tx: migration.Explicit}
	text := span.Of(f.Text)
	sent := source.Span{
		Start: span.Start + len(text) - len(strings.TrimLeftFunc(text, unicode.IsSpace)),
		End:   span.Start + len(strings.TrimRightFunc(text, unicode.IsSpace)),
	}
	sent.End = max(sent.End, sent.Start)
	c := r.cutter(d, f.Path)
	half := fragment(f.Text, sent)
	if at := ternDisable.FindStringIndex(half.Text); at != nil {
		b.Tx, b.TxSpan = migration.None, source.Span{Start: sent.Start + at[0], End: sent.Start + at[1]}
		for _, piece := range ternPieces(half.Text) {
			b.Units = append(b.Units, c.unit(fragment(f.Text, source.Span{Start: sent.Start + piece.Start, End: sent.Start + piece.End})))
		}
	} else {
		b.Units = []*migration.Unit{c.unit(half)}
		if i := strings.Index(text, ternDisableTx+"\r"); i >= 0 {
			r.problem("unreadable-migration", f.Path, source.Span{Start: span.Start + i, End: span.Start + i + len(ternDisableTx)}, d,
				"tern does not see this directive, because the line ends in \\r\\n", "Save the file with \\n line ends.")
		}
	}
	if strings.Contains(half.Text, "{{") {
		const why = "tern fills in a template before it is sent"
		for _, u := range b.Units {
			for i, s := range u.Statements {
				if strings.Contains(s.SQL, "{{") || len(b.Units) == 1 && strings.Contains(half.Text, "{{ if") {
					n := s.Hidden(why)
					n.NotRunnable = why
					u.Statements[i] = n
				} else if s.NotRunnable == "" {
					n := s.Moved(0)
					n.NotRunnable = why
					u.Statements[i] = n
				}
			}
		}
	}
	settle(b, text)
	return b
}
