package ecto

import (
	"strings"

	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/migration/ecto/internal/syntax"
)

func (e *editor) Reverse(m *migration.Migration, c *migration.Command, known migration.Known) ([]source.Edit, error) {
	if c.Irreversible == "" {
		return nil, nil
	}
	call := e.command(c)
	if call == nil {
		return nil, migration.ErrNotExpressible
	}
	switch c.Name {
	case "execute":
		if len(known.SQL) == 1 {
			return e.reverseExecute(call, known.SQL[0])
		}
	case "remove":
		return e.reverseRemove(call, c, known)
	case "modify":
		return e.reverseModify(call, c, known)
	case "drop", "drop_if_exists":
		if len(known.SQL) == 1 {
			return e.reverseDrop(m, call, c, known.SQL[0])
		}
	}
	return nil, migration.ErrNotExpressible
}

// reverseExecute gives execute/1 its second argument.
func (e *editor) reverseExecute(call *syntax.Node, sql string) ([]source.Edit, error) {
	args := call.Kid(syntax.Arguments)
	if args == nil || len(args.Kids) != 1 {
		return nil, migration.ErrNotExpressible
	}
	arg := args.Kids[0]
	sql = strings.TrimRight(strings.TrimSpace(sql), "; \t\r\n")
	indent, alone := indentation(e.file.Text, call.Span.Start)
	nl := newline(e.file.Text)
	simple := !strings.ContainsAny(sql, "\n\"") // fits into quotes as it is
	if strings.Contains(e.of(arg), "\n") || !simple || !alone || e.width(arg.Span.End)+len(", ")+runes(stringLiteral(sql)) > lineWidth {
		if !alone {
			return nil, migration.ErrNotExpressible
		}
		// One argument a line, a heredoc two columns further in.
		inner := indent + "  "
		down := stringLiteral(sql)
		if !simple {
			down = heredoc(sql, inner)
		}
		text := "execute(\n" + inner + e.reindent(arg, inner) + ",\n" + inner + down + "\n" + indent + ")"
		return e.edit(call.Span, strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", nl)), nil
	}
	return e.insert(arg.Span.End, ", "+stringLiteral(sql)), nil
}

// reindent is the source of a literal with a heredoc's lines at indent.
func (e *editor) reindent(n *syntax.Node, indent string) string {
	text := e.of(n)
	if n.Open.Len() != 3 || n.Close.Len() != 3 {
		return text
	}
	old, _ := indentation(e.file.Text, n.Close.Start)
	lines := strings.Split(text, "\n")
	for i := 1; i < len(lines); i++ {
		l := lines[i]
		if strings.TrimSpace(l) == "" {
			continue
		}
		if rest, ok := strings.CutPrefix(l, old); ok {
			l = rest
		} else {
			l = strings.TrimLeft(l, " \t")
		}
		lines[i] = indent + l
	}
	return strings.Join(lines, "\n")
}

// reverseRemove tells remove/1 the column's type and options.
func (e *editor) reverseRemove(call *syntax.Node, c *migration.Command, known migration.Known) ([]source.Edit, error) {
	args := call.Kid(syntax.Arguments)
	typ, opts, ok := ectoType(known.Type)
	if args == nil || len(args.Kids) != 1 || !ok || c.Repeated {
		return nil, migration.ErrNotExpressible
	}
	if known.NotNull {
		opts = append(opts, "null: false")
	}
	if known.Default != "" {
		opts = append(opts, "default: "+ectoDefault(known.Default, typ))
	}
	return e.appendArguments(call, args, append([]string{typ}, opts...))
}

// reverseModify says with from: what the column was.
func (e *editor) reverseModify(call *syntax.Node, c *migration.Command, known migration.Known) ([]source.Edit, error) {
	args := call.Kid(syntax.Arguments)
	typ, opts, ok := ectoType(known.Type)
	if args == nil || len(args.Kids) < 2 || !ok || c.Repeated || strings.HasPrefix(c.Object, "references") {
		return nil, migration.ErrNotExpressible
	}
	if len(args.Kids) > 2 && args.Kids[2].Kind != syntax.Keywords {
		return nil, migration.ErrNotExpressible
	}
	// Only what the command changes must be changed back.
	if c.Option("null") != nil {
		opts = append(opts, "null: "+map[bool]string{true: "false", false: "true"}[known.NotNull])
	}
	if c.Option("default") != nil {
		was := "nil"
		if known.Default != "" {
			was = ectoDefault(known.Default, typ)
		}
		opts = append(opts, "default: "+was)
	}
	from := "from: " + typ
	if len(opts) > 0 || len(args.Kids) > 2 {
		// With options of its own the command's are not undone by a bare type.
		if len(opts) == 0 {
			opts = nil
			from = "from: {" + typ + ", []}"
		} else {
			from = "from: {" + typ + ", " + strings.Join(opts, ", ") + "}"
		}
	}
	return e.appendArguments(call, args, []string{from})
}

// appendArguments adds arguments at the end of a call without a block; what
// does not fit its line is broken as mix format does.
func (e *editor) appendArguments(call, args *syntax.Node, more []string) ([]source.Edit, error) {
	end := args.Kids[len(args.Kids)-1].Span.End
	text := ", " + strings.Join(more, ", ")
	if !strings.Contains(e.of(call), "\n") && e.width(end)+runes(text) <= lineWidth {
		return e.insert(end, text), nil
	}
	indent, alone := indentation(e.file.Text, call.Span.Start)
	if !alone {
		return nil, migration.ErrNotExpressible
	}
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
	for _, m := range more {
		if keywordStart.MatchString(m) {
			options = append(options, m)
		} else {
			positional = append(positional, m)
		}
	}
	nl := newline(e.file.Text)
	pad := nl + indent + "  "
	head := e.of(call.Kids[0])
	if args.Parens {
		return e.edit(call.Span, head+"("+strings.Join(positional, ", ")+","+pad+strings.Join(options, ","+pad)+nl+indent+")"), nil
	}
	return e.edit(call.Span, head+" "+strings.Join(positional, ", ")+","+pad+strings.Join(options, ","+pad)), nil
}

var keywordStart = regex.MustCompile(`^[a-z_]+: `)

// reverseDrop writes a drop that Ecto cannot reverse as an execute with both
// directions.
func (e *editor) reverseDrop(m *migration.Migration, call *syntax.Node, c *migration.Command, down string) ([]source.Edit, error) {
	indent, alone := indentation(e.file.Text, call.Span.Start)
	if !alone || c.Repeated {
		return nil, migration.ErrNotExpressible
	}
	for _, s := range m.Up.Statements() {
		if s.Command != c || s.Opaque != "" || len(s.Unknown) > 0 {
			continue
		}
		down = strings.TrimRight(strings.TrimSpace(down), "; \t\r\n")
		literal := stringLiteral(down)
		if strings.ContainsAny(down, "\n\"") {
			literal = heredoc(down, indent+"  ")
		}
		text := strings.TrimPrefix(e.execute(unquoteNames(s.SQL), literal, indent), indent)
		return e.edit(call.Span, strings.ReplaceAll(text, "\n", newline(e.file.Text))), nil
	}
	return nil, migration.ErrNotExpressible
}

var quotedPlainName = regex.MustCompile(`"([a-z_][a-z0-9_]*)"`)

// reservedNames are words that must keep their quotes as names.
var reservedNames = names(`all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate
	collation column concurrently constraint create cross current_catalog current_date current_role current_schema current_time
	current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze from full
	grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit localtime
	localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references returning right
	select session_user similar some symmetric system_user table tablesample then to trailing true union unique user using
	variadic verbose when where window with`)

// unquoteNames drops the quotes that Ecto puts around names which need none.
func unquoteNames(sql string) string {
	return quotedPlainName.ReplaceAllStringFunc(sql, func(s string) string {
		if name := s[1 : len(s)-1]; !reservedNames[name] {
			return name
		}
		return s
	})
}

// ectoTypes are the types that Ecto has names of its own for.
var ectoTypes = map[string]string{
	"bytea": ":binary", "bool": ":boolean", "boolean": ":boolean", "timestamptz": ":timestamptz", "timestamp": ":timestamp",
	"int": ":integer", "int4": ":integer", "int8": ":bigint", "int2": ":smallint", "float8": ":float", "double precision": ":float",
	"uuid": ":uuid", "jsonb": ":jsonb", "text": ":text", "integer": ":integer", "bigint": ":bigint", "date": ":date",
	"timestamp without time zone": ":timestamp", "timestamp with time zone": ":timestamptz",
}

var (
	typeWithArgs = regex.MustCompile(`^([a-z][a-z0-9_ ]*?)\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)$`)
	plainType    = regex.MustCompile(`^[a-z_][a-z0-9_]*$`)
)

// ectoType writes a type of PostgreSQL as Ecto's DSL names it, with the
// options it needs.
func ectoType(sql string) (typ string, opts []string, ok bool) {
	sql = strings.ToLower(strings.TrimSpace(sql))
	if sql == "" {
		return "", nil, false
	}
	if inner, isArray := strings.CutSuffix(sql, "[]"); isArray {
		typ, opts, ok = ectoType(inner)
		return "{:array, " + typ + "}", opts, ok
	}
	if m := typeWithArgs.FindStringSubmatch(sql); m != nil {
		switch m[1] {
		case "varchar", "character varying":
			if m[2] == "255" {
				return ":string", nil, true
			}
			return ":string", []string{"size: " + m[2]}, true
		case "numeric", "decimal":
			opts = []string{"precision: " + m[2]}
			if m[3] != "" && m[3] != "0" {
				opts = append(opts, "scale: "+m[3])
			}
			return ":decimal", opts, true
		case "timestamp", "timestamp without time zone":
			if m[2] == "0" {
				return ":naive_datetime", nil, true
			}
			return ":naive_datetime_usec", []string{"precision: " + m[2]}, true
		case "time", "time without time zone":
			if m[2] == "0" {
				return ":time", nil, true
			}
		}
		return ":" + stringLiteral(sql), nil, true
	}
	if t, ok := ectoTypes[sql]; ok {
		return t, nil, true
	}
	switch sql {
	case "varchar", "character varying": // :string would be varchar(255)
		return ":varchar", nil, true
	case "numeric":
		return ":decimal", nil, true
	}
	if plainType.MatchString(sql) {
		return ":" + sql, nil, true
	}
	return ":" + stringLiteral(sql), nil, true
}

var (
	numberDefault = regex.MustCompile(`^-?\d+(\.\d+)?$`)
	stringDefault = regex.MustCompile(`^'((?:[^'\\]|'')*)'(?:::[a-z ]+(?:\(\d+\))?)?$`)
)

// ectoDefault writes a default expression as a value of Ecto's DSL.
func ectoDefault(sql, typ string) string {
	sql = strings.TrimSpace(sql)
	switch {
	case strings.EqualFold(sql, "true"), strings.EqualFold(sql, "false"):
		return strings.ToLower(sql)
	case numberDefault.MatchString(sql):
		return sql
	}
	if m := stringDefault.FindStringSubmatch(sql); m != nil {
		return stringLiteral(strings.ReplaceAll(m[1], "''", "'"))
	}
	return "fragment(" + stringLiteral(sql) + ")"
}

func (e *editor) AddKeyColumn(m *migration.Migration, s *migration.Statement, key source.Span, column string) ([]source.Edit, error) {
	if s.Command == nil {
		return nil, migration.ErrNotExpressible
	}
	atomText := inspectAtom(atom(column))
	switch s.Command.Object {
	case "index", "unique_index":
		call := e.call(s.Command.ObjectSpan)
		if call == nil {
			return nil, migration.ErrNotExpressible
		}
		columns := argument(call, 1)
		if columns == nil {
			return nil, migration.ErrNotExpressible
		}
		switch columns.Kind {
		case syntax.Atom, syntax.QuotedAtom:
			return e.edit(columns.Span, "["+e.of(columns)+", "+atomText+"]"), nil
		case syntax.List:
			if len(columns.Kids) == 0 {
				return nil, migration.ErrNotExpressible
			}
			last := columns.Kids[len(columns.Kids)-1]
			if last.Kind == syntax.Keywords {
				return e.insert(last.Span.End, ", asc: "+atomText), nil
			}
			return e.insert(last.Span.End, ", "+atomText), nil
		case syntax.Sigil:
			if strings.HasPrefix(e.of(columns), "~w") && columns.Close.Len() > 0 && columns.Close.Start > columns.Open.End {
				return e.insert(columns.Close.Start, " "+column), nil
			}
		}
		return nil, migration.ErrNotExpressible
	case "table":
		for _, sub := range s.Command.Sub {
			if sub.Column != column || sub.Name != "add" || sub.Repeated || sub.Option("primary_key") != nil {
				continue
			}
			call := e.command(sub)
			if call == nil {
				continue
			}
			args := call.Kid(syntax.Arguments)
			if args == nil || len(args.Kids) < 2 {
				continue
			}
			if len(args.Kids) > 2 && args.Kids[2].Kind != syntax.Keywords {
				return nil, migration.ErrNotExpressible
			}
			return e.appendArguments(call, args, []string{"primary_key: true"})
		}
		return nil, migration.ErrNotExpressible
	case "":
		return executeKeyColumn(s, key, column)
	}
	return nil, migration.ErrNotExpressible
}

// executeKeyColumn adds a column to a key in the SQL of an execute.
func executeKeyColumn(s *migration.Statement, key source.Span, column string) ([]source.Edit, error) {
	if key.Start < 0 || key.End > len(s.SQL) || key.Start >= key.End {
		return nil, migration.ErrNotExpressible
	}
	if !plainType.MatchString(column) || reservedNames[column] {
		column = `"` + strings.ReplaceAll(column, `"`, `""`) + `"`
	}
	at := key.End
	// The key may be the list itself, or end just before its parenthesis.
	if trimmed := strings.TrimRight(s.SQL[:key.End], " \t\r\n"); strings.HasSuffix(trimmed, ")") && strings.Contains(key.Of(s.SQL), "(") {
		at = len(trimmed) - 1
	} else if !strings.HasPrefix(strings.TrimLeft(s.SQL[key.End:], " \t\r\n"), ")") {
		return nil, migration.ErrNotExpressible
	}
	edit, ok := s.Edit(source.Span{Start: at, End: at}, ", "+column)
	if !ok {
		return nil, migration.ErrNotExpressible
	}
	return []source.Edit{edit}, nil
}
