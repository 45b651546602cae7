package sqlfile

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/ddlsp/ddlsp/internal/pgparse"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// goose reads a file line by line. A line that starts with -- and holds
// "+goose" is an annotation and nothing else; a statement ends on a line whose
// last word before a comment ends in a semicolon, or at StatementEnd. What it
// sends is the text between, so two statements on one line are one query.
//
// goose itself stops at the first mistake. Here reading goes on after it, so
// that a half-typed file keeps its other findings; what was read is then
// marked as not runnable.

// rule is the rule of every mistake that goose itself would refuse.
const gooseRule = "goose-annotation"

// A line of a file: its text without the line end, and where it starts.
type line struct {
	text  string
	start int
	// next is where the following line starts.
	next int
}

func (l line) span() source.Span { return source.Span{Start: l.start, End: l.start + len(l.text)} }

// nextLine cuts a line as bufio.ScanLines does: \n ends it, one \r before that
// is dropped.
func nextLine(text string, at int) line {
	end := len(text)
	next := end
	if i := strings.IndexByte(text[at:], '\n'); i >= 0 {
		end, next = at+i, at+i+1
	}
	t := strings.TrimSuffix(text[at:end], "\r")
	return line{text: t, start: at, next: next}
}

// gooseState is where the reader of a goose file is.
type gooseState struct {
	r    *reader
	f    *source.File
	dir  migration.Direction // "" before Up
	in   bool                // between StatementBegin and StatementEnd
	skip bool                // after an empty block, whose end swallows a line
	at   int                 // the offset of StatementBegin

	// What is gathered: one run of the file as long as that is possible, else
	// buf.
	run     source.Span
	buf     *source.Builder
	began   bool // something is gathered
	first   line // the line that buf began with
	last    line // the last line of it that is no comment and not empty
	envsub  bool
	expands bool   // a line in buf is changed by ENVSUB
	quote   string // the dollar quote that goose tears buf in, "" outside

	up, down *migration.Body
	cut      map[migration.Direction]*cutter
	// refused is the first mistake.
	refused *migration.RaiseError
	// here is the line that was gathered last, tears the problem of the
	// statement that is torn, as an index plus 1.
	here  line
	tears int
}

func (r *reader) goose() {
	f := r.m.Files[0]
	g := &gooseState{r: r, f: f, cut: map[migration.Direction]*cutter{
		migration.Up:   r.cutter(migration.Up, f.Path),
		migration.Down: r.cutter(migration.Down, f.Path),
	}}
	for _, c := range g.cut {
		c.many = true
	}
	tx, txSpan := migration.Explicit, source.Span{}
	for at := 0; at < len(f.Text); {
		l := nextLine(f.Text, at)
		at = l.next
		blank := trim(l.text)
		if g.dir == "" && blank == "" {
			continue
		}
		if strings.HasPrefix(blank, "--") && strings.Contains(l.text, "+goose") {
			a, complaint := annotation(l.text)
			if complaint != "" {
				g.refuse(l.span(), complaint, gooseHelp)
				if blanks := len(l.text) - len(strings.TrimLeft(l.text, " \t")); blanks > 0 {
					g.mend("Move the annotation to the start of its line", source.Edit{Span: source.Span{Start: l.start, End: l.start + blanks}})
				}
				continue
			}
			switch a {
			case "NO TRANSACTION":
				tx, txSpan = migration.None, l.span()
				continue
			case "ENVSUB ON":
				g.envsub = true
				continue
			case "ENVSUB OFF":
				g.envsub = false
				continue
			}
			g.annotation(a, l)
			continue
		}
		g.line(l, blank)
	}
	g.finish()
	for _, b := range []*migration.Body{g.up, g.down} {
		if b != nil {
			b.Tx, b.TxSpan = tx, txSpan
			settle(b, b.Span.Of(f.Text))
		}
	}
	r.m.Up, r.m.Down = g.up, g.down
	if g.up == nil {
		r.m.Up = missing(migration.Up, tx, f)
	}
	if g.down == nil {
		r.m.Down = missing(migration.Down, tx, f)
	}
	if g.refused != nil {
		r.reject(r.m.Up, f.Path, g.refused.Span, g.refused.Message)
		r.reject(r.m.Down, f.Path, g.refused.Span, g.refused.Message)
	}
}

