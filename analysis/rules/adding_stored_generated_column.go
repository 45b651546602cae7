package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/migration"
)

// adding-stored-generated-column reports new columns that are computed and
// stored for every row.
//
// A GENERATED ... STORED column is computed for each row that is there: the
// table and its indexes are written anew under an ACCESS EXCLUSIVE lock, and
// reads and writes wait. Fill a plain column by a trigger and in steps, or
// compute it in a view; PostgreSQL 18 has VIRTUAL columns, which cost nothing.
//
// # Bad: ecto
//
//	alter table(:orders) do
//	  add :gross, :decimal, generated: "ALWAYS AS (net * 1.2) STORED"
//	end
//
// # Good: ecto
//
//	alter table(:orders) do
//	  add :gross, :decimal
//	end
//
// # Bad: sql
//
//	ALTER TABLE orders ADD COLUMN gross numeric GENERATED ALWAYS AS (net * 1.2) STORED;
//
// # Good: sql
//
//	ALTER TABLE orders ADD COLUMN gross numeric GENERATED ALWAYS AS (net * 1.2) VIRTUAL;
//
// # Exceptions
//
// Tables that the same migration creates, tables listed as small, and VIRTUAL
// columns.
var addingStoredGeneratedColumn = &analysis.Rule{
	ID:       "adding-stored-generated-column",
	Summary:  "a new stored generated column rewrites the table under a lock",
	Severity: analysis.Warning,
	Default:  true,
	Aliases:  []string{"pgfence/add-column-stored-generated", "squawk/adding-field-with-default", "eugene/E11", "pgls/addSerialColumn", "pgls/addingFieldWithDefault"},
	On:       []migration.Op{(*migration.AddColumn)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.AddColumn)
		c := &op.Column
		if c.Generated == nil || !storedWord.MatchString(c.Def.Of(s.Statement.SQL)) {
			return
		}
		if s.After == s.Before || !p.Existing(s, op.Table) || p.Small(op.Table) {
			return
		}
		p.Report(s, analysis.Report{
			On:      c.Span,
			Message: fmt.Sprintf("adding %s blocks reads and writes on %s while it is computed for every row (ACCESS EXCLUSIVE lock)", quoted(c.Name), quoted(op.Table.String())),
			Help:    "fill a plain column by a trigger and in steps; or, from PostgreSQL 18, make it VIRTUAL",
		})
	},
}

var storedWord = regex.MustCompile(`(?i)\bstored\b`)
