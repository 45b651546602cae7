package main

import (
	"io"
	"net/url"
	"path/filepath"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/analysis/rules"
	"github.com/ddlsp/ddlsp/internal/source"
)

// sarifRoot is the name of the directory that relative paths are below.
const sarifRoot = "%SRCROOT%"

// writeSARIF writes a report of the Static Analysis Results Interchange
// Format, version 2.1.0, as code scanning takes it.
func writeSARIF(w io.Writer, r lintReport) error {
	return sarifReport(r).PrettyWrite(w)
}

func sarifReport(r lintReport) *sarif.Report {
	run := sarif.NewRunWithInformationURI("ddlsp", "https://github.com/ddlsp/ddlsp")
	run.Tool.Driver.WithVersion(version())
	run.WithColumnKind("unicodeCodePoints")
	index := map[string]int{}
	prints := fingerprints(r)
	for i := range r.findings {
		f := &r.findings[i]
		n, known := index[f.Rule]
		if !known {
			n = len(index)
			index[f.Rule] = n
			sarifRule(run.AddRule(f.Rule), f)
		}
		res := sarif.NewRuleResult(f.Rule).WithRuleIndex(n).WithLevel(sarifLevel(f.Severity)).
			WithMessage(sarif.NewTextMessage(r.text(f))).
			WithPartialFingerprints(map[string]string{"ddlsp/v1": prints[i]}).
			AddLocation(sarif.NewLocationWithPhysicalLocation(r.sarifPlace(f.Path, f.Span)))
		for n, rel := range f.Related {
			res.AddRelatedLocation(sarif.NewLocationWithPhysicalLocation(r.sarifPlace(rel.Path, rel.Span)).
				WithID(n).WithMessage(sarif.NewTextMessage(rel.Message)))
		}
		for _, fix := range f.Fixes {
			res.AddFixe(r.sarifFix(fix))
		}
		run.AddResult(res)
	}
	return sarif.NewReport().AddRun(run)
}

// sarifRule describes a rule that the run reports something of.
func sarifRule(d *sarif.ReportingDescriptor, f *analysis.Finding) {
	rule := rules.ByID(f.Rule)
	if rule == nil { // a finding that is no rule's: a file that cannot be read
		return
	}
	d.WithDescription(rule.Summary).WithHelpURI(rules.URL(rule.ID)).
		WithDefaultConfiguration(sarif.NewReportingConfiguration().WithLevel(sarifLevel(rule.Severity)))
	if page := rules.PageOf(rule.ID); page != nil {
		d.WithHelp(sarif.NewMultiformatMessageString().WithText(page.Text()).WithMarkdown(page.Markdown()))
	}
}

func sarifLevel(s analysis.Severity) string {
	switch s {
	case analysis.Error:
		return "error"
	case analysis.Warning:
		return "warning"
	}
	return "note"
}

func (r lintReport) sarifPlace(path string, span source.Span) *sarif.PhysicalLocation {
	return sarif.NewPhysicalLocation().WithArtifactLocation(r.sarifFile(path)).WithRegion(r.sarifRegion(path, span))
}

// sarifFile is a file by its URI: relative where it lies below the working
// directory.
func (r lintReport) sarifFile(path string) *sarif.ArtifactLocation {
	shown := r.display(path)
	if filepath.IsAbs(filepath.FromSlash(shown)) {
		return sarif.NewArtifactLocation().WithURI((&url.URL{Scheme: "file", Path: shown}).String())
	}
	return sarif.NewArtifactLocation().WithURI((&url.URL{Path: shown}).String()).WithURIBaseID(sarifRoot)
}

func (r lintReport) sarifRegion(path string, span source.Span) *sarif.Region {
	start, end := r.place(path, span)
	return sarif.NewRegion().WithStartLine(start.Line).WithStartColumn(start.Column).WithEndLine(end.Line).WithEndColumn(end.Column)
}

// sarifFix is a fix as changes of files. One that makes a file inserts at the
// beginning of what is not there yet.
func (r lintReport) sarifFix(fix analysis.Fix) *sarif.Fix {
	out := sarif.NewFix().WithDescription(sarif.NewTextMessage(fix.Title))
	changes := map[string]*sarif.ArtifactChange{}
	for _, e := range fix.Edits {
		c := changes[e.Path]
		if c == nil {
			c = sarif.NewArtifactChange().WithArtifactLocation(r.sarifFile(e.Path))
			changes[e.Path] = c
			out.AddArtifactChange(c)
		}
		c.AddReplacement(sarif.NewReplacement().WithDeletedRegion(r.sarifRegion(e.Path, e.Span)).
			WithInsertedContent(sarif.NewArtifactContent().WithText(e.New)))
	}
	return out
}
