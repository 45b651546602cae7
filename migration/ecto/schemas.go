package ecto

import (
	"strings"

	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/migration/ecto/internal/syntax"
)

// schemas finds the application's Ecto schemas that the functions of a
// migration query: `from(u in User)`, `Repo.all(User)`, `User |> ... |>
// Repo.all()` and `repo().insert!(%User{})`. A module of the file itself is
// left out, and each is named once.
func (r *reader) schemas() []migration.Ident {
	text := r.file.Text
	if !strings.Contains(text, "epo") && !strings.Contains(text, "from") {
		return nil // cheap, and true of most migrations
	}
	s := schemaSearch{text: text, own: map[string]bool{}, seen: map[string]bool{}, mod: r.mod}
	s.definitions(r.tree.Root)
	for _, f := range r.mod.functions {
		for _, n := range f.body {
			s.walk(n)
		}
	}
	return s.found
}

type schemaSearch struct {
	text  string
	mod   *module
	own   map[string]bool // last parts of the names of modules in the file
	seen  map[string]bool
	found []migration.Ident
}

func (s *schemaSearch) definitions(n *syntax.Node) {
	if callee(s.text, n) == "defmodule" {
		if a := argument(n, 0); a != nil {
			s.own[lastPart(a.Span.Of(s.text))] = true
		}
	}
	for _, k := range n.Kids {
		s.definitions(k)
	}
}

func lastPart(module string) string { return module[strings.LastIndexByte(module, '.')+1:] }

// add takes a node that stands where a query takes a schema: a module, or a
// struct of one.
func (s *schemaSearch) add(n *syntax.Node) {
	if n == nil {
		return
	}
	if n.Kind == syntax.Map {
		if n = n.Kid(syntax.Struct); n != nil {
			n = n.Kid(syntax.Alias)
		}
	} else if n.Kind == syntax.Tuple && len(n.Kids) == 2 { // {"table", Schema}
		n = n.Kids[1]
	}
	if n == nil || n.Kind != syntax.Alias {
		return
	}
	name := n.Span.Of(s.text)
	first, rest, dotted := strings.Cut(name, ".")
	if full, ok := s.mod.aliases[first]; ok {
		if name = full; dotted {
			name += "." + rest
		}
	}
	if s.own[lastPart(name)] || s.seen[name] || isRepo(name) || strings.HasPrefix(name, "Ecto.") || builtinModules[name] || pureModules[name] {
		return
	}
	s.seen[name] = true
	s.found = append(s.found, migration.Ident{Name: name, Span: n.Span})
}

func (s *schemaSearch) walk(n *syntax.Node) {
	switch {
	case n.Kind == syntax.Binary && n.Op == "|>" && len(n.Kids) == 2:
		if s.repoCall(n.Kids[1]) {
			head := n.Kids[0]
			for head.Kind == syntax.Binary && head.Op == "|>" && len(head.Kids) > 0 {
				head = head.Kids[0]
			}
			s.add(head)
		}
	case callee(s.text, n) == "from":
		s.from(n)
	case n.Kind == syntax.Call && s.repoCall(n):
		s.add(argument(n, 0))
	}
	for _, k := range n.Kids {
		s.walk(k)
	}
}

// from reads the sources of `from(x in Source, join: y in Other)`.
func (s *schemaSearch) from(n *syntax.Node) {
	args := n.Kid(syntax.Arguments)
	if args == nil {
		return
	}
	s.add(argument(n, 0))
	source := func(x *syntax.Node) {
		if x.Kind == syntax.Binary && x.Op == "in" && len(x.Kids) == 2 {
			s.add(x.Kids[1])
		}
	}
	for _, a := range args.Kids {
		source(a)
		if a.Kind == syntax.Keywords {
			for _, p := range a.Kids {
				if len(p.Kids) == 2 {
					source(p.Kids[1])
				}
			}
		}
	}
}

// repoCall reports whether a call is one of a repository: Repo.all(...) or
// repo().all(...).
func (s *schemaSearch) repoCall(n *syntax.Node) bool {
	if n.Kind != syntax.Call || len(n.Kids) == 0 || n.Kids[0].Kind != syntax.Dot || len(n.Kids[0].Kids) == 0 {
		return false
	}
	left := n.Kids[0].Kids[0]
	return left.Kind == syntax.Alias && isRepo(left.Span.Of(s.text)) || callee(s.text, left) == "repo"
}