const gooseHelp = "goose knows -- +goose Up, Down, StatementBegin, StatementEnd, NO TRANSACTION and ENVSUB ON or OFF, each alone at the start of a line."

func trim(s string) string { return strings.TrimSpace(s) }

var gooseAnnotations = []string{"Up", "Down", "StatementBegin", "StatementEnd", "NO TRANSACTION", "ENVSUB ON", "ENVSUB OFF"}

// annotation reads the line of an annotation, or says what goose has against
// it.
func annotation(l string) (name, complaint string) {
	if l[0] == ' ' || l[0] == '\t' {
		return "", "goose refuses the file: an annotation must stand at the start of its line"
	}
	word := strings.Replace(strings.ReplaceAll(l, "--", ""), "+goose", "", 1)
	if strings.Contains(word, "+goose") {
		return "", "goose refuses the file: two annotations stand on one line"
	}
	word = trim(word)
	for _, a := range gooseAnnotations {
		if strings.EqualFold(a, word) {
			return a, ""
		}
	}
	if word == "" {
		return "", "goose refuses the file: an annotation without a name"
	}
	return "", fmt.Sprintf("goose refuses the file: it takes every comment with +goose in it for an annotation and knows none named %q", word)
}

func (g *gooseState) refuse(span source.Span, message, help string) {
	if g.refused == nil {
		g.refused = &migration.RaiseError{Message: message, Path: g.f.Path, Span: span}
	}
	g.r.problem(gooseRule, g.f.Path, span, g.dir, message, help)
}

// mend says what would mend the problem that was reported last.
func (g *gooseState) mend(title string, edits ...source.Edit) {
	g.mendProblem(len(g.r.m.Problems)-1, title, edits...)
}

func (g *gooseState) mendProblem(i int, title string, edits ...source.Edit) {
	for n := range edits {
		edits[n].Path = g.f.Path
		if strings.Contains(g.f.Text, "\r\n") {
			edits[n].New = strings.ReplaceAll(edits[n].New, "\n", "\r\n")
		}
	}
	g.r.m.Problems[i].Mend = &migration.Mend{Title: title, Edits: edits}
}

// below is an edit that writes a line below another one.
func below(l line, text string) source.Edit {
	if l.next == l.start+len(l.text) { // the file ends here
		return source.Edit{Span: source.Span{Start: l.next, End: l.next}, New: "\n" + text + "\n"}
	}
	return source.Edit{Span: source.Span{Start: l.next, End: l.next}, New: text + "\n"}
}

func above(at int, text string) source.Edit {
	return source.Edit{Span: source.Span{Start: at, End: at}, New: text + "\n"}
}

func (g *gooseState) annotation(name string, l line) {
	switch name {
	case "Up":
		if g.dir != "" {
			g.refuse(l.span(), "goose refuses the file: it has a second Up annotation", "Keep one -- +goose Up; what follows belongs to its section.")
			return
		}
		g.dir = migration.Up
		g.up = &migration.Body{Direction: migration.Up, Path: g.f.Path, Span: source.Span{Start: l.start, End: len(g.f.Text)}}
	case "Down":
		switch {
		case g.dir == "":
			g.refuse(l.span(), "goose refuses the file: Down comes before Up", "Begin the file with -- +goose Up.")
		case g.in:
			g.refuse(source.Span{Start: g.at, End: g.at}, "goose refuses the file: StatementBegin without its StatementEnd", "Close the block with -- +goose StatementEnd before -- +goose Down.")
			g.mend("Close the block before Down", above(l.start, "-- +goose StatementEnd\n"))
			g.in = false
			g.emit()
		case g.dir == migration.Down:
			g.refuse(l.span(), "goose refuses the file: it has a second Down annotation", "Keep one -- +goose Down; what follows belongs to its section.")
			return
		}
		g.unfinished()
		g.skip = false
		g.dir = migration.Down
		if g.up != nil {
			g.up.Span.End = l.start
		}
		g.down = &migration.Body{Direction: migration.Down, Path: g.f.Path, Span: source.Span{Start: l.start, End: len(g.f.Text)}}
	case "StatementBegin":
		switch {
		case g.dir == "":
			g.refuse(l.span(), "goose refuses the file: StatementBegin comes before Up", "Begin the file with -- +goose Up.")
		case g.in:
			g.refuse(l.span(), "goose refuses the file: StatementBegin inside another block", "Close the first block with -- +goose StatementEnd.")
		default:
			g.in, g.at, g.skip = true, l.start, false
		}
	case "StatementEnd":
		if !g.in {
			g.refuse(l.span(), "goose refuses the file: StatementEnd without StatementBegin", "Put -- +goose StatementBegin before the statement.")
			return
		}
		g.in = false
		if !g.began {
			g.skip = true
			return
		}
		g.emit()
	}
}

