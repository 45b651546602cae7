package ecto

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/migration/ecto/internal/syntax"
)

// An editor writes changes of one migration in Ecto's syntax, as mix format
// would leave them.
type editor struct {
	file *source.File
	tree *syntax.Tree
	// mod is nil for a file without a migration.
	mod *module
}

func (e *editor) edit(span source.Span, text string) []source.Edit {
	return []source.Edit{{Path: e.file.Path, Span: span, New: text}}
}

func (e *editor) insert(at int, text string) []source.Edit {
	return e.edit(source.Span{Start: at, End: at}, text)
}

func (e *editor) of(n *syntax.Node) string { return n.Span.Of(e.file.Text) }

// call finds the call that stands at span.
func (e *editor) call(span source.Span) *syntax.Node {
	n := e.tree.Root
	for n != nil {
		if n.Span == span && n.Kind == syntax.Call {
			return n
		}
		var next *syntax.Node
		for _, k := range n.Kids {
			if k.Span.Start <= span.Start && span.End <= k.Span.End {
				next = k
				break
			}
		}
		n = next
	}
	return nil
}

func (e *editor) Concurrently(m *migration.Migration, s *migration.Statement) ([]source.Edit, error) {
	if s.Command == nil {
		return nil, migration.ErrNotExpressible
	}
	switch s.Command.Object {
	case "index", "unique_index":
		return e.concurrentOption(s.Command)
	}
	if s.Command.Object != "" {
		return nil, migration.ErrNotExpressible
	}
	edits, err := concurrentKeyword(s)
	if err != nil || len(edits) != 1 {
		return edits, err
	}
	return e.fitExecute(s.Command, edits[0]), nil
}

// fitExecute applies an edit inside a literal of an execute; where the line
// gets too long the arguments go on lines of their own.
func (e *editor) fitExecute(c *migration.Command, edit source.Edit) []source.Edit {
	edits := []source.Edit{edit}
	call := e.command(c)
	if call == nil || strings.Contains(e.of(call), "\n") || e.width(edit.Span.End)+runes(edit.New) <= lineWidth {
		return edits
	}
	args := call.Kid(syntax.Arguments)
	indent, alone := indentation(e.file.Text, call.Span.Start)
	if args == nil || !alone || len(args.Kids) == 1 && !args.Parens { // the one argument has nowhere else to go
		return edits
	}
	texts := make([]string, len(args.Kids))
	for i, a := range args.Kids {
		texts[i] = e.of(a)
		if a.Span.Start <= edit.Span.Start && edit.Span.End <= a.Span.End {
			at := edit.Span.Shift(-a.Span.Start)
			texts[i] = texts[i][:at.Start] + edit.New + texts[i][at.End:]
		}
	}
	nl := newline(e.file.Text)
	if !args.Parens { // aligned below the first
		pad := nl + indent + strings.Repeat(" ", runes(e.of(call.Kids[0]))+1)
		return e.edit(args.Span, strings.Join(texts, ","+pad))
	}
	pad := nl + indent + "  "
	return e.edit(args.Span, "("+pad+strings.Join(texts, ","+pad)+nl+indent+")")
}

// concurrentKeyword writes CONCURRENTLY into the SQL of an execute.
func concurrentKeyword(s *migration.Statement) ([]source.Edit, error) {
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
	if keyword.Len() == 0 || s.IsUnknown(keyword) {
		return nil, migration.ErrNotExpressible
	}
	word := " CONCURRENTLY"
	if text := keyword.Of(s.SQL); text == strings.ToLower(text) {
		word = " concurrently"
	}
	if edit, ok := s.Edit(source.Span{Start: keyword.End, End: keyword.End}, word); ok {
		return []source.Edit{edit}, nil
	}
	return nil, migration.ErrNotExpressible
}

