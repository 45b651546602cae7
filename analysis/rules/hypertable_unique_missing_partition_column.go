package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// hypertable-unique-missing-partition-column reports unique keys of a
// hypertable that leave out a partitioning column.
//
// Each chunk of a hypertable has its own index, so TimescaleDB can only
// guarantee a unique key that holds every partitioning column: primary keys,
// unique constraints, unique indexes and exclusion constraints. INCLUDE columns
// and expressions on the column do not count. Without it the statement fails
// with TS103.
//
// # Bad: sql
//
//	CREATE TABLE metrics (id uuid PRIMARY KEY, time timestamptz NOT NULL);
//	SELECT create_hypertable('metrics', 'time');
//
// # Good: sql
//
//	CREATE TABLE metrics (id uuid, time timestamptz NOT NULL, PRIMARY KEY (id, time));
//	SELECT create_hypertable('metrics', 'time');
//
// # Bad: ecto
//
//	def up do
//	  create table(:metrics, primary_key: false) do
//	    add :id, :uuid, primary_key: true
//	    add :time, :timestamptz, null: false
//	  end
//
//	  execute "SELECT create_hypertable('metrics', 'time')"
//	end
//
//	def down do
//	  drop table(:metrics)
//	end
//
// # Good: ecto
//
//	def up do
//	  create table(:metrics, primary_key: false) do
//	    add :id, :uuid, primary_key: true
//	    add :time, :timestamptz, primary_key: true
//	  end
//
//	  execute "SELECT create_hypertable('metrics', 'time')"
//	end
//
//	def down do
//	  drop table(:metrics)
//	end
var hypertableUniqueMissingPartitionColumn = &analysis.Rule{
	ID:       "hypertable-unique-missing-partition-column",
	Summary:  "a unique key of a hypertable leaves out a partitioning column",
	Severity: analysis.Error,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	On: []migration.Op{(*migration.CreateHypertable)(nil), (*migration.CreateTable)(nil), (*migration.CreateIndex)(nil),
		(*migration.AddConstraint)(nil), (*migration.AddColumn)(nil), (*migration.AddDimension)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		var table migration.Name
		on := source.Span{}
		switch op := s.Op.(type) {
		case *migration.CreateHypertable:
			table, on = op.Table, op.Span
		case *migration.CreateTable:
			table, on = op.Table, op.Table.Span
		case *migration.CreateIndex:
			table, on = op.Table, op.Table.Span
		case *migration.AddConstraint:
			table, on = op.Table, op.Constraint.Span
		case *migration.AddColumn:
			table, on = op.Table, op.Column.Def
		case *migration.AddDimension:
			table, on = op.Table, op.Span
		}
		r := hypertable(s.After, table)
		if r == nil || r.Hypertable.TimeColumn == "" && len(r.Hypertable.Dimensions) == 0 {
			return
		}
		old := s.Before.Relation(table)
		for _, i := range r.Indexes {
			column := missingColumn(r, i)
			if column == "" || s.Statement.IsUnknown(on) {
				continue
			}
			// What was wrong before this step was reported there.
			if old != nil && old.Hypertable != nil && old.Index(i.Name) != nil && missingColumn(old, i) != "" {
				continue
			}
			report := analysis.Report{
				On: on,
				Message: fmt.Sprintf("this fails: %s of hypertable %s must include its partitioning column %s",
					keyName(r, i), quoted(r.Ref.String()), quoted(column)),
				Help:    fmt.Sprintf("add %s to the key", quoted(column)),
				Fixes:   addKeyColumn(p, r, i, column),
				Related: nil,
			}
			if i.Created != nil && i.Created.Statement != s.Statement {
				report.Related = analysis.RelatedTo(i.Created, "the key is made here")
			}
			p.Report(s, report)
			return
		}
	},
}

// missingColumn is a partitioning column that a unique or exclusion index
// leaves out, or "".
func missingColumn(r *schema.Relation, i *schema.Index) string {
	exclusion := false
	if c := r.Constraint(i.Constraint); c != nil && i.Constraint != "" {
		exclusion = c.Kind == migration.Exclude
	}
	if !i.Unique && !exclusion {
		return ""
	}
	for _, col := range r.Hypertable.Columns() {
		if !slices.Contains(i.ColumnKeys(), col) {
			return col
		}
	}
	return ""
}

func keyName(r *schema.Relation, i *schema.Index) string {
	if c := r.Constraint(i.Constraint); c != nil && i.Constraint != "" {
		switch c.Kind {
		case migration.PrimaryKey:
			return "the primary key"
		case migration.Exclude:
			return "exclusion constraint " + quoted(c.Name)
		}
		return "unique constraint " + quoted(c.Name)
	}
	return "unique index " + quoted(i.Name)
}

