package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// prefer-bigint reports keys that are too small to last.
//
// An integer key ends at 2,147,483,647, a smallint at 32,767; gaps that
// rollbacks and ON CONFLICT leave count too. From then on every INSERT fails, and
// the change to bigint rewrites the table and all that reference it under a
// lock.
//
// # Bad: sql
//
//	CREATE TABLE orders (id serial PRIMARY KEY);
//
// # Good: sql
//
//	CREATE TABLE orders (id bigserial PRIMARY KEY);
//
// # Bad: ecto
//
//	create table(:orders, primary_key: false) do
//	  add :id, :serial, primary_key: true
//	end
//
// # Good: ecto
//
//	create table(:orders, primary_key: false) do
//	  add :id, :bigserial, primary_key: true
//	end
//
// # Exceptions
//
// Columns that are no key, parts of a primary key of several columns, foreign
// keys to a key whose type is known (foreign-key-type-mismatch compares the
// two), temporary tables, and tables listed as small.
var preferBigint = &analysis.Rule{
	ID:       "prefer-bigint",
	Summary:  "a key is too small to last",
	Severity: analysis.Hint,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"squawk/prefer-bigint-over-int", "squawk/prefer-bigint-over-smallint", "squawk/prefer-big-int", "pgls/preferBigInt", "pgls/preferBigintOverInt", "pgls/preferBigintOverSmallint", "pgfence/prefer-bigint-over-int"},
	On:       addsForeignKeys,
	Op: func(p *analysis.Pass, s *analysis.Step) {
		foreignKeys(s, func(table migration.Name, con *migration.Constraint, columns []migration.Ident) {
			if len(columns) == 1 && !knownReference(s, con) {
				smallKey(p, s, table, columns[0], "foreign key")
			}
		})
		table, col := primaryKeyColumn(s)
		if col != nil {
			smallKey(p, s, table, *col, "primary key")
		}
	},
}

// primaryKeyColumn is the only column of the primary key that the operation
// makes, or nil.
func primaryKeyColumn(s *analysis.Step) (migration.Name, *migration.Ident) {
	single := func(con *migration.Constraint) *migration.Ident {
		if con.Kind == migration.PrimaryKey && len(con.Columns) == 1 && con.UsingIndex == "" {
			return &con.Columns[0]
		}
		return nil
	}
	switch op := s.Op.(type) {
	case *migration.CreateTable:
		for i := range op.Columns {
			if ofColumn(&op.Columns[i], migration.PrimaryKey) != nil {
				return op.Table, &op.Columns[i].Ident
			}
		}
		for i := range op.Constraints {
			if id := single(&op.Constraints[i]); id != nil {
				return op.Table, id
			}
		}
	case *migration.AddColumn:
		if ofColumn(&op.Column, migration.PrimaryKey) != nil {
			return op.Table, &op.Column.Ident
		}
	case *migration.AddConstraint:
		return op.Table, single(&op.Constraint)
	}
	return migration.Name{}, nil
}

// knownReference reports whether the type of the referenced key is known: what
// the column has to be is then settled, and foreign-key-type-mismatch compares
// the two.
func knownReference(s *analysis.Step, con *migration.Constraint) bool {
	r := s.After.Table(con.Ref)
	if r == nil {
		return false
	}
	keys := names(con.RefColumns)
	if len(keys) == 0 {
		if pk := r.PrimaryKey(); pk != nil {
			keys = pk.Columns
		}
	}
	return len(keys) == 1 && r.Column(keys[0]) != nil
}

func smallKey(p *analysis.Pass, s *analysis.Step, table migration.Name, id migration.Ident, what string) {
	r := s.After.Table(table)
	if r == nil || r.Temp || p.Small(table) || s.After == s.Before {
		return
	}
	c := r.Column(id.Name)
	// A column that an earlier statement made was reported there, or is what it
	// is.
	if c == nil || c.Created == nil || c.Created.Statement != s.Statement || c.Type.Array {
		return
	}
	limit := map[string]string{"smallint": "32,767", "integer": "2,147,483,647"}[c.Type.Name]
	if limit == "" {
		return
	}
	report := analysis.Report{
		On:      id.Span,
		Message: fmt.Sprintf("inserts fail once the %s %s passes %s", what, quoted(table.String()+"."+id.Name), limit),
		Help:    "use bigint",
		Fixes:   fixes("Use bigint", false, widen(p, s, id)),
	}
	if what == "foreign key" {
		report.Help = "use bigint, as the key that it references should be"
	}
	p.Report(s, report)
}

// widen makes an integer column a bigint.
func widen(p *analysis.Pass, s *analysis.Step, id migration.Ident) change {
	return func() ([]source.Edit, error) {
		if inDSL(s) {
			if sub := analysis.SubCommand(s.Statement, id.Span); sub != nil && sub.Object == "references" && p.Migration.Editor != nil {
				return p.Migration.Editor.SetOption(p.Migration, sub, "type", ":bigint")
			}
		}
		cols := typedColumns(s)
		i := slices.IndexFunc(cols, func(c typedColumn) bool { return c.Name == id.Name })
		if i < 0 {
			return nil, migration.ErrNotExpressible
		}
		to := "bigint"
		if strings.Contains(strings.ToLower(cols[i].typ.Serial), "serial") {
			to = "bigserial"
		}
		return retype(s, &cols[i], rewording{smallInteger, to}, rewording{smallIntegerEcto, ":" + to})()
	}
}

var (
	smallInteger     = regex.MustCompile(`(?i)^\w+$`)
	smallIntegerEcto = regex.MustCompile(`^:\w+$`)
)
