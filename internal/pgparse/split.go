package pgparse

import (
	"strings"

	"github.com/ddlsp/ddlsp/internal/source"
)

// A Piece is one statement of a text.
type Piece struct {
	// Span runs from its first token to its last, comments around it and the
	// semicolon excluded.
	Span source.Span
	// End is the offset just after its semicolon, or Span.End without one.
	End int
	// Terminated is set when it ends with a semicolon.
	Terminated bool
	// Copy is set for the data lines of a COPY ... FROM stdin, and Meta for a
	// psql meta-command: neither is SQL.
	Copy, Meta bool
}

// Split cuts a text into its statements, as PostgreSQL would separate them:
// semicolons in strings, quoted names, dollar quotes, comments, parentheses
// and BEGIN ATOMIC bodies do not count. Pieces that hold nothing but blanks
// and comments are left out. A text that is not closed (a quote, a
// parenthesis) runs to its end.
func Split(text string) []Piece {
	var out []Piece
	s := splitter{lexer: lexer{text: text}}
	for {
		p, ok := s.next()
		if !ok {
			return out
		}
		out = append(out, p)
	}
}

type splitter struct {
	lexer
	copyNext bool // the statement just read was COPY ... FROM stdin
}

func (s *splitter) next() (Piece, bool) {
	if s.copyNext {
		s.copyNext = false
		if p, ok := s.copyData(); ok {
			return p, true
		}
	}
	var (
		p      Piece
		began  bool
		depth  int // of parentheses
		atomic int // of BEGIN ATOMIC, and of CASE inside one
		words  int
		first  string
		prev   Token
		sawIn  bool // FROM stdin
	)
	for {
		t, ok := s.lexer.next()
		if !ok {
			if !began {
				return Piece{}, false
			}
			p.End = p.Span.End
			return p, true
		}
		if t.Kind == Punct {
			switch s.text[t.Start] {
			case '(', '[':
				depth++
			case ')', ']':
				if depth > 0 {
					depth--
				}
			case ';':
				if depth > 0 || atomic > 0 {
					break
				}
				if !began {
					continue // an empty statement
				}
				p.End, p.Terminated = t.End, true
				s.copyNext = sawIn && first == "copy"
				return p, true
			case '\\':
				if !began { // a psql meta-command takes its line
					s.lineComment()
					end := s.pos
					for end > t.Start && class[s.text[end-1]]&cSpace != 0 {
						end--
					}
					return Piece{Span: source.Span{Start: t.Start, End: end}, End: end, Meta: true}, true
				}
			}
		}
		if !began {
			began = true
			p.Span.Start = t.Start
		}
		if t.Kind == Word {
			if words == 0 {
				first = lower(s.text[t.Start:t.End])
			}
			words++
			switch n := t.Len(); {
			case n == 6 && first == "create" && t.Is(s.text, "atomic") && prev.Is(s.text, "begin"):
				atomic++
			case atomic > 0 && n == 4 && t.Is(s.text, "case"):
				atomic++
			case atomic > 0 && n == 3 && t.Is(s.text, "end"):
				atomic--
			case n == 5 && first == "copy" && t.Is(s.text, "stdin") && prev.Is(s.text, "from"):
				sawIn = true
			}
		}
		p.Span.End = t.End
		prev = t
	}
}

// copyData reads the lines up to "\." that follow a COPY ... FROM stdin.
// Without such a line they are no data.
func (s *splitter) copyData() (Piece, bool) {
	start := s.pos
	if nl := strings.IndexByte(s.text[start:], '\n'); nl >= 0 {
		start += nl + 1
	} else {
		return Piece{}, false
	}
	for at := start; at < len(s.text); {
		end := indexFrom(s.text, "\n", at)
		if end < 0 {
			end = len(s.text)
		}
		if strings.TrimRight(s.text[at:end], "\r") == `\.` {
			s.pos = end
			return Piece{Span: source.Span{Start: start, End: at + 2}, End: at + 2, Copy: true}, true
		}
		at = end + 1
	}
	return Piece{}, false
}

func indexFrom(s, sub string, from int) int {
	if from > len(s) {
		return -1
	}
	if i := strings.Index(s[from:], sub); i >= 0 {
		return from + i
	}
	return -1
}

func lower(s string) string { return strings.ToLower(s) }
