// Package analysis judges migrations: it runs rules over the one form of
// package migration and the catalog of package schema, and returns findings
// with fixes. It reads no files and knows no format.
package analysis

import (
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// A Severity orders findings. The zero value is Off.
type Severity int

const (
	Off Severity = iota
	Hint
	Info
	Warning
	Error
)

var severityNames = [...]string{"off", "hint", "info", "warning", "error"}

// String is the name that configuration and output use.
func (s Severity) String() string { return severityNames[s] }

// ParseSeverity reads a name; ok is false for an unknown one.
func ParseSeverity(name string) (s Severity, ok bool) {
	for i, n := range severityNames {
		if n == name {
			return Severity(i), true
		}
	}
	return Off, false
}

// A Finding is one hazard found in one place.
type Finding struct {
	// Rule is the id of the rule.
	Rule     string
	Severity Severity
	// Message says what will happen, Help what to do about it.
	Message, Help string
	Path          string
	Span          source.Span
	Direction     migration.Direction
	Fixes         []Fix
	Related       []Related
}

// A Fix is one way to mend a finding.
type Fix struct {
	Title string
	// Safe fixes change nothing but what the finding is about and may be
	// applied without being looked at.
	Safe  bool
	Edits []source.Edit
	// Follows: it writes new migrations at the end of the history.
	Follows bool
}

// Related is another place that has to do with a finding.
type Related struct {
	Message string
	Path    string
	Span    source.Span
}
