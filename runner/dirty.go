package runner

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// dirty explains a version table that an earlier run left dirty, and the way
// out. A row that says V, dirty, means that V failed on its way up, or the one
// after it on its way down; which of them is looked up in the database, by
// what they make. conn may be nil: then only the rule is told.
func (g *golangMigrate) dirty(ctx context.Context, conn *pgx.Conn, s *state) error {
	at := s.newest()
	if at == "" {
		at = "-1"
	}
	force := func(version string) string {
		return fmt.Sprintf("migrate -path %s -database \"$DATABASE_URL\" force %s", dirOf(g.r.opts.Dirs), version)
	}
	head := fmt.Sprintf("the database is dirty at version %s: an earlier run failed there. Nothing was changed.", at)
	this, next := g.r.find(at), g.after(at)
	if at == "-1" && len(g.r.history) > 0 {
		this, next = nil, g.r.history[0]
	}
	if conn == nil || this == nil && next == nil {
		return refusef("%s Find out what it left behind, put that right, then set the version that the schema really has: %s", head, force("VERSION"))
	}
	var b strings.Builder
	b.WriteString(head)
	say := func(m *migration.Migration, d migration.Direction) string {
		there, gone := g.probe(ctx, conn, m)
		word := fmt.Sprintf("\n  %s %s: ", label(m), map[migration.Direction]string{migration.Up: "on its way up", migration.Down: "on its way down"}[d])
		switch {
		case len(there) > 0 && len(gone) > 0:
			word += fmt.Sprintf("half of what it makes is there (%s), half is not (%s)", strings.Join(there, ", "), strings.Join(gone, ", "))
		case len(there) > 0:
			word += "what it makes is there: " + strings.Join(there, ", ")
		case len(gone) > 0:
			word += "what it makes is not there: " + strings.Join(gone, ", ")
		default:
			word += "whether its changes are there has to be looked up by hand"
		}
		if body := m.Body(d); transactional(body) && len(body.Units) == 1 && !concurrent(body) {
			word += ". It is sent as one transaction, so the failed try left nothing of itself, unless its connection was lost"
		} else {
			word += ". It does not run in one transaction: a failed try may have left parts behind"
		}
		return word
	}
	fmt.Fprintf(&b, " That was either")
	if this != nil {
		b.WriteString(say(this, migration.Up))
	}
	if next != nil {
		b.WriteString(say(next, migration.Down))
	}
	b.WriteString("\nPut the schema right if parts were left, then say which version it has:")
	if this != nil {
		fmt.Fprintf(&b, "\n  without %s: %s", label(this), force(g.target(Step{this, migration.Down})))
		fmt.Fprintf(&b, "\n  with %s: %s", label(this), force(bare(this.Version)))
	} else {
		fmt.Fprintf(&b, "\n  without any: %s", force("-1"))
	}
	if next != nil {
		fmt.Fprintf(&b, "\n  with %s too: %s", label(next), force(bare(next.Version)))
	}
	return refusef("%s", b.String())
}

// after is the migration that follows a version, nil for the last.
func (g *golangMigrate) after(version string) *migration.Migration {
	i := slices.IndexFunc(g.r.history, func(m *migration.Migration) bool { return m.Version != "" && sameVersion(m.Version, version) })
	if i < 0 || i+1 >= len(g.r.history) {
		return nil
	}
	return g.r.history[i+1]
}

// probe looks which of the relations and columns that a migration makes are
// there.
func (g *golangMigrate) probe(ctx context.Context, conn *pgx.Conn, m *migration.Migration) (there, gone []string) {
	ask := func(what, sql string, args ...any) {
		var yes bool
		if conn.QueryRow(ctx, sql, args...).Scan(&yes) != nil {
			return
		}
		if yes {
			there = append(there, what)
		} else {
			gone = append(gone, what)
		}
	}
	relation := func(kind string, n migration.Name) {
		ask(kind+" "+n.String(), "SELECT to_regclass($1) IS NOT NULL", ident(n))
	}
	for _, s := range m.Up.Statements() {
		for _, op := range s.Ops() {
			switch op := op.(type) {
			case *migration.CreateTable:
				relation("table", op.Table)
			case *migration.CreateView:
				relation("view", op.View)
			case *migration.CreateIndex:
				if !op.Index.IsZero() {
					n := op.Index
					n.Schema = op.Table.Schema
					relation("index", n)
				}
			case *migration.AddColumn:
				ask("column "+op.Table.String()+"."+op.Column.Name, "SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass($1) AND attname = $2 AND NOT attisdropped)", ident(op.Table), op.Column.Name)
			case *migration.CreateType:
				ask("type "+op.Type.String(), "SELECT to_regtype($1) IS NOT NULL", schema.RefOf(op.Type).SQL())
			}
			if len(there)+len(gone) > 12 {
				return there, gone
			}
		}
	}
	return there, gone
}
