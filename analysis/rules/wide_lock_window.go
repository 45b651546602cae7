package rules

import (
	"fmt"
	"slices"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/schema"
)

// wide-lock-window reports transactions that close two tables at once.
//
// The first table stays closed while the migration waits for the second. If
// somebody else has the second and wants the first, the two wait for each
// other: PostgreSQL ends one of them with a deadlock. Change one table in each
// migration.
//
// # Bad: ecto
//
//	alter table(:orders) do
//	  add :state, :text
//	end
//
//	alter table(:items) do
//	  add :state, :text
//	end
//
// # Good: ecto
//
//	alter table(:orders) do
//	  add :state, :text
//	end
//
// # Bad: goose
//
//	-- +goose Up
//	ALTER TABLE orders ADD COLUMN state text;
//	ALTER TABLE items ADD COLUMN state text;
//	-- +goose Down
//	ALTER TABLE items DROP COLUMN state;
//	ALTER TABLE orders DROP COLUMN state;
//
// # Good: goose
//
//	-- +goose NO TRANSACTION
//	-- +goose Up
//	ALTER TABLE orders ADD COLUMN IF NOT EXISTS state text;
//	ALTER TABLE items ADD COLUMN IF NOT EXISTS state text;
//	-- +goose Down
//	ALTER TABLE items DROP COLUMN IF EXISTS state;
//	ALTER TABLE orders DROP COLUMN IF EXISTS state;
//
// # Bad: sql
//
//	ALTER TABLE orders ADD COLUMN state text;
//	ALTER TABLE items ADD COLUMN state text;
//
// # Exceptions
//
// Tables that the same migration creates, and statements without a common
// transaction.
var wideLockWindow = &analysis.Rule{
	ID:       "wide-lock-window",
	Summary:  "one transaction closes two tables to reads and writes",
	Severity: analysis.Info,
	Aliases:  []string{"pgls/avoidWideLockWindow", "pgfence/wide-lock-window"},
	Body: func(p *analysis.Pass) {
		held := holds(p, schema.AccessExclusive)
		told := map[*analysis.Step]bool{}
		for i := range p.Steps {
			s := &p.Steps[i]
			list := held(s)
			if len(list) == 0 || told[list[0].by] {
				continue
			}
			locks := blocking(p, s)
			n := slices.IndexFunc(locks, func(l schema.Lock) bool {
				return l.Mode == schema.AccessExclusive && !slices.ContainsFunc(list, func(h hold) bool { return h.Relation == l.Relation })
			})
			if n < 0 {
				continue
			}
			told[list[0].by] = true
			p.Report(s, analysis.Report{
				Message: fmt.Sprintf("%s are blocked while this waits for its lock on %s: both are held until the transaction ends, and two who wait for each other are a deadlock",
					blocked(list[0].Lock), quoted(locks[n].Relation.String())),
				Help:    "change one table in each migration",
				Related: []analysis.Related{{Message: "the first lock is taken here", Path: list[0].by.Statement.Path, Span: list[0].by.Statement.Span}},
			})
		}
	},
}
