package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// truncate-cascade reports TRUNCATE that empties tables it does not name.
//
// With CASCADE every table with a foreign key to the named ones is emptied too,
// and every table that refers to those, and so on, whatever ON DELETE says. All
// of them are locked against reads and writes. Name the tables that are meant.
//
// # Bad: ecto
//
//	execute "TRUNCATE users CASCADE", ""
//
// # Good: ecto
//
//	execute "DELETE FROM users WHERE deleted_at < now()", ""
//
// # Bad: sql
//
//	TRUNCATE users CASCADE;
//
// # Good: sql
//
//	TRUNCATE users, orders;
//
// # Exceptions
//
// Tables that the same migration creates.
var truncateCascade = &analysis.Rule{
	ID:       "truncate-cascade",
	Summary:  "TRUNCATE CASCADE empties tables that it does not name",
	Severity: analysis.Error,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"squawk/ban-truncate-cascade", "pgls/banTruncateCascade"},
	On:       []migration.Op{(*migration.Write)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.Write)
		t, ok := truncated(p, s, op)
		if !ok || !op.Cascade {
			return
		}
		p.Report(s, analysis.Report{
			On:      t.Span,
			Message: fmt.Sprintf("this also empties every table that refers to %s, directly or not", quoted(t.String())),
			Help:    "name the tables that are meant, without CASCADE",
			Fixes: fixes("Remove CASCADE", false, func() ([]source.Edit, error) {
				m := cascadeWord.FindStringSubmatchIndex(s.Statement.SQL)
				if m == nil {
					return nil, migration.ErrNotExpressible
				}
				return edit(s, source.Span{Start: m[2], End: m[3]}, "")()
			}),
		})
	},
}

var cascadeWord = regex.MustCompile(`(?i)(\s+cascade)\s*;?\s*$`)
