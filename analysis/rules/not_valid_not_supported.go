package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// not-valid-not-supported reports NOT VALID where PostgreSQL refuses it.
//
// Before PostgreSQL 18 a foreign key of a partitioned table cannot be NOT
// VALID: the statement fails. Add it to the partitions first, NOT VALID each,
// validate them, and then add it to the parent, which then takes over theirs.
// (UNIQUE and PRIMARY KEY with NOT VALID are no SQL at all.)
//
// # Bad: sql
//
//	CREATE TABLE events (id bigint, user_id bigint, day date) PARTITION BY RANGE (day);
//	ALTER TABLE events ADD CONSTRAINT events_user FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID;
//
// # Good: sql
//
//	CREATE TABLE events (id bigint, user_id bigint, day date) PARTITION BY RANGE (day);
//	ALTER TABLE events ADD CONSTRAINT events_user FOREIGN KEY (user_id) REFERENCES users (id);
//
// # Bad: ecto
//
//	create table(:events, primary_key: false, options: "PARTITION BY RANGE (day)") do
//	  add :day, :date
//	  add :user_id, :bigint
//	end
//
//	alter table(:events) do
//	  modify :user_id, references(:users, validate: false)
//	end
//
// # Exceptions
//
// PostgreSQL 18 and later, when the configuration says so. When it says
// nothing, the finding is a warning.
var notValidNotSupported = &analysis.Rule{
	ID:       "not-valid-not-supported",
	Summary:  "PostgreSQL refuses NOT VALID for a foreign key of a partitioned table",
	Severity: analysis.Error,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	On:       []migration.Op{(*migration.AddConstraint)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.AddConstraint)
		if op.Constraint.Kind != migration.ForeignKey || !op.Constraint.NotValid || p.Settings.PostgresVersion >= 18 {
			return
		}
		r := s.Before.Relation(op.Table)
		if r == nil || r.PartitionBy == "" {
			return
		}
		report := analysis.Report{
			On:      op.Constraint.Span,
			Message: fmt.Sprintf("this fails before PostgreSQL 18: %s is partitioned, and its foreign keys cannot be NOT VALID", quoted(op.Table.String())),
			Help:    "add it to each partition first, validate it there, and then add it to the parent without NOT VALID",
			Fixes:   fixes("Remove NOT VALID", false, withoutNotValid(p, s, op)),
		}
		if p.Settings.PostgresVersion == 0 {
			report.Severity = analysis.Warning
		}
		p.Report(s, report)
	},
}

var notValidWords = regex.MustCompile(`(?i)\s+NOT\s+VALID\b`)

// withoutNotValid takes NOT VALID off the constraint.
func withoutNotValid(p *analysis.Pass, s *analysis.Step, op *migration.AddConstraint) change {
	return func() ([]source.Edit, error) {
		if inDSL(s) {
			sub := analysis.SubCommand(s.Statement, op.Constraint.Span)
			if sub == nil || s.Inner || p.Migration.Editor == nil {
				return nil, migration.ErrNotExpressible
			}
			return p.Migration.Editor.SetOption(p.Migration, sub, "validate", "true")
		}
		span := op.Constraint.Span
		m := notValidWords.FindAllStringIndex(span.Of(s.Statement.SQL), -1)
		if len(m) != 1 {
			return nil, migration.ErrNotExpressible
		}
		return edit(s, source.Span{Start: span.Start + m[0][0], End: span.Start + m[0][1]}, "")()
	}
}
