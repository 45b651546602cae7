package workspace

import (
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// A Range is a place in a file as the command line prints it and the language
// server's commands return it.
type Range struct {
	Start Point `json:"start"`
	End   Point `json:"end"`
}

// A Point is an offset in bytes from 0 and the same place as a line and a
// column in bytes, both from 1.
type Point struct {
	Offset int `json:"offset"`
	Line   int `json:"line"`
	Column int `json:"column"`
}

// RangeOf leads a span of a file to its range.
func RangeOf(lines *source.Lines, s source.Span) Range {
	return Range{pointOf(lines, s.Start), pointOf(lines, s.End)}
}

func pointOf(lines *source.Lines, offset int) Point {
	p := lines.Position(offset, source.UTF8)
	return Point{Offset: offset, Line: p.Line + 1, Column: p.Column + 1}
}

// A SQLReport is what one direction of a migration sends, in the JSON form of
// `ddlsp sql`.
type SQLReport struct {
	Version     string         `json:"version"`
	Name        string         `json:"name"`
	Path        string         `json:"path"`
	Format      string         `json:"format"`
	Direction   string         `json:"direction"`
	Origin      string         `json:"origin"`
	Transaction string         `json:"transaction"`
	Statements  []SQLStatement `json:"statements"`
	Error       *SQLError      `json:"error"`
	// Environment are the environment variables that decided what is sent, and
	// what was found: "CI is not set".
	Environment []string `json:"environment,omitempty"`
}

// A SQLStatement is one statement of a SQLReport.
type SQLStatement struct {
	SQL   string    `json:"sql"`
	Range Range     `json:"range"`
	Unit  int       `json:"unit"`
	Locks []SQLLock `json:"locks"`
	// Opaque says why the statement cannot be read or run; null when it can.
	Opaque *string `json:"opaque"`
}

// A SQLLock is a lock that a statement takes on a relation which others may be
// using.
type SQLLock struct {
	Relation string `json:"relation"`
	Mode     string `json:"mode"`
}

// A SQLError is what the team's own tool would raise after the statements.
type SQLError struct {
	Message string `json:"message"`
	Range   Range  `json:"range"`
}

// ReportSQL describes what direction d of m sends. before is the catalog that
// the direction starts from: for down, the one that up leaves. lines returns
// the line table of a file, display its path as it is to be shown.
func ReportSQL(m *migration.Migration, d migration.Direction, before *schema.Catalog, lines func(path string) *source.Lines, display func(path string) string) *SQLReport {
	body := m.Body(d)
	r := &SQLReport{
		Version:     m.Version,
		Name:        m.Name,
		Path:        display(body.Path),
		Format:      string(m.Format),
		Direction:   string(d),
		Origin:      string(body.Origin),
		Transaction: "none",
		Statements:  []SQLStatement{},
		Environment: m.Environment,
	}
	if body.Tx == migration.Explicit {
		r.Transaction = "explicit"
	}
	if e := m.Broken; e != nil {
		r.Error = &SQLError{Message: e.Message, Range: RangeOf(lines(e.Path), e.Span)}
		return r
	}
	cat := before
	for i, u := range body.Units {
		if body.Tx == migration.ImplicitIfMulti && len(u.Statements) > 1 {
			r.Transaction = "implicit"
		}
		for _, s := range u.Statements {
			out := SQLStatement{SQL: s.SQL, Unit: i, Locks: []SQLLock{}, Range: RangeOf(lines(s.Path), s.Span)}
			if why := unreadable(s); why != "" {
				out.Opaque = &why
			}
			for _, l := range schema.StatementLocks(s, cat) {
				out.Locks = append(out.Locks, SQLLock{l.Relation.String(), string(l.Mode)})
			}
			r.Statements = append(r.Statements, out)
			cat = cat.ApplyStatement(&schema.Origin{Migration: m, Direction: d, Statement: s}, s)
		}
	}
	if e := body.Err; e != nil {
		r.Error = &SQLError{Message: e.Message, Range: RangeOf(lines(e.Path), e.Span)}
	}
	return r
}

// unreadable says why a statement cannot be read or run, or is empty.
func unreadable(s *migration.Statement) string {
	switch {
	case s.Opaque != "":
		return s.Opaque
	case s.NotRunnable != "":
		return s.NotRunnable
	}
	return s.Parse().Opaque
}