// concurrentOption gives index/3 the option concurrently: true.
func (e *editor) concurrentOption(c *migration.Command) ([]source.Edit, error) {
	if mode := c.Option("mode"); mode != nil && mode.Text == ":cascade" { // not allowed concurrently
		return nil, migration.ErrNotExpressible
	}
	call := e.call(c.ObjectSpan)
	if call == nil {
		return nil, migration.ErrNotExpressible
	}
	if o := c.Option("concurrently"); o != nil {
		switch o.Text {
		case "true":
			return nil, nil
		case "false":
			return e.edit(o.Value, "true"), nil
		}
		return nil, migration.ErrNotExpressible
	}
	return e.addOption(call, "concurrently: true", e.command(c))
}

// NotValid gives constraint/3 or references/2 the option validate: false.
func (e *editor) NotValid(m *migration.Migration, s *migration.Statement, constraint source.Span) ([]source.Edit, error) {
	c := s.Command
	switch {
	case c == nil:
		return nil, migration.ErrNotExpressible
	case c.Object == "" && len(c.Sub) == 0:
		edits, err := migration.NotValidKeyword(s, constraint)
		if err != nil {
			return nil, err
		}
		return e.fitExecute(c, edits[0]), nil
	case c.Object != "constraint":
		at := s.Where(constraint)
		i := slices.IndexFunc(c.Sub, func(sub *migration.Command) bool { return sub.Span.Start <= at.Start && at.Start < sub.Span.End })
		if i < 0 || c.Sub[i].Object != "references" {
			return nil, migration.ErrNotExpressible
		}
		c = c.Sub[i]
	}
	call := e.call(c.ObjectSpan)
	if call == nil {
		return nil, migration.ErrNotExpressible
	}
	if o := c.Option("validate"); o != nil {
		if o.Text != "true" {
			return nil, migration.ErrNotExpressible
		}
		return e.edit(o.Value, "false"), nil
	}
	return e.addOption(call, "validate: false", e.command(c))
}

// SetOption gives index/3, references/2 or constraint/3 an option.
func (e *editor) SetOption(m *migration.Migration, c *migration.Command, key, value string) ([]source.Edit, error) {
	if c == nil || c.ObjectSpan == (source.Span{}) || c.Repeated {
		return nil, migration.ErrNotExpressible
	}
	call := e.call(c.ObjectSpan)
	if call == nil {
		return nil, migration.ErrNotExpressible
	}
	for _, o := range c.Options {
		if o.Key == key && o.OfObject {
			if o.Text == "" {
				return nil, migration.ErrNotExpressible
			}
			return e.edit(o.Value, value), nil
		}
	}
	return e.addOption(call, key+": "+value, e.command(c))
}

// command is the call of the command itself, or nil in a pipe.
func (e *editor) command(c *migration.Command) *syntax.Node { return e.call(c.Span) }

// addOption appends `key: value` to the options of a call. outer is the
// command around the call, nil where it is not known.
func (e *editor) addOption(call *syntax.Node, option string, outer *syntax.Node) ([]source.Edit, error) {
	args := call.Kid(syntax.Arguments)
	if args == nil || len(args.Kids) == 0 {
		return nil, migration.ErrNotExpressible
	}
	last := args.Kids[len(args.Kids)-1]
	// Options in brackets, [name: "x"], are the third argument of index/3.
	if last.Kind == syntax.List && len(args.Kids) > 2 {
		if len(last.Kids) == 1 && last.Kids[0].Kind == syntax.Keywords {
			return e.insert(last.Kids[0].Span.End, ", "+option), nil
		}
		return nil, migration.ErrNotExpressible
	}
	if last.Kind != syntax.Keywords && len(args.Kids) > 2 { // a variable or an attribute
		return nil, migration.ErrNotExpressible
	}
	end := last.Span.End
	if last.Kind == syntax.Keywords && len(last.Kids) > 0 {
		last = last.Kids[len(last.Kids)-1]
	}
	if indent, alone := indentation(e.file.Text, last.Span.Start); alone {
		return e.insert(end, ",\n"+indent+option), nil
	}
	if strings.Contains(e.of(call), "\n") || e.width(end)+len(", ")+len(option) <= lineWidth || !args.Parens {
		return e.insert(end, ", "+option), nil
	}
	return e.breakOptions(call, args, option, outer), nil
}

