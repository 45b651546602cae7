package rules

import (
	"strconv"
	"strings"

	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/migration"
)

var (
	intervalPart  = regex.MustCompile(`^\s*([+-]?[0-9]*\.?[0-9]+)\s*([a-zA-Z]+)\s*`)
	intervalClock = regex.MustCompile(`^\s*([+-]?)([0-9]+):([0-9]{2})(?::([0-9]{2}))?\s*$`)
)

// unitDays are the units of an interval in days; a month has 30, as PostgreSQL
// compares intervals.
var unitDays = map[string]float64{
	"microsecond": 1e-6 / 86400, "us": 1e-6 / 86400, "millisecond": 1e-3 / 86400, "ms": 1e-3 / 86400,
	"second": 1.0 / 86400, "sec": 1.0 / 86400, "s": 1.0 / 86400, "minute": 1.0 / 1440, "min": 1.0 / 1440, "m": 1.0 / 1440,
	"hour": 1.0 / 24, "hr": 1.0 / 24, "h": 1.0 / 24, "day": 1, "d": 1, "week": 7, "w": 7,
	"month": 30, "mon": 30, "year": 360, "yr": 360, "y": 360, "decade": 3600,
}

// days reads an argument that is an interval; ok is false for a number, and for
// what cannot be read.
func days(a *migration.Arg) (d float64, ok bool) {
	if a == nil || a.Literal == nil {
		return 0, false
	}
	text := strings.TrimSpace(*a.Literal)
	for text != "" {
		if m := intervalClock.FindStringSubmatch(text); m != nil {
			h, _ := strconv.Atoi(m[2])
			min, _ := strconv.Atoi(m[3])
			sec, _ := strconv.Atoi("0" + m[4])
			t := (float64(h)*3600 + float64(min)*60 + float64(sec)) / 86400
			if m[1] == "-" {
				t = -t
			}
			return d + t, true
		}
		m := intervalPart.FindStringSubmatch(text)
		if m == nil {
			return 0, false
		}
		unit := strings.ToLower(m[2])
		size, known := unitDays[unit]
		if !known {
			if size, known = unitDays[strings.TrimSuffix(unit, "s")]; !known {
				return 0, false
			}
		}
		n, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return 0, false
		}
		d, ok = d+n*size, true
		text = text[len(m[0]):]
	}
	return d, ok
}
