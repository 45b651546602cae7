package runner

import (
	"context"
	"slices"
	"time"

	"github.com/ddlsp/ddlsp/migration"
)

// A Status is what is applied and what is not.
type Status struct {
	Target *Target
	Format migration.Format
	// Table is the version table; Present is false when it does not exist,
	// which means that nothing is applied.
	Table      string
	Present    bool
	Migrations []StatusLine
}

// Pending is the number of migrations that are not applied.
func (s *Status) Pending() int {
	n := 0
	for _, l := range s.Migrations {
		if l.State == StatePending || l.State == StateOutOfOrder {
			n++
		}
	}
	return n
}

// Dirty reports whether a failed run left the version table dirty.
func (s *Status) Dirty() bool {
	return slices.ContainsFunc(s.Migrations, func(l StatusLine) bool { return l.State == StateDirty })
}

// A StatusLine is one migration of a Status.
type StatusLine struct {
	Version, Name, Path string
	State               string
	AppliedAt           *time.Time
	// Edited is whether the migration does something else now than when it was
	// applied; nil when nobody knows.
	Edited *bool
}

// States of a migration.
const (
	StateApplied    = "applied"
	StatePending    = "pending"
	StateMissing    = "missing"      // applied, and there is no file
	StateOutOfOrder = "out_of_order" // not applied, and older than an applied one
	StateDirty      = "dirty"        // a run failed here
)

// Status reads the version table and compares it with the files. It is
// strictly read-only and needs no right but to read that table.
func (r *Runner) Status(ctx context.Context, prefix string) (*Status, error) {
	conn, srv, err := r.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer closeConn(conn)
	s, err := r.read(ctx, conn, srv, prefix)
	if err != nil {
		return nil, err
	}
	out := &Status{Target: r.target, Format: r.opts.Format, Table: s.table.String(), Present: s.present}
	newest := s.newest()
	log := r.log().applied()
	for _, m := range r.history {
		if m.Version == "" {
			continue
		}
		l := StatusLine{Version: m.Version, Name: m.Name, Path: m.Path(), State: StatePending}
		if i := slices.IndexFunc(s.rows, func(row row) bool { return s.compare(row.Version, m.Version) == 0 }); i >= 0 {
			l.State, l.AppliedAt = StateApplied, s.rows[i].At
			l.Edited = r.edited(log, m, s.rows[i].At)
			if s.rows[i].Edited != nil {
				l.Edited = s.rows[i].Edited(m)
			}
			if s.dirty && sameVersion(m.Version, newest) || slices.Contains(s.failed, s.rows[i].Version) {
				l.State = StateDirty
			}
		} else if newest != "" && s.compare(m.Version, newest) < 0 {
			l.State = StateOutOfOrder
		}
		out.Migrations = append(out.Migrations, l)
	}
	for _, row := range s.rows {
		if r.find(row.Version) == nil {
			l := StatusLine{Version: row.Version, State: StateMissing, AppliedAt: row.At}
			if s.dirty && row.Version == newest {
				l.State = StateDirty
			}
			out.Migrations = append(out.Migrations, l)
		}
	}
	slices.SortStableFunc(out.Migrations, func(a, b StatusLine) int { return s.compare(a.Version, b.Version) })
	if s.dirty && newest == "" {
		// A failed rollback of the first migration: golang-migrate's -1.
		out.Migrations = append([]StatusLine{{Version: "-1", State: StateDirty}}, out.Migrations...)
	}
	return out, nil
}
