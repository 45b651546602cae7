package ecto

import (
	"github.com/ddlsp/ddlsp/migration"
)

// changesInfo gathers what rules see of the commands in the block.
func (c *command) changesInfo() {
	seen := map[*migration.Command]bool{}
	for _, ch := range c.changes {
		if ch.info != nil && !seen[ch.info] {
			seen[ch.info] = true
			c.info.Sub = append(c.info.Sub, ch.info)
		}
	}
}

// change adds one column command to the open block.
func (c *compiler) change(s *callSite, typed bool) value {
	ch := &change{action: s.name, name: s.args[0], node: s.whole, hasType: typed}
	if typed {
		ch.typ = s.args[1]
	}
	done := value{atomOK, s.node.Span}
	for _, a := range s.args {
		if u, ok := a.data.(unknown); ok {
			c.opaque(s.whole, u.reason)
			return done
		}
	}
	var ok bool
	if ch.opts, ok = optionsAt(s.args, 2); !ok {
		noClause(s.name, len(s.args), s.node.Span)
	}
	if _, isAtom := ch.name.data.(atom); !isAtom {
		noClause(s.name, len(s.args), s.node.Span)
	}
	if typed {
		if s.name != "remove" && s.name != "remove_if_exists" {
			checkPrecision(ch)
		}
		checkType(ch.typ)
	}
	ch.info = c.changeInfo(s, ch)
	c.addChange(ch)
	return done
}

func (c *compiler) addChange(ch *change) {
	if c.open == nil {
		throw("Ecto.MigrationError", "cannot execute command outside of block", ch.node.Span)
	}
	if c.infoIrreversible {
		ch.info.Irreversible = ch.irreversible(plainName(c.open.object.get("name")))
	}
	c.open.changes = append(c.open.changes, ch)
}

func (c *compiler) timestamps(s *callSite) value {
	done := value{atomOK, s.node.Span}
	if u, ok := unknownArgument(s.args); ok {
		c.opaque(s.whole, u.reason)
		return done
	}
	written, ok := optionsAt(s.args, 0)
	if !ok {
		noClause("timestamps", 1, s.node.Span)
	}
	opts := mergePairs(movedPairs(c.config().timestamps, s.node.Span), written)
	if _, ok := option(opts, "null"); !ok {
		opts = append([]pair{{value{atom("null"), s.node.Span}, value{atomFalse, s.node.Span}}}, opts...)
	}
	names := []value{{atom("inserted_at"), s.node.Span}, {atom("updated_at"), s.node.Span}}
	typ := value{atom("naive_datetime"), s.node.Span}
	var rest []pair
	for _, p := range opts {
		switch {
		case p.key.is("type"):
			typ = p.value
		case p.key.is("inserted_at"):
			names[0] = p.value
		case p.key.is("updated_at"):
			names[1] = p.value
		default:
			rest = append(rest, p)
		}
	}
	info := c.commandInfo(s, nil, written)
	for _, name := range names {
		if name.is(atomFalse) {
			continue
		}
		if _, isAtom := name.data.(atom); !isAtom {
			noClause("add", 3, s.node.Span)
		}
		ch := &change{action: "add", name: name, typ: typ, hasType: true, opts: rest, node: s.whole, info: info}
		checkPrecision(ch)
		checkType(typ)
		c.addChange(ch)
	}
	return done
}
