package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// pg14-concurrent-index-corruption reports concurrent index builds on a
// PostgreSQL that may build them wrong.
//
// PostgreSQL 14.0 to 14.3 can leave rows out of an index that is built or
// rebuilt with CONCURRENTLY while the table is written to: queries then miss
// them, and unique indexes let duplicates in. Update to 14.4 or later first;
// an index that was built before can be checked with amcheck, and rebuilt.
//
// The configuration says the major version only, so the finding is an info: on
// 14.4 and later it means nothing.
//
// # Bad: sql
//
//	-- ddlsp.toml --
//	postgres_version = 14
//	-- 001_state.up.sql --
//	CREATE INDEX CONCURRENTLY orders_state ON orders (state);
//
// # Good: sql
//
//	-- ddlsp.toml --
//	postgres_version = 15
//	-- 001_state.up.sql --
//	CREATE INDEX CONCURRENTLY orders_state ON orders (state);
//
// # Exceptions
//
// Every other version, and where the configuration says none.
var pg14ConcurrentIndexCorruption = &analysis.Rule{
	ID:       "pg14-concurrent-index-corruption",
	Summary:  "PostgreSQL 14.0 to 14.3 may build a concurrent index wrong",
	Severity: analysis.Warning,
	Default:  true,
	Aliases:  []string{"strong_migrations/add_index_corruption"},
	On:       []migration.Op{(*migration.CreateIndex)(nil), (*migration.Reindex)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		if p.Settings.PostgresVersion != 14 {
			return
		}
		var on migration.Name
		switch op := s.Op.(type) {
		case *migration.CreateIndex:
			if !op.Concurrently {
				return
			}
			on = op.Table
		case *migration.Reindex:
			if !op.Concurrently {
				return
			}
			on = op.Object
		}
		p.Report(s, analysis.Report{
			On:       on.Span,
			Severity: analysis.Info,
			Message:  fmt.Sprintf("PostgreSQL 14.0 to 14.3 can leave rows of %s out of an index that is built concurrently", quoted(on.String())),
			Help:     "update the server to 14.4 or later first",
		})
	},
}
