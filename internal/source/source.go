// Package source holds what every other package needs to speak of text: byte
// spans, edits, line tables with the position encodings of LSP, and maps from
// a text cut out of another text (SQL in an Elixir string) back to its origin.
//
// Every offset here is a 0-based byte offset unless its name says otherwise.
package source

import (
	"fmt"
	"sort"
	"strings"
)

// A File is a path and the text it had when it was read. It never changes.
type File struct {
	// Path is as the caller named the file; it is compared byte for byte.
	Path string
	Text string
}

// A Span is the half-open byte range [Start, End) of a text.
type Span struct{ Start, End int }

// Len is the number of bytes in s.
func (s Span) Len() int { return s.End - s.Start }

// Shift returns s moved by n bytes.
func (s Span) Shift(n int) Span { return Span{s.Start + n, s.End + n} }

// Contains reports whether offset lies in s or at its end.
func (s Span) Contains(offset int) bool { return s.Start <= offset && offset <= s.End }

// Overlaps reports whether the two spans share a byte or touch.
func (s Span) Overlaps(t Span) bool { return s.Start <= t.End && t.Start <= s.End }

// Union returns the smallest span that holds both.
func (s Span) Union(t Span) Span { return Span{min(s.Start, t.Start), max(s.End, t.End)} }

// Of returns the text of s. It panics when s is not inside text, which is
// always a bug of the caller.
func (s Span) Of(text string) string { return text[s.Start:s.End] }

// An Edit replaces Span of the file at Path by New. An edit of a file that
// does not exist creates it (its span is zero).
type Edit struct {
	Path string
	Span Span
	New  string
}

// Apply returns text after the edits, which must all be for this text. Edits
// may come in any order; two that overlap are an error, two insertions at the
// same place are applied in the given order.
func Apply(text string, edits []Edit) (string, error) {
	sorted := append([]Edit(nil), edits...)
	sort.SliceStable(sorted, func(i, j int) bool { return sorted[i].Span.Start < sorted[j].Span.Start })
	var b strings.Builder
	last := 0
	for _, e := range sorted {
		if e.Span.Start < last || e.Span.End < e.Span.Start || e.Span.End > len(text) {
			return "", fmt.Errorf("edit %d-%d of %s overlaps another or lies outside the text", e.Span.Start, e.Span.End, e.Path)
		}
		b.WriteString(text[last:e.Span.Start])
		b.WriteString(e.New)
		last = e.Span.End
	}
	b.WriteString(text[last:])
	return b.String(), nil
}
