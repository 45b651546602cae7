package lsp

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/ddlsp/ddlsp/internal/lsptest"
)

// Pieces that an edit may insert: statements, parts of them, and characters of
// one to four bytes, with every line end.
var inserts = []string{
	"a", " ", ";", "\n", "\r\n", "\r", "'", "é", "ß", "日本", "😀", "e\u0301", "\u2028", "-- ü\n", "/*", "*/", "$$",
	"CREATE INDEX orders_i ON orders (id);\n", "DROP TABLE ü;\n", "ALTER TABLE \"naïve😀\" ADD COLUMN x int NOT NULL;\n",
	"INSERT INTO t VALUES ('naïve 😀');\r\n", "CREATE TABLE t (id int);\n",
}

// randomEdit makes an edit between two character boundaries of text.
func randomEdit(r *rand.Rand, text string) lsptest.Change {
	start := boundary(text, r.IntN(len(text)+1))
	end := start
	switch r.IntN(4) {
	case 0: // delete or replace a little
		end = boundary(text, min(len(text), start+r.IntN(12)))
	case 1:
		if r.IntN(20) == 0 && len(text) > 4000 { // a big cut now and then
			end = boundary(text, min(len(text), start+2000))
		}
	}
	c := lsptest.Change{Start: start, End: max(start, end)}
	if c.Start == c.End || r.IntN(2) == 0 {
		c.Text = inserts[r.IntN(len(inserts))]
	}
	return c
}

func boundary(text string, i int) int {
	for i < len(text) && !utf8.RuneStart(text[i]) {
		i++
	}
	// A position between \r and \n does not exist in the protocol.
	if i > 0 && i < len(text) && text[i-1] == '\r' && text[i] == '\n' {
		i++
	}
	return i
}

// The server's text must be the client's after any number of edits, sent as
// fast as they can be written and mixed with requests, in every encoding; and
// what it says in the end must be what a server says that sees only the end.
func TestFlood(t *testing.T) {
	edits := 4000
	if testing.Short() {
		edits = 500
	}
	for _, encoding := range []string{lsptest.UTF16, lsptest.UTF8, lsptest.UTF32} {
		t.Run(encoding, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "20240101000000_flood ü.sql")
			r := rand.New(rand.NewPCG(7, uint64(len(encoding))))
			start := strings.Repeat("CREATE INDEX i ON \"tä😀\" (id);\r\nSELECT 'é';\n", 20)

			e := connect(t, lsptest.Options{Dir: dir, Encodings: []string{encoding}})
			if e.Encoding() != encoding {
				t.Fatalf("encoding = %q, want %q", e.Encoding(), encoding)
			}
			e.OpenText(path, start)
			var waiting []*lsptest.Pending
			for i := range edits {
				text := e.Text(path)
				switch {
				case i%997 == 996:
					e.SetText(path, start)
				case i%11 == 0: // several changes in one message
					first := randomEdit(r, text)
					text = text[:first.Start] + first.Text + text[first.End:]
					e.Edit(path, first, randomEdit(r, text))
				default:
					e.Edit(path, randomEdit(r, text))
				}
				if i%50 == 0 {
					waiting = append(waiting, e.Send("textDocument/hover", e.At(path, 0)))
				}
				if i%250 == 249 {
					sameText(t, e, path)
				}
			}
			for _, p := range waiting {
				if err := p.Wait(nil); err != nil {
					t.Errorf("hover: %v", err)
				}
			}
			got := e.Diagnostics(path)
			sameText(t, e, path)

			fresh := connect(t, lsptest.Options{Dir: dir, Encodings: []string{encoding}})
			fresh.OpenText(path, e.Text(path))
			want := fresh.Diagnostics(path)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("the diagnostics after %d edits differ from a fresh server's (-fresh +edited):\n%s", edits, d)
			}
		})
	}
}

func sameText(t *testing.T, e *lsptest.Editor, path string) {
	t.Helper()
	var texts map[string]string
	if err := e.Call("test/texts", nil, &texts); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(e.Text(path), texts[path]); d != "" {
		t.Fatalf("the server's text has parted from the client's (-client +server):\n%s", d)
	}
}

// Typing must never be answered by an older version after a newer one, and
// the last version must be answered. The editor checks the order.
func TestTypingIsAnswered(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "20240101000000_x.sql")
	e := connect(t, lsptest.Options{Dir: dir})
	e.OpenText(path, "")
	e.Diagnostics(path)
	for i, c := range strings.Split(strings.Repeat("CREATE INDEX i ON t (é);\n", 8), "") {
		n := len(e.Text(path))
		e.Edit(path, lsptest.Change{Start: n, End: n, Text: c})
		if i%5 == 0 {
			e.Diagnostics(path)
		}
	}
	e.Diagnostics(path)
}

// A request sees the text that stood when it was sent, whatever comes after.
func TestRequestsSeeTheirMoment(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "20240101000000_x.sql")
	e := connect(t, lsptest.Options{Dir: dir})
	e.OpenText(path, "SELECT 0;\n")
	var waiting []*lsptest.Pending
	for i := range 200 {
		waiting = append(waiting, e.Send("textDocument/documentSymbol", map[string]any{"textDocument": map[string]any{"uri": lsptest.URI(path)}}))
		e.SetText(path, strings.Repeat("SELECT 1;\n", i+2))
	}
	for i, p := range waiting {
		var symbols []struct{ Children []json.RawMessage }
		if err := p.Wait(&symbols); err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, s := range symbols {
			n += max(1, len(s.Children))
		}
		if n != i+1 {
			t.Fatalf("request %d saw %d statements, want %d", i, n, i+1)
		}
	}
}

// Closed documents are cleared, and one opened anew begins anew.
func TestCloseClears(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "20240101000000_x.sql")
	e := connect(t, lsptest.Options{Dir: dir})
	for range 30 {
		e.OpenText(path, "SELEC 1;\n")
		for i := range 5 {
			e.Edit(path, lsptest.Change{Start: 0, End: 0, Text: fmt.Sprintf("-- %d\n", i)})
		}
		if len(e.Diagnostics(path)) == 0 {
			t.Fatal("no diagnostics for a syntax error")
		}
		e.Close(path)
		e.AwaitDiagnostics(path, func(d []lsptest.Diagnostic) bool { return len(d) == 0 })
	}
	time.Sleep(20 * time.Millisecond)
	if n := len(e.AwaitDiagnostics(path, func([]lsptest.Diagnostic) bool { return true })); n != 0 {
		t.Errorf("%d diagnostics for a closed document", n)
	}
}
