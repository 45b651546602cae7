// Package migration is the one form that every migration is read into,
// whatever wrote it: an Ecto module, a goose file, a pair of up and down
// files. Lint, preview, schema history and runner all read this form, so that
// what is linted is what runs.
//
// A Migration has two Bodies, up and down. A Body is a list of Units, what the
// team's tool sends to the server at once; a Unit holds Statements; a
// Statement is the exact SQL text, a map from its bytes to the bytes of the
// file, and the typed operations (Op) read from it.
//
// Values of this package do not change once a front end has returned them and
// are safe for concurrent use.
package migration

import "github.com/ddlsp/ddlsp/internal/source"

// A Format is the file convention of a migration tool, by the name that the
// configuration uses.
type Format string

const (
	Ecto          Format = "ecto"
	GolangMigrate Format = "golang-migrate"
	Goose         Format = "goose"
	Dbmate        Format = "dbmate"
	Tern          Format = "tern"
	Sqlx          Format = "sqlx"
	Diesel        Format = "diesel"
	SQLMigrate    Format = "sql-migrate"
	Flyway        Format = "flyway"
	Atlas         Format = "atlas"
	Prisma        Format = "prisma"
	Supabase      Format = "supabase"
	NodePgMigrate Format = "node-pg-migrate"
	Drizzle       Format = "drizzle"
	Liquibase     Format = "liquibase"
	// Plain is a SQL file of no known tool: one forward script, its
	// transaction unknown.
	Plain Format = "plain"
)

// Formats lists every format in the order of the documentation.
var Formats = []Format{Ecto, GolangMigrate, Goose, Dbmate, Tern, Sqlx, Diesel, SQLMigrate, Flyway, Atlas, Prisma, Supabase, NodePgMigrate, Drizzle, Liquibase, Plain}

// HasDown reports whether migrations of the format are expected to say how
// they are undone. Flyway's community edition, Atlas, Prisma, Supabase,
// Drizzle, Liquibase and plain files have no down of their own.
func (f Format) HasDown() bool {
	switch f {
	case Flyway, Atlas, Prisma, Supabase, Drizzle, Liquibase, Plain:
		return false
	}
	return true
}

// A Direction is up or down.
type Direction string

const (
	Up   Direction = "up"
	Down Direction = "down"
)

// A Migration is one versioned change of a schema, in one file or two.
type Migration struct {
	// Version is the ordering key as the tool stores it ("20240101000000",
	// "0009" for dbmate, "9" for golang-migrate); empty when the file name has
	// none.
	Version string
	Name    string
	Format  Format
	// Module is the Elixir module of an Ecto migration.
	Module string
	// Files are the files it stands in, the one with the up direction first.
	Files []*source.File
	// Up and Down are never nil.
	Up, Down *Body
	// TableLock is set when the tool holds a lock on its version table, in an
	// open transaction on another connection, while the migration runs: Ecto,
	// unless @disable_migration_lock or the repo's migration_lock say
	// otherwise. An index cannot be built concurrently under it.
	TableLock bool
	// NoLock is set when the author took the migration out of its tool's
	// migration lock, whatever kind that is: Ecto's @disable_migration_lock.
	NoLock bool
	// Schemas are the application's Ecto schemas that its queries name, with
	// their places in the file.
	Schemas []Ident
	// Wrapper is the project's own module that an Ecto migration uses instead
	// of Ecto.Migration. It may run statements of its own.
	Wrapper string
	// Problems are what the front end found wrong with the file itself.
	Problems []Problem
	// Editor writes changes in the format's own syntax.
	Editor Editor
	// Broken is set when the tool cannot even load the file, as when Elixir
	// does not compile it: it raises this and sends nothing in either
	// direction. The bodies then hold what can be read all the same.
	Broken *RaiseError
	// Environment are the environment variables that what it does depends on,
	// each with what was found ("CI is not set").
	Environment []string
	// Beam says why the migration cannot be run without its own tool
	// ("calls MyApp.Repo.update_all"); empty when ddlsp can run it.
	Beam string
}

// Body returns the body of a direction.
func (m *Migration) Body(d Direction) *Body {
	if d == Down {
		return m.Down
	}
	return m.Up
}

