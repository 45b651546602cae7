package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// enum-value-ordering reports enum values that are added without a place.
//
// A value without BEFORE or AFTER comes last, and its place cannot be changed
// any more: ORDER BY and < compare enum values by it. Say where it belongs, also
// where that is the end.
//
// # Bad: sql
//
//	CREATE TYPE state AS ENUM ('new', 'paid');
//	ALTER TYPE state ADD VALUE 'sent';
//
// # Good: sql
//
//	CREATE TYPE state AS ENUM ('new', 'paid');
//	ALTER TYPE state ADD VALUE 'sent' AFTER 'paid';
//
// # Bad: ecto
//
//	execute("ALTER TYPE state ADD VALUE 'sent'", "")
var enumValueOrdering = &analysis.Rule{
	ID:       "enum-value-ordering",
	Summary:  "an enum value is added without a place among the others",
	Severity: analysis.Hint,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"squawk/require-enum-value-ordering", "pgfence/alter-enum-no-ordering"},
	On:       []migration.Op{(*migration.AlterEnum)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.AlterEnum)
		if op.Before != "" || op.After != "" {
			return
		}
		p.Report(s, analysis.Report{
			On:      op.Type.Span,
			Message: fmt.Sprintf("%s will come after all other values of %s, and stay there", quoted(op.Value), quoted(op.Type.String())),
			Help:    "say BEFORE or AFTER which value it comes",
			Fixes:   fixes("Say that it comes last", false, afterLast(s, op)),
		})
	},
}

// afterLast says AFTER the value that is the last one now.
func afterLast(s *analysis.Step, op *migration.AlterEnum) change {
	return func() ([]source.Edit, error) {
		o := s.Before.Object("type", op.Type)
		if o == nil || len(o.Values) == 0 || slices.Contains(o.Values, op.Value) || !strings.HasSuffix(s.Statement.SQL, "'") {
			return nil, migration.ErrNotExpressible
		}
		last := strings.ReplaceAll(o.Values[len(o.Values)-1], "'", "''")
		end := len(s.Statement.SQL)
		return edit(s, source.Span{Start: end, End: end}, " AFTER '"+last+"'")()
	}
}
