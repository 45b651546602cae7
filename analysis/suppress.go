package analysis

import (
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// A suppression is one comment that hides findings.
type suppression struct {
	path string
	span source.Span // the comment's words
	// rules are the ids named, as written; empty means all.
	rules []suppressed
	// file: the whole file; else cover is the range in which findings begin.
	file  bool
	cover source.Span
	// own is set for ddlsp's own comments, which are judged themselves. tool is
	// the other tool whose comment it is, reason what it gives as one.
	own    bool
	block  bool // one of two, the other ends it
	tool   string
	reason string
	// hid are the rules of what a comment without names hid.
	hid []string
}

type suppressed struct {
	id   string // as written
	span source.Span
	// tool is the other tool whose comment it is, "" for ours.
	tool string
	used bool
}

// A scope says what a comment is about.
type scope int

const (
	nextStatement scope = iota // or its own line, when something stands before it
	wholeFile
	blockStart
	blockEnd
)

// A form is a comment of one tool: the words that start it, and whose rule
// names follow. bare: without a name it hides everything; else nothing.
var forms = []struct {
	words string
	tool  string
	scope scope
	bare  bool
}{
	{"ddlsp:ignore-file", "", wholeFile, true},
	{"ddlsp:ignore-start", "", blockStart, true},
	{"ddlsp:ignore-end", "", blockEnd, true},
	{"ddlsp:ignore", "", nextStatement, true},
	{"squawk-ignore-file", "squawk", wholeFile, true},
	{"squawk-ignore", "squawk", nextStatement, false},
	{"pgls-ignore-all", "pgls", wholeFile, false},
	{"pgls-ignore-start", "pgls", blockStart, false},
	{"pgls-ignore-end", "pgls", blockEnd, false},
	{"pgls-ignore", "pgls", nextStatement, false},
	{"excellent_migrations:safety-assured-for-this-file", "excellent_migrations", wholeFile, false},
	{"excellent_migrations:safety-assured-for-next-line", "excellent_migrations", nextStatement, false},
	{"atlas:nolint", "atlas", nextStatement, true},
	{"eugene: ignore", "eugene", nextStatement, true},
	{"eugene:ignore", "eugene", nextStatement, true},
	{"pgfence-ignore", "pgfence", nextStatement, true},
}

// The engine's own rules are found here and not by a pass.
const (
	unusedSuppression = "unused-suppression"
	unknownRule       = "unknown-rule-in-suppression"
	withoutReason     = "suppression-without-reason"
)

// suppress takes out the findings that comments hide, and adds findings about
// the comments themselves.
func (r *run) suppress(found []Finding) (kept []Finding, hidden int) {
	var all []*suppression
	for _, f := range r.m.Files {
		all = append(all, r.suppressions(f)...)
	}
	if len(all) == 0 {
		return found, 0
	}
	for _, f := range found {
		if r.hides(all, f) {
			hidden++
		} else {
			kept = append(kept, f)
		}
	}
	for _, s := range all {
		if !s.own {
			continue
		}
		kept = append(kept, r.judge(s)...)
		for _, id := range s.rules {
			i := slices.IndexFunc(r.l.rules, func(rule *Rule) bool { return rule.ID == id.id })
			var f Finding
			switch {
			case i < 0:
				f = Finding{Rule: unknownRule, Message: "no rule is named \"" + id.id + "\", so the comment hides nothing"}
				if near := r.nearest(id.id); near != "" {
					f.Help = "did you mean " + near + "?"
					f.Fixes = []Fix{{Title: "Change to " + near, Safe: true, Edits: []source.Edit{{Path: s.path, Span: id.span, New: near}}}}
				} else {
					f.Help = "the command \"ddlsp rules\" lists the names"
				}
			case !id.used && r.severity[i] != Off:
				f = Finding{Rule: unusedSuppression, Message: "the comment hides nothing: " + id.id + " finds nothing here", Help: "delete it"}
				if edit, ok := r.removal(s, id); ok {
					f.Fixes = []Fix{{Title: "Delete the suppression of " + id.id, Safe: true, Edits: []source.Edit{edit}}}
				}
			default:
				continue
			}
			f.Path, f.Span = s.path, id.span
			kept = append(kept, r.own(f)...)
		}
	}
	return kept, hidden
}

// own gives a finding of one of the engine's rules its severity; none when the
// rule is off.
func (r *run) own(f Finding) []Finding {
	n := slices.IndexFunc(r.l.rules, func(rule *Rule) bool { return rule.ID == f.Rule })
	if n < 0 || r.severity[n] == Off {
		return nil
	}
	f.Severity = r.severity[n]
	return []Finding{f}
}

// judge looks at a comment as a whole.
func (r *run) judge(s *suppression) []Finding {
	var out []Finding
	if s.reason == "" {
		out = append(out, r.own(Finding{Rule: withoutReason, Path: s.path, Span: s.span,
			Message: "nobody can tell later why this is hidden: the comment gives no reason",
			Help:    "write the reason after a colon"})...)
	}
	// With only some of the rules nobody knows what it would hide.
	if len(s.rules) > 0 || len(r.in.Settings.Select)+len(r.in.Settings.Ignore) > 0 {
		return out
	}
	f := Finding{Rule: unusedSuppression, Path: s.path, Span: s.span}
	if len(s.hid) == 0 {
		f.Message, f.Help = "the comment hides nothing", "delete it"
	} else {
		slices.Sort(s.hid)
		names := strings.Join(slices.Compact(s.hid), ", ")
		f.Message = "the comment names no rule and hides all of them, those of findings to come too"
		f.Help = "name the rules that it is about: " + names
		if at, ok := r.namesPlace(s); ok {
			f.Fixes = []Fix{{Title: "Name " + names, Safe: true, Edits: []source.Edit{{Path: s.path, Span: source.Span{Start: at, End: at}, New: " " + names}}}}
		}
	}
	return append(out, r.own(f)...)
}

// namesPlace is where the names of a comment without any belong.
func (r *run) namesPlace(s *suppression) (int, bool) {
	text := s.span.Of(r.text(s.path))
	for _, form := range forms {
		if i := strings.Index(text, form.words); form.tool == "" && i >= 0 {
			return s.span.Start + i + len(form.words), true
		}
	}
	return 0, false
}

func (r *run) hides(all []*suppression, f Finding) bool {
	hidden := false
	for _, s := range all {
		if s.path != f.Path || !s.file && (f.Span.Start < s.cover.Start || f.Span.Start > s.cover.End) {
			continue
		}
		if len(s.rules) == 0 {
			hidden = true
			s.hid = append(s.hid, f.Rule)
		}
		for i := range s.rules {
			if id := &s.rules[i]; id.id == f.Rule && id.tool == "" || r.means(*id, f.Rule) {
				id.used, hidden = true, true
			}
		}
	}
	return hidden
}

// means reports whether a name in a comment stands for a rule.
func (r *run) means(id suppressed, rule string) bool {
	if id.tool == "" {
		return id.id == rule
	}
	for _, other := range r.resolve(id) {
		if other.ID == rule {
			return true
		}
	}
	return false
}

// atlasAnalyzers are the analyzers of Atlas with the beginnings of their codes.
var atlasAnalyzers = map[string][]string{
	"destructive": {"atlas/ds"}, "data_depend": {"atlas/mf", "atlas/pg303"}, "incompatible": {"atlas/bc"}, "concurrent_index": {"atlas/pg101", "atlas/pg102", "atlas/pg103"},
	"naming": {"atlas/nm"}, "nestedtx": {"atlas/tx"}, "condrop": {"atlas/cd"},
}

// resolve finds the rules that a name in a comment means: one of ours, all that
// another tool's name stands for, or those of a group of its rules.
func (r *run) resolve(id suppressed) []*Rule {
	if id.tool == "" {
		if rule := r.l.ids[id.id]; rule != nil {
			return []*Rule{rule}
		}
		return nil
	}
	name := strings.ToLower(id.id)
	last := name[strings.LastIndexByte(name, '/')+1:]
	if found := r.l.alias[id.tool+"/"+last]; found != nil {
		return found
	}
	var groups []string
	switch {
	case id.tool == "pgls" && (name == "lint" || name == "lint/safety"):
		groups = []string{"pgls/"}
	case id.tool == "atlas":
		groups = atlasAnalyzers[name]
	}
	var out []*Rule
	for _, rule := range r.l.rules {
		for _, a := range rule.Aliases {
			if slices.ContainsFunc(groups, func(g string) bool { return strings.HasPrefix(strings.ToLower(a), g) }) {
				out = append(out, rule)
				break
			}
		}
	}
	return out
}

// removal deletes one name from a comment, or the whole comment with its line
// when it is the only one.
func (r *run) removal(s *suppression, id suppressed) (source.Edit, bool) {
	text := r.text(s.path)
	if len(s.rules) > 1 {
		span := id.span
		if span.Start > s.rules[0].span.Start { // with the comma before it
			for span.Start > 0 && strings.IndexByte(", \t", text[span.Start-1]) >= 0 {
				span.Start--
			}
		} else {
			for span.End < len(text) && strings.IndexByte(", \t", text[span.End]) >= 0 {
				span.End++
			}
		}
		return source.Edit{Path: s.path, Span: span}, true
	}
	if s.block {
		return source.Edit{}, false // its end would be left
	}
	span := s.span
	for span.Start > 0 && strings.IndexByte(" \t", text[span.Start-1]) >= 0 {
		span.Start--
	}
	if rest := text[span.End:]; span.Start == 0 || text[span.Start-1] == '\n' {
		switch {
		case strings.HasPrefix(rest, "\r\n"):
			span.End += 2
		case strings.HasPrefix(rest, "\n"):
			span.End++
		}
	}
	return source.Edit{Path: s.path, Span: span}, true
}

func (r *run) text(path string) string {
	if f := r.m.File(path); f != nil {
		return f.Text
	}
	return ""
}

var commentMark = regex.MustCompile(`(--|#|//)[ \t]*$`)

// suppressions finds the comments of a file.
func (r *run) suppressions(f *source.File) []*suppression {
	if !strings.Contains(f.Text, "ignore") && !strings.Contains(f.Text, "safety-assured") && !strings.Contains(f.Text, "nolint") {
		return nil
	}
	var out, open []*suppression
	var starts []source.Span
	for line := 0; line < len(f.Text); {
		end := line + strings.IndexByte(f.Text[line:], '\n')
		if end < line {
			end = len(f.Text)
		}
		row := strings.TrimRight(f.Text[line:end], "\r")
		for _, form := range forms {
			at := strings.Index(row, form.words)
			if at < 0 || continues(row[at+len(form.words):]) {
				continue
			}
			mark := commentMark.FindStringIndex(row[:at])
			if mark == nil {
				continue
			}
			s := &suppression{path: f.Path, span: source.Span{Start: line + mark[0], End: line + len(row)}, file: form.scope == wholeFile, block: form.scope == blockStart, own: form.tool == "", tool: form.tool}
			s.rules, s.reason = ruleNames(row[at+len(form.words):], line+at+len(form.words), form.tool)
			if form.scope == blockEnd {
				open = closeBlock(open, s, line)
				break
			}
			if len(s.rules) == 0 && !form.bare {
				break
			}
			switch {
			case form.tool == "atlas" && header(f.Text, line, end):
				s.file = true
			case form.scope == blockStart:
				s.cover = source.Span{Start: line, End: len(f.Text)}
				open = append(open, s)
			case form.scope == nextStatement:
				if starts == nil {
					starts = r.starts(f.Path)
				}
				if strings.TrimSpace(row[:mark[0]]) != "" {
					s.cover = source.Span{Start: line, End: end}
				} else {
					s.cover = next(f.Text, end, starts)
					s.cover.Start = line // what is reported at the start of the file, too
				}
			}
			out = append(out, s)
			break
		}
		line = end + 1
	}
	return out
}

// continues reports whether what follows the words of a form makes them part
// of a longer word.
func continues(rest string) bool {
	return rest != "" && (rest[0] == '-' && !strings.HasPrefix(rest, "--") || rest[0] == '_' || 'a' <= rest[0] && rest[0] <= 'z' || 'A' <= rest[0] && rest[0] <= 'Z')
}

// closeBlock ends the innermost block that an end comment is about: that of the
// same names, or without names the last one of the tool.
func closeBlock(open []*suppression, end *suppression, at int) []*suppression {
	for i := len(open) - 1; i >= 0; i-- {
		if open[i].tool == end.tool && (len(end.rules) == 0 || sameNames(open[i].rules, end.rules)) {
			open[i].cover.End = at
			return slices.Delete(open, i, i+1)
		}
	}
	return open
}

func sameNames(a, b []suppressed) bool {
	return slices.EqualFunc(a, b, func(x, y suppressed) bool { return x.id == y.id })
}

// header reports whether a line stands in the comments at the top of a file
// that an empty line parts from what follows.
func header(text string, line, end int) bool {
	for row := range strings.Lines(text[:line]) {
		if row = strings.TrimSpace(row); !strings.HasPrefix(row, "--") {
			return false
		}
	}
	for row := range strings.Lines(text[min(end+1, len(text)):]) {
		switch row = strings.TrimSpace(row); {
		case row == "":
			return true
		case !strings.HasPrefix(row, "--"):
			return false
		}
	}
	return false
}

// ruleNames reads "a, b: reason". at is the offset of rest in the file. The
// reason may also follow two hyphens.
func ruleNames(rest string, at int, tool string) (out []suppressed, reason string) {
	if tool == "pgfence" || tool == "eugene" {
		trimmed := strings.TrimLeft(rest, ": [")
		at += len(rest) - len(trimmed)
		rest = strings.TrimRight(trimmed, "] ")
	}
	for _, mark := range []string{":", "--"} {
		if i := strings.Index(rest, mark); i >= 0 {
			reason = strings.TrimSpace(rest[i+len(mark):])
			rest = rest[:i]
		}
	}
	for i := 0; i < len(rest); {
		if strings.IndexByte(", \t", rest[i]) >= 0 {
			i++
			continue
		}
		j := i
		for j < len(rest) && strings.IndexByte(", \t", rest[j]) < 0 {
			j++
		}
		out = append(out, suppressed{id: rest[i:j], span: source.Span{Start: at + i, End: at + j}, tool: tool})
		i = j
	}
	return out, reason
}

// next is the range that a comment covers which ends at offset from: the
// statement, command or definition that begins on the next line with code.
func next(text string, from int, starts []source.Span) source.Span {
	for line := from + 1; line < len(text); {
		end := line + strings.IndexByte(text[line:], '\n')
		if end < line {
			end = len(text)
		}
		row := strings.TrimSpace(text[line:end])
		if row != "" && !strings.HasPrefix(row, "--") && !strings.HasPrefix(row, "#") || strings.HasPrefix(row, "-- +goose Up") || strings.HasPrefix(row, "-- migrate:up") {
			cover := source.Span{Start: line, End: end}
			for _, s := range starts {
				if line <= s.Start && s.Start <= end && s.End > cover.End {
					cover.End = s.End
				}
			}
			return cover
		}
		line = end + 1
	}
	return source.Span{Start: from, End: from}
}

// starts are the spans of the statements and commands of a file.
func (r *run) starts(path string) []source.Span {
	out := []source.Span{}
	var commands func(cs []*migration.Command)
	commands = func(cs []*migration.Command) {
		for _, c := range cs {
			out = append(out, c.Span)
			commands(c.Sub)
		}
	}
	for _, d := range []migration.Direction{migration.Up, migration.Down} {
		for _, u := range r.m.Body(d).Units {
			for _, s := range u.Statements {
				if s.Path != path {
					continue
				}
				out = append(out, s.Span)
				if s.Command != nil {
					commands([]*migration.Command{s.Command})
				}
			}
		}
	}
	return out
}

// nearest is the rule id that a misspelt one probably means, or "".
func (r *run) nearest(id string) string {
	best, dist := "", len(id)/3+1
	for _, rule := range r.l.rules {
		if d := distance(id, rule.ID); d < dist {
			best, dist = rule.ID, d
		}
	}
	return best
}

// distance is the number of single-byte edits between two names.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		prev := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := prev
			if a[i-1] != b[j-1] {
				cost++
			}
			prev = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
