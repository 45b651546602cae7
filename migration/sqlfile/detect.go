package sqlfile

import (
	"fmt"
	"sort"
	"strings"

	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/migration"
)

// Hints are what the surroundings of a directory say about the tool: files
// that lie in it, beside it or at the root of the repository.
type Hints struct {
	// TernConf, AtlasSum, PrismaLock, SupabaseConfig, DrizzleJournal and
	// FlywayConf are the paths of these files, "" where there is none.
	TernConf, AtlasSum, PrismaLock, SupabaseConfig, DrizzleJournal, FlywayConf string
	// Sqlx says that the project uses Rust's sqlx, Diesel diesel.
	Sqlx, Diesel string
}

var (
	gooseMark   = regex.MustCompile(`(?mi)^--[ \t]*\+goose[ \t]+(up|down|statementbegin|no transaction)\b`)
	dbmateMark  = regex.MustCompile(`(?m)^--[ \t]*migrate:(up|down)\b`)
	ternMark    = regex.MustCompile(`(?m)^---- (create above / drop below|tern: disable-tx) ----`)
	sqlMark     = regex.MustCompile(`(?m)^-- \+migrate[ \t]+(Up|Down)\b`)
	nodeMark    = regex.MustCompile(`(?im)^[ \t]*--[ \t-]*(up|down)[ \t]+migration\b`)
	drizzleMark = regex.MustCompile(`(?m)^--> statement-breakpoint`)
	atlasMark   = regex.MustCompile(`(?m)^-- atlas:(txmode|checkpoint|delimiter|sum)\b`)
)

// Recognise tells the format of one file from its name and content alone.
// Plain means that nothing speaks for a tool.
func Recognise(name, text string) migration.Format {
	if f := mark(text); f != "" {
		return f
	}
	lower := strings.ToLower(name)
	switch {
	case strings.HasSuffix(lower, ".up.sql"), strings.HasSuffix(lower, ".down.sql"):
		if !golangMigrates(name) {
			return migration.Plain
		}
		return migration.GolangMigrate
	case flywayName.MatchString(name), flywayAgain.MatchString(name):
		return migration.Flyway
	}
	return migration.Plain
}

// mark is the format whose directives stand in the text, "" for none.
func mark(text string) migration.Format {
	text = strings.TrimPrefix(text, bom)
	// The words are looked for first: an expression is slow on a large file.
	has := func(word string, mark *regex.Regexp) bool {
		return strings.Contains(text, word) && mark.MatchString(text)
	}
	switch {
	case has("+goose", gooseMark):
		return migration.Goose
	case has("migrate:", dbmateMark):
		return migration.Dbmate
	case has("+migrate", sqlMark):
		return migration.SQLMigrate
	case has("---- ", ternMark):
		return migration.Tern
	case liquibase(text):
		return migration.Liquibase
	case has("-- atlas:", atlasMark):
		return migration.Atlas
	case has("--> statement-breakpoint", drizzleMark):
		return migration.Drizzle
	case nodeSections(text):
		return migration.NodePgMigrate
	}
	return ""
}

// nodeSections looks for node-pg-migrate's markers, which may be of any case,
// line by line.
func nodeSections(text string) bool {
	for at := 0; at < len(text); {
		i := strings.Index(text[at:], "--")
		if i < 0 {
			return false
		}
		start := strings.LastIndexByte(text[:at+i], '\n') + 1
		l := nextLine(text, start)
		t := strings.TrimLeft(l.text, "- \t")
		if len(t) > 4 && (strings.EqualFold(t[:2], "up") || strings.EqualFold(t[:4], "down")) && nodeMark.MatchString(l.text) {
			return true
		}
		at = l.next
	}
	return false
}

func liquibase(text string) bool {
	first, _, _ := strings.Cut(strings.TrimLeft(text, " \t\r\n"), "\n")
	if !strings.HasPrefix(first, "--") {
		return false
	}
	first = strings.ToLower(strings.Join(strings.Fields(first), ""))
	return strings.HasPrefix(first, "--liquibaseformattedsql")
}

// sample is how many files of a directory are looked into before it counts as
// having no directives.
const sample = 24

// Detect says which tool's files a directory holds and what speaks for it, for
// people. names are the names in the directory, those of its sub-directories'
// files with a slash; read returns the text of one of them. The order is that
// of the signs' strength: configuration files, directives, names. A directory
// that no tool's sign speaks for is Plain; with evidence when its names say that
// it holds migrations all the same.
func Detect(names []string, read func(name string) (string, error), h Hints) (migration.Format, []string) {
	switch {
	case h.TernConf != "":
		return migration.Tern, []string{h.TernConf}
	case h.AtlasSum != "":
		return migration.Atlas, []string{h.AtlasSum}
	case h.PrismaLock != "":
		return migration.Prisma, []string{h.PrismaLock}
	case h.SupabaseConfig != "":
		return migration.Supabase, []string{h.SupabaseConfig}
	case h.DrizzleJournal != "":
		return migration.Drizzle, []string{h.DrizzleJournal}
	}
	names = append([]string(nil), names...)
	sort.Strings(names)
	var flat, pairs, halves, versioned []string
	diesel := false
	for _, n := range names {
		if strings.HasSuffix(n, "/up.sql") || strings.HasSuffix(n, "/down.sql") {
			diesel = true
		}
		if strings.Contains(n, "/") || !strings.HasSuffix(strings.ToLower(n), ".sql") {
			continue
		}
		flat = append(flat, n)
		if golangMigrates(n) {
			pairs = append(pairs, n)
		} else if halfName.MatchString(n) {
			halves = append(halves, n)
		}
		if flywayName.MatchString(n) || flywayAgain.MatchString(n) {
			versioned = append(versioned, n)
		}
	}
	for _, n := range some(flat) {
		text, err := read(n)
		if err != nil {
			continue
		}
		if f := mark(text); f != "" {
			return f, []string{fmt.Sprintf("the directives in %s", n)}
		}
	}
	switch {
	case len(versioned) > 0:
		return migration.Flyway, withHint(h.FlywayConf, "the name "+versioned[0])
	case len(pairs) > 0 && h.Sqlx != "":
		return migration.Sqlx, []string{h.Sqlx, "the name " + pairs[0]}
	case len(pairs) > 0:
		return migration.GolangMigrate, []string{"the name " + pairs[0]}
	case len(halves) > 0:
		return migration.Plain, []string{"the name " + halves[0]}
	case diesel:
		return migration.Diesel, withHint(h.Diesel, "directories with up.sql")
	case h.Sqlx != "" && len(flat) > 0 && numberName.MatchString(flat[0]):
		return migration.Sqlx, []string{h.Sqlx}
	}
	return migration.Plain, nil
}

func withHint(hint, sign string) []string {
	if hint == "" {
		return []string{sign}
	}
	return []string{hint, sign}
}

// some picks the files to look into: the first and the last ones, where a
// change of tool would show.
func some(names []string) []string {
	if len(names) <= sample {
		return names
	}
	return append(append([]string(nil), names[len(names)-sample/2:]...), names[:sample/2]...)
}
