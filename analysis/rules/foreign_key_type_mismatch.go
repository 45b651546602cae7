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

// foreign-key-type-mismatch reports foreign keys between columns of different
// types.
//
// A foreign key from uuid to bigint cannot be made: the two cannot be compared,
// and the migration fails. In Ecto references/2 makes a bigint column, whatever
// the key of the other table is, unless type: says otherwise.
//
// One from integer to bigint can be made, and fails on the day when the other
// table's key outgrows the column.
//
// # Bad: sql
//
//	CREATE TABLE users (id uuid PRIMARY KEY);
//	CREATE TABLE orders (user_id bigint REFERENCES users (id));
//
// # Good: sql
//
//	CREATE TABLE users (id uuid PRIMARY KEY);
//	CREATE TABLE orders (user_id uuid REFERENCES users (id));
//
// # Bad: ecto
//
//	create table(:users, primary_key: [type: :binary_id]) do
//	  add :name, :text
//	end
//
//	create table(:orders) do
//	  add :user_id, references(:users)
//	end
//
// # Good: ecto
//
//	create table(:users, primary_key: [type: :binary_id]) do
//	  add :name, :text
//	end
//
//	create table(:orders) do
//	  add :user_id, references(:users, type: :binary_id)
//	end
//
// # Exceptions
//
// Columns whose types are not known, and types of the project's own or of
// extensions. When the other table comes from an earlier migration the finding
// is a warning; when the column is only narrower than the key, an info.
var foreignKeyTypeMismatch = &analysis.Rule{
	ID:       "foreign-key-type-mismatch",
	Summary:  "a foreign key's columns are of other types than those they reference",
	Severity: analysis.Error,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	On:       addsForeignKeys,
	Op: func(p *analysis.Pass, s *analysis.Step) {
		foreignKeys(s, func(table migration.Name, con *migration.Constraint, columns []migration.Ident) {
			from, to := s.After.Table(table), s.After.Table(con.Ref)
			if from == nil || to == nil {
				return
			}
			keys := names(con.RefColumns)
			if len(keys) == 0 {
				if pk := to.PrimaryKey(); pk != nil {
					keys = pk.Columns
				}
			}
			if len(keys) != len(columns) {
				return
			}
			for i := range columns {
				a, b := from.Column(columns[i].Name), to.Column(keys[i])
				if a == nil || b == nil {
					continue
				}
				was, is := a.Type, b.Type
				was.Serial, is.Serial = "", ""
				fails, narrow := mismatch(was, is)
				if !fails && !narrow {
					continue
				}
				own := quoted(table.String() + "." + a.Name)
				other := quoted(con.Ref.String() + "." + b.Name)
				r := analysis.Report{
					On: con.Span,
					Message: fmt.Sprintf("this foreign key cannot be made: %s is %s and %s is %s, which cannot be compared",
						own, schema.TypeSQL(was), other, schema.TypeSQL(is)),
					Help:    "give the column the type of the key that it references",
					Fixes:   fixes("Give the column the key's type", false, retypeKey(p, s, columns[i], is)),
					Related: analysis.RelatedTo(b.Created, other+" is made here"),
				}
				switch {
				case narrow:
					r.Severity = analysis.Info
					r.Message = fmt.Sprintf("%s is %s and cannot hold every key of %s, which is %s", own, schema.TypeSQL(was), other, schema.TypeSQL(is))
				case b.Created == nil || b.Created.Migration != p.Migration:
					r.Severity = analysis.Warning
				}
				p.Report(s, r)
				return
			}
		})
	},
}

// families are the types that can be compared with each other.
var families = map[string]string{
	"smallint": "integer", "integer": "integer", "bigint": "integer", "numeric": "numeric", "real": "float", "double precision": "float",
	"text": "text", "varchar": "text", "char": "text", "name": "text", "uuid": "uuid", "boolean": "boolean", "bytea": "bytea",
	"date": "date", "timestamp": "date", "timestamptz": "date", "inet": "inet", "cidr": "inet", "jsonb": "jsonb",
}

var integerSize = map[string]int{"smallint": 2, "integer": 4, "bigint": 8}

// mismatch compares the type of a referencing column with that of its key:
// fails when no foreign key is possible, narrow when one is and the column is
// too small for the key.
func mismatch(a, b migration.Type) (fails, narrow bool) {
	x, y := families[a.Name], families[b.Name]
	if x == "" || y == "" || a.Array || b.Array {
		return false, false
	}
	switch {
	case x == y:
		return false, integerSize[a.Name] < integerSize[b.Name]
	case x == "integer" && (y == "numeric" || y == "float"), x == "numeric" && y == "float":
		return false, false // cast by itself
	}
	return true, false
}

// retypeKey gives the column the type of the key that it references, where
// the same statement makes the column.
func retypeKey(p *analysis.Pass, s *analysis.Step, column migration.Ident, to migration.Type) change {
	return func() ([]source.Edit, error) {
		cols := typedColumns(s)
		i := slices.IndexFunc(cols, func(c typedColumn) bool { return c.Name == column.Name })
		if inDSL(s) {
			sub := analysis.SubCommand(s.Statement, column.Span)
			ecto := ectoKeyTypes[to.Name]
			if sub == nil || sub.Object != "references" || ecto == "" || s.Inner || p.Migration.Editor == nil {
				return nil, migration.ErrNotExpressible
			}
			return p.Migration.Editor.SetOption(p.Migration, sub, "type", ecto)
		}
		if i < 0 || cols[i].typ.Span.Len() == 0 || cols[i].typ.Serial != "" || cols[i].def.Default != nil {
			return nil, migration.ErrNotExpressible
		}
		text := schema.TypeSQL(to)
		if old := cols[i].typ.Span.Of(s.Statement.SQL); old == strings.ToUpper(old) {
			text = strings.ToUpper(text)
		}
		return edit(s, cols[i].typ.Span, text)()
	}
}

// ectoKeyTypes are Ecto's names of the types that keys have.
var ectoKeyTypes = map[string]string{"uuid": ":binary_id", "bigint": ":bigint", "integer": ":integer", "text": ":text", "varchar": ":string"}
