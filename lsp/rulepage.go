package lsp

import (
	"context"
	"fmt"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/ddlsp/ddlsp/analysis"
	"github.com/ddlsp/ddlsp/analysis/rules"
)

// ruleURL is the address of a rule's page.
func ruleURL(id string) uri.URI { return uri.URI(rules.URL(id)) }

type explainArgs struct {
	Rule string `json:"rule"`
}

type rulePage struct {
	Rule    string `json:"rule"`
	Summary string `json:"summary"`
	Text    string `json:"text"` // Markdown
	URL     string `json:"url"`
}

type ruleLine struct {
	Rule     string `json:"rule"`
	Summary  string `json:"summary"`
	Severity string `json:"severity"` // as it is without configuration
}

type ruleList struct {
	Rules []ruleLine `json:"rules"`
}

// explain answers a rule's page; without a rule, the list of them.
func (s *Server) explain(_ context.Context, _ protocol.ProgressToken, a explainArgs) (any, error) {
	if a.Rule == "" {
		list := ruleList{Rules: []ruleLine{}}
		for _, r := range rules.All() {
			severity := r.Severity
			if !r.Default {
				severity = analysis.Off
			}
			list.Rules = append(list.Rules, ruleLine{r.ID, r.Summary, severity.String()})
		}
		return list, nil
	}
	page := rules.PageOf(a.Rule)
	if page == nil {
		return nil, fmt.Errorf("there is no rule %q; 'ddlsp rules' lists them", a.Rule)
	}
	if s.bare {
		s.say(protocol.MessageTypeInfo, page.Text())
	}
	return rulePage{Rule: a.Rule, Summary: page.Rule.Summary, Text: page.Markdown(), URL: rules.URL(a.Rule)}, nil
}
