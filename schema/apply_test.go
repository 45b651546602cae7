package schema

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/migration"
)

// everyOp is one value of every operation type. TestEveryOp compares the list
// with the source of package migration.
var everyOp = []migration.Op{
	&migration.CreateTable{}, &migration.CreateView{}, &migration.AddColumn{}, &migration.DropColumn{}, &migration.AlterColumnType{},
	&migration.SetNotNull{}, &migration.SetDefault{}, &migration.AddConstraint{}, &migration.DropConstraint{}, &migration.ValidateConstraint{},
	&migration.SetTableOptions{}, &migration.AttachPartition{}, &migration.DetachPartition{}, &migration.AlterTable{}, &migration.Rename{},
	&migration.SetSchema{}, &migration.CreateIndex{}, &migration.DropIndex{}, &migration.Reindex{}, &migration.Drop{}, &migration.CreateType{},
	&migration.AlterDomain{}, &migration.AlterEnum{}, &migration.CreateFunction{}, &migration.CreateTrigger{}, &migration.Create{}, &migration.AlterSequence{},
	&migration.Comment{}, &migration.Grant{}, &migration.Write{}, &migration.RefreshView{}, &migration.Set{}, &migration.TxControl{},
	&migration.LockTable{}, &migration.Maintain{}, &migration.Do{}, &migration.Query{}, &migration.CallProcedure{},
	&migration.CreateHypertable{}, &migration.AddDimension{}, &migration.Policy{}, &migration.Other{},
}

// TestEveryOp applies, locks and undoes a value of every operation type: one
// that a switch forgot would taint the catalog or fall through.
func TestEveryOp(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "../migration/ops.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	declared := 0
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Name.Name == "op" && fn.Recv != nil {
			declared++
		}
	}
	if declared != len(everyOp) {
		t.Errorf("package migration has %d operations, the list %d", declared, len(everyOp))
	}
	for _, op := range everyOp {
		c := New().Apply(&Origin{}, op)
		if c.Taints() != 0 {
			t.Errorf("%T taints the catalog", op)
		}
		Locks(op, New())
		u := undoer{end: c}
		if _, err := u.op(op, New(), c); err != nil && strings.Contains(err.Error(), "*migration.") {
			t.Errorf("%T: %v", op, err)
		}
		(&effects{marks: map[markKey]*mark{}, made: map[Ref]bool{}}).op(op, New(), c)
	}
}

func script(t testing.TB, sql ...string) *Catalog {
	t.Helper()
	c := New()
	for _, s := range sql {
		c = fold(t, c, s)
	}
	return c
}

func table(t testing.TB, c *Catalog, name string) *Relation {
	t.Helper()
	r := c.Lookup(Ref{DefaultSchema, name})
	if r == nil {
		t.Fatalf("no table %s", name)
	}
	return r
}

func indexNames(r *Relation) []string {
	var out []string
	for _, i := range r.Indexes {
		out = append(out, i.Name)
	}
	return out
}

// TestDefaultNames: the names that PostgreSQL 15 gave the same constraints and
// indexes.
func TestDefaultNames(t *testing.T) {
	c := script(t, `CREATE TABLE a (id int PRIMARY KEY, x int UNIQUE, y int CHECK (y > 0), z int REFERENCES a, UNIQUE (x, y))`,
		`CREATE INDEX ON a (x)`, `CREATE INDEX ON a (x)`, `CREATE INDEX ON a (x, y) INCLUDE (z)`,
		`CREATE TABLE a_very_long_table_name_that_goes_on_and_on_and_on (with_a_column_name_that_is_long_as_well int UNIQUE)`)
	r := table(t, c, "a")
	var cons []string
	for _, con := range r.Constraints {
		cons = append(cons, con.Name)
	}
	if want := []string{"a_pkey", "a_x_key", "a_y_check", "a_z_fkey", "a_x_y_key"}; !slices.Equal(cons, want) {
		t.Errorf("constraints %v, want %v", cons, want)
	}
	if got, want := indexNames(r), []string{"a_pkey", "a_x_key", "a_x_y_key", "a_x_idx", "a_x_idx1", "a_x_y_z_idx"}; !slices.Equal(got, want) {
		t.Errorf("indexes %v, want %v", got, want)
	}
	long := table(t, c, "a_very_long_table_name_that_goes_on_and_on_and_on")
	if got, want := long.Constraints[0].Name, "a_very_long_table_name_that_g_with_a_column_name_that_is_lo_key"; got != want {
		t.Errorf("long name %q, want %q", got, want)
	}
}

