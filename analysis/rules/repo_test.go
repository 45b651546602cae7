package rules

import (
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/internal/source"
)

func TestCallText(t *testing.T) {
	for _, c := range []struct{ text, call, want string }{
		{"\n  Repo.update_all(A, [])\n", "Repo.update_all(A, [])", "Repo.update_all(A, [])"},
		{"\n  A |> Repo.update_all([])\n", "Repo.update_all([])", "A |> Repo.update_all([])"},
		{"  x()\n  A\n  |> where([a], a.b)\n  |> Repo.update_all([])\n", "Repo.update_all([])", "A\n  |> where([a], a.b)\n  |> Repo.update_all([])"},
		{"  x()\n\n  from(a in \"as\",\n    where: a.b\n  )\n  |> Repo.update_all([])\n", "Repo.update_all([])", "from(a in \"as\",\n    where: a.b\n  )\n  |> Repo.update_all([])"},
		{"|> Repo.all()", "Repo.all()", "Repo.all()"},
		{"|>|>Repo.all()", "Repo.all()", "Repo.all()"},
		{"\n|>\n|>\nRepo.all()", "Repo.all()", "Repo.all()"},
	} {
		at := strings.Index(c.text, c.call)
		got := callText(c.text, source.Span{Start: at, End: at + len(c.call)})
		if strings.TrimLeft(got, "|> \n") != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}

func TestUnquotedPart(t *testing.T) {
	for expr, want := range map[string]bool{
		"'ANALYZE ' || t":                           true,
		"'ANALYZE ' || quote_ident(t)":              false,
		"'a' || quote_ident(s) || '.' || t":         true,
		"format('ANALYZE %s', t)":                   true,
		"format('ANALYZE %I.%I', s, t)":             false,
		"format('x = %L and ''%%s''', s)":           false,
		"'SELECT ' || 1 || E'\\n'":                  false,
		"t":                                         false,
		"'ANALYZE ' || t::regclass":                 false,
		"'a' || coalesce(t, 'b')":                   true,
		"$q$ANALYZE $q$ || quote_ident(t)":          false,
		"'a' || (SELECT string_agg(x, ',') FROM y)": true,
		"":       false,
		"||":     false,
		"'a' ||": false,
		"'":      false,
	} {
		if got := unquotedPart(expr); got != want {
			t.Errorf("%s: %v", expr, got)
		}
	}
}

func TestDuration(t *testing.T) {
	for text, want := range map[string]string{"5s": "5s", "5": "5ms", "1h": "1h0m0s", "0": "0s", "250 ms": "250ms", "1.5min": "1m30s", "-1": "-1ms"} {
		if d, _, ok := duration(text); !ok || d.String() != want {
			t.Errorf("%s: %s %v, want %s", text, d, ok, want)
		}
	}
	for _, text := range []string{"", "s", "5 weeks", "99999999999999999999", "5s; DROP"} {
		if d, _, ok := duration(text); ok {
			t.Errorf("%q is %s", text, d)
		}
	}
}
