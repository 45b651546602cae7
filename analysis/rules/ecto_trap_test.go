package rules_test

import (
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/analysis/rules"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/migration/ecto"
)

// TestEctoTraps: every error that Ecto itself raises and every silent trap is
// reported by its rule, at the text that is wrong, and correct code is not.
func TestEctoTraps(t *testing.T) {
	analysis.PanicsEscape = true
	const (
		invalid = "ecto-invalid-option"
		ignored = "ecto-ignored-option"
		several = "ecto-execute-multiple-statements"
		flushed = "ecto-flush-in-change"
		hang    = "concurrent-index-without-migration-lock-opt-out"
	)
	for _, c := range []struct{ code, rule, at string }{
		{"create table(:t, primry_key: false)", invalid, "primry_key"},
		{"create index(:t, [:a], order: :desc)", invalid, "order"},
		{"create table(:t) do\n add :a, references(:u, on_delet: :nothing)\n end", invalid, "on_delet"},
		{"create table(:t) do\n add :a, references(:u, on_delete: :cascade)\n end", invalid, ":cascade"},
		{"create constraint(:t, :c, chek: \"a > 0\")", invalid, "chek"},
		{"create constraint(:t, :c)", invalid, "constraint(:t"},
		{"create constraint(:t, :c, check: \"a > 0\", exclude: \"x\")", invalid, "constraint(:t"},
		{"create table(:t) do\n add :a, :datetime\n end", invalid, ":datetime"},
		{"create table(:t) do\n add :a, Ecto.UUID\n end", invalid, "Ecto.UUID"},
		{"create table(:t) do\n add :a, \"text\"\n end", invalid, `"text"`},
		{"create table(:t) do\n add :a, :jsonb, default: %{}\n end", invalid, "%{}"},
		{"create table(:t) do\n add :a, :text, default: :x\n end", invalid, ":x"},
		{"create table(:t) do\n add :a, :decimal, scale: 2\n end", invalid, "add :a"},
		{"create table(\"a\\\"b\")", invalid, ""},
		{"create index(:t, [:a], nulls_distinct: false)", invalid, "index(:t"},
		{"create table(:t, options: [a: 1])", invalid, "[a: 1]"},
		{"add :a, :text", invalid, "add :a"},
		{"create table(:t) do\n add :a, :text, nullable: false\n end", ignored, "nullable: false"},
		{"create table(:t) do\n add :a, :text, nul: false\n end", ignored, "nul: false"},
		{"create table(:t) do\n add :a, references(:u), on_delete: :delete_all\n end", ignored, "on_delete: :delete_all"},
		{"create table(:t) do\n timestamps(usec: true)\n end", ignored, "usec: true"},
		{"create table(:t) do\n timestamps(type: :utc_datetime, precision: 6)\n end", ignored, "precision: 6"},
		{"create table(:t) do\n add :a, :utc_datetime, precision: 6\n end", ignored, "precision: 6"},
		{"drop index(:t, [:a]), concurrently: true", ignored, "concurrently: true"},
		{"execute \"SELECT 1; SELECT 2\", \"\"", several, "SELECT 1; SELECT 2"},
		{"execute \"\", \"SELECT 1; SELECT 2\"", several, "SELECT 1; SELECT 2"},
		{"create table(:t)\n flush()\n create table(:u)", flushed, "flush()"},
		{"@tx create index(:t, [:a], concurrently: true)", hang, "create index"},

		{"create table(:t, primary_key: false, prefix: \"p\", comment: \"c\", options: \"WITH (fillfactor = 70)\")", "", ""},
		{"create table(:t) do\n add :a, references(:u, on_delete: {:nilify, [:a]}, with: [b: :b], match: :full, validate: false), null: false, primary_key: true\n add :b, :decimal, precision: 10, scale: 2, default: 0, comment: \"c\"\n add :c, :utc_datetime_usec, precision: 3\n add :d, :identity, start_value: 5, increment: 2\n add :e, :string, size: 3, collation: \"C\", after: :b\n add :f, :integer, generated: \"ALWAYS AS (1) STORED\"\n timestamps(type: :utc_datetime, inserted_at: :made_at, updated_at: false, default: fragment(\"now()\"))\n end", "", ""},
		{"alter table(:t) do\n modify :a, :text, from: {:string, null: false}, null: true\n remove :b, references(:u, on_delete: :delete_all), null: false\n end", "", ""},
		{"create unique_index(:t, [\"lower(a)\", desc: :b], where: \"a > 0\", include: [:c], nulls_distinct: false, using: :btree, options: \"fillfactor = 70\", only: true, comment: \"c\", name: :n)", "", ""},
		{"drop index(:t, [:a], name: :n), mode: :cascade", "", ""},
		{"execute \"SELECT 1;\", \"\"", "", ""},
		{"execute \"CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END\", \"DROP FUNCTION f()\"", "", ""},
		{"execute \"DO $$ BEGIN PERFORM 1; PERFORM 2; END $$\", \"\"", "", ""},
		{"raise \"not today\"", "", ""},
		{"execute \"SELECT 1\"", "", ""},
	} {
		code, attributes := c.code, ""
		if rest, ok := strings.CutPrefix(code, "@tx "); ok {
			code, attributes = rest, "  @disable_ddl_transaction true\n"
		}
		text := "defmodule V do\n  use Ecto.Migration\n" + attributes + "  def change do\n    " + code + "\n  end\nend\n"
		m := ecto.Read(&source.File{Path: "/v/20240101000000_v.exs", Text: text}, nil, ecto.Options{})
		var got []string
		for _, f := range rules.Lint(analysis.Input{History: []*migration.Migration{m}}).Findings {
			if f.Rule == hang || strings.HasPrefix(f.Rule, "ecto-") {
				got = append(got, f.Rule)
				if f.Rule == c.rule && !strings.HasPrefix(f.Span.Of(text), c.at) {
					t.Errorf("%s: reported at %q", c.code, f.Span.Of(text))
				}
				for _, fix := range f.Fixes {
					if f.Rule == hang {
						continue
					}
					fixed, err := source.Apply(text, fix.Edits)
					if err != nil || !strings.Contains(fixed, "null: false") {
						t.Errorf("%s: %q makes %s (%v)", c.code, fix.Title, fixed, err)
					}
				}
			}
		}
		if want := strings.Fields(c.rule); strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%s\ngot %q, want %q", c.code, got, want)
		}
	}
}
