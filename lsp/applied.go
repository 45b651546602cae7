package lsp

import (
	"encoding/json"
	"path/filepath"
	"sync"
	"time"

	"github.com/ddlsp/ddlsp/runner"
)

// A known is what the last command that asked the database found out about one
// migration. Nothing asks it but the user's own commands.
type known struct {
	state  string
	at     time.Time // zero when nobody knows
	edited bool
}

// String is the state as a lens shows it.
func (k known) String() string {
	words := map[string]string{
		runner.StatePending: "pending", runner.StateOutOfOrder: "pending, out of order",
		runner.StateDirty: "dirty: a run failed here", runner.StateApplied: "applied",
	}[k.state]
	if k.state == runner.StateApplied && !k.at.IsZero() {
		words += " " + k.at.Format(time.DateOnly)
	}
	if k.edited {
		words += ", edited since"
	}
	return words
}

// states are the migrations of which something is known, by the path of their
// first file. Safe for concurrent use.
type states struct {
	mu   sync.Mutex
	path map[string]known
}

func (s *states) of(path string) (known, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.path[path]
	return k, ok
}

// put replaces what is known of some migrations, and reports whether that
// changes anything.
func (s *states) put(found map[string]known) (changed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.path == nil {
		s.path = map[string]known{}
	}
	for path, k := range found {
		if s.path[path] != k {
			s.path[path], changed = k, true
		}
	}
	return changed
}

// forget drops what is known of some files.
func (s *states) forget(paths []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range paths {
		delete(s.path, p)
	}
}

// within is a report's path as an absolute one.
func within(dir, path string) string {
	path = filepath.FromSlash(path)
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	return path
}

// learn takes what a status found over.
func (s *Server) learn(dir string, raw json.RawMessage) {
	var r runner.StatusReport
	if json.Unmarshal(raw, &r) != nil {
		return
	}
	found := map[string]known{}
	for _, m := range r.Migrations {
		if m.Path == nil {
			continue
		}
		k := known{state: m.State, edited: m.Edited != nil && *m.Edited}
		if m.AppliedAt != nil {
			k.at = m.AppliedAt.Local()
		}
		found[within(dir, *m.Path)] = k
	}
	if s.states.put(found) {
		s.spawn("refresh", s.refreshClient)
	}
}

// learnRun takes what a run did over; the caller refreshes the client.
func (s *Server) learnRun(p scope, dir string, r *runner.Report) {
	if r == nil {
		return
	}
	found := map[string]known{}
	for _, m := range r.Migrations {
		path := within(dir, m.Path)
		for _, f := range p.Files() {
			// A report names the file of the direction, a lens the first one.
			if f == path {
				if mig, _ := p.snap.Migration(s.life, f); mig != nil {
					path = mig.Path()
				}
				break
			}
		}
		switch m.Outcome {
		case runner.Applied:
			found[path] = known{state: runner.StateApplied, at: time.Now()}
		case runner.RolledBack:
			found[path] = known{state: runner.StatePending}
		case runner.Failed, runner.Skipped:
			s.states.forget([]string{path})
		}
	}
	s.states.put(found)
}
