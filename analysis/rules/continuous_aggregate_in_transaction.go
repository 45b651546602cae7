package rules

import (
	"fmt"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
)

// continuous-aggregate-in-transaction reports continuous aggregates that are
// filled inside a transaction.
//
// CREATE MATERIALIZED VIEW ... WITH (timescaledb.continuous) fills the view at
// once and refuses to do so inside a transaction, as does
// refresh_continuous_aggregate. A file that is sent as one query of several
// statements counts as one. Create the view WITH NO DATA and let a policy fill
// it.
//
// # Bad: goose
//
//	-- +goose Up
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float);
//	SELECT create_hypertable('metrics', 'time');
//	CREATE MATERIALIZED VIEW hourly WITH (timescaledb.continuous) AS
//	SELECT time_bucket('1 hour', time) AS hour, avg(value) FROM metrics GROUP BY 1;
//	SELECT add_continuous_aggregate_policy('hourly', INTERVAL '3 days', INTERVAL '1 hour', INTERVAL '1 hour');
//	-- +goose Down
//	DROP MATERIALIZED VIEW hourly;
//	DROP TABLE metrics;
//
// # Good: goose
//
//	-- +goose Up
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float);
//	SELECT create_hypertable('metrics', 'time');
//	CREATE MATERIALIZED VIEW hourly WITH (timescaledb.continuous) AS
//	SELECT time_bucket('1 hour', time) AS hour, avg(value) FROM metrics GROUP BY 1 WITH NO DATA;
//	SELECT add_continuous_aggregate_policy('hourly', INTERVAL '3 days', INTERVAL '1 hour', INTERVAL '1 hour');
//	-- +goose Down
//	DROP MATERIALIZED VIEW hourly;
//	DROP TABLE metrics;
var continuousAggregateInTransaction = &analysis.Rule{
	ID:       "continuous-aggregate-in-transaction",
	Summary:  "a continuous aggregate cannot be filled inside a transaction",
	Severity: analysis.Error,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	Down:     true,
	On:       []migration.Op{(*migration.CreateView)(nil), (*migration.CallProcedure)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		if !s.Tx.Certain() {
			return
		}
		owner := transactionOwner(p, s)
		if s.Tx == analysis.ByUnit {
			owner = fmt.Sprintf("PostgreSQL runs the %d statements of the file as one", len(s.Unit.Statements))
		}
		switch op := s.Op.(type) {
		case *migration.CreateView:
			if !op.Continuous || op.NoData {
				return
			}
			p.Report(s, analysis.Report{
				On:      op.View.Span,
				Message: fmt.Sprintf("filling %s fails here: it cannot be done inside a transaction, and %s", quoted(op.View.String()), owner),
				Help:    "create it WITH NO DATA and add a policy that refreshes it",
				Fixes:   fixes("Create it WITH NO DATA", false, withNoData(s)),
			})
		case *migration.CallProcedure:
			// In a DO block it commits by itself, where nothing around opened a
			// transaction.
			if op.Call.Function.Name != "refresh_continuous_aggregate" || s.Tx == analysis.ByBlock && p.Body.Tx != migration.Explicit {
				return
			}
			p.Report(s, analysis.Report{
				On:      op.Call.Function.Span,
				Message: "refresh_continuous_aggregate fails here: it cannot run inside a transaction, and " + owner,
				Help:    "move it to a migration of its own, outside a transaction, or add a policy",
			})
		}
	},
}

var withData = regex.MustCompile(`(?i)\s+with\s+data\s*;?\s*$`)

func withNoData(s *analysis.Step) change {
	return func() ([]source.Edit, error) {
		sql := s.Statement.SQL
		at := len(strings.TrimRight(sql, "; \t\r\n"))
		span := source.Span{Start: at, End: at}
		if m := withData.FindStringIndex(sql); m != nil {
			span.Start = m[0]
		}
		text := " WITH NO DATA"
		if i := strings.LastIndexByte(sql[:span.Start], '\n'); i >= 0 { // on a line of its own in a longer statement
			indent := len(sql[i+1:]) - len(strings.TrimLeft(sql[i+1:], " \t"))
			text = "\n" + sql[i+1:i+1+indent] + "WITH NO DATA"
		}
		return edit(s, span, text)()
	}
}
