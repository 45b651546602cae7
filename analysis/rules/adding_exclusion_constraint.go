package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// adding-exclusion-constraint reports exclusion constraints that are added to
// tables with rows.
//
// ADD EXCLUDE builds an index and compares every row under an ACCESS EXCLUSIVE
// lock: reads and writes wait. There is no way to do it in steps. Set a
// lock_timeout, and do it while little happens.
//
// # Bad: ecto
//
//	create constraint(:bookings, :no_overlap, exclude: ~s|gist (room WITH =, during WITH &&)|)
//
// # Bad: sql
//
//	ALTER TABLE bookings ADD CONSTRAINT no_overlap EXCLUDE USING gist (room WITH =, during WITH &&);
//
// # Good: sql
//
//	CREATE TABLE bookings (room int, during tstzrange, EXCLUDE USING gist (room WITH =, during WITH &&));
//
// # Exceptions
//
// Tables that the same migration creates, and tables listed as small.
var addingExclusionConstraint = &analysis.Rule{
	ID:       "adding-exclusion-constraint",
	Summary:  "a new exclusion constraint blocks reads and writes while its index is built",
	Severity: analysis.Warning,
	Default:  true,
	Aliases:  []string{"pgls/avoidAddingExclusionConstraint", "eugene/E8", "pgfence/add-constraint-exclude"},
	On:       []migration.Op{(*migration.AddConstraint)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.AddConstraint)
		if op.Constraint.Kind != migration.Exclude || !p.Existing(s, op.Table) || p.Small(op.Table) {
			return
		}
		p.Report(s, analysis.Report{
			On:      op.Constraint.Span,
			Message: fmt.Sprintf("adding this exclusion constraint blocks reads and writes on %s while its index is built (ACCESS EXCLUSIVE lock)", quoted(op.Table.String())),
			Help:    "there is no way in steps: set a lock_timeout and choose a quiet hour",
		})
	},
}
