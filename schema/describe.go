package schema

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/migration"
)

// A Description is the schema that a history leaves, for people and programs.
type Description struct {
	// Catalog is the schema at the end.
	Catalog *Catalog
	// Missing are statements and objects that it cannot show, each with the
	// reason and where it stands.
	Missing []Missing

	history []*migration.Migration
	base    *Catalog
	// verbatim are the tables that the catalog does not know well enough to
	// write down: their statements are repeated instead.
	verbatim map[*Relation]bool
	// renamed are the columns that were renamed, by what made their table.
	renamed map[*Origin][]renaming
	sql     [stages][]string
}

type renaming struct {
	from    *regexp.Regexp // the word
	old, to string
}

// A Missing is something that a Description does not show.
type Missing struct {
	// What is the object or the beginning of the statement, Reason why it is
	// not shown.
	What, Reason string
	// Path and Version say where it comes from, "" where nothing does.
	Path, Version string
}

// Describe folds a history onto the schema before it.
func Describe(base *Catalog, history []*migration.Migration) *Description {
	d := &Description{history: history, base: base, verbatim: map[*Relation]bool{}, renamed: map[*Origin][]renaming{}}
	c := base
	rough := map[*Origin]bool{} // what made tables that are repeated verbatim
	for at := range d.statements() {
		if Unreadable(at.Statement) {
			d.miss(at, "it cannot be read")
		}
		for _, op := range at.Statement.Parse().Ops {
			next := c.Apply(at, op)
			if t, ok := tableOf(op); ok {
				if r := c.Relation(t); r != nil && r.Created != nil && loses(at.Statement, op) {
					rough[r.Created] = true
				}
			}
			if op, ok := op.(*migration.Rename); ok && op.Kind == "column" {
				if r := c.Relation(op.Object); r != nil && r.Created != nil {
					word := regexp.MustCompile(`"` + regexp.QuoteMeta(op.From) + `"|\b` + regexp.QuoteMeta(op.From) + `\b`)
					d.renamed[r.Created] = append(d.renamed[r.Created], renaming{word, op.From, Quote(op.To)})
				}
			}
			if op, ok := op.(*migration.CreateTable); ok {
				if r := next.Relation(op.Table); r != nil && losesTable(at.Statement, op) {
					rough[r.Created] = true
				}
			}
			c = next
		}
		if Unreadable(at.Statement) {
			c = c.Taint()
		}
	}
	d.Catalog = c
	for r := range c.Relations() {
		switch {
		case r.Kind != Table:
		case r.Created == nil:
			d.Missing = append(d.Missing, Missing{What: "table " + r.Ref.String(), Reason: "it was made before the first migration: only what migrations did to it is known"})
		case r.Partial || rough[r.Created] || r.PartitionBy != "" || !r.PartitionOf.zero() || slices.ContainsFunc(r.Constraints, func(con *Constraint) bool { return con.SQL() == "" }):
			d.verbatim[r] = true
		}
	}
	d.write()
	return d
}

// now turns an expression about a table, as it was written once, into one with
// the names that its columns have at the end.
func (d *Description) now(r *Relation) func(string) string {
	return func(expr string) string {
		for _, re := range d.renamed[r.Created] {
			parts := strings.Split(expr, "'") // what stands in quotes is no name
			for i := 0; i < len(parts); i += 2 {
				parts[i] = re.from.ReplaceAllLiteralString(parts[i], re.to)
			}
			expr = strings.Join(parts, "'")
		}
		return expr
	}
}

func (r Ref) zero() bool { return r == Ref{} }

// statements are those of the up directions with their origins.
func (d *Description) statements() func(yield func(*Origin) bool) {
	return func(yield func(*Origin) bool) {
		for _, m := range d.history {
			for _, s := range m.Up.Statements() {
				if !yield(&Origin{Migration: m, Direction: migration.Up, Statement: s}) {
					return
				}
			}
		}
	}
}

func (d *Description) miss(at *Origin, reason string) {
	what, _, cut := strings.Cut(strings.TrimSpace(at.Statement.SQL), "\n")
	if r := []rune(what); len(r) > 80 {
		what, cut = string(r[:80]), true
	}
	if cut {
		what += " ..."
	}
	if what == "" {
		what = "a statement"
	}
	d.Missing = append(d.Missing, Missing{What: what, Reason: reason, Path: at.Statement.Path, Version: at.Migration.Version})
}

// loses reports whether an operation says more of a table than the catalog
// keeps.
func loses(s *migration.Statement, op migration.Op) bool {
	switch op := op.(type) {
	case *migration.AddColumn:
		return losesType(s, op.Column.Type) || slices.ContainsFunc(op.Column.Constraints, losesConstraint)
	case *migration.AlterColumnType:
		return losesType(s, op.Type)
	case *migration.AddConstraint:
		return losesConstraint(op.Constraint)
	case *migration.SetDefault:
		return op.Default == nil // of a serial column it is not in the catalog
	case *migration.AlterTable:
		switch op.What {
		case "add identity", "set identity", "drop identity", "drop expression", "inherit", "no inherit":
			return true
		}
	}
	return false
}

func losesTable(s *migration.Statement, op *migration.CreateTable) bool {
	return slices.ContainsFunc(op.Constraints, losesConstraint) || op.Hypertable != nil ||
		slices.ContainsFunc(op.Columns, func(c migration.Column) bool {
			return losesType(s, c.Type) || slices.ContainsFunc(c.Constraints, losesConstraint)
		})
}

var fields = regex.MustCompile(`(?i)\b(year|month|day|hour|minute|second)\b`)

// losesType reports whether a type says more than migration.Type holds: the
// fields of an interval.
func losesType(s *migration.Statement, t migration.Type) bool {
	return t.Name == "interval" && t.Span.Len() > 0 && t.Span.End <= len(s.SQL) && fields.MatchString(t.Span.Of(s.SQL))
}

func losesConstraint(c migration.Constraint) bool {
	return c.Deferrable || c.NoInherit || len(c.Include) > 0 || c.UsingIndex != "" || c.Kind == migration.Exclude
}

// place is where a Missing stands, for people: "00003_x.sql".
func (m Missing) place() string {
	if m.Path == "" {
		return ""
	}
	return filepath.Base(m.Path)
}

// String is the Missing in one line.
func (m Missing) String() string {
	s := fmt.Sprintf("%s: %s", m.What, m.Reason)
	if p := m.place(); p != "" {
		s += " (" + p + ")"
	}
	return strings.ReplaceAll(s, "\n", " ")
}
