package rules

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// identifier-too-long reports names that PostgreSQL cuts.
//
// PostgreSQL keeps 63 bytes of a name and cuts the rest off, with no more than
// a notice. The object is then called otherwise than the migration says, code
// that compares names does not find it, and a second name with the same
// beginning is taken: that statement fails. Ecto makes long names by itself: an
// index on four columns is called after the table and all of them.
//
// # Bad: ecto
//
//	create index(:customer_subscriptions, [:organization_id, :billing_period_start, :status])
//
// # Good: ecto
//
//	create index(:customer_subscriptions, [:organization_id, :billing_period_start, :status], name: :customer_subscriptions_period_index)
//
// # Bad: sql
//
//	CREATE TABLE subscriptions (id bigint PRIMARY KEY, customer_subscription_billing_period_renewal_reminder_was_last_sent_at timestamptz);
//
// # Good: sql
//
//	CREATE TABLE subscriptions (id bigint PRIMARY KEY, renewal_reminder_sent_at timestamptz);
var identifierTooLong = &analysis.Rule{
	ID:       "identifier-too-long",
	Summary:  "PostgreSQL cuts a name that is longer than 63 bytes",
	Severity: analysis.Warning,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"squawk/identifier-too-long"},
	On: []migration.Op{(*migration.CreateTable)(nil), (*migration.CreateIndex)(nil), (*migration.AddColumn)(nil), (*migration.AddConstraint)(nil),
		(*migration.CreateView)(nil), (*migration.CreateFunction)(nil), (*migration.CreateTrigger)(nil), (*migration.CreateType)(nil),
		(*migration.Create)(nil), (*migration.Rename)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		if s.Inner {
			return
		}
		long := s.Statement.Parse().Long
		if len(long) == 0 {
			return
		}
		given := namesGiven(s.Op)
		for i, l := range long {
			kept := migration.Truncate(l.Name)
			if !given[kept] || s.Statement.IsUnknown(l.Span) {
				continue
			}
			r := analysis.Report{
				On:      l.Span,
				Message: fmt.Sprintf("PostgreSQL keeps 63 bytes of this name: it becomes %s", quoted(kept)),
				Help:    "choose a shorter name",
				Fixes:   shorterName(s, l.Name),
			}
			taken := nameTaken(s, kept)
			for _, other := range long[:i] {
				taken = taken || other.Name != l.Name && migration.Truncate(other.Name) == kept
			}
			if taken {
				r.Severity = analysis.Error
				r.Message = fmt.Sprintf("this fails: PostgreSQL keeps 63 bytes of the name, and %s is taken", quoted(kept))
			}
			p.Report(s, r)
			return
		}
	},
}

// namesGiven are the names that an operation gives to new objects, as
// PostgreSQL keeps them.
func namesGiven(op migration.Op) map[string]bool {
	out := map[string]bool{}
	constraints := func(cs []migration.Constraint) {
		for _, c := range cs {
			out[c.Name] = true
		}
	}
	switch op := op.(type) {
	case *migration.CreateTable:
		out[op.Table.Name] = true
		for _, c := range op.Columns {
			out[c.Name] = true
			constraints(c.Constraints)
		}
		constraints(op.Constraints)
	case *migration.CreateIndex:
		out[op.Index.Name] = true
	case *migration.AddColumn:
		out[op.Column.Name] = true
		constraints(op.Column.Constraints)
	case *migration.AddConstraint:
		out[op.Constraint.Name] = true
	case *migration.CreateView:
		out[op.View.Name] = true
	case *migration.CreateFunction:
		out[op.Function.Name] = true
	case *migration.CreateTrigger:
		out[op.Trigger.Name] = true
	case *migration.CreateType:
		out[op.Type.Name] = true
	case *migration.Create:
		out[op.Object.Name] = true
	case *migration.Rename:
		out[op.To] = true
	}
	delete(out, "")
	return out
}

// nameTaken reports whether an object of the kind that a step makes has the
// name already.
func nameTaken(s *analysis.Step, name string) bool {
	switch op := s.Op.(type) {
	case *migration.CreateTable:
		return !op.IfNotExists && name == op.Table.Name && s.Before.Relation(op.Table) != nil
	case *migration.CreateIndex:
		i, _ := s.Before.Index(migration.Name{Schema: op.Table.Schema, Name: name})
		return !op.IfNotExists && i != nil
	case *migration.AddColumn:
		r := s.Before.Relation(op.Table)
		return !op.IfNotExists && r != nil && r.Column(name) != nil
	case *migration.AddConstraint:
		r := s.Before.Relation(op.Table)
		return r != nil && r.Constraint(name) != nil
	}
	return false
}

// shorterName gives an index or constraint of the DSL a name of its own.
func shorterName(s *analysis.Step, name string) []analysis.Fix {
	c := s.Statement.Command
	if c == nil || c.Repeated || c.ObjectSpan.Len() == 0 || c.Option("name") != nil || !strings.Contains(c.Object, "index") {
		return nil
	}
	short := shortened(name)
	if i, _ := s.Before.Index(migration.Name{Name: short}); i != nil || schema.Quote(short) != short {
		return nil
	}
	return fixes("Name it "+short, false, func() ([]source.Edit, error) {
		end := c.ObjectSpan.End - 1
		return []source.Edit{{Path: s.Statement.Path, Span: source.Span{Start: end, End: end}, New: ", name: :" + short}}, nil
	})
}

// shortened cuts a name at a word so that it fits with its last word.
func shortened(name string) string {
	last := name[strings.LastIndexByte(name, '_')+1:]
	if len(last) > 20 {
		last = "index"
	}
	cut := migration.Truncate(name)
	cut = migration.Truncate(cut[:min(len(cut), migration.MaxNameLength-len(last)-1)])
	if i := strings.LastIndexByte(cut, '_'); i > 20 {
		cut = cut[:i]
	}
	return cut + "_" + last
}
