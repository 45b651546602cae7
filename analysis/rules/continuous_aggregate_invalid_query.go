package rules

import (
	"fmt"
	"strconv"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// continuous-aggregate-invalid-query reports queries that TimescaleDB does not
// take for a continuous aggregate.
//
// The query must group the rows of one hypertable by one time_bucket, which is
// a key of GROUP BY as it is. WITH, subqueries, DISTINCT, LIMIT, window functions
// and UNION are refused; joins with plain tables, FILTER, HAVING, ORDER BY and
// count(DISTINCT) are not. A name in GROUP BY means a column of the table, if it
// has one, before the bucket that is named so.
//
// # Bad: sql
//
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float) WITH (tsdb.hypertable);
//	CREATE MATERIALIZED VIEW hourly WITH (timescaledb.continuous) AS
//	SELECT date_trunc('hour', time) AS hour, avg(value) FROM metrics GROUP BY 1 WITH NO DATA;
//	SELECT add_continuous_aggregate_policy('hourly', INTERVAL '3 days', INTERVAL '1 hour', INTERVAL '1 hour');
//
// # Good: sql
//
//	CREATE TABLE metrics (time timestamptz NOT NULL, value float) WITH (tsdb.hypertable);
//	CREATE MATERIALIZED VIEW hourly WITH (timescaledb.continuous) AS
//	SELECT time_bucket('1 hour', time) AS hour, avg(value) FROM metrics GROUP BY 1 WITH NO DATA;
//	SELECT add_continuous_aggregate_policy('hourly', INTERVAL '3 days', INTERVAL '1 hour', INTERVAL '1 hour');
var continuousAggregateInvalidQuery = &analysis.Rule{
	ID:       "continuous-aggregate-invalid-query",
	Summary:  "TimescaleDB does not take the query for a continuous aggregate",
	Severity: analysis.Error,
	Default:  true,
	Fix:      analysis.UnsafeFix,
	On:       []migration.Op{(*migration.CreateView)(nil)},
	Op: func(p *analysis.Pass, s *analysis.Step) {
		op := s.Op.(*migration.CreateView)
		if q := op.Shape; q != nil && len(s.Statement.Unknown) == 0 {
			if boundToColumn(p, s, op, q) {
				return
			}
			if why, help := refusedQuery(s.Before, op, q); why != "" {
				p.Report(s, analysis.Report{On: op.View.Span, Message: fmt.Sprintf("creating %s fails: %s", quoted(op.View.String()), why), Help: help})
			}
		}
	},
}

// boundToColumn reports a GROUP BY of a time_bucket by its name where a relation
// has a column of that name: PostgreSQL takes the column then.
func boundToColumn(p *analysis.Pass, s *analysis.Step, op *migration.CreateView, q *migration.QueryShape) bool {
	if !op.Continuous {
		return false
	}
	for _, a := range q.Aliases {
		if !a.Bucket {
			continue
		}
		for _, from := range op.From {
			r := s.Before.Relation(from)
			if r == nil || r.Column(a.Name) == nil {
				continue
			}
			report := analysis.Report{
				On: a.Span,
				Message: fmt.Sprintf("creating %s fails: GROUP BY %s means the column %s here, and not the time_bucket of that name",
					quoted(op.View.String()), a.Name, quoted(from.String()+"."+a.Name)),
				Help: fmt.Sprintf("group by the number of the column, GROUP BY %d, or give the bucket another name", a.Column),
			}
			if a.Span.End <= len(s.Statement.SQL) && a.Span.Of(s.Statement.SQL) == a.Name {
				report.Fixes = fixes("Group by the number of the column", false, edit(s, a.Span, strconv.Itoa(a.Column)))
			}
			p.Report(s, report)
			return true
		}
	}
	return false
}

// refusedQuery says why TimescaleDB refuses a query, "" when nothing shows it.
func refusedQuery(c *schema.Catalog, op *migration.CreateView, q *migration.QueryShape) (why, help string) {
	const plain = "write the query without it, and put a view on top of the continuous aggregate"
	switch {
	case q.SetOperation:
		return "its query is a UNION", "make a continuous aggregate of each part"
	case q.With:
		return "its query has a WITH clause", plain
	case q.Subquery:
		return "its query holds another query", plain
	case q.Distinct:
		return "its query is a SELECT DISTINCT", plain
	case q.Limit:
		return "its query has a LIMIT or OFFSET", plain
	case q.Window:
		return "its query uses a window function", plain
	case q.Buckets > 1:
		return "its query groups by more than one time_bucket", "leave one, and make a continuous aggregate on top of it for the wider one"
	case !q.Bucketed:
		return "its query does not group by a time_bucket", "group by time_bucket of the time column"
	}
	hypertables := 0
	for _, from := range op.From {
		r := c.Relation(from)
		if r == nil || !plainTable(c, r) && r.Hypertable == nil {
			return "", "" // a continuous aggregate, or what is not known
		}
		if r.Hypertable != nil {
			hypertables++
		}
	}
	switch {
	case len(op.From) > 0 && hypertables == 0:
		return "its query reads no hypertable", "make the table that it reads a hypertable before"
	case hypertables > 1:
		return "its query reads more than one hypertable", "read one hypertable, and join the others in a view on top"
	}
	return "", ""
}
