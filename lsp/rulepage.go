package lsp

import (
	"go.lsp.dev/uri"
)

// rulesURL is where the rules' pages are.
const rulesURL = "https://github.com/ddlsp/ddlsp/blob/main/docs/rules/"

// ruleURL is the address of a rule's page.
func ruleURL(id string) uri.URI { return uri.URI(rulesURL + id + ".md") }
