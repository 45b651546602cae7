package migration

import (
	"errors"
	"strings"
	"sync"

	"github.com/ddlsp/ddlsp/internal/pgparse"
	"github.com/ddlsp/ddlsp/internal/source"
)

// ReadSQL reads the operations of one statement's text. It never fails: what
// cannot be read is said in the result. Results are cached by text and shared;
// they must not be changed. It is safe for concurrent use.
func ReadSQL(sql string) *Parsed {
	if p := parses.get(sql); p != nil {
		return p
	}
	p := readSQL(sql)
	parses.put(sql, p)
	return p
}

// parses is shared by everything in the process. While a user types, every key
// makes a new text, so it is bounded.
var parses = &cache{limit: 32 << 20}

// A cache keeps the readings of texts in two generations: when the young one
// is full it becomes the old one, and what is not asked for again is dropped
// with the next turn.
type cache struct {
	mu         sync.Mutex // guards all below
	young, old map[string]*Parsed
	size       int // bytes of text in young
	limit      int // bytes of text in one generation
}

func (c *cache) get(sql string) *Parsed {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.young[sql]; p != nil {
		return p
	}
	if p := c.old[sql]; p != nil {
		c.keep(sql, p)
		return p
	}
	return nil
}

func (c *cache) put(sql string, p *Parsed) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep(sql, p)
}

func (c *cache) keep(sql string, p *Parsed) {
	if c.young == nil || c.size > c.limit {
		c.old, c.young, c.size = c.young, map[string]*Parsed{}, 0
	}
	if _, ok := c.young[sql]; !ok {
		c.size += len(sql)
	}
	c.young[sql] = p
}

func readSQL(sql string) *Parsed {
	if looksSimple(sql) {
		if ops := readSimple(sql, pgparse.Tokens(sql)); ops != nil {
			return &Parsed{Ops: ops, Count: 1}
		}
	}
	return readTree(sql)
}

// looksSimple tells from the beginning whether it is worth while to try
// readSimple.
func looksSimple(sql string) bool {
	sql = strings.TrimLeft(sql, " \t\r\n")
	if len(sql) < 12 || len(sql) > 1000 {
		return false
	}
	switch sql[0] | 0x20 {
	case 'd':
		return strings.EqualFold(sql[:5], "drop ")
	case 'c':
		return strings.EqualFold(sql[:8], "create i") || strings.EqualFold(sql[:8], "create u")
	case 'a':
		return strings.EqualFold(sql[:12], "alter table ")
	}
	return false
}

// readTree reads a statement from PostgreSQL's own tree.
func readTree(sql string) *Parsed {
	nodes, err := pgparse.Parse(sql)
	text := sql
	var newer []newerSyntax
	if err != nil {
		if errors.Is(err, pgparse.ErrTooComplex) {
			return &Parsed{Opaque: TooComplex, Ops: unread(sql), Count: 1}
		}
		// The grammar is PostgreSQL 16's. What only a newer server accepts is
		// read through a text of the same length that this one knows.
		if text, newer = substituteNewer(sql); newer != nil {
			if n, e := pgparse.Parse(text); e == nil {
				nodes, err = n, nil
			}
		}
	}
	if err != nil {
		if name := newerOnly(sql); name != "" {
			return &Parsed{Opaque: "uses " + name + ", which is newer than the grammar ddlsp reads", Count: 1}
		}
		var perr *pgparse.Error
		if errors.As(err, &perr) {
			return &Parsed{Err: &SyntaxError{Message: perr.Message, Offset: min(perr.Offset, len(sql))}, Count: 1}
		}
		return &Parsed{Err: &SyntaxError{Message: err.Error()}, Count: 1}
	}
	r := &reader{sql: text, toks: pgparse.Tokens(text)}
	p := &Parsed{Count: len(nodes)}
	for _, n := range nodes {
		r.statement(n)
	}
	for _, op := range r.ops {
		for _, s := range newer {
			s.mend(op)
		}
	}
	p.Ops = r.ops
	for i, t := range r.toks {
		if t.Len() > MaxNameLength && (t.Kind == pgparse.Word || t.Kind == pgparse.Quoted) {
			if name := r.ident(i); len(name) > MaxNameLength {
				p.Long = append(p.Long, Ident{name, t.Span})
			}
		}
	}
	return p
}

// TooComplex is the reason of a text that could overflow the parser's stack.
const TooComplex = "too complex to read"

// unread says what can be told of a statement from its first word: a query or
// a write changes no schema, however long it is.
func unread(sql string) []Op {
	toks := pgparse.Tokens(sql[:min(len(sql), 4096)])
	if len(toks) == 0 || toks[0].Kind != pgparse.Word {
		return nil
	}
	switch verb := strings.ToLower(toks[0].Of(sql)); verb {
	case "select", "values":
		return []Op{&Query{}}
	case "insert", "update", "delete":
		return []Op{&Write{Verb: verb, Where: true}}
	}
	return nil
}

// A reader turns the tree of one text into operations.
type reader struct {
	sql  string
	toks []pgparse.Token
	ops  []Op
	from int // index of the token at which the statement starts
}

func (r *reader) add(op Op) { r.ops = append(r.ops, op) }

