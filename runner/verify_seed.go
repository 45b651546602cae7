package runner

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/ddlsp/ddlsp/migration"
)

// seed puts a row into each table, with values for the columns that must have
// one and no others, and returns how many tables took it. What cannot be
// filled so simply (a check, a domain) is left empty.
func seed(ctx context.Context, t *Target, version table) (filled int, err error) {
	conn, err := t.connect(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer closeConn(conn)
	// Without this, which only a superuser may say, rows that refer to others
	// fail where those are not there.
	exec(ctx, conn, "SET session_replication_role = replica")
	rows, err := conn.Query(ctx, `SELECT format('%I.%I', n.nspname, c.relname),
  coalesce(array_agg(quote_ident(a.attname) ORDER BY a.attnum) FILTER (WHERE needs.needs), '{}'),
  coalesce(array_agg(CASE
    WHEN t.typelem <> 0 AND t.typlen = -1 THEN '''{}'''
    WHEN t.typtype = 'e' THEN (SELECT quote_literal(enumlabel) FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY enumsortorder LIMIT 1)
    WHEN t.typtype = 'r' THEN '''empty'''
    WHEN t.typname IN ('json', 'jsonb') THEN '''{}'''
    WHEN t.typname = 'uuid' THEN '''00000000-0000-4000-8000-000000000001'''
    WHEN t.typname = 'bytea' THEN '''\\x00'''
    WHEN t.typcategory = 'N' THEN '1'
    WHEN t.typcategory = 'S' THEN '''x'''
    WHEN t.typcategory = 'B' THEN 'false'
    WHEN t.typcategory = 'D' THEN '''2024-01-01'''
    WHEN t.typcategory = 'T' THEN '''1 day'''
    WHEN t.typcategory = 'I' THEN '''127.0.0.1'''
  END ORDER BY a.attnum) FILTER (WHERE needs.needs), '{}')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid,
LATERAL (SELECT a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND a.attgenerated = '' AS needs) needs
WHERE c.relkind = 'r' AND NOT c.relispartition AND n.nspname !~ '^(pg_|information_schema$|_?timescaledb_)' AND format('%I.%I', n.nspname, c.relname) <> $1
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
GROUP BY 1 ORDER BY 1`, version.Schema+"."+version.Name)
	if err != nil {
		return 0, err
	}
	type fill struct {
		Table           string
		Columns, Values []*string
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (f fill, err error) {
		return f, row.Scan(&f.Table, &f.Columns, &f.Values)
	})
	if err != nil {
		return 0, err
	}
	for _, f := range all {
		sql := "INSERT INTO " + f.Table + " DEFAULT VALUES"
		if len(f.Columns) > 0 {
			var columns, values []string
			for i := range f.Columns {
				if f.Values[i] == nil {
					break
				}
				columns, values = append(columns, *f.Columns[i]), append(values, *f.Values[i])
			}
			if len(values) < len(f.Columns) {
				continue
			}
			sql = fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", f.Table, strings.Join(columns, ", "), strings.Join(values, ", "))
		}
		if exec(ctx, conn, sql) == nil {
			filled++
		}
	}
	return filled, nil
}

// withRows runs a migration up and down where the tables hold rows, and says
// what goes wrong that went well without: a down that brings a column back
// which must not be null, and has no value for the rows there are.
func (v *verification) withRows(ctx context.Context, m *migration.Migration, version table, out *Verified) error {
	db, err := v.scratch.create(ctx, v.base.Database)
	if err != nil {
		return err
	}
	defer v.scratch.drop(ctx, db.Database)
	filled, err := seed(ctx, db, version)
	if err != nil || filled == 0 {
		return nil // it is verified without rows
	}
	_, _, err = v.run(ctx, db, Request{Direction: Up, To: m.Version})
	when := "with a row in each table it cannot be applied: "
	if err == nil {
		_, _, err = v.run(ctx, db, Request{Direction: Down, Step: 1})
		when = "with a row in each table it cannot be rolled back: "
		if pe := pgError(err); pe != nil && pe.Code == "23502" {
			out.failed(err, when)
			return nil
		}
	}
	if err != nil && ctx.Err() == nil {
		out.Notes = append(out.Notes, when+err.Error())
	}
	return nil
}
