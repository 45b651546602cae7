package rules

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// multiple-alter-table reports changes of one table that read or rewrite it
// several times where once would do.
//
// PostgreSQL does all that one ALTER TABLE asks for in a single pass over the
// rows. Two statements that each rewrite or check every row take twice the
// time, under the same lock.
//
// # Bad: ecto
//
//	alter table(:orders) do
//	  modify :total, :bigint, from: :integer
//	end
//
//	alter table(:orders) do
//	  modify :tax, :bigint, from: :integer
//	end
//
// # Good: ecto
//
//	alter table(:orders) do
//	  modify :total, :bigint, from: :integer
//	  modify :tax, :bigint, from: :integer
//	end
//
// # Bad: sql
//
//	ALTER TABLE orders ALTER COLUMN total TYPE bigint;
//	ALTER TABLE orders ALTER COLUMN tax TYPE bigint;
//
// # Good: sql
//
//	ALTER TABLE orders ALTER COLUMN total TYPE bigint, ALTER COLUMN tax TYPE bigint;
//
// # Exceptions
//
// Changes that are done at once, and tables that the same migration creates.
var multipleAlterTable = &analysis.Rule{
	ID:       "multiple-alter-table",
	Summary:  "two statements in a row read or rewrite the same table",
	Severity: analysis.Hint,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"pgls/multipleAlterTable", "eugene/W12"},
	Body: func(p *analysis.Pass) {
		var before *analysis.Step // that passes over a table, in the statement before
		var table schema.Ref
		for i := 0; i < len(p.Steps); {
			s := &p.Steps[i]
			var pass *analysis.Step
			on, one := schema.Ref{}, true
			for ; i < len(p.Steps) && p.Steps[i].Statement == s.Statement; i++ {
				t, ok := altered(p.Steps[i].Op)
				if !ok || p.Steps[i].Inner {
					one = false
					continue
				}
				on = schema.RefOf(t)
				if pass == nil && p.Existing(&p.Steps[i], t) && !p.Small(t) && passesOver(p, &p.Steps[i]) {
					pass = &p.Steps[i]
				}
			}
			if !one {
				before = nil
				continue
			}
			if before != nil && pass != nil && on == table {
				p.Report(pass, analysis.Report{
					Message: fmt.Sprintf("%s is read or rewritten a second time under the same lock: the statement before does it too", quoted(on.String())),
					Help:    "do both in one statement",
					Related: []analysis.Related{{Message: "the first time", Path: before.Statement.Path, Span: before.Statement.Span}},
					Fixes:   fixes("Join the two statements", false, joined(p, before, pass)),
				})
			}
			before, table = pass, on
		}
	},
}

// altered is the table of a sub-command of ALTER TABLE that can stand beside
// others in one statement.
func altered(op migration.Op) (migration.Name, bool) {
	switch op := op.(type) {
	case *migration.AddColumn:
		return op.Table, true
	case *migration.DropColumn:
		return op.Table, true
	case *migration.AlterColumnType:
		return op.Table, true
	case *migration.SetNotNull:
		return op.Table, true
	case *migration.SetDefault:
		return op.Table, true
	case *migration.AddConstraint:
		return op.Table, true
	case *migration.DropConstraint:
		return op.Table, true
	case *migration.ValidateConstraint:
		return op.Table, true
	}
	return migration.Name{}, false
}

// passesOver reports whether a sub-command of ALTER TABLE reads or rewrites
// every row.
func passesOver(p *analysis.Pass, s *analysis.Step) bool {
	switch op := s.Op.(type) {
	case *migration.AddColumn:
		c := &op.Column
		if c.Type.Serial != "" || c.Identity != "" || c.Generated != nil || ofColumn(c, migration.Check) != nil {
			return true
		}
		if c.Default != nil {
			for _, f := range c.Default.Functions {
				if volatileFunctions[strings.TrimPrefix(f, "pg_catalog.")] {
					return true
				}
			}
		}
	case *migration.AlterColumnType:
		old, known := formerType(s, op)
		return op.Using != nil || !known || !keepsRows(old, op.Type)
	case *migration.SetNotNull:
		if op.Drop {
			return false
		}
		r := s.Before.Relation(op.Table)
		if r == nil {
			return true
		}
		c := r.Column(op.Column.Name)
		return !(c != nil && c.NotNull) && !provenNotNull(r, op.Column.Name)
	case *migration.AddConstraint:
		return op.Constraint.Kind == migration.Check && !op.Constraint.NotValid
	case *migration.ValidateConstraint:
		return true
	}
	return false
}

// joined appends what a statement of a SQL file asks of its table to the
// statement before it.
func joined(p *analysis.Pass, a, b *analysis.Step) change {
	return func() ([]source.Edit, error) {
		x, y := a.Statement, b.Statement
		f := p.Migration.File(x.Path)
		t, _ := altered(b.Op)
		if f == nil || x.Command != nil || y.Command != nil || x.Path != y.Path || t.Span.Len() == 0 {
			return nil, migration.ErrNotExpressible
		}
		start := x.Span.Start + len(strings.TrimRight(f.Text[x.Span.Start:x.Span.End], "; \t\r\n"))
		end := y.Where(source.Span{Start: t.Span.End, End: t.Span.End}).Start
		for end < len(f.Text) && strings.ContainsRune(" \t\r\n", rune(f.Text[end])) {
			end++
		}
		if between := f.Text[start:max(start, min(y.Span.Start, len(f.Text)))]; strings.Trim(between, "; \t\r\n") != "" || end < y.Span.Start {
			return nil, migration.ErrNotExpressible // a comment, a directive
		}
		return []source.Edit{{Path: f.Path, Span: source.Span{Start: start, End: end}, New: ",\n  "}}, nil
	}
}
