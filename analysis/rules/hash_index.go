package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// hash-index reports hash indexes on a PostgreSQL that does not log them.
//
// Before PostgreSQL 10 changes of a hash index were not written to the log:
// after a crash, on a replica and in a restored backup the index gives wrong
// answers until it is built again.
//
// # Bad: sql
//
//	-- ddlsp.toml --
//	postgres_version = 9
//	-- 001_token.up.sql --
//	CREATE INDEX sessions_token ON sessions USING hash (token);
//
// # Good: sql
//
//	-- ddlsp.toml --
//	postgres_version = 9
//	-- 001_token.up.sql --
//	CREATE INDEX sessions_token ON sessions USING btree (token);
//
// # Exceptions
//
// PostgreSQL 10 and later, and where the configuration says no version.
var hashIndex = &analysis.Rule{
	ID:       "hash-index",
	Summary:  "a hash index does not survive a crash before PostgreSQL 10",
	Severity: analysis.Hint,
	Fix:      analysis.UnsafeFix,
	On:       []migration.Op{(*migration.CreateIndex)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.CreateIndex)
		if op.Method != "hash" || p.Settings.PostgresVersion == 0 || p.Settings.PostgresVersion >= 10 {
			return
		}
		p.Report(s, analysis.Report{
			On:      op.Table.Span,
			Message: fmt.Sprintf("this index of %s gives wrong answers after a crash and on replicas: PostgreSQL %d does not log hash indexes", quoted(op.Table.String()), p.Settings.PostgresVersion),
			Help:    "use a b-tree",
			Fixes:   fixes("Use a b-tree", false, asBtree(p, s, op)),
		})
	},
}

var usingHash = regex.MustCompile(`(?i)\bUSING\s+(hash)\b`)

func asBtree(p *analysis.Pass, s *analysis.Step, op *migration.CreateIndex) change {
	return func() ([]source.Edit, error) {
		if inDSL(s) {
			if s.Inner || p.Migration.Editor == nil {
				return nil, migration.ErrNotExpressible
			}
			return p.Migration.Editor.SetOption(p.Migration, s.Statement.Command, "using", ":btree")
		}
		head := s.Statement.SQL[:min(op.KeySpan.Start, len(s.Statement.SQL))]
		m := usingHash.FindAllStringSubmatchIndex(head, -1)
		if len(m) != 1 {
			return nil, migration.ErrNotExpressible
		}
		return edit(s, source.Span{Start: m[0][2], End: m[0][3]}, "btree")()
	}
}