// line takes a line that is no annotation.
func (g *gooseState) line(l line, blank string) {
	comment := strings.HasPrefix(blank, "--")
	if !g.began && (comment || l.text == "") {
		return
	}
	if g.dir == "" {
		if g.refused == nil {
			g.refuse(l.span(), "goose refuses the file: it must begin with -- +goose Up", "Put -- +goose Up before the first statement.")
			g.mend("Begin the file with -- +goose Up", above(l.start, "-- +goose Up"))
		}
		return
	}
	if g.skip { // goose drops the line after an empty block
		g.skip = false
		g.emit()
		if blank != "" {
			g.r.problem(gooseRule, g.f.Path, l.span(), g.dir, "goose drops this line, because the block before it is empty", "Delete the empty StatementBegin and StatementEnd.")
		}
		return
	}
	if !g.began {
		g.began, g.first = true, l
	}
	if !comment && blank != "" || g.last.next == 0 {
		g.last = l
	}
	if g.envsub && strings.ContainsAny(l.text, "$") {
		g.expands = true
	}
	g.gather(l)
	g.here = l
	switch {
	case g.in:
	case g.quote != "": // inside a body that goose tears
		if strings.Contains(l.text, g.quote) {
			g.quote = ""
			if endsStatement(l.text) {
				g.emit()
			}
		}
	case endsStatement(l.text):
		if !g.torn() {
			g.emit()
		}
	}
}

// gather adds a line with its end. goose drops the \r of a line end, and
// annotations inside a statement.
func (g *gooseState) gather(l line) {
	end := l.start + len(l.text)
	unchanged := l.next == end || l.next == end+1
	if g.buf == nil {
		if g.run.Len() == 0 && unchanged {
			g.run = source.Span{Start: l.start, End: l.next}
			return
		}
		if g.run.End == l.start && unchanged {
			g.run.End = l.next
			return
		}
		g.buf = &source.Builder{}
		g.buf.Exact(g.run.Of(g.f.Text), g.run.Start)
	}
	g.buf.Exact(l.text, l.start)
	if l.next > end {
		g.buf.Exact("\n", l.next-1)
	}
}

// gathered is what was gathered.
func (g *gooseState) gathered() source.Fragment {
	if g.buf != nil {
		return g.buf.Fragment()
	}
	return fragment(g.f.Text, g.run)
}

// endsStatement reports whether the last word of a line, a comment at its end
// left aside, ends in a semicolon.
func endsStatement(l string) bool {
	if strings.IndexByte(l, ';') < 0 {
		return false
	}
	last := ""
	for w := range strings.FieldsSeq(l) {
		if strings.HasPrefix(w, "--") {
			break
		}
		last = w
	}
	return strings.HasSuffix(last, ";")
}

