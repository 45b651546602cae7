package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
)

// prettyFinding writes one finding with its place in the source.
func prettyFinding(w io.Writer, st style, f analysis.Finding, path string, lines *source.Lines) {
	start := lines.Position(f.Span.Start, source.UTF8)
	fmt.Fprintf(w, "%s %s %s\n", st.bold(fmt.Sprintf("%s:%d:%d:", path, start.Line+1, start.Column+1)),
		st.severity(f.Severity, fmt.Sprintf("%s[%s]", f.Severity, f.Rule)), f.Message)
	excerpt(w, st, f.Severity, f.Span, lines)
	if f.Help != "" {
		fmt.Fprintf(w, "  %s %s\n", st.help("help:"), f.Help)
	}
	for _, fix := range f.Fixes {
		kind := "fix:"
		if !fix.Safe {
			kind = "fix (look at it first):"
		}
		fmt.Fprintf(w, "  %s %s\n", st.help(kind), fix.Title)
	}
	fmt.Fprintln(w)
}

// maxExcerpt is the number of columns shown of a source line.
const maxExcerpt = 160

// excerpt shows the first line of a span with a marker under it.
func excerpt(w io.Writer, st style, sev analysis.Severity, s source.Span, lines *source.Lines) {
	start := lines.Position(s.Start, source.UTF8)
	line := lines.Line(start.Line)
	text := strings.ToValidUTF8(line.Of(lines.Text()), "\uFFFD")
	if strings.TrimSpace(text) == "" {
		return
	}
	end := min(max(s.End, s.Start), line.End)
	head := untab(line.Of(lines.Text())[:min(s.Start, line.End)-line.Start])
	mark := untab(lines.Text()[min(s.Start, line.End):end])
	text = untab(text)
	if utf8.RuneCountInString(text) > maxExcerpt {
		text = string([]rune(text)[:maxExcerpt]) + "…"
	}
	number := fmt.Sprint(start.Line + 1)
	pad := strings.Repeat(" ", len(number))
	fmt.Fprintf(w, "  %s %s\n", st.dim(number+" |"), text)
	if n := utf8.RuneCountInString(head); n < maxExcerpt {
		carets := max(1, min(utf8.RuneCountInString(mark), maxExcerpt-n))
		fmt.Fprintf(w, "  %s %s%s\n", st.dim(pad+" |"), strings.Repeat(" ", n), st.severity(sev, strings.Repeat("^", carets)))
	}
}

// untab writes tabs as the four blanks that the excerpt's marker counts with,
// and leaves out what a terminal would obey.
func untab(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\t", "    ")
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}

// plural is "1 file", "2 files".
func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// buffered runs write on a buffered writer of w.
func buffered(w io.Writer, write func(io.Writer) error) error {
	b := bufio.NewWriterSize(w, 64<<10)
	if err := write(b); err != nil {
		return err
	}
	return b.Flush()
}