// lineWidth is where mix format breaks a line.
const lineWidth = 98

// width is the number of characters of the line that holds offset.
func (e *editor) width(offset int) int {
	text := e.file.Text
	start := strings.LastIndexByte(text[:offset], '\n') + 1
	end := len(text)
	if nl := strings.IndexByte(text[offset:], '\n'); nl >= 0 {
		end = offset + nl
	}
	return runes(strings.TrimRight(text[start:end], " \t\r"))
}

func runes(s string) int { return len([]rune(s)) }

// breakOptions writes a call that no longer fits its line with one option a
// line.
func (e *editor) breakOptions(call, args *syntax.Node, option string, outer *syntax.Node) []source.Edit {
	var positional, options []string
	for _, a := range args.Kids {
		if a.Kind == syntax.Keywords {
			for _, p := range a.Kids {
				options = append(options, e.of(p))
			}
			continue
		}
		positional = append(positional, e.of(a))
	}
	options = append(options, option)
	head := e.of(call.Kids[0]) + "("
	one := head + strings.Join(append(append([]string(nil), positional...), options...), ", ") + ")"
	column := runes(e.file.Text[strings.LastIndexByte(e.file.Text[:call.Span.Start], '\n')+1 : call.Span.Start])
	span := call.Span
	prefix, suffix := "", ""
	if outer != nil && outer != call {
		if a := outer.Kid(syntax.Arguments); a != nil && a.Parens && len(a.Kids) == 1 && outer.Kid(syntax.DoBlock) == nil {
			// The outer parentheses break first.
			column = runes(e.file.Text[strings.LastIndexByte(e.file.Text[:outer.Span.Start], '\n')+1:outer.Span.Start]) + 2
			span = a.Span
			prefix = "(\n" + strings.Repeat(" ", column)
			suffix = "\n" + strings.Repeat(" ", column-2) + ")"
			if column+runes(one) <= lineWidth {
				return e.edit(span, prefix+one+suffix)
			}
		}
	}
	pad := "\n" + strings.Repeat(" ", column+2)
	first := head + strings.Join(positional, ", ") + ","
	if column+runes(first) > lineWidth {
		first = head + pad + strings.Join(positional, ","+pad) + ","
	}
	return e.edit(span, prefix+first+pad+strings.Join(options, ","+pad)+"\n"+strings.Repeat(" ", column)+")"+suffix)
}

// indentation is the blanks before an offset on its line; alone is false when
// something else stands there.
func indentation(text string, at int) (indent string, alone bool) {
	head := text[strings.LastIndexByte(text[:at], '\n')+1 : at]
	trimmed := strings.TrimLeft(head, " \t")
	return head[:len(head)-len(trimmed)], trimmed == ""
}

func (e *editor) LeaveTransaction(m *migration.Migration, d migration.Direction) ([]source.Edit, error) {
	if m.Body(d).Tx == migration.None && !m.TableLock {
		return nil, nil
	}
	names := []string{"disable_ddl_transaction"}
	if m.TableLock {
		names = append(names, "disable_migration_lock")
	}
	return e.setAttributes(names)
}

func (e *editor) DisableTableLock(m *migration.Migration) ([]source.Edit, error) {
	if !m.TableLock {
		return nil, nil
	}
	return e.setAttributes([]string{"disable_migration_lock"})
}

