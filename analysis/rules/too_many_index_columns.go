package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// too-many-index-columns reports indexes with more than three key columns.
//
// PostgreSQL narrows a search by the columns at the front of a b-tree; those
// behind the first that a query does not compare with = add size and cost of
// writes and find nothing sooner. Three well chosen columns mostly do as well.
// Columns that are only to be read from the index belong in INCLUDE.
//
// # Bad: sql
//
//	CREATE INDEX orders_all ON orders (user_id, state, placed_at, total);
//
// # Good: sql
//
//	CREATE INDEX orders_user ON orders (user_id, state, placed_at) INCLUDE (total);
//
// # Bad: ecto
//
//	create index(:orders, [:user_id, :state, :placed_at, :total])
//
// # Good: ecto
//
//	create index(:orders, [:user_id, :state, :placed_at], include: [:total])
//
// # Exceptions
//
// Unique indexes, whose columns say what is unique, and methods other than
// b-tree.
var tooManyIndexColumns = &analysis.Rule{
	ID:       "too-many-index-columns",
	Summary:  "an index has more columns than searches can use",
	Severity: analysis.Hint,
	Aliases:  []string{"excellent_migrations/many_columns_index", "strong_migrations/add_index_columns"},
	On:       []migration.Op{(*migration.CreateIndex)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.CreateIndex)
		if op.Unique || op.Method != "" && op.Method != "btree" || len(op.Keys) <= 3 {
			return
		}
		p.Report(s, analysis.Report{
			On:      op.Table.Span,
			Message: fmt.Sprintf("few searches of %s can use all %d columns of this index, and every write pays for them", quoted(op.Table.String()), len(op.Keys)),
			Help:    "keep the columns at the front that queries compare with =, and put those that are only read into INCLUDE",
		})
	},
}
