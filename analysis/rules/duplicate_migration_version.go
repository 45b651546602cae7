package rules

import "github.com/ddlsp/ddlsp/analysis"

// duplicate-migration-version reports that two migrations have the same version.
//
// The tool refuses to run, or runs one of them and never the other. Give one of
// them a new version.
//
// # Bad: sql
//
//	-- 001_a.up.sql --
//	CREATE TABLE a (id bigint PRIMARY KEY);
//	-- 001_b.up.sql --
//	CREATE TABLE b (id bigint PRIMARY KEY);
//
// # Good: sql
//
//	-- 001_a.up.sql --
//	CREATE TABLE a (id bigint PRIMARY KEY);
//	-- 002_b.up.sql --
//	CREATE TABLE b (id bigint PRIMARY KEY);
var duplicateMigrationVersion = &analysis.Rule{
	ID:       "duplicate-migration-version",
	Summary:  "two migrations have the same version",
	Severity: analysis.Error,
	Default:  true,
	Down:     true,
}
