package source

import (
	"sort"
	"strings"
	"unicode/utf8"
)

// An Encoding says what the columns of a Position count.
type Encoding int

const (
	UTF8  Encoding = iota // bytes
	UTF16                 // UTF-16 code units, the default of LSP
	UTF32                 // code points
)

// A Position is a 0-based line and a 0-based column; the Encoding that it was
// asked with says what the column counts.
type Position struct{ Line, Column int }

// Lines is the line table of one text. A line ends with \n, \r\n or \r.
// It is immutable and safe for concurrent use.
type Lines struct {
	text   string
	starts []int // byte offset of every line; starts[0] == 0
}

// NewLines reads the line table of text.
func NewLines(text string) *Lines {
	starts := make([]int, 1, 1+strings.Count(text, "\n"))
	return &Lines{text: text, starts: appendStarts(starts, text, 0)}
}

func appendStarts(starts []int, text string, from int) []int {
	for i := from; i < len(text); i++ {
		switch text[i] {
		case '\n':
			starts = append(starts, i+1)
		case '\r':
			if i+1 >= len(text) || text[i+1] != '\n' {
				starts = append(starts, i+1)
			}
		}
	}
	return starts
}

// Replace returns the table of the text with span replaced by new. Lines
// before the edit are not read again.
func (l *Lines) Replace(span Span, new string) *Lines {
	text := l.text[:span.Start] + new + l.text[span.End:]
	// The line of the edit, or the one before it when a \r\n may be joined or
	// split at the seam.
	first := l.line(max(0, span.Start-1))
	from := l.starts[first]
	delta := len(new) - span.Len()
	starts := make([]int, first+1, len(l.starts)+strings.Count(new, "\n"))
	copy(starts, l.starts[:first+1])
	// Read again up to the first old line that starts well after the edit;
	// from there on every start only moves.
	next := sort.SearchInts(l.starts, span.End+2)
	if next >= len(l.starts) {
		return &Lines{text: text, starts: appendStarts(starts, text, from)}
	}
	stop := l.starts[next] + delta
	starts = appendStarts(starts, text[:stop], from)
	// appendStarts sees a lone \r at its end as a line end; the old table
	// says whether that start is real, and it is exactly l.starts[next].
	for len(starts) > 1 && starts[len(starts)-1] >= stop {
		starts = starts[:len(starts)-1]
	}
	for _, s := range l.starts[next:] {
		starts = append(starts, s+delta)
	}
	return &Lines{text: text, starts: starts}
}

// Text is the text of the table.
func (l *Lines) Text() string { return l.text }

// Count is the number of lines; an empty text has one.
func (l *Lines) Count() int { return len(l.starts) }

// line returns the 0-based line that holds offset.
func (l *Lines) line(offset int) int {
	return sort.SearchInts(l.starts, offset+1) - 1
}

// Start returns the offset at which a 0-based line starts; a line past the end
// starts at the end of the text.
func (l *Lines) Start(line int) int {
	if line >= len(l.starts) {
		return len(l.text)
	}
	return l.starts[max(0, line)]
}

// Line returns the span of a 0-based line without its line end.
func (l *Lines) Line(line int) Span {
	start, end := l.Start(line), l.Start(line+1)
	for end > start && (l.text[end-1] == '\n' || l.text[end-1] == '\r') {
		end--
	}
	return Span{start, end}
}

// Position returns the place of a byte offset. Offsets outside the text are
// clamped to it; an offset inside a character counts as its start.
func (l *Lines) Position(offset int, enc Encoding) Position {
	offset = max(0, min(offset, len(l.text)))
	line := l.line(offset)
	head := l.text[l.starts[line]:offset]
	switch enc {
	case UTF8:
		return Position{line, len(head)}
	default:
		for len(head) > 0 && offset < len(l.text) && !utf8.RuneStart(l.text[offset]) {
			offset--
			head = head[:len(head)-1]
		}
		return Position{line, units(head, enc)}
	}
}

// Offset returns the byte offset of a position. A column past the end of its
// line means the end of the line, a line past the end of the text the end of
// the text, as LSP says.
func (l *Lines) Offset(p Position, enc Encoding) int {
	if p.Line >= len(l.starts) {
		return len(l.text)
	}
	if p.Line < 0 {
		return 0
	}
	span := l.Line(p.Line)
	line := span.Of(l.text)
	if enc == UTF8 {
		at := span.Start + max(0, min(p.Column, len(line)))
		for at > span.Start && at < len(l.text) && !utf8.RuneStart(l.text[at]) {
			at--
		}
		return at
	}
	n, at := 0, 0
	for at < len(line) && n < p.Column {
		r, size := utf8.DecodeRuneInString(line[at:])
		w := 1
		if enc == UTF16 && r > 0xFFFF {
			w = 2
		}
		if n+w > p.Column { // inside a surrogate pair: its start
			break
		}
		n += w
		at += size
	}
	return span.Start + at
}

func units(s string, enc Encoding) int {
	n := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			i++
			n++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if enc == UTF16 && r > 0xFFFF {
			n++
		}
		n++
		i += size
	}
	return n
}

// ByteOffset leads a 1-based character position, as PostgreSQL counts it in
// its error messages, to the byte offset in text. A position past the end
// means the end.
func ByteOffset(text string, character int) int {
	n := 1
	for i := range text {
		if n >= character {
			return i
		}
		n++
	}
	return len(text)
}
