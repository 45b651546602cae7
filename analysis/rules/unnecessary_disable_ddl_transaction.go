package rules

import (
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// unnecessary-disable-ddl-transaction reports migrations that leave their
// tool's transaction although nothing in them needs it.
//
// Inside the transaction a migration is applied whole or not at all. Without
// it, a failure in the middle leaves half of it behind. Only what cannot run
// in a transaction needs that, such as a concurrent index build, or a migration
// that is meant to let go of its locks between two steps.
//
// # Bad: ecto
//
//	@disable_ddl_transaction true
//	@disable_migration_lock true
//
//	def change do
//	  create table(:orders)
//	end
//
// # Good: ecto
//
//	create table(:orders)
//
// # Bad: goose
//
//	-- +goose NO TRANSACTION
//	-- +goose Up
//	CREATE TABLE orders (id bigint PRIMARY KEY);
//	-- +goose Down
//	DROP TABLE orders;
//
// # Good: goose
//
//	-- +goose Up
//	CREATE TABLE orders (id bigint PRIMARY KEY);
//	-- +goose Down
//	DROP TABLE orders;
//
// # Exceptions
//
// Migrations that write rows, call procedures or functions, lock more than one
// table or one table more than once, and those that cannot be read to their end.
var unnecessaryDisableDDLTransaction = &analysis.Rule{
	ID:       "unnecessary-disable-ddl-transaction",
	Summary:  "a migration leaves the transaction for nothing",
	Severity: analysis.Hint,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Migration: func(p *analysis.Pass) {
		for _, q := range []*analysis.Pass{p, p.Other} {
			b, o := q.Body, q.Other.Body
			if b.TxSpan == (source.Span{}) || b.Tx != migration.None && b.Tx != migration.ImplicitIfMulti || len(b.Units) == 0 || needsToLeave(q) {
				continue
			}
			same := o.Path == b.Path && o.TxSpan == b.TxSpan // one directive for both
			if same && (q != p && len(o.Units) > 0 || needsToLeave(q.Other)) {
				continue
			}
			q.ReportAt(b.Path, b.TxSpan, analysis.Report{
				Message: "a failure leaves half of this migration behind, for nothing: no statement of it needs to run outside a transaction",
				Help:    "let the tool have its transaction",
				Fixes:   fixes("Run it in a transaction", false, enterTransaction(q)),
			})
		}
	},
}

// needsToLeave reports whether anything in a direction may have a reason to run
// outside a transaction.
func needsToLeave(p *analysis.Pass) bool {
	if p.Body.Err != nil && len(p.Body.Units) > 0 {
		return true
	}
	for _, st := range p.Body.Statements() {
		if schema.Unreadable(st) {
			return true
		}
	}
	locking := map[*migration.Statement]bool{}
	for i := range p.Steps {
		s := &p.Steps[i]
		if len(blocking(p, s)) > 0 {
			locking[s.Statement] = true
		}
		switch op := s.Op.(type) {
		case *migration.CreateTable:
			if op.AsQuery {
				return true
			}
		case *migration.CreateView:
			if op.Continuous || op.Materialized {
				return true
			}
		case *migration.CreateIndex:
			if op.Concurrently || len(op.Options) > 0 {
				return true
			}
		case *migration.DropIndex:
			if op.Concurrently {
				return true
			}
		case *migration.Query:
			if len(op.Calls) > 0 {
				return true
			}
		case *migration.AddColumn, *migration.DropColumn, *migration.AlterColumnType, *migration.SetNotNull, *migration.SetDefault, *migration.AddConstraint,
			*migration.DropConstraint, *migration.SetTableOptions, *migration.AttachPartition, *migration.AlterTable, *migration.Rename, *migration.SetSchema,
			*migration.Drop, *migration.CreateType, *migration.CreateFunction, *migration.CreateTrigger, *migration.Create, *migration.Comment, *migration.Grant, *migration.Set:
		default:
			return true
		}
	}
	return len(locking) > 1
}

var transactionSwitches = regex.MustCompile(`(?m)^[ \t]*@disable_(?:ddl_transaction|migration_lock)[ \t]+true[ \t]*\r?\n`)

// enterTransaction removes the directive that a direction's transaction was
// switched off with.
func enterTransaction(p *analysis.Pass) change {
	return func() ([]source.Edit, error) {
		f := p.Migration.File(p.Body.Path)
		if f == nil {
			return nil, migration.ErrNotExpressible
		}
		text := f.Text
		if p.Migration.Format == migration.Ecto {
			var out []source.Edit
			for _, m := range transactionSwitches.FindAllStringIndex(text, -1) {
				end := m[1]
				// The empty line below the two goes with the last of them.
				if rest := text[end:]; !strings.HasPrefix(strings.TrimLeft(rest, " \t"), "@disable_") {
					if nl := strings.IndexByte(rest, '\n'); nl >= 0 && strings.TrimSpace(rest[:nl]) == "" {
						end += nl + 1
					}
				}
				out = append(out, source.Edit{Path: f.Path, Span: source.Span{Start: m[0], End: end}})
			}
			if len(out) == 0 {
				return nil, migration.ErrNotExpressible
			}
			return out, nil
		}
		span := p.Body.TxSpan
		start := strings.LastIndexByte(text[:span.Start], '\n') + 1
		end := len(text)
		if nl := strings.IndexByte(text[span.End:], '\n'); nl >= 0 {
			end = span.End + nl + 1
		}
		switch p.Migration.Format {
		case migration.Goose, migration.Atlas, migration.Tern, migration.Sqlx:
			return []source.Edit{{Path: f.Path, Span: source.Span{Start: start, End: end}}}, nil
		}
		return nil, migration.ErrNotExpressible // dbmate and others write it behind another directive
	}
}
