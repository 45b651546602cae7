package pgparse

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Any edit of any text gives what cutting the new text anew gives.
func TestResplitIsSplit(t *testing.T) {
	bits := []string{"SELECT 1", ";", "\n", " ", "'", "$$", "$a$", "--", "/*", "*/", "(", ")", "\"", "COPY t FROM stdin", "\\.", "\\set x", "1\t2",
		"CREATE FUNCTION f() BEGIN ATOMIC", "END", "CASE", "E'\\'", "é", "\r\n", "\x00", "copy x to stdout", ";\n", "; "}
	text := func(n int) *rapid.Generator[string] {
		return rapid.Custom(func(t *rapid.T) string {
			s := ""
			for _, b := range rapid.SliceOfN(rapid.SampledFrom(bits), 0, n).Draw(t, "bits") {
				s += b
			}
			return s
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		before := text(30).Draw(t, "before")
		pieces := Split(before)
		for range 3 {
			start := rapid.IntRange(0, len(before)).Draw(t, "start")
			end := rapid.IntRange(start, min(len(before), start+8)).Draw(t, "end")
			after := before[:start] + text(4).Draw(t, "new") + before[end:]
			got := Resplit(after, before, pieces)
			if diff := cmp.Diff(Split(after), got, cmp.Transformer("all", func(p []Piece) []Piece { return append([]Piece{}, p...) })); diff != "" {
				t.Fatalf("%q to %q: -split +resplit\n%s", before, after, diff)
			}
			before, pieces = after, got
		}
	})
}
