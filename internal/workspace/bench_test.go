package workspace

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/internal/source"
)

// largeFile is a migration of about lines lines, three for each statement.
func largeFile(lines int) string {
	var b strings.Builder
	for i := range lines / 3 {
		fmt.Fprintf(&b, "-- change %d\nALTER TABLE accounts_%d\n  ADD COLUMN note_%d text;\n", i, i%50, i)
	}
	return b.String()
}

// BenchmarkEdit is one keystroke in the middle of a large file: a new
// snapshot, its statements, with and without findings.
func BenchmarkEdit(b *testing.B) {
	for _, name := range []string{"1_big.up.sql", "1_big.sql", "plain.sql"} {
		for _, lint := range []bool{false, true} {
			for _, lines := range []int{200, 2000, 20000} {
				b.Run(fmt.Sprintf("%s/lint=%v/%d", name, lint, lines), func(b *testing.B) {
					text := largeFile(lines)
					if name == "1_big.sql" {
						text = "-- +goose Up\n" + text
					}
					dir := tree(b, map[string]string{".git/HEAD": "", name: text})
					path := filepath.Join(dir, name)
					ctx := context.Background()
					s := NewSession(Options{Dir: dir, Env: noEnv})
					s.Open(path, 0, text)
					s.Snapshot().Findings(ctx, path)
					at := strings.Index(text[len(text)/2:], "note_") + len(text)/2
					b.ResetTimer()
					for i := range b.N {
						edit, span := "x", source.Span{Start: at, End: at}
						if i%2 == 1 {
							edit, span = "", source.Span{Start: at, End: at + 1}
						}
						s.Change(path, int32(i+1), func(l *source.Lines) *source.Lines { return l.Replace(span, edit) })
						snap := s.Snapshot()
						if m, _ := snap.Migration(ctx, path); len(m.Up.Statements()) < lines/3-1 {
							b.Fatal("statements are missing")
						}
						if lint {
							snap.Findings(ctx, path)
						}
					}
				})
			}
		}
	}
}

// BenchmarkEditNewest is one keystroke in the newest of a thousand migrations.
func BenchmarkEditNewest(b *testing.B) {
	files := map[string]string{".git/HEAD": ""}
	for i := range 1000 {
		files[fmt.Sprintf("%06d_x.up.sql", i+1)] = fmt.Sprintf("CREATE TABLE t%d (id bigint PRIMARY KEY, v text);\nCREATE INDEX i%d ON t%d (v);\n", i, i, i)
		files[fmt.Sprintf("%06d_x.down.sql", i+1)] = fmt.Sprintf("DROP TABLE t%d;\n", i)
	}
	dir := tree(b, files)
	path := filepath.Join(dir, "001000_x.up.sql")
	ctx := context.Background()
	s := NewSession(Options{Dir: dir, Env: noEnv})
	s.Open(path, 0, files["001000_x.up.sql"])
	s.Snapshot().Findings(ctx, path)
	b.ResetTimer()
	for i := range b.N {
		s.Change(path, int32(i+1), func(l *source.Lines) *source.Lines {
			if i%2 == 0 {
				return l.Replace(source.Span{Start: 13, End: 13}, "x")
			}
			return l.Replace(source.Span{Start: 13, End: 14}, "")
		})
		s.Snapshot().Findings(ctx, path)
	}
}
