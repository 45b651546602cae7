package rules

import (
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

var (
	wholeUpdate = regex.MustCompile(`(?s)(?:\.update_all\(?\s*|^)(?:"([a-z_][a-z0-9_.]*)"|([A-Z][\w.]*))\s*(?:,|\|>\s*[\w.()]+\.update_all\b)`)
	wholeDelete = regex.MustCompile(`(?s)(?:\.delete_all\(?\s*|^)(?:"([a-z_][a-z0-9_.]*)"|([A-Z][\w.]*))\s*(?:$|\)|,|\|>\s*[\w.()]+\.delete_all\b)`)
)

// callText is the text of a repo call with the pipe that leads into it.
func callText(text string, call source.Span) string {
	start, last := call.Start, len(text)+1
	for start < last {
		last = start
		head, piped := strings.CutSuffix(strings.TrimRight(text[:start], " \t\r\n"), "|>")
		if !piped {
			break
		}
		start = strings.LastIndexByte(strings.TrimRight(head, " \t\r\n"), '\n') + 1
		line := strings.TrimLeft(text[start:call.Start], " \t")
		switch {
		case strings.HasPrefix(line, "|>"):
			start = call.Start - len(line) + len("|>")
			continue
		case strings.HasPrefix(line, ")"), strings.HasPrefix(line, "]"): // of a call that began lines above
			start = max(strings.LastIndex(text[:start], "\n\n"), 0)
		}
		break
	}
	return strings.TrimSpace(text[start:call.End])
}

// wholeTable calls found for each call of an Ecto repo that changes a whole
// table: update_all or delete_all of a table's name or of a schema, without a
// query. name is as the call names it. Tables that the migration itself makes
// are left out; so is a schema, whose table is not known, where it makes any.
func wholeTable(p *analysis.Pass, function string, found func(st *migration.Statement, name string)) {
	expr := wholeUpdate
	if function == "delete_all" {
		expr = wholeDelete
	}
	makes := false
	for i := range p.Steps {
		_, ok := p.Steps[i].Op.(*migration.CreateTable)
		makes = makes || ok
	}
	for _, st := range p.Body.Statements() {
		c, f := st.Command, p.Migration.File(st.Path)
		if c == nil || f == nil || c.Function != function || st.Opaque == "" {
			continue
		}
		m := expr.FindStringSubmatch(callText(f.Text, c.Span))
		switch {
		case m == nil:
		case m[1] != "":
			table := migration.RegClass(m[1])
			if !p.CreatedHere(p.After.Relation(table)) && !p.Small(table) {
				found(st, m[1])
			}
		case !makes:
			found(st, m[2])
		}
	}
}
