package rules

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// unsafe-create-or-replace reports objects that are taken over from whoever
// made one of their name first.
//
// CREATE OR REPLACE keeps the owner of what is there, and CREATE ... IF NOT
// EXISTS all of it. In a schema where others can make objects, as in public
// before PostgreSQL 15 and in databases that come from there, somebody may have
// made it first: the function that everybody then calls can still be changed by
// that role, the table has its triggers.
//
// # Bad: sql
//
//	CREATE OR REPLACE FUNCTION total(o bigint) RETURNS numeric LANGUAGE sql AS $$ SELECT 1 $$;
//
// # Good: sql
//
//	CREATE FUNCTION total(o bigint) RETURNS numeric LANGUAGE sql AS $$ SELECT 1 $$;
//
// # Bad: ecto
//
//	create_if_not_exists table(:orders)
//
// # Good: ecto
//
//	create table(:orders)
//
// # Exceptions
//
// What an earlier migration made, and schemas that the migration makes. Only
// the schema public is looked at.
var unsafeCreateOrReplace = &analysis.Rule{
	ID:       "unsafe-create-or-replace",
	Summary:  "an object that somebody else made first is taken over",
	Severity: analysis.Hint,
	Fix:      analysis.UnsafeFix,
	Aliases: []string{"pgspot/PS002", "pgspot/PS006", "pgspot/PS007", "pgspot/PS010", "pgspot/PS011", "pgspot/PS012", "pgspot/PS013",
		"pgspot/PS014", "pgspot/PS015"},
	On: []migration.Op{(*migration.CreateFunction)(nil), (*migration.CreateView)(nil), (*migration.CreateTable)(nil), (*migration.Create)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		var name migration.Name
		replace, known := false, false
		switch op := s.Op.(type) {
		case *migration.CreateFunction:
			kind := "function"
			if op.Procedure {
				kind = "procedure"
			}
			name, replace, known = op.Function, op.Replace, s.Before.Object(kind, op.Function) != nil
			if !replace {
				return
			}
		case *migration.CreateView:
			name, replace, known = op.View, op.Replace, s.Before.Relation(op.View) != nil
			if !replace && !op.IfNotExists || op.Temp {
				return
			}
		case *migration.CreateTable:
			name, known = op.Table, s.Before.Relation(op.Table) != nil
			if !op.IfNotExists || op.Temp {
				return
			}
		case *migration.Create:
			if op.Kind != "sequence" && op.Kind != "aggregate" || !op.Replace && !op.IfNotExists {
				return
			}
			name, replace, known = op.Object, op.Replace, s.Before.Object(op.Kind, op.Object) != nil
		}
		if known || schema.RefOf(name).Schema != schema.DefaultSchema {
			return
		}
		if o := s.Before.Object("schema", migration.Name{Name: schema.DefaultSchema}); o != nil && o.Created != nil && o.Created.Migration == p.Migration {
			return
		}
		r := analysis.Report{On: name.Span, Help: "create it without " + takeOver(replace) + ": then it fails where somebody was first"}
		r.Message = fmt.Sprintf("if another role has made %s in public first, it stays that role's", quoted(name.Name))
		r.Fixes = fixes("Remove "+takeOver(replace), false, func() ([]source.Edit, error) { return plainCreate(s) })
		p.Report(s, r)
	},
}

func takeOver(replace bool) string {
	if replace {
		return "OR REPLACE"
	}
	return "IF NOT EXISTS"
}

var takeOverWords = regex.MustCompile(`(?is)^\s*create(\s+or\s+replace)\b|^\s*create\b[^("']*?\b(?:table|view|sequence)(\s+if\s+not\s+exists)\b`)

// plainCreate removes OR REPLACE or IF NOT EXISTS where it is written.
func plainCreate(s *analysis.Step) ([]source.Edit, error) {
	const long, short = "create_if_not_exists", "create"
	if c := s.Statement.Command; c != nil && c.Name == long && !c.Repeated {
		return []source.Edit{{Path: s.Statement.Path, Span: source.Span{Start: c.Span.Start, End: c.Span.Start + len(long)}, New: short}}, nil
	}
	m := takeOverWords.FindStringSubmatchIndex(s.Statement.SQL)
	if m == nil || strings.Contains(s.Statement.SQL[:m[1]], "--") {
		return nil, migration.ErrNotExpressible
	}
	n := 2
	if m[n] < 0 {
		n = 4
	}
	return edit(s, source.Span{Start: m[n], End: m[n+1]}, "")()
}