func TestRenamesAndDrops(t *testing.T) {
	c := script(t, `CREATE TABLE a (id int PRIMARY KEY, x int)`, `CREATE INDEX i ON a (x)`, `CREATE TABLE b (a_id int REFERENCES a)`,
		`CREATE VIEW v AS SELECT * FROM a`, `CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`,
		`CREATE TRIGGER tr BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f()`)
	c = fold(t, c, `ALTER TABLE a RENAME TO a2`)
	c = fold(t, c, `ALTER TABLE a2 RENAME COLUMN x TO y`)
	r := table(t, c, "a2")
	if c.Lookup(Ref{DefaultSchema, "a"}) != nil || r.Column("y") == nil || r.Column("x") != nil {
		t.Errorf("renames left %v", r.Columns)
	}
	if i, owner := c.Index(migration.Name{Name: "i"}); i == nil || owner != r || i.Keys[0].Column != "y" {
		t.Errorf("index i is %v of %v", i, owner)
	}
	if con := table(t, c, "b").Constraints[0]; con.Ref.Name != "a2" {
		t.Errorf("the foreign key points at %v", con.Ref)
	}
	if v := table(t, c, "v"); v.From[0].Name != "a2" {
		t.Errorf("the view reads %v", v.From)
	}
	if c.Trigger("trigger", migration.Name{Name: "a2"}, "tr") == nil {
		t.Error("the trigger did not follow its table")
	}
	dropped := fold(t, c, `ALTER TABLE a2 DROP COLUMN y`)
	if got := indexNames(table(t, dropped, "a2")); !slices.Equal(got, []string{"a_pkey"}) {
		t.Errorf("after dropping the column the indexes are %v", got)
	}
	gone := fold(t, c, `DROP TABLE a2 CASCADE`)
	if gone.Lookup(Ref{DefaultSchema, "v"}) != nil || len(table(t, gone, "b").Constraints) != 0 || gone.Trigger("trigger", migration.Name{Name: "a2"}, "tr") != nil {
		t.Error("CASCADE left something behind")
	}
	if len(table(t, c, "b").Constraints) != 1 || c.Lookup(Ref{DefaultSchema, "v"}) == nil {
		t.Error("the older catalog changed")
	}
}

// TestHypertableIndexes: which index TimescaleDB builds by itself.
func TestHypertableIndexes(t *testing.T) {
	for _, tt := range []struct {
		sql  []string
		want []string
		has  bool
	}{
		{[]string{`CREATE TABLE m (time timestamptz, d int)`, `SELECT create_hypertable('m', 'time')`}, []string{"m_time_idx"}, true},
		{[]string{`CREATE TABLE m (time timestamptz, d int)`, `CREATE INDEX x ON m (time)`, `SELECT create_hypertable('m', 'time')`}, []string{"x"}, true},
		{[]string{`CREATE TABLE m (time timestamptz, d int, PRIMARY KEY (time, d))`, `SELECT create_hypertable('m', 'time')`}, []string{"m_pkey", "m_time_idx"}, true},
		{[]string{`CREATE TABLE m (time timestamptz, d int)`, `SELECT create_hypertable('m', 'time', 'd', 4)`}, []string{"m_time_idx", "m_d_time_idx"}, true},
		{[]string{`CREATE TABLE m (time timestamptz, d int)`, `SELECT create_hypertable('m', by_range('time'), create_default_indexes => false)`}, nil, false},
		{[]string{`CREATE TABLE m (time timestamptz, d int)`, `SELECT create_hypertable('m', 'time')`, `DROP INDEX m_time_idx`}, nil, false},
		{[]string{`CREATE TABLE m (time timestamptz, d int)`, `SELECT create_hypertable('m', 'time')`, `CREATE INDEX ON m (time)`}, []string{"m_time_idx", "m_time_idx1"}, true},
	} {
		c := script(t, tt.sql...)
		r := table(t, c, "m")
		if got := indexNames(r); !slices.Equal(got, tt.want) {
			t.Errorf("%v\nindexes %v, want %v", tt.sql, got, tt.want)
		}
		if has := r.TimeIndex() != nil; has != tt.has {
			t.Errorf("%v\ntime index %v", tt.sql, has)
		}
		if !r.Column("time").NotNull {
			t.Errorf("%v\nthe time column may be null", tt.sql)
		}
	}
}

func TestViewUses(t *testing.T) {
	c := script(t, `CREATE TABLE orders (id int, total int)`, `CREATE TABLE users (id int)`,
		`CREATE VIEW v AS SELECT o.total, u.* FROM orders o, users u`, `ALTER TABLE orders RENAME COLUMN total TO amount`,
		`ALTER TABLE orders RENAME TO sales`)
	orders, users := Ref{DefaultSchema, "sales"}, Ref{DefaultSchema, "users"}
	if got, want := table(t, c, "v").Uses, []Use{{orders, "amount"}, {users, "id"}}; !slices.Equal(got, want) {
		t.Errorf("uses %v, want %v", got, want)
	}
	c = fold(t, c, `CREATE OR REPLACE VIEW v AS SELECT amount, id FROM sales s, users`)
	if got, want := table(t, c, "v").Uses, []Use{{orders, "amount"}}; !slices.Equal(got, want) {
		t.Errorf("uses of two tables %v, want %v", got, want)
	}
	c = fold(t, c, `CREATE OR REPLACE VIEW v AS SELECT id FROM users`)
	if got, want := table(t, c, "v").Uses, []Use{{users, "id"}}; !slices.Equal(got, want) {
		t.Errorf("uses after a replacement %v, want %v", got, want)
	}
}

func TestTriggerColumns(t *testing.T) {
	c := script(t, `CREATE TABLE orders (id int, total int)`,
		`CREATE TRIGGER g BEFORE UPDATE OF total ON orders FOR EACH ROW EXECUTE FUNCTION f()`, `ALTER TABLE orders RENAME COLUMN total TO amount`)
	got := c.Of("trigger", Ref{DefaultSchema, "orders"})
	if len(got) != 1 || !slices.Equal(got[0].Columns, []string{"amount"}) {
		t.Errorf("triggers %+v, want one on amount", got)
	}
}