// addKeyColumn adds a column to the key where this migration made it.
func addKeyColumn(p *analysis.Pass, r *schema.Relation, i *schema.Index, column string) []analysis.Fix {
	if i.Created == nil || i.Created.Migration != p.Migration || i.Created.Direction != p.Direction || p.Migration.Editor == nil {
		return nil
	}
	st := i.Created.Statement
	title := "Add " + quoted(column) + " to the key"
	if st.Command != nil && st.Command.Name != "execute" {
		return fixes(title, false, func() ([]source.Edit, error) {
			return p.Migration.Editor.AddKeyColumn(p.Migration, st, source.Span{}, column)
		})
	}
	for _, op := range st.Ops() {
		switch op := op.(type) {
		case *migration.CreateIndex:
			return fixes(title, false, keyColumn(st, op.KeySpan, column))
		case *migration.AddConstraint:
			return fixes(title, false, keyColumn(st, columnsSpan(st.SQL, op.Constraint), column))
		case *migration.CreateTable:
			for _, c := range op.Constraints {
				if sameColumns(c, i) {
					return fixes(title, false, keyColumn(st, columnsSpan(st.SQL, c), column))
				}
			}
			for _, col := range op.Columns {
				for _, c := range col.Constraints {
					if len(i.Keys) == 1 && i.Keys[0].Column == col.Name && (c.Kind == migration.PrimaryKey || c.Kind == migration.Unique) {
						return fixes(title, false, tableKey(st, op, col, c, column))
					}
				}
			}
		}
	}
	return nil
}

func sameColumns(c migration.Constraint, i *schema.Index) bool {
	if c.Kind != migration.PrimaryKey && c.Kind != migration.Unique || len(c.Columns) != len(i.Keys) {
		return false
	}
	for n, col := range c.Columns {
		if col.Name != i.Keys[n].Column {
			return false
		}
	}
	return true
}

// columnsSpan is the list of a constraint's columns, parentheses excluded.
func columnsSpan(sql string, c migration.Constraint) source.Span {
	if len(c.Columns) == 0 {
		return source.Span{}
	}
	return c.Columns[0].Span.Union(c.Columns[len(c.Columns)-1].Span)
}

// keyColumn appends a column to a key list.
func keyColumn(st *migration.Statement, list source.Span, column string) change {
	return func() ([]source.Edit, error) {
		if list.End == 0 {
			return nil, migration.ErrNotExpressible
		}
		end := list.Start + len(strings.TrimRight(list.Of(st.SQL), " \t\r\n"))
		e, ok := st.Edit(source.Span{Start: end, End: end}, ", "+schema.Quote(column))
		if !ok {
			return nil, migration.ErrNotExpressible
		}
		return []source.Edit{e}, nil
	}
}

// tableKey turns the key of one column into one of the table that holds the
// second column too.
func tableKey(st *migration.Statement, op *migration.CreateTable, col migration.Column, c migration.Constraint, column string) change {
	return func() ([]source.Edit, error) {
		if c.Name != "" || len(op.Columns) == 0 {
			return nil, migration.ErrNotExpressible
		}
		// The constraint's words, without those of the next clause.
		text := strings.ToLower(c.Span.Of(st.SQL))
		words := "primary key"
		if c.Kind == migration.Unique {
			words = "unique"
		}
		if strings.Join(strings.Fields(text), " ") != words {
			return nil, migration.ErrNotExpressible
		}
		start := c.Span.Start
		for start > 0 && strings.IndexByte(" \t", st.SQL[start-1]) >= 0 {
			start--
		}
		remove, ok := st.Edit(source.Span{Start: start, End: c.Span.End}, "")
		if !ok {
			return nil, migration.ErrNotExpressible
		}
		last := 0
		for _, d := range op.Columns {
			last = max(last, d.Def.End)
		}
		for _, d := range op.Constraints {
			last = max(last, d.Span.End)
		}
		sep := ", "
		if i := strings.LastIndexByte(st.SQL[:op.Columns[0].Def.Start], '\n'); i > op.Table.Span.End {
			sep = ",\n" + st.SQL[i+1:op.Columns[0].Def.Start]
		}
		add, ok := st.Edit(source.Span{Start: last, End: last}, fmt.Sprintf("%s%s (%s, %s)", sep, strings.ToUpper(words), schema.Quote(col.Name), schema.Quote(column)))
		if !ok {
			return nil, migration.ErrNotExpressible
		}
		return []source.Edit{remove, add}, nil
	}
}
