package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// table-rewrite-command reports commands that copy a whole table under a lock.
//
// VACUUM FULL, CLUSTER, SET TABLESPACE and SET ACCESS METHOD write the table
// anew under an ACCESS EXCLUSIVE lock: reads and writes wait until it is done.
// Tools such as pg_repack do the same while work goes on.
//
// # Bad: ecto
//
//	execute "CLUSTER orders USING orders_pkey", ""
//
// # Good: ecto
//
//	execute "ANALYZE orders", ""
//
// # Bad: sql
//
//	VACUUM FULL orders;
//
// # Good: sql
//
//	VACUUM orders;
//
// # Bad: sql
//
//	ALTER TABLE orders SET TABLESPACE fast;
//
// # Exceptions
//
// Tables that the same migration creates, and tables listed as small.
var tableRewriteCommand = &analysis.Rule{
	ID:       "table-rewrite-command",
	Summary:  "a command copies the whole table and blocks reads and writes",
	Severity: analysis.Error,
	Default:  true,
	Aliases:  []string{"pgls/banVacuumFull", "pgfence/vacuum-full"},
	On:       []migration.Op{(*migration.Maintain)(nil), (*migration.AlterTable)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		what, on := "", source.Span{}
		var tables []migration.Name
		switch op := s.Op.(type) {
		case *migration.Maintain:
			if op.Verb == "vacuum" && op.Full {
				what = "VACUUM FULL"
			} else if op.Verb == "cluster" {
				what = "CLUSTER"
			}
			tables = op.Objects
		case *migration.AlterTable:
			switch op.What {
			case "set tablespace":
				what = "SET TABLESPACE"
			case "set access method":
				what = "SET ACCESS METHOD"
			}
			if i, _ := s.Before.Index(op.Table); i != nil || alterIndex.MatchString(s.Statement.SQL) {
				return // an index alone
			}
			tables = []migration.Name{op.Table}
		}
		if what == "" {
			return
		}
		where := "every table in turn"
		if len(tables) > 0 && !tables[0].IsZero() {
			where = ""
			for _, t := range tables {
				if p.Existing(s, t) && !p.Small(t) {
					where, on = quoted(t.String()), t.Span
					break
				}
			}
			if where == "" {
				return
			}
		}
		p.Report(s, analysis.Report{
			On:      on,
			Message: fmt.Sprintf("%s blocks reads and writes on %s while it is copied (ACCESS EXCLUSIVE lock)", what, where),
			Help:    "do it outside migrations, with a tool that copies while work goes on, such as pg_repack",
		})
	},
}

var alterIndex = regex.MustCompile(`(?i)^\s*alter\s+index\b`)
