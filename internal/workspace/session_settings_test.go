package workspace

import (
	"slices"
	"testing"
)

func TestURLSettings(t *testing.T) {
	for raw, want := range map[string][]string{
		"":                 nil,
		"postgres://h/d":   nil,
		"postgres://h:x/d": nil, // no URL
		"postgres://h/d?lock_timeout=5s&sslmode=disable":                   {"lock_timeout", "sslmode"},
		"postgres://h/d?options=-c%20lock_timeout%3D5s":                    {"lock_timeout"},
		"postgres://h/d?options=-clock_timeout%3D5s%20--work_mem%3D64MB":   {"lock_timeout", "work_mem"},
		"postgres://h/d?options=-c%20geqo%3Doff%20-c%20LOCK_TIMEOUT%3D100": {"geqo", "lock_timeout"},
	} {
		if got := urlSettings(raw); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
}
