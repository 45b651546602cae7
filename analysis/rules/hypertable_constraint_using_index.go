package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// hypertable-constraint-using-index reports constraints that TimescaleDB
// refuses.
//
// A hypertable cannot be given a constraint from an index that is there:
// ADD CONSTRAINT ... USING INDEX fails. A unique index alone does the same.
//
// # Bad: ecto
//
//	execute "CREATE TABLE m (at timestamptz NOT NULL, id int)", "DROP TABLE m"
//	execute "SELECT create_hypertable('m', 'at')", ""
//	execute "ALTER TABLE m ADD CONSTRAINT m_key UNIQUE USING INDEX m_idx", ""
//
// # Good: ecto
//
//	execute "CREATE TABLE m (at timestamptz NOT NULL, id int)", "DROP TABLE m"
//	execute "SELECT create_hypertable('m', 'at')", ""
//	execute "CREATE UNIQUE INDEX m_key ON m (id, at)", ""
//
// # Bad: sql
//
//	CREATE TABLE m (at timestamptz NOT NULL, id int);
//	SELECT create_hypertable('m', 'at');
//	CREATE UNIQUE INDEX m_idx ON m (id, at);
//	ALTER TABLE m ADD CONSTRAINT m_key UNIQUE USING INDEX m_idx;
//
// # Good: sql
//
//	CREATE TABLE m (at timestamptz NOT NULL, id int);
//	SELECT create_hypertable('m', 'at');
//	CREATE UNIQUE INDEX m_key ON m (id, at);
var hypertableConstraintUsingIndex = &analysis.Rule{
	ID:       "hypertable-constraint-using-index",
	Summary:  "a hypertable cannot have a constraint from an existing index",
	Severity: analysis.Error,
	Default:  true,
	On:       []migration.Op{(*migration.AddConstraint)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.AddConstraint)
		if op.Constraint.UsingIndex == "" || hypertable(s.Before, op.Table) == nil {
			return
		}
		p.Report(s, analysis.Report{
			On:      op.Constraint.Span,
			Message: fmt.Sprintf("this fails: %s is a hypertable, and hypertables do not take a constraint from an existing index", quoted(op.Table.String())),
			Help:    "the unique index alone does the same",
		})
	},
}
