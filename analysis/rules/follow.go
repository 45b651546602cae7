package rules

import (
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// following returns the fix made of changes to the migration and of new ones
// after all others. It is never safe: somebody has to decide when they run.
func following(p *analysis.Pass, title string, changes []change, list ...analysis.Followup) []analysis.Fix {
	out := fixes(title, false, append(changes, func() ([]source.Edit, error) { return p.Follow(list...) })...)
	for i := range out {
		out[i].Follows = true
	}
	return out
}

// validation is a migration that validates a constraint.
func validation(table migration.Name, constraint string) analysis.Followup {
	return analysis.Followup{
		Name: "validate_" + constraint,
		Up:   []string{"ALTER TABLE " + schema.RefOf(table).SQL() + " VALIDATE CONSTRAINT " + schema.Quote(constraint)},
	}
}

// madeConstraint is the constraint of a kind that the step adds to a table, by
// the name it has for sure; nil without one.
func madeConstraint(s *analysis.Step, table migration.Name, kind migration.ConstraintKind) *schema.Constraint {
	r := s.After.Relation(table)
	if r == nil || len(r.Constraints) == 0 {
		return nil
	}
	c := r.Constraints[len(r.Constraints)-1]
	if c.Kind != kind || c.Guessed || c.Name == "" || c.Created == nil || c.Created.Statement != s.Statement {
		return nil
	}
	return c
}

// validateLater leaves the rows unchecked now and validates the constraint in
// a new migration.
func validateLater(p *analysis.Pass, s *analysis.Step, table migration.Name, kind migration.ConstraintKind, mend change) []analysis.Fix {
	c := madeConstraint(s, table, kind)
	if c == nil {
		return nil
	}
	return following(p, "Do not check the existing rows now; validate the constraint in a new migration", []change{mend}, validation(table, c.Name))
}

// A stage is one of several migrations that do together what one statement
// does at once.
type stage struct {
	analysis.Followup
	// dslUp and dslDown write the stage in Ecto's DSL, where the statement was
	// written in it; "" where that cannot be.
	dslUp, dslDown string
}

// staged does in several migrations what the step does in one. Where the step
// is all that the migration does, the first stage takes its place; else the
// step is taken out and all stages are new migrations. undoes tells the
// statement of down that undoes the step.
func staged(p *analysis.Pass, s *analysis.Step, title string, undoes func(migration.Op) bool, stages ...stage) []analysis.Fix {
	m := p.Migration
	c := s.Statement.Command
	dsl := c != nil && c.Name != "execute"
	if s.Inner || p.Direction != migration.Up || m.Editor == nil || c != nil && c.Repeated || !dsl && len(s.Statement.Ops()) != 1 {
		return nil
	}
	var back *migration.Statement
	down := m.Down.Statements()
	if m.Down.Origin == migration.Written || m.Down.Origin == migration.Derived {
		for _, d := range down {
			if slices.ContainsFunc(d.Ops(), undoes) && (dsl || len(d.Ops()) == 1) {
				back = d
			}
		}
		if back == nil {
			return nil // whatever down does, it does not go with the new migrations
		}
	}
	// What runs later must not rest on what would now come after it.
	users := func(c *schema.Catalog) (n int) {
		for _, l := range schema.Locks(s.Op, s.Before) {
			for range c.Users(l.Relation) {
				n++
			}
		}
		return n
	}
	if users(p.After) != users(s.After) {
		return nil
	}
	var list []analysis.Followup
	for _, st := range stages {
		list = append(list, st.Followup)
	}
	first := stages[0]
	derived := m.Down.Origin == migration.Derived
	if len(p.Body.Statements()) > 1 || len(down) > 1 {
		changes := []change{without(p, s)}
		if back != nil && !derived {
			changes = append(changes, without(p, &analysis.Step{Statement: back}))
		}
		return following(p, title, changes, list...)
	}
	changes := []change{rewrite(p, s.Statement, first.Up, first.dslUp)}
	if back != nil && !(derived && dsl) {
		changes = append(changes, rewrite(p, back, first.Down, first.dslDown))
	}
	if first.NoTransaction {
		changes = append(changes, func() ([]source.Edit, error) {
			edits, err := m.Editor.LeaveTransaction(m, migration.Up)
			if err != nil || back == nil {
				return edits, err
			}
			more, err := m.Editor.LeaveTransaction(m, migration.Down)
			for _, e := range more {
				if !slices.Contains(edits, e) {
					edits = append(edits, e)
				}
			}
			return edits, err
		})
	}
	return following(p, title, changes, list[1:]...)
}

// rewrite puts another statement in the place of one.
func rewrite(p *analysis.Pass, st *migration.Statement, sql []string, dsl string) change {
	return func() ([]source.Edit, error) {
		if len(sql) != 1 {
			return nil, migration.ErrNotExpressible
		}
		c := st.Command
		if c == nil || c.Name == "execute" {
			if len(st.Unknown) > 0 {
				return nil, migration.ErrNotExpressible
			}
			text := strings.TrimRight(st.SQL, " \t\r\n;")
			start := len(text) - len(strings.TrimLeft(text, " \t\r\n"))
			e, ok := st.Edit(source.Span{Start: start, End: len(text)}, sql[0])
			if !ok {
				return nil, migration.ErrNotExpressible
			}
			return []source.Edit{e}, nil
		}
		f := p.Migration.File(st.Path)
		if f == nil || dsl == "" {
			return nil, migration.ErrNotExpressible
		}
		at := strings.LastIndexByte(f.Text[:c.Span.Start], '\n') + 1
		if c.Span.Start-at+len([]rune(dsl)) > 98 { // mix format would break it
			return nil, migration.ErrNotExpressible
		}
		return []source.Edit{{Path: st.Path, Span: c.Span, New: dsl}}, nil
	}
}

// plainKey is the text of a key that an index can stand for: nothing but its
// columns.
var plainKey = regex.MustCompile(`(?is)^(?:constraint\s+("[^"]+"|\S+)\s+)?(?:unique|primary\s+key)\s*\([^()]*\)$`)

// keyInStages builds the index of a unique constraint or primary key
// concurrently before the constraint takes it over.
func keyInStages(p *analysis.Pass, s *analysis.Step, table migration.Name, con *migration.Constraint) []analysis.Fix {
	r := s.Before.Relation(table)
	made := madeConstraint(s, table, con.Kind)
	if _, ok := s.Op.(*migration.AddConstraint); !ok || made == nil || special(r) || con.Deferrable || len(con.Columns) == 0 ||
		!plainKey.MatchString(con.Span.Of(s.Statement.SQL)) || s.Statement.IsUnknown(con.Span) {
		return nil
	}
	var columns []string
	for _, c := range con.Columns {
		if con.Kind == migration.PrimaryKey {
			// The key would read every row to see that the column is not null.
			if r == nil || r.Column(c.Name) == nil || !r.Column(c.Name).NotNull {
				return nil
			}
		}
		columns = append(columns, schema.Quote(c.Name))
	}
	name, on := schema.Quote(made.Name), schema.RefOf(table).SQL()
	index := " " + name + " ON " + on + " (" + strings.Join(columns, ", ") + ")"
	dropped := name
	if ref := schema.RefOf(table); ref.Schema != schema.DefaultSchema { // an index lives with its table
		dropped = schema.Quote(ref.Schema) + "." + name
	}
	undoes := func(op migration.Op) bool {
		d, ok := op.(*migration.DropConstraint)
		return ok && schema.RefOf(d.Table) == schema.RefOf(table) && d.Constraint.Name == made.Name
	}
	return staged(p, s, "Build the index concurrently; add the constraint with it in a new migration", undoes,
		stage{Followup: analysis.Followup{
			Name: "index_" + made.Name, NoTransaction: true,
			Up:   []string{"CREATE UNIQUE INDEX CONCURRENTLY" + index},
			Down: []string{"DROP INDEX CONCURRENTLY " + dropped},
		}},
		stage{Followup: analysis.Followup{
			Name: "add_" + made.Name,
			Up:   []string{"ALTER TABLE " + on + " ADD CONSTRAINT " + name + " " + strings.ToUpper(string(con.Kind)) + " USING INDEX " + name},
			Down: []string{"ALTER TABLE " + on + " DROP CONSTRAINT " + name, "CREATE UNIQUE INDEX" + index},
		}})
}

// notNullInStages proves with a check that a column is not null before it is
// set so.
func notNullInStages(p *analysis.Pass, s *analysis.Step, op *migration.SetNotNull) []analysis.Fix {
	r := s.Before.Relation(op.Table)
	if p.Settings.PostgresVersion != 0 && p.Settings.PostgresVersion < 12 || s.Statement.IsUnknown(op.Column.Span) {
		return nil
	}
	if c := s.Statement.Command; c != nil && c.Name != "execute" {
		// alter with nothing but modify, which writes the type again.
		if c.Name != "alter" || len(c.Sub) != 1 || r == nil || c.Option("prefix") != nil {
			return nil
		}
		col := r.Column(op.Column.Name)
		for _, o := range s.Statement.Ops() {
			switch o := o.(type) {
			case *migration.SetNotNull:
			case *migration.AlterColumnType:
				if col == nil || col.Type.Name != o.Type.Name || !slices.Equal(col.Type.Args, o.Type.Args) || col.Type.Array != o.Type.Array || o.Using != nil {
					return nil
				}
			default:
				return nil
			}
		}
	}
	name := op.Table.Name + "_" + op.Column.Name + "_not_null"
	if len(name) > 63 || r != nil && r.Constraint(name) != nil {
		return nil
	}
	column, table, check := schema.Quote(op.Column.Name), schema.RefOf(op.Table).SQL(), schema.Quote(name)
	alter := "ALTER TABLE " + table + " "
	add := alter + "ADD CONSTRAINT " + check + " CHECK (" + column + " IS NOT NULL) NOT VALID"
	first := stage{Followup: analysis.Followup{Name: "check_" + name, Up: []string{add}, Down: []string{alter + "DROP CONSTRAINT " + check}}}
	if op.Table.Schema == "" && simpleAtom.MatchString(op.Table.Name) && simpleAtom.MatchString(name) && column == op.Column.Name {
		first.dslUp = "create constraint(:" + op.Table.Name + ", :" + name + ", check: \"" + column + " IS NOT NULL\", validate: false)"
		first.dslDown = "drop constraint(:" + op.Table.Name + ", :" + name + ")"
	}
	undoes := func(o migration.Op) bool {
		d, ok := o.(*migration.SetNotNull)
		return ok && d.Drop && schema.RefOf(d.Table) == schema.RefOf(op.Table) && d.Column.Name == op.Column.Name
	}
	return staged(p, s, "Add a check that is not validated; set NOT NULL in a new migration", undoes, first,
		stage{Followup: analysis.Followup{
			Name: "set_" + name,
			Up:   []string{alter + "VALIDATE CONSTRAINT " + check, alter + "ALTER COLUMN " + column + " SET NOT NULL", alter + "DROP CONSTRAINT " + check},
			Down: []string{add, alter + "ALTER COLUMN " + column + " DROP NOT NULL"},
		}})
}

var simpleAtom = regex.MustCompile(`^[a-z_][a-z0-9_]*$`)
