package rules

import (
	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// quoted is a name as messages show it.
func quoted(name string) string { return `"` + name + `"` }

// change is one step of a fix: edits, or an error where the format has no way
// to write it.
type change func() ([]source.Edit, error)

// fixes returns the fix made of the changes, or none when one of them cannot
// be written.
func fixes(title string, safe bool, changes ...change) []analysis.Fix {
	var edits []source.Edit
	for _, c := range changes {
		e, err := c()
		if err != nil {
			return nil
		}
		edits = append(edits, e...)
	}
	if len(edits) == 0 {
		return nil
	}
	return []analysis.Fix{{Title: title, Safe: safe, Edits: edits}}
}

func concurrently(p *analysis.Pass, s *analysis.Step) change {
	return func() ([]source.Edit, error) {
		if s.Inner || p.Migration.Editor == nil {
			return nil, migration.ErrNotExpressible
		}
		return p.Migration.Editor.Concurrently(p.Migration, s.Statement)
	}
}

func leaveTransaction(p *analysis.Pass) change {
	return func() ([]source.Edit, error) {
		if p.Migration.Editor == nil {
			return nil, migration.ErrNotExpressible
		}
		type key struct{}
		type answer struct {
			edits []source.Edit
			err   error
		}
		a := p.Once(key{}, func() any {
			edits, err := p.Migration.Editor.LeaveTransaction(p.Migration, p.Direction)
			return answer{edits, err}
		}).(answer)
		return a.edits, a.err
	}
}

func insertBefore(p *analysis.Pass, s *analysis.Step, sql ...string) change {
	return func() ([]source.Edit, error) {
		if s.Inner || p.Migration.Editor == nil {
			return nil, migration.ErrNotExpressible
		}
		return p.Migration.Editor.InsertBefore(p.Migration, s.Statement, sql)
	}
}

func insertAfter(p *analysis.Pass, s *analysis.Step, sql ...string) change {
	return func() ([]source.Edit, error) {
		if s.Inner || p.Migration.Editor == nil {
			return nil, migration.ErrNotExpressible
		}
		return p.Migration.Editor.InsertAfter(p.Migration, s.Statement, sql)
	}
}

// edit replaces a part of the statement's SQL where it stands in the file.
func edit(s *analysis.Step, span source.Span, text string) change {
	return func() ([]source.Edit, error) {
		e, ok := s.Statement.Edit(span, text)
		if !ok || s.Inner {
			return nil, migration.ErrNotExpressible
		}
		return []source.Edit{e}, nil
	}
}

// onlyIndexes reports whether a body does nothing but build and drop indexes,
// each in a statement of its own: nothing of it needs a transaction.
func onlyIndexes(b *migration.Body) bool {
	for _, s := range b.Statements() {
		for _, op := range s.Ops() {
			switch op := op.(type) {
			case *migration.CreateIndex, *migration.Set, *migration.Query:
			case *migration.DropIndex:
				if len(op.Indexes) > 1 {
					return false
				}
			default:
				return false
			}
		}
		if schema.Unreadable(s) {
			return false
		}
	}
	return true
}

// leavingIsSafe reports whether both directions can do without a transaction.
func leavingIsSafe(p *analysis.Pass) bool {
	type key struct{}
	return p.Once(key{}, func() any {
		return onlyIndexes(p.Migration.Up) && onlyIndexes(p.Migration.Down)
	}).(bool)
}

// special reports whether indexes of the relation have rules of their own:
// hypertables, continuous aggregates, partitioned tables.
func special(r *schema.Relation) bool {
	return r != nil && (r.Hypertable != nil || r.Kind == schema.ContinuousAggregate || r.PartitionBy != "")
}

var concurrentlyWord = regex.MustCompile(`(?i)^\s+concurrently\b`)

// concurrentlySpan is the word CONCURRENTLY after INDEX, with the space before
// it.
func concurrentlySpan(sql string, keyword source.Span) (source.Span, bool) {
	if keyword.End > len(sql) {
		return source.Span{}, false
	}
	m := concurrentlyWord.FindStringIndex(sql[keyword.End:])
	if m == nil {
		return source.Span{}, false
	}
	return source.Span{Start: keyword.End, End: keyword.End + m[1]}, true
}

// without removes a whole statement with its semicolon and its line.
func without(p *analysis.Pass, s *analysis.Step) change {
	return func() ([]source.Edit, error) {
		f := p.Migration.File(s.Statement.Path)
		if f == nil || s.Inner {
			return nil, migration.ErrNotExpressible
		}
		span, text := s.Statement.Span, f.Text
		if c := s.Statement.Command; c != nil {
			span = c.Span
		} else if span.End < len(text) && text[span.End] == ';' {
			span.End++
		}
		return []source.Edit{{Path: f.Path, Span: wholeLine(text, span)}}, nil
	}
}

// head is the place where a span begins.
func head(s source.Span) source.Span { return source.Span{Start: s.Start, End: s.Start} }
