package ecto

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// checkAny reads any text as a migration and checks what must always hold: no
// panic, bounded time, spans inside the file, editors that answer or refuse.
func checkAny(t testing.TB, text string) {
	t.Helper()
	start := time.Now()
	m := readText(text)
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
	checkMaps(t, m)
	try := func(what string, edits []source.Edit, err error) {
		if err != nil {
			return
		}
		if _, err := source.Apply(text, edits); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	e := m.Editor
	edits, err := e.LeaveTransaction(m, migration.Up)
	try("leave transaction", edits, err)
	edits, err = e.SetDown(m, []string{"SELECT 1"})
	try("set down", edits, err)
	edits, err = e.RaiseInDown(m, "why")
	try("raise in down", edits, err)
	for _, b := range []*migration.Body{m.Up, m.Down} {
		for _, s := range b.Statements() {
			edits, err = e.Concurrently(m, s)
			try("concurrently", edits, err)
			edits, err = e.InsertBefore(m, s, []string{"SELECT 1", "SELECT\n2"})
			try("insert before", edits, err)
			edits, err = e.InsertAfter(m, s, []string{`SELECT "x"`})
			try("insert after", edits, err)
			edits, err = e.AddKeyColumn(m, s, source.Span{}, "at")
			try("add key column", edits, err)
			for c := range commands(s.Command) {
				edits, err = e.Reverse(m, c, migration.Known{SQL: []string{"SELECT 1"}, Type: "numeric(10,2)", NotNull: true, Default: "now()"})
				try("reverse", edits, err)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	for i, v := range readVectors(f) {
		if i%7 == 0 {
			f.Add(v.Exs)
		}
	}
	f.Add(inModule("  def change do\n    for x <- 1..3, do: create(index(:t, [:\"a#{x}\"], where: ~s(b > '#{foo()}')))\n    execute \"\"\"\n    a\\n#{\"b\"}\n    \"\"\", \"\"\n  end\n"))
	f.Fuzz(func(t *testing.T, text string) { checkAny(t, text) })
}

// TestEdited reads migrations as they look while they are being typed: with
// pieces cut out, doubled or put elsewhere.
func TestEdited(t *testing.T) {
	vectors := readVectors(t)
	random := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"(", ")", "[", "]", "{", "}", "\"", "\"\"\"", "#{", "do", "end", "fn -> ", "|>", ",", ":", "\\", "~s(", "\n", "é", "\x00", "\xff", "&1", "@a", "<<", ">>", "'", "%{", "def "}
	rounds := 4
	if testing.Short() {
		rounds = 1
	}
	for range rounds {
		for i, v := range vectors {
			text := v.Exs
			other := vectors[(i*7+3)%len(vectors)].Exs
			for range 1 + random.IntN(4) {
				at := random.IntN(len(text) + 1)
				switch random.IntN(4) {
				case 0:
					text = text[:at] + pieces[random.IntN(len(pieces))] + text[at:]
				case 1:
					text = text[:at] + text[min(len(text), at+1+random.IntN(12)):]
				case 2:
					from := random.IntN(len(other))
					text = text[:at] + other[from:min(len(other), from+random.IntN(60))] + text[at:]
				case 3:
					text = text[:at]
				}
				if text == "" {
					text = "\n"
				}
			}
			func() {
				defer func() {
					if r := recover(); r != nil {
						t.Errorf("panic %v on\n%s", r, text)
						panic(r)
					}
				}()
				checkAny(t, text)
			}()
		}
	}
}

// TestBounds reads what would run without end or grow without bound.
func TestBounds(t *testing.T) {
	for name, body := range map[string]string{
		"range":         "for a <- 1..1_000_000_000, do: execute(\"SELECT 1\")",
		"nested ranges": "for a <- 1..10_000, b <- 1..10_000, do: {a, b}",
		"doubling":      "s0 = String.duplicate(\"x\", 100_000)\n    s1 = s0 <> s0\n    s2 = s1 <> s1\n    s3 = s2 <> s2\n    s4 = s3 <> s3\n    execute s4 <> s4",
		"recursion":     "f(1)",
		"big number":    "x = 10 * 10\n    " + "x = x * x\n    x = x * x\n    x = x * x\n    x = x * x\n    x = x * x\n    x = x * x\n    x = x * x\n    x = x * x\n    x = x * x\n    x = x * x\n    x = x * x",
		"attribute":     "execute @a",
		"exponential":   "Enum.map(1..10_000, fn _ -> Enum.map(1..10_000, fn x -> x end) end)",
	} {
		text := inModule("  @a @a\n  def change do\n    " + body + "\n  end\n  defp f(n), do: f(n) + f(n)\n")
		start := time.Now()
		checkAny(t, text)
		// Far above what the bound on steps allows, on a busy machine and under
		// the race detector, and far below what no bound would take.
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
	deep := "x = "
	for range 5000 {
		deep += "["
	}
	checkAny(t, inModule("  def change do\n    "+deep+"\n  end\n"))
}
