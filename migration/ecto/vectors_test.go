package ecto

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/migration/ecto/internal/syntax"
)

// A vector is one migration that real Ecto ran, with the statements that it
// sent and the error that it raised.
type vector struct {
	Name      string
	Exs       string
	Direction migration.Direction
	SQL       []string
	Error     string
	Config    string
	Opts      string
	MapType   string `json:"map_type"`
}

func readVectors(t testing.TB) []vector {
	f, err := os.Open("testdata/vectors.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []vector
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		var v vector
		if err := json.Unmarshal(sc.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	if len(out) == 0 {
		t.Fatal("no vectors")
	}
	return out
}

func (v vector) read(t testing.TB) *migration.Migration {
	repo := &Repo{Name: "Oracle.Repo"}
	if v.Config != "" {
		settings, ok := parseExpression(v.Config).keywords()
		if !ok {
			t.Fatalf("config %s does not read", v.Config)
		}
		repo.Config.apply(settings)
		if len(repo.Config.Unknown) > 0 {
			t.Errorf("config %s: unknown %v", v.Config, repo.Config.Unknown)
		}
	}
	repo.Config.MapType = strings.Trim(v.MapType, `"`)
	opts := Options{
		Env:      func(string) (string, bool) { return "", false },
		ReadFile: func(string) (string, error) { return "", errors.New("no such file") },
	}
	if v.Opts != "" {
		settings, _ := parseExpression(v.Opts).keywords()
		p, _ := option(settings, "prefix")
		opts.Prefix, _ = p.name()
	}
	return Read(&source.File{Path: "/p/priv/repo/migrations/20240101000000_vec.exs", Text: v.Exs}, repo, opts)
}

// sameSQL compares byte for byte, the JSON of a map's default as JSON.
func sameSQL(got, want string) bool {
	if got == want {
		return true
	}
	a, b := strings.Index(got, "DEFAULT '{"), strings.Index(want, "DEFAULT '{")
	if a < 0 || a != b || got[:a] != want[:b] {
		return false
	}
	var x, y any
	split := func(s string) (string, string) {
		s = s[a+len("DEFAULT '"):]
		end := strings.LastIndex(s, "}'") + 1
		return s[:end], s[end:]
	}
	j, rest := split(got)
	k, rest2 := split(want)
	return rest == rest2 && json.Unmarshal([]byte(j), &x) == nil && json.Unmarshal([]byte(k), &y) == nil && reflect.DeepEqual(x, y)
}

func TestVectors(t *testing.T) {
	good := 0
	vectors := readVectors(t)
	for _, v := range vectors {
		ok := t.Run(v.Name, func(t *testing.T) {
			m := v.read(t)
			b := m.Body(v.Direction)
			if strings.HasPrefix(v.Error, "COMPILE") {
				if len(m.Problems) == 0 || m.Beam == "" {
					t.Errorf("Elixir does not compile it, we see no problem")
				}
				return
			}
			var got []string
			for _, s := range b.Statements() {
				if s.Opaque != "" {
					t.Errorf("opaque: %s", s.Opaque)
				}
				got = append(got, s.SQL)
			}
			want := v.SQL
			if n := len(want); n > 0 && strings.HasPrefix(want[n-1], `INSERT INTO "my_versions"`) {
				want = want[:n-1]
			}
			fromServer := strings.Contains(v.Error, "(Postgrex.Error)")
			if strings.HasPrefix(v.Error, "UP FAILED") {
				return // recorded to show that down was never reached
			}
			if len(got) != len(want) && !(fromServer && len(got) > len(want)) {
				t.Fatalf("sent %d statements, want %d\ngot  %q\nwant %q", len(got), len(want), got, want)
			}
			for i := range want {
				if !sameSQL(got[i], want[i]) {
					t.Errorf("statement %d\ngot  %s\nwant %s", i, got[i], want[i])
				}
			}
			wantErr := v.Error
			if fromServer {
				wantErr = ""
			}
			gotErr := ""
			if b.Err != nil {
				gotErr = b.Err.Message
			}
			if gotErr != wantErr {
				t.Errorf("error\ngot  %s\nwant %s", gotErr, wantErr)
			}
		})
		if ok {
			good++
		}
	}
	t.Logf("%d of %d vectors", good, len(vectors))
}

// benchmarkText is a migration of some 200 lines.
func benchmarkText() string {
	var b strings.Builder
	b.WriteString("defmodule Big do\n  use Ecto.Migration\n\n  def change do\n")
	for i := range 18 {
		t := "table_" + itoa(i)
		b.WriteString("    create table(:" + t + ", primary_key: false) do\n      add :id, :uuid, primary_key: true\n      add :name, :string, null: false, default: \"x\"\n      add :owner_id, references(:users, on_delete: :delete_all), null: false\n      add :price, :decimal, precision: 10, scale: 2\n      timestamps(type: :utc_datetime)\n    end\n\n    create index(:" + t + ", [:owner_id])\n    execute \"\"\"\n    CREATE VIEW v_" + t + " AS SELECT * FROM " + t + "\n    \"\"\", \"DROP VIEW v_" + t + "\"\n")
	}
	b.WriteString("  end\nend\n")
	return b.String()
}

func BenchmarkRead(b *testing.B) {
	text := benchmarkText()
	b.SetBytes(int64(len(text)))
	b.ReportMetric(float64(strings.Count(text, "\n")), "lines")
	for b.Loop() {
		if m := readText(text); len(m.Up.Units) != 54 || len(m.Down.Units) != 54 {
			b.Fatalf("%d up, %d down", len(m.Up.Units), len(m.Down.Units))
		}
	}
}

func BenchmarkParse(b *testing.B) {
	text := benchmarkText()
	for b.Loop() {
		syntax.Parse(text)
	}
}
