package rules

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// table-without-primary-key reports new tables that get no primary key.
//
// Without one, two equal rows cannot be told apart, logical replication refuses
// UPDATE and DELETE of the table (unless it is told what identifies a row), and
// most tools that copy or repack tables need one.
//
// # Bad: ecto
//
//	create table(:events, primary_key: false) do
//	  add :name, :text
//	end
//
// # Good: ecto
//
//	create table(:events) do
//	  add :name, :text
//	end
//
// # Bad: sql
//
//	CREATE TABLE events (name text);
//
// # Good: sql
//
//	CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
//
// # Exceptions
//
// Hypertables, partitions, temporary and unlogged tables, and tables whose
// columns come from elsewhere (LIKE, INHERITS, AS). A later migration may add
// the key.
var tableWithoutPrimaryKey = &analysis.Rule{
	ID:       "table-without-primary-key",
	Summary:  "a new table has no primary key",
	Severity: analysis.Info,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"pgls/noPrimaryKey"},
	Body: func(p *analysis.Pass) {
		for i := range p.Steps {
			s := &p.Steps[i]
			op, ok := s.Op.(*migration.CreateTable)
			if !ok || op.Temp || op.Unlogged || op.AsQuery || op.Hypertable != nil || !op.PartitionOf.IsZero() || len(op.Like)+len(op.Inherits) > 0 || hasPrimaryKey(op) {
				continue
			}
			r := p.After.Relation(op.Table)
			if !p.After.Complete(r) || r.Created.Statement != s.Statement || r.PrimaryKey() != nil || r.Hypertable != nil {
				continue
			}
			if end := p.End().Relation(op.Table); end == nil || end.PrimaryKey() != nil || end.Hypertable != nil {
				continue
			}
			report := analysis.Report{
				On:      op.Table.Span,
				Message: fmt.Sprintf("%s has no primary key: equal rows cannot be told apart, and logical replication refuses UPDATE and DELETE", quoted(op.Table.String())),
				Help:    "add one, of columns that are unique and NOT NULL or of a column of its own",
				Fixes:   fixes("Add a primary key", false, addPrimaryKey(p, s, op, r)),
			}
			if key := uniqueColumns(r); key != nil {
				report.Message = fmt.Sprintf("%s has no primary key: logical replication refuses UPDATE and DELETE as long as it is not told what identifies a row", quoted(op.Table.String()))
				report.Help = fmt.Sprintf("make (%s) the primary key: it is unique and NOT NULL", strings.Join(key, ", "))
			}
			p.Report(s, report)
		}
	},
}

// uniqueColumns are the columns of a unique index that could be the primary
// key, nil without one.
func uniqueColumns(r *schema.Relation) []string {
	for _, i := range r.Indexes {
		columns := i.ColumnKeys()
		ok := i.Unique && i.Where == ""
		for _, name := range columns {
			c := r.Column(name)
			ok = ok && c != nil && c.NotNull
		}
		if ok && len(columns) > 0 {
			return columns
		}
	}
	return nil
}

func hasPrimaryKey(op *migration.CreateTable) bool {
	for _, c := range op.Constraints {
		if c.Kind == migration.PrimaryKey {
			return true
		}
	}
	for i := range op.Columns {
		if ofColumn(&op.Columns[i], migration.PrimaryKey) != nil {
			return true
		}
	}
	return false
}

// addPrimaryKey lets Ecto add its own id again, or adds an identity column.
func addPrimaryKey(p *analysis.Pass, s *analysis.Step, op *migration.CreateTable, r *schema.Relation) change {
	return func() ([]source.Edit, error) {
		if s.Inner || r.Column("id") != nil || r.PartitionBy != "" {
			return nil, migration.ErrNotExpressible
		}
		if c := s.Statement.Command; c != nil && c.Object == "table" {
			o := c.Option("primary_key")
			if o == nil || o.Text != "false" {
				return nil, migration.ErrNotExpressible
			}
			return withoutOption(p, s, o)()
		}
		if v := p.Settings.PostgresVersion; v != 0 && v < 10 {
			return nil, migration.ErrNotExpressible
		}
		return insertAfter(p, s, "ALTER TABLE "+schema.RefOf(op.Table).SQL()+" ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY")()
	}
}
