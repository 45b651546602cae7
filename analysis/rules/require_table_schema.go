package rules

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// require-table-schema reports tables that are named without their schema.
//
// Where such a table is made or found depends on the search_path of whoever runs
// the migration: another role, another pooler, another tool may have another
// one.
//
// # Bad: sql
//
//	CREATE TABLE orders (id bigint PRIMARY KEY);
//
// # Good: sql
//
//	CREATE TABLE app.orders (id bigint PRIMARY KEY);
//
// # Bad: ecto
//
//	create table(:orders)
//
// # Good: ecto
//
//	create table(:orders, prefix: "app")
//
// # Exceptions
//
// Temporary tables, which are in no schema that could be named.
var requireTableSchema = &analysis.Rule{
	ID:       "require-table-schema",
	Summary:  "a table is named without its schema",
	Severity: analysis.Hint,
	Aliases:  []string{"squawk/require-table-schema"},
	On: []migration.Op{(*migration.CreateTable)(nil), (*migration.CreateIndex)(nil), (*migration.AddColumn)(nil), (*migration.DropColumn)(nil),
		(*migration.AlterColumnType)(nil), (*migration.SetNotNull)(nil), (*migration.SetDefault)(nil), (*migration.AddConstraint)(nil),
		(*migration.DropConstraint)(nil), (*migration.ValidateConstraint)(nil), (*migration.AlterTable)(nil), (*migration.Rename)(nil),
		(*migration.Drop)(nil), (*migration.CreateTrigger)(nil), (*migration.CreateView)(nil), (*migration.Write)(nil), (*migration.SetTableOptions)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		if op, ok := s.Op.(*migration.CreateTable); ok && op.Temp {
			return
		}
		sql := s.Statement.SQL
		for _, m := range schema.Mentions(s.Op) {
			if m.Kind != schema.RelationMention || m.Span.Len() == 0 || s.Inner {
				continue
			}
			written := m.Span.Of(sql)
			if strings.HasPrefix(written, "'") || strings.Contains(strings.ReplaceAll(written, `""`, ""), ".") && !strings.HasSuffix(written, ".") {
				continue
			}
			if r := s.After.Lookup(m.Ref); r != nil && r.Temp {
				continue
			}
			if r := s.Before.Lookup(m.Ref); r != nil && r.Temp {
				continue
			}
			p.Report(s, analysis.Report{
				On:      m.Span,
				Message: fmt.Sprintf("where %s is depends on the search_path of whoever runs this", quoted(m.Ref.Name)),
				Help:    "write its schema before the name",
			})
			return
		}
	},
}
