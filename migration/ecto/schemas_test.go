package ecto

import (
	"slices"
	"testing"

	"github.com/ddlsp/ddlsp/internal/source"
)

func TestSchemas(t *testing.T) {
	const head = "defmodule Shop.Repo.Migrations.M do\n  use Ecto.Migration\n"
	for _, c := range []struct {
		body string
		want []string
	}{
		{"def up do\n from(u in Shop.User, join: t in Shop.Team, on: true) |> Repo.update_all(set: [a: 1])\nend", []string{"Shop.User", "Shop.Team"}},
		{"alias Shop.Accounts.User\ndef up do\n User |> where([u], u.a) |> Repo.all()\n Repo.delete_all(User)\nend", []string{"Shop.Accounts.User"}},
		{"def up, do: repo().insert!(%Shop.Role{name: \"x\"})", []string{"Shop.Role"}},
		{"def up, do: run()\ndefp run, do: Shop.Repo.all({\"orders\", Shop.Order})", []string{"Shop.Order"}},
		{"def up do\n from(u in \"users\") |> Repo.update_all(set: [a: 1])\nend", nil},
		{"defmodule User do\n use Ecto.Schema\nend\ndef up, do: Repo.all(User)", nil},
		{"alias __MODULE__.User\ndefmodule User do\nend\ndef up, do: from(u in User) |> repo().all()", nil},
		{"def up, do: Enum.each(Shop.List, &IO.puts/1)", nil},
		{"def up, do: execute(\"SELECT 1 from x\")", nil},
		{"def up, do: Ecto.Adapters.SQL.query!(Shop.Repo, \"SELECT 1\", [])", nil},
		{"def up, do: Repo.", nil}, // half typed
	} {
		f := &source.File{Path: "/p/priv/repo/migrations/1_m.exs", Text: head + c.body + "\nend\n"}
		var got []string
		for _, s := range Read(f, nil, Options{}).Schemas {
			got = append(got, s.Name)
			if text := s.Span.Of(f.Text); lastPart(text) != lastPart(s.Name) {
				t.Errorf("%s stands at %q", s.Name, text)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s\n%q, want %q", c.body, got, c.want)
		}
	}
}

func TestSessionSettings(t *testing.T) {
	text := func(s string) value { return newText(s, source.Span{}) }
	parameters := newList([]value{{data: &tuple{[]value{{data: atom("lock_timeout")}, text("5s")}}}}, source.Span{})
	for _, c := range []struct {
		key  string
		v    value
		want []string
	}{
		{"parameters", parameters, []string{"lock_timeout"}},
		{"parameters", value{data: unknown{reason: "a call"}}, []string{"*"}},
		{"after_connect", value{data: unknown{reason: "a function"}}, []string{"*"}},
		{"after_connect", nilValue, nil},
		{"database", text("lock_timeout"), nil},
	} {
		if got := sessionSettings(c.key, c.v); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.key, got, c.want)
		}
	}
}
