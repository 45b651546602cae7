package sqlfile

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// describe prints a migration so that a golden section can be compared:
// origins, transactions, units with the file line of every statement, problems
// with theirs.
func describe(m *migration.Migration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "version %s name %s\n", m.Version, m.Name)
	if m.Beam != "" {
		fmt.Fprintf(&b, "beam: %s\n", m.Beam)
	}
	at := func(path string, span source.Span) string {
		f := m.File(path)
		if f == nil {
			return path
		}
		p := source.NewLines(f.Text).Position(span.Start, source.UTF8)
		return fmt.Sprintf("%s:%d:%d", filepath.Base(path), p.Line+1, p.Column+1)
	}
	for _, d := range []migration.Direction{migration.Up, migration.Down} {
		body := m.Body(d)
		fmt.Fprintf(&b, "%s %s %s", d, body.Origin, body.Tx)
		if body.TxSpan.Len() > 0 {
			fmt.Fprintf(&b, " by %s", at(body.Path, body.TxSpan))
		}
		if body.Reason != "" {
			fmt.Fprintf(&b, " because %s", body.Reason)
		}
		b.WriteString("\n")
		for _, u := range body.Units {
			fmt.Fprintf(&b, "  unit %q\n", u.SQL)
			for _, s := range u.Statements {
				fmt.Fprintf(&b, "    %s %q", at(s.Path, s.Span), s.SQL)
				if s.Opaque != "" {
					fmt.Fprintf(&b, " opaque: %s", s.Opaque)
				}
				if s.NotRunnable != "" && s.Opaque == "" {
					b.WriteString(" not runnable")
				}
				b.WriteString("\n")
			}
		}
		if body.Err != nil {
			fmt.Fprintf(&b, "  error %s: %s\n", at(body.Err.Path, body.Err.Span), body.Err.Message)
		}
	}
	for _, p := range m.Problems {
		fmt.Fprintf(&b, "problem %s %s: %s\n", at(p.Path, p.Span), p.Rule, p.Message)
	}
	return b.String()
}

// unquote makes special bytes writable in the archives: lines of the input may
// hold \r, \t, BOM and NUL by name.
var special = strings.NewReplacer("<CR>", "\r", "<BOM>", "\ufeff", "<NUL>", "\x00", "<TAB>", "\t", "<SP>", " ")

// readAll reads a set of files of one directory in the order of the tool.
func readAll(format migration.Format, files map[string]string) []*migration.Migration {
	var names []string
	var all []*source.File
	for n, text := range files {
		names = append(names, n)
		all = append(all, &source.File{Path: filepath.Join("/m", filepath.FromSlash(n)), Text: text})
	}
	var out []*migration.Migration
	for _, e := range List(format, []Dir{{Path: "/m", Names: names}}) {
		out = append(out, Read(format, e, all, nil))
	}
	return out
}

func TestRead(t *testing.T) {
	archives, err := filepath.Glob("testdata/read/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, path := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			format := migration.Format(strings.TrimSpace(strings.SplitN(string(a.Comment), "\n", 2)[0]))
			files := map[string]string{}
			want := ""
			for _, f := range a.Files {
				if f.Name == "want" {
					want = string(f.Data)
				} else {
					files[f.Name] = special.Replace(string(f.Data))
				}
			}
			var got strings.Builder
			for _, m := range readAll(format, files) {
				got.WriteString(describe(m))
				checkMaps(t, m)
			}
			if *update {
				rewrite(t, path, a, got.String())
				return
			}
			if diff := cmp.Diff(want, got.String()); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// checkMaps checks what holds for every migration: the SQL of a statement
// stands in its file, byte for byte but for line ends, where its map says, and
// inside its unit.
func checkMaps(t testing.TB, m *migration.Migration) {
	t.Helper()
	for _, d := range []migration.Direction{migration.Up, migration.Down} {
		for _, u := range m.Body(d).Units {
			for _, s := range u.Statements {
				f := m.File(s.Path)
				if f == nil {
					t.Fatalf("%s: statement of a file that is none of the migration's", s.Path)
				}
				if s.Span.Start < 0 || s.Span.End > len(f.Text) || s.Span.Start > s.Span.End {
					t.Fatalf("span %v outside of the file (%d bytes)", s.Span, len(f.Text))
				}
				if m.Beam != "" {
					continue
				}
				in := strings.ReplaceAll(s.Span.Of(f.Text), "\r\n", "\n")
				if in != strings.ReplaceAll(s.SQL, "\r\n", "\n") {
					t.Fatalf("at %v the file has %q, the statement is %q", s.Span, in, s.SQL)
				}
				for i := range len(s.SQL) {
					at, exact := s.Map.Offset(i)
					if !exact || f.Text[at] != s.SQL[i] {
						t.Fatalf("byte %d of %q does not lead to itself", i, s.SQL)
					}
				}
				if !strings.Contains(u.SQL, s.SQL) {
					t.Fatalf("%q is not in its unit %q", s.SQL, u.SQL)
				}
			}
		}
	}
}
