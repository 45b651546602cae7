package source

import (
	"testing"

	"pgregory.net/rapid"
)

// texts have every line end, characters of one to four bytes, and bytes that
// are no UTF-8.
func texts(t *rapid.T, label string) string {
	parts := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", " ", "\n", "\r\n", "\r", "é", "漢", "😀", "\xff", "'", "x;"}), 0, 30).Draw(t, label)
	s := ""
	for _, p := range parts {
		s += p
	}
	return s
}

func TestLinesReplaceEqualsFresh(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := texts(t, "text")
		l := NewLines(text)
		for range rapid.IntRange(1, 5).Draw(t, "edits") {
			start := rapid.IntRange(0, len(text)).Draw(t, "start")
			end := rapid.IntRange(start, len(text)).Draw(t, "end")
			new := texts(t, "new")
			text = text[:start] + new + text[end:]
			l = l.Replace(Span{start, end}, new)
			fresh := NewLines(text)
			if l.Text() != text || len(l.starts) != len(fresh.starts) {
				t.Fatalf("text %q: starts %v, want %v", text, l.starts, fresh.starts)
			}
			for i := range l.starts {
				if l.starts[i] != fresh.starts[i] {
					t.Fatalf("text %q: starts %v, want %v", text, l.starts, fresh.starts)
				}
			}
		}
	})
}

func TestPositions(t *testing.T) {
	l := NewLines("a😀b\r\né漢\rx\n")
	tests := []struct {
		offset             int
		line, c8, c16, c32 int
	}{
		{0, 0, 0, 0, 0}, {1, 0, 1, 1, 1}, {5, 0, 5, 3, 2}, {6, 0, 6, 4, 3},
		{8, 1, 0, 0, 0}, {10, 1, 2, 1, 1}, {13, 1, 5, 2, 2}, {14, 2, 0, 0, 0}, {16, 3, 0, 0, 0},
	}
	for _, tt := range tests {
		for enc, col := range map[Encoding]int{UTF8: tt.c8, UTF16: tt.c16, UTF32: tt.c32} {
			if got := l.Position(tt.offset, enc); got != (Position{tt.line, col}) {
				t.Errorf("Position(%d, %v) = %v, want %d:%d", tt.offset, enc, got, tt.line, col)
			}
			if got := l.Offset(Position{tt.line, col}, enc); got != tt.offset {
				t.Errorf("Offset(%d:%d, %v) = %d, want %d", tt.line, col, enc, got, tt.offset)
			}
		}
	}
	for _, tt := range []struct {
		p    Position
		enc  Encoding
		want int
	}{
		{Position{0, 2}, UTF16, 1},  // inside a surrogate pair
		{Position{0, 99}, UTF16, 6}, // past the line's end
		{Position{99, 0}, UTF16, 16},
		{Position{0, 3}, UTF8, 1}, // inside a character
	} {
		if got := l.Offset(tt.p, tt.enc); got != tt.want {
			t.Errorf("Offset(%v, %v) = %d, want %d", tt.p, tt.enc, got, tt.want)
		}
	}
}

func TestByteOffset(t *testing.T) {
	for _, tt := range []struct {
		text       string
		char, want int
	}{{"abc", 1, 0}, {"äbc", 2, 2}, {"äbc", 4, 4}, {"äbc", 99, 4}, {"", 1, 0}} {
		if got := ByteOffset(tt.text, tt.char); got != tt.want {
			t.Errorf("ByteOffset(%q, %d) = %d, want %d", tt.text, tt.char, got, tt.want)
		}
	}
}

func TestMap(t *testing.T) {
	// The file holds an indented heredoc with an escape:
	//   file:  ..ab\n..c\"d#{x}
	file := "  ab\n  c\\\"d#{x}"
	var b Builder
	b.Exact("ab\n", 2)
	b.Exact("c", 7)
	b.From(`"`, Span{8, 10})
	b.Exact("d", 10)
	b.From("users", Span{11, 15})
	f := b.Fragment()
	if f.Text != "ab\nc\"dusers" {
		t.Fatalf("%q", f.Text)
	}
	for _, tt := range []struct {
		sql   Span
		want  string
		exact bool
	}{
		{Span{0, 2}, "ab", true},
		{Span{0, 4}, "ab\n  c", false},
		{Span{3, 5}, `c\"`, false},
		{Span{5, 6}, "d", true},
		{Span{6, 8}, "#{x}", false},
		{Span{5, 11}, "d#{x}", false},
	} {
		if got := f.Map.Span(tt.sql).Of(file); got != tt.want {
			t.Errorf("Span(%v) = %q, want %q", tt.sql, got, tt.want)
		}
		if s, ok := f.Map.Exact(tt.sql); ok != tt.exact || ok && s.Of(file) != tt.want {
			t.Errorf("Exact(%v) = %v %v", tt.sql, s, ok)
		}
	}
	if at, ok := f.Map.At(7); !ok || at != 3 {
		t.Errorf("At(7) = %d %v", at, ok)
	}
	if _, ok := f.Map.At(5); ok {
		t.Error("the stripped indentation is not in the text")
	}
	part := f.Slice(Span{3, 6})
	if got := part.Map.Span(Span{2, 3}).Of(file); part.Text != `c"d` || got != "d" {
		t.Errorf("slice %q maps to %q", part.Text, got)
	}
	if got := f.Map.Shift(100).Span(Span{0, 1}); got != (Span{102, 103}) {
		t.Errorf("shifted: %v", got)
	}
}

func TestApply(t *testing.T) {
	got, err := Apply("abcdef", []Edit{{Span: Span{4, 5}, New: "E"}, {Span: Span{1, 1}, New: "1"}, {Span: Span{1, 1}, New: "2"}, {Span: Span{1, 2}, New: ""}})
	if err != nil || got != "a12cdEf" {
		t.Errorf("%q %v", got, err)
	}
	if _, err := Apply("abc", []Edit{{Span: Span{0, 2}}, {Span: Span{1, 3}}}); err == nil {
		t.Error("overlapping edits were applied")
	}
}
