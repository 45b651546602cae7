package pgparse

import (
	"errors"
	"strings"
	"unicode/utf8"

	pg "github.com/pganalyze/pg_query_go/v5"
	"github.com/pganalyze/pg_query_go/v5/parser"

	"github.com/ddlsp/ddlsp/internal/source"
)

// An Error is PostgreSQL's complaint about a text.
type Error struct {
	Message string
	// Offset is the byte of the text at which it was noticed, at most its
	// length.
	Offset int
}

func (e *Error) Error() string { return e.Message }

// ErrTooComplex is returned for a text that could overflow the stack of
// PostgreSQL's parser, which would end the process.
var ErrTooComplex = errors.New("too complex to read")

// Limits before the parser is called. Chains of about 1,000 operators and some
// 300 nested expressions have killed a process on a thread with a small stack.
const (
	maxChain = 1000
	maxDepth = 200
)

// Parse reads a text of one or more statements. All locations in the tree are
// byte offsets in text. It returns an *Error where the grammar does not know
// the text, and ErrTooComplex. The tree must not be changed.
func Parse(text string) ([]*Node, error) {
	if tooComplex(text) {
		return nil, ErrTooComplex
	}
	clean := sanitise(text)
	res, err := pg.Parse(clean)
	if err != nil {
		var perr *parser.Error
		if errors.As(err, &perr) {
			return nil, &Error{Message: perr.Message, Offset: source.ByteOffset(clean, perr.Cursorpos)}
		}
		if strings.Contains(err.Error(), "recursion depth") { // protobuf's own limit
			return nil, ErrTooComplex
		}
		return nil, &Error{Message: err.Error()}
	}
	out := make([]*Node, 0, len(res.Stmts))
	for _, s := range res.Stmts {
		if s.Stmt != nil {
			out = append(out, s.Stmt)
		}
	}
	return out, nil
}

// sanitise replaces what the parser cannot take byte for byte: a byte order
// mark and NUL by blanks, bytes that are no UTF-8 by question marks, so that
// every offset stays true.
func sanitise(text string) string {
	if utf8.ValidString(text) && !strings.Contains(text, "\x00") && !strings.HasPrefix(text, bom) {
		return text
	}
	b := []byte(text)
	if strings.HasPrefix(text, bom) {
		copy(b, "   ")
	}
	for i := 0; i < len(b); {
		if b[i] == 0 {
			b[i] = ' '
		}
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			b[i] = '?'
		}
		i += size
	}
	return string(b)
}

// tooComplex reports whether a statement nests or chains expressions so deep
// that reading it could kill the process.
func tooComplex(text string) bool {
	if len(text) < maxDepth { // cannot hold that many
		return false
	}
	var chains [maxDepth + 2]int
	depth := 0
	for l := (lexer{text: text}); ; {
		t, ok := l.next()
		if !ok {
			return false
		}
		switch t.Kind {
		case Punct:
			switch text[t.Start] {
			case '(', '[':
				depth++
				if depth > maxDepth {
					return true
				}
				chains[depth] = 0
			case ')', ']':
				if depth > 0 {
					depth--
				}
				// A subscript or a call chain: a[1][2], (f)(g).
				chains[depth]++
			case ',', ';':
				chains[depth] = 0
			case '.':
				chains[depth]++
			}
		case Operator:
			// A lone operator of many signs is one; -, + and ~ may repeat as
			// prefixes: "- - - 1".
			chains[depth]++
		case Word:
			switch {
			case t.Is(text, "and"), t.Is(text, "or"), t.Is(text, "not"), t.Is(text, "union"), t.Is(text, "except"),
				t.Is(text, "intersect"), t.Is(text, "join"), t.Is(text, "is"), t.Is(text, "collate"), t.Is(text, "like"),
				t.Is(text, "ilike"), t.Is(text, "in"), t.Is(text, "between"), t.Is(text, "at"):
				chains[depth]++
			case t.Is(text, "case"):
				depth++
				if depth > maxDepth {
					return true
				}
				chains[depth] = 0
			case t.Is(text, "end"):
				if depth > 0 {
					depth--
				}
			case t.Is(text, "when"), t.Is(text, "then"):
				chains[depth] = 0
			}
		}
		if chains[depth] > maxChain {
			return true
		}
	}
}
