package schema

import "testing"

// TestJobs: the policies of a relation are kept with their calls; the first one
// of a kind stays, a removal takes all of its kind.
func TestJobs(t *testing.T) {
	c := script(t,
		`CREATE TABLE m (time timestamptz NOT NULL) WITH (tsdb.hypertable)`,
		`CALL add_columnstore_policy('m', after => INTERVAL '1 day', if_not_exists => true)`,
		`SELECT add_retention_policy('m', INTERVAL '2 days')`,
		`SELECT add_retention_policy('m', INTERVAL '3 days', if_not_exists => true)`,
	)
	r := table(t, c, "m")
	if len(r.Jobs) != 2 || r.Jobs[0].Kind != "compression" || r.Jobs[0].Op != nil || r.Jobs[1].Kind != "retention" {
		t.Fatalf("jobs %+v", r.Jobs)
	}
	if got := *r.Jobs[1].Op.Call.Args[1].Literal; got != "2 days" {
		t.Errorf("the retention policy is that of %s", got)
	}
	c = fold(t, c, `CALL remove_columnstore_policy('m', if_exists => true)`)
	if r := table(t, c, "m"); len(r.Jobs) != 1 || r.Jobs[0].Kind != "retention" {
		t.Errorf("after the removal: %+v", r.Jobs)
	}
}
