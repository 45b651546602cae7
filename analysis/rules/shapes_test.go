package rules_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/analysis/rules"
	"github.com/ddlsp/ddlsp/internal/workspace"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/migration/sqlfile"
)

// A hazard is one row of the catalogue of known hazards.
type hazard struct {
	ID      string
	Default string
	// NotTrigger are the cases in which a rule must be silent, parted by
	// semicolons.
	NotTrigger string `json:"not_trigger"`
}

// clauses are the parts of NotTrigger, in lower case.
func (h hazard) clauses() []string {
	var out []string
	for _, c := range strings.Split(h.NotTrigger, ";") {
		if c = strings.ToLower(strings.TrimSpace(c)); c != "" && c != "-" {
			out = append(out, c)
		}
	}
	return out
}

func readHazards(t testing.TB) []hazard {
	t.Helper()
	data, err := os.ReadFile("../testdata/rules.json")
	if err != nil {
		t.Fatal(err)
	}
	var rows []hazard
	if err := json.Unmarshal(data, &rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

// A shape is one case of a rule: a migration that it reports, or one that it
// must leave alone.
type shape struct {
	title  string
	fires  int // how many findings; 0 for a silent case
	format migration.Format
	// clauses are words of the clauses of NotTrigger that the case proves.
	clauses []string
	text    string
}

// Shapes are the cases of one rule, ../testdata/shapes/<rule>.txtar.
type shapes struct {
	cases []shape
	// only is "sql" or "ecto" for a rule about one language.
	only string
	// before holds the migrations that come before every case, by language.
	before map[string][]string
	// excused are words of the clauses that no case can prove.
	excused []string
}

var (
	caseHeader   = regexp.MustCompile(`^(fires|silent) (sql|ecto)(?:/([a-z-]+))?(?: x([0-9]+))?((?: \[.+?\])*): (.+)$`)
	clauseWords  = regexp.MustCompile(`\[(.+?)\](?: |$)`)
	onlyHeader   = regexp.MustCompile(`^only: (sql|ecto): .+$`)
	clauseHeader = regexp.MustCompile(`^clause \[(.+?)\]: .+$`)
	beforeHeader = regexp.MustCompile(`^before (sql|ecto)$`)
)

func readShapes(t testing.TB, path string) shapes {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	out := shapes{before: map[string][]string{}}
	for _, f := range txtar.Parse(data).Files {
		text := string(f.Data)
		if m := caseHeader.FindStringSubmatch(f.Name); m != nil {
			c := shape{title: f.Name, text: text, format: migration.Format(m[3])}
			switch {
			case m[2] == "ecto":
				c.format = migration.Ecto
			case c.format == "":
				c.format = migration.Goose
			case !slices.Contains(migration.Formats, c.format):
				t.Errorf("%s: %q: there is no format %s", path, f.Name, c.format)
			}
			if m[1] == "fires" {
				c.fires = 1
				if m[4] != "" {
					c.fires, _ = strconv.Atoi(m[4]) // digits
				}
			}
			for _, w := range clauseWords.FindAllStringSubmatch(m[5], -1) {
				c.clauses = append(c.clauses, strings.ToLower(w[1]))
			}
			out.cases = append(out.cases, c)
			continue
		}
		if m := onlyHeader.FindStringSubmatch(f.Name); m != nil {
			out.only = m[1]
			continue
		}
		if m := clauseHeader.FindStringSubmatch(f.Name); m != nil {
			out.excused = append(out.excused, strings.ToLower(m[1]))
			continue
		}
		if m := beforeHeader.FindStringSubmatch(f.Name); m != nil {
			out.before[m[1]] = append(out.before[m[1]], text)
			continue
		}
		t.Errorf("%s: the header %q cannot be read", path, f.Name)
	}
	return out
}

// missing says what a rule's cases lack: two that fire in SQL, one in Ecto, and
// for each clause of its row a silent one or the reason why there is none.
func (s shapes) missing(h hazard) []string {
	var out []string
	fires := map[bool]int{} // by: is Ecto
	named := slices.Clone(s.excused)
	for _, c := range s.cases {
		if c.fires > 0 {
			fires[c.format == migration.Ecto]++
		} else {
			named = append(named, c.clauses...)
		}
	}
	if fires[false] < 2 && s.only != "ecto" {
		out = append(out, fmt.Sprintf("%d cases that fire in SQL, want 2", fires[false]))
	}
	if fires[true] < 1 && s.only != "sql" {
		out = append(out, "no case that fires in Ecto")
	}
	clauses := h.clauses()
	for _, clause := range clauses {
		if !slices.ContainsFunc(named, func(words string) bool { return strings.Contains(clause, words) }) {
			out = append(out, fmt.Sprintf("no silent case for %q", clause))
		}
	}
	for _, words := range named {
		n := 0
		for _, clause := range clauses {
			if strings.Contains(clause, words) {
				n++
			}
		}
		if n != 1 && len(clauses) > 0 && !slices.Contains(clauses, words) {
			out = append(out, fmt.Sprintf("[%s] names %d clauses of %q", words, n, clauses))
		}
	}
	return out
}

// TestShapes runs the cases of every rule, and demands them for every row of
// the catalogue that has a rule.
func TestShapes(t *testing.T) {
	analysis.PanicsEscape = true
	rows := map[string]hazard{}
	for _, h := range readHazards(t) {
		rows[h.ID] = h
	}
	archives, err := filepath.Glob("../testdata/shapes/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, path := range archives {
		id := strings.TrimSuffix(filepath.Base(path), ".txtar")
		have[id] = true
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			if rules.ByID(id) == nil {
				t.Fatalf("there is no rule %s", id)
			}
			s := readShapes(t, path)
			for _, lack := range s.missing(rows[id]) {
				t.Error(lack)
			}
			for _, c := range s.cases {
				t.Run(c.title, func(t *testing.T) { s.check(t, id, c) })
			}
		})
	}
	for id := range rows {
		_, out := rules.LeftOut[id]
		switch {
		case out && rules.ByID(id) != nil:
			t.Errorf("%s is left out, and there is a rule", id)
		case have[id] || out:
		case rules.ByID(id) == nil:
			t.Errorf("%s has neither a rule nor a reason in LeftOut", id)
		default:
			t.Errorf("%s has no cases in ../testdata/shapes", id)
		}
	}
	for id, reason := range rules.LeftOut {
		if _, ok := rows[id]; !ok || len(reason) < 20 {
			t.Errorf("%s is left out: no row, or no reason: %q", id, reason)
		}
	}
}

