package migration

import (
	"strings"

	"github.com/ddlsp/ddlsp/internal/pgparse"
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

func isBucket(n *pgparse.Node) bool {
	f := n.GetFuncCall()
	if f == nil {
		return false
	}
	names := stringsOf(f.Funcname)
	return len(names) > 0 && strings.HasPrefix(names[len(names)-1], "time_bucket") && names[len(names)-1] != "time_bucket_gapfill"
}
