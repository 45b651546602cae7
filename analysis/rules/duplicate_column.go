package rules

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// duplicate-column reports columns that are named twice where PostgreSQL takes
// each once.
//
// CREATE TABLE and ALTER TABLE fail with "column specified more than once" or
// "already exists", INSERT and UPDATE with "specified more than once" or
// "multiple assignments to same column". In Ecto timestamps() adds inserted_at
// and updated_at.
//
// # Bad: sql
//
//	CREATE TABLE orders (id bigint PRIMARY KEY, state text, state text);
//
// # Good: sql
//
//	CREATE TABLE orders (id bigint PRIMARY KEY, state text);
//
// # Bad: sql
//
//	UPDATE orders SET state = 'new', state = 'sent' WHERE id = 1;
//
// # Bad: ecto
//
//	create table(:orders) do
//	  add :state, :text
//	  add :inserted_at, :utc_datetime
//	  timestamps()
//	end
//
// # Good: ecto
//
//	create table(:orders) do
//	  add :state, :text
//	  timestamps()
//	end
var duplicateColumn = &analysis.Rule{
	ID:       "duplicate-column",
	Summary:  "a column is named twice where PostgreSQL takes it once",
	Severity: analysis.Error,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Down:     true,
	Aliases:  []string{"squawk/ban-duplicate-column-assignments"},
	On:       []migration.Op{(*migration.CreateTable)(nil), (*migration.AddColumn)(nil), (*migration.Write)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		switch op := s.Op.(type) {
		case *migration.CreateTable:
			if op.IfNotExists && s.After == s.Before {
				return
			}
			first := map[string]*migration.Column{}
			for i := range op.Columns {
				c := &op.Columns[i]
				if old := first[c.Name]; old != nil {
					p.Report(s, analysis.Report{
						On:      c.Span,
						Message: fmt.Sprintf("this fails: the table %s would have two columns %s", quoted(op.Table.String()), quoted(c.Name)),
						Help:    "remove one of them",
						Fixes:   fixes("Remove the repeated column", false, removeRepeated(p, s, old, c)),
					})
					continue
				}
				first[c.Name] = c
			}
		case *migration.AddColumn:
			r := s.Before.Relation(op.Table)
			if op.IfNotExists || r == nil || !columnMadeHere(p, s, op.Table, op.Column.Name) || s.Before.Taints() != p.Before.Taints() {
				return
			}
			p.Report(s, analysis.Report{
				On:      op.Column.Span,
				Message: fmt.Sprintf("this fails: %s is there already", quoted(op.Table.String()+"."+op.Column.Name)),
				Help:    "add the column once",
				Related: analysis.RelatedTo(r.Column(op.Column.Name).Created, quoted(op.Column.Name)+" is added here"),
			})
		case *migration.Write:
			verb := map[string]string{"insert": "lists", "update": "sets"}[op.Verb]
			for _, list := range []struct {
				columns []migration.Ident
				verb    string
			}{{op.Columns, verb}, {op.Sets, "sets"}} {
				seen := map[string]bool{}
				for _, c := range list.columns {
					if seen[c.Name] {
						p.Report(s, analysis.Report{
							On:      c.Span,
							Message: fmt.Sprintf("this fails: it %s the column %s of %s twice", list.verb, quoted(c.Name), quoted(op.Table.String())),
							Help:    "name the column once",
						})
						break
					}
					seen[c.Name] = true
				}
			}
		}
	},
}

// removeRepeated deletes the second of two definitions of a column, or the one
// that timestamps() makes needless.
func removeRepeated(p *analysis.Pass, s *analysis.Step, first, second *migration.Column) change {
	return func() ([]source.Edit, error) {
		if s.Inner {
			return nil, migration.ErrNotExpressible
		}
		if inDSL(s) {
			a, b := analysis.SubCommand(s.Statement, first.Span), analysis.SubCommand(s.Statement, second.Span)
			f := p.Migration.File(s.Statement.Path)
			if a == nil || b == nil || a == b || a.Repeated || b.Repeated || f == nil {
				return nil, migration.ErrNotExpressible
			}
			gone := b
			switch {
			case b.Name == "timestamps" && a.Name == "add":
				gone = a
			case b.Name != "add" || a.Name == "add" && a.Span.Of(f.Text) != b.Span.Of(f.Text):
				return nil, migration.ErrNotExpressible
			}
			return []source.Edit{{Path: f.Path, Span: wholeLine(f.Text, gone.Span)}}, nil
		}
		if words(first.Def.Of(s.Statement.SQL)) != words(second.Def.Of(s.Statement.SQL)) {
			return nil, migration.ErrNotExpressible // which of them is meant nobody can tell
		}
		head := strings.TrimRight(s.Statement.SQL[:second.Def.Start], " \t\r\n")
		if !strings.HasSuffix(head, ",") {
			return nil, migration.ErrNotExpressible
		}
		return edit(s, source.Span{Start: len(head) - 1, End: second.Def.End}, "")()
	}
}

// words is a text with its white space made equal.
func words(text string) string { return strings.ToLower(strings.Join(strings.Fields(text), " ")) }

// wholeLine widens a span to its lines where nothing else stands on them.
func wholeLine(text string, span source.Span) source.Span {
	start, end := span.Start, span.End
	for start > 0 && (text[start-1] == ' ' || text[start-1] == '\t') {
		start--
	}
	for end < len(text) && (text[end] == ' ' || text[end] == '\t' || text[end] == '\r') {
		end++
	}
	if (start == 0 || text[start-1] == '\n') && (end == len(text) || text[end] == '\n') {
		return source.Span{Start: start, End: min(end+1, len(text))}
	}
	return span
}
