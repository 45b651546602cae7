package ecto

import (
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration/ecto/internal/syntax"
)

func (e *evaluator) integerLiteral(n *syntax.Node) value {
	s := strings.ReplaceAll(e.of(n), "_", "")
	base := 10
	if len(s) > 2 && s[0] == '0' {
		switch s[1] {
		case 'x':
			base, s = 16, s[2:]
		case 'o':
			base, s = 8, s[2:]
		case 'b':
			base, s = 2, s[2:]
		}
	}
	i, ok := new(big.Int).SetString(s, base)
	if !ok || len(s) > 1000 {
		return e.notKnown(n, false, "writes a number that is not understood")
	}
	return value{i, n.Span}
}

func (e *evaluator) floatLiteral(n *syntax.Node) value {
	f, err := strconv.ParseFloat(strings.ReplaceAll(e.of(n), "_", ""), 64)
	if err != nil {
		return e.notKnown(n, false, "writes a number that is not understood")
	}
	return value{f, n.Span}
}

// charLiteral evaluates ?a and ?\n.
func (e *evaluator) charLiteral(n *syntax.Node) value {
	s := strings.TrimPrefix(e.of(n), "?")
	if strings.HasPrefix(s, `\`) {
		s = unescape(s)
	}
	r, _ := utf8.DecodeRuneInString(s)
	return integer(int64(r), n.Span)
}

func (e *evaluator) quotedAtom(n *syntax.Node, s *scope) value {
	v := e.quoted(n, s, true)
	if name, ok := v.string(); ok {
		return value{atom(name), n.Span}
	}
	if v.isUnknown() {
		return v
	}
	return e.notKnown(n, false, "builds a name from something that is not known")
}

// charlist turns a text into a list of code points.
func charlist(v value) value {
	s, ok := v.string()
	if !ok {
		return v
	}
	var items []value
	for _, r := range s {
		items = append(items, integer(int64(r), v.span))
	}
	return newList(items, v.span)
}

// unescape is the text that an escape sequence of a string stands for.
func unescape(s string) string {
	if len(s) < 2 {
		return s
	}
	switch c := s[1]; c {
	case 'n':
		return "\n"
	case 't':
		return "\t"
	case 'r':
		return "\r"
	case 's':
		return " "
	case '0':
		return "\x00"
	case 'a':
		return "\a"
	case 'b':
		return "\b"
	case 'd':
		return "\x7f"
	case 'e':
		return "\x1b"
	case 'f':
		return "\f"
	case 'v':
		return "\v"
	case '\n':
		return ""
	case '\r':
		if s == "\\\r\n" {
			return ""
		}
	case 'x', 'u':
		hex := strings.Trim(s[2:], "{}")
		n, err := strconv.ParseUint(hex, 16, 32)
		if err != nil {
			return s[1:]
		}
		if c == 'x' && n > 0x7f && n <= 0xff {
			return string([]byte{byte(n)})
		}
		return string(rune(n))
	}
	return s[1:]
}

// escapeAt returns the length of the escape sequence that begins at s[0].
func escapeAt(s string) int {
	if len(s) < 2 {
		return len(s)
	}
	hex := func(from, most int) int {
		n := from
		for n < len(s) && n < from+most && strings.IndexByte("0123456789abcdefABCDEF", s[n]) >= 0 {
			n++
		}
		return n
	}
	switch s[1] {
	case 'x', 'u':
		if len(s) > 2 && s[2] == '{' {
			if end := strings.IndexByte(s, '}'); end > 0 {
				return end + 1
			}
		}
		if s[1] == 'x' {
			return hex(2, 2)
		}
		return hex(2, 4)
	case '\r':
		if len(s) > 2 && s[2] == '\n' {
			return 3
		}
	}
	_, size := utf8.DecodeRuneInString(s[1:])
	return 1 + size
}

// A quoteStyle says how a literal is delimited: what must be escaped in it.
type quoteStyle struct {
	raw     bool // a sigil in capitals: nothing can be escaped
	heredoc bool
	close   byte
}

// escape returns text as it must be written inside the literal.
func (q quoteStyle) escape(s string) string {
	if q.raw {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case c == '\\',
			c == q.close && !q.heredoc,
			c == '"' && q.heredoc && strings.HasPrefix(s[i:], `"""`),
			c == '#' && i+1 < len(s) && s[i+1] == '{':
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	return b.String()
}

// quoted evaluates the inside of a quoted literal. Every byte that stands in
// the file as it is maps to itself; escapes and interpolations map to the
// whole of what is written there. With escapes off, nothing is an escape but
// an escaped delimiter.
func (e *evaluator) quoted(n *syntax.Node, s *scope, escapes bool) value {
	if n.Open.Len() == 0 {
		return e.notKnown(n, false, "has a syntax error")
	}
	start, end := n.Open.End, n.Close.Start
	if n.Close.Len() == 0 || end < start { // unterminated
		end = n.Span.End
	}
	style := quoteStyle{raw: !escapes, heredoc: n.Open.Len() == 3, close: e.text[n.Open.Start]}
	if n.Close.Len() > 0 {
		style.close = e.text[n.Close.Start]
	}
	indent := 0
	if style.heredoc && n.Close.Len() > 0 {
		line := strings.LastIndexByte(e.text[:n.Close.Start], '\n') + 1
		indent = n.Close.Start - line
		// The content starts on the line after the opening quotes.
		if nl := strings.IndexByte(e.text[start:end], '\n'); nl >= 0 {
			start += nl + 1
		}
	}
	b := &source.Builder{}
	out := &text{quote: style.escape}
	at := start
	lineStart := style.heredoc
	// literal appends the file's text up to the offset to.
	literal := func(to int) {
		for at < to {
			if lineStart && indent > 0 {
				skip := 0
				for skip < indent && at < to && (e.text[at] == ' ' || e.text[at] == '\t') {
					at++
					skip++
				}
				if at >= to {
					return
				}
			}
			lineStart = false
			next := to
			if nl := strings.IndexByte(e.text[at:to], '\n'); nl >= 0 && style.heredoc {
				next = at + nl + 1
				lineStart = true
			}
			chunk := e.text[at:next]
			slash := strings.IndexByte(chunk, '\\')
			switch {
			case slash < 0:
				b.Exact(chunk, at)
				at = next
			case slash > 0:
				b.Exact(chunk[:slash], at)
				at += slash
				lineStart = false
			default: // chunk begins with a backslash
				size := escapeAt(e.text[at:to])
				lineStart = false
				if !escapes {
					if at+1 < to && e.text[at+1] == style.close && !style.heredoc {
						b.From(e.text[at+1:at+2], source.Span{Start: at, End: at + 2})
						at += 2
					} else {
						b.Exact(`\`, at)
						at++
					}
					continue
				}
				b.From(unescape(e.text[at:at+size]), source.Span{Start: at, End: at + size})
				if at+size > 0 && e.text[at+size-1] == '\n' {
					lineStart = style.heredoc
				}
				at += size
			}
		}
	}
	for _, k := range n.Kids {
		if k.Kind != syntax.Interpolation {
			continue
		}
		if k.Span.Start < at { // swallowed by an escape: not an interpolation
			continue
		}
		literal(k.Span.Start)
		lineStart = false
		e.interpolate(b, out, k, s)
		at = max(at, k.Span.End)
		if b.Len() > maxBytes {
			panic(&tooMuch{"builds a text that is too long"})
		}
	}
	literal(end)
	out.Fragment = b.Fragment()
	return value{out, n.Span}
}

// interpolate appends the value of #{...}.
func (e *evaluator) interpolate(b *source.Builder, out *text, k *syntax.Node, s *scope) {
	v := value{data: &text{}}
	for _, n := range k.Kids { // a value: a call that is not known makes a gap, no statement
		v = e.eval(n, s)
	}
	if str, ok := e.toString(v); ok {
		b.From(str, k.Span)
		return
	}
	if t, ok := v.data.(*text); ok && len(t.unknown) > 0 {
		at := b.Len()
		b.From(t.Text, k.Span)
		for _, u := range t.unknown {
			out.unknown = append(out.unknown, u.Shift(at))
		}
		return
	}
	if u, ok := v.findUnknown(); ok && u.reason != "" {
		e.needBeam(u.reason)
	}
	placeholder := "unknown_" + strconv.Itoa(len(out.unknown)+1)
	out.unknown = append(out.unknown, source.Span{Start: b.Len(), End: b.Len() + len(placeholder)})
	b.From(placeholder, k.Span)
}

// toString is String.Chars.to_string; ok is false when that is not known.
func (e *evaluator) toString(v value) (string, bool) {
	switch d := v.data.(type) {
	case atom:
		if d == atomNil {
			return "", true
		}
		return string(d), true
	case *text:
		return d.Text, len(d.unknown) == 0
	case *big.Int:
		return d.String(), true
	case float64:
		return elixirFloat(d), true
	case *list: // chardata
		var b strings.Builder
		for _, it := range d.items {
			if r, ok := it.int(); ok {
				b.WriteRune(rune(r))
				continue
			}
			str, ok := it.string()
			if !ok {
				return "", false
			}
			b.WriteString(str)
		}
		return b.String(), true
	}
	return "", false
}

// sigil evaluates ~s ~S ~w ~W ~c ~C and carries dates and times as they are.
func (e *evaluator) sigil(n *syntax.Node, s *scope) value {
	nameNode := n.Kid(syntax.SigilName)
	if nameNode == nil {
		return e.notKnown(n, false, "has a syntax error")
	}
	name := e.of(nameNode)
	modifiers := ""
	if m := n.Kid(syntax.SigilModifiers); m != nil {
		modifiers = e.of(m)
	}
	lower := strings.ToLower(name) == name
	switch strings.ToLower(name) {
	case "s":
		return e.quoted(n, s, lower)
	case "c":
		return charlist(e.quoted(n, s, lower))
	case "w":
		v := e.quoted(n, s, lower)
		t, ok := v.data.(*text)
		if !ok || len(t.unknown) > 0 {
			return e.notKnown(n, false, "builds a list of words from something that is not known")
		}
		var items []value
		for i := 0; i < len(t.Text); {
			if strings.IndexByte(" \t\r\n", t.Text[i]) >= 0 {
				i++
				continue
			}
			j := i
			for j < len(t.Text) && strings.IndexByte(" \t\r\n", t.Text[j]) < 0 {
				j++
			}
			word := t.Slice(source.Span{Start: i, End: j})
			at := word.Map.Span(source.Span{End: j - i})
			switch modifiers {
			case "a":
				items = append(items, value{atom(word.Text), at})
			case "c":
				items = append(items, charlist(value{&text{Fragment: word}, at}))
			default:
				items = append(items, value{&text{Fragment: word, quote: t.quote}, at})
			}
			i = j
		}
		return newList(items, n.Span)
	case "d", "t", "n", "u", "r":
		return value{&literalTerm{e.of(n)}, n.Span}
	}
	return e.notKnown(n, false, "uses the sigil ~%s", name)
}
