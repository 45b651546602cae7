package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// A Failure is a migration that failed while it ran.
type Failure struct {
	Step Step
	// Message is the server's, with its detail and hint; SQLState its code,
	// "" when the server did not say why.
	Message, SQLState string
	// Path and Span are the place in the file, Statement the SQL that failed.
	Path      string
	Span      source.Span
	Statement string
	// Remains says what the database holds now, and what to do.
	Remains string
	// Cancelled is set when the user stopped it.
	Cancelled bool

	unit, sent int // the unit that failed, and how many of its statements were done
	before     int // statements done in earlier units
	ops        []migration.Op
	lost       bool
	vague      bool // which statement failed is not known
	err        error
}

func (f *Failure) Error() string {
	s := label(f.Step.Migration) + ": " + f.Message
	if f.SQLState != "" {
		s += " (SQLSTATE " + f.SQLState + ")"
	}
	return s
}

func (f *Failure) Unwrap() error { return f.err }

func pgError(err error) *pgconn.PgError {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return pe
	}
	return nil
}

// plainError is the server's message without pgx's decoration.
func plainError(err error) error {
	if pe := pgError(err); pe != nil {
		return fmt.Errorf("%s (SQLSTATE %s)", pe.Message, pe.Code)
	}
	return err
}

// refused marks an error as one that changed nothing.
func refused(err error) error {
	var e *Error
	if err == nil || errors.As(err, &e) {
		return err
	}
	return &Error{Refused: true, Err: err}
}

// failure describes an error of unit i of a step, of which the server had
// finished sent statements.
func (x *execution) failure(st Step, i, sent int, err error) *Failure {
	body := st.Body()
	f := &Failure{Step: st, unit: i, sent: sent, err: err, Message: err.Error(), Path: body.Path, Span: body.Span}
	for _, u := range body.Units[:min(i, len(body.Units))] {
		f.before += len(u.Statements)
	}
	if i < len(body.Units) {
		f.place(body.Units[i], pgError(err))
	}
	if pe := pgError(err); pe != nil {
		f.Message, f.SQLState = pe.Message, pe.Code
		for _, more := range []string{pe.Detail, pe.Hint} {
			if more != "" {
				f.Message += ". " + more
			}
		}
		if pe.Where != "" && pe.Position == 0 {
			where, _, _ := strings.Cut(pe.Where, "\n")
			f.Message += " (" + where + ")"
		}
		f.Cancelled = pe.Code == "57014" && strings.Contains(pe.Message, "user request")
	} else if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		f.Message, f.Cancelled = "cancelled", true
	} else if x.conn.IsClosed() {
		f.Message, f.lost = "the connection to the server was lost: "+err.Error(), true
	}
	return f
}

// place finds the statement that failed, and its place in the file.
func (f *Failure) place(u *migration.Unit, pe *pgconn.PgError) {
	if len(u.Statements) == 0 {
		f.Statement = u.SQL
		return
	}
	at := min(f.sent, len(u.Statements)-1)
	s := u.Statements[at]
	if pe == nil || pe.Position <= 0 {
		f.Path, f.Span, f.Statement, f.ops = s.Path, s.Span, s.SQL, s.Ops()
		if at, ok := named(s.SQL, pe); ok {
			f.Span = s.Where(at)
		}
		return
	}
	// The server counts characters of the whole text that was sent.
	offset := source.ByteOffset(u.SQL, int(pe.Position))
	start, exact := u.Map.Offset(offset)
	f.Path, f.Span = s.Path, source.Span{Start: start, End: start}
	if !exact {
		f.Span = u.Map.Span(source.Span{Start: offset, End: min(offset+1, len(u.SQL))})
	} else {
		f.Span.End = start + wordLen(u.SQL[offset:])
	}
	// A syntax error comes before anything runs: the statement is the one
	// around the position.
	for _, c := range u.Statements {
		if c.Span.Start <= start && start <= c.Span.End {
			s = c
		}
	}
	f.Statement, f.ops = s.SQL, s.Ops()
}

// relations are the relations that the failed statement names.
func (f *Failure) relations() []string {
	var out []string
	for _, op := range f.ops {
		for _, m := range schema.Mentions(op) {
			if m.Kind == schema.RelationMention && !slices.Contains(out, m.Ref.SQL()) {
				out = append(out, m.Ref.SQL())
			}
		}
	}
	return out
}

// named is the place in a statement of what the server's message names, where
// the message has no position: the first name in it that the statement has
// exactly once.
func named(sql string, pe *pgconn.PgError) (source.Span, bool) {
	if pe == nil {
		return source.Span{}, false
	}
	for parts := strings.Split(pe.Message, `"`); len(parts) > 2; parts = parts[2:] {
		name := parts[1]
		at, n := -1, 0
		for i := 0; name != ""; {
			j := strings.Index(sql[i:], name)
			if j < 0 {
				break
			}
			j += i
			i = j + len(name)
			if !wordAt(sql, j-1) && !wordAt(sql, i) {
				at, n = j, n+1
			}
		}
		if n == 1 {
			return source.Span{Start: at, End: at + len(name)}, true
		}
	}
	return source.Span{}, false
}

