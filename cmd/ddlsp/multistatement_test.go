package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ddlsp/ddlsp/internal/pgserver/pgtest"
	"github.com/ddlsp/ddlsp/runner"
)

// multi is the database's address with golang-migrate's x-multi-statement.
func (p *project) multi() string {
	if strings.Contains(p.db.URL, "?") {
		return p.db.URL + "&x-multi-statement=true"
	}
	return p.db.URL + "?x-multi-statement=true"
}

var multiFiles = []string{
	"migrations/1_a.up.sql", "CREATE TABLE a (id int);\nCREATE INDEX CONCURRENTLY a_id ON a (id);\n", "migrations/1_a.down.sql", "DROP INDEX CONCURRENTLY a_id; DROP TABLE a",
	"migrations/2_b.up.sql", "-- nothing;\n\n;\nCREATE TABLE b (id int);", "migrations/2_b.down.sql", "DROP TABLE b;\n \n",
}

// With x-multi-statement a file is sent piece by piece, so that concurrent
// builds may stand beside others and a failure leaves what came before it.
func TestMultiStatement(t *testing.T) {
	for name, c := range map[string]struct{ text, state, remains string }{
		"half": {"CREATE TABLE c (id int);\nSELECT nosuch;\n", "42703", "first statement stays"},
		// The piece END; would be a COMMIT.
		"function": {"CREATE TABLE c (id int);\nCREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END; $$;\n", "42601", "opens or ends transactions itself"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t, append(slices.Clone(multiFiles), "migrations/3_c.up.sql", c.text, "migrations/3_c.down.sql", "DROP TABLE c;")...)
			run := func(code int, args ...string) output {
				t.Helper()
				o := p.raw(append([]string{"--database-url", p.multi()}, args...)...)
				if o.code != code {
					t.Fatalf("%v: exit %d\n%s%s", args, o.code, o.out, o.errout)
				}
				return o
			}
			run(0, "migrate", "--to", "2", "--yes")
			run(0, "rollback", "--all", "--yes")
			p.wantTables("schema_migrations")
			r := report(t, run(1, "migrate", "--yes", "--format", "json"))
			if r.Error == nil || r.Error.SQLState != c.state || r.Error.Range.Start.Line != 2 || r.Migrations[1].Outcome != runner.Applied {
				t.Fatalf("%+v", r.Error)
			}
			contains(t, r.Error.Remains, c.remains, "3, dirty")
			p.wantTables("a", "b", "c", "schema_migrations")
		})
	}
}

func TestMultiStatementInterchange(t *testing.T) {
	bin := install(t, "migrate")
	mixed := newProject(t, multiFiles...)
	pure := &project{t: t, dir: mixed.dir, db: pgtest.DB(t)}
	dir := filepath.Join(mixed.dir, "migrations")
	theirs := func(p *project, args ...string) {
		t.Helper()
		if out, err := runTool(bin, append([]string{"-path", dir, "-database", p.multi()}, args...)); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	for i, step := range []func(){
		func() {
			mixed.raw("--database-url", mixed.multi(), "migrate", "--step", "1", "--yes")
			theirs(pure, "up", "1")
		},
		func() { theirs(mixed, "up"); theirs(pure, "up") },
		func() {
			mixed.raw("--database-url", mixed.multi(), "rollback", "--all", "--yes")
			theirs(pure, "down", "-all")
		},
	} {
		step()
		if diff := cmp.Diff(contents(pure), contents(mixed)); diff != "" {
			t.Errorf("step %d: migrate alone (-) and mixed with ddlsp (+):\n%s", i+1, diff)
		}
	}
}

// The ways to say how far, in each direction, for every tool.
func TestHowFar(t *testing.T) {
	for name, l := range layouts {
		t.Run(name, func(t *testing.T) {
			p := newProject(t)
			if name == "ecto" {
				p.dir = ectoProject(t, p.db, "").dir
			}
			for n := 1; n <= 4; n++ {
				table := string(rune('a' + n - 1))
				p.write(l.file(n, []string{"CREATE TABLE " + table + " (id int)"}, []string{"DROP TABLE " + table}, false)...)
			}
			v := func(n string) string {
				if name == "dbmate" {
					return "000" + n
				}
				return n
			}
			for _, step := range []struct {
				args   []string
				tables string
			}{
				{[]string{"migrate", "--to-exclusive", v("1")}, ""},
				{[]string{"migrate", "--to", v("2")}, "a b"},
				{[]string{"migrate", "--to", v("2")}, "a b"},
				{[]string{"migrate", "--to", v("1")}, "a b"},
				{[]string{"migrate", "--to-exclusive", v("4")}, "a b c"},
				{[]string{"rollback", "--to", v("2")}, "a"},
				{[]string{"migrate", "--step", "2"}, "a b c"},
				{[]string{"migrate", "--step", "9"}, "a b c d"},
				{[]string{"rollback", "--to-exclusive", v("2")}, "a b"},
				{[]string{"rollback", "--to-exclusive", v("2")}, "a b"},
				{[]string{"rollback"}, "a"},
				{[]string{"migrate"}, "a b c d"},
				{[]string{"redo"}, "a b c d"},
				{[]string{"rollback", "--step", "3"}, "a"},
				{[]string{"rollback", "--all"}, ""},
				{[]string{"rollback", "--step", "2"}, ""},
			} {
				p.must(0, append(step.args, "--yes")...)
				var got []string
				for _, table := range p.tables() {
					if len(table) == 1 {
						got = append(got, table)
					}
				}
				if s := strings.Join(got, " "); s != step.tables {
					t.Fatalf("after %v there is %q, want %q", step.args, s, step.tables)
				}
			}
			for _, args := range [][]string{{"migrate", "--to", v("3"), "--step", "1"}, {"rollback", "--all", "--step", "1"}, {"migrate", "--to", "77"}, {"rollback", "--to-exclusive", "77"}, {"migrate", "--step", "-1"}, {"migrate", "--all"}} {
				p.must(2, append(args, "--yes")...)
			}
		})
	}
}
