package runner

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/ddlsp/ddlsp/internal/regex"
)

//go:embed snapshot.sql
var snapshotQuery string

// A snapshot is the structure of a database: the definition of each object by
// its name.
type snapshot struct {
	objects map[string]string
	// order has the columns of each table in their order, which no migration
	// can restore.
	order map[string]string
}

// timescale are the views that show what the catalog does not: a hypertable is
// a plain table there. Ids and times differ from run to run and are left out.
var timescale = []struct{ object, view, key, without string }{
	{"hypertable", "hypertables", "hypertable_schema || '.' || hypertable_name", "{num_chunks,owner,primary_dimension}"},
	{"dimension", "dimensions", "hypertable_schema || '.' || hypertable_name || '.' || column_name", "{}"},
	{"continuous aggregate", "continuous_aggregates", "view_schema || '.' || view_name", "{materialization_hypertable_schema,materialization_hypertable_name}"},
	{"compression of", "compression_settings", "hypertable_schema || '.' || hypertable_name || '.' || attname", "{}"},
	{"job", "jobs", "proc_schema || '.' || proc_name || coalesce(' on ' || hypertable_schema || '.' || hypertable_name, '')",
		"{job_id,application_name,initial_start,next_start,hypertable_schema,hypertable_name,config}"},
}

// numbered are names that TimescaleDB makes from ids.
var numbered = regex.MustCompile(`_(materialized_hypertable|partial_view|direct_view|compressed_hypertable)_[0-9]+`)

// Structure reads the structure of the target's database: the definition of
// each object by its kind and name. What belongs to the version table, such as
// "public.schema_migrations", is left out.
func (t *Target) Structure(ctx context.Context, versionTable string) (map[string]string, error) {
	schema, name, ok := strings.Cut(versionTable, ".")
	if !ok {
		schema, name = "public", versionTable
	}
	s, err := takeSnapshot(ctx, t, table{schema, name})
	if err != nil {
		return nil, err
	}
	return s.objects, nil
}

// takeSnapshot reads the structure of a database, without the version table.
func takeSnapshot(ctx context.Context, t *Target, version table) (*snapshot, error) {
	conn, err := t.connect(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer closeConn(conn)
	// With an empty search_path all names come qualified.
	if err := exec(ctx, conn, "SET search_path = ''"); err != nil {
		return nil, err
	}
	s := &snapshot{objects: map[string]string{}, order: map[string]string{}}
	if err := s.read(ctx, conn, s.objects, snapshotQuery, version.quoted()); err != nil {
		return nil, err
	}
	err = s.read(ctx, conn, s.order, `SELECT format('%I.%I', n.nspname, c.relname), string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^(pg_|information_schema$|_timescaledb_)' GROUP BY 1`)
	if err != nil {
		return nil, err
	}
	for _, v := range timescale {
		var there bool
		if err := conn.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", "timescaledb_information."+v.view).Scan(&there); err != nil {
			return nil, err
		}
		if !there {
			continue
		}
		sql := fmt.Sprintf("SELECT '%s ' || %s, (to_jsonb(v) - '%s'::text[])::text FROM timescaledb_information.%s v", v.object, v.key, v.without, v.view)
		if v.view == "jobs" {
			sql += " WHERE job_id >= 1000" // those below are TimescaleDB's own
		}
		if err := s.read(ctx, conn, s.objects, sql); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *snapshot) read(ctx context.Context, conn *pgx.Conn, into map[string]string, sql string, args ...any) error {
	rows, err := conn.Query(ctx, sql, args...)
	if err != nil {
		return fmt.Errorf("the structure of the scratch database could not be read: %w", plainError(err))
	}
	defer rows.Close()
	for rows.Next() {
		var name, definition *string
		if err := rows.Scan(&name, &definition); err != nil {
			return err
		}
		if name == nil {
			continue
		}
		key, text := numbered.ReplaceAllString(*name, "_${1}"), ""
		if definition != nil {
			text = numbered.ReplaceAllString(*definition, "_${1}")
		}
		if old, twice := into[key]; twice {
			text = old + "\n" + text
		}
		into[key] = text
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("the structure of the scratch database could not be read: %w", plainError(err))
	}
	return nil
}

// A Difference is an object of the schema that is not as it should be.
type Difference struct {
	// Object names it: "table public.orders", "column public.orders.state".
	Object string `json:"object"`
	// Kind is "added" (there and should not be), "removed" or "changed".
	Kind   string `json:"kind"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// compare lists what differs between two snapshots, by object. What belongs to
// an object that is there in one of them only is not listed beside it.
func (s *snapshot) compare(after *snapshot) []Difference {
	var out []Difference
	for name, was := range s.objects {
		is, there := after.objects[name]
		switch {
		case !there:
			out = append(out, Difference{Object: name, Kind: "removed", Before: was})
		case is != was:
			out = append(out, Difference{Object: name, Kind: "changed", Before: was, After: is})
		}
	}
	for name, is := range after.objects {
		if _, there := s.objects[name]; !there {
			out = append(out, Difference{Object: name, Kind: "added", After: is})
		}
	}
	whole := map[string]bool{}
	for _, d := range out {
		if relation, ok := strings.CutPrefix(d.Object, "table "); ok && d.Kind != "changed" {
			whole[d.Kind+" "+relation] = true
		}
	}
	out = slices.DeleteFunc(out, func(d Difference) bool {
		if column, ok := strings.CutPrefix(d.Object, "column "); ok {
			return whole[d.Kind+" "+column[:max(0, strings.LastIndexByte(column, '.'))]]
		}
		if _, relation, ok := strings.Cut(d.Object, " on "); ok && !strings.HasPrefix(d.Object, "comment ") {
			return whole[d.Kind+" "+relation]
		}
		return false
	})
	slices.SortFunc(out, func(a, b Difference) int { return strings.Compare(a.Object, b.Object) })
	return out
}

// undoable takes out of a comparison of before and after down what PostgreSQL
// has no statement for: a constraint that was validated stays so. It returns
// the rest, and a note for each.
func undoable(list []Difference) (rest []Difference, notes []string) {
	for _, d := range list {
		if was, ok := strings.CutSuffix(d.Before, " NOT VALID"); ok && d.Kind == "changed" && was == d.After {
			notes = append(notes, d.Object+" stays validated, which nothing undoes")
			continue
		}
		rest = append(rest, d)
	}
	return rest, notes
}

// reordered lists the tables whose columns are the same in another order.
func (s *snapshot) reordered(after *snapshot) []string {
	var out []string
	for table, was := range s.order {
		is, there := after.order[table]
		if !there || is == was {
			continue
		}
		a, b := strings.Split(was, ", "), strings.Split(is, ", ")
		slices.Sort(a)
		slices.Sort(b)
		if slices.Equal(a, b) {
			out = append(out, fmt.Sprintf("the columns of %s come back in another order: %s", table, is))
		}
	}
	slices.Sort(out)
	return out
}
