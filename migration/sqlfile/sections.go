package sqlfile

import (
	"strings"

	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// node-pg-migrate and sql-migrate: two more tools that mark sections of one
// file by comments.

var (
	nodeUp   = regex.MustCompile(`(?im)^[ \t]*--[ \t-]*up[ \t]+migration`)
	nodeDown = regex.MustCompile(`(?im)^[ \t]*--[ \t-]*down[ \t]+migration`)
)

// nodePgMigrate reads the sections of node-pg-migrate: without an up marker
// the whole file is up. Each half is one query, all pending files together one
// transaction.
func (r *reader) nodePgMigrate() {
	f := r.m.Files[0]
	up, down := nodeUp.FindStringIndex(f.Text), nodeDown.FindStringIndex(f.Text)
	upSpan := source.Span{End: len(f.Text)}
	if up != nil {
		upSpan.Start = up[0]
	}
	if down != nil && down[0] > upSpan.Start {
		upSpan.End = down[0]
	}
	section := func(d migration.Direction, span source.Span) *migration.Body {
		b := &migration.Body{Direction: d, Path: f.Path, Span: span, Tx: migration.Explicit}
		b.Units = []*migration.Unit{r.cutter(d, f.Path).unit(fragment(f.Text, span))}
		settle(b, span.Of(f.Text))
		return b
	}
	r.m.Up = section(migration.Up, upSpan)
	if down == nil {
		r.m.Down = missing(migration.Down, migration.Explicit, f)
		return
	}
	span := source.Span{Start: down[0], End: len(f.Text)}
	if up != nil && up[0] > down[0] {
		span.End = up[0]
	}
	r.m.Down = section(migration.Down, span)
}

var sqlMigrateLine = regex.MustCompile(`(?m)^-- \+migrate[ \t]+(Up|Down|StatementBegin|StatementEnd)\b([^\r\n]*)`)

// sqlMigrate reads the sections of rubenv/sql-migrate. Each statement is sent
// alone; a block between StatementBegin and StatementEnd is one.
func (r *reader) sqlMigrate() {
	f := r.m.Files[0]
	marks := sqlMigrateLine.FindAllStringSubmatchIndex(f.Text, -1)
	var body *migration.Body
	var cut *cutter
	from := 0
	flush := func(to int, block bool) {
		if body == nil || to <= from {
			return
		}
		part := fragment(f.Text, source.Span{Start: from, End: to})
		if block {
			if u := cut.unit(part); len(u.Statements) > 0 {
				body.Units = append(body.Units, u)
			}
			return
		}
		for _, s := range cut.cut(part) {
			body.Units = append(body.Units, alone(s))
		}
	}
	for _, m := range marks {
		word, rest := f.Text[m[2]:m[3]], f.Text[m[4]:m[5]]
		flush(m[0], word == "StatementEnd")
		from = m[1]
		if word != "Up" && word != "Down" {
			continue
		}
		if body != nil {
			body.Span.End = m[0]
		}
		d := migration.Up
		if word == "Down" {
			d = migration.Down
		}
		body = &migration.Body{Direction: d, Path: f.Path, Span: source.Span{Start: m[0], End: len(f.Text)}, Tx: migration.Explicit}
		cut = r.cutter(d, f.Path)
		cut.many = true
		if strings.Contains(rest, "notransaction") {
			body.Tx, body.TxSpan = migration.None, source.Span{Start: m[0], End: m[1]}
		}
		if d == migration.Up && r.m.Up == nil {
			r.m.Up = body
		} else if d == migration.Down && r.m.Down == nil {
			r.m.Down = body
		}
	}
	flush(len(f.Text), false)
	for _, b := range []*migration.Body{r.m.Up, r.m.Down} {
		if b != nil {
			settle(b, b.Span.Of(f.Text))
		}
	}
	if r.m.Up == nil {
		r.m.Up = missing(migration.Up, migration.Explicit, f)
		r.problem("missing-up-migration", f.Path, source.Span{}, migration.Up, "the file has no -- +migrate Up", "Begin the migration with a line -- +migrate Up.")
	}
	if r.m.Down == nil {
		r.m.Down = missing(migration.Down, migration.Explicit, f)
	}
}
