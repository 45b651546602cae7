package rules

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// session-setting-leak reports settings that outlive their migration.
//
// SET without LOCAL lasts as long as the connection. The migrations that the
// tool runs next on the same one have the setting too, and so has the tool:
// with another search_path or role it may not find its own version table.
// SET LOCAL ends with the transaction.
//
// # Bad: ecto
//
//	def up do
//	  execute "SET search_path TO audit"
//	  execute "CREATE TABLE events (id bigint PRIMARY KEY)"
//	end
//
//	def down do
//	  execute "DROP TABLE audit.events"
//	end
//
// # Good: ecto
//
//	def up do
//	  execute "CREATE TABLE audit.events (id bigint PRIMARY KEY)"
//	end
//
//	def down do
//	  execute "DROP TABLE audit.events"
//	end
//
// # Bad: goose
//
//	-- +goose Up
//	SET lock_timeout = '5s';
//	ALTER TABLE orders ADD COLUMN state text;
//	-- +goose Down
//	ALTER TABLE orders DROP COLUMN state;
//
// # Good: goose
//
//	-- +goose Up
//	SET LOCAL lock_timeout = '5s';
//	ALTER TABLE orders ADD COLUMN state text;
//	-- +goose Down
//	ALTER TABLE orders DROP COLUMN state;
//
// # Bad: sql
//
//	SET ROLE owner;
//	ALTER TABLE orders ADD COLUMN state text;
//
// # Good: sql
//
//	SET ROLE owner;
//	ALTER TABLE orders ADD COLUMN state text;
//	RESET ROLE;
//
// # Exceptions
//
// Migrations without a transaction, where SET LOCAL would do nothing; settings
// that are reset before the end; timeouts that are switched off.
var sessionSettingLeak = &analysis.Rule{
	ID:       "session-setting-leak",
	Summary:  "a SET outlives its migration",
	Severity: analysis.Info,
	Default:  true,
	Fix:      analysis.SafeFix,
	Body: func(p *analysis.Pass) {
		open := map[string][]*analysis.Step{}
		var order []string
		for i := range p.Steps {
			s := &p.Steps[i]
			switch op := s.Op.(type) {
			case *migration.Set:
				switch {
				case op.Local:
				case op.Reset && (op.Name == "" || op.Name == "all"):
					open = map[string][]*analysis.Step{}
				case op.Reset || asEver(op):
					delete(open, op.Name)
				case leaks(op) && s.Tx.Certain() && !s.Inner:
					if open[op.Name] == nil {
						order = append(order, op.Name)
					}
					open[op.Name] = append(open[op.Name], s)
				}
			case *migration.Other:
				if op.Tag == "discard all" {
					open = map[string][]*analysis.Step{}
				}
			}
		}
		for _, name := range order {
			steps := open[name]
			if steps == nil {
				continue
			}
			delete(open, name)
			s := steps[len(steps)-1]
			all := make([]change, len(steps))
			for i := range steps {
				all[i] = local(steps[i])
			}
			what := "later migrations on the same connection have it too"
			switch name {
			case "search_path", "role", "session_authorization":
				what += ", and the tool may not find its own version table"
			}
			p.Report(s, analysis.Report{
				Message: fmt.Sprintf("this %s lasts as long as the connection: %s", name, what),
				Help:    "use SET LOCAL, which ends with the transaction",
				Fixes:   fixes("Set it for this transaction only", s.Tx == analysis.ByTool && len(controls(p)) == 0, all...),
			})
		}
	},
}

// leaks reports whether others would notice a setting.
func leaks(op *migration.Set) bool {
	switch op.Name {
	case "search_path", "role", "session_authorization", "session_replication_role":
		return true
	}
	value, _, ok := duration(op.Value)
	return strings.HasSuffix(op.Name, "_timeout") && !(ok && value == 0)
}

// asEver reports whether a setting is put back to what it is by default.
func asEver(op *migration.Set) bool {
	value := strings.ToLower(strings.NewReplacer(`"`, "", " ", "").Replace(op.Value))
	switch op.Name {
	case "search_path":
		return value == "public" || value == "$user,public"
	case "role":
		return value == "none"
	case "session_replication_role":
		return value == "origin"
	}
	return false
}

var setWord = regex.MustCompile(`(?i)^\s*set\s+(session\s+)?`)

// local makes a SET one of the transaction.
func local(s *analysis.Step) change {
	return func() ([]source.Edit, error) {
		op := s.Op.(*migration.Set)
		m := setWord.FindStringIndex(s.Statement.SQL)
		if m == nil || op.Call || op.Name == "session_authorization" {
			return nil, migration.ErrNotExpressible
		}
		word := "SET LOCAL "
		if old := s.Statement.SQL[:m[1]]; old == strings.ToLower(old) {
			word = "set local "
		}
		return edit(s, source.Span{Start: m[0], End: m[1]}, word)()
	}
}
