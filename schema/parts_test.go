package schema

import (
	"fmt"
	"testing"

	"github.com/ddlsp/ddlsp/migration"
)

// TestManyParts piles more parts upon one table than are kept: to keep them
// all would make each change slower than the one before it.
func TestManyParts(t *testing.T) {
	const n = 3000
	for name, sql := range map[string]string{
		"columns":         "ALTER TABLE a ADD c%d int",
		"indexes":         "CREATE INDEX a_%d ON a (id)",
		"unnamed indexes": "CREATE INDEX ON a (id) WHERE id > %d",
		"constraints":     "ALTER TABLE a ADD CHECK (id > %d)",
	} {
		t.Run(name, func(t *testing.T) {
			c := New()
			for _, op := range migration.ReadSQL("CREATE TABLE a (id int)").Ops {
				c = c.Apply(&Origin{}, op)
			}
			for i := range n {
				parsed := migration.ReadSQL(fmt.Sprintf(sql, i))
				for _, op := range parsed.Ops {
					c = c.Apply(&Origin{}, op)
				}
			}
			r := c.Table(migration.Name{Name: "a"})
			if !r.Partial {
				t.Error("not all parts are known, and the catalog does not say so")
			}
			if len(r.Columns) > maxParts || len(r.Indexes) > maxParts || len(r.Constraints) > maxParts {
				t.Errorf("%d columns, %d indexes, %d constraints are kept", len(r.Columns), len(r.Indexes), len(r.Constraints))
			}
		})
	}
}
