package sqlfile

import (
	"fmt"
	"math"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// An Entry is one migration before it is read: its files and what their names
// say.
type Entry struct {
	// Version is as the tool stores it, Name what follows it in the file name.
	Version, Name string
	// Up and Down are the paths of the files with the directions; Down is ""
	// where the format keeps both in one file, or where it does not exist.
	Up, Down string
	// Files are those of Up and Down that exist, up first.
	Files []string
	// Sidecar is a file of settings for this migration (diesel's
	// metadata.toml, Flyway's .conf), "" if the format has none.
	Sidecar string
	// Foreign says what the migration is written in when that is not SQL.
	Foreign string
	// Problems are what the names say is wrong.
	Problems []migration.Problem

	number uint64 // of a numeric version
	key    string // what ties are broken by, or what is compared at all
}

// A Dir is a directory of migrations and the names in it. Names of files in
// sub-directories that hold one migration each (diesel, Prisma) are given with
// a slash: "2024-01-01-000000_x/up.sql".
type Dir struct {
	Path  string
	Names []string
}

var (
	pairName    = regex.MustCompile(`^([0-9]+)_(.*)\.(down|up)\.(.*)$`)
	numberName  = regex.MustCompile(`^([0-9]+)_(.*)\.sql$`)
	digitsName  = regex.MustCompile(`^([0-9]+)(.*)\.sql$`)
	gooseName   = regex.MustCompile(`^([0-9]+)_(.*)\.(sql|go)$`)
	flywayName  = regex.MustCompile(`^([VUB])([0-9][0-9._]*)__(.*)\.sql$`)
	flywayAgain = regex.MustCompile(`^R__(.*)\.sql$`)
)

// List groups the files of one history into entries and orders them as the
// tool does. Several directories are one merged history. Files that the tool
// passes over are left out; what it refuses is said in Problems.
func List(format migration.Format, dirs []Dir) []Entry {
	var l lister
	for _, d := range dirs {
		names := append([]string(nil), d.Names...)
		sort.Strings(names)
		switch format {
		case migration.GolangMigrate:
			l.pairs(d.Path, names, false)
		case migration.Sqlx:
			l.pairs(d.Path, names, true)
		case migration.Goose:
			l.goose(d.Path, names)
		case migration.Diesel:
			l.folders(d.Path, names, "up.sql", "down.sql", "metadata.toml")
		case migration.Prisma:
			l.folders(d.Path, names, "migration.sql", "", "")
		case migration.Flyway:
			l.flyway(d.Path, names)
		case migration.Tern, migration.Supabase:
			l.single(d.Path, names, numberName, format)
		case migration.Dbmate, migration.NodePgMigrate:
			l.single(d.Path, names, digitsName, format)
		case migration.Plain:
			l.plain(d.Path, names)
		default:
			l.any(d.Path, names, format)
		}
	}
	l.order(format)
	l.duplicates(format)
	if format == migration.Tern {
		l.gaps()
	}
	return l.entries
}

type lister struct{ entries []Entry }

func (l *lister) add(e Entry) {
	for _, p := range []string{e.Up, e.Down} {
		if p != "" {
			e.Files = append(e.Files, p)
		}
	}
	l.entries = append(l.entries, e)
}

// pairs are golang-migrate's up and down files, which belong together by their
// number alone, and sqlx's, which may also be single.
func (l *lister) pairs(dir string, names []string, sqlx bool) {
	type half struct{ name, path string }
	type both struct{ ups, downs []half }
	byVersion := map[uint64]*both{}
	var versions []uint64
	for _, n := range names {
		version, name, down := "", "", false
		if m := pairName.FindStringSubmatch(n); m != nil && (!sqlx || m[4] == "sql") {
			version, name, down = m[1], m[2], m[3] == "down"
		} else if m := numberName.FindStringSubmatch(n); m != nil && sqlx {
			version, name = m[1], m[2]
		} else {
			continue
		}
		v, err := strconv.ParseUint(version, 10, 64)
		if err != nil {
			continue // too large a number: the tool passes the file over
		}
		b := byVersion[v]
		if b == nil {
			b = &both{}
			byVersion[v] = b
			versions = append(versions, v)
		}
		h := half{name, filepath.Join(dir, n)}
		if down {
			b.downs = append(b.downs, h)
		} else {
			b.ups = append(b.ups, h)
		}
	}
	for _, v := range versions {
		b := byVersion[v]
		used := make([]bool, len(b.downs))
		take := func(name string) string {
			for i, d := range b.downs {
				if !used[i] && d.name == name {
					used[i] = true
					return d.path
				}
			}
			return ""
		}
		entries := make([]Entry, 0, 1)
		for _, u := range b.ups {
			entries = append(entries, Entry{Name: u.name, Up: u.path, Down: take(u.name)})
		}
		for i, d := range b.downs {
			if used[i] {
				continue
			}
			// The number decides, so a down of another name still belongs to
			// an up without one.
			placed := false
			for j := range entries {
				if entries[j].Down == "" {
					entries[j].Down, placed = d.path, true
					break
				}
			}
			if !placed {
				entries = append(entries, Entry{Name: d.name, Down: d.path})
			}
		}
		for _, e := range entries {
			e.Version, e.number = strconv.FormatUint(v, 10), v
			e.key = e.Name
			e.Foreign = notSQL(e.Up, e.Down)
			l.add(e)
		}
	}
}

// notSQL says that a pair is a program of the team's own, which golang-migrate's
// names allow as well ("" for SQL): golang-migrate would send its source to the
// server, so another tool must run it.
func notSQL(paths ...string) string {
	for _, p := range paths {
		switch ext := strings.ToLower(filepath.Ext(p)); ext {
		case ".go", ".js", ".ts", ".py", ".rb", ".ex", ".exs", ".sh":
			return "a program (" + ext + "), which only the team's own tool can run"
		}
	}
	return ""
}

func (l *lister) goose(dir string, names []string) {
	for _, n := range names {
		path := filepath.Join(dir, n)
		m := gooseName.FindStringSubmatch(n)
		ext := filepath.Ext(n)
		if m == nil && ext != ".sql" || ext == ".go" && strings.HasSuffix(n, "_test.go") {
			continue
		}
		e := Entry{Up: path, key: n}
		var v uint64
		if m != nil {
			v, _ = strconv.ParseUint(m[1], 10, 63)
			e.Name = m[2]
		} else {
			e.Name = strings.TrimSuffix(n, ext)
		}
		if v == 0 {
			if ext == ".go" {
				continue
			}
			e.number = math.MaxUint64 // last: goose refuses the directory anyway
			e.Problems = append(e.Problems, migration.Problem{
				Rule: "migration-filename", Path: path,
				Message: "goose refuses the whole directory because this file's name has no version",
				Help:    "Name it <version>_<name>.sql with a version of at least 1, or move it elsewhere.",
			})
		} else {
			e.Version, e.number = strconv.FormatUint(v, 10), v
		}
		if ext == ".go" {
			e.Foreign = "a Go migration, which only the team's own goose binary can run"
		}
		l.add(e)
	}
}

// folders are the formats with one directory for each migration.
func (l *lister) folders(dir string, names []string, up, down, sidecar string) {
	has := map[string]bool{}
	var folders []string
	for _, n := range names {
		has[n] = true
		if i := strings.IndexByte(n, '/'); i > 0 && (len(folders) == 0 || folders[len(folders)-1] != n[:i]) {
			folders = append(folders, n[:i])
		}
	}
	join := func(folder, file string) string {
		if file == "" || !has[folder+"/"+file] {
			return ""
		}
		return filepath.Join(dir, folder, file)
	}
	for _, f := range folders {
		e := Entry{Up: join(f, up), Down: join(f, down), Sidecar: join(f, sidecar), key: f}
		if e.Up == "" && e.Down == "" {
			continue
		}
		version, name, _ := strings.Cut(f, "_")
		e.Version, e.Name = version, name
		if down != "" { // diesel: the version without its dashes
			e.Version = strings.ReplaceAll(version, "-", "")
		} else { // Prisma: the whole name
			e.Version = f
		}
		l.add(e)
	}
}

func (l *lister) flyway(dir string, names []string) {
	has := map[string]bool{}
	for _, n := range names {
		has[n] = true
	}
	undo := map[string]string{}
	for _, n := range names {
		if m := flywayName.FindStringSubmatch(n); m != nil && m[1] == "U" {
			undo[flywayVersion(m[2])] = filepath.Join(dir, n)
		}
	}
	for _, n := range names {
		e := Entry{Up: filepath.Join(dir, n), key: n}
		if m := flywayName.FindStringSubmatch(n); m != nil && m[1] != "U" {
			e.Version, e.Name = flywayVersion(m[2]), m[3]
			if m[1] == "V" {
				e.Down = undo[e.Version]
			}
		} else if m := flywayAgain.FindStringSubmatch(n); m != nil {
			e.Name = m[1]
		} else {
			continue
		}
		if has[n+".conf"] {
			e.Sidecar = e.Up + ".conf"
		}
		l.add(e)
	}
}

// flywayVersion is a version as Flyway stores it: parts divided by points.
func flywayVersion(s string) string {
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == '.' || r == '_' })
	for i, p := range parts {
		if t := strings.TrimLeft(p, "0"); t != "" {
			parts[i] = t
		} else {
			parts[i] = "0"
		}
	}
	return strings.Join(parts, ".")
}

