package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// create-enum reports enum types.
//
// Values can be added to an enum type and renamed, but never removed, and their
// order is fixed once and for all. A text column with a check constraint, or a
// table of the values with a foreign key, can be changed freely.
//
// # Bad: sql
//
//	CREATE TYPE state AS ENUM ('new', 'paid');
//
// # Good: sql
//
//	CREATE TABLE orders (id bigint PRIMARY KEY, state text CHECK (state IN ('new', 'paid')));
//
// # Bad: ecto
//
//	execute("CREATE TYPE state AS ENUM ('new', 'paid')", "DROP TYPE state")
var createEnum = &analysis.Rule{
	ID:       "create-enum",
	Summary:  "values of an enum type can never be removed",
	Severity: analysis.Hint,
	Aliases:  []string{"eugene/W13", "pgls/creatingEnum"},
	On:       []migration.Op{(*migration.CreateType)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.CreateType)
		if op.Kind != "enum" {
			return
		}
		p.Report(s, analysis.Report{
			On:      op.Type.Span,
			Message: fmt.Sprintf("no value of %s can ever be removed", quoted(op.Type.String())),
			Help:    "use a text column with a check constraint, or a table of the values",
		})
	},
}
