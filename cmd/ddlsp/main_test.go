package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the scripts run this program as `ddlsp`.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ddlsp": main})
}
