package migration

import (
	"unicode/utf8"

	"github.com/ddlsp/ddlsp/internal/source"
)

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
	// Long are the names in the text that are longer than PostgreSQL keeps, as
	// they are written.
	Long []Ident
}

// MaxNameLength is how many bytes of a name PostgreSQL keeps.
const MaxNameLength = 63

// Truncate is what PostgreSQL keeps of a name.
func Truncate(name string) string {
	if len(name) <= MaxNameLength {
		return name
	}
	n := MaxNameLength
	for n > 0 && !utf8.RuneStart(name[n]) {
		n--
	}
	return name[:n]
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
