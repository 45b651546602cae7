package schema

import (
	"testing"

	"github.com/ddlsp/ddlsp/migration"
)

func TestPartitionsAndRowSecurity(t *testing.T) {
	c := New()
	apply := func(sql string) {
		for _, op := range migration.ReadSQL(sql).Ops {
			c = c.Apply(&Origin{}, op)
		}
	}
	table := func(name string) *Relation { return c.Table(migration.Name{Name: name}) }
	apply("CREATE TABLE t (a int) PARTITION BY LIST (a)")
	apply("CREATE TABLE p PARTITION OF t FOR VALUES IN (1)")
	apply("CREATE TABLE d (a int)")
	apply("DO $$ BEGIN ALTER TABLE t ATTACH PARTITION d DEFAULT; END $$")
	if p, d := table("p"), table("d"); p.Bound != "FOR VALUES IN (1)" || d.Bound != "DEFAULT" || d.PartitionOf.Name != "t" {
		t.Errorf("%q %q of %s", p.Bound, d.Bound, d.PartitionOf)
	}
	apply("ALTER TABLE t DETACH PARTITION d")
	if d := table("d"); d.Bound != "" || d.PartitionOf.Name != "" {
		t.Errorf("%q of %s", d.Bound, d.PartitionOf)
	}
	apply("ALTER TABLE t ENABLE ROW LEVEL SECURITY")
	if !table("t").RowSecurity {
		t.Error("row level security is not seen")
	}
	apply("ALTER TABLE t DISABLE ROW LEVEL SECURITY")
	if table("t").RowSecurity {
		t.Error("row level security is still seen")
	}
	before := c.Taints()
	apply("SAVEPOINT s")
	if c.Taints() != before {
		t.Error("a savepoint is no mystery")
	}
	apply("ROLLBACK TO SAVEPOINT s")
	if c.Taints() == before {
		t.Error("nobody can tell what a rollback to a savepoint took back")
	}
}

func TestRoleSettings(t *testing.T) {
	c := New()
	for _, sql := range []string{"ALTER ROLE shop SET work_mem = '1GB'", "ALTER DATABASE d SET lock_timeout = '5s'", "ALTER ROLE shop RESET statement_timeout", "ALTER ROLE shop LOGIN"} {
		for _, op := range migration.ReadSQL(sql).Ops {
			c = c.Apply(&Origin{}, op)
		}
	}
	if !c.RoleSetting("lock_timeout") || !c.RoleSetting("work_mem") || c.RoleSetting("statement_timeout") {
		t.Errorf("%q", c.roleSettings)
	}
}
