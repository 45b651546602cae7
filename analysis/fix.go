package analysis

import (
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/internal/source"
)

// Merge joins fixes that were computed for the same texts into one set of
// edits. Edits that two fixes share are applied once; a fix that overlaps an
// earlier one otherwise is left out whole. used says, by index, which were
// taken: the rest can be computed again after the others were applied. Of the
// fixes that write new migrations only the first is taken: the versions of the
// others would be the same.
func Merge(fixes []Fix) (edits []source.Edit, used []bool) {
	used = make([]bool, len(fixes))
	follows := false
	for i, f := range fixes {
		var fresh []source.Edit
		clash := f.Follows && follows
		for _, e := range f.Edits {
			same := slices.Contains(edits, e)
			if !same {
				clash = clash || slices.ContainsFunc(edits, func(o source.Edit) bool { return conflicts(e, o) })
				fresh = append(fresh, e)
			}
		}
		if !clash {
			used[i] = true
			follows = follows || f.Follows
			edits = append(edits, fresh...)
		}
	}
	slices.SortStableFunc(edits, func(a, b source.Edit) int {
		if c := strings.Compare(a.Path, b.Path); c != 0 {
			return c
		}
		return a.Span.Start - b.Span.Start
	})
	return edits, used
}

// conflicts reports whether two different edits cannot both be made: they
// share bytes, or insert at the same place, where the order would be a guess.
func conflicts(a, b source.Edit) bool {
	if a.Path != b.Path {
		return false
	}
	if a.Span.Start == b.Span.Start {
		return true
	}
	return a.Span.Start < b.Span.End && b.Span.Start < a.Span.End
}
