package rules

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// backfill-in-schema-migration reports rows that are written while the
// transaction holds a lock on their table.
//
// A schema change locks its table until the transaction ends. When the same
// transaction then writes rows, everybody waits for the whole write, not only
// for the short change. Change the schema in one migration, write the rows in
// another, in steps and without a transaction around all of them.
//
// # Bad: ecto
//
//	def up do
//	  alter table(:orders) do
//	    add :state, :text
//	  end
//
//	  execute "UPDATE orders SET state = 'new' WHERE state IS NULL"
//	end
//
//	def down do
//	  alter table(:orders) do
//	    remove :state
//	  end
//	end
//
// # Good: ecto
//
//	def up do
//	  execute "UPDATE orders SET state = 'new' WHERE state IS NULL"
//	end
//
//	def down do
//	  :ok
//	end
//
// # Bad: goose
//
//	-- +goose Up
//	ALTER TABLE orders ADD COLUMN state text;
//	UPDATE orders SET state = 'new' WHERE state IS NULL;
//	-- +goose Down
//	ALTER TABLE orders DROP COLUMN state;
//
// # Bad: sql
//
//	ALTER TABLE orders ADD COLUMN state text;
//	UPDATE orders SET state = 'new' WHERE state IS NULL;
//
// # Good: goose
//
//	-- +goose NO TRANSACTION
//	-- +goose Up
//	UPDATE orders SET state = 'new' WHERE state IS NULL;
//	-- +goose Down
//	SELECT 1;
//
// # Exceptions
//
// Tables that the same migration creates, tables listed as small, INSERT of
// values, and an UPDATE or DELETE that names single rows by a key. Calls of a
// repo that only read. The first write under each lock is reported.
var backfillInSchemaMigration = &analysis.Rule{
	ID:       "backfill-in-schema-migration",
	Summary:  "rows are written while the same transaction keeps their table locked",
	Severity: analysis.Warning,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Aliases: []string{"excellent_migrations/operation_update", "excellent_migrations/operation_insert", "excellent_migrations/operation_delete",
		"strong_migrations/backfilling"},
	Body: func(p *analysis.Pass) {
		held := holds(p, schema.ShareRowExclusive)
		told := map[*analysis.Step]bool{} // by the step that took the lock
		for i := range p.Steps {
			s := &p.Steps[i]
			op, ok := s.Op.(*migration.Write)
			if !ok || !slowWrite(p, s, op) {
				continue
			}
			for _, h := range held(s) {
				if h.Relation == schema.RefOf(op.Table) && !told[h.by] {
					told[h.by] = true
					r := backfillReport("this write", h, op.Table.Span)
					r.Fixes = movedOut(p, s, "backfill_"+op.Table.Name)
					p.Report(s, r)
				}
			}
		}
		repoWrites(p, told)
	},
}

func backfillReport(what string, h hold, on source.Span) analysis.Report {
	return analysis.Report{
		On:      on,
		Message: fmt.Sprintf("%s are blocked for as long as %s takes: the lock of the change above is held until the transaction ends", blocked(h.Lock), what),
		Help:    "write the rows in a migration of its own, in steps and without a transaction around all of them",
		Related: []analysis.Related{{Message: "the lock is taken here", Path: h.by.Statement.Path, Span: h.by.Statement.Span}},
	}
}

// slowWrite reports whether a write may take as long as its table is large.
func slowWrite(p *analysis.Pass, s *analysis.Step, op *migration.Write) bool {
	switch op.Verb {
	case "update", "delete", "merge":
	case "insert":
		if !op.Query {
			return false
		}
	default:
		return false
	}
	return !op.Table.IsZero() && !systemTable(op.Table) && p.Existing(s, op.Table) && !p.Small(op.Table) && !fewRows(s.Before.Relation(op.Table), op)
}

// systemTable reports whether a name is one of PostgreSQL's or TimescaleDB's
// own tables and views, which are small.
func systemTable(n migration.Name) bool {
	return strings.HasPrefix(n.Name, "pg_") && (n.Schema == "" || n.Schema == "pg_catalog") || n.Schema == "information_schema" ||
		strings.HasPrefix(n.Schema, "timescaledb_") || strings.HasPrefix(n.Schema, "_timescaledb_")
}

// fewRows reports whether the condition of a write names single rows: by the
// primary key, a unique index, or a column called id.
func fewRows(r *schema.Relation, op *migration.Write) bool {
	fixed := map[string]bool{}
	for _, c := range op.Equals {
		fixed[c] = true
	}
	if fixed["id"] {
		return true
	}
	if r == nil {
		return false
	}
	all := func(columns []string) bool {
		for _, c := range columns {
			if !fixed[c] {
				return false
			}
		}
		return len(columns) > 0
	}
	for _, i := range r.Indexes {
		if i.Unique && all(i.ColumnKeys()) {
			return true
		}
	}
	k := r.PrimaryKey()
	return k != nil && all(k.Columns)
}

// writingCalls are the functions of an Ecto repo that change rows in bulk.
var writingCalls = map[string]bool{"update_all": true, "delete_all": true, "update": true, "update!": true, "delete": true, "delete!": true,
	"insert_or_update": true, "insert_or_update!": true}

var stringLiteral = regex.MustCompile(`"([a-z_][a-z0-9_.]*)"`)

// repoWrites looks at what an Ecto migration writes through its repo, which
// cannot be read further than the names that stand in the call.
func repoWrites(p *analysis.Pass, told map[*analysis.Step]bool) {
	if p.Migration.Format != migration.Ecto || p.Body.Tx != migration.Explicit {
		return
	}
	// The steps of each statement, in order, beside those that have none.
	var now []hold
	next := 0
	for _, st := range p.Body.Statements() {
		for next < len(p.Steps) && p.Steps[next].Statement == st {
			s := &p.Steps[next]
			for _, l := range blocking(p, s) {
				if l.Mode == schema.ShareRowExclusive || l.Mode.Stronger(schema.ShareRowExclusive) {
					now = keep(now, []hold{{l, s}})
				}
			}
			next++
		}
		c := st.Command
		f := p.Migration.File(st.Path)
		if st.Opaque == "" || c == nil || !writingCalls[c.Function] || len(now) == 0 || f == nil {
			continue
		}
		var last *analysis.Step
		if next > 0 {
			last = &p.Steps[next-1]
		}
		h := now[0]
		new := false
		for _, m := range stringLiteral.FindAllStringSubmatch(callText(f.Text, c.Span), -1) {
			name := migration.RegClass(m[1])
			if r := last.After.Relation(name); p.CreatedHere(r) {
				new = true
			}
			for _, o := range now {
				if o.Relation == schema.RefOf(name) {
					h = o
				}
			}
		}
		if new || told[h.by] || p.Small(nameOf(h.Relation)) {
			continue
		}
		told[h.by] = true
		p.ReportAt(st.Path, c.Span, backfillReport(strings.TrimSuffix(c.Function, "!"), h, source.Span{}))
	}
}
