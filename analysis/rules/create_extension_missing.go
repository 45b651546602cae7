package rules

import (
	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// create-extension-missing reports hypertables in a history that creates its
// other extensions, and timescaledb never.
//
// The migrations then run where somebody has created the extension by hand, and
// fail on a fresh database: that of a new developer, of CI, of a restore.
//
// # Bad: sql
//
//	CREATE EXTENSION pg_trgm;
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float);
//	SELECT create_hypertable('metrics', 'time');
//
// # Good: sql
//
//	CREATE EXTENSION IF NOT EXISTS timescaledb;
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float);
//	SELECT create_hypertable('metrics', 'time');
//
// # Bad: ecto
//
//	def up do
//	  execute "CREATE EXTENSION citext"
//
//	  create table(:metrics, primary_key: false) do
//	    add :time, :timestamptz, null: false
//	  end
//
//	  execute "SELECT create_hypertable('metrics', 'time')"
//	end
//
//	def down do
//	  drop table(:metrics)
//	end
//
// # Exceptions
//
// Histories without any CREATE EXTENSION: their databases are made with the
// extensions that they need.
var createExtensionMissing = &analysis.Rule{
	ID:       "create-extension-missing",
	Summary:  "no migration creates the extension timescaledb",
	Severity: analysis.Hint,
	Fix:      analysis.UnsafeFix,
	On:       []migration.Op{(*migration.CreateHypertable)(nil), (*migration.CreateTable)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		var op *migration.CreateHypertable
		switch o := s.Op.(type) {
		case *migration.CreateHypertable:
			op = o
		case *migration.CreateTable:
			op = o.Hypertable
		}
		if op == nil || s.Before.Taints() > 0 || s.Before.Object("extension", migration.Name{Name: "timescaledb"}) != nil {
			return
		}
		type key struct{}
		first := p.Once(key{}, func() any {
			for r := range p.Before.Relations() {
				if r.Hypertable != nil {
					return (*analysis.Step)(nil) // told of there
				}
			}
			for o := range s.Before.Objects() {
				if o.Kind == "extension" {
					return s
				}
			}
			return (*analysis.Step)(nil)
		}).(*analysis.Step)
		if first != s {
			return
		}
		p.Report(s, analysis.Report{
			On:      op.Span,
			Message: "this fails on a fresh database: no migration creates the extension timescaledb",
			Help:    "CREATE EXTENSION IF NOT EXISTS timescaledb before the first hypertable",
			Fixes:   fixes("Create the extension before", false, insertBefore(p, s, "CREATE EXTENSION IF NOT EXISTS timescaledb")),
		})
	},
}
