package pgparse

import "github.com/ddlsp/ddlsp/internal/source"

// A Kind says what a Token is.
type Kind uint8

const (
	Word   Kind = iota + 1 // an unquoted identifier or keyword
	Quoted                 // "identifier", U&"identifier"
	String                 // 'text', E'text', B'01', X'ff', N'text', U&'text'
	Dollar                 // $tag$ text $tag$
	Number
	Param    // $1
	Operator // one or more of + - * / < > = ~ ! @ # % ^ & | ` ?, and ::, :=, =>
	Punct    // one of ( ) [ ] , ; . : \
)

// A Token is one lexical element of SQL; comments and blanks are none.
type Token struct {
	Kind Kind
	source.Span
	// Open is set for a string, quoted identifier or dollar text that the
	// input does not close.
	Open bool
}

// Is reports whether the token is the keyword, given in lower case.
func (t Token) Is(text, keyword string) bool {
	return t.Kind == Word && t.Len() == len(keyword) && foldEqual(text[t.Start:t.End], keyword)
}

// IsPunct reports whether the token is the one-byte punctuation c.
func (t Token) IsPunct(text string, c byte) bool {
	return t.Kind == Punct && text[t.Start] == c
}

// foldEqual compares an ASCII word of any case with one in lower case.
func foldEqual(s, lower string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// Tokens reads all tokens of a text.
func Tokens(text string) []Token {
	var out []Token
	for l := (lexer{text: text}); ; {
		t, ok := l.next()
		if !ok {
			return out
		}
		out = append(out, t)
	}
}

// classes of bytes.
const (
	cSpace = 1 << iota
	cIdentStart
	cIdent
	cDigit
	cOperator
)

var class [256]uint8

func init() {
	for _, c := range " \t\n\r\f\v" {
		class[c] |= cSpace
	}
	for c := 'a'; c <= 'z'; c++ {
		class[c] |= cIdentStart | cIdent
		class[c-32] |= cIdentStart | cIdent
	}
	for c := '0'; c <= '9'; c++ {
		class[c] |= cDigit | cIdent
	}
	for c := 0x80; c <= 0xff; c++ {
		class[c] |= cIdentStart | cIdent
	}
	class['_'] |= cIdentStart | cIdent
	class['$'] |= cIdent
	for _, c := range "+-*/<>=~!@#%^&|`?" {
		class[c] |= cOperator
	}
}

// A lexer cuts SQL into tokens as PostgreSQL's own scanner does, with
// standard_conforming_strings on.
type lexer struct {
	text string
	pos  int
}

const bom = "\ufeff"

func (l *lexer) next() (Token, bool) {
	s := l.text
	for l.pos < len(s) {
		start := l.pos
		c := s[start]
		k := class[c]
		switch {
		case k&cSpace != 0 || c == 0:
			l.pos++
			continue
		case c == 0xef && len(s)-start >= 3 && s[start:start+3] == bom:
			l.pos += 3
			continue
		case c == '-' && start+1 < len(s) && s[start+1] == '-':
			l.lineComment()
			continue
		case c == '/' && start+1 < len(s) && s[start+1] == '*':
			l.blockComment()
			continue
		case k&cIdentStart != 0:
			if start+1 < len(s) {
				n := s[start+1]
				switch {
				case n == '\'' && (c == 'e' || c == 'E'):
					l.pos++
					return l.quoted(start, '\'', String, true)
				case n == '\'' && (c == 'b' || c == 'B' || c == 'x' || c == 'X' || c == 'n' || c == 'N'):
					l.pos++
					return l.quoted(start, '\'', String, false)
				case n == '&' && (c == 'u' || c == 'U') && start+2 < len(s) && (s[start+2] == '\'' || s[start+2] == '"'):
					l.pos += 2
					if s[start+2] == '"' {
						return l.quoted(start, '"', Quoted, false)
					}
					return l.quoted(start, '\'', String, false)
				}
			}
			i := start + 1
			for i < len(s) && class[s[i]]&cIdent != 0 {
				i++
			}
			l.pos = i
			return Token{Kind: Word, Span: source.Span{Start: start, End: i}}, true
		case c == '\'':
			return l.quoted(start, '\'', String, false)
		case c == '"':
			return l.quoted(start, '"', Quoted, false)
		case c == '$':
			return l.dollar(start)
		case k&cDigit != 0 || c == '.' && start+1 < len(s) && class[s[start+1]]&cDigit != 0:
			return l.number(start)
		case c == ':' && start+1 < len(s) && (s[start+1] == ':' || s[start+1] == '='):
			l.pos += 2
			return Token{Kind: Operator, Span: source.Span{Start: start, End: l.pos}}, true
		case k&cOperator != 0:
			i := start + 1
			for i < len(s) && class[s[i]]&cOperator != 0 {
				if i+1 < len(s) && (s[i] == '-' && s[i+1] == '-' || s[i] == '/' && s[i+1] == '*') {
					break
				}
				i++
			}
			l.pos = i
			return Token{Kind: Operator, Span: source.Span{Start: start, End: i}}, true
		default:
			l.pos++
			return Token{Kind: Punct, Span: source.Span{Start: start, End: l.pos}}, true
		}
	}
	return Token{}, false
}

func (l *lexer) lineComment() {
	s := l.text
	for l.pos < len(s) && s[l.pos] != '\n' && s[l.pos] != '\r' {
		l.pos++
	}
}

func (l *lexer) blockComment() {
	s := l.text
	depth := 0
	for l.pos < len(s) {
		if l.pos+1 < len(s) {
			if s[l.pos] == '/' && s[l.pos+1] == '*' {
				depth++
				l.pos += 2
				continue
			}
			if s[l.pos] == '*' && s[l.pos+1] == '/' {
				depth--
				l.pos += 2
				if depth == 0 {
					return
				}
				continue
			}
		}
		l.pos++
	}
}

// quoted reads a text in quotes; l.pos is at the opening quote.
func (l *lexer) quoted(start int, quote byte, kind Kind, escapes bool) (Token, bool) {
	s := l.text
	i := l.pos + 1
	for i < len(s) {
		switch {
		case escapes && s[i] == '\\':
			i += 2
			continue
		case s[i] == quote:
			if i+1 < len(s) && s[i+1] == quote {
				i += 2
				continue
			}
			l.pos = i + 1
			return Token{Kind: kind, Span: source.Span{Start: start, End: l.pos}}, true
		}
		i++
	}
	l.pos = len(s)
	return Token{Kind: kind, Span: source.Span{Start: start, End: len(s)}, Open: true}, true
}

func (l *lexer) dollar(start int) (Token, bool) {
	s := l.text
	i := start + 1
	if i < len(s) && class[s[i]]&cDigit != 0 {
		for i < len(s) && class[s[i]]&cDigit != 0 {
			i++
		}
		l.pos = i
		return Token{Kind: Param, Span: source.Span{Start: start, End: i}}, true
	}
	for i < len(s) && s[i] != '$' && class[s[i]]&cIdent != 0 {
		i++
	}
	if i >= len(s) || s[i] != '$' {
		l.pos = start + 1
		return Token{Kind: Punct, Span: source.Span{Start: start, End: l.pos}}, true
	}
	tag := s[start : i+1]
	end := indexFrom(s, tag, i+1)
	if end < 0 {
		l.pos = len(s)
		return Token{Kind: Dollar, Span: source.Span{Start: start, End: len(s)}, Open: true}, true
	}
	l.pos = end + len(tag)
	return Token{Kind: Dollar, Span: source.Span{Start: start, End: l.pos}}, true
}

func (l *lexer) number(start int) (Token, bool) {
	s := l.text
	i := start
	for i < len(s) {
		c := s[i]
		switch {
		case class[c]&cIdent != 0 && c < 0x80 && c != '$' || c == '.' && !(i+1 < len(s) && s[i+1] == '.'):
			i++
			continue
		case (c == '+' || c == '-') && (s[i-1] == 'e' || s[i-1] == 'E') && i > start && !hex(s[start:i]):
			i++
			continue
		}
		break
	}
	l.pos = i
	return Token{Kind: Number, Span: source.Span{Start: start, End: i}}, true
}

func hex(s string) bool { return len(s) > 1 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') }
