package syntax

import (
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/internal/source"
)

// shape prints a tree as nested kinds.
func shape(n *Node, text string) string {
	s := string(n.Kind)
	if n.Op != "" {
		s += " " + n.Op
	}
	if len(n.Kids) == 0 {
		return s + " " + n.Span.Of(text)
	}
	parts := make([]string, len(n.Kids))
	for i, k := range n.Kids {
		parts[i] = shape(k, text)
	}
	return s + "(" + strings.Join(parts, ", ") + ")"
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"a |> f(:b, c: 1)", "source(binary_operator |>(identifier a, call(identifier f, arguments(atom :b, keywords(pair(keyword c: , integer 1))))))"},
		{"x = [1 | y] # why", "source(binary_operator =(identifier x, list(binary_operator |(integer 1, identifier y))))"},
		{`"a#{b}\n"`, `source(string(quoted_content a, interpolation(identifier b), escape_sequence \n))`},
		{"a not in b", "source(binary_operator not in(identifier a, identifier b))"},
		{"fn a -> b end", "source(anonymous_function(stab_clause(arguments(identifier a), body(identifier b))))"},
	} {
		tree := Parse(c.text)
		if got := shape(tree.Root, c.text); got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.text, got, c.want)
		}
		if len(tree.Broken) > 0 {
			t.Errorf("%s: broken at %v", c.text, tree.Broken)
		}
	}
}

func TestDelimitersAndComments(t *testing.T) {
	text := "~s|a|\n# one\n:\"b\" # two\n"
	tree := Parse(text)
	sigil, atom := tree.Root.Kids[0], tree.Root.Kids[1]
	if sigil.Open.Of(text) != "|" || sigil.Close.Of(text) != "|" || atom.Open.Of(text) != `"` || atom.Close.Of(text) != `"` {
		t.Errorf("delimiters: %v %v %v %v", sigil.Open, sigil.Close, atom.Open, atom.Close)
	}
	var got []string
	for _, c := range tree.Comments {
		got = append(got, c.Of(text))
	}
	if strings.Join(got, "|") != "# one|# two" {
		t.Errorf("comments: %q", got)
	}
}

func TestBroken(t *testing.T) {
	for _, text := range []string{"f(1", "def a do", "\"abc", "[1, 2", "a )", "\xff\xfe(", strings.Repeat("[", 3000)} {
		tree := Parse(text)
		if len(tree.Broken) == 0 {
			t.Errorf("%.20q: nothing broken", text)
		}
		for _, b := range tree.Broken {
			if b.Start < 0 || b.End < b.Start || b.End > len(text) {
				t.Errorf("%.20q: %v is outside", text, b)
			}
		}
	}
	deep := strings.Repeat("[", 3000) + strings.Repeat("]", 3000)
	if tree := Parse(deep); len(tree.Broken) == 0 {
		t.Error("nesting without bound must be refused")
	}
	if tree := Parse(""); tree.Root == nil || tree.Root.Span != (source.Span{}) {
		t.Error("an empty text has an empty tree")
	}
}
