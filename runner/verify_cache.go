package runner

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ddlsp/ddlsp/migration"
)

// A scratch server keeps the schemas that verifications began with, as
// databases of this name followed by a hash of everything that made them, so
// that the next one need not run the whole history again. Only the newest few
// are kept.
const (
	keptPrefix = "ddlsp_before_"
	keptMax    = 6
)

// kept is the name of the database that holds the schema before history[n].
func (v *verification) kept(n int) string {
	if v.names == nil {
		v.names = v.keptNames()
	}
	return v.names[n]
}

// keptNames names the databases for all places at once: each hash is that of
// the one before and one migration more.
func (v *verification) keptNames() []string {
	h := sha256.New()
	put := func(s string) { fmt.Fprintf(h, "%d:%s;", len(s), s) }
	name := func() string { return keptPrefix + hex.EncodeToString(h.Sum(nil)[:12]) }
	o := v.r.opts
	put("1") // the form of this hash
	put(string(o.Format))
	put(o.Table)
	if o.Ecto != nil {
		put(o.Ecto.Source)
		put(string(o.Ecto.Lock))
	}
	put(v.opts.Baseline)
	names := []string{name()}
	for _, m := range v.r.history {
		put(m.Version)
		for _, f := range m.Files {
			put(f.Path[strings.LastIndexAny(f.Path, `/\`)+1:])
			put(f.Text)
		}
		// What an Ecto migration sends depends on its repo's settings too.
		for _, u := range m.Up.Units {
			put(u.SQL)
		}
		names = append(names, name())
	}
	return names
}

// begin makes base: a copy of the schema that was kept for the nearest place
// at or before history[n], or an empty database with the baseline.
func (v *verification) begin(ctx context.Context, n int) (err error) {
	conn, err := v.r.target.connect(ctx, nil)
	if err != nil {
		return err
	}
	defer closeConn(conn)
	there, err := keptDatabases(ctx, conn)
	if err != nil {
		return refusef("the databases of %s cannot be listed: %w", v.r.target, plainError(err))
	}
	for i := n; i > 0 && len(there) > 0; i-- {
		name := v.kept(i)
		if !slices.Contains(there, name) {
			continue
		}
		v.base, v.at, v.borrowed = v.r.target.on(name), i, true
		touch(ctx, conn, name)
		return nil
	}
	if v.base, err = v.scratch.create(ctx, ""); err != nil {
		return err
	}
	return v.baseline(ctx)
}

// own makes base a database that may be changed.
func (v *verification) own(ctx context.Context) error {
	if !v.borrowed {
		return nil
	}
	copied, err := v.scratch.create(ctx, v.base.Database)
	if err == nil {
		v.base, v.borrowed = copied, false
	}
	return err
}

// keep keeps base for the next verification that begins before history[n]. It
// is a convenience: what goes wrong is of no consequence.
func (v *verification) keep(ctx context.Context, n int) {
	if v.stuck != "" || n == 0 || v.at == n || ctx.Err() != nil {
		return
	}
	conn, err := v.r.target.connect(ctx, nil)
	if err != nil {
		return
	}
	defer closeConn(conn)
	name := v.kept(n)
	there, err := keptDatabases(ctx, conn)
	if err != nil || slices.Contains(there, name) {
		return
	}
	if exec(ctx, conn, "CREATE DATABASE "+quote(name)+" TEMPLATE "+quote(v.base.Database)) != nil {
		return
	}
	touch(ctx, conn, name)
	for _, old := range there[:max(0, len(there)+1-keptMax)] {
		v.scratch.drop(ctx, old)
	}
}

// touch notes that a kept database was used now.
func touch(ctx context.Context, conn *pgx.Conn, name string) {
	exec(ctx, conn, fmt.Sprintf("COMMENT ON DATABASE %s IS 'ddlsp verify, last used %d'", quote(name), time.Now().UnixMilli()))
}

// keptDatabases lists the kept databases, the one that was not used for the
// longest time first.
func keptDatabases(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	rows, err := conn.Query(ctx, `SELECT d.datname::text, coalesce(s.description, '')
FROM pg_catalog.pg_database d LEFT JOIN pg_catalog.pg_shdescription s ON s.classoid = 'pg_database'::regclass AND s.objoid = d.oid
WHERE d.datname LIKE 'ddlsp\_before\_%' AND pg_catalog.pg_has_role(d.datdba, 'MEMBER')`)
	if err != nil {
		return nil, err
	}
	used := map[string]int64{}
	var names []string
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			return nil, err
		}
		at, _ := strconv.ParseInt(text[strings.LastIndexByte(text, ' ')+1:], 10, 64)
		used[name] = at
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return int(used[a]/1000 - used[b]/1000) })
	return names, rows.Err()
}

// place is where a migration stands in the history.
func (v *verification) place(m *migration.Migration) int { return slices.Index(v.r.history, m) }
