package rules

import (
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/internal/source"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// hypertable returns the relation when it is a hypertable, else nil.
func hypertable(c *schema.Catalog, n migration.Name) *schema.Relation {
	if r := c.Relation(n); r != nil && r.Hypertable != nil {
		return r
	}
	return nil
}

// perChunk reports whether an index is built chunk by chunk.
func perChunk(op *migration.CreateIndex) bool {
	return slices.ContainsFunc(op.Options, func(o migration.RelOption) bool { return o.Name == "transaction_per_chunk" })
}

// withPerChunk writes WITH (timescaledb.transaction_per_chunk) at its place in
// a CREATE INDEX: after the keys, before WHERE.
func withPerChunk(s *analysis.Step, op *migration.CreateIndex) change {
	return func() ([]source.Edit, error) {
		if len(op.Options) > 0 || op.Unique || op.KeySpan.End == 0 {
			return nil, migration.ErrNotExpressible
		}
		sql := s.Statement.SQL
		at := len(strings.TrimRight(sql, "; \t\r\n"))
		if op.Where != nil {
			i := strings.LastIndex(strings.ToLower(sql[:op.Where.Span.Start]), "where")
			if i < op.KeySpan.End {
				return nil, migration.ErrNotExpressible
			}
			at = len(strings.TrimRight(sql[:i], " \t\r\n"))
		} else if strings.Contains(strings.ToLower(sql[op.KeySpan.End:]), "tablespace") {
			return nil, migration.ErrNotExpressible
		}
		return edit(s, source.Span{Start: at, End: at}, " WITH (timescaledb.transaction_per_chunk)")()
	}
}

// withoutArgument removes one argument of a call or option list with its comma;
// one given by its place alone is replaced.
func withoutArgument(s *analysis.Step, arg source.Span, place string) change {
	sql := s.Statement.SQL
	if place != "" && !strings.ContainsAny(arg.Of(sql), "=") {
		return edit(s, arg, place)
	}
	start := arg.Start
	for start > 0 && strings.IndexByte(" \t\r\n", sql[start-1]) >= 0 {
		start--
	}
	if start > 0 && sql[start-1] == ',' {
		return edit(s, source.Span{Start: start - 1, End: arg.End}, "")
	}
	end := arg.End
	for end < len(sql) && strings.IndexByte(" \t\r\n", sql[end]) >= 0 {
		end++
	}
	if end < len(sql) && sql[end] == ',' {
		end++
		for end < len(sql) && strings.IndexByte(" \t\r\n", sql[end]) >= 0 {
			end++
		}
		return edit(s, source.Span{Start: arg.Start, End: end}, "")
	}
	return edit(s, arg, "")
}

// laterRelation returns the relation that one statement made as it stands at
// the end of the whole history, or nil when it is gone.
func laterRelation(p *analysis.Pass, r *schema.Relation) (*schema.Relation, *schema.Catalog) {
	c := p.End()
	if r.Created != nil {
		for o := range c.Relations() {
			if o.Created != nil && o.Created.Statement == r.Created.Statement && o.Kind == r.Kind {
				return o, c
			}
		}
		return nil, c
	}
	return c.Lookup(r.Ref), c
}
