package lsp

import (
	"context"
	"fmt"
	"strings"

	"go.lsp.dev/protocol"

	"github.com/ddlsp/ddlsp/analysis/rules"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// hoverStatements is how many statements one hover shows: a loop in an Ecto
// migration can make hundreds.
const hoverStatements = 8

// Hover says what will run: the SQL of the statement under the cursor, in
// which transaction, and what it locks; on the first line of a direction, all
// of it. What is wrong with the place comes last, with the rule's reasons.
func (s *Server) Hover(ctx context.Context, p *protocol.HoverParams) (*protocol.Hover, error) {
	f, err := s.file(ctx, p.TextDocument.URI)
	if err != nil || f == nil {
		return nil, err
	}
	at := s.offsetOf(f.lines, p.Position)
	var text strings.Builder
	var span source.Span
	under := f.under(at)
	switch {
	case len(under) > 0:
		span = under[0].Span
		f.describe(&text, under)
	default:
		for _, b := range f.bodies() {
			if b.Path != f.path || len(b.Units) == 0 || !f.firstLine(b.Span).Contains(at) || b.Span.Len() == 0 {
				continue
			}
			span = f.firstLine(b.Span)
			var all []sent
			for _, u := range b.Units {
				for _, st := range u.Statements {
					all = append(all, sent{st, b.Direction, b, u})
				}
			}
			f.describe(&text, all)
		}
	}
	for _, find := range s.findings(ctx, f.snap, f.path) {
		if find.Span.Contains(at) {
			if text.Len() == 0 {
				span = find.Span
			} else {
				text.WriteString("\n---\n\n")
			}
			fmt.Fprintf(&text, "**%s** [%s](%s)\n\n%s\n", find.Severity, find.Rule, ruleURL(find.Rule), find.Message)
			if find.Help != "" {
				text.WriteString("\n" + find.Help + "\n")
			}
			if page := rules.PageOf(find.Rule); page != nil {
				text.WriteString("\n" + why(page.Text()) + "\n")
			}
		}
	}
	if text.Len() == 0 {
		return nil, ctx.Err()
	}
	kind := protocol.MarkupKindPlainText
	if s.caps.markdown {
		kind = protocol.MarkupKindMarkdown
	}
	return &protocol.Hover{
		Contents: &protocol.MarkupContent{Kind: kind, Value: text.String()},
		Range:    ptr(s.rangeOf(f.lines, span)),
	}, ctx.Err()
}

// why is the part of a rule's page that says what happens: what stands before
// its first heading.
func why(page string) string {
	text, _, _ := strings.Cut("\n"+page, "\n#")
	return strings.TrimSpace(text)
}

// under are the statements at an offset. Where DSL commands stand inside one
// another only the innermost counts.
func (f *file) under(at int) []sent {
	var out []sent
	best := -1
	for _, st := range f.statements() {
		span := st.Span
		if !span.Contains(at) {
			continue
		}
		switch {
		case best < 0 || span.Len() < best:
			out, best = []sent{st}, span.Len()
		case span.Len() == best:
			out = append(out, st)
		}
	}
	return out
}

// describe writes the statements under headings of their directions.
func (f *file) describe(w *strings.Builder, list []sent) {
	var last migration.Direction
	locks := map[migration.Direction]lockTable{}
	shown := 0
	for i, st := range list {
		if st.direction != last {
			if last != "" {
				w.WriteString("\n")
			}
			last = st.direction
			fmt.Fprintf(w, "**%s**\n", heading(st))
			locks[last] = f.locks(st.body)
			shown = 0
		}
		if shown++; shown > hoverStatements {
			if i == len(list)-1 || list[i+1].direction != last {
				fmt.Fprintf(w, "\n... and %d more statements\n", shown-hoverStatements)
			}
			continue
		}
		if why := unreadable(st.Statement); why != "" {
			fmt.Fprintf(w, "\nThis cannot be read: %s.\n", why)
			if st.SQL == "" {
				continue
			}
		}
		fmt.Fprintf(w, "\n```sql\n%s\n```\n", strings.TrimRight(st.SQL, "\n"))
		for _, l := range locks[last][st.Statement] {
			fmt.Fprintf(w, "\n%s\n", lockWords(l))
		}
	}
	if e := list[len(list)-1].body.Err; e != nil {
		fmt.Fprintf(w, "\nThen it fails: %s\n", e.Message)
	}
}

// heading says when a statement runs and in which transaction.
func heading(st sent) string {
	when := "Runs on migrate"
	if st.direction == migration.Down {
		when = "Runs on rollback"
		if st.body.Origin == migration.Derived {
			when += ", reversed from the change"
		}
	}
	return when + ", " + transactionWords(st.body, st.unit)
}

func transactionWords(b *migration.Body, u *migration.Unit) string {
	switch b.Tx {
	case migration.Explicit:
		return "inside a transaction"
	case migration.ImplicitIfMulti:
		if n := len(u.Statements); n > 1 {
			return fmt.Sprintf("sent with %d statements at once, which PostgreSQL runs as one transaction", n)
		}
		return "outside a transaction"
	case migration.None:
		return "outside a transaction"
	}
	return "its transaction is unknown"
}

// lockWords says a lock as a sentence.
func lockWords(l schema.Lock) string {
	text := fmt.Sprintf("Takes `%s` on `%s`", l.Mode, l.Relation)
	if blocks := l.Mode.Blocks(); blocks != "" {
		return text + ": blocks " + blocks + " of others."
	}
	return text + "."
}

// unreadable says why a statement cannot be read, or is empty.
func unreadable(st *migration.Statement) string {
	if st.Opaque != "" {
		return st.Opaque
	}
	return st.Parse().Opaque
}
