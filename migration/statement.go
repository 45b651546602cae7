package migration

import (
	"strings"
	"sync/atomic"

	"github.com/ddlsp/ddlsp/internal/source"
)

// A Statement is one SQL statement that a migration sends.
type Statement struct {
	// SQL is the exact text that is sent, without the terminating semicolon
	// where the tool's text has one (a unit's SQL has it).
	SQL string
	// Path is the file that it comes from and Map the way back into it.
	Path string
	Map  source.Map
	// Span is where the statement stands in its file: the SQL text from its
	// first token to its end, or for a DSL command the command. A finding
	// about the statement starts here.
	Span source.Span
	// Command is the Ecto command it was compiled from; nil for SQL files.
	// For execute, Command is the execute call and Map leads into its string.
	Command *Command
	// Opaque says why the statement cannot be read ("" when it can): no rule
	// fires because of it, and it may do anything.
	Opaque string
	// NotRunnable says why it can be read but not run natively: a part of its
	// text is not known. Unknown are those parts, as ranges of SQL.
	NotRunnable string
	Unknown     []source.Span
	// Quote returns SQL text as it must be written at this place of the file:
	// inside an Elixir "..." string a " needs a backslash. nil means as it is.
	Quote func(string) string

	parsed atomic.Pointer[Parsed]
}

// Parse reads the statement's operations. It is computed once, shared between
// statements of the same text, and safe for concurrent use. An opaque
// statement has no operations.
func (s *Statement) Parse() *Parsed {
	if p := s.parsed.Load(); p != nil {
		return p
	}
	p := &Parsed{}
	if s.Opaque == "" {
		p = ReadSQL(s.SQL)
	}
	if !s.parsed.CompareAndSwap(nil, p) {
		return s.parsed.Load() // another goroutine was first; all must share one result
	}
	return p
}

// Moved returns the statement as it is after the text before it in its file
// grew by n bytes. What was parsed stays parsed.
func (s *Statement) Moved(n int) *Statement {
	m := &Statement{SQL: s.SQL, Path: s.Path, Map: s.Map.Shift(n), Span: s.Span.Shift(n),
		Command: s.Command, Opaque: s.Opaque, NotRunnable: s.NotRunnable, Unknown: s.Unknown, Quote: s.Quote}
	m.parsed.Store(s.parsed.Load())
	return m
}

// Hidden returns the statement made opaque for a reason: it has no operations.
func (s *Statement) Hidden(reason string) *Statement {
	return &Statement{SQL: s.SQL, Path: s.Path, Map: s.Map, Span: s.Span, Command: s.Command, Opaque: reason,
		NotRunnable: s.NotRunnable, Unknown: s.Unknown, Quote: s.Quote}
}

// Ops are the operations of the statement, in order.
func (s *Statement) Ops() []Op { return s.Parse().Ops }

// Where leads a range of the statement's SQL to its file. The zero range means
// the whole statement.
func (s *Statement) Where(sql source.Span) source.Span {
	if sql == (source.Span{}) {
		return s.Span
	}
	return s.Map.Span(sql)
}

// Edit returns the edit of the file that replaces a range of the statement's
// SQL, or false where that text does not stand in the file as it is.
func (s *Statement) Edit(sql source.Span, new string) (source.Edit, bool) {
	span, ok := s.Map.Exact(sql)
	if !ok {
		return source.Edit{}, false
	}
	if s.Quote != nil {
		new = s.Quote(new)
	}
	return source.Edit{Path: s.Path, Span: span, New: new}, true
}

// NotValidKeyword writes NOT VALID behind the definition of a constraint in the
// SQL of s.
func NotValidKeyword(s *Statement, constraint source.Span) ([]source.Edit, error) {
	if constraint.Len() == 0 || s.IsUnknown(constraint) {
		return nil, ErrNotExpressible
	}
	word := " NOT VALID"
	if text := constraint.Of(s.SQL); text == strings.ToLower(text) {
		word = " not valid"
	}
	e, ok := s.Edit(source.Span{Start: constraint.End, End: constraint.End}, word)
	if !ok {
		return nil, ErrNotExpressible
	}
	return []source.Edit{e}, nil
}

// IsUnknown reports whether a range of SQL rests on text that is not known,
// such as an interpolation that could not be evaluated. A finding that rests
// on it must be dropped.
func (s *Statement) IsUnknown(sql source.Span) bool {
	for _, u := range s.Unknown {
		if u.Start < sql.End && sql.Start < u.End {
			return true
		}
	}
	return false
}

// A Command is one call of Ecto's migration DSL, as written.
type Command struct {
	// Name is the function called: "create", "create_if_not_exists", "alter",
	// "add", "modify", "remove", "drop", "rename", "execute", ...
	Name string
	// Span is the whole call, its do-block included, in the file.
	Span source.Span
	// Object is what create, drop, alter and rename are given: "table",
	// "index", "unique_index", "constraint"; else empty. ObjectSpan is that
	// inner call. For a repo call inside a function that execute runs, Object
	// is "execute".
	Object     string
	ObjectSpan source.Span
	// Function is what a repo call calls ("update_all"); empty for others.
	Function string
	// Options are the keyword options of the call and of its object call, in
	// the order written.
	Options []Option
	// Sub are the commands inside an alter or create table block.
	Sub []*Command
	// Irreversible says why Ecto cannot reverse the command in change/0, by
	// the words that Ecto names it with ("remove old from table orders");
	// empty when it can.
	Irreversible string
	// Repeated is set when one call made more than one command (a loop, a
	// helper called twice): a fix is right only if it is right for all.
	Repeated bool
	// Column and Type are the column and the type as written, of add, modify
	// and remove; TypeSpan is zero where no type is given.
	Column   string
	Type     string
	TypeSpan source.Span
}

// An Option is one `key: value` of a DSL call.
type Option struct {
	Key string
	// Span is the pair, Value the value, in the file.
	Span, Value source.Span
	// Text is the value as written.
	Text string
	// OfObject is set for an option of the object call: of the table, index,
	// constraint or references that the command is given.
	OfObject bool
}

// Option returns the option with the key, or nil.
func (c *Command) Option(key string) *Option {
	for i := range c.Options {
		if c.Options[i].Key == key {
			return &c.Options[i]
		}
	}
	return nil
}
