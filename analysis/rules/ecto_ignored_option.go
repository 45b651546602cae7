package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// ecto-ignored-option reports options that Ecto passes over in silence.
//
// add, modify, remove, timestamps and drop look at the options they know and at
// no others. With nullable: false the column takes NULL all the same; on_delete:
// given to add and not to references leaves the foreign key without it;
// :utc_datetime has no precision, that is :utc_datetime_usec.
//
// # Bad: ecto
//
//	create table(:orders) do
//	  add :state, :text, nullable: false
//	end
//
// # Good: ecto
//
//	create table(:orders) do
//	  add :state, :text, null: false
//	end
//
// # Bad: ecto
//
//	create table(:orders) do
//	  add :user_id, references(:users), on_delete: :delete_all
//	end
//
// # Good: ecto
//
//	create table(:orders) do
//	  add :user_id, references(:users, on_delete: :delete_all)
//	end
var ectoIgnoredOption = &analysis.Rule{
	ID:       "ecto-ignored-option",
	Summary:  "Ecto ignores an option",
	Severity: analysis.Warning,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Down:     true,
	Body: func(p *analysis.Pass) {
		if p.Migration.Format != migration.Ecto {
			return
		}
		for _, s := range p.Body.Statements() {
			if s.Command == nil {
				continue
			}
			ignoredOptions(p, s.Path, s.Command)
			for _, c := range s.Command.Sub {
				ignoredOptions(p, s.Path, c)
			}
		}
	},
}

// columnOptions are those that add, modify and timestamps understand. A
// column's place (after:) is other databases', and documented as such.
var columnOptions = []string{"primary_key", "default", "null", "size", "precision", "scale", "comment", "after", "generated", "collation", "start_value", "increment", "fields"}

// ownOptions are those of a command beside its object's; ok is false for a
// command that checks them itself.
func ownOptions(command string) (known []string, ok bool) {
	switch command {
	case "add", "add_if_not_exists", "remove", "remove_if_exists":
		return columnOptions, true
	case "modify":
		return append([]string{"from"}, columnOptions...), true
	case "timestamps":
		return append([]string{"type", "inserted_at", "updated_at"}, columnOptions...), true
	case "drop", "drop_if_exists":
		return []string{"mode"}, true
	}
	return nil, false
}

// referenceOptions are those of references that people give to add.
var referenceOptions = []string{"on_delete", "on_update", "column", "with", "match", "validate", "type", "name"}

func ignoredOptions(p *analysis.Pass, path string, c *migration.Command) {
	known, ok := ownOptions(c.Name)
	if !ok {
		return
	}
	for _, o := range c.Options {
		switch {
		case o.OfObject:
		case !slices.Contains(known, o.Key):
			r := analysis.Report{
				Message: fmt.Sprintf("Ecto ignores %s: here: %s has no such option", o.Key, c.Name),
				Help:    c.Name + " takes " + strings.Join(known, ", "),
			}
			if meant := likelyMeant(o.Key, known); meant != "" {
				r.Help = "write " + meant + ": if that is meant"
				r.Fixes = renameOption(p, path, o, meant)
			} else if strings.HasPrefix(c.Object, "references") && slices.Contains(referenceOptions, o.Key) {
				r.Help = "give it to references"
			} else if c.Object != "" && strings.HasPrefix(c.Name, "drop") {
				r.Help = "drop takes mode: alone; what else there is belongs to " + c.Object
			}
			p.ReportAt(path, o.Span, r)
		case o.Key == "precision" && withoutPrecision(c):
			p.ReportAt(path, o.Span, analysis.Report{
				Message: "Ecto ignores precision: here: this type is always of whole seconds",
				Help:    "take the type that ends in _usec",
			})
		}
	}
}

// withoutPrecision reports whether the type of a column is one of those that
// Ecto gives the precision 0 whatever is asked for.
func withoutPrecision(c *migration.Command) bool {
	typ := c.Type
	if o := c.Option("type"); c.Name == "timestamps" && o != nil {
		typ = o.Text
	}
	switch strings.TrimSpace(typ) {
	case ":time", ":utc_datetime", ":naive_datetime":
		return true
	}
	return false
}

// likelyMeant is the option that was mistyped, or "".
func likelyMeant(key string, known []string) string {
	if key == "nullable" {
		return "null"
	}
	for _, k := range known {
		if len(k) >= 4 && len(key) >= 3 && near(key, k) {
			return k
		}
	}
	return ""
}

// near reports whether one letter more, less or other, or two letters in the
// other order, turn a into b.
func near(a, b string) bool {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	a, b = a[i:], b[i:]
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return len(a) <= 1 && len(b) <= 1 || len(a) == 2 && len(b) == 2 && a[0] == b[1] && a[1] == b[0]
}

func renameOption(p *analysis.Pass, path string, o migration.Option, name string) []analysis.Fix {
	f := p.Migration.File(path)
	key := source.Span{Start: o.Span.Start, End: o.Span.Start + len(o.Key)}
	if f == nil || !strings.HasPrefix(f.Text[min(key.Start, len(f.Text)):], o.Key+":") {
		return nil
	}
	return fixes("Write "+name+": instead of "+o.Key+":", false, func() ([]source.Edit, error) {
		return []source.Edit{{Path: path, Span: key, New: name}}, nil
	})
}