// single are formats of one file for each migration with a number in front.
func (l *lister) single(dir string, names []string, grammar *regex.Regexp, format migration.Format) {
	for _, n := range names {
		m := grammar.FindStringSubmatch(n)
		if m == nil || format == migration.Tern && m[2] == "" {
			continue
		}
		e := Entry{Version: m[1], Name: strings.TrimPrefix(m[2], "_"), Up: filepath.Join(dir, n), key: n}
		bits := 64
		if format == migration.Tern {
			bits = 31
		}
		v, err := strconv.ParseUint(m[1], 10, bits)
		if err != nil && format == migration.Tern {
			continue
		}
		e.number = v
		switch format {
		case migration.Tern:
			e.Version = strconv.FormatUint(v, 10)
		case migration.NodePgMigrate: // it stores the name
			e.Version = strings.TrimSuffix(n, ".sql")
		}
		l.add(e)
	}
}

// any takes every SQL file: the formats that have no grammar of names.
func (l *lister) any(dir string, names []string, format migration.Format) {
	for _, n := range names {
		if !strings.EqualFold(filepath.Ext(n), ".sql") || strings.Contains(n, "/") {
			continue
		}
		e := Entry{Name: strings.TrimSuffix(n, filepath.Ext(n)), Up: filepath.Join(dir, n), key: n}
		if m := digitsName.FindStringSubmatch(n); m != nil {
			e.Version, e.Name = m[1], strings.TrimPrefix(m[2], "_")
		}
		if format == migration.SQLMigrate { // it stores the whole name
			e.Version = n
		}
		l.add(e)
	}
}

