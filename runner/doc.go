// Package runner plans migrations against a database and runs them exactly as
// the team's own tool would: the same version table, the same lock, the same
// units in the same transactions, the same bytes of SQL. It adds no setting and
// splits no file. What it cannot run that way it refuses before it sends
// anything, and names the tool's own command.
//
// A Target is found by Resolve. A Runner makes a Plan, which changes nothing
// and has a hash over target, versions and contents; Run executes a plan and
// reports what the database holds afterwards, above all when it failed. Status
// only reads.
package runner
