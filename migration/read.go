package migration

import "github.com/ddlsp/ddlsp/internal/source"

// Parsed is what a statement's text says.
type Parsed struct {
	Ops []Op
	// Err is set when PostgreSQL's grammar does not know the text.
	Err *SyntaxError
	// Opaque says why a text that is no error could not be read ("too complex
	// to read", syntax of a newer PostgreSQL); "" when it could.
	Opaque string
	// Count is the number of statements in the text: 0 for comments only, and
	// more than one where two stand in one execute.
	Count int
}

// A SyntaxError is PostgreSQL's complaint about a text. Offset is the byte in
// the text, at most its length.
type SyntaxError struct {
	Message string
	Offset  int
}

func (e *SyntaxError) Error() string { return e.Message }

// At is the place of the error as an empty range.
func (e *SyntaxError) At() source.Span { return source.Span{Start: e.Offset, End: e.Offset} }
