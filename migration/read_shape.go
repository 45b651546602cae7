package migration

import (
	"strings"

	"github.com/ddlsp/ddlsp/internal/pgparse"
	"github.com/ddlsp/ddlsp/internal/source"
)

// queryShape reads what a query is made of; nil when it is no SELECT.
func queryShape(s *pgparse.SelectStmt) *QueryShape {
	if s == nil {
		return nil
	}
	q := &QueryShape{
		With:         s.WithClause != nil,
		SetOperation: s.Larg != nil,
		Distinct:     len(s.DistinctClause) > 0,
		Limit:        s.LimitCount != nil || s.LimitOffset != nil,
		Window:       len(s.WindowClause) > 0,
	}
	parts := append([]*pgparse.Node{s.WhereClause, s.HavingClause}, s.TargetList...)
	for _, n := range append(parts, s.FromClause...) {
		pgparse.Walk(n, func(n *pgparse.Node) bool {
			q.Subquery = q.Subquery || n.GetSubLink() != nil || n.GetRangeSubselect() != nil
			q.Window = q.Window || n.GetFuncCall().GetOver() != nil
			return true
		})
	}
	for _, key := range s.GroupClause {
		if a, ok := groupAlias(s, key); ok {
			q.Aliases = append(q.Aliases, a)
		}
		key = groupKey(s, key)
		if isBucket(key) {
			q.Buckets++
		}
		pgparse.Walk(key, func(n *pgparse.Node) bool {
			// What the keys of GROUPING SETS stand for is not looked at.
			q.Bucketed = q.Bucketed || isBucket(n) || n.GetGroupingSet() != nil
			return true
		})
	}
	return q
}

// groupKey is the expression that a key of GROUP BY stands for: a number or a
// name may mean one of the columns of the result.
func groupKey(s *pgparse.SelectStmt, key *pgparse.Node) *pgparse.Node {
	if v, ok := constant(key); ok && key.GetAConst() != nil {
		for i, t := range s.TargetList {
			if itoa(i+1) == v {
				return t.GetResTarget().GetVal()
			}
		}
	}
	if fields := key.GetColumnRef().GetFields(); len(fields) == 1 {
		for _, t := range s.TargetList {
			if name := t.GetResTarget().GetName(); name != "" && name == fields[0].GetString_().GetSval() {
				return t.GetResTarget().GetVal()
			}
		}
	}
	return key
}

// groupAlias reads a key of GROUP BY that is the name of a computed column.
func groupAlias(s *pgparse.SelectStmt, key *pgparse.Node) (GroupAlias, bool) {
	ref := key.GetColumnRef()
	if fields := ref.GetFields(); len(fields) == 1 {
		name := fields[0].GetString_().GetSval()
		for i, t := range s.TargetList {
			r := t.GetResTarget()
			if name == "" || r.GetName() != name || r.GetVal().GetColumnRef() != nil {
				continue
			}
			at := int(ref.Location)
			return GroupAlias{Ident{name, source.Span{Start: at, End: at + len(name)}}, i + 1, isBucket(r.GetVal())}, true
		}
	}
	return GroupAlias{}, false
}

func isBucket(n *pgparse.Node) bool {
	f := n.GetFuncCall()
	if f == nil {
		return false
	}
	names := stringsOf(f.Funcname)
	return len(names) > 0 && strings.HasPrefix(names[len(names)-1], "time_bucket") && names[len(names)-1] != "time_bucket_gapfill"
}