func (s shapes) check(t *testing.T, id string, c shape) {
	files, own := s.files(t, c)
	opts := workspace.LintOptions{Select: []string{id, "unparsable-sql"}, Pasts: published(files)}
	want := marked(files)
	dir, found := lintFiles(t, files, opts)
	var got []expectation
	for i, e := range places(t, dir, files, found) {
		if !own[e.File] {
			continue
		}
		switch {
		case e.Rule == id:
			got = append(got, e)
		case found[i].Severity == analysis.Error:
			t.Errorf("%s: %s", e, found[i].Message)
		}
	}
	show := func() string {
		var b strings.Builder
		for _, f := range found {
			fmt.Fprintf(&b, "\n%s: %s", f.Rule, f.Message)
		}
		for name, text := range files {
			fmt.Fprintf(&b, "\n-- %s --\n%s", name, text)
		}
		return b.String()
	}
	for i, e := range places(t, dir, files, found) {
		if f := found[i]; own[e.File] && f.Rule == id {
			for n, fix := range f.Fixes {
				t.Run(fmt.Sprintf("fix %d.%d", i, n), func(t *testing.T) { checkFix(t, dir, files, f, fix, id) })
			}
		}
	}
	if len(got) != c.fires {
		t.Errorf("%d findings %v, want %d%s", len(got), got, c.fires, show())
	}
	for _, w := range want {
		w.Rule = id
		if !slices.Contains(got, w) {
			t.Errorf("findings %v, want one in %s%s", got, w, show())
		}
	}
}

// published takes the files out whose names begin with "published ", and
// returns them as what others have already.
func published(files map[string]string) []analysis.Past {
	texts := map[string]string{}
	for name, text := range files {
		if path, ok := strings.CutPrefix(name, "published "); ok {
			texts["/"+path] = text
			delete(files, name)
		}
	}
	if len(texts) == 0 {
		return nil
	}
	return []analysis.Past{{Where: "main", Has: func(m *migration.Migration) (there, edited bool) {
		for _, f := range m.Files {
			for path, text := range texts {
				if strings.HasSuffix(filepath.ToSlash(f.Path), path) {
					there, edited = true, edited || text != f.Text
				}
			}
		}
		return there, edited
	}}}
}

