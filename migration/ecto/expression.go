package ecto

import "github.com/ddlsp/ddlsp/migration/ecto/internal/syntax"

// parseExpression evaluates one Elixir expression that stands for itself.
func parseExpression(text string) value {
	e := &evaluator{text: text}
	return e.eval(syntax.Parse(text).Root, &scope{})
}
