package rules

import (
	"fmt"
	"regexp"
	"sync"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// naming-convention reports new names that do not look like the others.
//
// Without more said a name consists of lower-case letters, digits and
// underscores: every other one must be quoted wherever it is used. The
// configuration can ask for more, with a regular expression for each kind of
// name: table, column, index, constraint, view, function, trigger and type.
//
//	[rules]
//	naming-convention = "warning"
//	[naming]
//	table = "^[a-z_]+s$"
//	index = "_(index|idx|key|pkey)$"
//
// # Bad: sql
//
//	CREATE TABLE "OrderItems" (id bigint PRIMARY KEY);
//
// # Good: sql
//
//	CREATE TABLE order_items (id bigint PRIMARY KEY);
//
// # Bad: ecto
//
//	alter table(:orders) do
//	  add :deliveryDate, :date
//	end
//
// # Good: ecto
//
//	alter table(:orders) do
//	  add :delivery_date, :date
//	end
var namingConvention = &analysis.Rule{
	ID:       "naming-convention",
	Summary:  "a new name does not follow the convention",
	Severity: analysis.Hint,
	Aliases:  []string{"atlas/NM101", "atlas/NM102", "atlas/NM103", "atlas/NM104", "atlas/NM105", "atlas/NM106"},
	On: []migration.Op{(*migration.CreateTable)(nil), (*migration.CreateIndex)(nil), (*migration.AddColumn)(nil), (*migration.AddConstraint)(nil),
		(*migration.CreateView)(nil), (*migration.CreateFunction)(nil), (*migration.CreateTrigger)(nil), (*migration.CreateType)(nil),
		(*migration.Rename)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		done := false
		check := func(kind, name string, on source.Span) {
			if done || name == "" || s.Statement.IsUnknown(on) || convention(p, kind).MatchString(name) {
				return
			}
			done = true // one of a statement is enough to show the way
			p.Report(s, analysis.Report{
				On:      on,
				Message: fmt.Sprintf("the %s %s is named unlike the others: its name does not match %s", kind, quoted(name), convention(p, kind)),
				Help:    "choose a name that follows the convention",
			})
		}
		column := func(c *migration.Column) {
			check("column", c.Name, c.Span)
			for i := range c.Constraints {
				check("constraint", c.Constraints[i].Name, c.Constraints[i].Span)
			}
		}
		switch op := s.Op.(type) {
		case *migration.CreateTable:
			check("table", op.Table.Name, op.Table.Span)
			for i := range op.Columns {
				column(&op.Columns[i])
			}
			for i := range op.Constraints {
				check("constraint", op.Constraints[i].Name, op.Constraints[i].Span)
			}
		case *migration.CreateIndex:
			check("index", op.Index.Name, op.Index.Span)
		case *migration.AddColumn:
			column(&op.Column)
		case *migration.AddConstraint:
			check("constraint", op.Constraint.Name, op.Constraint.Span)
		case *migration.CreateView:
			check("view", op.View.Name, op.View.Span)
		case *migration.CreateFunction:
			check("function", op.Function.Name, op.Function.Span)
		case *migration.CreateTrigger:
			check("trigger", op.Trigger.Name, op.Trigger.Span)
		case *migration.CreateType:
			check("type", op.Type.Name, op.Type.Span)
		case *migration.Rename:
			kind := map[string]string{"materialized view": "view", "domain": "type", "procedure": "function"}[op.Kind]
			if kind == "" {
				kind = op.Kind
			}
			switch kind {
			case "table", "column", "index", "constraint", "view", "function", "trigger", "type":
				check(kind, op.To, op.Object.Span)
			}
		}
	},
}

const plainName = `^[a-z_][a-z0-9_]*$`

// conventions are the compiled expressions of configurations.
var conventions sync.Map

// convention is what names of a kind must match.
func convention(p *analysis.Pass, kind string) *regexp.Regexp {
	text := p.Settings.Naming[kind]
	if text == "" {
		text = plainName
	}
	if re, ok := conventions.Load(text); ok {
		return re.(*regexp.Regexp)
	}
	re, err := regexp.Compile(text)
	if err != nil { // the configuration was refused for it
		re = regexp.MustCompile(plainName)
	}
	conventions.Store(text, re)
	return re
}
