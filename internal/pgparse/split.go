package pgparse

import "github.com/ddlsp/ddlsp/internal/source"

// A Piece is one statement of a text.
type Piece struct {
	// Span runs from its first token to its last, comments around it and the
	// semicolon excluded.
	Span source.Span
	// End is the offset just after its semicolon, or Span.End without one.
	End int
	// Terminated is set when it ends with a semicolon.
	Terminated bool
	// Copy is set for the data lines of a COPY ... FROM stdin, and Meta for a
	// psql meta-command: neither is SQL.
	Copy, Meta bool
}
