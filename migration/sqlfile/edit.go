package sqlfile

import (
	"path/filepath"
	"strings"

	"github.com/ddlsp/ddlsp/internal/pgparse"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// An editor writes changes in the files of one format.
type editor struct {
	// sidecar is the migration's file of settings, nil without one.
	sidecar *source.File
	// scans are how each direction was cut, so that the next reading after an
	// edit need not cut everything again.
	scans map[migration.Direction]*scan
}

func (editor) Concurrently(m *migration.Migration, s *migration.Statement) ([]source.Edit, error) {
	ops := s.Ops()
	if len(ops) != 1 {
		return nil, migration.ErrNotExpressible
	}
	var keyword source.Span
	switch op := ops[0].(type) {
	case *migration.CreateIndex:
		if op.Concurrently {
			return nil, nil
		}
		keyword = op.Keyword
	case *migration.DropIndex:
		if op.Concurrently {
			return nil, nil
		}
		if len(op.Indexes) != 1 || op.Cascade { // neither is allowed concurrently
			return nil, migration.ErrNotExpressible
		}
		keyword = op.Keyword
	}
	if keyword.Len() == 0 {
		return nil, migration.ErrNotExpressible
	}
	word := " CONCURRENTLY"
	if text := keyword.Of(s.SQL); text == strings.ToLower(text) {
		word = " concurrently"
	}
	e, ok := s.Edit(source.Span{Start: keyword.End, End: keyword.End}, word)
	if !ok {
		return nil, migration.ErrNotExpressible
	}
	return []source.Edit{e}, nil
}

func (e editor) LeaveTransaction(m *migration.Migration, d migration.Direction) ([]source.Edit, error) {
	b := m.Body(d)
	f := m.File(b.Path)
	if f == nil || b.Origin == migration.Missing {
		return nil, migration.ErrNotExpressible
	}
	switch m.Format {
	case migration.Goose:
		if b.Tx == migration.None {
			return nil, nil
		}
		// Anywhere in the file would do; the first line is where people look.
		return insertFirst(f, "-- +goose NO TRANSACTION"), nil
	case migration.SQLMigrate:
		if b.Tx == migration.None {
			return nil, nil
		}
		l := nextLine(f.Text, b.Span.Start)
		end := l.start + len(strings.TrimRight(l.text, " \t"))
		return []source.Edit{{Path: f.Path, Span: source.Span{Start: end, End: end}, New: " notransaction"}}, nil
	case migration.Tern:
		if b.Tx == migration.None {
			return nil, nil
		}
		at := b.Span.Start
		if d == migration.Down {
			at = nextLine(f.Text, at).next
			if at > 0 && f.Text[at-1] != '\n' {
				return nil, migration.ErrNotExpressible
			}
		}
		return []source.Edit{{Path: f.Path, Span: source.Span{Start: at, End: at}, New: ternDisableTx + "\n"}}, nil
	case migration.Atlas:
		if b.Tx == migration.None {
			return nil, nil
		}
		return insertFirst(f, "-- atlas:txmode none\n"), nil
	case migration.Plain:
		return nil, nil // nobody is known to open a transaction
	}
	// The others send a file or a section as one query: two statements in it
	// are a transaction again, whatever the directive says.
	if len(b.Statements()) != 1 {
		return nil, migration.ErrNotExpressible
	}
	switch m.Format {
	case migration.Dbmate:
		if b.Tx == migration.ImplicitIfMulti {
			return nil, nil
		}
		l := nextLine(f.Text, b.Span.Start)
		if near := dbmateNear.FindStringIndex(l.text); near != nil {
			return []source.Edit{{Path: f.Path, Span: source.Span{Start: l.start + near[0], End: l.start + near[1]}, New: "transaction:false"}}, nil
		}
		at := l.start + len(strings.TrimRight(l.text, " \t"))
		return []source.Edit{{Path: f.Path, Span: source.Span{Start: at, End: at}, New: " transaction:false"}}, nil
	case migration.Sqlx:
		if b.Tx == migration.ImplicitIfMulti {
			return nil, nil
		}
		return []source.Edit{{Path: f.Path, New: noTransaction + newline(f.Text)}}, nil
	case migration.Diesel:
		return e.dieselMetadata(b)
	case migration.GolangMigrate, migration.Prisma, migration.Supabase:
		return nil, nil
	case migration.Flyway:
		if b.Tx == migration.None || concurrent(b.Statements()[0]) {
			return nil, nil // Flyway sees it and leaves by itself
		}
	}
	return nil, migration.ErrNotExpressible
}

// concurrent reports whether a statement builds or drops an index, which
// Flyway runs outside a transaction once it is concurrent.
func concurrent(s *migration.Statement) bool {
	for _, op := range s.Ops() {
		switch op.(type) {
		case *migration.CreateIndex, *migration.DropIndex:
			return true
		}
	}
	return false
}

var dieselFalse = regex.MustCompile(`(?m)^(\s*run_in_transaction\s*=\s*)true\b`)

func (e editor) dieselMetadata(b *migration.Body) ([]source.Edit, error) {
	if b.Tx == migration.ImplicitIfMulti {
		return nil, nil
	}
	if e.sidecar == nil {
		path := filepath.Join(filepath.Dir(b.Path), "metadata.toml")
		return []source.Edit{{Path: path, New: "run_in_transaction = false\n"}}, nil
	}
	m := dieselFalse.FindStringSubmatchIndex(e.sidecar.Text)
	if m == nil {
		return nil, migration.ErrNotExpressible
	}
	return []source.Edit{{Path: e.sidecar.Path, Span: source.Span{Start: m[3], End: m[1]}, New: "false"}}, nil
}

// insertFirst puts a line before the first line of a file.
func insertFirst(f *source.File, text string) []source.Edit {
	at := 0
	if strings.HasPrefix(f.Text, bom) {
		at = len(bom)
	}
	return []source.Edit{{Path: f.Path, Span: source.Span{Start: at, End: at}, New: text + newline(f.Text)}}
}

// newline is the line end that a file uses.
func newline(text string) string {
	if i := strings.IndexByte(text, '\n'); i > 0 && text[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

func (editor) DisableTableLock(*migration.Migration) ([]source.Edit, error) { return nil, nil }

func (editor) Reverse(*migration.Migration, *migration.Command, migration.Known) ([]source.Edit, error) {
	return nil, migration.ErrNotExpressible
}

func (editor) InsertBefore(m *migration.Migration, s *migration.Statement, sql []string) ([]source.Edit, error) {
	f := m.File(s.Path)
	if f == nil || len(sql) == 0 {
		return nil, migration.ErrNotExpressible
	}
	at := s.Span.Start
	if at > len(f.Text) {
		return nil, migration.ErrNotExpressible
	}
	indent, alone := indentation(f.Text, at)
	nl := newline(f.Text)
	if !alone {
		if m.Format == migration.Goose { // two on one line are one query
			return nil, migration.ErrNotExpressible
		}
		return []source.Edit{{Path: f.Path, Span: source.Span{Start: at, End: at}, New: strings.Join(sql, "; ") + "; "}}, nil
	}
	at -= len(indent)
	if begin, _, ok := block(f.Text, at, m.Format); ok {
		at = begin
	}
	at = aboveComments(f.Text, at)
	return []source.Edit{{Path: f.Path, Span: source.Span{Start: at, End: at}, New: render(m.Format, sql, indent, nl)}}, nil
}

func (editor) InsertAfter(m *migration.Migration, s *migration.Statement, sql []string) ([]source.Edit, error) {
	f := m.File(s.Path)
	if f == nil || len(sql) == 0 || s.Span.End > len(f.Text) {
		return nil, migration.ErrNotExpressible
	}
	indent, _ := indentation(f.Text, s.Span.Start)
	nl := newline(f.Text)
	if _, end, ok := block(f.Text, s.Span.Start, m.Format); ok {
		return insertAt(f, end, render(m.Format, sql, indent, nl), nl), nil
	}
	end, closed := semicolon(f.Text, s.Span.End)
	var edits []source.Edit
	if !closed {
		edits = append(edits, source.Edit{Path: f.Path, Span: source.Span{Start: end, End: end}, New: ";"})
	}
	l := nextLine(f.Text, end)
	if rest := strings.TrimSpace(l.text); rest == "" || strings.HasPrefix(rest, "--") {
		return append(edits, insertAt(f, l.next, render(m.Format, sql, indent, nl), nl)...), nil
	}
	text := nl + strings.TrimSuffix(render(m.Format, sql, indent, nl), nl)
	return append(edits, source.Edit{Path: f.Path, Span: source.Span{Start: end, End: end}, New: text}), nil
}

// insertAt puts whole lines at the start of a line, or at the end of a file
// whose last line has no end.
func insertAt(f *source.File, at int, text, nl string) []source.Edit {
	if at > 0 && f.Text[at-1] != '\n' {
		text = nl + text
	}
	return []source.Edit{{Path: f.Path, Span: source.Span{Start: at, End: at}, New: text}}
}

// indentation is the blanks before an offset on its line; alone is false when
// something else stands there.
func indentation(text string, at int) (indent string, alone bool) {
	start := strings.LastIndexByte(text[:at], '\n') + 1
	head := strings.TrimPrefix(text[start:at], bom)
	if strings.Trim(head, " \t") != "" {
		return head[:len(head)-len(strings.TrimLeft(head, " \t"))], false
	}
	return head, true
}

var (
	blockBegin = regex.MustCompile(`(?i)^--[ \t]*\+(goose|migrate)[ \t]+StatementBegin\b`)
	blockEnd   = regex.MustCompile(`(?i)^--[ \t]*\+(goose|migrate)[ \t]+StatementEnd\b`)
)

// block finds the StatementBegin and StatementEnd around an offset: where the
// one's line starts and the line after the other.
func block(text string, at int, format migration.Format) (begin, end int, ok bool) {
	if format != migration.Goose && format != migration.SQLMigrate {
		return 0, 0, false
	}
	begin = -1
	for i := 0; i < len(text); {
		l := nextLine(text, i)
		switch {
		case blockBegin.MatchString(l.text) && l.start <= at:
			begin = l.start
		case blockEnd.MatchString(l.text):
			if l.start > at {
				return begin, l.next, begin >= 0
			}
			begin = -1
		}
		i = l.next
		if i >= len(text) {
			break
		}
	}
	return 0, 0, false
}

// aboveComments moves an offset at the start of a line above the comments that
// belong to what follows. Directives of a tool are no such comments.
func aboveComments(text string, at int) int {
	for at > 0 {
		start := strings.LastIndexByte(text[:at-1], '\n') + 1
		l := strings.TrimSpace(text[start : at-1])
		if !strings.HasPrefix(l, "--") || directive.MatchString(l) {
			return at
		}
		at = start
	}
	return at
}

// directive is a comment that a tool obeys.
var directive = regex.MustCompile(`(?i)^--.*(\+goose|\+migrate|migrate:(up|down)|no-transaction|atlas:|(up|down)[ \t]+migration|create above|disable-tx|ddlsp:(ignore-file|irreversible))`)

// semicolon finds the end of a statement's own semicolon; without one, the end
// of the statement.
func semicolon(text string, at int) (end int, found bool) {
	rest := text[at:]
	for i := 0; i < len(rest); i++ {
		switch {
		case rest[i] == ';':
			return at + i + 1, true
		case strings.ContainsRune(" \t\r\n", rune(rest[i])):
		case strings.HasPrefix(rest[i:], "--"):
			n := strings.IndexByte(rest[i:], '\n')
			if n < 0 {
				return at, false
			}
			i += n
		default:
			return at, false
		}
	}
	return at, false
}

// render writes statements, one after the other, each with its semicolon and
// as the format's own splitter needs it.
func render(format migration.Format, sql []string, indent, nl string) string {
	var b strings.Builder
	for _, s := range sql {
		s = strings.TrimRight(strings.TrimSpace(s), "; \t\r\n")
		lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
		semi := ";"
		if last := lines[len(lines)-1]; strings.Contains(last, "--") {
			semi = nl + indent + ";" // else it could stand in a comment
		}
		wrap := needsBlock(format, lines)
		marker := "-- +goose "
		if format == migration.SQLMigrate {
			marker = "-- +migrate "
		}
		if wrap {
			b.WriteString(marker + "StatementBegin" + nl)
		}
		quoted := ""
		for i, l := range lines {
			if i > 0 {
				b.WriteString(nl)
			}
			if l != "" && quoted == "" { // inside a quoted body blanks are text
				b.WriteString(indent)
			}
			b.WriteString(l)
			quoted = opens(strings.Join(lines[:i+1], "\n"))
		}
		b.WriteString(semi + nl)
		if wrap {
			b.WriteString(marker + "StatementEnd" + nl)
		}
	}
	return b.String()
}

// needsBlock reports whether the splitter of the format would cut a statement
// before its end.
func needsBlock(format migration.Format, lines []string) bool {
	switch format {
	case migration.Goose:
		for _, l := range lines[:len(lines)-1] {
			if endsStatement(l) {
				return true
			}
		}
	case migration.SQLMigrate:
		for _, l := range lines {
			if strings.Contains(l, ";") {
				return true
			}
		}
	}
	return false
}

func (editor) SetDown(m *migration.Migration, sql []string) ([]source.Edit, error) {
	b := m.Down
	if b.Origin != migration.Missing && b.Origin != migration.Empty && b.Origin != migration.Raises || len(sql) == 0 {
		return nil, migration.ErrNotExpressible
	}
	f := m.File(b.Path)
	if f == nil {
		return nil, migration.ErrNotExpressible
	}
	nl := newline(f.Text)
	text := render(m.Format, sql, "", nl)
	if b.Span.Len() == 0 && b.Path == m.Up.Path || b.Origin == migration.Missing {
		return newDown(m, f, text, nl)
	}
	return replaceEmpty(b, f, text, nl), nil
}

// newDown writes a down direction where there is none.
func newDown(m *migration.Migration, f *source.File, text, nl string) ([]source.Edit, error) {
	marker := ""
	switch m.Format {
	case migration.GolangMigrate, migration.Sqlx:
		path, ok := partner(f.Path)
		if !ok {
			return nil, migration.ErrNotExpressible
		}
		return []source.Edit{{Path: path, New: text}}, nil
	case migration.Diesel:
		return []source.Edit{{Path: filepath.Join(filepath.Dir(f.Path), "down.sql"), New: text}}, nil
	case migration.Goose:
		marker = "-- +goose Down"
	case migration.SQLMigrate:
		marker = "-- +migrate Down"
	case migration.Dbmate:
		marker = "-- migrate:down"
	case migration.Tern:
		marker = ternSeparator + nl
	case migration.NodePgMigrate:
		marker = "-- Down Migration"
	default:
		return nil, migration.ErrNotExpressible
	}
	gap := nl
	switch {
	case strings.HasSuffix(f.Text, "\n\n"), strings.HasSuffix(f.Text, "\n\r\n"):
		gap = ""
	case !strings.HasSuffix(f.Text, "\n"):
		gap = nl + nl
	}
	end := len(f.Text)
	return []source.Edit{{Path: f.Path, Span: source.Span{Start: end, End: end}, New: gap + marker + nl + text}}, nil
}

// partner is the path of the down file of an up file.
func partner(up string) (string, bool) {
	base := filepath.Base(up)
	i := strings.LastIndex(base, ".up.")
	if i < 0 {
		return "", false
	}
	return filepath.Join(filepath.Dir(up), base[:i]+".down."+base[i+len(".up."):]), true
}

// replaceEmpty puts text in the place of statements that do nothing, or at the
// end of a section without any.
func replaceEmpty(b *migration.Body, f *source.File, text, nl string) []source.Edit {
	var edits []source.Edit
	for i, s := range b.Statements() {
		end, _ := semicolon(f.Text, s.Span.End)
		e := source.Edit{Path: f.Path, Span: source.Span{Start: s.Span.Start, End: end}}
		if i == 0 {
			e.New = strings.TrimSuffix(text, nl)
		}
		edits = append(edits, e)
	}
	if edits != nil {
		return edits
	}
	at := b.Span.End
	if trimmed := strings.TrimRight(f.Text[:at], " \t\r\n"); len(trimmed) >= b.Span.Start {
		at = len(trimmed)
	}
	if at == 0 {
		return []source.Edit{{Path: f.Path, Span: source.Span{Start: 0, End: b.Span.End}, New: text}}
	}
	if b.Span.End == len(f.Text) {
		return []source.Edit{{Path: f.Path, Span: source.Span{Start: at, End: b.Span.End}, New: nl + text}}
	}
	return []source.Edit{{Path: f.Path, Span: source.Span{Start: at, End: at}, New: nl + strings.TrimSuffix(text, nl)}}
}

func (e editor) RaiseInDown(m *migration.Migration, reason string) ([]source.Edit, error) {
	reason = strings.ReplaceAll(strings.ReplaceAll(reason, "'", "''"), "%", "%%")
	reason = strings.Join(strings.Fields(reason), " ")
	return e.SetDown(m, []string{"DO $$ BEGIN RAISE EXCEPTION '" + reason + "'; END $$"})
}

func (editor) NotValid(m *migration.Migration, s *migration.Statement, constraint source.Span) ([]source.Edit, error) {
	return migration.NotValidKeyword(s, constraint)
}

func (e editor) IndexAfter(m *migration.Migration, s *migration.Statement, _ migration.Name, _ []string, sql string) ([]source.Edit, error) {
	return e.InsertAfter(m, s, []string{sql})
}

func (editor) SetOption(*migration.Migration, *migration.Command, string, string) ([]source.Edit, error) {
	return nil, migration.ErrNotExpressible
}

func (editor) AddKeyColumn(m *migration.Migration, s *migration.Statement, key source.Span, column string) ([]source.Edit, error) {
	if key.Start < 0 || key.End > len(s.SQL) || key.Len() < 0 {
		return nil, migration.ErrNotExpressible
	}
	column = quote(column)
	at := -1
	if end, ok := indexKeys(s, key); ok {
		at = end
	} else if end, ok := listEnd(s.SQL, key); ok {
		at = end
	}
	if at >= 0 {
		e, ok := s.Edit(source.Span{Start: at, End: at}, ", "+column)
		if !ok {
			return nil, migration.ErrNotExpressible
		}
		return []source.Edit{e}, nil
	}
	return columnKey(s, key, column)
}

// indexKeys is the end of the last key of the index that key is a part of.
func indexKeys(s *migration.Statement, key source.Span) (int, bool) {
	for _, op := range s.Ops() {
		if i, ok := op.(*migration.CreateIndex); ok && i.KeySpan.Len() > 0 && i.KeySpan.Start <= key.End && key.Start <= i.KeySpan.End {
			return i.KeySpan.Start + len(strings.TrimRight(i.KeySpan.Of(s.SQL), " \t\r\n")), true
		}
	}
	return 0, false
}

// listEnd is the offset of the parenthesis that closes the first list in a
// range of SQL.
func listEnd(sql string, in source.Span) (int, bool) {
	depth := 0
	for _, t := range pgparse.Tokens(in.Of(sql)) {
		switch {
		case t.IsPunct(in.Of(sql), '('):
			depth++
		case t.IsPunct(in.Of(sql), ')'):
			if depth--; depth == 0 {
				return in.Start + t.Start, true
			}
		}
	}
	return 0, false
}

// columnKey turns a key that is written at its column into one of the table
// with another column.
func columnKey(s *migration.Statement, key source.Span, column string) ([]source.Edit, error) {
	for _, op := range s.Ops() {
		table, ok := op.(*migration.CreateTable)
		if !ok {
			continue
		}
		last := 0
		var word, name, prefix string
		for i := range table.Columns {
			c := &table.Columns[i]
			last = max(last, c.Def.End)
			for _, k := range c.Constraints {
				if k.Span.Overlaps(key) && c.Def.Start <= key.Start && key.End <= c.Def.End {
					switch k.Kind {
					case migration.PrimaryKey:
						word, name = "PRIMARY KEY", c.Name
					case migration.Unique:
						word, name = "UNIQUE", c.Name
					}
					if k.Name != "" {
						prefix = "CONSTRAINT " + quote(k.Name) + " "
					}
					key = k.Span
				}
			}
		}
		for _, k := range table.Constraints {
			last = max(last, k.Span.End)
		}
		if word == "" {
			continue
		}
		if key.Start > 0 && s.SQL[key.Start-1] == ' ' {
			key.Start--
		}
		if text := key.Of(s.SQL); text == strings.ToLower(text) {
			word = strings.ToLower(word)
		}
		word = prefix + word
		cut, ok := s.Edit(key, "")
		list, ok2 := s.Edit(source.Span{Start: last, End: last}, ", "+word+" ("+quote(name)+", "+column+")")
		if !ok || !ok2 {
			return nil, migration.ErrNotExpressible
		}
		return []source.Edit{cut, list}, nil
	}
	return nil, migration.ErrNotExpressible
}

var bareName = regex.MustCompile(`^[a-z_][a-z0-9_$]*$`)

// quote writes an identifier as SQL needs it.
func quote(name string) string {
	if bareName.MatchString(name) {
		if _, err := pgparse.Parse("ALTER TABLE t DROP COLUMN " + name); err == nil {
			return name
		}
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}
