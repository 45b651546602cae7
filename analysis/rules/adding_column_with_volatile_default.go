package rules

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// adding-column-with-volatile-default reports new columns whose default has to
// be computed for every row.
//
// A default that is the same for all rows costs nothing: PostgreSQL computes it
// once and keeps it beside the table. One that calls a volatile function, such
// as gen_random_uuid() or clock_timestamp(), is computed for each row: the
// table and its indexes are written anew under an ACCESS EXCLUSIVE lock, and
// reads and writes wait. Add the column without it, set the default for new
// rows, then fill the old ones in steps.
//
// # Bad: ecto
//
//	alter table(:orders) do
//	  add :token, :uuid, default: fragment("gen_random_uuid()")
//	end
//
// # Good: ecto
//
//	alter table(:orders) do
//	  add :placed_at, :timestamptz, default: fragment("now()")
//	end
//
// # Bad: sql
//
//	ALTER TABLE orders ADD COLUMN token uuid DEFAULT gen_random_uuid();
//
// # Good: sql
//
//	ALTER TABLE orders ADD COLUMN token uuid;
//	ALTER TABLE orders ALTER COLUMN token SET DEFAULT gen_random_uuid();
//
// # Exceptions
//
// Tables that the same migration creates, and tables listed as small. A function
// of the project's own counts as volatile unless it is declared STABLE or
// IMMUTABLE; when no migration makes it and it is called with its schema, the
// finding is an info. Other functions are left alone. Before PostgreSQL 11 every
// default rewrites the table.
var addingColumnWithVolatileDefault = &analysis.Rule{
	ID:       "adding-column-with-volatile-default",
	Summary:  "a new column's volatile default rewrites the table under a lock",
	Severity: analysis.Warning,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Aliases: []string{"squawk/adding-field-with-default", "pgls/addingFieldWithDefault", "excellent_migrations/column_volatile_default",
		"excellent_migrations/column_added_with_default", "atlas/PG302", "pgfence/add-column-non-constant-default"},
	On: []migration.Op{(*migration.AddColumn)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.AddColumn)
		d := op.Column.Default
		if d == nil || d.Null || s.After == s.Before || !p.Existing(s, op.Table) || p.Small(op.Table) {
			return
		}
		what := ""
		for _, f := range d.Functions {
			if volatileFunctions[strings.TrimPrefix(f, "pg_catalog.")] {
				what = f + "() is computed for each"
				break
			}
		}
		if v := p.Settings.PostgresVersion; what == "" && v != 0 && v < 11 {
			what = "before PostgreSQL 11 a default is written into each"
		}
		severity := analysis.Off
		if what == "" {
			what, severity = ownFunction(s, d)
		}
		if what == "" {
			return
		}
		p.Report(s, analysis.Report{
			On:       op.Column.Span,
			Severity: severity,
			Message:  fmt.Sprintf("adding %s blocks reads and writes on %s while every row is rewritten (ACCESS EXCLUSIVE lock): %s", quoted(op.Column.Name), quoted(op.Table.String()), what),
			Help:     "add the column without the default, set the default afterwards, and fill the old rows in steps",
			Fixes:    fixes("Set the default after adding the column", false, defaultAfterwards(p, s, op)),
		})
	},
}

// ownFunction says why a function that is not PostgreSQL's own rewrites the
// table, "" when none does.
func ownFunction(s *analysis.Step, d *migration.Expr) (why string, severity analysis.Severity) {
	for _, f := range d.Functions {
		name := migration.Name{Name: f}
		if in, local, ok := strings.Cut(f, "."); ok {
			name = migration.Name{Schema: in, Name: local}
		}
		o := s.Before.Object("function", name)
		if o == nil {
			if name.Schema != "" && name.Schema != "pg_catalog" {
				severity, why = analysis.Info, f+"() is not known, and may be computed for each"
			}
			continue
		}
		if o.Created == nil {
			continue
		}
		for _, made := range o.Created.Statement.Ops() {
			if fn, ok := made.(*migration.CreateFunction); ok && strings.EqualFold(fn.Function.Name, name.Name) && fn.Volatility == "" {
				return f + "() is not declared STABLE or IMMUTABLE, and is computed for each", analysis.Off
			}
		}
	}
	return why, severity
}

// volatileFunctions are PostgreSQL's and its usual extensions' functions that
// give another value at each call.
var volatileFunctions = map[string]bool{
	"random": true, "random_normal": true, "clock_timestamp": true, "timeofday": true, "gen_random_uuid": true, "gen_random_bytes": true,
	"uuidv4": true, "uuidv7": true, "uuid_generate_v1": true, "uuid_generate_v1mc": true, "uuid_generate_v4": true, "uuid_generate_v7": true,
	"gen_uuid_v7": true, "gen_ulid": true, "nextval": true,
}

var defaultWord = regex.MustCompile(`(?i)\s+default\s*\(*\s*$`)

// defaultAfterwards moves the default of a new column into a statement of its
// own.
func defaultAfterwards(p *analysis.Pass, s *analysis.Step, op *migration.AddColumn) change {
	return func() ([]source.Edit, error) {
		sql := s.Statement.SQL
		d := op.Column.Default.Span
		m := defaultWord.FindStringIndex(sql[:d.Start])
		if m == nil || op.Column.NotNull || len(s.Statement.Ops()) != 1 || strings.Contains(sql[m[0]:d.Start], "(") {
			return nil, migration.ErrNotExpressible
		}
		out, err := edit(s, source.Span{Start: m[0], End: d.End}, "")()
		if err != nil {
			return nil, err
		}
		more, err := insertAfter(p, s, "ALTER TABLE "+op.Table.Span.Of(sql)+" ALTER COLUMN "+schema.Quote(op.Column.Name)+" SET DEFAULT "+d.Of(sql))()
		return append(out, more...), err
	}
}
