package snippets

import (
	"strings"

	"github.com/ddlsp/ddlsp/internal/regex"
)

// An outline is what must be known of an Elixir file around the cursor. It is
// read from tokens alone, as the file is being typed.
type outline struct {
	// blank: the file holds nothing but comments.
	blank bool
	// inText: the cursor is inside a string, a heredoc or a comment, or in the
	// middle of a call.
	inText bool
	// inString: the cursor is inside a string or a heredoc.
	inString bool
	// head is the source of the statement whose block the cursor stands in.
	head string
	// inTable: in the block of create table or alter table.
	inTable bool
	// direction is "change", "up" or "down" where the cursor stands in that
	// function's own block, "" elsewhere.
	direction string
	// name is where the direction's name stands in its def, end where the def
	// ends (behind its "end"; 0 when it has none yet), indent what stands
	// before the def in its line.
	name, end int
	indent    string
	// empty: nothing but comments stands in the direction.
	empty bool
	// partner is where to write at the beginning of an empty def down, behind
	// its "do"; -1 when there is none, or it holds something. hasDown: there
	// is a def down, whatever it holds; down is where to write at its beginning,
	// 0 when it is not closed yet. do is where the cursor's direction begins,
	// behind its "do".
	partner  int
	hasDown  bool
	down, do int
	// attributes is where module attributes go, behind the use line; 0 when
	// there is none. noTransaction: @disable_ddl_transaction is set.
	attributes    int
	noTransaction bool
}

// A block is an open do ... end.
type block struct {
	head  string // the source of the statement that opened it, up to its do
	start int    // where that statement begins
	do    int    // behind the do
	empty bool   // nothing has been seen in it
}

var (
	definition = regex.MustCompile(`^def\s+(change|up|down)\s*(\(\s*\))?\s*$`)
	tableBlock = regex.MustCompile(`^(create|create_if_not_exists|alter)\b[\s(]*table\b`)
)

// readOutline scans text; offset is the cursor's.
func readOutline(text string, offset int) outline {
	o := outline{blank: true, partner: -1}
	var open []*block
	depth := 0               // of brackets
	statement := -1          // where the current statement begins
	continued := false       // the line before ends in an operator or a comma
	var current, hole *block // the cursor's direction; what is open at the cursor
	passed := false

	pass := func(at int) { // the cursor is passed when the scan reaches a token behind it
		if passed || at < offset {
			return
		}
		passed = true
		if depth > 0 || continued {
			o.inText = true
		}
		if len(open) > 0 {
			hole = open[len(open)-1]
			o.head = hole.head
			o.inTable = tableBlock.MatchString(hole.head)
			if m := definition.FindStringSubmatchIndex(hole.head); m != nil {
				current = hole
				o.direction = hole.head[m[2]:m[3]]
				o.name = hole.start + m[2]
				o.do = hole.do
				line := strings.LastIndexByte(text[:hole.start], '\n') + 1
				o.indent = text[line:hole.start]
			}
		}
	}
	token := func(at int) { // something that is no comment stands at
		pass(at)
		o.blank = false
		if statement < 0 {
			statement = at
		}
		if len(open) > 0 {
			open[len(open)-1].empty = false
		}
		continued = false
	}

	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '\n':
			if depth == 0 && !continued {
				statement = -1
			}
			i++
		case c == ' ' || c == '\t' || c == '\r':
			i++
		case c == ';':
			pass(i)
			statement = -1
			i++
		case c == '#':
			pass(i)
			end := i + strings.IndexByte(text[i:]+"\n", '\n')
			if i < offset && offset <= end {
				o.inText = true
			}
			i = end
		case c == '"' || c == '\'' || c == '~' && sigil.MatchString(text[i:]):
			token(i)
			end := stringEnd(text, i)
			if i < offset && offset < end || i < offset && end == len(text) {
				o.inText, o.inString = true, true
			}
			i = end
		case c == '?' && i+1 < len(text): // a character: ?"
			token(i)
			i += 2
		case strings.IndexByte("([{", c) >= 0:
			token(i)
			depth++
			i++
		case strings.IndexByte(")]}", c) >= 0:
			token(i)
			depth = max(0, depth-1)
			i++
		case isWord(c) || c == '@' || c == ':' || c >= 0x80:
			start := i
			for i++; i < len(text) && (isWord(text[i]) || text[i] >= 0x80 || text[i] == '?' || text[i] == '!'); i++ {
			}
			word := text[start:i]
			key := i < len(text) && text[i] == ':' && !strings.HasPrefix(text[i:], "::")
			member := start > 0 && text[start-1] == '.'
			switch {
			case key || member:
				token(start)
			case word == "do" || word == "fn":
				token(start)
				b := &block{do: i, start: max(statement, 0), empty: true}
				if statement >= 0 {
					b.head = strings.TrimSpace(text[statement:start])
				}
				if m := definition.FindStringSubmatch(b.head); m != nil && m[1] == "down" {
					o.hasDown = true
				}
				open = append(open, b)
				statement = -1
			case word == "end":
				pass(start)
				if len(open) == 0 {
					break
				}
				b := open[len(open)-1]
				open = open[:len(open)-1]
				if b == current {
					o.end, o.empty = i, b.empty
				}
				if m := definition.FindStringSubmatch(b.head); m != nil && m[1] == "down" && b.empty {
					o.partner = b.do
				}
				if m := definition.FindStringSubmatch(b.head); m != nil && m[1] == "down" {
					o.down = b.do
				}
				if len(open) > 0 {
					open[len(open)-1].empty = false
				}
				statement = max(statement, start)
			default:
				token(start)
				if word == "use" && o.attributes == 0 && statement == start {
					o.attributes = start + strings.IndexByte(text[start:]+"\n", '\n')
				}
				if word == "@disable_ddl_transaction" {
					line, _, _ := strings.Cut(text[i:], "\n")
					o.noTransaction = strings.TrimSpace(line) == "true"
				}
			}
		default:
			token(i)
			continued = strings.IndexByte(",|=<>+-*/&", c) >= 0
			i++
		}
	}
	pass(len(text))
	if current != nil && o.end == 0 {
		o.empty = current.empty
	}
	return o
}

var sigil = regex.MustCompile(`^~[a-zA-Z]+["'(\[{<|/]`)

// stringEnd returns where the string, heredoc or sigil that begins at i ends:
// the end of the text when it is not closed.
func stringEnd(text string, i int) int {
	if text[i] == '~' {
		for i++; isWord(text[i]); i++ {
		}
	}
	if s := text[i:]; strings.HasPrefix(s, `"""`) || strings.HasPrefix(s, "'''") {
		end := strings.Index(s[3:], s[:3])
		if end < 0 {
			return len(text)
		}
		return i + 3 + end + 3
	}
	closing := text[i]
	if at := strings.IndexByte("([{<", closing); at >= 0 {
		closing = ")]}>"[at]
	}
	for j := i + 1; j < len(text); j++ {
		switch text[j] {
		case '\\':
			j++
		case closing:
			return j + 1
		}
	}
	return len(text)
}
