package ecto

import (
	"math/big"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/ddlsp/ddlsp/migration"
)

// Version reads the version and the name from a migration's file name, as Ecto
// does: digits, an underscore, a name. Leading zeros do not count. ok is false
// for a file that Ecto passes over.
func Version(path string) (version, name string, ok bool) {
	base := filepath.Base(path)
	base = strings.TrimSuffix(base, filepath.Ext(base))
	digits, name, ok := strings.Cut(base, "_")
	if !ok || digits == "" {
		return "", "", false
	}
	for _, r := range digits {
		if r < '0' || r > '9' {
			return "", "", false
		}
	}
	version = strings.TrimLeft(digits, "0")
	if version == "" {
		version = "0"
	}
	return version, name, true
}

// Compare orders migrations as Ecto runs them: by version, name and path.
func Compare(a, b *migration.Migration) int {
	x, ok := new(big.Int).SetString(a.Version, 10)
	y, ok2 := new(big.Int).SetString(b.Version, 10)
	switch {
	case ok && ok2:
		if c := x.Cmp(y); c != 0 {
			return c
		}
	case ok != ok2:
		if ok {
			return -1
		}
		return 1
	}
	if c := strings.Compare(a.Name, b.Name); c != 0 {
		return c
	}
	return strings.Compare(a.Path(), b.Path())
}

// FileName names a new migration as Ecto's own generator does: the time in UTC
// and the name in snake case.
func FileName(now time.Time, name string) string {
	return now.UTC().Format("20060102150405") + "_" + underscore(name) + ".exs"
}

// ModuleName is the module that the generator would put into the file, in the
// namespace of the repository.
func ModuleName(repo, name string) string {
	if repo == "" {
		repo = "Repo"
	}
	return repo + ".Migrations." + camelize(underscore(name))
}

// underscore turns CamelCase into snake_case as Elixir's Macro.underscore.
func underscore(s string) string {
	var b strings.Builder
	rs := []rune(s)
	for i, r := range rs {
		switch {
		case r == '.':
			b.WriteByte('/')
		case r == '-':
			b.WriteByte('_')
		case unicode.IsUpper(r):
			if i > 0 && rs[i-1] != '.' && rs[i-1] != '_' && rs[i-1] != '/' && rs[i-1] != '-' {
				lowerBefore := !unicode.IsUpper(rs[i-1])
				lowerAfter := i+1 < len(rs) && unicode.IsLower(rs[i+1])
				if lowerBefore || lowerAfter {
					b.WriteByte('_')
				}
			}
			b.WriteRune(unicode.ToLower(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// camelize turns snake_case into CamelCase.
func camelize(s string) string {
	var b strings.Builder
	up := true
	for _, r := range s {
		switch {
		case r == '_':
			up = true
		case r == '/':
			b.WriteByte('.')
			up = true
		case up:
			b.WriteRune(unicode.ToUpper(r))
			up = false
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
