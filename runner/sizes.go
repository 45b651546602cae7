package runner

import (
	"context"
	"time"
)

// A TableSize is what the server's statistics say of a table or materialized
// view, the partitions, chunks and children below it included.
type TableSize struct {
	Schema, Name string
	// Rows is an estimate, -1 when no part of the table was ever analysed.
	Rows int64
	// Bytes are those of the table and its TOAST without indexes, as of the last
	// VACUUM or ANALYZE.
	Bytes int64
	// AtLeast: some parts of the table were never analysed.
	AtLeast bool
}

// sizesTimeout bounds the query; a catalog of many thousand tables is read in
// a fraction of it.
const sizesTimeout = 30 * time.Second

// sizesQuery reads statistics only: it looks at no table, and waits for no
// lock that somebody holds on one. Before PostgreSQL 14 a table that was never
// analysed has no rows in no pages, as an empty one has.
const sizesQuery = `
WITH RECURSIVE tree AS (
	SELECT c.oid AS root, c.oid
	FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't'
		AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%' AND n.nspname NOT LIKE '\_timescaledb\_%'
	UNION
	SELECT t.root, i.inhrelid FROM tree t JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid
), leaf AS (
	SELECT t.root, c.relpages::bigint + coalesce(toast.relpages, 0)::bigint AS pages, c.reltuples::float8 AS tuples,
		c.reltuples < 0 OR c.reltuples = 0 AND c.relpages = 0 AND current_setting('server_version_num')::int < 140000 AS unknown,
		c.relkind = 'p' OR c.oid = t.root AND c.relpages = 0 AND EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid) AS hollow
	FROM tree t JOIN pg_catalog.pg_class c ON c.oid = t.oid LEFT JOIN pg_catalog.pg_class toast ON toast.oid = c.reltoastrelid
)
SELECT n.nspname, c.relname,
	coalesce(sum(l.tuples) FILTER (WHERE NOT l.unknown AND NOT l.hollow), 0)::bigint,
	coalesce(sum(l.pages) FILTER (WHERE NOT l.hollow), 0)::bigint * current_setting('block_size')::bigint,
	count(*) FILTER (WHERE l.unknown AND NOT l.hollow), count(*) FILTER (WHERE NOT l.hollow)
FROM leaf l JOIN pg_catalog.pg_class c ON c.oid = l.root JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
GROUP BY n.nspname, c.relname ORDER BY 1, 2`

// TableSizes reads the sizes of all tables from the server's statistics. It
// changes nothing and waits for nobody.
func TableSizes(ctx context.Context, t *Target) ([]TableSize, error) {
	ctx, cancel := context.WithTimeout(ctx, sizesTimeout)
	defer cancel()
	conn, err := t.Connect(ctx)
	if err != nil {
		return nil, err
	}
	defer closeConn(conn)
	if _, err := conn.Exec(ctx, "BEGIN READ ONLY"); err != nil {
		return nil, refusef("the sizes of the tables of %s cannot be read: %w", t, plainError(err))
	}
	rows, err := conn.Query(ctx, sizesQuery)
	if err != nil {
		return nil, refusef("the sizes of the tables of %s cannot be read: %w", t, plainError(err))
	}
	defer rows.Close()
	var out []TableSize
	for rows.Next() {
		var s TableSize
		var unknown, parts int64
		if err := rows.Scan(&s.Schema, &s.Name, &s.Rows, &s.Bytes, &unknown, &parts); err != nil {
			return nil, refusef("the sizes of the tables of %s cannot be read: %w", t, plainError(err))
		}
		switch {
		case unknown == parts && parts > 0:
			s.Rows = -1
		case unknown > 0:
			s.AtLeast = true
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		return nil, refusef("the sizes of the tables of %s cannot be read: %w", t, plainError(err))
	}
	return out, nil
}
