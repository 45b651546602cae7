package rules

import (
	"regexp"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// A typedColumn is a column that an operation makes or gives another type.
type typedColumn struct {
	table migration.Name
	migration.Ident
	typ migration.Type
	// def is nil for ALTER COLUMN ... TYPE.
	def *migration.Column
}

// definesColumns are the operations that typedColumns reads.
var definesColumns = []migration.Op{(*migration.CreateTable)(nil), (*migration.AddColumn)(nil), (*migration.AlterColumnType)(nil)}

// typedColumns are the columns that the operation makes or gives another type;
// those of temporary tables are left out.
func typedColumns(s *analysis.Step) []typedColumn {
	var out []typedColumn
	switch op := s.Op.(type) {
	case *migration.CreateTable:
		if op.Temp || s.After == s.Before {
			return nil
		}
		out = make([]typedColumn, 0, len(op.Columns))
		for i := range op.Columns {
			out = append(out, typedColumn{op.Table, op.Columns[i].Ident, op.Columns[i].Type, &op.Columns[i]})
		}
	case *migration.AddColumn:
		if s.After == s.Before {
			return nil
		}
		out = append(out, typedColumn{op.Table, op.Column.Ident, op.Column.Type, &op.Column})
	case *migration.AlterColumnType:
		if old, known := formerType(s, op); known && sameType(old, op.Type) {
			return nil // Ecto's modify repeats the type
		}
		out = append(out, typedColumn{op.Table, op.Column, op.Type, nil})
	}
	if len(out) > 0 {
		if r := s.Before.Relation(out[0].table); r != nil && r.Temp {
			return nil
		}
	}
	return out
}

func sameType(a, b migration.Type) bool {
	return a.Name == b.Name && a.Array == b.Array && strings.Join(a.Args, ",") == strings.Join(b.Args, ",")
}

// String is the column as messages name it.
func (c *typedColumn) String() string { return quoted(c.table.String() + "." + c.Name) }

// at is the place of the type in SQL, or of the column where the text has none.
func (c *typedColumn) at() source.Span {
	if c.typ.Span.Len() > 0 {
		return c.typ.Span
	}
	return c.Span
}

// A rewording replaces what matches in a type as it is written; to may name the
// groups of from as $1.
type rewording struct {
	from *regex.Regexp
	to   string
}

// reword returns the text with the match replaced, in upper case where the
// match is; ok is false when nothing matches.
func (w rewording) reword(text string) (string, bool) {
	if w.from == nil || w.to == "" {
		return "", false
	}
	m := w.from.FindStringSubmatchIndex(text)
	if m == nil {
		return "", false
	}
	to := string(w.from.ExpandString(nil, w.to, text, m))
	if old := text[m[0]:m[1]]; old == strings.ToUpper(old) && old != strings.ToLower(old) {
		to = strings.ToUpper(to)
	}
	return text[:m[0]] + to + text[m[1]:], true
}

// retype writes another type of the column: sql changes the text of SQL, ecto
// that of Ecto's DSL.
func retype(s *analysis.Step, c *typedColumn, sql, ecto rewording) change {
	return func() ([]source.Edit, error) {
		if inDSL(s) {
			sub := analysis.SubCommand(s.Statement, c.Span)
			if sub == nil || sub.Repeated || sub.TypeSpan == (source.Span{}) || sub.Object != "" || s.Inner {
				return nil, migration.ErrNotExpressible
			}
			text, ok := ecto.reword(sub.Type)
			if !ok {
				return nil, migration.ErrNotExpressible
			}
			return []source.Edit{{Path: s.Statement.Path, Span: sub.TypeSpan, New: text}}, nil
		}
		text, ok := sql.reword(c.typ.Span.Of(s.Statement.SQL))
		if !ok {
			return nil, migration.ErrNotExpressible
		}
		return edit(s, c.typ.Span, text)()
	}
}

// inDSL reports whether the statement was compiled from Ecto's DSL.
func inDSL(s *analysis.Step) bool {
	return s.Statement.Command != nil && s.Statement.Command.Name != "execute"
}

// foreignKeys calls f for each foreign key that the operation adds, with its
// columns.
func foreignKeys(s *analysis.Step, f func(table migration.Name, con *migration.Constraint, columns []migration.Ident)) {
	if s.After == s.Before {
		return
	}
	switch op := s.Op.(type) {
	case *migration.CreateTable:
		for i := range op.Columns {
			for k := range op.Columns[i].Constraints {
				if con := &op.Columns[i].Constraints[k]; con.Kind == migration.ForeignKey {
					f(op.Table, con, []migration.Ident{op.Columns[i].Ident})
				}
			}
		}
		for i := range op.Constraints {
			if con := &op.Constraints[i]; con.Kind == migration.ForeignKey {
				f(op.Table, con, con.Columns)
			}
		}
	case *migration.AddColumn:
		for k := range op.Column.Constraints {
			if con := &op.Column.Constraints[k]; con.Kind == migration.ForeignKey {
				f(op.Table, con, []migration.Ident{op.Column.Ident})
			}
		}
	case *migration.AddConstraint:
		if con := &op.Constraint; con.Kind == migration.ForeignKey {
			f(op.Table, con, con.Columns)
		}
	}
}

// addsForeignKeys are the operations that foreignKeys reads.
var addsForeignKeys = []migration.Op{(*migration.CreateTable)(nil), (*migration.AddColumn)(nil), (*migration.AddConstraint)(nil)}

// names are the names of identifiers.
func names(ids []migration.Ident) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = id.Name
	}
	return out
}

// mentionsWord reports whether an expression names a column, string literals
// left aside.
func mentionsWord(expr, column string) bool {
	plain := stringLiterals.ReplaceAllString(expr, "''")
	return regexp.MustCompile(`(?i)(^|[^\w$])"?` + regexp.QuoteMeta(column) + `"?($|[^\w$(])`).MatchString(plain)
}

var stringLiterals = regex.MustCompile(`'(?:[^']|'')*'`)
