package sqlfile

import (
	"strings"

	"github.com/ddlsp/ddlsp/internal/pgparse"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// dbmate sends each section as one query, its directive line included, and
// reads options from that line alone: key:value without blanks.

var (
	dbmateUp   = regex.MustCompile(`(?m)^--[ \t]*migrate:up([ \t\r]*$|[ \t]+\S+)`)
	dbmateDown = regex.MustCompile(`(?m)^--[ \t]*migrate:down([ \t\r]*$|[ \t]+\S+)`)
	// dbmateNear is a directive that people write and dbmate passes over.
	dbmateNear = regex.MustCompile(`(?i)\btransaction\s*(?::\s+|=\s*)false\b`)
)

func (r *reader) dbmate() {
	f := r.m.Files[0]
	up, down := dbmateUp.FindAllStringIndex(f.Text, -1), dbmateDown.FindStringIndex(f.Text)
	if len(up) == 0 {
		r.m.Up = missing(migration.Up, migration.Explicit, f)
		r.m.Down = missing(migration.Down, migration.Explicit, f)
		r.problem("missing-up-migration", f.Path, source.Span{}, migration.Up,
			"dbmate refuses the file: it has no -- migrate:up", "Begin the migration with a line -- migrate:up.")
		r.rejectBoth(f, source.Span{}, "dbmate refuses the file: it has no -- migrate:up")
		return
	}
	upSpan := source.Span{Start: up[0][0], End: len(f.Text)}
	if down != nil {
		if down[0] > upSpan.Start {
			upSpan.End = down[0]
		}
		span := source.Span{Start: down[0], End: len(f.Text)}
		if down[0] < upSpan.Start {
			span.End = upSpan.Start
		}
		r.m.Down = r.dbmateSection(f, migration.Down, span)
	} else {
		r.m.Down = missing(migration.Down, migration.Explicit, f)
	}
	r.m.Up = r.dbmateSection(f, migration.Up, upSpan)
	switch {
	case down == nil:
		if r.m.Down.Origin == migration.Missing {
			r.rejectBoth(f, source.Span{}, "dbmate refuses the file: it has no -- migrate:down")
		}
	case down[0] < up[0][0]:
		at := line1(f.Text, down[0])
		r.problem("unreadable-migration", f.Path, at, migration.Down, "dbmate refuses the file: migrate:down comes before migrate:up", "Put the up section first.")
		r.rejectBoth(f, at, "dbmate refuses the file: migrate:down comes before migrate:up")
	}
	if head := pgparse.Split(f.Text[:min(up[0][0], r.m.Down.Span.Start+len(f.Text)*boolInt(down == nil))]); len(head) > 0 {
		at := head[0].Span
		r.problem("unreadable-migration", f.Path, at, migration.Up, "dbmate refuses the file: a statement stands before migrate:up", "Move it below the line -- migrate:up.")
		r.rejectBoth(f, at, "dbmate refuses the file: a statement stands before migrate:up")
	}
	if len(up) > 1 {
		at := line1(f.Text, up[1][0])
		const message = "dbmate records the version for each migrate:up section, and the second one fails on the first one's row"
		r.problem("unreadable-migration", f.Path, at, migration.Up, message, "Keep one migrate:up and one migrate:down in a file.")
		r.rejectBoth(f, at, message)
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (r *reader) rejectBoth(f *source.File, at source.Span, message string) {
	r.reject(r.m.Up, f.Path, at, message)
	r.reject(r.m.Down, f.Path, at, message)
}

// line1 is the span of the line that starts at an offset.
func line1(text string, start int) source.Span { return nextLine(text, start).span() }

func (r *reader) dbmateSection(f *source.File, d migration.Direction, span source.Span) *migration.Body {
	b := &migration.Body{Direction: d, Path: f.Path, Span: span, Tx: migration.Explicit}
	directive := line1(f.Text, span.Start)
	for _, option := range strings.Fields(directive.Of(f.Text)) {
		if option == "transaction:false" {
			b.Tx, b.TxSpan = migration.ImplicitIfMulti, directive
		}
	}
	if b.Tx == migration.Explicit && dbmateNear.MatchString(directive.Of(f.Text)) {
		r.problem("unreadable-migration", f.Path, directive, d,
			"dbmate passes over this option: only transaction:false, without a blank, turns its transaction off", "Write transaction:false.")
	}
	c := r.cutter(d, f.Path)
	b.Units = []*migration.Unit{c.unit(fragment(f.Text, span))}
	settle(b, span.Of(f.Text))
	return b
}
