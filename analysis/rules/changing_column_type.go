package rules

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// changing-column-type reports type changes that rewrite the table.
//
// ALTER COLUMN ... TYPE holds an ACCESS EXCLUSIVE lock while every row is
// written anew and every index is built anew; reads and writes wait. A few
// changes keep the rows as they are: a longer or unlimited varchar, varchar to
// text, a numeric of more digits and the same scale. For the others add a new
// column, fill it in steps, and switch over.
//
// # Bad: sql
//
//	-- 001_orders.up.sql --
//	CREATE TABLE orders (id int PRIMARY KEY);
//	-- 002_bigint.up.sql --
//	ALTER TABLE orders ALTER COLUMN id TYPE bigint;
//
// # Good: sql
//
//	-- 001_orders.up.sql --
//	CREATE TABLE orders (id int PRIMARY KEY, state varchar(10));
//	-- 002_text.up.sql --
//	ALTER TABLE orders ALTER COLUMN state TYPE text;
//
// # Bad: ecto
//
//	alter table(:orders) do
//	  modify :amount, :bigint, from: :integer
//	end
//
// # Good: ecto
//
//	alter table(:orders) do
//	  modify :state, :text, from: :string
//	end
//
// # Exceptions
//
// Tables that the same migration creates, and tables listed as small. When the
// former type is not known, the finding is an info if the new one is text,
// varchar or numeric without a limit, or if it stands in a modify of Ecto that
// changes something else as well: a modify must always name a type.
var changingColumnType = &analysis.Rule{
	ID:       "changing-column-type",
	Summary:  "a type change rewrites the table under a lock",
	Severity: analysis.Warning,
	Default:  true,
	Aliases: []string{"squawk/changing-column-type", "pgls/changingColumnType", "excellent_migrations/column_type_changed", "eugene/E5",
		"atlas/PG301", "pgfence/alter-column-type", "eugene/E10"},
	On: []migration.Op{(*migration.AlterColumnType)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.AlterColumnType)
		if !p.Existing(s, op.Table) || p.Small(op.Table) || columnMadeHere(p, s, op.Table, op.Column.Name) {
			return
		}
		r := analysis.Report{
			On: op.Column.Span,
			Message: fmt.Sprintf("changing the type of %s blocks reads and writes while the table is rewritten (ACCESS EXCLUSIVE lock)",
				quoted(op.Table.String()+"."+op.Column.Name)),
			Help: "add a column of the new type, fill it in steps and switch over",
		}
		old, known := formerType(s, op)
		switch {
		case known && op.Using == nil && keepsRows(old, op.Type):
			return
		case known:
			r.Message += fmt.Sprintf(": %s to %s", schema.TypeSQL(old), schema.TypeSQL(op.Type))
			if op.Using == nil && betweenTimestamps(old, op.Type) {
				r.Message += ", unless the session's TimeZone is UTC"
			}
		case otherOptions(s, op):
			r.Severity = analysis.Info
			r.Message = fmt.Sprintf("if %s is not %s yet, this blocks reads and writes while the table is rewritten (ACCESS EXCLUSIVE lock): its former type is not known",
				quoted(op.Table.String()+"."+op.Column.Name), schema.TypeSQL(op.Type))
		case op.Using == nil && len(op.Type.Args) == 0 && (op.Type.Name == "text" || op.Type.Name == "varchar" || op.Type.Name == "numeric"):
			r.Severity = analysis.Info
			r.Message = fmt.Sprintf("changing the type of %s may rewrite the table under a lock: its former type is not known", quoted(op.Table.String()+"."+op.Column.Name))
		}
		p.Report(s, r)
	},
}

// ectoTypes are the types of from: as Ecto writes them in SQL.
var ectoTypes = map[string]migration.Type{
	":string": {Name: "varchar", Args: []string{"255"}}, ":text": {Name: "text"}, ":integer": {Name: "integer"}, ":bigint": {Name: "bigint"},
	":boolean": {Name: "boolean"}, ":float": {Name: "double precision"}, ":decimal": {Name: "numeric"}, ":date": {Name: "date"},
	":uuid": {Name: "uuid"}, ":binary_id": {Name: "uuid"}, ":binary": {Name: "bytea"}, ":map": {Name: "jsonb"}, ":jsonb": {Name: "jsonb"},
	":timestamptz":  {Name: "timestamptz"},
	":utc_datetime": {Name: "timestamp", Args: []string{"0"}}, ":naive_datetime": {Name: "timestamp", Args: []string{"0"}},
	":utc_datetime_usec": {Name: "timestamp"}, ":naive_datetime_usec": {Name: "timestamp"},
}