// tok returns the index of the token that starts at or after offset.
func (r *reader) tok(offset int) int {
	lo, hi := 0, len(r.toks)
	for lo < hi {
		mid := (lo + hi) / 2
		if r.toks[mid].Start < offset {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// ident is the name that a token stands for: folded when unquoted.
func (r *reader) ident(i int) string {
	t := r.toks[i]
	s := t.Of(r.sql)
	switch t.Kind {
	case pgparse.Word:
		return strings.ToLower(s)
	case pgparse.Quoted:
		if len(s) >= 2 && s[0] == '"' {
			return strings.ReplaceAll(s[1:len(s)-1], `""`, `"`)
		}
	}
	return ""
}

// find returns the place of the first token from index i on that names the
// identifier, or the zero span.
func (r *reader) find(i int, name string) source.Span {
	for ; i >= 0 && i < len(r.toks); i++ {
		if k := r.toks[i].Kind; (k == pgparse.Word || k == pgparse.Quoted) && r.ident(i) == name {
			return r.toks[i].Span
		}
	}
	return source.Span{}
}

// word returns the index of the first token from i on that is the keyword, or
// -1.
func (r *reader) word(i int, keyword string) int {
	for ; i < len(r.toks); i++ {
		if r.toks[i].Is(r.sql, keyword) {
			return i
		}
	}
	return -1
}

// list is the span of the element of a comma-separated list that starts at the
// token i: up to the comma, semicolon or closing parenthesis that ends it.
func (r *reader) list(i int) source.Span {
	if i >= len(r.toks) {
		return source.Span{Start: len(r.sql), End: len(r.sql)}
	}
	s := r.toks[i].Span
	depth := 0
	for ; i < len(r.toks); i++ {
		if t := r.toks[i]; t.Kind == pgparse.Punct {
			switch r.sql[t.Start] {
			case '(', '[':
				depth++
			case ')', ']':
				depth--
				if depth < 0 {
					return s
				}
			case ',', ';':
				if depth == 0 {
					return s
				}
			}
		}
		s.End = r.toks[i].End
	}
	return s
}

// parens is the inside of the parentheses that open at or after token i.
func (r *reader) parens(i int) source.Span {
	for ; i < len(r.toks) && !r.toks[i].IsPunct(r.sql, '('); i++ {
	}
	if i >= len(r.toks) {
		return source.Span{}
	}
	s := source.Span{Start: r.toks[i].End, End: r.toks[i].End}
	depth := 0
	for ; i < len(r.toks); i++ {
		if r.toks[i].IsPunct(r.sql, '(') {
			depth++
		}
		if r.toks[i].IsPunct(r.sql, ')') {
			depth--
			if depth == 0 {
				s.End = r.toks[i].Start
				return s
			}
		}
	}
	s.End = len(r.sql)
	return s
}

// relation reads a table or view reference.
func (r *reader) relation(v *pgparse.RangeVar) Name {
	if v == nil {
		return Name{}
	}
	return Name{Schema: v.Schemaname, Name: v.Relname, Span: r.dotted(int(v.Location))}
}

// dotted is the span of a possibly qualified name that starts at offset.
func (r *reader) dotted(offset int) source.Span {
	i := r.tok(offset)
	if i >= len(r.toks) {
		return source.Span{}
	}
	s := r.toks[i].Span
	for i+2 < len(r.toks) && r.toks[i+1].IsPunct(r.sql, '.') {
		i += 2
		s.End = r.toks[i].End
	}
	return s
}

// qualified makes a Name of a list of String nodes, which carry no location;
// its place is looked for from token index i.
func (r *reader) qualified(parts []*pgparse.Node, i int) Name {
	names := stringsOf(parts)
	if len(names) == 0 {
		return Name{}
	}
	n := Name{Name: names[len(names)-1]}
	if len(names) > 1 {
		n.Schema = names[len(names)-2]
	}
	n.Span = r.find(i, n.Name)
	if first := r.find(i, names[0]); len(names) > 1 && first != (source.Span{}) && first.End <= n.Span.Start {
		n.Span.Start = first.Start
	}
	return n
}

func stringsOf(nodes []*pgparse.Node) []string {
	var out []string
	for _, n := range nodes {
		if s := n.GetString_(); s != nil {
			out = append(out, s.Sval)
		}
	}
	return out
}

func (r *reader) idents(nodes []*pgparse.Node, i int) []Ident {
	var out []Ident
	for _, name := range stringsOf(nodes) {
		span := r.find(i, name)
		out = append(out, Ident{name, span})
		if span != (source.Span{}) {
			i = r.tok(span.End)
		}
	}
	return out
}

func (r *reader) options(nodes []*pgparse.Node) []RelOption {
	var out []RelOption
	for _, n := range nodes {
		d := n.GetDefElem()
		if d == nil {
			continue
		}
		out = append(out, RelOption{
			Namespace: strings.ToLower(d.Defnamespace),
			Name:      strings.ToLower(d.Defname),
			Value:     defValue(d.Arg),
			Span:      r.list(r.tok(int(d.Location))),
		})
	}
	return out
}

// defValue is the value of a DefElem as a person writes it, without quotes.
func defValue(n *pgparse.Node) string {
	switch {
	case n == nil:
		return ""
	case n.GetString_() != nil:
		return n.GetString_().Sval
	case n.GetInteger() != nil:
		return itoa(int(n.GetInteger().Ival))
	case n.GetFloat() != nil:
		return n.GetFloat().Fval
	case n.GetBoolean() != nil:
		if n.GetBoolean().Boolval {
			return "true"
		}
		return "false"
	case n.GetTypeName() != nil:
		return strings.Join(stringsOf(n.GetTypeName().Names), ".")
	case n.GetAConst() != nil:
		v, _ := constant(n)
		return v
	case n.GetList() != nil:
		return strings.Join(stringsOf(n.GetList().Items), ".")
	}
	return ""
}
