package analysis

import (
	"slices"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// A Pass is one direction of a migration as rules see it.
type Pass struct {
	Migration *migration.Migration
	Direction migration.Direction
	Body      *migration.Body
	// Steps are the operations in order, those inside DO blocks after the
	// block itself.
	Steps []Step
	// Before and After are the catalogs before the first and after the last
	// statement. The catalog before down is the one after up.
	Before, After *schema.Catalog
	// Other is the other direction; nil while Op functions of up run.
	Other    *Pass
	Settings *Settings

	run  *run
	rule *Rule
	memo map[any]any
}

// Once returns what compute returned when it was first called with the key in
// this pass. A rule that asks the same of the whole migration for each of its
// operations must ask through it: thousands of operations are common. The key
// should be of a type of the rule's own.
func (p *Pass) Once(key any, compute func() any) any {
	v, ok := p.memo[key]
	if !ok {
		if p.memo == nil {
			p.memo = map[any]any{}
		}
		v = compute()
		p.memo[key] = v
	}
	return v
}

// A Step is one operation at its place.
type Step struct {
	Unit      *migration.Unit
	Statement *migration.Statement
	Op        migration.Op
	// Inner is set for an operation inside a DO block; Span is then the inner
	// statement in the SQL of Statement.
	Inner bool
	Span  source.Span
	// Before and After are the catalogs just before and after the operation.
	Before, After *schema.Catalog
	// Tx says what transaction it runs in.
	Tx Transaction
}

// A Transaction says who opened the transaction that an operation runs in.
type Transaction string

const (
	// NoTransaction: the statement is on its own.
	NoTransaction Transaction = ""
	// ByTool: the migration tool has one open.
	ByTool Transaction = "tool"
	// ByFile: a BEGIN in the migration opened one.
	ByFile Transaction = "file"
	// ByUnit: PostgreSQL runs statements that are sent together as one.
	ByUnit Transaction = "unit"
	// ByBlock: a DO block cannot be left.
	ByBlock Transaction = "block"
	// UnknownTransaction: a plain file; nobody knows who runs it.
	UnknownTransaction Transaction = "unknown"
)

// Certain reports whether the operation runs in a transaction for sure.
func (t Transaction) Certain() bool { return t != NoTransaction && t != UnknownTransaction }

func (r *run) pass(d migration.Direction, before *schema.Catalog) *Pass {
	p := &Pass{Migration: r.m, Direction: d, Body: r.m.Body(d), Before: before, Settings: &r.in.Settings, run: r}
	n := 0
	for _, u := range p.Body.Units {
		n += len(u.Statements)
	}
	p.Steps = make([]Step, 0, n)
	origins := make([]schema.Origin, 0, n) // never grows: catalogs point into it
	c := before
	file := false // a BEGIN of the file is open
	tool := p.Body.Tx == migration.Explicit
	for _, u := range p.Body.Units {
		for _, s := range u.Statements {
			origins = append(origins, schema.Origin{Migration: r.m, Direction: d, Statement: s})
			at := &origins[len(origins)-1]
			tx := NoTransaction
			switch {
			case file:
				tx = ByFile
			case tool:
				tx = ByTool
			case p.Body.Tx == migration.ImplicitIfMulti && len(u.Statements) > 1:
				tx = ByUnit
			case p.Body.Tx == migration.Unknown:
				tx = UnknownTransaction
			}
			for _, op := range s.Ops() {
				after := c.Apply(at, op)
				p.Steps = append(p.Steps, Step{Unit: u, Statement: s, Op: op, Before: c, After: after, Tx: tx})
				if do, ok := op.(*migration.Do); ok {
					inner := c
					for _, in := range do.Ops {
						next := inner.Apply(at, in.Op)
						p.Steps = append(p.Steps, Step{Unit: u, Statement: s, Op: in.Op, Inner: true, Span: in.Span, Before: inner, After: next, Tx: ByBlock})
						inner = next
					}
				}
				if t, ok := op.(*migration.TxControl); ok {
					switch t.Verb {
					case "begin", "start transaction", "start":
						file = true
					case "commit", "end", "rollback", "abort":
						file, tool = false, false
					}
				}
				c = after
			}
			if schema.Unreadable(s) {
				c = c.Taint()
			}
		}
	}
	p.After = c
	return p
}

// CreatedHere reports whether this direction made the relation before the
// step: nobody else can be using it.
func (p *Pass) CreatedHere(r *schema.Relation) bool {
	return r != nil && (r.Temp || r.Created != nil && r.Created.Migration == p.Migration && r.Created.Direction == p.Direction)
}

// Existing reports whether a table was there before this direction, as far as
// can be told: it was not made here, its name is known, and nothing unreadable
// that ran here before the step can have made it.
func (p *Pass) Existing(s *Step, table migration.Name) bool {
	if s.Statement.IsUnknown(table.Span) {
		return false
	}
	r := s.Before.Relation(table)
	if p.CreatedHere(r) {
		return false
	}
	return r != nil && r.Created != nil || s.Before.Taints() == p.Before.Taints()
}

// Small reports whether configuration lists the table as small. Only rules ask
// whose hazard grows with a table: the size of the one they asked of last, where
// it is known, decides how severe the next finding is.
func (p *Pass) Small(table migration.Name) bool {
	p.run.about = proportional{p.rule, table}
	return p.run.small[schema.RefOf(table).String()]
}

// Asked reports whether the command line or the configuration names the rule
// that runs: it may then report what it leaves out for everybody else.
func (p *Pass) Asked() bool {
	s := p.Settings
	if slices.Contains(s.Select, p.rule.ID) {
		return true
	}
	if _, ok := s.Severities[p.rule.ID]; ok {
		return true
	}
	if s.SeveritiesFor == nil {
		return false
	}
	_, ok := s.SeveritiesFor(p.Migration.Path())[p.rule.ID]
	return ok
}

// Runs reports whether another rule judges this migration: a rule may leave to
// it what both would say.
func (p *Pass) Runs(id string) bool {
	for i, r := range p.run.l.rules {
		if r.ID == id {
			return p.run.severity[i] != Off
		}
	}
	return false
}

// End is the catalog that the whole history leaves, run up to its end.
func (p *Pass) End() *schema.Catalog {
	if p.Direction == migration.Up && len(p.Later()) == 0 {
		return p.After
	}
	if p.Direction == migration.Up && p.run.in.End != nil {
		return p.run.in.End()
	}
	return p.After.Fold(p.Later())
}

// Later are the migrations that run after this one.
func (p *Pass) Later() []*migration.Migration {
	return p.run.in.History[p.run.in.Target+1:]
}

// Earlier are the migrations that run before this one.
func (p *Pass) Earlier() []*migration.Migration {
	return p.run.in.History[:p.run.in.Target]
}

// A Followup is a migration that a fix writes after all others.
type Followup struct {
	// Name is what it is called, in lower case with underscores; a number is
	// added where there is one of that name.
	Name string
	// Up and Down are SQL statements without semicolons. No Down means that
	// there is nothing to undo.
	Up, Down []string
	// NoTransaction: it must run outside a transaction.
	NoTransaction bool
}

// Follow returns the edits that write new migrations after all others.
func (p *Pass) Follow(list ...Followup) ([]source.Edit, error) {
	if p.run.in.Follow == nil || p.Direction != migration.Up {
		return nil, migration.ErrNotExpressible
	}
	return p.run.in.Follow(list)
}

// Readable reports whether every statement of the direction could be read to
// its end. Rules about something missing must be quiet when it was not.
func (p *Pass) Readable() bool { return p.Body.Err == nil && p.Before.Taints() == p.After.Taints() }

// A Report is what a rule says about a step or a body.
type Report struct {
	Message, Help string
	// On is the part of the statement's SQL that the finding is about, such as
	// the table's name. The finding begins where the statement (or the DSL
	// command that On was made from) begins and ends with On. The zero span
	// means the whole statement.
	On      source.Span
	Fixes   []Fix
	Related []Related
	// Severity lowers or raises this one finding where configuration says
	// nothing of the rule; Off means the rule's own.
	Severity Severity
}

// Report adds a finding about a step. It is dropped when it rests on text that
// is not known.
func (p *Pass) Report(s *Step, r Report) {
	if r.On != (source.Span{}) && s.Statement.IsUnknown(r.On) {
		return
	}
	p.add(Finding{Path: s.Statement.Path, Span: p.Place(s, r.On)}, r, s)
}

// ReportAt adds a finding about a place of a file.
func (p *Pass) ReportAt(path string, span source.Span, r Report) {
	p.add(Finding{Path: path, Span: span}, r, nil)
}

func (p *Pass) add(f Finding, r Report, s *Step) {
	f.Rule, f.Direction = p.rule.ID, p.Direction
	for i, rule := range p.run.l.rules {
		if rule == p.rule {
			f.Severity = p.run.severity[i]
		}
	}
	if r.Severity != Off && f.Severity == p.rule.Severity {
		f.Severity = r.Severity
	}
	f.Message, f.Help, f.Fixes, f.Related = r.Message, r.Help, r.Fixes, r.Related
	if len(p.Settings.Sizes) > 0 {
		p.weigh(&f, s)
	}
	p.run.add(f)
}

// Place is where a finding about a part of a step's SQL stands in the file.
func (p *Pass) Place(s *Step, on source.Span) source.Span {
	st := s.Statement
	if s.Inner {
		if w := st.Where(s.Span); w.Len() > 0 {
			return w
		}
		return st.Span
	}
	span := st.Span
	if on == (source.Span{}) {
		return span
	}
	if sub := SubCommand(st, on); sub != nil {
		return sub.Span
	}
	if st.Command != nil && st.Command.Name != "execute" {
		return span
	}
	if end := st.Where(on).End; end > span.Start && end <= span.End {
		span.End = end
	}
	return span
}

// SubCommand returns the command inside a DSL block that a range of a compiled
// statement's SQL was made from, or nil.
func SubCommand(st *migration.Statement, on source.Span) *migration.Command {
	if st.Command == nil || len(st.Command.Sub) == 0 {
		return nil
	}
	at := st.Where(on)
	for _, c := range st.Command.Sub {
		if c.Span.Start <= at.Start && at.Start < c.Span.End {
			return c
		}
	}
	return nil
}

// Changes are the operations of the direction with the catalogs around them;
// a DO block is one of them, what is in it is not.
func (p *Pass) Changes(yield func(schema.Change) bool) {
	for i := range p.Steps {
		s := &p.Steps[i]
		if !s.Inner && !yield(schema.Change{Direction: p.Direction, Statement: s.Statement, Op: s.Op, Before: s.Before, After: s.After}) {
			return
		}
	}
}

// Step returns the first step of a statement, or nil.
func (p *Pass) Step(st *migration.Statement) *Step {
	for i := range p.Steps {
		if p.Steps[i].Statement == st {
			return &p.Steps[i]
		}
	}
	return nil
}

// head is the place where a span begins.
func head(s source.Span) source.Span { return source.Span{Start: s.Start, End: s.Start} }

// Derived reports whether the direction is the tool's own reversal of the
// other; what is wrong with it is wrong with the other and reported there.
func (p *Pass) Derived() bool { return p.Body.Origin == migration.Derived }

// Where is the place of a schema object's origin, for a Related.
func Where(o *schema.Origin) (path string, span source.Span, ok bool) {
	if o == nil || o.Statement == nil {
		return "", source.Span{}, false
	}
	return o.Statement.Path, o.Statement.Span, true
}

// RelatedTo is a Related about the statement that made something; nil when it
// is not known.
func RelatedTo(o *schema.Origin, message string) []Related {
	path, span, ok := Where(o)
	if !ok {
		return nil
	}
	return []Related{{Message: message, Path: path, Span: span}}
}
