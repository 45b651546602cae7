package analysis

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// A TableSize is what the statistics of a database say of a table, the
// partitions or chunks below it included.
type TableSize struct {
	// Rows is an estimate, -1 when it is not known.
	Rows int64
	// Bytes are those of the table without its indexes.
	Bytes int64
	// AtLeast: parts of the table were never analysed, so that it is larger.
	AtLeast bool
}

// DefaultLargeRows is the number of rows from which a table counts as large
// when configuration does not say.
const DefaultLargeRows = 100_000

// hugeTimes is how many times the rows of a large table a huge one has: what
// blocks it blocks it for minutes.
const hugeTimes = 100

// String is the size for people: "38 rows", "12 M rows, 4 GB".
func (t TableSize) String() string {
	rows := count(t.Rows) + " rows"
	if t.Rows == 1 {
		rows = "1 row"
	}
	if t.AtLeast {
		rows = "at least " + rows
	}
	if t.Bytes < 1<<20 {
		return rows
	}
	return rows + ", " + bytes(t.Bytes)
}

// count writes a number with two digits that count, as statistics are no more
// exact.
func count(n int64) string {
	switch {
	case n >= 1_000_000_000:
		return short(float64(n)/1e9) + " billion"
	case n >= 1_000_000:
		return short(float64(n)/1e6) + " M"
	case n >= 10_000:
		return short(float64(n)/1e3) + " k"
	}
	return fmt.Sprint(n)
}

func bytes(n int64) string {
	switch {
	case n >= 1<<40:
		return short(float64(n)/(1<<40)) + " TB"
	case n >= 1<<30:
		return short(float64(n)/(1<<30)) + " GB"
	}
	return short(float64(n)/(1<<20)) + " MB"
}

func short(f float64) string {
	if f < 9.95 {
		return strings.TrimSuffix(fmt.Sprintf("%.1f", f), ".0")
	}
	return fmt.Sprintf("%.0f", f)
}

// bytesPerSecond is how fast a table is read and an index or a copy of it
// written, as a rule of thumb: enough to tell seconds from minutes.
const bytesPerSecond = 30 << 20

// lasts says in words how long it takes to go through the table.
func (t TableSize) lasts() string {
	switch seconds := t.Bytes / bytesPerSecond; {
	case seconds < 1:
		return "a moment"
	case seconds < 60:
		return "seconds"
	case seconds < 2*3600:
		return "minutes"
	}
	return "hours"
}

// size is what is known of the size of a table that was there before.
func (p *Pass) size(table migration.Name) (TableSize, bool) {
	t, ok := p.Settings.Sizes[schema.RefOf(table).String()]
	return t, ok && t.Rows >= 0
}

// proportional says what the work of a rule grows with.
type proportional struct {
	rule  *Rule
	table migration.Name
}

// weigh adapts a finding about work on a table to the table's size.
func (p *Pass) weigh(f *Finding, s *Step) {
	about := p.run.about
	if about.rule != p.rule || about.table.IsZero() {
		return
	}
	t, ok := p.size(about.table)
	if !ok {
		return
	}
	// A severity that configuration says itself stays.
	large := p.Settings.LargeRows
	if large <= 0 {
		large = DefaultLargeRows
	}
	if t.Rows < large && t.AtLeast {
		return // nobody knows
	}
	own := !p.run.configured[p.rule.ID]
	name := schema.RefOf(about.table).String()
	switch {
	case t.Rows < large:
		if own && (f.Severity == Warning || f.Severity == Info) {
			f.Severity--
		}
		f.Message += fmt.Sprintf(" (%s: %s)", name, t)
		return
	case t.Rows >= hugeTimes*large:
		if own && (f.Severity == Warning || f.Severity == Info) {
			f.Severity++
		}
	default:
		if own && f.Severity == Info {
			f.Severity = Warning
		}
	}
	blocks := "takes"
	if s != nil {
		for _, l := range schema.Locks(s.Op, s.Before) {
			if l.Relation == schema.RefOf(about.table) && l.Mode.Blocks() != "" {
				blocks = "blocks " + l.Mode.Blocks() + " for"
			}
		}
	}
	f.Message += fmt.Sprintf("; %s: %s: this %s %s", name, t, blocks, t.lasts())
}
