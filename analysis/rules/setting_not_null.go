package rules

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// setting-not-null reports columns that are made NOT NULL by reading the table.
//
// SET NOT NULL holds an ACCESS EXCLUSIVE lock while it reads every row: reads
// and writes wait. PostgreSQL skips the reading when a valid check constraint
// proves that there is no null: add CHECK (column IS NOT NULL) NOT VALID,
// VALIDATE it in a later migration, then SET NOT NULL and drop the check.
//
// # Bad: ecto
//
//	alter table(:orders) do
//	  modify :state, :text, null: false, from: {:text, null: true}
//	end
//
// # Good: ecto
//
//	create constraint(:orders, :state_is_set, check: "state IS NOT NULL", validate: false)
//
// # Bad: sql
//
//	ALTER TABLE orders ALTER COLUMN state SET NOT NULL;
//
// # Good: sql
//
//	-- 001_check.up.sql --
//	ALTER TABLE orders ADD CONSTRAINT state_is_set CHECK (state IS NOT NULL) NOT VALID;
//	-- 002_validate.up.sql --
//	ALTER TABLE orders VALIDATE CONSTRAINT state_is_set;
//	-- 003_not_null.up.sql --
//	ALTER TABLE orders ALTER COLUMN state SET NOT NULL;
//	ALTER TABLE orders DROP CONSTRAINT state_is_set;
//
// # Exceptions
//
// Tables that the same migration creates, columns that it adds with a default,
// columns that are NOT NULL already, tables listed as small, and columns with a
// validated check (PostgreSQL 12).
var settingNotNull = &analysis.Rule{
	ID:       "setting-not-null",
	Summary:  "setting a column NOT NULL blocks reads and writes while every row is read",
	Severity: analysis.Warning,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Aliases: []string{"squawk/adding-not-nullable-field", "pgls/addingNotNullField", "excellent_migrations/not_null_added", "eugene/E2",
		"atlas/PG303", "pgfence/alter-column-set-not-null", "atlas/MF104"},
	On: []migration.Op{(*migration.SetNotNull)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.SetNotNull)
		if op.Drop || !p.Existing(s, op.Table) || p.Small(op.Table) {
			return
		}
		if sub := analysis.SubCommand(s.Statement, op.Column.Span); sub != nil {
			if from := sub.Option("from"); from != nil && notNullFrom.MatchString(from.Text) {
				return
			}
		}
		if r := s.Before.Relation(op.Table); r != nil {
			c := r.Column(op.Column.Name)
			if c != nil && (c.NotNull || columnMadeHere(p, s, op.Table, op.Column.Name) && (c.Default != "" || c.Identity != "" || c.Generated != "")) {
				return
			}
			if (p.Settings.PostgresVersion == 0 || p.Settings.PostgresVersion >= 12) && provenNotNull(r, op.Column.Name) {
				return
			}
		}
		p.Report(s, analysis.Report{
			On:      op.Column.Span,
			Message: fmt.Sprintf("setting %s NOT NULL blocks reads and writes while every row is read (ACCESS EXCLUSIVE lock)", quoted(op.Table.String()+"."+op.Column.Name)),
			Help:    "add CHECK (" + schema.Quote(op.Column.Name) + " IS NOT NULL) NOT VALID, validate it in a later migration, then set NOT NULL and drop the check",
			Fixes:   notNullInStages(p, s, op),
		})
	},
}

var notNullFrom = regex.MustCompile(`\bnull:\s*false\b`)

// provenNotNull reports whether a validated check of the table says that the
// column is not null.
func provenNotNull(r *schema.Relation, column string) bool {
	for _, c := range r.Constraints {
		if c.Kind != migration.Check || c.NotValid {
			continue
		}
		for _, part := range strings.Split(strings.ToLower(c.Expr), " and ") {
			if isNotNull(part, column) {
				return true
			}
		}
	}
	return false
}

func isNotNull(expr, column string) bool {
	words := strings.Fields(strings.NewReplacer("(", " ", ")", " ", `"`, "").Replace(expr))
	return len(words) == 4 && words[0] == strings.ToLower(column) && words[1] == "is" && words[2] == "not" && words[3] == "null"
}