// typeWithOptions is a type of from: with its options, {:string, size: 40}.
var (
	typeWithOptions = regex.MustCompile(`^\{\s*(:\w+)\s*(?:,[^{}]*)?\}$`)
	typeOption      = regex.MustCompile(`\b(size|precision|scale):\s*(\d+)`)
)

// ectoType reads the type of from: as it is written; ok is false for what is
// not known.
func ectoType(text string) (t migration.Type, ok bool) {
	m := typeWithOptions.FindStringSubmatch(text)
	if m == nil {
		t, ok = ectoTypes[text]
		return t, ok
	}
	if t, ok = ectoTypes[m[1]]; !ok {
		return migration.Type{}, false
	}
	options := map[string]string{}
	for _, o := range typeOption.FindAllStringSubmatch(text, -1) {
		options[o[1]] = o[2]
	}
	switch {
	case options["size"] != "" && t.Name == "varchar":
		t.Args = []string{options["size"]}
	case options["precision"] != "" && t.Name == "numeric":
		t.Args = []string{options["precision"], "0"}
		if s := options["scale"]; s != "" {
			t.Args[1] = s
		}
	}
	return t, true
}

// formerType is what the column was, from the history or from Ecto's from:.
func formerType(s *analysis.Step, op *migration.AlterColumnType) (migration.Type, bool) {
	if r := s.Before.Relation(op.Table); r != nil {
		if c := r.Column(op.Column.Name); c != nil && c.Type.Name != "" {
			return c.Type, true
		}
	}
	if sub := analysis.SubCommand(s.Statement, op.Column.Span); sub != nil {
		if from := sub.Option("from"); from != nil {
			text := from.Text
			if text == sub.Type {
				return op.Type, true
			}
			if t, ok := ectoType(text); ok {
				return t, true
			}
		}
	}
	return migration.Type{}, false
}

// otherOptions reports whether a modify of Ecto's is about more than the type.
func otherOptions(s *analysis.Step, op *migration.AlterColumnType) bool {
	sub := analysis.SubCommand(s.Statement, op.Column.Span)
	if sub == nil || sub.Name != "modify" {
		return false
	}
	for _, name := range []string{"null", "default", "comment"} {
		if sub.Option(name) != nil {
			return true
		}
	}
	return false
}

// betweenTimestamps reports a change between timestamps with and without time
// zone of the same precision, which moves no row where both mean the same time.
// (PostgreSQL's ATColumnChangeRequiresRewrite asks the session's time zone.)
func betweenTimestamps(old, now migration.Type) bool {
	a, b := old.Name == "timestamp", now.Name == "timestamp"
	return !old.Array && !now.Array && a != b && (a || old.Name == "timestamptz") && (b || now.Name == "timestamptz") && slices.Equal(old.Args, now.Args)
}

// keepsRows reports whether PostgreSQL changes the type without writing a row.
func keepsRows(old, now migration.Type) bool {
	if old.Array != now.Array {
		return false
	}
	same := len(old.Args) == len(now.Args)
	for i := range old.Args {
		same = same && i < len(now.Args) && old.Args[i] == now.Args[i]
	}
	if old.Name == now.Name && same {
		return true
	}
	switch {
	case old.Name == "varchar" && (now.Name == "text" || now.Name == "varchar" && len(now.Args) == 0):
		return true
	case old.Name == "text" && now.Name == "varchar" && len(now.Args) == 0:
		return true
	case old.Name == "varchar" && now.Name == "varchar" && len(old.Args) == 1 && len(now.Args) == 1:
		return number(now.Args[0]) >= number(old.Args[0])
	case old.Name == "numeric" && now.Name == "numeric":
		if len(now.Args) == 0 {
			return true
		}
		return len(old.Args) == 2 && len(now.Args) == 2 && old.Args[1] == now.Args[1] && number(now.Args[0]) >= number(old.Args[0])
	}
	return false
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return -1
	}
	return n
}
