package migration

import (
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ddlsp/ddlsp/internal/pgparse"
)

// same compares what is read from the tokens with what the tree says, and
// reports whether there was something to compare.
func same(t *testing.T, sql string) bool {
	t.Helper()
	ops := readSimple(sql, pgparse.Tokens(sql))
	if ops == nil {
		return false
	}
	if d := cmp.Diff(readTree(sql), &Parsed{Ops: ops, Count: 1}); d != "" {
		t.Errorf("%q: tree (-) and tokens (+):\n%s", sql, d)
	}
	return true
}

func TestReadSimple(t *testing.T) {
	for _, sql := range []string{
		"DROP TABLE orders",
		`drop table if exists public.orders, "Lines" cascade;`,
		"DROP VIEW v RESTRICT",
		"DROP MATERIALIZED VIEW IF EXISTS m /* gone */",
		"DROP SEQUENCE s;", "DROP TYPE public.mood",
		"DROP TRIGGER IF EXISTS t ON public.orders CASCADE",
		"DROP POLICY p ON orders",
		"DROP INDEX CONCURRENTLY IF EXISTS orders_state_index;",
		"DROP INDEX a, b CASCADE",
		"CREATE INDEX ON orders (state)",
		"CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON ONLY public.orders USING btree (state, \"At\" DESC, id ASC);",
		"-- why\nCREATE INDEX i ON orders USING hash (state)",
		"ALTER TABLE IF EXISTS ONLY orders DROP COLUMN IF EXISTS state CASCADE",
		"ALTER TABLE a.orders DROP CONSTRAINT c, ALTER COLUMN x SET NOT NULL, ALTER COLUMN y DROP DEFAULT, ALTER COLUMN z DROP NOT NULL",
		"ALTER TABLE orders VALIDATE CONSTRAINT c",
		"DROP TABLE é",
	} {
		if !same(t, sql) && ascii(sql) {
			t.Errorf("%q is not read", sql)
		}
	}
	for _, sql := range []string{
		"DROP TABLE user", "DROP TABLE", "DROP TABLE a b", "DROP TABLE a,", "DROP FUNCTION f(int)", `DROP TABLE ""`,
		"CREATE INDEX i ON t (lower(x))", "CREATE INDEX i ON t (x) WHERE y", "CREATE INDEX IF NOT EXISTS ON t (x)", "CREATE INDEX i ON t ()",
		"ALTER TABLE t", "ALTER TABLE t DROP x", "ALTER TABLE t ALTER x SET NOT NULL", "DROP TABLE a; DROP TABLE b", "DROP TABLE a.b.c",
		"DROP INDEX CONCURRENTLY", "DROP TABLE " + strings.Repeat("x", 64), `DROP TABLE U&"a"`, "DROP TABLE a CASCADE CASCADE",
	} {
		if ops := readSimple(sql, pgparse.Tokens(sql)); ops != nil {
			t.Errorf("%q is read: %#v", sql, ops[0])
		}
	}
}

// TestReadSimpleRandom strings words together that the statements are made of:
// whatever is read must be what the grammar makes of it.
func TestReadSimpleRandom(t *testing.T) {
	words := strings.Fields(`drop create alter table index view type sequence trigger policy materialized unique if exists not
		concurrently on only using btree gin ( ) , ; . a b "C" public name key user column constraint cascade restrict set null
		default validate asc desc nulls first include where add`)
	starts := []string{"drop table", "drop index", "drop index concurrently if exists", "create index", "create unique index i on",
		"create index on a (", "alter table a drop column", "alter table only a", "alter table a alter column", "drop trigger a on", "drop view if exists"}
	r := rand.New(rand.NewSource(1))
	read := 0
	for range 100_000 {
		parts := []string{starts[r.Intn(len(starts))]}
		for range r.Intn(7) {
			parts = append(parts, words[r.Intn(len(words))])
		}
		if same(t, strings.Join(parts, " ")) {
			read++
		}
		if t.Failed() {
			return
		}
	}
	if read < 1000 {
		t.Errorf("only %d of the statements were read", read)
	}
}

// TestReadSimpleFiles compares all statements of the SQL files of the project.
func TestReadSimpleFiles(t *testing.T) {
	read, all := 0, 0
	err := filepath.WalkDir("..", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".sql" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, p := range pgparse.Split(string(text)) {
			all++
			if same(t, p.Span.Of(string(text))) {
				read++
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d statements", read, all)
	if read == 0 {
		t.Error("nothing was read")
	}
}
