package rules

import (
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// searchPathOf is the search_path among the SET clauses of a function; set is
// false without one.
func searchPathOf(settings []migration.Set) (path []string, set bool) {
	for _, s := range settings {
		if s.Name == "search_path" && !s.Reset {
			path, set = s.Values, true
		}
	}
	return path, set
}

// searchPathSpan is the place of its schemas, zero when it is not known.
func searchPathSpan(settings []migration.Set) source.Span {
	var span source.Span
	for _, s := range settings {
		if s.Name == "search_path" {
			span = s.Span
		}
	}
	return span
}
