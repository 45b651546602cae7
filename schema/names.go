package schema

import (
	"strconv"
	"strings"

	"github.com/ddlsp/ddlsp/migration"
)

// maxName is the number of bytes that PostgreSQL keeps of an identifier.
const maxName = 63

// objectName joins a relation's name, a column's and a label as PostgreSQL
// does when it has to name something: the longer of the first two is cut until
// all fits.
func objectName(relation, column, label string) string {
	over := 0
	if column != "" {
		over++
	}
	if label != "" {
		over += len(label) + 1
	}
	room := maxName - over
	a, b := len(relation), len(column)
	for a+b > room {
		if a > b {
			a--
		} else {
			b--
		}
	}
	out := clip(relation, a)
	if column != "" {
		out += "_" + clip(column, b)
	}
	if label != "" {
		out += "_" + label
	}
	return out
}

// clip cuts a string to at most n bytes without splitting a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}

// indexName is the name that PostgreSQL chooses for an index without one.
// guessed is set when a key is an expression, whose part of the name is not
// always to be told from its text.
func indexName(table string, op *migration.CreateIndex) (name string, guessed bool) {
	var parts []string
	for _, k := range op.Keys {
		part := k.Column.Name
		if part == "" {
			guessed = true
			part = "expr"
			if k.Expr != nil && len(k.Expr.Functions) == 1 {
				part = k.Expr.Functions[0]
				part = part[strings.LastIndexByte(part, '.')+1:]
			}
		}
		parts = append(parts, part)
	}
	for _, c := range op.Include {
		parts = append(parts, c.Name)
	}
	return objectName(table, clip(strings.Join(unique(parts), "_"), maxName), "idx"), guessed
}

// unique gives the second and later of equal parts a number, as PostgreSQL
// numbers the columns of an index.
func unique(parts []string) []string {
	seen := map[string]bool{}
	out := make([]string, 0, len(parts))
	for _, p := range parts {
		n := p
		for i := 1; seen[n]; i++ {
			n = p + strconv.Itoa(i)
		}
		seen[n] = true
		out = append(out, n)
	}
	return out
}

// constraintName is the name that PostgreSQL chooses for a constraint without
// one.
func constraintName(table string, c *migration.Constraint, column string) (name string, guessed bool) {
	var cols []string
	for _, k := range c.Columns {
		cols = append(cols, k.Name)
	}
	if len(cols) == 0 && column != "" {
		cols = []string{column}
	}
	joined := clip(strings.Join(cols, "_"), maxName)
	switch c.Kind {
	case migration.PrimaryKey:
		return objectName(table, "", "pkey"), false
	case migration.Unique:
		return objectName(table, joined, "key"), false
	case migration.ForeignKey:
		return objectName(table, joined, "fkey"), false
	case migration.Exclude:
		return objectName(table, joined, "excl"), len(cols) == 0
	case migration.NotNullCon:
		return objectName(table, joined, "not_null"), false
	}
	return objectName(table, column, "check"), column == ""
}

// free appends the number to a name that PostgreSQL would append when the name
// is taken.
func free(name func(label string) string, label string, taken func(string) bool) string {
	for i := 0; ; i++ {
		l := label
		if i > 0 {
			l += strconv.Itoa(i)
		}
		if n := name(l); !taken(n) {
			return n
		}
	}
}
