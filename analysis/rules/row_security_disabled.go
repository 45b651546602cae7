package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// row-security-disabled reports tables whose rows lose their protection.
//
// After DISABLE ROW LEVEL SECURITY the policies of a table stand there and do
// nothing: every role that may read the table reads all of its rows. Less
// visible is a policy for writing whose condition is true: with it everybody
// who may write to the table may write to every row (a hint).
//
// # Bad: sql
//
//	ALTER TABLE invoices DISABLE ROW LEVEL SECURITY;
//
// # Good: sql
//
//	CREATE POLICY own_invoices ON invoices USING (owner = current_user);
//
// # Bad: ecto
//
//	execute "ALTER TABLE invoices DISABLE ROW LEVEL SECURITY", "ALTER TABLE invoices ENABLE ROW LEVEL SECURITY"
//
// # Good: ecto
//
//	execute "ALTER TABLE invoices ENABLE ROW LEVEL SECURITY", "ALTER TABLE invoices DISABLE ROW LEVEL SECURITY"
//
// # Exceptions
//
// The down direction, tables that the same migration creates, and policies for
// named roles.
var rowSecurityDisabled = &analysis.Rule{
	ID:       "row-security-disabled",
	Summary:  "row level security no longer protects a table",
	Severity: analysis.Warning,
	Default:  true,
	Aliases:  []string{"pgls/rlsPolicyAlwaysTrue"},
	On:       []migration.Op{(*migration.AlterTable)(nil), (*migration.Create)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		switch op := s.Op.(type) {
		case *migration.AlterTable:
			if op.What != "disable row level security" || p.CreatedHere(s.Before.Relation(op.Table)) {
				return
			}
			p.Report(s, analysis.Report{
				On:      op.Table.Span,
				Message: fmt.Sprintf("every role that may read %s will see all of its rows: its policies are no longer applied", quoted(op.Table.String())),
				Help:    "keep row level security on, and change the policies",
			})
		case *migration.Create:
			if op.Kind != "policy" || !openPolicy(op) {
				return
			}
			p.Report(s, analysis.Report{
				On:       op.Object.Span,
				Severity: analysis.Hint,
				Message:  fmt.Sprintf("everybody who may write to %s may write to all of its rows: the condition of policy %s is always true", quoted(op.Table.String()), quoted(op.Object.Name)),
				Help:     "say which rows are meant, or name the role that may write to them all",
			})
		}
	},
}

// openPolicy reports whether a policy lets everybody write to every row.
func openPolicy(op *migration.Create) bool {
	command, using, check, hasCheck, permissive := "", "", "", false, false
	var roles []string
	for _, o := range op.Options {
		switch o.Name {
		case "permissive":
			permissive = true
		case "for":
			command = o.Value
		case "to":
			roles = append(roles, o.Value)
		case "using":
			using = o.Value
		case "with check":
			check, hasCheck = o.Value, true
		}
	}
	if !permissive || len(roles) > 0 && !slices.Contains(roles, "public") {
		return false
	}
	switch command {
	case "insert":
		return always(check)
	case "delete":
		return always(using)
	case "update", "all":
		return always(using) && (!hasCheck || always(check))
	}
	return false
}

// always reports whether a condition is the constant true.
func always(expr string) bool {
	for strings.HasPrefix(expr, "(") && strings.HasSuffix(expr, ")") {
		expr = strings.TrimSpace(expr[1 : len(expr)-1])
	}
	return strings.EqualFold(expr, "true")
}
