package rules

import (
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// transaction-nesting reports BEGIN and COMMIT where somebody else has the
// transaction.
//
// PostgreSQL has no nested transactions: BEGIN inside one does nothing, and
// COMMIT ends the one that the migration tool opened. What comes after it runs
// on its own, the tool's record of the migration is written outside, and some
// tools fail when they find their transaction gone. Leave the transaction to
// the tool, or tell the tool to open none.
//
// # Bad: ecto
//
//	def up do
//	  execute "UPDATE orders SET state = 'new' WHERE state IS NULL"
//	  execute "COMMIT"
//	end
//
//	def down do
//	  :ok
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
//	BEGIN;
//	ALTER TABLE orders ADD COLUMN state text;
//	COMMIT;
//	-- +goose Down
//	ALTER TABLE orders DROP COLUMN state;
//
// # Good: goose
//
//	-- +goose Up
//	ALTER TABLE orders ADD COLUMN state text;
//	-- +goose Down
//	ALTER TABLE orders DROP COLUMN state;
//
// # Bad: sql
//
//	BEGIN;
//	ALTER TABLE orders ADD COLUMN state text;
//	BEGIN;
//	ALTER TABLE orders ADD COLUMN note text;
//	COMMIT;
//
// # Good: sql
//
//	BEGIN;
//	ALTER TABLE orders ADD COLUMN state text;
//	ALTER TABLE orders ADD COLUMN note text;
//	COMMIT;
//
// # Exceptions
//
// Tools that send a file as it is (golang-migrate, psql), where BEGIN and
// COMMIT around the whole file are right; savepoints; BEGIN and END inside
// functions.
var transactionNesting = &analysis.Rule{
	ID:       "transaction-nesting",
	Summary:  "BEGIN or COMMIT inside a transaction that somebody else opened",
	Severity: analysis.Error,
	Default:  true,
	Fix:      analysis.SafeFix,
	Down:     true,
	Aliases:  []string{"squawk/transaction-nesting", "pgls/transactionNesting"},
	Body: func(p *analysis.Pass) {
		tool, file := p.Body.Tx == migration.Explicit, false
		for i := range p.Steps {
			s := &p.Steps[i]
			t, ok := s.Op.(*migration.TxControl)
			if !ok || s.Inner {
				continue
			}
			r := analysis.Report{}
			switch t.Verb {
			case "begin", "start":
				switch {
				case file:
					r.Message = "this opens no transaction: the one that a BEGIN above opened is still there, and the first COMMIT ends it"
					r.Help = "remove this BEGIN, or commit before it"
				case tool:
					r.Message = "this opens no transaction: " + transactionOwner(p, s) + ", and a COMMIT in the file ends that one early"
					r.Help = "remove BEGIN and COMMIT, or turn the tool's transaction off for this file"
					r.Fixes = fixes("Remove BEGIN and COMMIT", pairAround(p), withoutPair(p))
				}
				file = true
			case "commit", "rollback":
				switch {
				case file:
				case tool:
					r.Message = "this ends the tool's own transaction: " + toolName(p) + " opened one around the migration, and what comes after runs without"
					r.Help = "remove it, or turn the tool's transaction off for this file"
				case p.Body.Tx == migration.Explicit: // the tool's was ended above
				default:
					r.Severity = analysis.Warning
					r.Message = strings.ToUpper(t.Verb) + " without a BEGIN: no transaction is open here, and the statements before it stay as they are"
					r.Help = "remove it, or begin a transaction before the statements that belong together"
				}
				tool, file = false, false
			}
			if r.Message != "" {
				p.Report(s, r)
				return
			}
		}
	},
}

func toolName(p *analysis.Pass) string {
	if p.Migration.Format == migration.Ecto {
		return "Ecto"
	}
	return string(p.Migration.Format)
}

// controls are the statements that begin and end transactions, savepoints left
// out.
func controls(p *analysis.Pass) []*analysis.Step {
	var out []*analysis.Step
	for i := range p.Steps {
		if t, ok := p.Steps[i].Op.(*migration.TxControl); ok && !p.Steps[i].Inner {
			switch t.Verb {
			case "begin", "start", "commit", "rollback":
				out = append(out, &p.Steps[i])
			}
		}
	}
	return out
}

// pairAround reports whether one BEGIN and one COMMIT stand around everything
// that the direction does.
func pairAround(p *analysis.Pass) bool {
	c := controls(p)
	return len(c) == 2 && c[0] == &p.Steps[0] && c[1] == &p.Steps[len(p.Steps)-1]
}

// withoutPair removes one BEGIN and its COMMIT.
func withoutPair(p *analysis.Pass) change {
	return func() ([]source.Edit, error) {
		c := controls(p)
		if len(c) != 2 || c[1].Op.(*migration.TxControl).Verb != "commit" || c[0].Statement == c[1].Statement {
			return nil, migration.ErrNotExpressible
		}
		out, err := without(p, c[0])()
		if err != nil {
			return nil, err
		}
		more, err := without(p, c[1])()
		return append(out, more...), err
	}
}
