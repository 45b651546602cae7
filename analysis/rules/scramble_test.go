package rules_test

import (
	"fmt"
	"math/rand/v2"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/workspace"
)

// A scramble rewrites the files of a case so that they mean the same: other
// names, other letter case of SQL's words, other white space, more comments.
type scramble struct {
	rng   *rand.Rand
	names map[string]string
}

// renamed are the words of the cases that name objects, columns and variables.
var renamed = strings.Fields(`users email users_email_idx orders events device device_id id symbol amount status mood mv mvi m_t users_old tmp
	t2 t3 u2 ai bi d_id age meta deleted_at time new old a b c d e f g i j k m n p q r t u v w x y yy z`)

func newScramble(seed uint64) *scramble {
	s := &scramble{rng: rand.New(rand.NewPCG(seed, 7)), names: map[string]string{}}
	for i, n := range renamed {
		name := fmt.Sprintf("%s%d", []string{"nm_", "other_thing_", "q", "übung_", "z9_"}[s.rng.IntN(5)], i)
		if strings.HasPrefix(name, "ü") && len(n) < 3 {
			name = fmt.Sprintf("x%d", i)
		}
		s.names[n] = name
	}
	return s
}

var (
	word      = regexp.MustCompile(`[\p{L}_][\p{L}\p{N}_]*`)
	upperWord = regexp.MustCompile(`\b[A-Z]{2,}\b`)
	directive = regexp.MustCompile(`^\s*--.*(\+goose|migrate:|ddlsp|----)`)
)

// file rewrites one file. lines leads from a line of the old text (1-based) to
// one of the new.
func (s *scramble) file(name, text string) (out string, lines map[int]int) {
	if path.Ext(name) != ".sql" && path.Ext(name) != ".exs" {
		return text, nil
	}
	elixir := path.Ext(name) == ".exs"
	if elixir { // Ecto names no index after a column outside ASCII
		for n, to := range s.names {
			s.names[n] = strings.TrimPrefix(to, "ü")
		}
	}
	lines = map[int]int{}
	var b strings.Builder
	at := 1
	add := func(l string) {
		b.WriteString(l + "\n")
		at += 1 + strings.Count(l, "\n")
	}
	heredoc := false
	for i, l := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if i > 0 {
			for s.rng.IntN(3) == 0 {
				add(s.noise(elixir, heredoc))
			}
		}
		lines[i+1] = at
		if strings.Contains(l, `"""`) {
			heredoc = !heredoc
		}
		switch {
		case directive.MatchString(l):
			add(l)
		case elixir:
			add(s.elixir(l, heredoc))
		default:
			add(s.sql(l))
		}
	}
	return b.String(), lines
}

// noise is a line that means nothing.
func (s *scramble) noise(elixir, heredoc bool) string {
	switch s.rng.IntN(3) {
	case 0:
		return ""
	case 1:
		if elixir && !heredoc {
			return "    # create index(:orders, [:id]) --日本語 🎉"
		}
		return "    -- CREATE INDEX no ON \"nothing\" (é) -- 🎉"
	}
	if elixir && !heredoc {
		return "  # ünïcode"
	}
	return "    /* DROP TABLE x; /* nested ; */ */"
}

func (s *scramble) rename(l string) string {
	return word.ReplaceAllStringFunc(l, func(w string) string {
		if n, ok := s.names[w]; ok {
			return n
		}
		return w
	})
}

func (s *scramble) letters(l string) string {
	return upperWord.ReplaceAllStringFunc(l, func(w string) string {
		switch s.rng.IntN(3) {
		case 0:
			return strings.ToLower(w)
		case 1:
			return w[:1] + strings.ToLower(w[1:])
		}
		return w
	})
}

func (s *scramble) sql(l string) string {
	l = s.letters(s.rename(strings.TrimRight(l, " ")))
	var b strings.Builder
	quoted := false
	for i := 0; i < len(l); i++ {
		if l[i] == '\'' {
			quoted = !quoted
		}
		if strings.HasPrefix(l[i:], "--") && !quoted {
			b.WriteString(l[i:])
			break
		}
		if l[i] != ' ' || quoted || strings.Contains(l, "$$") {
			b.WriteByte(l[i])
			continue
		}
		b.WriteString([]string{" ", "  ", "\t", " /* so; */ ", "\n  ", " -- why\n"}[s.rng.IntN(6)])
	}
	return b.String()
}

func (s *scramble) elixir(l string, heredoc bool) string {
	l = s.rename(l)
	if heredoc || strings.Contains(l, "execute") || strings.Contains(l, "query!") {
		l = s.letters(l)
	}
	if s.rng.IntN(2) == 0 && !heredoc {
		l = strings.ReplaceAll(l, ", ", ",   ")
	}
	return l
}

// TestCasesScrambled lints the acceptance cases again under other names, letter
// case, white space and comments: the same rules must report the same places.
func TestCasesScrambled(t *testing.T) {
	analysis.PanicsEscape = true
	rounds := uint64(6)
	if testing.Short() {
		rounds = 2
	}
	for _, c := range readCases(t) {
		for seed := range rounds {
			t.Run(fmt.Sprintf("%s/%d", c.ID, seed), func(t *testing.T) {
				s := newScramble(seed*1000 + 17)
				files := map[string]string{}
				moved := map[string]map[int]int{}
				for _, name := range slices.Sorted(func(yield func(string) bool) {
					for n := range c.Files {
						if !yield(n) {
							return
						}
					}
				}) {
					files[name], moved[name] = s.file(name, c.Files[name])
				}
				want := []expectation{}
				for _, e := range c.Expect {
					want = append(want, expectation{e.File, moved[e.File][e.Line], e.Rule})
				}
				dir, found := lintFiles(t, files, workspace.LintOptions{Select: c.Enabled})
				got := places(t, dir, files, found)
				slices.SortFunc(got, compare)
				slices.SortFunc(want, compare)
				if !slices.Equal(got, want) {
					t.Errorf("%s\ngot  %v\nwant %v", c.Why, got, want)
					for name, text := range files {
						t.Logf("-- %s\n%s", name, text)
					}
				}
			})
		}
	}
}
