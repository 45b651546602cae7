package ecto

import (
	"math/big"
	"strings"
	"unicode/utf8"

	"github.com/ddlsp/ddlsp/internal/source"
)

// stringModule calls the functions of String that migrations use.
func stringModule(name string, args []value, span source.Span) (value, bool) {
	if len(args) == 0 {
		return value{}, false
	}
	s, ok := args[0].string()
	if !ok {
		return value{}, false
	}
	argument := func(i int) (string, bool) {
		if i >= len(args) {
			return "", false
		}
		return args[i].string()
	}
	result := func(r string) (value, bool) { return newText(r, span), true }
	if len(args) == 1 {
		switch name {
		case "upcase":
			return result(strings.ToUpper(s))
		case "downcase":
			return result(strings.ToLower(s))
		case "capitalize":
			_, n := utf8.DecodeRuneInString(s)
			return result(strings.ToUpper(s[:n]) + strings.ToLower(s[n:]))
		case "trim", "trim_leading", "trim_trailing":
			t := args[0].data.(*text)
			start, end := 0, len(s)
			if name != "trim_trailing" {
				start = len(s) - len(strings.TrimLeft(s, " \t\r\n\v\f"))
			}
			if name != "trim_leading" {
				end = max(start, len(strings.TrimRight(s, " \t\r\n\v\f")))
			}
			return value{&text{Fragment: t.Slice(source.Span{Start: start, End: end}), quote: t.quote}, span}, true
		case "to_atom", "to_existing_atom":
			return value{atom(s), span}, true
		case "to_integer":
			i, ok := new(big.Int).SetString(s, 10)
			return value{i, span}, ok
		case "length":
			return integer(int64(utf8.RuneCountInString(s)), span), true
		case "reverse":
			r := []rune(s)
			for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
				r[i], r[j] = r[j], r[i]
			}
			return result(string(r))
		case "split":
			var out []value
			for _, w := range strings.Fields(s) {
				out = append(out, newText(w, span))
			}
			return newList(out, span), true
		}
		return value{}, false
	}
	a, ok := argument(1)
	switch name {
	case "duplicate":
		n, ok := args[1].int()
		if !ok || n < 0 || n*int64(len(s)) > maxBytes {
			return value{}, false
		}
		return result(strings.Repeat(s, int(n)))
	case "starts_with?":
		return boolean(strings.HasPrefix(s, a), span), ok
	case "ends_with?":
		return boolean(strings.HasSuffix(s, a), span), ok
	case "contains?":
		return boolean(strings.Contains(s, a), span), ok
	case "split":
		if !ok || a == "" || len(args) > 2 {
			return value{}, false
		}
		var out []value
		for _, w := range strings.Split(s, a) {
			out = append(out, newText(w, span))
		}
		return newList(out, span), true
	case "replace":
		b, ok2 := argument(2)
		if !ok || !ok2 || len(args) > 3 || a == "" {
			return value{}, false
		}
		if len(s) > 0 && (len(s)/len(a)+1)*len(b) > maxBytes {
			return value{}, false
		}
		return result(strings.ReplaceAll(s, a, b))
	case "trim_leading":
		return newText(trimAll(s, a, strings.CutPrefix), span), ok
	case "trim_trailing":
		return newText(trimAll(s, a, strings.CutSuffix), span), ok
	case "replace_prefix", "replace_suffix":
		b, ok2 := argument(2)
		if !ok || !ok2 {
			return value{}, false
		}
		if rest, cut := strings.CutPrefix(s, a); cut && name == "replace_prefix" {
			return result(b + rest)
		}
		if rest, cut := strings.CutSuffix(s, a); cut && name == "replace_suffix" {
			return result(rest + b)
		}
		return result(s)
	case "pad_leading":
		n, ok := args[1].int()
		fill := " "
		if f, ok := argument(2); ok {
			fill = f
		}
		if !ok || len(fill) != 1 || n > 10_000 {
			return value{}, false
		}
		return result(strings.Repeat(fill, max(0, int(n)-utf8.RuneCountInString(s))) + s)
	}
	return value{}, false
}

func trimAll(s, cut string, f func(s, cut string) (string, bool)) string {
	for cut != "" {
		rest, ok := f(s, cut)
		if !ok {
			break
		}
		s = rest
	}
	return s
}
