package sqlfile

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ddlsp/ddlsp/internal/source"
)

// ternPieces cuts what tern sends without a transaction as tern cuts it: after
// each semicolon outside of quotes and comments, the comments before a
// statement and the semicolon behind it included. Where tern sees the end of a
// quote or a comment elsewhere than PostgreSQL does, so does this.
func ternPieces(text string) []source.Span {
	var out []source.Span
	start := 0
	end := func(at int) {
		piece := text[start:at]
		lead := len(piece) - len(strings.TrimLeftFunc(piece, unicode.IsSpace))
		if trimmed := strings.TrimSpace(piece); trimmed != "" {
			out = append(out, source.Span{Start: start + lead, End: start + lead + len(trimmed)})
		}
		start = at
	}
	for i := 0; i < len(text); {
		rest := text[i:]
		switch {
		case strings.HasPrefix(rest, "e'"), strings.HasPrefix(rest, "E'"):
			i += 2 + quoted(rest[2:], '\'', true)
		case rest[0] == '\'' || rest[0] == '"':
			i += 1 + quoted(rest[1:], rest[0], false)
		case rest[0] == '$':
			i += 1 + dollars(rest[1:])
		case strings.HasPrefix(rest, "--"):
			i += 2 + lineComment(rest[2:])
		case strings.HasPrefix(rest, "/*"):
			i += 2 + blockComment(rest[2:])
		case rest[0] == ';':
			i++
			end(i)
		default:
			i++
		}
	}
	end(len(text))
	if len(out) == 0 {
		out = append(out, source.Span{End: len(text)})
	}
	return out
}

// quoted is the length of the rest of a quote, its end included. A doubled
// quote is a part of it; a backslash hides what follows where escapes count.
func quoted(s string, quote byte, escapes bool) int {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && escapes:
			_, n := utf8.DecodeRuneInString(s[i+1:])
			i += n
		case s[i] == quote && i+1 < len(s) && s[i+1] == quote:
			i++
		case s[i] == quote:
			return i + 1
		}
	}
	return len(s)
}

// dollars is the length of a dollar quote after its first $; 0 when there is
// none.
func dollars(s string) int {
	tag, ok := dollarTag(s)
	if !ok {
		return 0
	}
	for i := len(tag) + 1; i < len(s); i++ {
		if s[i] != '$' {
			continue
		}
		if other, ok := dollarTag(s[i+1:]); ok && other == tag {
			return i + 1 + len(tag) + 1
		}
		i++ // tern does not look at what stands behind another $
	}
	return len(s)
}

// dollarTag is the tag between two $, of which the first has been read.
func dollarTag(s string) (tag string, ok bool) {
	for i, r := range s {
		switch {
		case r == '$':
			return s[:i], true
		case unicode.IsLetter(r), r == '_', i > 0 && '0' <= r && r <= '9':
		default:
			return "", false
		}
	}
	return "", false
}

// lineComment is the length of the rest of a comment, in which tern lets a
// backslash hide the end of the line.
func lineComment(s string) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			_, n := utf8.DecodeRuneInString(s[i+1:])
			i += n
		case '\n', '\r':
			return i + 1
		}
	}
	return len(s)
}

func blockComment(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch {
		case strings.HasPrefix(s[i:], "/*"):
			depth++
			i++
		case strings.HasPrefix(s[i:], "*/"):
			i++
			if depth == 0 {
				return i + 1
			}
			depth--
		}
	}
	return len(s)
}
