package runner

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/ddlsp/ddlsp/migration"
)

// A Loss is something that a plan destroys, and how much there is of it.
type Loss struct {
	// Object names it: "table orders", "column orders.note".
	Object string `json:"object"`
	// Rows is the number of rows, or of values of a column; null when it is
	// not known. Estimate is set when it is the server's guess.
	Rows     *int64 `json:"rows"`
	Estimate bool   `json:"estimate,omitempty"`
}

// String is the loss for people: "table orders (3 rows)".
func (l Loss) String() string {
	if l.Rows == nil {
		return l.Object
	}
	what := "row"
	if strings.HasPrefix(l.Object, "column ") {
		what = "value"
	}
	if l.Estimate {
		return fmt.Sprintf("%s (about %s)", l.Object, grouped(*l.Rows, what))
	}
	return fmt.Sprintf("%s (%s)", l.Object, grouped(*l.Rows, what))
}

// grouped writes a number with its thousands apart: "1,200,000 rows".
func grouped(n int64, what string) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	if n != 1 {
		what += "s"
	}
	return s + " " + what
}

// countMax is how many rows are counted; of more the server's estimate is told.
const countMax = 10_000

// a doomed is what is counted: the rows of a relation, or the values of one of
// its columns.
type doomed struct {
	object, relation, column string
}

// doomed lists what of a plan's drops holds data.
func (p *Plan) doomed() []doomed {
	var out []doomed
	add := func(d doomed) {
		if len(out) < 20 && !slices.ContainsFunc(out, func(o doomed) bool { return o.object == d.object }) {
			out = append(out, d)
		}
	}
	var visit func(op migration.Op)
	visit = func(op migration.Op) {
		switch op := op.(type) {
		case *migration.DropColumn:
			add(doomed{"column " + op.Table.String() + "." + op.Column.Name, ident(op.Table), quote(op.Column.Name)})
		case *migration.Drop:
			if op.Kind == "table" || op.Kind == "materialized view" {
				for _, n := range op.Names {
					add(doomed{op.Kind + " " + n.String(), ident(n), ""})
				}
			}
		case *migration.Write:
			switch {
			case op.Verb == "truncate":
				for _, n := range op.Tables {
					add(doomed{"all rows of " + n.String(), ident(n), ""})
				}
			case op.Verb == "delete" && !op.Where:
				add(doomed{"rows of " + op.Table.String(), ident(op.Table), ""})
			}
		case *migration.Do:
			for _, in := range op.Ops {
				visit(in.Op)
			}
		}
	}
	for _, s := range p.Steps {
		if !says(s.Body(), destroying...) {
			continue
		}
		for _, st := range s.Body().Statements() {
			for _, op := range st.Ops() {
				visit(op)
			}
		}
	}
	return out
}

// ident is a name as SQL takes it.
func ident(n migration.Name) string {
	if n.Schema == "" {
		return quote(n.Name)
	}
	return quote(n.Schema) + "." + quote(n.Name)
}

// losses says how much of what the plan destroys there is. Counting is bounded
// in rows and time; where it is not allowed or takes too long, the server's
// estimate is taken.
func (p *Plan) losses(ctx context.Context, conn *pgx.Conn) []Loss {
	count := map[string]Loss{}
	for _, d := range p.doomed() {
		if l, ok := d.count(ctx, conn); ok {
			count[d.object] = l
		}
	}
	var out []Loss
	for _, object := range p.Drops() {
		l, ok := count[object]
		if !ok {
			l = Loss{Object: object}
		}
		out = append(out, l)
	}
	return out
}

// count counts; ok is false when the relation is not there (yet).
func (d doomed) count(ctx context.Context, conn *pgx.Conn) (l Loss, ok bool) {
	l.Object = d.object
	var estimate float64
	if conn.QueryRow(ctx, "SELECT reltuples FROM pg_catalog.pg_class WHERE oid = to_regclass($1)", d.relation).Scan(&estimate) != nil {
		return l, false
	}
	where := ""
	if d.column != "" {
		where = " WHERE " + d.column + " IS NOT NULL"
	}
	var n int64
	err := bounded(ctx, conn, func() error {
		return conn.QueryRow(ctx, fmt.Sprintf("SELECT count(*) FROM (SELECT FROM %s%s LIMIT %d) AS counted", d.relation, where, countMax+1)).Scan(&n)
	})
	switch {
	case err == nil && n <= countMax:
		l.Rows = &n
	case pgError(err) != nil && pgError(err).Code == "42703": // no such column
		return l, false
	case estimate >= 0 && (err != nil || int64(estimate) > countMax):
		n = int64(estimate)
		l.Rows, l.Estimate = &n, true
	case err == nil:
		l.Rows, l.Estimate = &n, true // at least so many
	}
	return l, true
}

// bounded runs f in a read-only transaction in which nothing takes long.
func bounded(ctx context.Context, conn *pgx.Conn, f func() error) error {
	if err := exec(ctx, conn, "BEGIN READ ONLY; SET LOCAL statement_timeout = '2s'; SET LOCAL lock_timeout = '500ms'"); err != nil {
		return err
	}
	err := f()
	if rerr := exec(context.WithoutCancel(ctx), conn, "ROLLBACK"); err == nil {
		err = rerr
	}
	return err
}

// leftBehind notes the INVALID indexes that a plan would stumble over: an
// earlier concurrent build failed, and its index is still there.
func (p *Plan) leftBehind(ctx context.Context, conn *pgx.Conn) (notes []string) {
	var builds []*migration.CreateIndex
	for _, s := range p.Steps {
		if !says(s.Body(), "index") || !says(s.Body(), "concurrently", "if not exists") {
			continue
		}
		for _, st := range s.Body().Statements() {
			for _, op := range st.Ops() {
				if op, ok := op.(*migration.CreateIndex); ok && !op.Index.IsZero() && (op.Concurrently || op.IfNotExists) {
					builds = append(builds, op)
				}
			}
		}
	}
	for _, op := range builds {
		schema := op.Table.Schema
		name := quote(op.Index.Name)
		if schema != "" {
			name = quote(schema) + "." + name
		}
		var invalid bool
		if conn.QueryRow(ctx, "SELECT NOT indisvalid FROM pg_catalog.pg_index WHERE indexrelid = to_regclass($1)", name).Scan(&invalid) != nil || !invalid {
			continue
		}
		effect := "building it again fails"
		if op.IfNotExists {
			effect = "IF NOT EXISTS takes it for the finished one and leaves it so"
		}
		notes = append(notes, fmt.Sprintf("an earlier build of index %s failed and left it INVALID: %s. First: DROP INDEX CONCURRENTLY %s;", op.Index.Name, effect, name))
	}
	return notes
}
