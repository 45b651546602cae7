package schema

import (
	"slices"
	"testing"

	"github.com/ddlsp/ddlsp/migration"
)

// TestUsers: after every statement the users of every name are those that a
// look at all relations finds.
func TestUsers(t *testing.T) {
	statements := []string{
		`CREATE TABLE a (id int PRIMARY KEY, parent int REFERENCES a)`,
		`CREATE TABLE b (id int PRIMARY KEY, a_id int REFERENCES a, other int REFERENCES a, c_id int)`,
		`CREATE TABLE p (id int, at date) PARTITION BY RANGE (at)`,
		`CREATE TABLE p1 PARTITION OF p DEFAULT`,
		`CREATE VIEW v AS SELECT * FROM a JOIN b ON b.a_id = a.id`,
		`CREATE OR REPLACE VIEW v AS SELECT * FROM b`,
		`CREATE VIEW w AS SELECT * FROM v`,
		`ALTER TABLE b ADD CONSTRAINT b_c FOREIGN KEY (c_id) REFERENCES later (id)`,
		`ALTER TABLE b DROP CONSTRAINT b_a_id_fkey`,
		`ALTER TABLE a RENAME TO aa`,
		`ALTER TABLE b SET SCHEMA other`,
		`ALTER TABLE b ADD COLUMN x int REFERENCES unknown`,
		`ALTER TABLE p DETACH PARTITION p1`,
		`ALTER TABLE p ATTACH PARTITION p1 DEFAULT`,
		`ALTER TABLE other.b DROP COLUMN other`,
		`ALTER SCHEMA other RENAME TO third`,
		`DROP TABLE third.b CASCADE`,
		`DROP TABLE p`,
		`DROP TABLE aa`,
	}
	c := New()
	names := map[Ref]bool{{"public", "later"}: true, {"public", "unknown"}: true}
	for _, sql := range statements {
		s := &migration.Statement{SQL: sql}
		before := c
		c = c.ApplyStatement(&Origin{Statement: s}, s)
		for _, c := range []*Catalog{before, c} { // the old one stays what it was
			for r := range c.Relations() {
				names[r.Ref] = true
			}
			for name := range names {
				var got, want []Ref
				for r := range c.Users(name) {
					got = append(got, r.Ref)
				}
				for r := range c.Relations() {
					if r.PartitionOf == name || slices.Contains(r.From, name) || slices.ContainsFunc(r.Constraints, func(con *Constraint) bool { return con.Ref == name }) {
						want = append(want, r.Ref)
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("after %s: users of %s are %v, want %v", sql, name, got, want)
				}
			}
		}
	}
}
