package rules

import (
	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
)

// transactions numbers the transactions that the statements of a direction
// certainly run in, from 1. A statement outside of any is missing.
func transactions(p *analysis.Pass) map[*migration.Statement]int {
	type key struct{}
	return p.Once(key{}, func() any {
		out := map[*migration.Statement]int{}
		n := 1
		var unit *migration.Unit
		for i := range p.Steps {
			s := &p.Steps[i]
			if s.Tx == analysis.ByUnit && s.Unit != unit {
				n++
			}
			unit = s.Unit
			if s.Tx.Certain() && s.Tx != analysis.ByBlock {
				out[s.Statement] = n
			}
			if _, ok := s.Op.(*migration.TxControl); ok && !s.Inner {
				n++
			}
		}
		return out
	}).(map[*migration.Statement]int)
}

// together reports whether two statements of the direction certainly run in
// one transaction.
func together(p *analysis.Pass, a, b *migration.Statement) bool {
	t := transactions(p)
	return t[a] != 0 && t[a] == t[b]
}
