package rules

import (
	"embed"
	"fmt"
	"go/ast"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"sync"

	"github.com/ddlsp/ddlsp/analysis"
)

// sources are the files of this package: the doc comment of a rule is its
// page.
//
//go:embed *.go
var sources embed.FS

// url is where the pages are published, one file for each rule.
const url = "https://github.com/ddlsp/ddlsp/blob/main/docs/rules/"

// URL is the address of a rule's page.
func URL(id string) string { return url + id + ".md" }

// A Page is the documentation of one rule.
type Page struct {
	Rule *analysis.Rule
	doc  *comment.Doc
}

// An Example is one code block of a page.
type Example struct {
	// Bad tells a migration that the rule reports from one that it does not.
	Bad bool
	// Format is how the heading names its form: "ecto", "sql", "goose", ...
	Format string
	Code   string
}

// PageOf returns the page of a rule, nil for an unknown rule.
func PageOf(id string) *Page {
	r := ByID(id)
	if r == nil {
		return nil
	}
	doc := docs()[id]
	if doc == nil {
		doc = &comment.Doc{}
	}
	return &Page{Rule: r, doc: doc}
}

// docs reads the doc comments of all rules, by rule id.
var docs = sync.OnceValue(func() map[string]*comment.Doc {
	out := map[string]*comment.Doc{}
	entries, err := sources.ReadDir(".")
	if err != nil {
		panic(err) // an embedded directory can always be read
	}
	var p comment.Parser
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		text, err := sources.ReadFile(e.Name())
		if err != nil {
			panic(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), e.Name(), text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			panic(err) // it was compiled
		}
		for _, d := range file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR || g.Doc == nil || len(g.Specs) != 1 {
				continue
			}
			if id := ruleID(g.Specs[0].(*ast.ValueSpec)); id != "" {
				out[id] = p.Parse(g.Doc.Text())
			}
		}
	}
	return out
})

// ruleID returns the ID of `x = &analysis.Rule{ID: "..."}`, or "".
func ruleID(v *ast.ValueSpec) string {
	if len(v.Values) != 1 {
		return ""
	}
	u, ok := v.Values[0].(*ast.UnaryExpr)
	if !ok {
		return ""
	}
	lit, ok := u.X.(*ast.CompositeLit)
	if !ok {
		return ""
	}
	for _, e := range lit.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		if k, ok := kv.Key.(*ast.Ident); !ok || k.Name != "ID" {
			continue
		}
		if b, ok := kv.Value.(*ast.BasicLit); ok {
			if s, err := strconv.Unquote(b.Value); err == nil {
				return s
			}
		}
	}
	return ""
}

// Examples are the code blocks under "Bad:" and "Good:" headings.
func (p *Page) Examples() []Example {
	var out []Example
	var at Example
	for _, b := range p.doc.Content {
		switch b := b.(type) {
		case *comment.Heading:
			at = example(plain(b.Text))
		case *comment.Code:
			if at.Format != "" {
				out = append(out, Example{at.Bad, at.Format, b.Text})
			}
		}
	}
	return out
}

func example(heading string) Example {
	kind, format, ok := strings.Cut(heading, ": ")
	if !ok || kind != "Bad" && kind != "Good" {
		return Example{}
	}
	return Example{Bad: kind == "Bad", Format: format}
}

// Markdown is the page as a document.
func (p *Page) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n", p.Rule.ID)
	facts := []string{"Severity: " + p.Rule.Severity.String()}
	if !p.Rule.Default {
		facts = append(facts, "off by default")
	}
	facts = append(facts, "fix: "+p.Rule.Fix.String())
	fmt.Fprintf(&b, "%s.\n", strings.Join(facts, ", "))
	if len(p.Rule.Aliases) > 0 {
		fmt.Fprintf(&b, "In other tools: %s.\n", strings.Join(p.Rule.Aliases, ", "))
	}
	p.body(&b)
	return b.String()
}

// Text is the page for a terminal or a hover without its heading.
func (p *Page) Text() string {
	var b strings.Builder
	p.body(&b)
	return strings.TrimLeft(b.String(), "\n")
}

// formats are the names of the examples' forms in headings.
var formats = map[string]string{"ecto": "Ecto", "sql": "SQL", "goose": "goose", "golang-migrate": "golang-migrate", "dbmate": "dbmate", "tern": "tern"}

func (p *Page) body(b *strings.Builder) {
	lang := "sql"
	for _, block := range p.doc.Content {
		b.WriteString("\n")
		switch x := block.(type) {
		case *comment.Heading:
			title := plain(x.Text)
			if e := example(title); e.Format != "" {
				lang = "sql"
				if e.Format == "ecto" {
					lang = "elixir"
				}
				kind, _, _ := strings.Cut(title, ":")
				name := formats[e.Format]
				if name == "" {
					name = e.Format
				}
				title = kind + ", " + name
			}
			fmt.Fprintf(b, "## %s\n", title)
		case *comment.Code:
			fmt.Fprintf(b, "```%s\n%s\n```\n", lang, strings.TrimRight(x.Text, "\n"))
		case *comment.Paragraph:
			b.WriteString(plain(x.Text) + "\n")
		case *comment.List:
			for _, item := range x.Items {
				b.WriteString("- ")
				for _, c := range item.Content {
					if para, ok := c.(*comment.Paragraph); ok {
						b.WriteString(strings.ReplaceAll(plain(para.Text), "\n", "\n  "))
					}
				}
				b.WriteString("\n")
			}
		}
	}
}

func plain(text []comment.Text) string {
	var b strings.Builder
	for _, t := range text {
		switch t := t.(type) {
		case comment.Plain:
			b.WriteString(string(t))
		case comment.Italic:
			b.WriteString(string(t))
		case *comment.Link:
			b.WriteString(plain(t.Text))
		case *comment.DocLink:
			b.WriteString(plain(t.Text))
		}
	}
	return b.String()
}
