package runner

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The expected keys were computed by a real Erlang.
func TestEctoAdvisoryKey(t *testing.T) {
	text, err := os.ReadFile("testdata/ecto_advisory_keys.txt")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`^\{:ecto, (nil|"([^"]*)"), ([\w.]+)\} (\d+)$`)
	n := 0
	for _, l := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		m := line.FindStringSubmatch(l)
		if m == nil {
			t.Fatalf("cannot read %q", l)
		}
		n++
		if got := strconv.FormatInt(ectoAdvisoryKey(m[2], m[3]), 10); got != m[4] {
			t.Errorf("{:ecto, %s, %s}: %s, want %s", m[1], m[3], got, m[4])
		}
	}
	if n < 20 {
		t.Errorf("only %d keys", n)
	}
}
