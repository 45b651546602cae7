package rules

import (
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// drop-index-concurrently-multiple reports concurrent drops of several indexes.
//
// DROP INDEX CONCURRENTLY takes one index and no CASCADE.
//
// # Bad: goose
//
//	-- +goose NO TRANSACTION
//	-- +goose Up
//	DROP INDEX CONCURRENTLY orders_a, orders_b;
//	-- +goose Down
//	SELECT 1;
//
// # Good: goose
//
//	-- +goose NO TRANSACTION
//	-- +goose Up
//	DROP INDEX CONCURRENTLY orders_a;
//	DROP INDEX CONCURRENTLY orders_b;
//	-- +goose Down
//	SELECT 1;
var dropIndexConcurrentlyMultiple = &analysis.Rule{
	ID:       "drop-index-concurrently-multiple",
	Summary:  "DROP INDEX CONCURRENTLY takes one index and no CASCADE",
	Severity: analysis.Error,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Down:     true,
	On:       []migration.Op{(*migration.DropIndex)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.DropIndex)
		switch {
		case !op.Concurrently:
		case len(op.Indexes) > 1:
			r := analysis.Report{
				On:      op.Indexes[1].Span,
				Message: "DROP INDEX CONCURRENTLY fails here: it drops one index at a time",
				Help:    "write a statement for each index",
			}
			// Sent together, several statements would be one transaction.
			if p.Body.Tx == migration.None && !op.Cascade {
				r.Fixes = fixes("Drop the indexes one by one", false, splitDrop(p, s, op))
			}
			p.Report(s, r)
		case op.Cascade:
			p.Report(s, analysis.Report{
				On:      op.Indexes[0].Span,
				Message: "DROP INDEX CONCURRENTLY fails here: it cannot CASCADE",
				Help:    "drop what depends on the index first",
			})
		}
	},
}

// splitDrop keeps the first index in the statement and drops the others after
// it.
func splitDrop(p *analysis.Pass, s *analysis.Step, op *migration.DropIndex) change {
	return func() ([]source.Edit, error) {
		sql := s.Statement.SQL
		first, last := op.Indexes[0].Span, op.Indexes[len(op.Indexes)-1].Span
		out, err := edit(s, source.Span{Start: first.End, End: last.End}, "")()
		if err != nil {
			return nil, err
		}
		var more []string
		for _, n := range op.Indexes[1:] {
			more = append(more, strings.TrimRight(sql[:first.Start], " \t\r\n")+" "+n.Span.Of(sql))
		}
		add, err := insertAfter(p, s, more...)()
		return append(out, add...), err
	}
}