// wordAt reports whether the byte at i goes on with a name.
func wordAt(s string, i int) bool {
	if i < 0 || i >= len(s) {
		return false
	}
	c := s[i]
	return c == '_' || c == '$' || c >= 0x80 || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// wordLen is the length in bytes of the word that a text begins with.
func wordLen(s string) int {
	n := strings.IndexFunc(s, func(r rune) bool {
		return r != '_' && r != '$' && r < 0x80 && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
	switch {
	case n < 0:
		return len(s)
	case n == 0 && s != "":
		return 1
	}
	return n
}

// remains says what a failed step left behind, by the transaction it ran in.
// after is what the tool's version table says, in words.
func (x *execution) remains(f *Failure, after string) {
	body := f.Step.Body()
	var parts []string
	if f.SQLState == "55P03" {
		f.Message += "." + x.holders(context.Background(), f)
		f.Message = strings.TrimSuffix(f.Message, "..")
	}
	done := f.before
	if f.Step.Body().Tx == migration.None {
		done += f.sent
	}
	name := f.Step.Migration.Version
	switch {
	case f.lost:
		text, committed := x.afterLoss(f)
		parts = append(parts, text)
		if committed {
			x.result.Steps[x.step].Outcome = f.Step.outcome()
			x.remember(&x.result.Steps[x.step])
		}
	case controlsTransactions(body):
		parts = append(parts, fmt.Sprintf("%s opens or ends transactions itself, so what stays of it depends on where it failed: compare it with the database.", name))
	case body.Tx == migration.Explicit, body.Tx == migration.ImplicitIfMulti && len(body.Units) <= 1:
		parts = append(parts, fmt.Sprintf("Nothing of %s stays: its statements were undone together.", name))
	case f.vague:
		parts = append(parts, fmt.Sprintf("%s runs outside a transaction: what it did before it failed stays. Compare it with the database, and undo it by hand or change the migration so that it can be run again.", name))
	case done == 0:
		parts = append(parts, fmt.Sprintf("%s runs outside a transaction; its first statement failed, so nothing of it stays but what that statement itself leaves.", name))
	default:
		stay := "statement stays"
		if done > 1 {
			stay = fmt.Sprintf("%d statements stay", done)
		}
		parts = append(parts, fmt.Sprintf("%s runs outside a transaction: its first %s, the rest was not run. Undo them by hand, or change the migration so that it can be run again.", name, stay))
	}
	if after != "" {
		parts = append(parts, after)
	}
	var ok, todo []string
	for _, d := range x.result.Steps {
		switch d.Outcome {
		case Applied, RolledBack:
			ok = append(ok, d.Migration.Version)
		case Planned:
			todo = append(todo, d.Migration.Version)
		}
	}
	if len(ok) > 0 {
		parts = append(parts, fmt.Sprintf("Done before it: %s.", listed(ok)))
	}
	if len(todo) > 0 {
		parts = append(parts, fmt.Sprintf("Not reached: %s.", listed(todo)))
	}
	f.Remains = strings.Join(parts, " ")
}

// invalidIndexes lists the indexes that are not usable: a concurrent build
// that failed or was cancelled leaves one.
func invalidIndexes(ctx context.Context, conn *pgx.Conn) []string {
	rows, err := conn.Query(ctx, `SELECT format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE NOT i.indisvalid ORDER BY 1`)
	if err != nil {
		return nil
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil
	}
	return names
}

// leftInvalid says which invalid indexes a failed step left behind. It asks on
// a connection of its own, since the failed one may be in any state.
func (x *execution) leftInvalid(ctx context.Context, before []string) string {
	ctx, cancel := background(ctx)
	defer cancel()
	conn, err := x.target.connect(ctx, nil)
	if err != nil {
		return ""
	}
	defer closeConn(conn)
	var left []string
	for _, n := range invalidIndexes(ctx, conn) {
		if !slices.Contains(before, n) {
			left = append(left, n)
		}
	}
	if len(left) == 0 {
		return ""
	}
	return fmt.Sprintf(" It left an INVALID index behind, which every write still maintains and no query uses: DROP INDEX CONCURRENTLY %s; before the next try.", strings.Join(left, ", "))
}

// sweep finds the invalid indexes there are before a step that may leave one.
func (x *execution) sweep(ctx context.Context, st Step) []string {
	if !concurrent(st.Body()) {
		return nil
	}
	return invalidIndexes(ctx, x.conn)
}

// listed names versions, the first and the last of many.
func listed(versions []string) string {
	const most = 8
	if len(versions) <= most {
		return strings.Join(versions, ", ")
	}
	return fmt.Sprintf("%s, ... %s (%d in all)", strings.Join(versions[:most/2], ", "), versions[len(versions)-1], len(versions))
}