// setAttributes sets module attributes to true: where they are, beside the one
// that is there, or below `use`.
func (e *editor) setAttributes(names []string) ([]source.Edit, error) {
	if e.mod == nil || e.mod.use == nil {
		return nil, migration.ErrNotExpressible
	}
	indent, alone := indentation(e.file.Text, e.mod.use.Span.Start)
	if !alone {
		return nil, migration.ErrNotExpressible
	}
	var edits []source.Edit
	var missing []string
	var beside *attribute
	for _, name := range names {
		a := e.mod.attribute(name)
		switch {
		case a == nil:
			missing = append(missing, name)
		case e.of(a.value) != "true":
			edits = append(edits, e.edit(a.value.Span, "true")...)
			beside = a
		default:
			beside = a
		}
	}
	if beside == nil { // the other of the two may be there already
		for _, name := range []string{"disable_ddl_transaction", "disable_migration_lock"} {
			if a := e.mod.attribute(name); a != nil {
				beside = a
			}
		}
	}
	nl := newline(e.file.Text)
	var text string
	for _, name := range missing {
		text += nl + indent + "@" + name + " true"
	}
	switch {
	case text == "":
	case beside != nil:
		edits = append(edits, e.insert(beside.span.End, text)...)
	default:
		edits = append(edits, e.insert(e.mod.use.Span.End, nl+text)...)
	}
	return edits, nil
}