// marked takes the marks off the texts and returns where they stood.
func marked(files map[string]string) []expectation {
	var out []expectation
	for name, text := range files {
		lines := strings.Split(text, "\n")
		for i, l := range lines {
			for _, mark := range []string{"-- !", "# !"} {
				if rest, ok := strings.CutSuffix(l, mark); ok {
					lines[i] = strings.TrimRight(rest, " ")
					out = append(out, expectation{File: name, Line: i + 1})
				}
			}
		}
		files[name] = strings.Join(lines, "\n")
	}
	return out
}

const shapeDir = "db/migrations/"

// files are the files of a case; own tells those of the case itself from those
// that come before it.
func (s shapes) files(t *testing.T, c shape) (files map[string]string, own map[string]bool) {
	t.Helper()
	files, own = map[string]string{}, map[string]bool{}
	// What stands before the first ">> path" is the migration itself.
	body, given := "", map[string]string{}
	parts := strings.Split("\n"+c.text, "\n>> ")
	for i, part := range parts {
		if i < len(parts)-1 {
			part += "\n"
		}
		if i == 0 {
			body = strings.TrimPrefix(part, "\n")
			continue
		}
		name, text, _ := strings.Cut(part, "\n")
		given[strings.TrimSpace(name)] = text
	}
	if strings.TrimSpace(body) != "" {
		language := "sql"
		if c.format == migration.Ecto {
			language = "ecto"
		}
		n := 1
		for _, b := range s.before[language] {
			write(files, c.format, n, fmt.Sprintf("Before%d", n), b)
			n++
		}
		for _, f := range write(files, c.format, n, "Case", body) {
			own[f] = true
		}
		if c.format != migration.Ecto {
			given["ddlsp.toml"] = fmt.Sprintf("format = %q\nmigrations = [%q]\n", c.format, strings.TrimSuffix(shapeDir, "/")) + given["ddlsp.toml"]
		}
	}
	for name, text := range given {
		files[name] = text
		own[name] = true
	}
	return files, own
}

// write adds the files of the n-th migration and returns their names.
func write(files map[string]string, format migration.Format, n int, name, text string) []string {
	version := fmt.Sprintf("202401%02d000000", n)
	if format == migration.Ecto {
		path := "priv/repo/migrations/" + version + "_" + strings.ToLower(name) + ".exs"
		files[path] = ectoCase(name, text)
		return []string{path}
	}
	switch format {
	case migration.Goose:
		if !strings.Contains(text, "-- +goose") {
			text = "-- +goose Up\n" + text
		}
	case migration.SQLMigrate:
		if !strings.Contains(text, "-- +migrate") {
			text = "-- +migrate Up\n" + text
		}
	case migration.Dbmate:
		if !strings.Contains(text, "-- migrate:") {
			text = "-- migrate:up\n" + text + "\n-- migrate:down\n"
		}
	case migration.Liquibase:
		if !strings.Contains(text, "--liquibase") {
			text = fmt.Sprintf("--liquibase formatted sql\n--changeset shop:%d\n", n) + text
		}
	case migration.Tern:
		version = fmt.Sprintf("%03d", n)
	case migration.Flyway:
		version = strconv.Itoa(n)
	case migration.Diesel:
		version = fmt.Sprintf("2024-01-%02d-000000-0000", n)
	}
	var out []string
	paths := sqlfile.FileNames(format, version, name)
	switch format {
	case migration.Prisma:
		paths = []string{version + "_" + strings.ToLower(name) + "/migration.sql"}
	}
	for i, p := range paths {
		if i > 0 {
			text = "SELECT 1;\n" // the other file of the pair
		}
		files[shapeDir+p] = text
		out = append(out, shapeDir+p)
	}
	return out
}

// ectoCase makes a migration of what stands in a case: a module as it is, code
// with functions in a module, commands in change/0 below their attributes.
func ectoCase(name, text string) string {
	if strings.Contains(text, "defmodule ") {
		return text
	}
	if !slices.ContainsFunc(strings.Split(text, "\n"), func(l string) bool { return strings.HasPrefix(l, "def ") }) {
		attributes, rest := "", strings.TrimLeft(text, "\n")
		for strings.HasPrefix(rest, "@") || strings.HasPrefix(rest, "\n") {
			l, more, _ := strings.Cut(rest, "\n")
			attributes += l + "\n"
			rest = more
		}
		text = attributes + "def change do\n" + indent(rest) + "end\n"
	}
	return "defmodule Shop.Repo.Migrations." + name + " do\n  use Ecto.Migration\n\n" + indent(text) + "end\n"
}
