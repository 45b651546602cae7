package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
)

// writeGitHub writes workflow commands: a step of GitHub Actions that prints
// them puts an annotation beside each line.
func writeGitHub(w io.Writer, r lintReport) error {
	for i := range r.findings {
		f := &r.findings[i]
		level := "notice"
		switch f.Severity {
		case analysis.Error:
			level = "error"
		case analysis.Warning:
			level = "warning"
		}
		start, end := r.place(f.Path, f.Span)
		at := fmt.Sprintf("line=%d,endLine=%d", start.Line, end.Line)
		if start.Line == end.Line { // columns of several lines are refused
			at += fmt.Sprintf(",col=%d,endColumn=%d", start.Column, end.Column)
		}
		_, err := fmt.Fprintf(w, "::%s file=%s,%s,title=%s::%s\n", level, githubProperty.Replace(r.display(f.Path)), at,
			githubProperty.Replace(f.Rule), githubData.Replace(r.text(f)))
		if err != nil {
			return err
		}
	}
	return nil
}

// What stands for itself in a workflow command must be escaped, more of it in
// a property than in the message.
var (
	githubData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)
