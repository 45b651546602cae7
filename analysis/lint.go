package analysis

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// Settings are what configuration says, as plain values. The zero value is a
// current PostgreSQL with every rule at its default.
type Settings struct {
	// PostgresVersion is the major version, 0 for a current one.
	PostgresVersion int
	// TimescaleVersion is like "2.20", "" for a current one.
	TimescaleVersion string
	// ForwardOnly: the project does not roll back; rules about a missing down
	// are quiet.
	ForwardOnly bool
	// Severities of rules by id; Off switches a rule off.
	Severities map[string]Severity
	// SeveritiesFor returns further severities for one file, which win over
	// Severities; nil for none.
	SeveritiesFor func(path string) map[string]Severity
	// Select, when not empty, are exactly the rules that run, those off by
	// default too. Ignore are rules that do not run.
	Select, Ignore []string
	// StartAfter: migrations with a version up to this one are not judged.
	StartAfter string
	// SmallTables are names (schema.table outside public) of tables on which
	// rules about the size of the work are quiet.
	SmallTables []string
	// Session are the server settings that the migrations' connection has before
	// they run, by name ("lock_timeout"); "*" where they may be any.
	Session []string
	// Sizes are those of tables by name (schema.table outside public), as the
	// statistics of a database that is like production say; LargeRows is from
	// when on one is large, 0 for DefaultLargeRows.
	Sizes     map[string]TableSize
	LargeRows int64
	// CheckDown: rules that judge up judge down as well.
	CheckDown bool
	// Naming are regular expressions that names must match, by what is named.
	Naming map[string]string
	// Pasts are what is known of what others have run already.
	Pasts []Past
}

// A Past is a place where migrations were run or published before, and can no
// longer be changed: a database, the branch that others work from.
type Past struct {
	// Where names it for people: "main", "the database shop".
	Where string
	// Has reports whether a migration is there, and whether it did something
	// else when it got there. It must be safe for concurrent use.
	Has func(m *migration.Migration) (there, edited bool)
}

// Input is one migration to be judged in its history.
type Input struct {
	// History are all migrations in the order in which the tool runs them.
	History []*migration.Migration
	// Target is the index of the one to judge.
	Target int
	// Before is the catalog that History[:Target] leaves; nil to have it
	// computed.
	Before *schema.Catalog
	// End returns the catalog that the whole history leaves; nil to have it
	// computed.
	End func() *schema.Catalog
	// Follow returns the edits that write new migrations at the end of the
	// history, in the format and with the names that the project has; nil where
	// none can be written.
	Follow   func(list []Followup) ([]source.Edit, error)
	Settings Settings
}

// A Result is what was found.
type Result struct {
	// Findings are sorted by path, place and rule.
	Findings []Finding
	// Suppressed is the number of findings that comments hid.
	Suppressed int
}

// A Linter is a set of rules made ready to run. It is safe for concurrent use.
type Linter struct {
	rules []*Rule
	ids   map[string]*Rule
	alias map[string][]*Rule     // by tool/name in lower case
	byOp  map[reflect.Type][]int // indexes into rules
}

// NewLinter makes the rules ready.
func NewLinter(rules []*Rule) *Linter {
	l := &Linter{rules: rules, ids: map[string]*Rule{}, alias: map[string][]*Rule{}, byOp: map[reflect.Type][]int{}}
	for i, r := range rules {
		l.ids[r.ID] = r
		for _, a := range r.Aliases {
			l.alias[strings.ToLower(a)] = append(l.alias[strings.ToLower(a)], r)
		}
		for _, op := range r.On {
			t := reflect.TypeOf(op)
			l.byOp[t] = append(l.byOp[t], i)
		}
	}
	return l
}

// Rules are the rules in the given order.
func (l *Linter) Rules() []*Rule { return l.rules }

// Rule returns a rule by its id, or nil.
func (l *Linter) Rule(id string) *Rule { return l.ids[id] }

// Lint judges one migration.
func (l *Linter) Lint(in Input) Result {
	m := in.History[in.Target]
	if !after(m.Version, in.Settings.StartAfter) {
		return Result{}
	}
	before := in.Before
	if before == nil {
		before = schema.New().Fold(in.History[:in.Target])
	}
	run := l.newRun(in, m)
	up := run.pass(migration.Up, before)
	run.walk(up)
	down := run.pass(migration.Down, up.After)
	up.Other, down.Other = down, up
	run.walk(down)
	for i, r := range l.rules {
		if run.severity[i] == Off {
			continue
		}
		if r.Body != nil {
			run.guard(r, up, r.Body)
			if run.judgesDown(r, down) {
				run.guard(r, down, r.Body)
			}
		}
		if r.Migration != nil {
			down.rule = r // it may report through Other, too
			run.guard(r, up, r.Migration)
		}
	}
	run.problems()
	return run.result()
}

// after reports whether a version comes after start, by number where both are
// numbers. A migration without a version is always judged.
func after(version, start string) bool {
	if start == "" || version == "" {
		return true
	}
	return compareVersions(version, start) > 0
}

func compareVersions(a, b string) int {
	if isDigits(a) && isDigits(b) {
		a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
		if len(a) != len(b) {
			return len(a) - len(b)
		}
	}
	return strings.Compare(a, b)
}

func isDigits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

// A run is the work on one migration.
type run struct {
	l        *Linter
	in       Input
	m        *migration.Migration
	small    map[string]bool
	severity []Severity // by index of rule; Off: does not run
	// configured are the rules whose severity configuration says itself.
	configured map[string]bool
	// about is the table that the running rule asked the size of.
	about    proportional
	findings []Finding
	index    map[findingKey]int
}

