package workspace_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/internal/workspace"
	"github.com/ddlsp/ddlsp/templates"
)

const goose = "-- +goose Up\nCREATE TABLE users (id uuid PRIMARY KEY);\n\n-- +goose Down\nDROP TABLE users;\n"

// project is the one project of a session.
func project(t *testing.T, s *workspace.Session) *workspace.Project {
	t.Helper()
	all, err := s.Snapshot().Projects(context.Background())
	if err != nil || len(all) != 1 {
		t.Fatalf("projects: %v, %v", all, err)
	}
	return all[0]
}

func TestOwnTemplates(t *testing.T) {
	dir := tree(t, map[string]string{
		"migrations/00001_users.sql":            goose,
		".ddlsp/templates/add_tenant.txtar":     "title: Add tenant\nfield table = users\n-- up.sql --\nALTER TABLE {{table}} ADD tenant uuid;\n-- down.sql --\nALTER TABLE {{table}} DROP tenant;\n",
		".ddlsp/templates/add_index.txtar":      "title: Ours\n-- up.sql --\nCREATE INDEX ON users (id);\n",
		".ddlsp/templates/add_triggers.txtar":   "title: Broken\n-- up.sql --\nSELECT {{nothing}};\n",
		".ddlsp/templates/wrong_sql.txtar":      "title: Kept\n-- up.sql --\nSELECT 1;\nSELEC 2;\n",
		".ddlsp/templates/wrong_elixir.txtar":   "title: Kept\n-- change.exs --\ncreate table(:a) do\n  add :b, :text\n",
		".ddlsp/templates/Wrong-Name.txtar":     "title: A\n-- up.sql --\nSELECT 1;\n",
		".ddlsp/templates/forgotten.sql":        "SELECT 1;\n",
		".ddlsp/templates/README.md":            "how we write migrations\n",
		".ddlsp/templates/.swap":                "x",
		".ddlsp/templates/folder.txtar/a.txtar": "title: A\n",
	})
	if err := os.Symlink(filepath.Join(dir, "gone"), filepath.Join(dir, ".ddlsp/templates/link.txtar")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".ddlsp/templates/large.txtar"), make([]byte, 300<<10), 0o644); err != nil {
		t.Fatal(err)
	}
	opts := workspace.Options{Dir: dir}
	session := workspace.NewSession(opts)
	p := project(t, session)
	list, problems := p.Templates()
	var said []string
	for _, e := range problems {
		r, err := filepath.Rel(filepath.Join(dir, ".ddlsp", "templates"), e.Path)
		if err != nil {
			t.Fatal(err)
		}
		said = append(said, (&templates.Error{Path: filepath.ToSlash(r), Line: e.Line, Message: e.Message}).Error())
	}
	for i, want := range []string{
		"Wrong-Name.txtar:1: a template cannot be called", "add_triggers.txtar:3: the field nothing is not declared", "folder.txtar:1: it is not read",
		"forgotten.sql:1: it is not read", "large.txtar:1: it is not read", "link.txtar:1: it cannot be read",
		"wrong_elixir.txtar:4: with the fields' defaults, change.exs cannot be read", "wrong_sql.txtar:4: with the fields' defaults, up.sql cannot be read",
	} {
		if i >= len(said) || !strings.HasPrefix(said[i], want) {
			t.Fatalf("problems\n%s\nwant at %d %s", strings.Join(said, "\n"), i, want)
		}
	}
	if len(said) != 8 || list[0].Name != "add_tenant" || templates.Find(list, "wrong_sql") == nil || templates.Find(list, "add_index").Title != "Ours" {
		t.Errorf("problems\n%s\nlist %v", strings.Join(said, "\n"), list)
	}

	names, texts, err := written(t, opts, workspace.NewRequest{Template: "add_tenant", Name: "add_tenant_to_orders"})
	if err != nil || len(names) != 1 || !strings.Contains(texts[names[0]], "ALTER TABLE orders ADD tenant uuid;\n\n-- +goose Down\nALTER TABLE orders DROP tenant;") {
		t.Errorf("%v %v %v", names, texts, err)
	}
	// A broken template is not replaced by the built-in one of its name.
	for name, want := range map[string]string{"add_triggers": "add_triggers.txtar:3:", "wrong_elixir": "no text for goose migrations"} {
		if _, _, err := written(t, opts, workspace.NewRequest{Template: name, Name: "x"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}

	// What an editor holds counts, saved or not; and so does what comes and goes
	// on disk.
	tenant := filepath.Join(dir, ".ddlsp", "templates", "add_tenant.txtar")
	session.Open(tenant, 1, "title: Typed\n-- up.sql --\nSELECT 1;\n")
	title := func(name string) string {
		list, _ := project(t, session).Templates()
		if tmpl := templates.Find(list, name); tmpl != nil {
			return tmpl.Title
		}
		return ""
	}
	if got := title("add_tenant"); got != "Typed" {
		t.Errorf("the open template is called %q", got)
	}
	session.Change(tenant, 2, func(*source.Lines) *source.Lines { return source.NewLines("title") })
	if got := title("add_tenant"); got != "" {
		t.Errorf("the broken template is called %q", got)
	}
	session.Close(tenant)
	if got := title("add_tenant"); got != "Add tenant" {
		t.Errorf("the closed template is called %q", got)
	}
	later := filepath.Join(dir, ".ddlsp", "templates", "later.txtar")
	if err := os.WriteFile(later, []byte("title: One\n-- up.sql --\nSELECT 1;\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := title("later"); got != "One" {
		t.Errorf("the new template is called %q", got)
	}
	if err := os.WriteFile(later, []byte("title: Two\n-- up.sql --\nSELECT 1;\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	session.Touch(later)
	if got := title("later"); got != "Two" {
		t.Errorf("the changed template is called %q", got)
	}
}

// The directory is the nearest one upward, and not beyond the repository.
func TestWhereTemplatesAre(t *testing.T) {
	one := "title: One\n-- up.sql --\nSELECT 1;\n"
	dir := tree(t, map[string]string{
		".ddlsp/templates/outside.txtar":                      one,
		"repo/.git/HEAD":                                      "",
		"repo/near/.ddlsp/templates/near.txtar":               one,
		"repo/near/go.mod":                                    "module a\n",
		"repo/near/db/migrations/00001_users.sql":             goose,
		"repo/far/go.mod":                                     "module b\n",
		"repo/far/migrations/00001_users.sql":                 goose,
		"shared/.git/HEAD":                                    "",
		"shared/.ddlsp/templates/shared.txtar":                one,
		"shared/services/one/go.mod":                          "module c\n",
		"shared/services/one/db/migrations/00001_users.sql":   goose,
		"shared/services/one/db/migrations/00002_another.sql": goose,
	})
	for at, want := range map[string]string{"repo/near": "near", "repo/far": "", "shared/services/one": "shared"} {
		list, problems := project(t, workspace.NewSession(workspace.Options{Dir: filepath.Join(dir, at)})).Templates()
		got := ""
		if list[0].Path != "" {
			got = list[0].Name
		}
		if got != want || len(problems) > 0 {
			t.Errorf("%s: %q, want %q; %v", at, got, want, problems)
		}
	}
}
