package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
)

// gitlabFinding is an entry of a code quality report as GitLab reads it.
type gitlabFinding struct {
	Description string         `json:"description"`
	CheckName   string         `json:"check_name"`
	Fingerprint string         `json:"fingerprint"`
	Severity    string         `json:"severity"`
	Location    gitlabLocation `json:"location"`
}

type gitlabLocation struct {
	Path  string      `json:"path"`
	Lines gitlabLines `json:"lines"`
}

type gitlabLines struct {
	Begin int `json:"begin"`
}

// writeGitLab writes a code quality report. Merge requests show what is new in
// it, by fingerprint.
func writeGitLab(w io.Writer, r lintReport) error {
	severity := map[analysis.Severity]string{
		analysis.Error: "critical", analysis.Warning: "major", analysis.Info: "minor", analysis.Hint: "info",
	}
	out := []gitlabFinding{}
	prints := fingerprints(r)
	for i := range r.findings {
		f := &r.findings[i]
		start, _ := r.place(f.Path, f.Span)
		out = append(out, gitlabFinding{
			Description: f.Message, CheckName: f.Rule, Fingerprint: prints[i], Severity: severity[f.Severity],
			Location: gitlabLocation{r.display(f.Path), gitlabLines{start.Line}},
		})
	}
	return writeJSON(w, out)
}

// fingerprints tell findings apart from one commit to the next: they are made
// of the rule, the file and the text that the finding is about, not of the
// line number, which everything above it moves. Equal ones are counted.
func fingerprints(r lintReport) []string {
	seen := map[string]int{}
	out := make([]string, len(r.findings))
	for i := range r.findings {
		f := &r.findings[i]
		text := r.lines(f.Path).Text()
		start := min(max(f.Span.Start, 0), len(text))
		about := strings.Join(strings.Fields(text[start:min(max(f.Span.End, start), len(text))]), " ")
		key := fmt.Sprintf("%s\x00%s\x00%s\x00%s", f.Rule, r.display(f.Path), f.Direction, about)
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", key, seen[key]))
		seen[key]++
		out[i] = hex.EncodeToString(sum[:16])
	}
	return out
}
