package rules

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// modify-from-incomplete reports modify commands whose reversal keeps half of
// the change.
//
// from: with a type alone gives back the type and nothing else. The null: and
// default: of the command stay in force after a rollback, because Ecto does not
// know what they were. from: with a tuple says it.
//
// # Bad: ecto
//
//	alter table(:orders) do
//	  modify :state, :text, null: false, from: :text
//	end
//
// # Good: ecto
//
//	alter table(:orders) do
//	  modify :state, :text, null: false, from: {:text, null: true}
//	end
var modifyFromIncomplete = &analysis.Rule{
	ID:       "modify-from-incomplete",
	Summary:  "the reversal of a modify keeps its null or default",
	Severity: analysis.Warning,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Migration: func(p *analysis.Pass) {
		if p.Migration.Down.Origin != migration.Derived || p.Settings.ForwardOnly {
			return
		}
		for _, s := range p.Migration.Up.Statements() {
			if s.Command == nil {
				continue
			}
			for _, c := range s.Command.Sub {
				if c.Name == "modify" {
					incompleteFrom(p, s, c)
				}
			}
		}
	},
}

func incompleteFrom(p *analysis.Pass, s *migration.Statement, c *migration.Command) {
	from := c.Option("from")
	if from == nil || strings.HasPrefix(strings.TrimSpace(from.Text), "{") || !literalType(from.Text) {
		return
	}
	var kept []string
	var back string
	for _, key := range []string{"null", "default"} {
		o := c.Option(key)
		if o == nil {
			continue
		}
		was, known := wasRequired(p, s, c)
		if key == "null" && known && (o.Text == "false") == was {
			continue // it stays what it was
		}
		kept = append(kept, key+": "+o.Text)
		switch {
		case key == "null" && o.Text == "false":
			back = "null: true"
		case key == "null" && o.Text == "true":
			back = "null: false"
		}
	}
	if len(kept) == 0 {
		return
	}
	r := analysis.Report{
		Message: fmt.Sprintf("a rollback keeps %s: from: gives back the type only", strings.Join(kept, " and ")),
		Help:    "say what it was as well, as from: {" + from.Text + ", null: ...}",
	}
	if back != "" && len(kept) == 1 && !c.Repeated {
		r.Fixes = fixes("Say what it was in from:", false, func() ([]source.Edit, error) {
			return []source.Edit{{Path: s.Path, Span: from.Value, New: "{" + strings.TrimSpace(from.Text) + ", " + back + "}"}}, nil
		})
	}
	p.ReportAt(s.Path, c.Span, r)
}

// wasRequired tells from the history whether the column of a modify was NOT
// NULL before it.
func wasRequired(p *analysis.Pass, s *migration.Statement, c *migration.Command) (required, known bool) {
	step := p.Step(s)
	if step == nil {
		return false, false
	}
	var table migration.Name
	switch op := step.Op.(type) {
	case *migration.AlterColumnType:
		table = op.Table
	case *migration.SetNotNull:
		table = op.Table
	case *migration.AddColumn:
		table = op.Table
	case *migration.DropColumn:
		table = op.Table
	case *migration.DropConstraint:
		table = op.Table
	default:
		return false, false
	}
	r := step.Before.Relation(table)
	if r == nil || !step.Before.Complete(r) {
		return false, false
	}
	col := r.Column(c.Column)
	if col == nil {
		return false, false
	}
	return col.NotNull, true
}

// literalType reports whether the value of from: is a type and no variable or
// call, which may hold a tuple.
func literalType(text string) bool {
	text = strings.TrimSpace(text)
	return strings.HasPrefix(text, ":") || strings.HasPrefix(text, "references(")
}