// newline is the line end that a file uses.
func newline(text string) string {
	if i := strings.IndexByte(text, '\n'); i > 0 && text[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

func (e *editor) InsertBefore(m *migration.Migration, s *migration.Statement, sql []string) ([]source.Edit, error) {
	return e.insertBeside(s, sql, true)
}

func (e *editor) InsertAfter(m *migration.Migration, s *migration.Statement, sql []string) ([]source.Edit, error) {
	return e.insertBeside(s, sql, false)
}

func (e *editor) insertBeside(s *migration.Statement, sql []string, before bool) ([]source.Edit, error) {
	if len(sql) == 0 {
		return nil, migration.ErrNotExpressible
	}
	return e.putBeside(s, before, func(indent string, change bool) string { return e.executes(sql, indent, change) })
}

// IndexAfter writes create index(...) on a line of its own below s.
func (e *editor) IndexAfter(m *migration.Migration, s *migration.Statement, table migration.Name, columns []string, _ string) ([]source.Edit, error) {
	if s.Command == nil || s.Command.Repeated || s.Command.Option("prefix") != nil && s.Command.Name != "execute" {
		return nil, migration.ErrNotExpressible
	}
	atoms := make([]string, len(columns))
	for i, c := range append([]string{table.Name}, columns...) {
		if !plainAtom(c) {
			return nil, migration.ErrNotExpressible
		}
		if i > 0 {
			atoms[i-1] = ":" + c
		}
	}
	call := "index(:" + table.Name + ", [" + strings.Join(atoms, ", ") + "])"
	if s.Command.Name == "execute" && table.Schema != "" {
		call = strings.TrimSuffix(call, ")") + fmt.Sprintf(", prefix: %q)", table.Schema)
	}
	fits := true
	edits, err := e.putBeside(s, false, func(indent string, _ bool) string {
		line := indent + "create " + call
		if e.parentheses() {
			line = indent + "create(" + call + ")"
		}
		fits = runes(line) <= lineWidth
		return "\n" + line
	})
	if err == nil && !fits {
		return nil, migration.ErrNotExpressible
	}
	return edits, err
}

// putBeside writes lines above or below s, which must stand on lines of its
// own.
func (e *editor) putBeside(s *migration.Statement, before bool, write func(indent string, change bool) string) ([]source.Edit, error) {
	if s.Command == nil || s.Path != e.file.Path {
		return nil, migration.ErrNotExpressible
	}
	text, span := e.file.Text, s.Command.Span
	if span.End > len(text) {
		return nil, migration.ErrNotExpressible
	}
	indent, alone := indentation(text, span.Start)
	f := e.functionAt(span.Start)
	rest, _, _ := strings.Cut(text[span.End:], "\n")
	if rest = strings.TrimSpace(rest); !alone || f == nil || rest != "" && !strings.HasPrefix(rest, "#") || !e.ownLine(f, span) {
		return nil, migration.ErrNotExpressible
	}
	nl := newline(text)
	out := write(indent, f.name == "change" || e.calledByChange(f))
	if before {
		at := strings.LastIndexByte(text[:span.Start], '\n') + 1
		at = aboveComments(text, at)
		return e.insert(at, strings.ReplaceAll(out, "\n", nl)+nl), nil
	}
	end := len(text)
	if i := strings.IndexByte(text[span.End:], '\n'); i >= 0 {
		end = span.End + i
	}
	end = len(strings.TrimRight(text[:end], " \t\r"))
	return e.insert(end, nl+strings.ReplaceAll(out, "\n", nl)), nil
}

// ownLine reports whether span stands in a block, so that another expression
// can stand beside it.
func (e *editor) ownLine(f *function, span source.Span) bool {
	n := e.tree.Root
	parent := n
	for n != nil && n.Span != span {
		var next *syntax.Node
		for _, k := range n.Kids {
			if k.Span.Start <= span.Start && span.End <= k.Span.End {
				next = k
				break
			}
		}
		parent, n = n, next
	}
	if n == nil {
		return false
	}
	switch parent.Kind {
	case syntax.DoBlock, syntax.ElseBlock, syntax.Body, syntax.Block:
		return true
	}
	return false
}

// calledByChange reports whether a helper can run in change/0, where what is
// inserted must say how it is undone.
func (e *editor) calledByChange(f *function) bool {
	return f.private && e.mod.public("change") != nil && e.mod.public("up") == nil
}

// functionAt is the function that holds an offset, or nil.
func (e *editor) functionAt(offset int) *function {
	if e.mod == nil {
		return nil
	}
	for _, f := range e.mod.functions {
		if f.span.Start <= offset && offset < f.span.End {
			return f
		}
	}
	return nil
}

// aboveComments moves an offset at the start of a line above the comment lines
// that belong to what follows.
func aboveComments(text string, at int) int {
	for at > 0 {
		start := strings.LastIndexByte(text[:at-1], '\n') + 1
		l := strings.TrimSpace(text[start : at-1])
		if !strings.HasPrefix(l, "#") {
			return at
		}
		at = start
	}
	return at
}

// executes writes an execute for each statement, joined by line ends. In
// change/0 each is told that nothing undoes it, else a rollback would fail.
func (e *editor) executes(sql []string, indent string, change bool) string {
	out := make([]string, len(sql))
	for i, s := range sql {
		down := ""
		if change {
			down = `""`
		}
		out[i] = e.execute(s, down, indent)
	}
	return strings.Join(out, "\n")
}

// execute writes one execute at an indentation, with parentheses where the
// file writes them; down is a literal, "" for none.
func (e *editor) execute(sql, down, indent string) string {
	return executeText(sql, down, indent, e.parentheses())
}

func executeText(sql, down, indent string, parens bool) string {
	open, end := " ", ""
	if parens {
		open, end = "(", ")"
	}
	sql = strings.TrimRight(strings.TrimSpace(sql), "; \t\r\n")
	one := stringLiteral(sql)
	single := !strings.ContainsAny(sql, "\n\r") && !strings.Contains(sql, `"`)
	if down == "" {
		if line := indent + "execute" + open + one + end; single && runes(line) <= lineWidth {
			return line
		}
		return indent + "execute" + open + heredoc(sql, indent) + end
	}
	if single {
		if line := indent + "execute" + open + one + ", " + down + end; runes(line) <= lineWidth && !strings.Contains(down, "\n") {
			return line
		}
	} else {
		one = heredoc(sql, indent+"  ")
	}
	return indent + "execute(\n" + indent + "  " + one + ",\n" + indent + "  " + down + "\n" + indent + ")"
}

// parentheses reports whether the file puts the arguments of its commands in
// parentheses: mix format does, where the project does not import the
// formatting rules of Ecto.
func (e *editor) parentheses() bool {
	with, without := 0, 0
	var walk func(n *syntax.Node)
	walk = func(n *syntax.Node) {
		if name := callee(e.file.Text, n); commandFunctions[name] {
			if args := n.Kid(syntax.Arguments); args != nil {
				if args.Parens {
					with++
				} else {
					without++
				}
			}
		}
		for _, k := range n.Kids {
			walk(k)
		}
	}
	walk(e.tree.Root)
	return with > 0 && without == 0
}

// commandFunctions are those functions of the DSL that may be written without
// parentheses.
var commandFunctions = names("create create_if_not_exists alter drop drop_if_exists rename add add_if_not_exists modify remove remove_if_exists execute")

// stringLiteral writes text as a string in quotes.
func stringLiteral(s string) string {
	s = quoteStyle{close: '"'}.escape(s)
	return `"` + strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s) + `"`
}

// heredoc writes text as a heredoc whose lines stand at indent.
func heredoc(s, indent string) string {
	s = quoteStyle{heredoc: true}.escape(strings.ReplaceAll(s, "\r\n", "\n"))
	var b strings.Builder
	b.WriteString("\"\"\"\n")
	for _, l := range strings.Split(s, "\n") {
		if l = strings.TrimRight(l, " \t"); l != "" {
			b.WriteString(indent + l)
		}
		b.WriteByte('\n')
	}
	b.WriteString(indent + `"""`)
	return b.String()
}

func (e *editor) SetDown(m *migration.Migration, sql []string) ([]source.Edit, error) {
	if len(sql) == 0 {
		return nil, migration.ErrNotExpressible
	}
	return e.writeDown(m, func(indent string) string { return e.executes(sql, indent, false) })
}

func (e *editor) RaiseInDown(m *migration.Migration, reason string) ([]source.Edit, error) {
	return e.writeDown(m, func(indent string) string {
		literal := stringLiteral(strings.Join(strings.Fields(reason), " "))
		line := indent + "raise Ecto.MigrationError, " + literal
		if runes(line) > lineWidth {
			line = indent + "raise Ecto.MigrationError,\n" + indent + "      " + literal
		}
		return line
	})
}

// writeDown writes down/0 with a body: after up/0, or in the place of one that
// does nothing. change/0 becomes up/0 where only that makes sense.
func (e *editor) writeDown(m *migration.Migration, body func(indent string) string) ([]source.Edit, error) {
	if e.mod == nil || len(e.tree.Broken) > 0 {
		return nil, migration.ErrNotExpressible
	}
	up, down, change := e.mod.public("up"), e.mod.public("down"), e.mod.public("change")
	nl := newline(e.file.Text)
	def := func(at int) string {
		indent, _ := indentation(e.file.Text, at)
		text := "def down do\n" + body(indent+"  ") + "\n" + indent + "end"
		return strings.ReplaceAll(text, "\n", nl)
	}
	if down != nil {
		if m.Down.Origin != migration.Empty && m.Down.Origin != migration.Raises {
			return nil, migration.ErrNotExpressible
		}
		return e.edit(down.span, def(down.span.Start)), nil
	}
	var edits []source.Edit
	partner := up
	if up == nil {
		if change == nil || m.Down.Origin != migration.Derived && m.Down.Origin != migration.Empty && m.Down.Origin != migration.Raises {
			return nil, migration.ErrNotExpressible
		}
		partner = change
		edits = e.edit(change.head.Span, "up")
	}
	indent, alone := indentation(e.file.Text, partner.span.Start)
	if !alone {
		return nil, migration.ErrNotExpressible
	}
	return append(edits, e.insert(partner.span.End, nl+nl+indent+def(partner.span.Start))...), nil
}
