package runner

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/adrg/xdg"

	"github.com/ddlsp/ddlsp/migration"
)

// A runLog is ddlsp's own record of what it ran on one database for one
// project: a file of the user's, one JSON object a line, only ever appended
// to. It holds neither SQL nor passwords. The migration tools know nothing of
// it; it tells which files were changed after they were applied.
type runLog struct{ path string }

// A logEntry is what became of one migration.
type logEntry struct {
	Time      time.Time           `json:"time"`
	Database  string              `json:"database"`
	Host      string              `json:"host"`
	User      string              `json:"user"`
	Direction migration.Direction `json:"direction"`
	Version   string              `json:"version"`
	File      string              `json:"file"`
	// SHA256 is that of the file's bytes, Meaning that of what its up
	// direction sends, without comments and layout.
	SHA256     string `json:"sha256"`
	Meaning    string `json:"meaning"`
	Outcome    string `json:"outcome"`
	DurationMS int64  `json:"duration_ms"`
	SQLState   string `json:"sqlstate,omitempty"`
}

// StateDir is where ddlsp keeps what it remembers from one run to the next.
func StateDir() string {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "ddlsp")
	}
	return filepath.Join(xdg.StateHome, "ddlsp")
}

// log is the log of the runner's project and target; nil when it has none.
func (r *Runner) log() *runLog {
	if r.opts.LogDir == "" {
		return nil
	}
	host := r.target.Host
	if r.target.Name == Embedded {
		host = Embedded // its port may change with every start
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{r.opts.Root, host, r.target.Database, r.opts.Table}, "\x00")))
	return &runLog{filepath.Join(r.opts.LogDir, "runs", hex.EncodeToString(sum[:12])+".jsonl")}
}

// add appends an entry. A log that cannot be written must not keep a run from
// going on: what is missing in it is not known, which is what is said then.
func (l *runLog) add(e logEntry) {
	text, err := json.Marshal(e)
	if l == nil || err != nil {
		return
	}
	if err := os.MkdirAll(filepath.Dir(l.path), 0o700); err != nil {
		return
	}
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	f.Write(append(text, '\n')) // one write: two runs do not mix their lines
}

// applied are the entries of the migrations that ddlsp applied last and has
// not rolled back, by version. Lines that cannot be read are passed over.
func (l *runLog) applied() map[string]logEntry {
	if l == nil {
		return nil
	}
	f, err := os.Open(l.path)
	if err != nil {
		return nil
	}
	defer f.Close()
	out := map[string]logEntry{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var e logEntry
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			continue
		}
		switch e.Outcome {
		case Applied:
			out[e.Version] = e
		case RolledBack:
			delete(out, e.Version)
		}
	}
	return out
}

// remember notes what became of a step.
func (x *execution) remember(d *Done) {
	l := x.Runner.log()
	if l == nil {
		return
	}
	m, t := d.Migration, x.target
	e := logEntry{
		Time: time.Now().UTC().Truncate(time.Millisecond), Database: t.Database, Host: t.Host, User: t.User, Direction: d.Direction, Version: m.Version,
		File: filepath.Base(m.Path()), SHA256: fileHash(m), Meaning: meaning(m), Outcome: d.Outcome, DurationMS: d.Duration.Milliseconds(),
	}
	l.add(e)
}

// fileHash is the hash of a migration's first file.
func fileHash(m *migration.Migration) string {
	if len(m.Files) == 0 {
		return ""
	}
	sum := sha256.Sum256([]byte(m.Files[0].Text))
	return hex.EncodeToString(sum[:])
}

// meaning is a hash of what a migration's up direction does: of its statements
// where they are known, else of the file, in both cases without comments at
// the ends of lines and without layout. Two texts with one meaning may be
// different, but not the other way round.
func meaning(m *migration.Migration) string {
	h := sha256.New()
	put := func(text string) {
		for line := range strings.Lines(text) {
			if i := strings.Index(line, "--"); i >= 0 {
				line = line[:i]
			}
			for _, word := range strings.Fields(line) {
				h.Write([]byte(word + " "))
			}
		}
		h.Write([]byte{0})
	}
	statements := m.Up.Statements()
	known := m.Beam == "" && len(statements) > 0
	for _, s := range statements {
		known = known && s.NotRunnable == "" && (s.Opaque == "" || m.Format != migration.Ecto)
	}
	switch {
	case known:
		for _, s := range statements {
			put(s.SQL)
		}
	case len(m.Files) > 0:
		put(m.Files[0].Text)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// skew is how far the clocks of the server and of this machine may be apart.
const skew = 5 * time.Minute

// edited reports whether a migration does something else now than when it was
// applied; nil when nobody knows. at is when the version table says that it
// was applied, nil when it does not.
func (r *Runner) edited(log map[string]logEntry, m *migration.Migration, at *time.Time) *bool {
	e, ok := log[m.Version]
	if !ok || at != nil && at.Sub(e.Time).Abs() > skew {
		return nil // somebody else applied it, or applied it again
	}
	changed := e.Meaning != meaning(m)
	return &changed
}
