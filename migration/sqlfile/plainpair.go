package sqlfile

import (
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/migration"
)

// Many programs bring their own small migrator, which keeps a file for each
// direction as golang-migrate does, but under names that golang-migrate would
// not take: V0006.Consent.up.sql, 20210914134624000000_cleanup.postgres.up.sql
// (a number beyond 64 bits, and the database in the name, as in ory's pop).
// Nothing is known of how these run, so they are read as plain files; what
// belongs together still does.

// halfName is a file of one direction, with its stem.
var halfName = regex.MustCompile(`(?i)^(.+)\.(up|down)\.sql$`)

// otherDialect is the end of a stem that names a database which is not
// PostgreSQL.
var otherDialect = regex.MustCompile(`(?i)\.(mysql|mariadb|sqlite3?|cockroach(?:db)?|mssql|sqlserver|oracle)$`)

// half splits the name of a file with one direction. dialect is the other
// database that it says it is for, "" for none.
func half(name string) (stem string, down bool, dialect string, ok bool) {
	m := halfName.FindStringSubmatch(name)
	if m == nil {
		return "", false, "", false
	}
	if d := otherDialect.FindStringSubmatch(m[1]); d != nil {
		dialect = strings.ToLower(d[1])
	}
	return m[1], strings.EqualFold(m[2], "down"), dialect, true
}

// golangMigrates reports whether golang-migrate would take a file for a
// migration: its number must fit into 64 bits. A database in the name is no
// golang-migrate's, which would see the same version several times.
func golangMigrates(name string) bool {
	m := pairName.FindStringSubmatch(name)
	if m == nil {
		return false
	}
	if _, err := strconv.ParseUint(m[1], 10, 64); err != nil {
		return false
	}
	_, _, dialect, ok := half(name)
	return !ok || dialect == "" && !strings.HasSuffix(strings.ToLower(strings.TrimSuffix(m[2], "."+m[3])), ".postgres")
}

// plain are files of no known tool: the halves of one stem together, every
// other file by itself. Files for another database are left out.
func (l *lister) plain(dir string, names []string) {
	type both struct{ up, down string }
	pairs := map[string]*both{}
	var order []string
	for _, n := range names {
		if !strings.EqualFold(filepath.Ext(n), ".sql") || strings.Contains(n, "/") {
			continue
		}
		stem, down, dialect, ok := half(n)
		switch {
		case !ok:
			l.add(Entry{Name: strings.TrimSuffix(n, filepath.Ext(n)), Up: filepath.Join(dir, n), key: n})
			continue
		case dialect != "":
			continue
		}
		b := pairs[stem]
		if b == nil {
			b = &both{}
			pairs[stem] = b
			order = append(order, stem)
		}
		if down {
			b.down = filepath.Join(dir, n)
		} else {
			b.up = filepath.Join(dir, n)
		}
	}
	for _, stem := range order {
		if pairs[stem+".postgres"] != nil {
			continue // the one for all the other databases
		}
		l.add(Entry{Name: stem, Up: pairs[stem].up, Down: pairs[stem].down, key: stem})
	}
}

// anotherDatabase says for which other database a file is by its name, "" for
// none.
func anotherDatabase(format migration.Format, name string) string {
	if format != migration.Plain {
		return ""
	}
	_, _, dialect, _ := half(name)
	return dialect
}