type findingKey struct {
	rule, path string
	start, end int
}

func (l *Linter) newRun(in Input, m *migration.Migration) *run {
	r := &run{l: l, in: in, m: m, severity: make([]Severity, len(l.rules)), index: map[findingKey]int{}}
	if len(in.Settings.SmallTables) > 0 {
		r.small = map[string]bool{}
		for _, t := range in.Settings.SmallTables {
			r.small[strings.TrimPrefix(t, schema.DefaultSchema+".")] = true
		}
	}
	var over map[string]Severity
	if in.Settings.SeveritiesFor != nil {
		over = in.Settings.SeveritiesFor(m.Path())
	}
	for i, rule := range l.rules {
		r.severity[i] = in.Settings.severity(rule, over)
	}
	if len(in.Settings.Sizes) > 0 {
		r.configured = map[string]bool{}
		for id := range in.Settings.Severities {
			r.configured[id] = true
		}
		for id := range over {
			r.configured[id] = true
		}
	}
	return r
}

// severity is that of a rule's findings, Off when it does not run.
func (s *Settings) severity(r *Rule, over map[string]Severity) Severity {
	if slices.Contains(s.Ignore, r.ID) {
		return Off
	}
	sev := Off
	if r.Default || slices.Contains(s.Select, r.ID) {
		sev = r.Severity
	}
	if c, ok := s.Severities[r.ID]; ok {
		sev = c
	}
	if c, ok := over[r.ID]; ok {
		sev = c
	}
	if len(s.Select) > 0 {
		if !slices.Contains(s.Select, r.ID) {
			return Off
		}
		if sev == Off { // named on the command line: it runs
			sev = r.Severity
		}
	}
	return sev
}

// judgesDown reports whether a rule sees a down direction. A derived one is
// never judged: its statements are those of up, turned around.
func (r *run) judgesDown(rule *Rule, down *Pass) bool {
	return (rule.Down || r.in.Settings.CheckDown) && !down.Derived()
}

// walk calls the rules for the operations of one direction in order.
func (r *run) walk(p *Pass) {
	for i := range p.Steps {
		s := &p.Steps[i]
		for _, n := range r.l.byOp[reflect.TypeOf(s.Op)] {
			rule := r.l.rules[n]
			if r.severity[n] == Off || p.Direction == migration.Down && !r.judgesDown(rule, p) {
				continue
			}
			p.rule = rule
			r.guardStep(rule, p, s)
		}
	}
}

// panics of a rule are bugs of ours; they must not take the editor down.
func (r *run) guard(rule *Rule, p *Pass, f func(*Pass)) {
	p.rule, r.about = rule, proportional{}
	defer r.recovered(rule, p)
	f(p)
}

func (r *run) guardStep(rule *Rule, p *Pass, s *Step) {
	r.about = proportional{}
	defer r.recovered(rule, p)
	rule.Op(p, s)
}

// PanicsEscape lets a panic of a rule reach the caller; tests set it.
var PanicsEscape bool

var seenPanics sync.Map

func (r *run) recovered(rule *Rule, p *Pass) {
	if PanicsEscape {
		return
	}
	v := recover()
	if v == nil {
		return
	}
	if _, again := seenPanics.LoadOrStore(rule.ID, true); again {
		return
	}
	r.add(Finding{
		Rule: "internal-error", Severity: Info, Path: p.Body.Path, Span: head(p.Body.Span),
		Message: fmt.Sprintf("the rule %s stopped with an internal error (%v) and was skipped here", rule.ID, v),
		Help:    "report this with the file that shows it",
	})
}

// problems turns what the front end found into findings.
func (r *run) problems() {
	for _, pr := range r.m.Problems {
		sev := Error
		if i := slices.IndexFunc(r.l.rules, func(rule *Rule) bool { return rule.ID == pr.Rule }); i >= 0 {
			if sev = r.severity[i]; sev == Off {
				continue
			}
		} else if len(r.in.Settings.Select) > 0 && !slices.Contains(r.in.Settings.Select, pr.Rule) {
			continue
		}
		f := Finding{Rule: pr.Rule, Severity: sev, Message: pr.Message, Help: pr.Help, Path: pr.Path, Span: pr.Span, Direction: pr.Direction}
		if pr.Mend != nil {
			f.Fixes = []Fix{{Title: pr.Mend.Title, Edits: pr.Mend.Edits}}
		}
		r.add(f)
	}
}

// add keeps a finding, once per rule and place: one source command that makes
// many statements is reported once, with a fix only if it is right for all.
func (r *run) add(f Finding) {
	k := findingKey{f.Rule, f.Path, f.Span.Start, f.Span.End}
	if i, ok := r.index[k]; ok {
		if !reflect.DeepEqual(r.findings[i].Fixes, f.Fixes) {
			r.findings[i].Fixes = nil
		}
		return
	}
	r.index[k] = len(r.findings)
	r.findings = append(r.findings, f)
}

func (r *run) result() Result {
	res := Result{}
	res.Findings, res.Suppressed = r.suppress(r.findings)
	slices.SortStableFunc(res.Findings, CompareFindings)
	return res
}

// CompareFindings orders findings by path, place and rule.
func CompareFindings(a, b Finding) int {
	if c := strings.Compare(a.Path, b.Path); c != 0 {
		return c
	}
	if a.Span.Start != b.Span.Start {
		return a.Span.Start - b.Span.Start
	}
	if a.Span.End != b.Span.End {
		return a.Span.End - b.Span.End
	}
	return strings.Compare(a.Rule, b.Rule)
}
