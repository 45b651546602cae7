package migration

import "github.com/ddlsp/ddlsp/internal/pgparse"

// Strings are the values of the string literals in a SQL text, those inside a
// dollar-quoted body included.
func Strings(sql string) []string {
	var out []string
	for _, t := range pgparse.Tokens(sql) {
		text := t.Of(sql)
		switch t.Kind {
		case pgparse.String:
			if v, ok := pgparse.StringValue(text); ok {
				out = append(out, v)
			}
		case pgparse.Dollar:
			inner := text[bodyStart(t, sql)-t.Start:]
			if body := inner[:max(0, len(inner)-(len(text)-len(inner)))]; body != "" {
				out = append(out, body)
				out = append(out, Strings(body)...)
			}
		}
	}
	return out
}
