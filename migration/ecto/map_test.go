package ecto

import (
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// checkMaps checks what must hold for every statement of any file: its map
// covers its SQL, leads into the file, and where it is exact the bytes agree.
func checkMaps(t testing.TB, m *migration.Migration) {
	t.Helper()
	text := m.Files[0].Text
	inside := func(what string, s source.Span) {
		if s.Start < 0 || s.End < s.Start || s.End > len(text) {
			t.Fatalf("%s: span %v is not in the file of %d bytes", what, s, len(text))
		}
	}
	for _, p := range m.Problems {
		inside("problem", p.Span)
	}
	for _, b := range []*migration.Body{m.Up, m.Down} {
		inside("body", b.Span)
		inside("directive", b.TxSpan)
		if b.Err != nil {
			inside("error", b.Err.Span)
		}
		for _, s := range b.Statements() {
			if s.Path != m.Files[0].Path {
				t.Fatalf("path %q", s.Path)
			}
			inside(s.SQL, s.Span)
			at := 0
			for _, g := range s.Map.Segments() {
				inside(s.SQL, g.Origin)
				if g.At != at {
					t.Fatalf("%q: map has a gap at %d", s.SQL, at)
				}
				at += g.Len
				if g.Exact && s.SQL[g.At:g.At+g.Len] != g.Origin.Of(text) {
					t.Fatalf("%q: %q is said to be %q", s.SQL, s.SQL[g.At:g.At+g.Len], g.Origin.Of(text))
				}
			}
			if at != len(s.SQL) {
				t.Fatalf("%q: map covers %d of %d bytes", s.SQL, at, len(s.SQL))
			}
			for _, u := range s.Unknown {
				if u.Start < 0 || u.End > len(s.SQL) || u.Start >= u.End {
					t.Fatalf("%q: unknown part %v", s.SQL, u)
				}
			}
			for c := range commands(s.Command) {
				inside(c.Name, c.Span)
				inside(c.Name, c.ObjectSpan)
				inside(c.Name, c.TypeSpan)
				for _, o := range c.Options {
					inside(o.Key, o.Span)
					inside(o.Key, o.Value)
				}
			}
		}
	}
}

// commands yields a command and those inside it.
func commands(c *migration.Command) map[*migration.Command]bool {
	out := map[*migration.Command]bool{}
	if c != nil {
		out[c] = true
		for _, sub := range c.Sub {
			out[sub] = true
		}
	}
	return out
}

func TestVectorMaps(t *testing.T) {
	for _, v := range readVectors(t) {
		checkMaps(t, v.read(t))
	}
}

// TestClauseMaps checks that each clause of the SQL leads to the part of the
// DSL that asked for it.
func TestClauseMaps(t *testing.T) {
	text := inChange(`create table(:orders, prefix: "sales") do
  add :key, :uuid, primary_key: true
  add :note, :string,
    null: false,
    default: "it's"

  add :user_id, references(:users, on_delete: :delete_all), comment: "who"
  timestamps(type: :utc_datetime)
end

index(:orders, [:note, "lower(note)"], unique: true, where: "note <> ''") |> create()
create constraint(:orders, :positive, check: "total > 0", validate: false)
`)
	m := readText(text)
	ss := m.Up.Statements()
	if len(ss) != 4 {
		t.Fatalf("%d statements", len(ss))
	}
	for _, c := range []struct {
		statement int
		sql, file string
	}{
		{0, `CREATE TABLE`, "create"},
		{0, `orders`, ":orders"},
		{0, `sales`, "sales"},
		{0, ` NOT NULL`, "null: false"},
		{0, ` DEFAULT `, `default: "it's"`},
		{0, `it`, "it"},
		{0, `varchar(255)`, ":string"},
		{0, ` ON DELETE CASCADE`, "on_delete: :delete_all"},
		{0, `users`, ":users"},
		{0, `inserted_at`, "timestamps(type: :utc_datetime)"},
		{0, `timestamp(0)`, ":utc_datetime"},
		{0, `,"key"`, "primary_key: true"},
		{1, `who`, "who"},
		{2, `UNIQUE `, "unique: true"},
		{2, `lower(note)`, "lower(note)"},
		{2, `note <> ''`, "note <> ''"},
		{3, `positive`, ":positive"},
		{3, `total > 0`, "total > 0"},
		{3, ` NOT VALID`, "validate: false"},
	} {
		s := ss[c.statement]
		at := strings.Index(s.SQL, c.sql)
		if at < 0 {
			t.Errorf("%q is not in %s", c.sql, s.SQL)
			continue
		}
		if got := s.Where(source.Span{Start: at, End: at + len(c.sql)}).Of(text); got != c.file {
			t.Errorf("%s leads to %q, want %q", c.sql, got, c.file)
		}
	}
	// A column's definition begins at its add, whatever line its options are on.
	at := strings.Index(ss[0].SQL, `"note"`)
	if got := ss[0].Where(source.Span{Start: at, End: strings.Index(ss[0].SQL, " NOT NULL")}).Of(text); !strings.HasPrefix(got, "add :note, :string") {
		t.Errorf("the definition leads to %q", got)
	}
	if got := ss[2].Span.Of(text); !strings.HasPrefix(got, "index(:orders") || !strings.HasSuffix(got, "create()") {
		t.Errorf("a piped command stands at %q", got)
	}
	sub := ss[0].Command.Sub
	if len(sub) != 4 || sub[1].Column != "note" || sub[1].Type != ":string" || sub[1].Option("null").Text != "false" || sub[3].Name != "timestamps" {
		t.Errorf("commands of the block: %+v", sub)
	}
	if r := sub[2]; r.Object != "references" || r.Option("on_delete") == nil || r.Option("comment") == nil {
		t.Errorf("references: %+v", r)
	}
}

// TestHeredocMap checks every byte of a heredoc with indentation, escapes and
// an interpolation.
func TestHeredocMap(t *testing.T) {
	text := inModule("  @table \"orders\"\n\n  def up do\n    execute \"\"\"\n    -- why\n    CREATE INDEX é_ix\n      ON #{@table} (a)\\tWHERE b = '\\\"'\n    \"\"\"\n  end\n")
	s := readText(text).Up.Statements()[0]
	if want := "-- why\nCREATE INDEX é_ix\n  ON orders (a)\tWHERE b = '\"'\n"; s.SQL != want {
		t.Fatalf("got %q", s.SQL)
	}
	if got := s.Span.Of(text); !strings.HasPrefix(got, "CREATE INDEX é_ix\n") || !strings.HasSuffix(got, "'") {
		t.Errorf("the statement stands at %q", got)
	}
	for i := 0; i < len(s.SQL); i++ {
		offset, exact := s.Map.Offset(i)
		switch {
		case exact && text[offset] != s.SQL[i]:
			t.Errorf("byte %d %q leads to %q", i, s.SQL[i], text[offset])
		case !exact:
			got := s.Map.Span(source.Span{Start: i, End: i + 1}).Of(text)
			if got != "#{@table}" && got != `\t` && got != `\"` {
				t.Errorf("byte %d %q leads to %q", i, s.SQL[i], got)
			}
		}
	}
	// An edit inside one line is exact, one over the stripped indentation is not.
	at := strings.Index(s.SQL, "INDEX")
	if e, ok := s.Edit(source.Span{Start: at, End: at + 5}, "X"); !ok || e.Span.Of(text) != "INDEX" {
		t.Errorf("edit %+v, %v", e, ok)
	}
	if _, ok := s.Edit(source.Span{Start: at, End: strings.Index(s.SQL, "ON") + 2}, "X"); ok {
		t.Error("text over two lines of a heredoc does not stand in the file as it is")
	}
	if got := s.Quote(`a"""b\d#{c}`); got != `a\"""b\\d\#{c}` {
		t.Errorf("quoted: %s", got)
	}
}

func TestRepeated(t *testing.T) {
	m := readText(inModule("  def change do\n    for t <- [:a, :b], do: create(index(t, [:x]))\n    ix(:c)\n  end\n\n  defp ix(t), do: create(index(t, [:y]))\n"))
	ss := m.Up.Statements()
	if len(ss) != 3 || !ss[0].Command.Repeated || !ss[1].Command.Repeated || ss[2].Command.Repeated {
		t.Errorf("repeated: %v", ss)
	}
	if got := ss[0].Span.Of(m.Files[0].Text); got != "create(index(t, [:x]))" {
		t.Errorf("a command of a loop stands at %q", got)
	}
	if got := ss[2].Span.Of(m.Files[0].Text); got != "create(index(t, [:y]))" {
		t.Errorf("a command of a helper stands at %q", got)
	}
}
