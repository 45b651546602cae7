package rules

import "github.com/ddlsp/ddlsp/analysis"

// orphan-down-migration reports that a down file has no up file.
//
// The tool lists the version, finds nothing to run on the way up, and runs the
// down on the way back.
//
// # Bad: sql
//
//	-- 002_orders.down.sql --
//	DROP TABLE orders;
//
// # Good: sql
//
//	-- 002_orders.up.sql --
//	CREATE TABLE orders (id bigint PRIMARY KEY);
//	-- 002_orders.down.sql --
//	DROP TABLE orders;
var orphanDownMigration = &analysis.Rule{
	ID:       "orphan-down-migration",
	Summary:  "a down file has no up file",
	Severity: analysis.Warning,
	Default:  true,
	Down:     true,
}
