package ecto

import (
	"testing"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// TestWrite: what is written is read again as the SQL that it was made from.
func TestWrite(t *testing.T) {
	up := []string{`ALTER TABLE orders VALIDATE CONSTRAINT "Orders_Check"`, "CREATE INDEX CONCURRENTLY a ON b (c)", "SELECT '#{x} \\ \"y\"',\n  2"}
	for _, m := range []Module{{Name: "Shop.Repo.Migrations.A"}, {Name: "A", Use: "Shop.Migration", Attributes: []string{"disable_ddl_transaction", "disable_migration_lock"}, Parentheses: true}} {
		text := Write(m, up, nil)
		got := Read(&source.File{Path: "/p/20240101000000_a.exs", Text: text}, nil, Options{Wrappers: []string{"Shop.Migration"}})
		if got.Module != m.Name || len(got.Problems) > 0 || got.Down.Origin != migration.Empty {
			t.Errorf("module %q, problems %v, down %s\n%s", got.Module, got.Problems, got.Down.Origin, text)
		}
		if want := len(m.Attributes) > 0; (got.Up.Tx == migration.None) != want || got.TableLock == want || Parenthesised(got) != m.Parentheses {
			t.Errorf("tx %s, lock %v, parentheses %v\n%s", got.Up.Tx, got.TableLock, Parenthesised(got), text)
		}
		st := got.Up.Statements()
		if len(st) != len(up) {
			t.Fatalf("%d statements\n%s", len(st), text)
		}
		for i := range st {
			if sql := st[i].SQL; sql != up[i] && sql != up[i]+"\n" {
				t.Errorf("statement %d: %q, want %q", i, sql, up[i])
			}
		}
	}
}