// Path is the path of the file with the up direction (of the only file, if
// there is none).
func (m *Migration) Path() string {
	if len(m.Files) == 0 {
		return ""
	}
	return m.Files[0].Path
}

// File returns the file at path, or nil.
func (m *Migration) File(path string) *source.File {
	for _, f := range m.Files {
		if f.Path == path {
			return f
		}
	}
	return nil
}

// An Origin says where a body comes from.
type Origin string

const (
	// Missing: the format expects this direction and the file has none.
	Missing Origin = "missing"
	// Empty: it is there and does nothing.
	Empty Origin = "empty"
	// Written: the author wrote it.
	Written Origin = "written"
	// Derived: computed from Ecto's change/0 by Ecto's own reversal.
	Derived Origin = "derived"
	// Raises: the author says that it cannot be undone, by an exception or by
	// a ddlsp:irreversible comment.
	Raises Origin = "raises"
)

// Tx says in what transaction the statements of a body run.
type Tx string

const (
	// Explicit: the tool opens a transaction around the body.
	Explicit Tx = "explicit"
	// ImplicitIfMulti: the tool opens none, but sends a unit as one simple
	// query, which PostgreSQL runs as one transaction when it has two or more
	// statements.
	ImplicitIfMulti Tx = "implicit"
	// None: each unit is on its own.
	None Tx = "none"
	// Unknown: a plain file; nothing is known of who runs it.
	Unknown Tx = "unknown"
)

// A Body is what one direction does.
type Body struct {
	Direction Direction
	Origin    Origin
	// Path is the file that holds the direction, or, when it is missing, the
	// file that its partner stands in.
	Path string
	// Span is where the direction stands in its file: the section of a goose
	// file, the whole file of a pair, the def of an Ecto migration (from "def"
	// to its "end"). For a missing one: the start of the partner.
	Span source.Span
	// Tx is the transaction of the tool. TxSpan is the directive that decided
	// it, zero when it is the tool's default.
	Tx     Tx
	TxSpan source.Span
	Units  []*Unit
	// Err is what the tool itself would raise while it runs this direction,
	// after the statements in Units were sent; nil when it would not.
	Err *RaiseError
	// Reason is the author's reason when Origin is Raises.
	Reason string
}

// Statements returns the statements of all units in order.
func (b *Body) Statements() []*Statement {
	var out []*Statement
	for _, u := range b.Units {
		out = append(out, u.Statements...)
	}
	return out
}

// InTransaction reports whether the statement of unit u runs inside a
// transaction that somebody else will commit: the tool's, or the implicit one
// of a unit with two or more statements.
func (b *Body) InTransaction(u *Unit) bool {
	return b.Tx == Explicit || b.Tx == ImplicitIfMulti && len(u.Statements) > 1
}

// A RaiseError is an error that the team's tool itself raises.
type RaiseError struct {
	Message string
	Path    string
	Span    source.Span
	Kind    RaiseKind
}

// A RaiseKind says why a tool raises an error.
type RaiseKind string

const (
	// Refused: a command or one of its options is wrong.
	Refused RaiseKind = ""
	// NoFunction: the direction is not there.
	NoFunction RaiseKind = "no function"
	// ByAuthor: the migration itself raises it.
	ByAuthor RaiseKind = "author"
	// CannotReverse: Ecto knows no reversal of a command of change/0.
	CannotReverse RaiseKind = "cannot reverse"
	// FlushedBack: change/0 calls flush, which Ecto does not allow in a
	// rollback.
	FlushedBack RaiseKind = "flushed back"
)

func (e *RaiseError) Error() string { return e.Message }

// A Unit is what the tool sends to the server in one request.
type Unit struct {
	// SQL is the exact text sent: for the tools that send a file or a section
	// at once all of it, comments included.
	SQL string
	// Map leads from the bytes of SQL to those of the body's file.
	Map        source.Map
	Statements []*Statement
}

// A Problem is something wrong with a file as its tool reads it. It becomes a
// finding of the rule it names.
type Problem struct {
	Rule    string
	Message string
	Help    string
	Path    string
	Span    source.Span
	// Direction is the direction it belongs to, or empty.
	Direction Direction
	// Mend is what would mend it, by the title that people read; nil for
	// nothing.
	Mend *Mend
}

// A Mend is a change of files that mends a problem.
type Mend struct {
	Title string
	Edits []source.Edit
}
