package snippets

import (
	"strconv"
	"strings"

	"github.com/ddlsp/ddlsp/templates"
)

// escape protects the characters that mean something in a snippet.
var escape = strings.NewReplacer(`\`, `\\`, `$`, `\$`, `}`, `\}`)

// Encode writes the text of a template in the snippet syntax of the language
// server protocol, with the values as the fields' defaults.
func Encode(t *templates.Template, text templates.Text, values map[string]string) string {
	return encode(t, text, values)
}

// encode writes text in the snippet syntax of the language server protocol.
// Tab stops are numbered in the order of the template's fields; a field's
// first place has its default, the others mirror it. There are no choices:
// not every editor shows them.
func encode(t *templates.Template, text templates.Text, values map[string]string) string {
	stops := map[string]int{}
	used := map[string]bool{}
	for _, name := range text.Fields() {
		used[name] = true
	}
	for _, f := range t.Fields {
		if used[f.Name] {
			stops[f.Name] = len(stops) + 1
		}
	}
	var b strings.Builder
	seen := map[string]bool{}
	for _, s := range text.Segments() {
		switch {
		case s.Field == "":
			b.WriteString(escape.Replace(s.Literal))
		case seen[s.Field]:
			b.WriteString("${" + strconv.Itoa(stops[s.Field]) + "}")
		default:
			seen[s.Field] = true
			b.WriteString("${" + strconv.Itoa(stops[s.Field]) + ":" + escape.Replace(values[s.Field]) + "}")
		}
	}
	b.WriteString("$0")
	return b.String()
}
