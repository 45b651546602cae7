package templates_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/templates"
)

// What is wrong with a template is said with its line.
func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "line 1: the head must say what it is",
		"title: A\n":                           "line 1: it has no text",
		"title: A\n-- up.sql --\n":             "line 2: up.sql is empty",
		"title: A\n\nlock: B\n":                `line 3: "lock:" is not understood`,
		"title: A\nneeds: a\n":                 "line 2: it needs what?",
		"title: A\nfield a\n":                  "line 2: a field has a default",
		"title: A\nfield a = \n":               "line 2: a field has a default",
		"title: A\nfield B = b\n":              `line 2: a field cannot be called "B"`,
		"title: A\nfield b.txt = b\n":          "line 2: a field is of .exs or of .sql",
		"title: A\nfollow\n":                   "line 2: a part that follows has a name",
		"title: A\nfollow b\n":                 "line 2: a migration of its own says why",
		"title: A\nfollow b, alone: c\n":       `line 2: "alone" is not understood`,
		"title: A\nfollow b: c\nfollow b: d\n": "line 3: a part is called b already",
		"title: A\nfollow b: c\n-- up.sql --\nSELECT 1;\n":                            "line 2: the part b has no text",
		"title: A\nfirst: \n":                                                         "line 2: a migration of its own says why",
		"title: A\n-- up --\nSELECT 1;\n":                                             `line 2: "up" is no name of a text`,
		"title: A\n-- up.sql --\nSELECT 1;\n-- an end --\n":                           `line 4: "an end" is no name of a text`,
		"title: A\n-- change.sql --\nSELECT 1;\n":                                     "line 2: change.sql is not understood",
		"title: A\n-- sideways.exs --\nflush()\n":                                     "line 2: sideways.exs is not understood",
		"title: A\n-- b/up.sql --\nSELECT 1;\n":                                       "line 2: no part is called b",
		"title: A\n-- down.sql --\nSELECT 1;\n":                                       "line 3: it has a way down and no way up",
		"title: A\n-- up.sql --\nSELECT 1;\n-- up.sql --\nSELECT 2;\n":                "line 4: up.sql is there twice",
		"title: A\n-- up.sql --\n\n\nSELECT 1;\nSELECT {{b}};\n":                      "line 6: the field b is not declared",
		"title: A\r\nfield b = c\r\n-- up.sql --\r\nSELECT 1;\r\nSELECT {{ b }};\r\n": "line 5: a field is written {{b}}",
	} {
		tmpl, err := templates.Parse("own", text)
		var at *templates.Error
		if !errors.As(err, &at) || tmpl != nil {
			t.Errorf("%q: %v, %v", text, tmpl, err)
			continue
		}
		if got := at.Error(); !strings.HasPrefix(got, want) {
			t.Errorf("%q:\n got %s\nwant %s", text, got, want)
		}
	}
	for _, name := range []string{"", "Own", "a-b", "../own", "größe", "1"} {
		if _, err := templates.Parse(name, "title: A\n-- up.sql --\nSELECT 1;\n"); err == nil {
			t.Errorf("a template may be called %q", name)
		}
	}
}

func TestParse(t *testing.T) {
	tmpl, err := templates.Parse("own", "\ufefftitle: A\r\n\r\n# a note\r\nfield b.exs = :c\r\nfield b.sql=c\r\n-- up.sql --\r\n\r\nSELECT '{{b}} {{1, 2}}';\r\n")
	if err != nil {
		t.Fatal(err)
	}
	body, ok := tmpl.Parts[0].Body(templates.SQL)
	if got, want := body.Up.Fill(tmpl.Defaults(templates.SQL, nil)), "SELECT 'c {{1, 2}}';"; !ok || got != want || tmpl.Detail != "A" {
		t.Errorf("%q, want %q, detail %q", got, want, tmpl.Detail)
	}
	if n := len(tmpl.PartsIn(templates.Ecto)); n != 0 {
		t.Errorf("%d parts for Ecto", n)
	}
	if got := tmpl.Line(tmpl.Parts[0], "up", templates.SQL); got != 8 {
		t.Errorf("the text begins in line %d, want 8", got)
	}
}

func TestWith(t *testing.T) {
	parse := func(name string) *templates.Template {
		tmpl, err := templates.Parse(name, "title: A\n-- up.sql --\nSELECT 1;\n")
		if err != nil {
			t.Fatal(err)
		}
		return tmpl
	}
	index, mine := parse("add_index"), parse("mine")
	list := templates.With([]*templates.Template{index, mine})
	if list[0] != mine || templates.Find(list, "add_index") != index || len(list) != len(templates.All())+1 {
		t.Errorf("%d templates, the first %s", len(list), list[0].Name)
	}
	if list[4] != index { // behind mine and the three before it
		t.Errorf("add_index has lost its place to %s", list[4].Name)
	}
}

// Whatever is in the file, reading it ends in a template or in an error.
func FuzzParse(f *testing.F) {
	f.Add("title: A\nfield b = c\nfollow d, no transaction: e\n-- up.sql --\nSELECT {{b}};\n-- d/change.exs --\nflush()\n")
	f.Fuzz(func(t *testing.T, text string) {
		tmpl, err := templates.Parse("own", text)
		if (tmpl == nil) == (err == nil) {
			t.Fatalf("%v, %v", tmpl, err)
		}
		if err != nil {
			return
		}
		for _, s := range []templates.Syntax{templates.Ecto, templates.SQL} {
			for _, p := range tmpl.PartsIn(s) {
				b, _ := p.Body(s)
				for _, name := range b.Up.Fields() {
					if tmpl.Field(name) == nil {
						t.Fatalf("field %q is not declared", name)
					}
				}
			}
		}
	})
}
