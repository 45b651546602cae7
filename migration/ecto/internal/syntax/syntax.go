// Package syntax parses Elixir source into a plain Go tree. It is the only
// place that knows tree-sitter: the C tree is walked once, converted and freed.
package syntax

import (
	"context"
	"sync"

	sitter "github.com/smacker/go-tree-sitter"
	"github.com/smacker/go-tree-sitter/elixir"

	"github.com/ddlsp/ddlsp/internal/source"
)

// A Kind says what a Node is, by the names of the Elixir grammar.
type Kind string

// The kinds that the evaluator knows.
const (
	Source            Kind = "source"
	Call              Kind = "call"
	Dot               Kind = "dot"
	Arguments         Kind = "arguments"
	DoBlock           Kind = "do_block"
	ElseBlock         Kind = "else_block"
	AfterBlock        Kind = "after_block"
	RescueBlock       Kind = "rescue_block"
	CatchBlock        Kind = "catch_block"
	Block             Kind = "block"
	Body              Kind = "body"
	StabClause        Kind = "stab_clause"
	AnonymousFunction Kind = "anonymous_function"
	AccessCall        Kind = "access_call"
	Unary             Kind = "unary_operator"
	Binary            Kind = "binary_operator"
	Identifier        Kind = "identifier"
	OperatorName      Kind = "operator_identifier"
	Alias             Kind = "alias"
	Atom              Kind = "atom"
	QuotedAtom        Kind = "quoted_atom"
	Keyword           Kind = "keyword"
	QuotedKeyword     Kind = "quoted_keyword"
	Keywords          Kind = "keywords"
	Pair              Kind = "pair"
	Integer           Kind = "integer"
	Float             Kind = "float"
	Char              Kind = "char"
	Boolean           Kind = "boolean"
	Nil               Kind = "nil"
	String            Kind = "string"
	Charlist          Kind = "charlist"
	Sigil             Kind = "sigil"
	SigilName         Kind = "sigil_name"
	SigilModifiers    Kind = "sigil_modifiers"
	QuotedContent     Kind = "quoted_content"
	Escape            Kind = "escape_sequence"
	Interpolation     Kind = "interpolation"
	List              Kind = "list"
	Tuple             Kind = "tuple"
	Bitstring         Kind = "bitstring"
	Map               Kind = "map"
	MapContent        Kind = "map_content"
	Struct            Kind = "struct"
	Comment           Kind = "comment"
	Error             Kind = "ERROR"
)

// A Node is one construct of the source. Kids are its named children in order;
// comments are left out (Tree.Comments has them). Nodes never change.
type Node struct {
	Kind Kind
	// Op is the operator of a Unary or Binary node.
	Op string
	// Open and Close are the delimiters of quoted text ("\"", "\"\"\"", "(").
	Open, Close source.Span
	// Parens is set for arguments written in parentheses.
	Parens bool
	Span   source.Span
	Kids   []*Node
}

// Kid returns the first child of a kind, or nil.
func (n *Node) Kid(k Kind) *Node {
	for _, c := range n.Kids {
		if c.Kind == k {
			return c
		}
	}
	return nil
}

// A Tree is the syntax of one file.
type Tree struct {
	Root     *Node
	Comments []source.Span
	// Broken are the places where the text does not follow the grammar: an
	// error's range, or the empty range where a token is missing.
	Broken []source.Span
}

// grammar is what is known of the language's symbols, read once.
type grammar struct {
	lang  *sitter.Language
	names []Kind
	named []bool
}

var elixirGrammar = sync.OnceValue(func() *grammar {
	g := &grammar{lang: elixir.GetLanguage()}
	n := g.lang.SymbolCount()
	g.names = make([]Kind, n)
	g.named = make([]bool, n)
	for i := range n {
		s := sitter.Symbol(i)
		g.names[i] = Kind(g.lang.SymbolName(s))
		g.named[i] = g.lang.SymbolType(s) == sitter.SymbolTypeRegular
	}
	return g
})

