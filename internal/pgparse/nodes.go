package pgparse

import pg "github.com/pganalyze/pg_query_go/v5"

// The tree's types, so that package migration can read it without a second
// door to the parser.
type Node = pg.Node
