package pgparse

import (
	"testing"
)

func TestSplit(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"two", "SELECT 1; SELECT 2;\n", []string{"SELECT 1", "SELECT 2"}},
		{"no semicolon", "-- c\nSELECT 1 -- end\n", []string{"SELECT 1"}},
		{"only comments", "-- a\n/* b /* c */ ; */\n;;", nil},
		{"strings", `SELECT ';', "a;b", E'\';', $$;$$, $x$ $$; $x$; SELECT 2`, []string{`SELECT ';', "a;b", E'\';', $$;$$, $x$ $$; $x$`, "SELECT 2"}},
		{"parentheses", "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); SELECT 3", []string{"CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)", "SELECT 3"}},
		{"atomic", "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; SELECT 3", []string{"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END", "SELECT 3"}},
		{"transaction", "BEGIN; SELECT 1; END;", []string{"BEGIN", "SELECT 1", "END"}},
		{"meta", "\\connect x;\nSELECT 1;", []string{"\\connect x;", "SELECT 1"}},
		{"copy", "COPY t FROM stdin;\n1\ta;b\n\\.\nSELECT 1;", []string{"COPY t FROM stdin", "1\ta;b\n\\.", "SELECT 1"}},
		{"open quote", "SELECT 1; SELECT 'abc; SELECT 2", []string{"SELECT 1", "SELECT 'abc; SELECT 2"}},
		{"bom", "\ufeffSELECT 1;", []string{"SELECT 1"}},
		{"escape at end", `SELECT E'\`, []string{`SELECT E'\`}},
		{"operators and comments", "SELECT 1 +-- x;\n2; SELECT 3*/* ; */4", []string{"SELECT 1 +-- x;\n2", "SELECT 3*/* ; */4"}},
		{"parameters and dollars", "SELECT $1, a$b$c; SELECT $", []string{"SELECT $1, a$b$c", "SELECT $"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, p := range Split(tt.text) {
				got = append(got, p.Span.Of(tt.text))
			}
			if len(got) != len(tt.want) {
				t.Fatalf("got %q, want %q", got, tt.want)
			}
			for i := range got {
				if got[i] != tt.want[i] {
					t.Errorf("piece %d: got %q, want %q", i, got[i], tt.want[i])
				}
			}
		})
	}
}
