package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the scripts run this program as `ddlsp`.
func TestMain(m *testing.M) {
	testscript.Main(stateless{m}, map[string]func(){"ddlsp": main})
}

// stateless keeps what the tests' runs are remembered by apart from the
// user's own.
type stateless struct{ m *testing.M }

func (s stateless) Run() int {
	dir, err := os.MkdirTemp("", "ddlsp-state-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	os.Setenv("XDG_STATE_HOME", dir)
	return s.m.Run()
}
