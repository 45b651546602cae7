package config

import (
	"fmt"
	"strings"
	"time"
)

// Formats are the values of the key format.
var Formats = []string{"auto", "ecto", "golang-migrate", "goose", "dbmate", "tern", "sqlx", "diesel", "sql-migrate", "flyway", "atlas", "prisma", "supabase", "node-pg-migrate", "drizzle", "liquibase", "plain"}

type (
	// A Format is one of Formats.
	Format string
	// A Severity is "off", "hint", "info", "warning" or "error".
	Severity string
	// A Rollback is "required" or "forward-only".
	Rollback string
	// A Runner is "auto", "native" or "mix".
	Runner string
	// A Duration is written as Go writes one: "5s", "500ms".
	Duration time.Duration
)

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *Format) UnmarshalText(text []byte) error {
	return oneOf((*string)(f), text, Formats)
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Severity) UnmarshalText(text []byte) error {
	return oneOf((*string)(s), text, []string{"off", "hint", "info", "warning", "error"})
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *Rollback) UnmarshalText(text []byte) error {
	return oneOf((*string)(r), text, []string{"required", "forward-only"})
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *Runner) UnmarshalText(text []byte) error {
	return oneOf((*string)(r), text, []string{"auto", "native", "mix"})
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v < 0 {
		return fmt.Errorf("%q is no duration; write for example \"5s\" or \"500ms\"", text)
	}
	*d = Duration(v)
	return nil
}

func oneOf(to *string, text []byte, values []string) error {
	for _, v := range values {
		if v == string(text) {
			*to = v
			return nil
		}
	}
	if near := Nearest(string(text), values); near != "" {
		return fmt.Errorf("%q is not known here, did you mean %q?", text, near)
	}
	return fmt.Errorf("%q is not known here; use one of %s", text, strings.Join(values, ", "))
}

// Nearest returns the value that word is most likely a misspelling of, "" when
// none is near enough.
func Nearest(word string, values []string) string {
	word = strings.ReplaceAll(strings.ToLower(word), "_", "-")
	best, limit := "", max(1, len(word)/3)+1
	for _, v := range values {
		if d := distance(word, strings.ReplaceAll(v, "_", "-")); d < limit {
			best, limit = v, d
		}
	}
	return best
}

// distance is the number of single-byte edits and swaps of neighbours between
// a and b.
func distance(a, b string) int {
	two, one := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range one {
		one[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(one[j]+1, row[j-1]+1, one[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], two[j-2]+1)
			}
		}
		two, one = one, row
	}
	return one[len(b)]
}