// emit makes a unit of what was gathered.
func (g *gooseState) emit() {
	f := g.gathered()
	start := len(f.Text) - len(strings.TrimLeftFunc(f.Text, unicode.IsSpace))
	end := len(strings.TrimRightFunc(f.Text, unicode.IsSpace))
	expands := g.expands
	if g.tears > 0 {
		if endsStatement(g.here.text) {
			g.mendProblem(g.tears-1, "Keep the statement together with StatementBegin and StatementEnd",
				above(g.first.start, "-- +goose StatementBegin"), below(g.here, "-- +goose StatementEnd"))
		}
		g.tears = 0
	}
	g.reset()
	b := g.up
	if g.dir == migration.Down {
		b = g.down
	}
	if b == nil {
		return
	}
	if end <= start { // a block of blanks: goose sends an empty query
		b.Units = append(b.Units, &migration.Unit{Map: source.Identity(b.Span.Start, 0)})
		return
	}
	part := f.Slice(source.Span{Start: start, End: end})
	c := g.cut[g.dir]
	if !expands {
		if u := c.again(part); u != nil {
			b.Units = append(b.Units, u)
			return
		}
	}
	u := c.unit(part)
	if expands {
		for i, s := range u.Statements {
			c := s.Hidden("goose fills in environment variables (ENVSUB) before it is sent")
			c.NotRunnable = c.Opaque
			u.Statements[i] = c
		}
	}
	b.Units = append(b.Units, u)
}

func (g *gooseState) reset() {
	g.run, g.buf, g.began, g.last, g.expands, g.quote = source.Span{}, nil, false, line{}, false, ""
}

// opens returns the dollar quote that a text leaves open, "" when none.
func opens(text string) string {
	if !strings.Contains(text, "$") {
		return ""
	}
	tokens := pgparse.Tokens(text)
	if len(tokens) == 0 {
		return ""
	}
	t := tokens[len(tokens)-1]
	if !t.Open || t.Kind != pgparse.Dollar {
		return ""
	}
	quote := t.Span.Of(text)
	return quote[:strings.IndexByte(quote[1:], '$')+2]
}

// torn notices that goose would end the statement inside a quoted body. The
// rest of the body is then read with it, so that the mistake is told once.
func (g *gooseState) torn() bool {
	f := g.gathered()
	g.quote = opens(f.Text)
	if g.quote == "" {
		return false
	}
	at := g.first.span()
	if pieces := pgparse.Split(f.Text); len(pieces) > 0 {
		at = f.Map.Span(pieces[len(pieces)-1].Span)
	}
	g.refuse(at, "goose cuts this statement at the first line that ends in a semicolon, in the middle of its quoted body",
		"Put -- +goose StatementBegin before the statement and -- +goose StatementEnd after it.")
	g.tears = len(g.r.m.Problems)
	return true
}

// unfinished complains about gathered text that no semicolon ended.
func (g *gooseState) unfinished() {
	if !g.began {
		return
	}
	f := g.gathered()
	if trim(f.Text) == "" {
		g.reset()
		return
	}
	at, last := g.last.span(), g.last
	if pieces := pgparse.Split(f.Text); len(pieces) > 0 {
		at = f.Map.Span(pieces[len(pieces)-1].Span)
	}
	g.emit()
	g.refuse(at, "goose refuses the file: the statement has no semicolon at the end of its last line", "End the statement with a semicolon.")
	if code := strings.TrimRight(last.text, " \t\r"); !strings.Contains(code, "--") && code != "" {
		end := last.start + len(code)
		g.mend("End the statement with a semicolon", source.Edit{Span: source.Span{Start: end, End: end}, New: ";"})
	}
}

func (g *gooseState) finish() {
	switch {
	case g.dir == "":
		if g.refused == nil {
			g.refuse(source.Span{}, "goose refuses the file: it must begin with -- +goose Up", "Put -- +goose Up before the first statement.")
		}
	case g.in:
		l := nextLine(g.f.Text, g.at)
		g.refuse(l.span(), "goose refuses the file: StatementBegin without its StatementEnd", "Close the block with -- +goose StatementEnd.")
		if n := len(g.f.Text); strings.HasSuffix(g.f.Text, "\n") {
			g.mend("Close the block at the end of the file", above(n, "-- +goose StatementEnd"))
		} else {
			g.mend("Close the block at the end of the file", source.Edit{Span: source.Span{Start: n, End: n}, New: "\n-- +goose StatementEnd\n"})
		}
		g.emit()
	default:
		g.unfinished()
	}
}
