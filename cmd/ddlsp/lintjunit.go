package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"unicode"
)

type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		File    string        `xml:"file,attr,omitempty"`
		Line    int           `xml:"line,attr,omitempty"`
		Failure *junitFailure `xml:"failure"`
		Out     string        `xml:"system-out,omitempty"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// writeJUnit writes a test report: a suite for each file with findings, a case
// for each finding. Those below --fail-on are cases that pass. A run without
// findings is one case that passes, because many readers take an empty report
// for a broken one.
func writeJUnit(w io.Writer, r lintReport) error {
	all := junitSuites{Name: "ddlsp lint"}
	for i := range r.findings {
		f := &r.findings[i]
		path := xmlText(r.display(f.Path))
		if n := len(all.Suites); n == 0 || all.Suites[n-1].Name != path {
			all.Suites = append(all.Suites, junitSuite{Name: path})
		}
		suite := &all.Suites[len(all.Suites)-1]
		start, _ := r.place(f.Path, f.Span)
		c := junitCase{Name: fmt.Sprintf("%s:%d:%d", f.Rule, start.Line, start.Column), Class: path, File: path, Line: start.Line}
		text := xmlText(r.text(f))
		if f.Severity >= r.failOn {
			c.Failure = &junitFailure{
				Message: xmlText(f.Message), Type: f.Severity.String(),
				Text: fmt.Sprintf("%s:%d:%d: %s", path, start.Line, start.Column, text),
			}
			suite.Failures++
			all.Failures++
		} else {
			c.Out = f.Severity.String() + ": " + text
		}
		suite.Cases = append(suite.Cases, c)
		suite.Tests++
		all.Tests++
	}
	if all.Tests == 0 {
		all.Tests = 1
		all.Suites = []junitSuite{{Name: "migrations", Tests: 1, Cases: []junitCase{{Name: "nothing found", Class: "migrations"}}}}
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// xmlText leaves out what XML has no way to write.
func xmlText(s string) string {
	return strings.Map(func(c rune) rune {
		if c == '\n' || c == '\t' || !unicode.IsControl(c) && c != 0xFFFE && c != 0xFFFF {
			return c
		}
		return -1
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
