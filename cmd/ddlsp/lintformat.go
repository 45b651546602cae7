package main

import (
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
)

// A lintReport is what the forms for other programs are made of.
type lintReport struct {
	findings []analysis.Finding
	// lines is the text of a path, empty for a file that does not exist.
	lines func(path string) *source.Lines
	// display is a path as output shows it.
	display func(path string) string
	// failOn is the severity from which on a finding fails the run.
	failOn analysis.Severity
}

// lintFormats are the forms of `ddlsp lint` that other programs have defined.
var lintFormats = map[string]func(io.Writer, lintReport) error{
	"sarif":  writeSARIF,
	"github": writeGitHub,
	"gitlab": writeGitLab,
	"junit":  writeJUnit,
}

// lintFormatNames lists all forms for people.
func lintFormatNames() string {
	return "pretty, json, " + strings.Join(slices.Sorted(maps.Keys(lintFormats)), ", ")
}

// text is what a finding says, in one paragraph: the hazard and what to do.
func (r lintReport) text(f *analysis.Finding) string {
	if f.Help == "" {
		return f.Message
	}
	return f.Message + "\n" + f.Help
}

// place is a span as lines and columns from 1, the columns counted in
// characters.
func (r lintReport) place(path string, span source.Span) (start, end source.Position) {
	l := r.lines(path)
	start, end = l.Position(span.Start, source.UTF32), l.Position(max(span.Start, span.End), source.UTF32)
	start.Line, start.Column, end.Line, end.Column = start.Line+1, start.Column+1, end.Line+1, end.Column+1
	return start, end
}
