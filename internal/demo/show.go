package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// show prints the demonstration for its reader.
type show struct {
	out    io.Writer
	quiet  bool
	step   int
	checks int
}

// title begins a step.
func (s *show) title(format string, args ...any) {
	s.step++
	fmt.Fprintf(s.out, "\n%d. %s\n", s.step, fmt.Sprintf(format, args...))
}

// say explains what to look at.
func (s *show) say(format string, args ...any) {
	if !s.quiet {
		fmt.Fprintf(s.out, "   %s\n", fmt.Sprintf(format, args...))
	}
}

// text shows a text as it is, in a frame.
func (s *show) text(text string) {
	if s.quiet {
		return
	}
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		fmt.Fprintf(s.out, "   | %s\n", line)
	}
}

// check states a fact and fails when it is none.
func (s *show) check(ok bool, format string, args ...any) error {
	fact := fmt.Sprintf(format, args...)
	if !ok {
		return fmt.Errorf("it is not so that %s", fact)
	}
	s.checks++
	if !s.quiet {
		fmt.Fprintf(s.out, "   ok: %s\n", fact)
	}
	return nil
}

// A host stands where a test would: the editor reports to it and ends the run
// through it.
type host struct {
	testing.TB // never called: every method that the editor uses is below
	show       *show

	mu       sync.Mutex // guards all below
	failure  string
	cleanups []func()
}

func (h *host) Helper() {}

func (h *host) Log(args ...any) { h.Logf("%s", fmt.Sprint(args...)) }

func (h *host) Logf(format string, args ...any) {
	if !h.show.quiet {
		fmt.Fprintf(h.show.out, "   %s\n", fmt.Sprintf(format, args...))
	}
}

func (h *host) Error(args ...any) { h.Errorf("%s", fmt.Sprint(args...)) }

func (h *host) Errorf(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failure == "" {
		h.failure = fmt.Sprintf(format, args...)
	}
}

func (h *host) Fatal(args ...any) { h.Fatalf("%s", fmt.Sprint(args...)) }

func (h *host) Fatalf(format string, args ...any) {
	h.Errorf(format, args...)
	runtime.Goexit()
}

func (h *host) FailNow() { runtime.Goexit() }

func (h *host) Failed() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.failure != ""
}

func (h *host) Name() string { return "demo" }

func (h *host) Cleanup(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cleanups = append(h.cleanups, f)
}

func (h *host) cleanup() {
	for i := len(h.cleanups) - 1; i >= 0; i-- {
		h.cleanups[i]()
	}
}
