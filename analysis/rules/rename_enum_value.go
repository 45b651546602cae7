package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// rename-enum-value reports labels of enum types that are renamed.
//
// The rename takes an instant and changes every row at once. Running code that
// still writes or asks for the old label fails with "invalid input value for
// enum" until all of it is restarted. Add a value with the new label in a
// migration of its own, let the code know both, move the rows over, and leave
// the old label unused.
//
// # Bad: sql
//
//	ALTER TYPE order_state RENAME VALUE 'sent' TO 'shipped';
//
// # Good: sql
//
//	ALTER TYPE order_state ADD VALUE 'shipped' AFTER 'sent';
//
// # Bad: ecto
//
//	execute(
//	  "ALTER TYPE order_state RENAME VALUE 'sent' TO 'shipped'",
//	  "ALTER TYPE order_state RENAME VALUE 'shipped' TO 'sent'"
//	)
//
// # Exceptions
//
// Types that the same migration creates.
var renameEnumValue = &analysis.Rule{
	ID:       "rename-enum-value",
	Summary:  "a renamed enum label breaks the code that still uses it",
	Severity: analysis.Warning,
	Default:  true,
	Aliases:  []string{"strong_migrations/rename_enum_value"},
	On:       []migration.Op{(*migration.Rename)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.Rename)
		if op.Kind != "enum value" || typeMadeHere(p, s.Before, op.Object) {
			return
		}
		p.Report(s, analysis.Report{
			On:      op.Object.Span,
			Message: fmt.Sprintf("running code that still writes %s fails: the type %s no longer knows it", quoted(op.From), quoted(op.Object.String())),
			Help:    "add the new value in a migration of its own, move the rows and the code over, and leave the old one unused",
		})
	},
}

// typeMadeHere reports whether this direction made a type before.
func typeMadeHere(p *analysis.Pass, c *schema.Catalog, name migration.Name) bool {
	o := c.Object("type", name)
	return o != nil && o.Created != nil && o.Created.Migration == p.Migration && o.Created.Direction == p.Direction
}
