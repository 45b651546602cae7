package rules

import (
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// statement-cannot-run-in-transaction reports statements that refuse to run
// inside a transaction.
//
// VACUUM, CREATE and DROP DATABASE, CREATE and DROP TABLESPACE, ALTER SYSTEM,
// CLUSTER without a table, REINDEX DATABASE and REINDEX SYSTEM fail inside a
// transaction, and so does CREATE SUBSCRIPTION unless it makes no slot. Most
// migration tools open a transaction around each migration. Before PostgreSQL 12, ALTER TYPE ... ADD VALUE does
// too.
//
// # Bad: ecto
//
//	execute "VACUUM orders", ""
//
// # Good: ecto
//
//	@disable_ddl_transaction true
//	@disable_migration_lock true
//
//	def up do
//	  execute "VACUUM orders"
//	end
//
//	def down do
//	  :ok
//	end
//
// # Bad: goose
//
//	-- +goose Up
//	VACUUM orders;
//	-- +goose Down
//	SELECT 1;
//
// # Good: goose
//
//	-- +goose NO TRANSACTION
//	-- +goose Up
//	VACUUM orders;
//	-- +goose Down
//	SELECT 1;
//
// # Bad: sql
//
//	ANALYZE orders;
//	VACUUM orders;
//
// # Good: sql
//
//	VACUUM orders;
var statementCannotRunInTransaction = &analysis.Rule{
	ID:       "statement-cannot-run-in-transaction",
	Summary:  "a statement that cannot run inside a transaction does",
	Severity: analysis.Error,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Down:     true,
	On:       []migration.Op{(*migration.Maintain)(nil), (*migration.Reindex)(nil), (*migration.AlterEnum)(nil), (*migration.Other)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		what, on := "", source.Span{}
		switch op := s.Op.(type) {
		case *migration.Maintain:
			switch op.Verb {
			case "vacuum", "create database", "drop database", "alter system":
				what = strings.ToUpper(op.Verb)
			case "cluster":
				if len(op.Objects) == 0 || op.Objects[0].IsZero() {
					what = "CLUSTER without a table"
				}
			}
		case *migration.Other:
			switch op.Tag {
			case "create tablespace", "drop tablespace":
				what = strings.ToUpper(op.Tag)
			case "create subscription":
				if !withoutSlot.MatchString(s.Statement.SQL) {
					what = "CREATE SUBSCRIPTION with a slot"
				}
			}
		case *migration.Reindex:
			if op.Kind == "database" || op.Kind == "system" {
				what, on = "REINDEX "+strings.ToUpper(op.Kind), op.Object.Span
			}
		case *migration.AlterEnum:
			if v := p.Settings.PostgresVersion; v != 0 && v < 12 {
				what, on = "ALTER TYPE ... ADD VALUE", op.Type.Span
			}
		}
		if what == "" || !s.Tx.Certain() {
			return
		}
		r := analysis.Report{On: on, Message: what + " fails here: it cannot run inside a transaction, and "}
		switch s.Tx {
		case analysis.ByTool:
			r.Message += transactionOwner(p, s)
			r.Help = "turn the tool's transaction off for this file"
			r.Fixes = fixes("Run this migration outside a transaction", false, leaveTransaction(p))
		case analysis.ByFile:
			r.Message += transactionOwner(p, s)
			r.Help = "take it out of BEGIN and COMMIT"
		case analysis.ByBlock:
			r.Message += transactionOwner(p, s)
			r.Help = "move it out of the DO block into a statement of its own"
		default:
			r.Message += "statements that are sent together are one"
			r.Help = "move it into a migration of its own"
		}
		p.Report(s, r)
	},
}

// withoutSlot are the options with which CREATE SUBSCRIPTION makes no
// replication slot.
var withoutSlot = regex.MustCompile(`(?i)\b(create_slot|connect)\s*=\s*'?(false|off|no|0)\b`)
