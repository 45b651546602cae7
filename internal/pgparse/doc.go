// Package pgparse is the only door to PostgreSQL's own parser (pg_query). It
// guards it against texts that would kill the process, cuts texts into
// statements, and normalises positions: every offset here is a byte.
package pgparse
