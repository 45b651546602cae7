package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/ddlsp/ddlsp/migration"
)

// tern runs migrations as tern does. Its table holds one number: how many of
// the migrations 1, 2, 3, ... are applied.
type tern struct{ r *Runner }

const ternLock = 9628173550095224

func (t *tern) name() string { return "tern" }

func (t *tern) command(req Request) string {
	cmd := "tern migrate --migrations " + dirOf(t.r.opts.Dirs)
	switch {
	case req.Direction == Redo:
		return cmd + " --destination -+1"
	case req.Direction == Down && req.All:
		return cmd + " --destination 0"
	case req.ToExclusive != "" && req.Direction == Down:
		return cmd + " --destination " + req.ToExclusive
	case req.Direction == Down:
		return cmd + fmt.Sprintf(" --destination -%d", max(1, req.Step))
	case req.To != "":
		return cmd + " --destination " + req.To
	case req.Step > 0:
		return cmd + fmt.Sprintf(" --destination +%d", req.Step)
	}
	return cmd
}

// tableName is the version table as tern writes it into its statements.
func (t *tern) tableName() string {
	if t.r.opts.Table != "" {
		return t.r.opts.Table
	}
	return "public.schema_version"
}

func (t *tern) read(ctx context.Context, conn *pgx.Conn, s *state, _ string) (err error) {
	if s.table, err = s.inCurrentSchema(t.tableName()); err != nil {
		return err
	}
	if s.present, err = fingerprint(ctx, conn, s.table, t.name(), ternLayout); err != nil || !s.present {
		return err
	}
	var version int
	err = conn.QueryRow(ctx, "select version from "+s.table.quoted()).Scan(&version)
	if errors.Is(err, pgx.ErrNoRows) {
		return refusef("the version table %s has no row, so nobody knows what is applied. Nothing was changed. Insert the version that the schema really has", s.table)
	}
	if err != nil {
		return err
	}
	for n := 1; n <= version; n++ {
		s.rows = append(s.rows, row{Version: strconv.Itoa(n)})
	}
	return nil
}

// refuseTemplates refuses a direction that tern would fill in before it sends it.
func (t *tern) refuseTemplates(st Step, req Request) error {
	f := st.Migration.File(st.Body().Path)
	if f != nil && strings.Contains(st.Body().Span.Of(f.Text), "{{") {
		return refusef("%s cannot be run by ddlsp: it is a template that tern fills in. Nothing was changed. Run it with: %s", label(st.Migration), t.command(req))
	}
	return nil
}

func (t *tern) plan(s *state, req Request) (*choice, error) {
	current := len(s.rows)
	if current > len(t.r.history) {
		return nil, refusef("the database is at version %d, and there are files for 1 to %d only. Nothing was changed. Bring the files back", current, len(t.r.history))
	}
	for _, m := range t.r.history {
		if m.Up.Err != nil {
			return nil, refusef("%s: %s, whichever migrations are to run. Nothing was changed", label(m), m.Up.Err.Message)
		}
	}
	c := &choice{}
	if req.Direction == Up {
		c.steps = t.r.upSteps(req, t.r.history[current:])
	} else {
		down := req
		if req.Direction == Redo {
			down = Request{Direction: Down, Step: max(1, req.Step)}
		}
		for _, m := range slices.Backward(t.r.history[:current]) {
			if down.stopsAt(m.Version, len(c.steps)) {
				break
			}
			c.steps = append(c.steps, Step{m, migration.Down})
		}
	}
	for _, st := range c.steps {
		if err := t.refuseTemplates(st, req); err != nil {
			return nil, err
		}
		// Nothing below the separator is to tern the same as no separator.
		if b := st.Body(); st.Direction == migration.Down && b.Origin != migration.Missing && len(sent(b)) == 0 {
			return nil, refusef("%s has nothing below its separator, which makes it irreversible to tern. Nothing was changed. A comment there says that nothing has to be undone", label(st.Migration))
		}
	}
	if req.Direction == Redo {
		return redo(c, nil)
	}
	return c, nil
}

// sent is all the text that a body sends.
func sent(b *migration.Body) string {
	var all strings.Builder
	for _, u := range b.Units {
		all.WriteString(strings.TrimSpace(u.SQL))
	}
	return all.String()
}

func (t *tern) run(ctx context.Context, x *execution) error {
	unlock, err := x.advisory(ctx, x.conn, []int64{ternLock})
	if err != nil {
		return err
	}
	defer unlock()
	s, err := x.read(ctx, x.conn, x.plan.state.server, "")
	if err != nil {
		return err
	}
	if err := x.recheck(s); err != nil {
		return err
	}
	if !s.present {
		name := t.tableName()
		err := exec(ctx, x.conn, "create table if not exists "+name+"(version int4 not null); insert into "+name+"(version) select 0 where 0=(select count(*) from "+name+")")
		if err != nil {
			return failf("the version table %s could not be created: %w. Nothing was changed", s.table, plainError(err))
		}
	}
	for i := range x.plan.Steps {
		if x.result.Steps[i].Outcome == Skipped {
			continue
		}
		if err := x.recorded(ctx, i, t.record); err != nil {
			return err
		}
	}
	return nil
}

// record gives the session its settings back, since the migration may have
// changed its search_path, and writes the number of applied migrations.
func (t *tern) record(ctx context.Context, conn *pgx.Conn, st Step) error {
	n, err := strconv.Atoi(st.Migration.Version)
	if err != nil {
		return err
	}
	if st.Direction == migration.Down {
		n--
	}
	if err := exec(ctx, conn, "reset all"); err != nil {
		return err
	}
	return exec(ctx, conn, "update "+t.tableName()+" set version=$1", strconv.Itoa(n))
}
