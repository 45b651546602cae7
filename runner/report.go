package runner

import (
	"errors"
	"time"

	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// A Report is a plan or a result in the JSON form that the command line prints
// and the language server's commands return.
type Report struct {
	Database   string       `json:"database"`
	Host       string       `json:"host"`
	Direction  Direction    `json:"direction"`
	DryRun     bool         `json:"dry_run"`
	Plan       string       `json:"plan"`
	Migrations []ReportLine `json:"migrations"`
	Error      *ReportError `json:"error"`

	User      string `json:"user"`
	Name      string `json:"name,omitempty"`
	Source    string `json:"source"`
	Protected bool   `json:"protected"`
	// Statements is the number of statements of all migrations.
	Statements int      `json:"statements"`
	Notes      []string `json:"notes,omitempty"`
	// Drops are what the plan destroys.
	Drops []string `json:"drops,omitempty"`
	// Losses are Drops with how much there is of each.
	Losses  []Loss  `json:"losses,omitempty"`
	Notices []Event `json:"notices,omitempty"`
}

// A ReportLine is one migration of a Report.
type ReportLine struct {
	Version    string              `json:"version"`
	Name       string              `json:"name"`
	Path       string              `json:"path"`
	Direction  migration.Direction `json:"direction"`
	Statements int                 `json:"statements"`
	DurationMS int64               `json:"duration_ms"`
	Outcome    string              `json:"outcome"`
	// Transaction and SQL are given in a dry run.
	Transaction string      `json:"transaction,omitempty"`
	SQL         []ReportSQL `json:"sql,omitempty"`
}

// A ReportSQL is a statement of a plan.
type ReportSQL struct {
	SQL   string       `json:"sql"`
	Unit  int          `json:"unit"`
	Locks []ReportLock `json:"locks"`
	// Opaque says why the statement is not known before it runs; null when it
	// is.
	Opaque *string `json:"opaque"`
}

// A ReportLock is a lock that a statement takes on a relation.
type ReportLock struct {
	Relation string `json:"relation"`
	Mode     string `json:"mode"`
}

// A ReportError is a failure in a Report. Path and Range are null when it has
// no place in a file.
type ReportError struct {
	Message   string       `json:"message"`
	SQLState  string       `json:"sqlstate"`
	Path      *string      `json:"path"`
	Range     *ReportRange `json:"range"`
	Statement string       `json:"statement"`
	Remains   string       `json:"remains"`
	Cancelled bool         `json:"cancelled,omitempty"`
}

// A ReportRange is a place in a file.
type ReportRange struct {
	Start ReportPoint `json:"start"`
	End   ReportPoint `json:"end"`
}

// A ReportPoint is an offset in bytes from 0 and the same place as a line and
// a column in bytes, both from 1.
type ReportPoint struct {
	Offset int `json:"offset"`
	Line   int `json:"line"`
	Column int `json:"column"`
}

// Report is the plan as a dry run reports it. display turns a path into what
// is shown.
func (p *Plan) Report(display func(string) string) *Report {
	r := p.report(display)
	r.DryRun = true
	if len(p.Steps) == 0 {
		return r // reading the whole history would tell nothing
	}
	before := p.catalogs()
	for i := range r.Migrations {
		st := p.Steps[i]
		r.Migrations[i].Transaction = string(st.Body().Tx)
		r.Migrations[i].SQL = st.sql(before[i])
	}
	return r
}

func (p *Plan) report(display func(string) string) *Report {
	r := &Report{
		Database: p.Target.Database, Host: p.Target.Host, User: p.Target.User, Name: p.Target.Name, Source: p.Target.Source,
		Protected: p.Target.Protected, Direction: p.Request.Direction, Plan: p.Hash, Migrations: []ReportLine{},
		Statements: p.Statements(), Notes: p.Notes, Drops: p.Drops(), Losses: p.Losses,
	}
	for _, st := range p.Steps {
		r.Migrations = append(r.Migrations, ReportLine{
			Version: st.Migration.Version, Name: st.Migration.Name, Path: display(st.Body().Path), Direction: st.Direction,
			Statements: len(st.Body().Statements()), Outcome: Planned,
		})
	}
	return r
}

// sql lists the statements of a step with the locks they take.
func (s Step) sql(c *schema.Catalog) []ReportSQL {
	out := []ReportSQL{}
	for i, u := range s.Body().Units {
		for _, st := range u.Statements {
			line := ReportSQL{SQL: st.SQL, Unit: i, Locks: []ReportLock{}}
			if why := st.NotRunnable; why != "" && s.Migration.Format == migration.Ecto {
				line.Opaque = &why
			} else if why := st.Opaque; why != "" && s.Migration.Format == migration.Ecto {
				line.Opaque = &why
			}
			for _, l := range schema.StatementLocks(st, c) {
				line.Locks = append(line.Locks, ReportLock{l.Relation.String(), string(l.Mode)})
			}
			out = append(out, line)
			c = c.ApplyStatement(&schema.Origin{Migration: s.Migration, Direction: s.Direction, Statement: st}, st)
		}
	}
	return out
}

// Report is the result as it is reported; err is the error that came with it.
func (res *Result) Report(err error, display func(string) string) *Report {
	r := res.Plan.report(display)
	r.Notices = res.Notices
	r.Notes = append(r.Notes[:len(r.Notes):len(r.Notes)], res.Notes...)
	for i, d := range res.Steps {
		r.Migrations[i].Outcome = d.Outcome
		r.Migrations[i].DurationMS = d.Duration.Milliseconds()
	}
	var f *Failure
	switch {
	case errors.As(err, &f):
		r.Error = f.report(display)
	case err != nil:
		r.Error = &ReportError{Message: err.Error(), Remains: res.unreached()}
	}
	return r
}

// unreached says what a run left undone that ended between two migrations.
func (res *Result) unreached() string {
	for _, d := range res.Steps {
		if d.Outcome == Applied || d.Outcome == RolledBack {
			return "What is marked as done stays done; the rest was not begun."
		}
	}
	return "No migration was run."
}

func (f *Failure) report(display func(string) string) *ReportError {
	e := &ReportError{Message: f.Message, SQLState: f.SQLState, Statement: f.Statement, Remains: f.Remains, Cancelled: f.Cancelled}
	if file := f.Step.Migration.File(f.Path); file != nil {
		path := display(f.Path)
		lines := source.NewLines(file.Text)
		e.Path, e.Range = &path, &ReportRange{point(lines, f.Span.Start), point(lines, f.Span.End)}
	}
	return e
}

func point(lines *source.Lines, offset int) ReportPoint {
	p := lines.Position(offset, source.UTF8)
	return ReportPoint{Offset: offset, Line: p.Line + 1, Column: p.Column + 1}
}

// A StatusReport is a Status in the JSON form of the command line.
type StatusReport struct {
	Database     string             `json:"database"`
	Host         string             `json:"host"`
	Format       migration.Format   `json:"format"`
	VersionTable string             `json:"version_table"`
	Migrations   []StatusReportLine `json:"migrations"`

	User      string `json:"user"`
	Name      string `json:"name,omitempty"`
	Source    string `json:"source"`
	Protected bool   `json:"protected"`
	Pending   int    `json:"pending"`
}

// A StatusReportLine is one migration of a StatusReport.
type StatusReportLine struct {
	Version   string     `json:"version"`
	Name      string     `json:"name"`
	Path      *string    `json:"path"`
	State     string     `json:"state"`
	AppliedAt *time.Time `json:"applied_at"`
	// Edited is whether the migration does something else now than when it was
	// applied, null where neither the tool's checksum nor ddlsp's own log of
	// runs knows.
	Edited *bool `json:"edited"`
}

// Report is the status as it is reported.
func (s *Status) Report(display func(string) string) *StatusReport {
	r := &StatusReport{
		Database: s.Target.Database, Host: s.Target.Host, User: s.Target.User, Name: s.Target.Name, Source: s.Target.Source,
		Protected: s.Target.Protected, Format: s.Format, VersionTable: s.Table, Migrations: []StatusReportLine{}, Pending: s.Pending(),
	}
	for _, l := range s.Migrations {
		line := StatusReportLine{Version: l.Version, Name: l.Name, State: l.State, Edited: l.Edited}
		if l.Path != "" {
			path := display(l.Path)
			line.Path = &path
		}
		if l.AppliedAt != nil {
			at := l.AppliedAt.UTC().Truncate(time.Second)
			line.AppliedAt = &at
		}
		r.Migrations = append(r.Migrations, line)
	}
	return r
}
