package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// name-already-taken reports what is made under a name that is in use.
//
// PostgreSQL refuses it with "already exists", and the migration stops there.
// Tables, views, indexes and sequences of a schema share their names. Ecto
// names an index after its table and columns alone: two indexes on the same
// columns, one of them partial, get the same name. references() makes a
// constraint, and another statement must not make it again.
//
// # Bad: ecto
//
//	create index(:orders, [:user_id])
//	create index(:orders, [:user_id], where: "state = 'new'")
//
// # Good: ecto
//
//	create index(:orders, [:user_id])
//	create index(:orders, [:user_id], where: "state = 'new'", name: :orders_new_user_id_index)
//
// # Bad: sql
//
//	ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0);
//	ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0);
//
// # Good: sql
//
//	ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0);
//
// # Exceptions
//
// IF NOT EXISTS, which leaves out the second; OR REPLACE; statements in a DO
// block, which may look first; and whatever may have been dropped or renamed by
// a statement that cannot be read. The down direction is left alone.
var nameAlreadyTaken = &analysis.Rule{
	ID:       "name-already-taken",
	Summary:  "something is made under a name that is in use",
	Severity: analysis.Error,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	On: []migration.Op{(*migration.CreateIndex)(nil), (*migration.CreateTable)(nil), (*migration.CreateView)(nil), (*migration.CreateType)(nil),
		(*migration.CreateTrigger)(nil), (*migration.AddConstraint)(nil), (*migration.AddColumn)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		if s.Inner {
			return
		}
		switch op := s.Op.(type) {
		case *migration.CreateIndex:
			if op.IfNotExists || op.Index.Name == "" || s.Statement.IsUnknown(op.Index.Span) || s.Statement.IsUnknown(op.Table.Span) {
				return
			}
			name := migration.Name{Schema: op.Table.Schema, Name: op.Index.Name}
			old, r := s.Before.Index(name)
			if old == nil {
				relationTaken(p, s, "the index", name, op.Index.Span)
				return
			}
			if old.Guessed || !certain(p, s, old.Created) {
				return
			}
			report := analysis.Report{
				On:      op.Index.Span,
				Message: fmt.Sprintf("this fails: there is an index %s on %s already", quoted(old.Ref.String()), quoted(r.Ref.String())),
				Related: analysis.RelatedTo(old.Created, quoted(old.Name)+" is made here"),
			}
			if sameIndex(old, op) && r.Ref == schema.RefOf(op.Table) {
				report.Help = "it is the same index: make it once"
				report.Fixes = fixes("Delete the repeated index", false, without(p, s))
			} else {
				free := freeName(s.Before, op)
				report.Help = "give this one another name"
				if inDSL(s) {
					report.Help = fmt.Sprintf("Ecto takes the name from the table and the columns: give this one a name:, as name: :%s", free)
				}
				report.Fixes = fixes("Call it "+free, false, renameIndex(p, s, op, free))
			}
			p.Report(s, report)
		case *migration.CreateTable:
			if !op.IfNotExists && !op.Temp {
				relationTaken(p, s, "the table", op.Table, op.Table.Span)
			}
		case *migration.CreateView:
			if !op.IfNotExists && !op.Replace && !op.Temp {
				relationTaken(p, s, "the view", op.View, op.View.Span)
			}
		case *migration.CreateType:
			if old := s.Before.Object("type", op.Type); old != nil && certain(p, s, old.Created) {
				p.Report(s, analysis.Report{
					On:      op.Type.Span,
					Message: fmt.Sprintf("this fails: there is a type %s already", quoted(old.Ref.String())),
					Help:    "make the type once, or drop the old one first",
					Related: analysis.RelatedTo(old.Created, quoted(old.Name)+" is made here"),
				})
			}
		case *migration.CreateTrigger:
			old := s.Before.Trigger("trigger", op.Table, op.Trigger.Name)
			if op.Replace || old == nil || !certain(p, s, old.Created) {
				return
			}
			p.Report(s, analysis.Report{
				On:      op.Trigger.Span,
				Message: fmt.Sprintf("this fails: %s has a trigger %s already", quoted(op.Table.String()), quoted(old.Name)),
				Help:    "give this one another name, or drop the old one first",
				Related: analysis.RelatedTo(old.Created, quoted(old.Name)+" is made here"),
			})
		case *migration.AddConstraint:
			constraintTaken(p, s, op.Table, &op.Constraint, true)
		case *migration.AddColumn:
			r := s.Before.Relation(op.Table)
			if op.IfNotExists || r == nil || r.Column(op.Column.Name) != nil {
				return
			}
			for i := range op.Column.Constraints {
				constraintTaken(p, s, op.Table, &op.Column.Constraints[i], false)
			}
		}
	},
}

// certain reports whether what an origin made is there for sure before a step:
// nothing that cannot be read can have dropped it since.
func certain(p *analysis.Pass, s *analysis.Step, o *schema.Origin) bool {
	if o == nil {
		return false
	}
	return s.Before.Taints() == 0 || o.Migration == p.Migration && s.Before.Taints() == p.Before.Taints()
}

