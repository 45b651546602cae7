package rules

import (
	"fmt"
	"slices"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// enum-value-in-same-transaction reports enum values that are used before they
// are committed.
//
// Since PostgreSQL 12 ALTER TYPE ... ADD VALUE may stand in a transaction, but
// nothing in that transaction may use the value: an INSERT, a default, a check,
// an index predicate with it fail with "unsafe use of new value". Add the value
// in a migration of its own. (Before PostgreSQL 12 the statement fails in any
// transaction; statement-cannot-run-in-transaction says so.)
//
// # Bad: sql
//
//	-- 001_state.up.sql --
//	CREATE TYPE state AS ENUM ('new');
//	CREATE TABLE orders (id bigint PRIMARY KEY, state state);
//	-- 002_sent.up.sql --
//	ALTER TYPE state ADD VALUE 'sent';
//	ALTER TABLE orders ALTER COLUMN state SET DEFAULT 'sent';
//
// # Good: sql
//
//	-- 001_state.up.sql --
//	CREATE TYPE state AS ENUM ('new');
//	CREATE TABLE orders (id bigint PRIMARY KEY, state state);
//	-- 002_sent.up.sql --
//	ALTER TYPE state ADD VALUE 'sent';
//	-- 003_default.up.sql --
//	ALTER TABLE orders ALTER COLUMN state SET DEFAULT 'sent';
//
// # Bad: ecto
//
//	def up do
//	  execute("ALTER TYPE state ADD VALUE 'sent'")
//	  execute("UPDATE orders SET state = 'sent'::state WHERE sent_at IS NOT NULL")
//	end
//
//	def down do
//	  raise "a value of an enum cannot be removed"
//	end
//
// # Exceptions
//
// Statements that run outside a transaction. Since PostgreSQL 17 a type that
// the same transaction created. A literal counts as a use only where the
// statement names the type, or a table with a column of it.
var enumValueInSameTransaction = &analysis.Rule{
	ID:       "enum-value-in-same-transaction",
	Summary:  "a new enum value is used in the transaction that adds it",
	Severity: analysis.Error,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Down:     true,
	Aliases:  []string{"pgls/avoidAlterEnumAddValue", "pgfence/alter-enum-add-value"},
	On:       []migration.Op{(*migration.AlterEnum)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.AlterEnum)
		v := p.Settings.PostgresVersion
		if !s.Tx.Certain() || v != 0 && v < 12 || s.Before == s.After && op.IfNotExists {
			return
		}
		if (v == 0 || v >= 17) && typeMadeHere(p, s.Before, op.Type) && together(p, s.Before.Object("type", op.Type).Created.Statement, s.Statement) {
			return
		}
		use := useOfValue(p, s, op)
		if use == nil {
			return
		}
		r := analysis.Report{
			On:      op.Type.Span,
			Message: fmt.Sprintf("the value %s is used in the transaction that adds it, which fails: unsafe use of new value", quoted(op.Value)),
			Help:    "add the value in a migration of its own",
			Related: []analysis.Related{{Message: "it is used here", Path: use.Statement.Path, Span: p.Place(use, use.Span)}},
		}
		if s.Tx == analysis.ByTool && !s.Inner && use.Statement != s.Statement {
			r.Fixes = fixes("Run this migration outside a transaction", false, leaveTransaction(p))
		}
		p.Report(s, r)
	},
}

// useOfValue is the first later step of the same transaction that uses the
// value, or nil.
func useOfValue(p *analysis.Pass, s *analysis.Step, op *migration.AlterEnum) *analysis.Step {
	from := stepIndex(p)[s]
	for _, i := range stepsWith(p)[op.Value] {
		t := &p.Steps[i]
		if i > from && (t.Statement == s.Statement || together(p, s.Statement, t.Statement)) && usesType(t, op.Type) {
			return t
		}
	}
	return nil
}

// stepsWith leads from the value of a string literal to the steps whose text
// holds it, in order.
func stepsWith(p *analysis.Pass) map[string][]int {
	type key struct{}
	return p.Once(key{}, func() any {
		out := map[string][]int{}
		for i := range p.Steps {
			t := &p.Steps[i]
			switch t.Op.(type) {
			case *migration.AlterEnum, *migration.CreateType, *migration.CreateFunction, *migration.Comment, *migration.Do:
				continue
			}
			text := t.Statement.SQL
			if t.Inner {
				text = t.Span.Of(text)
			}
			for _, v := range migration.Strings(text) {
				out[v] = append(out[v], i)
			}
		}
		return out
	}).(map[string][]int)
}

// stepIndex are the places of the steps in their pass.
func stepIndex(p *analysis.Pass) map[*analysis.Step]int {
	type key struct{}
	return p.Once(key{}, func() any {
		out := make(map[*analysis.Step]int, len(p.Steps))
		for i := range p.Steps {
			out[&p.Steps[i]] = i
		}
		return out
	}).(map[*analysis.Step]int)
}

// usesType reports whether a statement reads literals as values of a type: it
// names the type, or a table with a column of it.
func usesType(s *analysis.Step, typ migration.Name) bool {
	switch s.Op.(type) {
	case *migration.AlterEnum, *migration.Rename, *migration.CreateType, *migration.CreateFunction, *migration.Comment, *migration.Do,
		*migration.Drop, *migration.Grant, *migration.Set, *migration.TxControl:
		return false
	}
	text := s.Statement.SQL
	if s.Inner {
		text = s.Span.Of(text)
	}
	if mentionsWord(text, typ.Name) {
		return true
	}
	of := func(c *schema.Column) bool { return c.Type.Name == typ.Name || c.Type.Name == typ.String() }
	for _, m := range schema.Mentions(s.Op) {
		r := s.After.Lookup(m.Ref)
		if r == nil || m.Kind == schema.IndexMention {
			continue
		}
		for _, c := range r.Columns {
			if !of(c) {
				continue
			}
			if w, ok := s.Op.(*migration.Write); ok && w.Verb == "insert" && len(w.Columns) > 0 && !slices.Contains(names(w.Columns), c.Name) {
				continue
			}
			return true
		}
	}
	return false
}
