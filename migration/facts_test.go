package migration

import (
	"reflect"
	"strings"
	"testing"
)

// TestFacts: what rules about partitions, writes and computed SQL ask for.
func TestFacts(t *testing.T) {
	for _, c := range []struct{ sql, want string }{
		{"CREATE TABLE p PARTITION OF t (x DEFAULT 0) FOR VALUES FROM ('a') TO ('b') PARTITION BY LIST (x)", "Bound=Expr{SQL=FOR VALUES FROM ('a') TO ('b') Span=`FOR VALUES FROM ('a') TO ('b')`}"},
		{"CREATE TABLE p PARTITION OF t DEFAULT", "Bound=Expr{SQL=DEFAULT Span=`DEFAULT`}"},
		{"ALTER TABLE t ATTACH PARTITION s.p FOR VALUES IN (1, 2)", "Bound=Expr{SQL=FOR VALUES IN (1, 2) Span=`FOR VALUES IN (1, 2)`}"},
		{"ALTER TABLE t ATTACH PARTITION p FOR VALUES WITH (MODULUS 4, REMAINDER 0)", "Bound=Expr{SQL=FOR VALUES WITH (MODULUS 4, REMAINDER 0) "},
		{"ALTER INDEX i ATTACH PARTITION j", "Partition=Name{Name=j Span=`j`}}"},
		{"INSERT INTO a SELECT * FROM b", "Query=true"},
		{"INSERT INTO a VALUES (1)", "Verb=insert Table=Name{Name=a Span=`a`}}"},
		{"INSERT INTO a DEFAULT VALUES", "Verb=insert Table=Name{Name=a Span=`a`}}"},
		{"UPDATE a SET b = 1 WHERE a.id = 7 AND c > 2", "Where=true Equals=[id]"},
		{"DELETE FROM a WHERE id IN (1, 2) AND 'x' = k", "Where=true Equals=[id, k]"},
		{"DELETE FROM a WHERE id = 1 OR k = 2", "Where=true}"},
		{"UPDATE a SET b = 1 FROM c WHERE a.id = c.id", "Where=true}"},
		{"SELECT x FROM a JOIN s.b USING (id)", "From=[Name{Name=a Span=`a`}, Name{Schema=s Name=b Span=`s.b`}]"},
		{"SELECT x FROM a LIMIT 1", "Point=true"},
		{"DO $$ BEGIN EXECUTE 'DROP TABLE ' || t; EXECUTE 'DROP TABLE b'; END $$", "Computed=[Expr{SQL='DROP TABLE ' || t Span=`'DROP TABLE ' || t`}]"},
	} {
		var got []string
		for _, op := range ReadSQL(c.sql).Ops {
			got = append(got, describe(c.sql, reflect.ValueOf(op)))
		}
		if all := strings.Join(got, " "); !strings.Contains(all, c.want) {
			t.Errorf("%s\ngot  %s\nwant %s", c.sql, all, c.want)
		}
	}
}
