// Command demo drives the built language server through a whole editing
// session on the example shop, against a private PostgreSQL: a new migration
// from a template, a hazard seen while typing, its quick fix, migrate, status,
// rollback. Every step is checked against what the server answers and against
// the database's own catalog; the first that is not as it should be ends the
// run with exit code 1.
//
//	go run ./internal/demo [--quiet] bin/ddlsp
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

func main() {
	quiet := flag.Bool("quiet", false, "print the steps' titles only")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: demo [--quiet] DDLSP (the built program)")
		os.Exit(2)
	}
	bin, err := filepath.Abs(flag.Arg(0))
	if err == nil {
		_, err = os.Stat(bin)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "demo: %v; build it first: make build\n", err)
		os.Exit(2)
	}
	show := &show{out: os.Stdout, quiet: *quiet}
	if err := guarded(show, bin); err != nil {
		fmt.Fprintf(os.Stderr, "\ndemo: step %d failed: %v\n", show.step, err)
		os.Exit(1)
	}
	fmt.Printf("\n%d steps, %d checks, all as they should be\n", show.step, show.checks)
}

// guarded runs the demonstration on a goroutine of its own: the editor ends
// it, as it would end a test, where the protocol is broken.
func guarded(show *show, bin string) error {
	done := make(chan error, 1)
	t := &host{show: show}
	go func() {
		result := errors.New("the demonstration ended early")
		defer func() {
			if p := recover(); p != nil {
				result = fmt.Errorf("%v", p)
			}
			if t.failure != "" {
				result = errors.New(t.failure)
			}
			t.cleanup()
			done <- result
		}()
		if err := demonstrate(context.Background(), t, show, bin); err != nil {
			result = err
			return
		}
		result = nil
		runtime.Goexit()
	}()
	return <-done
}
