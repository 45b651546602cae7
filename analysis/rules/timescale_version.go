package rules

import (
	"strconv"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// timescaleBefore reports whether the configured TimescaleDB is older than
// major.minor. Without a configured version it is a current one.
func timescaleBefore(p *analysis.Pass, major, minor int) bool {
	if p.Settings.TimescaleVersion == "" {
		return false
	}
	parts := strings.SplitN(p.Settings.TimescaleVersion, ".", 3)
	a, err := strconv.Atoi(parts[0])
	if err != nil {
		return false
	}
	b := 0
	if len(parts) > 1 {
		b, _ = strconv.Atoi(parts[1]) // "2.x" is read as 2.0
	}
	return a < major || a == major && b < minor
}

// aggregate returns the relation when it is a continuous aggregate, else nil.
func aggregate(c *schema.Catalog, n migration.Name) *schema.Relation {
	if r := c.Relation(n); r != nil && r.Kind == schema.ContinuousAggregate {
		return r
	}
	return nil
}

// plainTable reports whether a relation is a table for sure, and no hypertable:
// a migration made it and everything since could be read.
func plainTable(c *schema.Catalog, r *schema.Relation) bool {
	return r != nil && r.Kind == schema.Table && r.Hypertable == nil && c.Complete(r)
}
