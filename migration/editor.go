package migration

import (
	"errors"

	"github.com/ddlsp/ddlsp/internal/source"
)

// ErrNotExpressible is returned by an Editor when the format has no way to
// write the change, or not at this place.
var ErrNotExpressible = errors.New("the format has no way to write this here")

// An Editor writes changes in the syntax of one migration format. A rule says
// what should change; the front end that read the file answers how. The edits
// it returns are for the text that the Migration was read from.
type Editor interface {
	// Concurrently makes the index build or drop of s concurrent (it does not
	// touch the transaction).
	Concurrently(m *Migration, s *Statement) ([]source.Edit, error)
	// LeaveTransaction makes the direction run outside a transaction: the
	// tool's directive, Ecto's module attributes (@disable_migration_lock too,
	// where m.TableLock is set). No edits when it already does.
	LeaveTransaction(m *Migration, d Direction) ([]source.Edit, error)
	// DisableTableLock makes Ecto run the migration without its lock on the
	// version table.
	DisableTableLock(m *Migration) ([]source.Edit, error)
	// InsertBefore and InsertAfter put SQL statements (without semicolons)
	// beside s.
	InsertBefore(m *Migration, s *Statement, sql []string) ([]source.Edit, error)
	InsertAfter(m *Migration, s *Statement, sql []string) ([]source.Edit, error)
	// SetDown writes the down direction, which is missing or empty, from SQL
	// statements (without semicolons), in the order they must run. It may
	// create a file.
	SetDown(m *Migration, sql []string) ([]source.Edit, error)
	// RaiseInDown writes a down direction that fails honestly with the reason.
	RaiseInDown(m *Migration, reason string) ([]source.Edit, error)
	// Reverse makes one irreversible command of change/0 reversible with what
	// is known of the schema before it.
	Reverse(m *Migration, c *Command, known Known) ([]source.Edit, error)
	// NotValid makes the constraint that s adds leave the rows unchecked that
	// are there already; constraint is its definition in the SQL of s.
	NotValid(m *Migration, s *Statement, constraint source.Span) ([]source.Edit, error)
	// IndexAfter builds a plain index of a table's columns after s, by the name
	// that the tool or PostgreSQL chooses. sql is the statement (without a
	// semicolon) for the formats that write SQL.
	IndexAfter(m *Migration, s *Statement, table Name, columns []string, sql string) ([]source.Edit, error)
	// SetOption gives the call inside a DSL command (index, references, ...) an
	// option, or gives that option another value. SQL has none.
	SetOption(m *Migration, c *Command, key, value string) ([]source.Edit, error)
	// AddKeyColumn adds a column to the primary key, unique constraint or
	// unique index that s makes; key is its place in the SQL of s.
	AddKeyColumn(m *Migration, s *Statement, key source.Span, column string) ([]source.Edit, error)
}

// Known is what Reverse may use: the SQL that undoes the command, and for a
// removed or modified column what it was.
type Known struct {
	SQL []string
	// Type is the column's former type as PostgreSQL writes it; "" if unknown.
	Type    string
	NotNull bool
	// Default is the former default expression; "" for none.
	Default string
}
