package rules

import (
	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// notValid makes the constraint that the step adds leave existing rows
// unchecked.
func notValid(p *analysis.Pass, s *analysis.Step, con *migration.Constraint) change {
	return func() ([]source.Edit, error) {
		if s.Inner || p.Migration.Editor == nil || con.Deferrable {
			return nil, migration.ErrNotExpressible
		}
		return p.Migration.Editor.NotValid(p.Migration, s.Statement, con.Span)
	}
}

// ofColumn returns the constraint of a kind that a column definition carries,
// or nil.
func ofColumn(c *migration.Column, kind migration.ConstraintKind) *migration.Constraint {
	for i := range c.Constraints {
		if c.Constraints[i].Kind == kind {
			return &c.Constraints[i]
		}
	}
	return nil
}

// filled reports whether a new column has a value in the rows that are there
// already.
func filled(c *migration.Column) bool {
	return c.Default != nil && !c.Default.Null || c.Identity != "" || c.Generated != nil || c.Type.Serial != ""
}

// constraintMadeHere reports whether the same direction added a constraint.
func constraintMadeHere(p *analysis.Pass, c *schema.Constraint) bool {
	return c != nil && c.Created != nil && c.Created.Migration == p.Migration && c.Created.Direction == p.Direction
}
