package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// down-cascade reports CASCADE in the way back.
//
// A rollback undoes what its own migration did. With CASCADE it also takes
// whatever else has come to depend on that, made by nobody knows whom, and does
// not say so; the next migrate does not bring it back. Without CASCADE it
// stops, and shows what is in the way.
//
// # Bad: sql
//
//	-- +goose Up
//	CREATE VIEW parcels_open AS SELECT 1 AS id;
//
//	-- +goose Down
//	DROP VIEW parcels_open CASCADE;
//
// # Good: sql
//
//	-- +goose Up
//	CREATE VIEW parcels_open AS SELECT 1 AS id;
//
//	-- +goose Down
//	DROP VIEW parcels_open;
//
// # Exceptions
//
// Schemas and extensions, which are dropped with what is in them.
var downCascade = &analysis.Rule{
	ID:       "down-cascade",
	Summary:  "a rollback takes more than its migration made",
	Severity: analysis.Hint,
	Default:  true,
	Down:     true,
	Fix:      analysis.UnsafeFix,
	On: []migration.Op{(*migration.Drop)(nil), (*migration.DropColumn)(nil), (*migration.DropConstraint)(nil),
		(*migration.DropIndex)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		if p.Direction != migration.Down {
			return
		}
		var what string
		var on source.Span
		cascade := false
		switch op := s.Op.(type) {
		case *migration.Drop:
			if op.Kind == "schema" || op.Kind == "extension" || len(op.Names) == 0 {
				return
			}
			what, on, cascade = op.Names[0].String(), op.Names[len(op.Names)-1].Span, op.Cascade
		case *migration.DropColumn:
			what, on, cascade = op.Table.String()+"."+op.Column.Name, op.Column.Span, op.Cascade
		case *migration.DropConstraint:
			what, on, cascade = op.Constraint.Name, op.Constraint.Span, op.Cascade
		case *migration.DropIndex:
			if len(op.Indexes) == 0 {
				return
			}
			what, on, cascade = op.Indexes[0].String(), op.Indexes[len(op.Indexes)-1].Span, op.Cascade
		}
		if !cascade {
			return
		}
		p.Report(s, analysis.Report{
			On:      on,
			Message: fmt.Sprintf("a rollback also drops whatever came to depend on %s, and does not say so", quoted(what)),
			Help:    "leave CASCADE out: then the rollback stops when something else is in the way",
			Fixes:   fixes("Leave CASCADE out", false, withoutCascade(p, s, on)),
		})
	},
}
