// Package sqlfile reads, writes and edits the SQL files of migration tools:
// golang-migrate's pairs, goose's annotated files, dbmate, tern and the others.
//
// Three steps lead to migrations. Detect says which tool's files a directory
// holds. List groups file names into entries, ordered and numbered as that
// tool orders and numbers them. Read reads the text of one entry into
// migration.Migration: sections, what the tool sends at once, in what
// transaction.
//
// Nothing here touches the file system; the caller reads files.
package sqlfile

import (
	"path/filepath"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// Read reads one entry. files are those of e.Files, and the sidecar if there
// is one; a file that is missing from them counts as not existing. It never
// fails: what is wrong is said in the result's Problems.
//
// prev is an earlier reading of the same entry, or nil: statements whose text
// did not change are taken over from it, those that did not move as the same
// values.
func Read(format migration.Format, e Entry, files []*source.File, prev *migration.Migration) *migration.Migration {
	r := reader{format: format, entry: e, files: files, prev: prev}
	r.m = &migration.Migration{Version: e.Version, Name: e.Name, Format: format}
	r.m.Problems = append(r.m.Problems, e.Problems...)
	for _, path := range e.Files {
		if f := r.file(path); f != nil {
			r.m.Files = append(r.m.Files, f)
		}
	}
	if len(r.m.Files) == 0 { // nothing left to read: an entry of vanished files
		path := ""
		if len(e.Files) > 0 {
			path = e.Files[0]
		}
		r.m.Up = &migration.Body{Direction: migration.Up, Origin: migration.Missing, Path: path, Tx: migration.Unknown}
		r.m.Down = &migration.Body{Direction: migration.Down, Origin: migration.Missing, Path: path, Tx: migration.Unknown}
		return r.m
	}
	switch {
	case e.Foreign != "":
		r.foreign()
	case format == migration.Goose:
		r.goose()
	case format == migration.SQLMigrate:
		r.sqlMigrate()
	case format == migration.Dbmate:
		r.dbmate()
	case format == migration.Tern:
		r.tern()
	case format == migration.NodePgMigrate:
		r.nodePgMigrate()
	case format == migration.GolangMigrate, format == migration.Sqlx, format == migration.Diesel:
		r.pair()
	default:
		r.forward()
	}
	for _, f := range r.m.Files {
		if e.Foreign == "" {
			r.nul(f)
		}
	}
	r.m.Editor = editor{sidecar: r.file(r.entry.Sidecar), scans: r.scans()}
	return r.m
}

// ReadFile reads a file that belongs to no history: by its name and content
// alone, as one migration of the format that they speak of.
func ReadFile(f *source.File, prev *migration.Migration) *migration.Migration {
	format := Recognise(filepath.Base(f.Path), f.Text)
	entries := List(format, []Dir{{Path: filepath.Dir(f.Path), Names: []string{filepath.Base(f.Path)}}})
	e := Entry{Name: filepath.Base(f.Path), Files: []string{f.Path}, Up: f.Path}
	if len(entries) > 0 {
		e = entries[0]
		e.Problems = nil // one file alone says nothing of its neighbours
	}
	if db := anotherDatabase(format, filepath.Base(f.Path)); db != "" {
		e.Foreign = "a migration for another database (" + db + ")"
	}
	return Read(format, e, []*source.File{f}, prev)
}

// A reader reads one entry.
type reader struct {
	format migration.Format
	entry  Entry
	files  []*source.File
	prev   *migration.Migration
	m      *migration.Migration
	// cutters are those made for each direction.
	cutters map[migration.Direction]*cutter
}

func (r *reader) file(path string) *source.File {
	if path == "" {
		return nil
	}
	for _, f := range r.files {
		if f.Path == path {
			return f
		}
	}
	return nil
}

// problem adds a Problem.
func (r *reader) problem(rule, path string, span source.Span, dir migration.Direction, message, help string) {
	r.m.Problems = append(r.m.Problems, migration.Problem{Rule: rule, Message: message, Help: help, Path: path, Span: span, Direction: dir})
}

// prevBody is the body of an earlier reading, if it stood in the same file.
func (r *reader) prevBody(d migration.Direction, path string) *migration.Body {
	if r.prev == nil {
		return nil
	}
	if b := r.prev.Body(d); b != nil && b.Path == path {
		return b
	}
	return nil
}

// foreign is a migration in another language, which the tool runs and ddlsp
// cannot.
func (r *reader) foreign() {
	f := r.m.Files[0]
	r.m.Beam = r.entry.Foreign
	for _, d := range []migration.Direction{migration.Up, migration.Down} {
		s := &migration.Statement{Path: f.Path, Map: source.Identity(0, 0), Opaque: r.entry.Foreign, NotRunnable: r.entry.Foreign}
		b := &migration.Body{Direction: d, Origin: migration.Written, Path: f.Path, Span: source.Span{End: len(f.Text)}, Tx: migration.Unknown,
			Units: []*migration.Unit{{Statements: []*migration.Statement{s}}}}
		if d == migration.Up {
			r.m.Up = b
		} else {
			r.m.Down = b
		}
	}
}