// relationTaken reports a relation whose name a table, a view or an index has.
func relationTaken(p *analysis.Pass, s *analysis.Step, what string, name migration.Name, span source.Span) {
	if s.Statement.IsUnknown(name.Span) {
		return
	}
	kind, at := "index", (*schema.Origin)(nil)
	if r := s.Before.Relation(name); r != nil {
		kind, at = string(r.Kind), r.Created
	} else if i, _ := s.Before.Index(name); i != nil && !i.Guessed {
		at = i.Created
	}
	if !certain(p, s, at) {
		return
	}
	p.Report(s, analysis.Report{
		On:      span,
		Message: fmt.Sprintf("this fails: %s cannot be called %s, which is the name of a %s already", what, quoted(schema.RefOf(name).String()), kind),
		Help:    "choose another name, or drop or rename the old one first",
		Related: analysis.RelatedTo(at, quoted(name.Name)+" is made here"),
	})
}

// constraintTaken reports a constraint whose name another one of the table has.
func constraintTaken(p *analysis.Pass, s *analysis.Step, table migration.Name, con *migration.Constraint, whole bool) {
	r := s.Before.Relation(table)
	if r == nil || con.Name == "" || s.Statement.IsUnknown(con.Span) || s.Statement.IsUnknown(table.Span) {
		return
	}
	old := r.Constraint(con.Name)
	if old == nil || !certain(p, s, old.Created) || old.Guessed && len(old.Name) > 50 {
		return
	}
	if old.Guessed && old.Kind != con.Kind {
		return
	}
	report := analysis.Report{
		On:      con.Span,
		Message: fmt.Sprintf("this fails: %s has a constraint %s already", quoted(r.Ref.String()), quoted(con.Name)),
		Help:    "give this one another name, or drop the old one first",
		Related: analysis.RelatedTo(old.Created, quoted(con.Name)+" is made here"),
	}
	if sameConstraint(old, con) {
		report.Help = "it is the same constraint: make it once"
		if whole && len(s.Statement.Ops()) == 1 {
			report.Fixes = fixes("Delete the repeated constraint", false, without(p, s))
		}
	}
	p.Report(s, report)
}

func sameConstraint(old *schema.Constraint, con *migration.Constraint) bool {
	if old.Kind != con.Kind || len(old.Columns) != len(con.Columns) {
		return false
	}
	for i, c := range con.Columns {
		if old.Columns[i] != c.Name {
			return false
		}
	}
	switch con.Kind {
	case migration.ForeignKey:
		return old.Ref == schema.RefOf(con.Ref) && old.OnDelete == con.OnDelete && old.OnUpdate == con.OnUpdate
	case migration.Check:
		return con.Expr != nil && words(old.Expr) == words(con.Expr.SQL)
	}
	return true
}

// sameIndex reports whether an index is what a statement makes, but for its
// name.
func sameIndex(old *schema.Index, op *migration.CreateIndex) bool {
	where := ""
	if op.Where != nil {
		where = op.Where.SQL
	}
	method := op.Method
	if method == "" {
		method = "btree"
	}
	if old.Unique != op.Unique || old.Method != method || words(old.Where) != words(where) || len(old.Keys) != len(op.Keys) || len(old.Include) != len(op.Include) {
		return false
	}
	for i, k := range op.Keys {
		o := old.Keys[i]
		if o.Column != k.Column.Name || o.Desc != k.Desc || o.OpClass != k.OpClass || o.Collation != k.Collation || k.Expr != nil && words(o.Expr) != words(k.Expr.SQL) {
			return false
		}
	}
	return slices.EqualFunc(old.Include, op.Include, func(a string, b migration.Ident) bool { return a == b.Name })
}

// freeName is a name for an index that says what it has and the one of its
// name has not, as far as there is a word for it.
func freeName(c *schema.Catalog, op *migration.CreateIndex) string {
	stem := strings.TrimSuffix(op.Index.Name, "_index")
	tail := op.Index.Name[len(stem):]
	word := ""
	switch {
	case op.Where != nil:
		word = "_partial"
	case op.Unique:
		word = "_unique"
	case op.Method != "" && op.Method != "btree":
		word = "_" + op.Method
	}
	taken := func(name string) bool {
		n := migration.Name{Schema: op.Table.Schema, Name: name}
		i, _ := c.Index(n)
		return i != nil || c.Relation(n) != nil
	}
	stem = stem[:min(len(stem), 50)]
	if name := stem + word + tail; word != "" && !taken(name) {
		return name
	}
	for n := 2; ; n++ {
		if name := fmt.Sprintf("%s%s_%d%s", stem, word, n, tail); !taken(name) {
			return name
		}
	}
}

// renameIndex gives the index that a statement makes another name.
func renameIndex(p *analysis.Pass, s *analysis.Step, op *migration.CreateIndex, name string) change {
	return func() ([]source.Edit, error) {
		if !inDSL(s) {
			return edit(s, op.Index.Span, schema.Quote(name))()
		}
		if p.Migration.Editor == nil || s.Statement.Command.Repeated {
			return nil, migration.ErrNotExpressible
		}
		return p.Migration.Editor.SetOption(p.Migration, s.Statement.Command, "name", ":"+name)
	}
}
