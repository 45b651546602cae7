package lsptest

import (
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"
)

// Encodings that an Editor can count positions in.
const (
	UTF8  = "utf-8"
	UTF16 = "utf-16"
	UTF32 = "utf-32"
)

// width is how many units of an encoding one character takes.
func width(encoding string, r rune, size int) int {
	switch encoding {
	case UTF8:
		return size
	case UTF16:
		if r > 0xFFFF {
			return 2
		}
	}
	return 1
}

// lineEnd returns the length of the line end at text[i:], 0 if none is there.
func lineEnd(text string, i int) int {
	switch {
	case strings.HasPrefix(text[i:], "\r\n"):
		return 2
	case text[i] == '\n', text[i] == '\r':
		return 1
	}
	return 0
}

// PositionOf counts its way from the start of the text to a byte offset.
func PositionOf(text string, offset int, encoding string) Position {
	var p Position
	for i := 0; i < offset; {
		if n := lineEnd(text, i); n > 0 {
			if i+n > offset { // between \r and \n: the end of the line
				return p
			}
			i += n
			p = Position{Line: p.Line + 1}
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		p.Character += width(encoding, r, size)
		i += size
	}
	return p
}

// OffsetOf is the way back. Unlike a server it is strict: a position that does
// not exist in the text is an error.
func OffsetOf(text string, p Position, encoding string) (int, error) {
	var at Position
	for i := 0; ; {
		if at == p {
			return i, nil
		}
		if i >= len(text) {
			return 0, fmt.Errorf("position %d:%d is not in the text, which ends at %d:%d", p.Line, p.Character, at.Line, at.Character)
		}
		if n := lineEnd(text, i); n > 0 {
			if at.Line == p.Line {
				return 0, fmt.Errorf("position %d:%d is past the end of its line at %d", p.Line, p.Character, at.Character)
			}
			i += n
			at = Position{Line: at.Line + 1}
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		at.Character += width(encoding, r, size)
		i += size
	}
}

// Apply returns text after edits, as an editor must apply them: all positions
// are those of the text before.
func Apply(text string, edits []TextEdit, encoding string) (string, error) {
	type span struct {
		start, end int
		text       string
	}
	var spans []span
	for _, e := range edits {
		start, err := OffsetOf(text, e.Range.Start, encoding)
		if err != nil {
			return "", err
		}
		end, err := OffsetOf(text, e.Range.End, encoding)
		if err != nil {
			return "", err
		}
		if end < start {
			return "", fmt.Errorf("edit %v ends before it starts", e.Range)
		}
		spans = append(spans, span{start, end, e.NewText})
	}
	sort.SliceStable(spans, func(i, j int) bool { return spans[i].start < spans[j].start })
	var b strings.Builder
	last := 0
	for _, s := range spans {
		if s.start < last {
			return "", fmt.Errorf("two edits overlap at byte %d", s.start)
		}
		b.WriteString(text[last:s.start])
		b.WriteString(s.text)
		last = s.end
	}
	b.WriteString(text[last:])
	return b.String(), nil
}