func (l *lister) order(format migration.Format) {
	numeric := false
	switch format {
	case migration.GolangMigrate, migration.Sqlx, migration.Goose, migration.Tern, migration.NodePgMigrate:
		numeric = true
	}
	sort.SliceStable(l.entries, func(i, j int) bool {
		a, b := &l.entries[i], &l.entries[j]
		switch {
		case numeric && a.number != b.number:
			return a.number < b.number
		case format == migration.Flyway:
			if c := compareVersions(a.Version, b.Version); c != 0 {
				return c < 0
			}
		case format == migration.Diesel && a.Version != b.Version:
			return a.Version < b.Version
		}
		return a.key < b.key
	})
}

// compareVersions orders Flyway's versions part by part; the repeatable ones,
// without a version, come last.
func compareVersions(a, b string) int {
	if a == "" || b == "" {
		switch {
		case a == b:
			return 0
		case a == "":
			return 1
		}
		return -1
	}
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := 0; i < len(x) || i < len(y); i++ {
		p, q := "0", "0"
		if i < len(x) {
			p = x[i]
		}
		if i < len(y) {
			q = y[i]
		}
		if len(p) != len(q) {
			return len(p) - len(q)
		}
		if p != q {
			return strings.Compare(p, q)
		}
	}
	return 0
}

func (l *lister) duplicates(format migration.Format) {
	switch format {
	case migration.Plain, migration.Liquibase, migration.SQLMigrate, migration.NodePgMigrate, migration.Drizzle, migration.Prisma, migration.Atlas:
		return // the file name is the key
	}
	first := map[string]*Entry{}
	for i := range l.entries {
		e := &l.entries[i]
		if e.Version == "" || len(e.Files) == 0 {
			continue
		}
		f, dup := first[e.Version]
		if !dup {
			first[e.Version] = e
			continue
		}
		e.Problems = append(e.Problems, migration.Problem{
			Rule: "duplicate-migration-version", Path: e.Files[0], Span: source.Span{},
			Message: fmt.Sprintf("version %s is taken by %s already; %s", e.Version, filepath.Base(f.Files[0]), duplicateEffect(format)),
			Help:    "Give one of the two files a new version.",
		})
	}
}

// duplicateEffect says what the tool does about two files of one version.
func duplicateEffect(format migration.Format) string {
	switch format {
	case migration.GolangMigrate:
		return "golang-migrate refuses to start"
	case migration.Goose:
		return "goose stops with a panic"
	case migration.Tern:
		return "tern refuses to start"
	case migration.Dbmate:
		return "dbmate applies the first and takes the second for applied"
	}
	return "only one of them can be recorded"
}

// gaps finds the numbers that tern misses: it wants 1, 2, 3 without one left
// out.
func (l *lister) gaps() {
	want := uint64(1)
	for i := range l.entries {
		e := &l.entries[i]
		if e.number > want {
			e.Problems = append(e.Problems, migration.Problem{
				Rule: "migration-filename", Path: e.Files[0],
				Message: fmt.Sprintf("tern refuses to start because migration %d is missing before this one", want),
				Help:    "Number the migrations 1, 2, 3, ... without a gap.",
			})
		}
		if e.number == 0 {
			e.Problems = append(e.Problems, migration.Problem{
				Rule: "migration-filename", Path: e.Files[0],
				Message: "tern numbers migrations from 1", Help: "Number the migrations 1, 2, 3, ... without a gap.",
			})
		}
		want = max(want, e.number+1)
	}
}
