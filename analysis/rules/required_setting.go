package rules

import (
	"fmt"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/schema"
)

// firstUnset returns the first step that locks a table which was there before,
// before the migration has given itself a setting; nil when there is none.
// locking is the lock it takes.
func firstUnset(p *analysis.Pass, setting string) (s *analysis.Step, lock schema.Lock) {
	if givenBySession(p, setting) {
		return nil, lock
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		if op, ok := s.Op.(*migration.Set); ok && op.Name == setting && !op.Reset {
			return nil, lock
		}
		if l := blocking(p, s); len(l) > 0 {
			return s, l[0]
		}
	}
	return nil, lock
}

// setFirst puts a setting before the first statement of the migration.
func setFirst(p *analysis.Pass, s *analysis.Step, setting, value string) []analysis.Fix {
	local := ""
	if s.Tx == analysis.ByTool {
		local = "LOCAL "
	}
	first := &p.Steps[0]
	for i := range p.Steps {
		if _, begin := p.Steps[i].Op.(*migration.TxControl); begin && p.Steps[i].Statement != s.Statement {
			first = &p.Steps[i+1] // inside of the file's own BEGIN
			local = "LOCAL "
			continue
		}
		break
	}
	return fixes(fmt.Sprintf("Set %s first", setting), false, insertBefore(p, first, fmt.Sprintf("SET %s%s = '%s'", local, setting, value)))
}
