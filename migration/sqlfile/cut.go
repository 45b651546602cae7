package sqlfile

import (
	"strings"

	"github.com/ddlsp/ddlsp/internal/pgparse"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// A cutter cuts the SQL of one direction into statements and takes over those
// that an earlier reading already has.
type cutter struct {
	path string
	// old are the statements of the earlier reading in file order; those
	// before head are used up.
	old  []*migration.Statement
	head int
	// units are its units, those before next used up.
	units []*migration.Unit
	next  int
	// before is what the earlier reading cut, now what this one does; neither
	// where many texts are cut one by one.
	before, now *scan
	many        bool
}

// A scan is a text and its pieces.
type scan struct {
	text   string
	pieces []pgparse.Piece
}

// cutter makes the cutter of a direction.
func (r *reader) cutter(d migration.Direction, path string) *cutter {
	c := &cutter{path: path}
	if b := r.prevBody(d, path); b != nil {
		c.old, c.units = b.Statements(), b.Units
		if e, ok := r.prev.Editor.(editor); ok {
			c.before = e.scans[d]
		}
	}
	if r.cutters == nil {
		r.cutters = map[migration.Direction]*cutter{}
	}
	r.cutters[d] = c
	return c
}

// scans are what was cut, for the next reading.
func (r *reader) scans() map[migration.Direction]*scan {
	out := map[migration.Direction]*scan{}
	for d, c := range r.cutters {
		if c.now != nil {
			out[d] = c.now
		}
	}
	return out
}

// statement makes the statement of one piece of f. Editing changes a file in
// one place, so what comes before it lies where it lay, and what comes after
// it has only moved.
func (c *cutter) statement(f source.Fragment, p pgparse.Piece) *migration.Statement {
	sql := p.Span.Of(f.Text)
	span := f.Map.Span(p.Span)
	// A few statements may be gone at the place of the edit; looking further
	// than that would cost more than reading anew.
	for i := c.head; i < len(c.old) && i < c.head+8; i++ {
		o := c.old[i]
		if o.SQL != sql || o.Path != c.path || o.Opaque != "" || o.NotRunnable != "" {
			continue
		}
		if o.Span == span {
			c.head = i + 1
			return o
		}
		if o.Span.Len() == span.Len() && len(sql) == span.Len() {
			c.head = i + 1
			return o.Moved(span.Start - o.Span.Start)
		}
	}
	s := &migration.Statement{SQL: sql, Path: c.path, Span: span, Map: f.Slice(p.Span).Map}
	switch {
	case p.Meta:
		s.Opaque = "a psql meta-command, which only psql understands"
	case p.Copy:
		s.Opaque = "data of COPY, which only psql can send"
	}
	return s
}

// cut returns the statements of a fragment.
func (c *cutter) cut(f source.Fragment) []*migration.Statement {
	var pieces []pgparse.Piece
	if c.before != nil && !c.many {
		pieces = pgparse.Resplit(f.Text, c.before.text, c.before.pieces)
	} else {
		pieces = pgparse.Split(f.Text)
	}
	if !c.many {
		c.now = &scan{f.Text, pieces}
	}
	out := make([]*migration.Statement, 0, len(pieces))
	for _, p := range pieces {
		out = append(out, c.statement(f, p))
	}
	return out
}

// unit makes a unit that is sent as one text.
func (c *cutter) unit(f source.Fragment) *migration.Unit {
	return &migration.Unit{SQL: f.Text, Map: f.Map, Statements: c.cut(f)}
}

// again returns the unit with this text that the earlier reading has, moved to
// where it stands now; nil when there is none.
func (c *cutter) again(f source.Fragment) *migration.Unit {
	at, exact := f.Map.Offset(0)
	for i := c.next; i < len(c.units) && i < c.next+8; i++ {
		u := c.units[i]
		if u.SQL != f.Text || !exact || !u.Map.IsIdentity() || !f.Map.IsIdentity() {
			continue
		}
		was, _ := u.Map.Offset(0)
		for _, s := range u.Statements {
			if s.Opaque != "" || s.NotRunnable != "" {
				return nil
			}
		}
		c.next = i + 1
		if was == at {
			return u
		}
		n := &migration.Unit{SQL: u.SQL, Map: u.Map.Shift(at - was), Statements: make([]*migration.Statement, len(u.Statements))}
		for i, s := range u.Statements {
			n.Statements[i] = s.Moved(at - was)
		}
		return n
	}
	return nil
}

// fragment is a part of a file as it stands there.
func fragment(text string, span source.Span) source.Fragment {
	return source.Fragment{Text: span.Of(text), Map: source.Identity(span.Start, span.Len())}
}

// irreversible finds the comment by which an author says that a change cannot
// be undone.
var irreversible = regex.MustCompile(`(?m)^[ \t]*--[ \t]*ddlsp:irreversible\b[ \t]*:?[ \t]*(.*?)[ \t\r]*$`)

// declaredIrreversible finds that comment and its reason.
func declaredIrreversible(text string) (reason string, ok bool) {
	if !strings.Contains(text, "ddlsp:irreversible") { // nearly always; the expression is slow on large files
		return "", false
	}
	if m := irreversible.FindStringSubmatch(text); m != nil {
		return m[1], true
	}
	return "", false
}

// noop matches the statements that do nothing and stand in for "nothing to
// do".
var noop = regex.MustCompile(`(?is)^select\s+('[^']*'|[0-9]+|true|false|null)(\s+as\s+\w+)?\s*$`)

// settle decides the Origin of a body from its statements and its text.
func settle(b *migration.Body, text string) {
	if b.Direction == migration.Down {
		if reason, ok := declaredIrreversible(text); ok {
			b.Reason, b.Origin = reason, migration.Raises
		}
	}
	stmts := b.Statements()
	empty := true
	for _, s := range stmts {
		if s.Opaque != "" || !noop.MatchString(s.SQL) {
			empty = false
			break
		}
	}
	switch {
	case empty && b.Origin == migration.Raises:
	case empty:
		b.Origin = migration.Empty
	case len(stmts) == 1 && raises(stmts[0]):
		b.Origin = migration.Raises
		if b.Reason == "" {
			b.Reason = raiseReason(stmts[0].SQL)
		}
	default:
		b.Origin = migration.Written
	}
}

// raises reports whether the statement does nothing but raise an exception.
func raises(s *migration.Statement) bool {
	if len(s.SQL) < 2 || !strings.EqualFold(s.SQL[:2], "do") {
		return false
	}
	ops := s.Ops()
	if len(ops) != 1 {
		return false
	}
	do, ok := ops[0].(*migration.Do)
	return ok && do.Raises
}

var raiseText = regex.MustCompile(`(?i)\braise\s+(?:exception\s+)?'((?:[^']|'')*)'`)

func raiseReason(sql string) string {
	if m := raiseText.FindStringSubmatch(sql); m != nil {
		return strings.ReplaceAll(m[1], "''", "'")
	}
	return ""
}

// missing is the body of a direction that does not exist; partner is the file
// of the other one.
func missing(d migration.Direction, tx migration.Tx, partner *source.File) *migration.Body {
	b := &migration.Body{Direction: d, Origin: migration.Missing, Path: partner.Path, Tx: tx}
	if d == migration.Down {
		if reason, ok := declaredIrreversible(partner.Text); ok {
			b.Origin, b.Reason = migration.Raises, reason
		}
	}
	return b
}

// reject marks everything in the migration as not runnable, because its own
// tool would refuse the file before it sends anything.
func (r *reader) reject(b *migration.Body, path string, span source.Span, message string) {
	if b == nil || b.Err != nil {
		return
	}
	b.Err = &migration.RaiseError{Message: message, Path: path, Span: span}
	hold(b, "", message)
}

// hold makes the statements of a body opaque or not runnable, those that are
// not already. Units may be shared with an earlier reading, so they are
// replaced, not changed.
func hold(b *migration.Body, opaque, notRunnable string) {
	for i, u := range b.Units {
		n := &migration.Unit{SQL: u.SQL, Map: u.Map, Statements: make([]*migration.Statement, len(u.Statements))}
		for j, s := range u.Statements {
			c := s.Moved(0)
			if opaque != "" && c.Opaque == "" {
				c = c.Hidden(opaque)
			}
			if c.NotRunnable == "" {
				c.NotRunnable = notRunnable
			}
			n.Statements[j] = c
		}
		b.Units[i] = n
	}
}

// nul reports the first NUL byte of a file, where PostgreSQL would stop
// reading it. A binary file has one: nothing else in it is worth a word.
func (r *reader) nul(f *source.File) {
	if i := strings.IndexByte(f.Text, 0); i >= 0 {
		for _, d := range []migration.Direction{migration.Up, migration.Down} {
			if b := r.m.Body(d); b.Path == f.Path {
				hold(b, nulReason, nulReason)
			}
		}
		r.problem("unparsable-sql", f.Path, source.Span{Start: i, End: i + 1}, "",
			"the file has a NUL byte here, so it is no text that PostgreSQL can read",
			"Save the file as UTF-8 text, or move it out of the migrations.")
	}
}

const nulReason = "a NUL byte stands in its file, which PostgreSQL cannot take"

const bom = "\ufeff"

// byteOrderMark reports a mark at the start of a file whose tool sends it to
// the server.
func (r *reader) byteOrderMark(f *source.File, d migration.Direction) {
	if strings.HasPrefix(f.Text, bom) {
		r.problem("unparsable-sql", f.Path, source.Span{End: len(bom)}, d,
			"the file starts with a byte order mark, which PostgreSQL takes for part of the first word",
			"Save the file as UTF-8 without a byte order mark.")
	}
}
