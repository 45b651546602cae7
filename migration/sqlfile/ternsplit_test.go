package sqlfile

import (
	"slices"
	"testing"
)

func TestTernPieces(t *testing.T) {
	for text, want := range map[string][]string{
		"SELECT 1;\nSELECT 2;\n":                  {"SELECT 1;", "SELECT 2;"},
		"-- a; b\nSELECT 1 ;; SELECT 2":           {"-- a; b\nSELECT 1 ;", ";", "SELECT 2"},
		"SELECT ';', \";\", E'\\';', 'it''s;';x":  {"SELECT ';', \";\", E'\\';', 'it''s;';", "x"},
		"SELECT $$;$$, $a$;$b$;$a$;SELECT $1;":    {"SELECT $$;$$, $a$;$b$;$a$;", "SELECT $1;"},
		"SELECT $1a$;2":                           {"SELECT $1a$;", "2"},
		"/* ; /* ; */ ; */SELECT 1;/* the end */": {"/* ; /* ; */ ; */SELECT 1;", "/* the end */"},
		"-- hidden \\\nSELECT 1;\nSELECT 2;":      {"-- hidden \\\nSELECT 1;\nSELECT 2;"},
		"SELECT 'open;\nSELECT 2;":                {"SELECT 'open;\nSELECT 2;"},
		"SELECT $x$ $$x$;":                        {"SELECT $x$ $$x$;"},
		"  \n":                                    {"  \n"},
		"é;'ü;';":                                 {"é;", "'ü;';"},
	} {
		var got []string
		for _, s := range ternPieces(text) {
			got = append(got, s.Of(text))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
