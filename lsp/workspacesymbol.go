package lsp

import (
	"context"
	"strings"
	"unicode"

	"go.lsp.dev/protocol"

	"github.com/ddlsp/ddlsp/schema"
)

// workspaceSymbols bounds the answer: no list for people is longer.
const workspaceSymbols = 500

// Symbols are the tables, views, columns and indexes that the migrations of
// all projects leave, at the statements that make them. Columns and indexes
// are shown only to those who ask for something.
func (s *Server) Symbols(ctx context.Context, p *protocol.WorkspaceSymbolParams) (protocol.WorkspaceSymbolResult, error) {
	out := protocol.SymbolInformationSlice{}
	query := strings.ToLower(p.Query)
	for _, v := range worldOf(ctx) {
		projects, err := v.snap.Projects(ctx)
		if err != nil {
			continue // a mistake in the configuration has its own diagnostic
		}
		for _, pr := range projects {
			if pr.Foreign != "" {
				continue
			}
			add := func(t schema.Target, kind protocol.SymbolKind, at *schema.Origin) bool {
				if !spells(query, t.Name()) {
					return true
				}
				if at == nil || at.Statement == nil || at.Migration == nil {
					return true // made by nothing that the history shows
				}
				path, span := at.Statement.Path, at.Statement.Span
				mentionsIn(at.Migration, at.Direction, at.Statement, func(x mention) {
					if x.Target == t && x.defines {
						span = x.span
					}
				})
				loc, ok := s.location(v.snap, path, span)
				if !ok {
					return true
				}
				sym := protocol.SymbolInformation{Location: loc}
				sym.Name, sym.Kind = t.Name(), kind
				container := t.Ref.Schema
				if t.Kind == schema.ColumnMention {
					container = t.Ref.String()
				}
				sym.ContainerName = &container
				out = append(out, sym)
				return len(out) < workspaceSymbols
			}
			for r := range pr.Catalog(len(pr.History(ctx))).Relations() {
				if ctx.Err() != nil {
					return out, ctx.Err()
				}
				if !addRelation(r, query != "", add) {
					return out, nil
				}
			}
		}
	}
	return out, ctx.Err()
}

// addRelation calls add for a relation and, where parts is set, for what
// belongs to it; a false answer ends it.
func addRelation(r *schema.Relation, parts bool, add func(schema.Target, protocol.SymbolKind, *schema.Origin) bool) bool {
	kind := protocol.SymbolKindStruct
	if r.Kind != schema.Table {
		kind = protocol.SymbolKindInterface
	}
	if !add(schema.Target{Kind: schema.RelationMention, Ref: r.Ref}, kind, r.Created) {
		return false
	}
	if !parts {
		return true
	}
	for _, c := range r.Columns {
		if !add(schema.Target{Kind: schema.ColumnMention, Ref: r.Ref, Column: c.Name}, protocol.SymbolKindField, c.Created) {
			return false
		}
	}
	for _, i := range r.Indexes {
		if i.Definition == "" && i.Constraint != "" {
			continue // it comes with its constraint and has no statement
		}
		if !add(schema.Target{Kind: schema.IndexMention, Ref: i.Ref}, protocol.SymbolKindKey, i.Created) {
			return false
		}
	}
	return true
}

// spells reports whether the characters of a query, in lower case, stand in a
// name in their order: clients sort and filter further.
func spells(query, name string) bool {
	rest := []rune(query)
	for _, c := range name {
		if len(rest) == 0 {
			return true
		}
		if unicode.ToLower(c) == rest[0] {
			rest = rest[1:]
		}
	}
	return len(rest) == 0
}
