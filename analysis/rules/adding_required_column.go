package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// adding-required-column reports new columns that existing rows cannot have.
//
// ADD COLUMN ... NOT NULL without a default fails on a table that has a row:
// there is nothing to put into it. And running code that does not know the
// column can no longer insert. Add the column nullable, fill it, then set it
// NOT NULL; or give it a constant default, which costs nothing since
// PostgreSQL 11.
//
// # Bad: ecto
//
//	alter table(:orders) do
//	  add :state, :text, null: false
//	end
//
// # Good: ecto
//
//	alter table(:orders) do
//	  add :state, :text, null: false, default: "new"
//	end
//
// # Bad: sql
//
//	ALTER TABLE orders ADD COLUMN state text NOT NULL;
//
// # Good: sql
//
//	ALTER TABLE orders ADD COLUMN state text NOT NULL DEFAULT 'new';
//
// # Exceptions
//
// Tables that the same migration creates or has just emptied; identity, serial
// and generated columns.
var addingRequiredColumn = &analysis.Rule{
	ID:       "adding-required-column",
	Summary:  "a NOT NULL column without a default fails on a table with rows",
	Severity: analysis.Error,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Aliases: []string{"squawk/adding-required-field", "pgls/addingRequiredField", "eugene/E1", "atlas/MF103",
		"pgfence/add-column-not-null-no-default"},
	On: []migration.Op{(*migration.AddColumn)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.AddColumn)
		c := &op.Column
		if !c.NotNull || c.Default != nil && !c.Default.Null || c.Identity != "" || c.Generated != nil || c.Type.Serial != "" {
			return
		}
		if s.After == s.Before || !p.Existing(s, op.Table) || p.Emptied(s, op.Table) {
			return
		}
		if r := hypertable(s.Before, op.Table); r != nil && r.Hypertable.Columnstore {
			return // refused for another reason, which has its own rule
		}
		p.Report(s, analysis.Report{
			On:      c.Span,
			Message: fmt.Sprintf("adding %s fails when %s has rows: it is NOT NULL and has no default", quoted(c.Name), quoted(op.Table.String())),
			Help:    "add it nullable, fill it, then set it NOT NULL; or give it a constant default",
			Fixes:   fixes("Make the column nullable", false, nullable(s, c)),
		})
	},
}

// nullable takes NOT NULL off a new column.
func nullable(s *analysis.Step, c *migration.Column) change {
	return func() ([]source.Edit, error) {
		if sub := analysis.SubCommand(s.Statement, c.Span); sub != nil {
			o := sub.Option("null")
			if o == nil || sub.Repeated {
				return nil, migration.ErrNotExpressible
			}
			return []source.Edit{{Path: s.Statement.Path, Span: o.Value, New: "true"}}, nil
		}
		m := notNullWords.FindStringIndex(c.Def.Of(s.Statement.SQL))
		if m == nil {
			return nil, migration.ErrNotExpressible
		}
		return edit(s, source.Span{Start: c.Def.Start + m[0], End: c.Def.Start + m[1]}, "")()
	}
}
