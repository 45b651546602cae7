package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// trigger-function-missing reports triggers that call a function which no
// migration has made.
//
// CREATE TRIGGER fails when its function is not there. Make the function in the
// same migration, or better in one of its own before: several tables will use
// it, and rolling back the trigger of one of them must not take it away.
//
// # Bad: sql
//
//	CREATE TABLE parcels (id bigint PRIMARY KEY);
//	CREATE TRIGGER parcels_audit AFTER UPDATE ON parcels FOR EACH ROW EXECUTE FUNCTION audit.log_changes();
//
// # Good: sql
//
//	CREATE SCHEMA audit;
//	CREATE FUNCTION audit.log_changes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
//	CREATE TABLE parcels (id bigint PRIMARY KEY);
//	CREATE TRIGGER parcels_audit AFTER UPDATE ON parcels FOR EACH ROW EXECUTE FUNCTION audit.log_changes();
//
// # Exceptions
//
// PostgreSQL's own functions; a function of that name in any schema; any
// extension that may bring it along; histories of which a part cannot be read,
// or that do not show how the table was made: the function may be as old.
var triggerFunctionMissing = &analysis.Rule{
	ID:       "trigger-function-missing",
	Summary:  "a trigger calls a function that no migration makes",
	Severity: analysis.Warning,
	Default:  true,
	On:       []migration.Op{(*migration.CreateTrigger)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.CreateTrigger)
		r := s.Before.Relation(op.Table)
		if s.Inner || r == nil || r.Created == nil || s.Before.Taints() > 0 || s.Statement.IsUnknown(op.Function.Span) ||
			op.Function.Schema == "pg_catalog" || builtInTriggers[op.Function.Name] || knowsFunction(s.Before, op.Function.Name) {
			return
		}
		for e := range s.Before.ObjectsOf("extension") {
			if !withoutTriggers[e.Name] {
				return
			}
		}
		p.Report(s, analysis.Report{
			On:      op.Function.Span,
			Message: fmt.Sprintf("no migration makes the function %s: this fails where it is not there", quoted(op.Function.String()+"()")),
			Help:    "make the function first, in a migration of its own when several tables use it",
		})
	},
}

// knowsFunction reports whether a function of the name is in any schema.
func knowsFunction(c *schema.Catalog, name string) bool {
	for o := range c.ObjectsOf("function") {
		if o.Name == name {
			return true
		}
	}
	return false
}

// builtInTriggers are the trigger functions of PostgreSQL itself.
var builtInTriggers = map[string]bool{
	"suppress_redundant_updates_trigger": true, "tsvector_update_trigger": true, "tsvector_update_trigger_column": true,
}

// withoutTriggers are extensions that have no function for triggers to call.
var withoutTriggers = map[string]bool{
	"btree_gin": true, "btree_gist": true, "citext": true, "cube": true, "hstore": true, "intarray": true, "ltree": true, "pg_stat_statements": true,
	"pg_trgm": true, "pgcrypto": true, "plpgsql": true, "postgis": true, "timescaledb": true, "unaccent": true, "uuid-ossp": true, "vector": true,
}
