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
	// own is set for ddlsp's own comments, which are judged themselves.
	own bool
}

type suppressed struct {
	id   string // as written
	span source.Span
	// tool is the other tool whose comment it is, "" for ours.
	tool string
	used bool
}

// A comment form of one tool: the words that start it, whether it is for the
// whole file, and whose rule names follow.
var forms = []struct {
	words string
	tool  string
	file  bool
}{
	{"ddlsp:ignore-file", "", true},
	{"ddlsp:ignore", "", false},
	{"squawk-ignore-file", "squawk", true},
	{"squawk-ignore", "squawk", false},
	{"pgls-ignore-all", "pgls", true},
	{"pgls-ignore", "pgls", false},
	{"excellent_migrations:safety-assured-for-this-file", "excellent_migrations", true},
	{"excellent_migrations:safety-assured-for-next-line", "excellent_migrations", false},
	{"atlas:nolint", "atlas", false},
	{"eugene: ignore", "eugene", false},
	{"pgfence-ignore", "pgfence", false},
}

// The engine's own two rules are found here and not by a pass.
const (
	unusedSuppression = "unused-suppression"
	unknownRule       = "unknown-rule-in-suppression"
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
		for _, id := range s.rules {
			i := slices.IndexFunc(r.l.rules, func(rule *Rule) bool { return rule.ID == id.id })
			var f Finding
			switch {
			case i < 0 && r.resolve(id) == nil:
				f = Finding{Rule: unknownRule, Message: "no rule is named \"" + id.id + "\", so the comment hides nothing"}
				if near := r.nearest(id.id); near != "" {
					f.Help = "did you mean " + near + "?"
					f.Fixes = []Fix{{Title: "Change to " + near, Safe: true, Edits: []source.Edit{{Path: s.path, Span: id.span, New: near}}}}
				} else {
					f.Help = "the command \"ddlsp rules\" lists the names"
				}
			case !id.used && (i < 0 || r.severity[i] != Off):
				f = Finding{Rule: unusedSuppression, Message: "the comment hides nothing: " + id.id + " finds nothing here", Help: "delete it"}
				if edit, ok := r.removal(s, id); ok {
					f.Fixes = []Fix{{Title: "Delete the suppression of " + id.id, Safe: true, Edits: []source.Edit{edit}}}
				}
			default:
				continue
			}
			n := slices.IndexFunc(r.l.rules, func(rule *Rule) bool { return rule.ID == f.Rule })
			if n < 0 || r.severity[n] == Off {
				continue
			}
			f.Severity, f.Path, f.Span = r.severity[n], s.path, id.span
			kept = append(kept, f)
		}
	}
	return kept, hidden
}

func (r *run) hides(all []*suppression, f Finding) bool {
	hidden := false
	for _, s := range all {
		if s.path != f.Path || !s.file && (f.Span.Start < s.cover.Start || f.Span.Start > s.cover.End) {
			continue
		}
		if len(s.rules) == 0 {
			hidden = true
		}
		for i := range s.rules {
			if id := &s.rules[i]; id.id == f.Rule || r.resolve(*id) != nil && r.resolve(*id).ID == f.Rule {
				id.used, hidden = true, true
			}
		}
	}
	return hidden
}

// resolve finds the rule that a name in a comment means, or nil.
func (r *run) resolve(id suppressed) *Rule {
	if id.tool == "" {
		return r.l.ids[id.id]
	}
	name := strings.ToLower(id.id)
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		name = name[i+1:]
	}
	return r.l.alias[id.tool+"/"+name]
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
	span := s.span
	for span.Start > 0 && strings.IndexByte(" \t", text[span.Start-1]) >= 0 {
		span.Start--
	}
	if (span.Start == 0 || text[span.Start-1] == '\n') && span.End < len(text) && text[span.End] == '\n' {
		span.End++
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
	var out []*suppression
	var starts []source.Span
	for line := 0; line < len(f.Text); {
		end := line + strings.IndexByte(f.Text[line:], '\n')
		if end < line {
			end = len(f.Text)
		}
		row := strings.TrimRight(f.Text[line:end], "\r")
		for _, form := range forms {
			at := strings.Index(row, form.words)
			if at < 0 {
				continue
			}
			mark := commentMark.FindStringIndex(row[:at])
			if mark == nil {
				continue
			}
			s := &suppression{path: f.Path, span: source.Span{Start: line + mark[0], End: line + len(row)}, file: form.file, own: form.tool == ""}
			s.rules = ruleNames(row[at+len(form.words):], line+at+len(form.words), form.tool)
			if len(s.rules) == 0 && form.tool != "" && form.tool != "eugene" && form.tool != "atlas" && form.tool != "pgfence" {
				break // a bare comment of these tools hides nothing
			}
			if !form.file {
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

// ruleNames reads "a, b: reason". at is the offset of rest in the file.
func ruleNames(rest string, at int, tool string) []suppressed {
	if tool == "pgfence" || tool == "eugene" {
		trimmed := strings.TrimLeft(rest, ": [")
		at += len(rest) - len(trimmed)
		rest = strings.TrimRight(trimmed, "] ")
	}
	if i := strings.IndexByte(rest, ':'); i >= 0 {
		rest = rest[:i]
	}
	if i := strings.Index(rest, "--"); i >= 0 {
		rest = rest[:i]
	}
	var out []suppressed
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
	return out
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
