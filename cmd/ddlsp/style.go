package main

import (
	"io"
	"os"

	"github.com/fatih/color"
	"golang.org/x/term"

	"github.com/ddlsp/ddlsp/analysis"
)

// isTerminal reports whether a stream is a terminal.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// A style writes with colours, or without them where the stream is no terminal
// or the user said so.
type style struct{ on bool }

func (a *app) style(w io.Writer) style {
	return style{on: isTerminal(w) && !a.flags.noColor && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

func (s style) paint(text string, attrs ...color.Attribute) string {
	if !s.on || text == "" {
		return text
	}
	c := color.New(attrs...)
	c.EnableColor()
	return c.Sprint(text)
}

func (s style) bold(t string) string { return s.paint(t, color.Bold) }
func (s style) dim(t string) string  { return s.paint(t, color.Faint) }
func (s style) help(t string) string { return s.paint(t, color.FgCyan) }

func (s style) severity(v analysis.Severity, t string) string {
	switch v {
	case analysis.Error:
		return s.paint(t, color.FgRed, color.Bold)
	case analysis.Warning:
		return s.paint(t, color.FgYellow, color.Bold)
	case analysis.Info:
		return s.paint(t, color.FgBlue, color.Bold)
	}
	return s.paint(t, color.FgCyan, color.Bold)
}
