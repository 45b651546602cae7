package ecto

import (
	"strings"

	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/migration/ecto/internal/syntax"
)

// opaque notes that something unreadable happens here: in an open block the
// whole command is unreadable, else a statement of its own is.
func (c *compiler) opaque(n *syntax.Node, reason string) {
	c.ev.effects++
	c.ev.needBeam(reason)
	if c.open != nil {
		if c.open.opaque == "" {
			c.open.opaque = reason
		}
		return
	}
	if c.inExecute {
		c.emitOpaque(n.Span, &migration.Command{Name: callName(c.file.Text, n), Span: n.Span}, reason)
		return
	}
	c.queue = append(c.queue, &command{op: opOpaque, node: n, opaque: reason, keyword: calleeSpan(n),
		info: &migration.Command{Name: callName(c.file.Text, n), Span: n.Span}})
}

// callName is what a call calls, for Command.Name.
func callName(text string, n *syntax.Node) string {
	if n.Kind == syntax.Binary && n.Op == "|>" && len(n.Kids) == 2 {
		n = n.Kids[1]
	}
	if n.Kind == syntax.Call && len(n.Kids) > 0 {
		return oneLine(n.Kids[0].Span.Of(text))
	}
	return oneLine(n.Span.Of(text))
}

// query notes a call of the repository. It runs at once, before what is
// queued.
func (c *compiler) query(n *syntax.Node, name string, args []value) value {
	result := c.ev.notKnown(n, false, "calls %s/%d", name, len(args))
	function := name[strings.LastIndexByte(name, '.')+1:]
	switch function {
	case "__adapter__":
		return value{atom("Elixir.Ecto.Adapters.Postgres"), n.Span}
	case "config", "get_dynamic_repo", "in_transaction?", "default_options", "to_sql":
		return result
	case "query", "query!", "query_many", "query_many!":
		for _, a := range args {
			if t, ok := a.data.(*text); ok {
				c.immediate(n, function, t, result.data.(unknown).reason)
				return result
			}
		}
	}
	c.immediate(n, function, nil, result.data.(unknown).reason)
	return result
}

// immediate puts a statement that is sent outside the queue.
func (c *compiler) immediate(n *syntax.Node, function string, t *text, reason string) {
	c.ev.effects++
	c.ev.needBeam(reason)
	info := &migration.Command{Name: "repo", Function: function, Span: n.Span}
	if c.inExecute {
		info.Object = "execute"
	}
	if c.executing {
		info.Object = "execute"
	}
	if t == nil {
		c.emitOpaque(n.Span, info, reason)
		return
	}
	st := c.emitText(n.Span, info, t)
	if st.NotRunnable == "" && st.Opaque == "" {
		st.NotRunnable = reason
	}
}
