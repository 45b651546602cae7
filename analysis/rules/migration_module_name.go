package rules

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// migration-module-name reports that a migration's module cannot be loaded.
//
// Ecto compiles all files that have not run yet before it runs the first one,
// and takes the first module of each that uses Ecto.Migration. A file without
// such a module stops the run. Where two files define a module of one name, the
// later file's replaces the other: both versions then run the later one.
var migrationModuleName = &analysis.Rule{
	ID:       "migration-module-name",
	Summary:  "a migration's module cannot be loaded",
	Severity: analysis.Error,
	Default:  true,
	Down:     true,
	Migration: func(p *analysis.Pass) {
		m := p.Migration
		f := m.File(m.Path())
		if m.Module == "" || m.Format != migration.Ecto || f == nil {
			return
		}
		for _, other := range p.Earlier() {
			if other.Module != m.Module {
				continue
			}
			at := strings.Index(f.Text, m.Module)
			if at < 0 {
				return
			}
			p.ReportAt(f.Path, source.Span{Start: at, End: at + len(m.Module)}, analysis.Report{
				Message: fmt.Sprintf("where %s has not run yet, its version runs this migration, and what it says never runs: both define %s", filepath.Base(other.Path()), m.Module),
				Help:    "give the module a name of its own",
			})
			return
		}
	},
}