// Parsers are kept: making one costs more than parsing a short file.
var parsers = sync.Pool{New: func() any {
	p := sitter.NewParser()
	p.SetLanguage(elixirGrammar().lang)
	return p
}}

// Parse reads Elixir source. It never fails: what is broken is in Tree.Broken
// and in Error nodes, around which the rest of the file is read.
func Parse(text string) *Tree {
	p := parsers.Get().(*sitter.Parser)
	defer parsers.Put(p)
	c, err := p.ParseCtx(context.Background(), nil, []byte(text))
	if err != nil { // cannot happen: no limit is set and nothing cancels
		return &Tree{Root: &Node{Kind: Source, Span: source.Span{End: len(text)}}, Broken: []source.Span{{End: len(text)}}}
	}
	defer c.Close()
	root := c.RootNode()
	b := builder{g: elixirGrammar(), tree: &Tree{}, broken: root.HasError()}
	cur := sitter.NewTreeCursor(root)
	defer cur.Close()
	b.tree.Root, _, _ = b.read(cur, 0)
	if b.tree.Root == nil {
		b.tree.Root = &Node{Kind: Source}
	}
	return b.tree
}

type builder struct {
	g    *grammar
	tree *Tree
	// broken is set when the text has an error somewhere.
	broken bool
	// wantSpan is set below a node whose delimiters matter.
	wantSpan bool
	// slab hands out nodes in bulk.
	slab []Node
}

func (b *builder) node() *Node {
	if len(b.slab) == 0 {
		b.slab = make([]Node, 64)
	}
	n := &b.slab[0]
	b.slab = b.slab[1:]
	return n
}

// maxDepth bounds the nesting that is read; deeper text is reported as broken.
const maxDepth = 400

// read converts the node under the cursor. A named node is returned; of an
// anonymous one only its name and span.
func (b *builder) read(cur *sitter.TreeCursor, depth int) (*Node, Kind, source.Span) {
	c := cur.CurrentNode()
	sym := int(c.Symbol())
	kind, named := Error, true
	if sym < len(b.g.names) {
		kind, named = b.g.names[sym], b.g.named[sym]
	}
	// Every call into C costs more than the rest of the loop: the place of an
	// operator, comma or keyword is asked for only where somebody needs it.
	if !named && !b.broken && !b.wantSpan {
		return nil, kind, source.Span{}
	}
	span := source.Span{Start: int(c.StartByte()), End: int(c.EndByte())}
	if b.broken && span.Len() == 0 && c.IsMissing() {
		b.tree.Broken = append(b.tree.Broken, span)
	}
	if !named {
		return nil, kind, span
	}
	if kind == Comment {
		b.tree.Comments = append(b.tree.Comments, span)
		return nil, Comment, span
	}
	n := b.node()
	n.Kind, n.Span = kind, span
	if kind == Error {
		b.tree.Broken = append(b.tree.Broken, span)
	}
	switch kind {
	case Identifier, Alias, Keyword, Integer, Float, Char, Boolean, Nil, QuotedContent, Escape, SigilName, SigilModifiers, Atom:
		return n, kind, span
	}
	if depth > maxDepth {
		b.tree.Broken = append(b.tree.Broken, span)
		n.Kind = Error
		return n, Error, span
	}
	if !cur.GoToFirstChild() {
		return n, kind, span
	}
	quotes := false
	switch kind {
	case String, Charlist, Sigil, QuotedAtom, QuotedKeyword:
		quotes = true
	}
	for {
		b.wantSpan = quotes
		kid, name, at := b.read(cur, depth+1)
		switch {
		case kid != nil:
			n.Kids = append(n.Kids, kid)
		case name == Comment:
		case kind == Unary || kind == Binary:
			if name != "(" && name != ")" && n.Op == "" {
				n.Op = string(name)
			}
		case kind == Arguments && name == "(":
			n.Parens = true
		case quotes:
			if name == ":" || name == "~" {
				break
			}
			if n.Open == (source.Span{}) {
				n.Open = at
			} else {
				n.Close = at
			}
		}
		if !cur.GoToNextSibling() {
			break
		}
	}
	cur.GoToParent()
	return n, kind, span
}
