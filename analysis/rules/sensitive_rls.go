package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// sensitive-rls reports policies that protect nothing.
//
// A policy is only obeyed once row level security is enabled on its table. As
// long as it is not, every role that may read the table sees every row, and the
// policy only looks like protection. The other half, row level security
// without a policy, shows no row to anybody but the owner; it is reported where
// the rule is named in the configuration.
//
// # Bad: ecto
//
//	def up do
//	  create table(:notes) do
//	    add :owner, :text
//	  end
//
//	  execute "CREATE POLICY own ON notes USING (owner = current_user)"
//	end
//
//	def down do
//	  drop table(:notes)
//	end
//
// # Good: ecto
//
//	def up do
//	  create table(:notes) do
//	    add :owner, :text
//	  end
//
//	  execute "ALTER TABLE notes ENABLE ROW LEVEL SECURITY"
//	  execute "CREATE POLICY own ON notes USING (owner = current_user)"
//	end
//
//	def down do
//	  drop table(:notes)
//	end
//
// # Bad: sql
//
//	CREATE TABLE notes (id bigint PRIMARY KEY, owner text);
//	CREATE POLICY own ON notes USING (owner = current_user);
//
// # Good: sql
//
//	CREATE TABLE notes (id bigint PRIMARY KEY, owner text);
//	ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
//	CREATE POLICY own ON notes USING (owner = current_user);
//
// # Exceptions
//
// Tables that no migration made, and those on which anything in the history
// enables it, later too.
var sensitiveRLS = &analysis.Rule{
	ID:       "sensitive-rls",
	Summary:  "a policy on a table without row level security protects nothing",
	Severity: analysis.Warning,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Aliases:  []string{"pgls/policyExistsRlsDisabled", "pgls/rlsEnabledNoPolicy", "pgls/rlsDisabledInPublic"},
	Body: func(p *analysis.Pass) {
		seen := map[schema.Ref]bool{}
		for i := range p.Steps {
			s := &p.Steps[i]
			switch op := s.Op.(type) {
			case *migration.Create:
				ref := schema.RefOf(op.Table)
				if op.Kind != "policy" || seen[ref] {
					continue
				}
				end := p.End()
				r := end.Lookup(ref)
				if seen[ref] = true; r == nil || r.RowSecurity || !end.Complete(r) {
					continue
				}
				p.Report(s, analysis.Report{
					On:      op.Table.Span,
					Message: fmt.Sprintf("this policy protects nothing: row level security is not enabled on %s, and every role that may read it sees every row", quoted(op.Table.String())),
					Help:    "enable row level security on the table",
					Fixes: fixes("Enable row level security", false, func() ([]source.Edit, error) {
						if b, r := s.Before.Lookup(ref), p.After.Lookup(ref); b == nil || b.RowSecurity || r == nil || r.RowSecurity {
							return nil, migration.ErrNotExpressible // something below disables it
						}
						return insertBefore(p, s, "ALTER TABLE "+ref.SQL()+" ENABLE ROW LEVEL SECURITY")()
					}),
				})
			case *migration.AlterTable:
				ref := schema.RefOf(op.Table)
				if op.What != "enable row level security" || !p.Asked() {
					continue
				}
				end := p.End()
				if r := end.Lookup(ref); r == nil || !end.Complete(r) || hasPolicy(end, ref) {
					continue
				}
				p.Report(s, analysis.Report{
					On:       op.Table.Span,
					Severity: analysis.Hint,
					Message:  fmt.Sprintf("nobody but its owner sees a row of %s: it has row level security and no policy", quoted(op.Table.String())),
					Help:     "create a policy for those who use the table",
				})
			}
		}
	},
}

func hasPolicy(c *schema.Catalog, table schema.Ref) bool {
	for o := range c.Objects() {
		if o.Kind == "policy" && o.Table == table {
			return true
		}
	}
	return false
}
