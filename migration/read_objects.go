package migration

import (
	"strings"

	"github.com/ddlsp/ddlsp/internal/pgparse"
)

// definition reads the statements that make or change objects other than
// tables and indexes.
func (r *reader) definition(n *pgparse.Node) {
	i := r.from + 2 // after CREATE and the kind's first word
	switch s := n.Node.(type) {
	case *pgparse.Node_CreateEnumStmt:
		r.add(&CreateType{Type: r.qualified(s.CreateEnumStmt.TypeName, i), Kind: "enum", Values: stringsOf(s.CreateEnumStmt.Vals)})
	case *pgparse.Node_CompositeTypeStmt:
		r.add(&CreateType{Type: r.relation(s.CompositeTypeStmt.Typevar), Kind: "composite"})
	case *pgparse.Node_CreateRangeStmt:
		r.add(&CreateType{Type: r.qualified(s.CreateRangeStmt.TypeName, i), Kind: "range"})
	case *pgparse.Node_CreateDomainStmt:
		d := s.CreateDomainStmt
		op := &CreateType{Type: r.qualified(d.Domainname, i), Kind: "domain", Base: r.typ(d.TypeName)}
		for _, x := range d.Constraints {
			if c, ok := r.constraint(x.GetConstraint()); ok {
				op.Constraints = append(op.Constraints, c)
			} else if x.GetConstraint().GetContype().String() == "CONSTR_NOTNULL" {
				op.Constraints = append(op.Constraints, Constraint{Kind: NotNullCon})
			}
		}
		r.add(op)
	case *pgparse.Node_AlterEnumStmt:
		e := s.AlterEnumStmt
		name := r.qualified(e.TypeName, i)
		if e.OldVal != "" {
			r.add(&Rename{Kind: "enum value", Object: name, From: e.OldVal, To: e.NewVal})
			return
		}
		op := &AlterEnum{Type: name, Value: e.NewVal, IfNotExists: e.SkipIfNewValExists}
		if e.NewValIsAfter {
			op.After = e.NewValNeighbor
		} else {
			op.Before = e.NewValNeighbor
		}
		r.add(op)
	case *pgparse.Node_CreateExtensionStmt:
		e := s.CreateExtensionStmt
		r.add(&Create{Kind: "extension", Object: Name{Name: e.Extname, Span: r.find(i, e.Extname)}, IfNotExists: e.IfNotExists, Options: r.options(e.Options)})
	case *pgparse.Node_CreateSchemaStmt:
		e := s.CreateSchemaStmt
		name := e.Schemaname
		if name == "" {
			name = e.Authrole.GetRolename()
		}
		r.add(&Create{Kind: "schema", Object: Name{Name: name, Span: r.find(i, name)}, IfNotExists: e.IfNotExists})
		for _, x := range e.SchemaElts {
			r.dispatch(x)
		}
	case *pgparse.Node_CreateSeqStmt:
		r.add(&Create{Kind: "sequence", Object: r.relation(s.CreateSeqStmt.Sequence), IfNotExists: s.CreateSeqStmt.IfNotExists})
	case *pgparse.Node_AlterSeqStmt:
		r.add(&AlterSequence{Sequence: r.relation(s.AlterSeqStmt.Sequence)})
	case *pgparse.Node_CreatePolicyStmt:
		p := s.CreatePolicyStmt
		r.add(&Create{Kind: "policy", Object: Name{Name: p.PolicyName, Span: r.find(i, p.PolicyName)}, Table: r.relation(p.Table)})
	case *pgparse.Node_RuleStmt:
		u := s.RuleStmt
		r.add(&Create{Kind: "rule", Object: Name{Name: u.Rulename, Span: r.find(i, u.Rulename)}, Table: r.relation(u.Relation), Replace: u.Replace})
	case *pgparse.Node_CreatePublicationStmt:
		p := s.CreatePublicationStmt
		r.add(&Create{Kind: "publication", Object: Name{Name: p.Pubname, Span: r.find(i, p.Pubname)}})
	case *pgparse.Node_CreateEventTrigStmt:
		t := s.CreateEventTrigStmt
		r.add(&Create{Kind: "event trigger", Object: Name{Name: t.Trigname, Span: r.find(i, t.Trigname)}})
	case *pgparse.Node_CreateStatsStmt:
		op := &Create{Kind: "statistics", Object: r.qualified(s.CreateStatsStmt.Defnames, i), IfNotExists: s.CreateStatsStmt.IfNotExists}
		for _, rel := range s.CreateStatsStmt.Relations {
			op.Table = r.relation(rel.GetRangeVar())
		}
		r.add(op)
	case *pgparse.Node_DefineStmt:
		d := s.DefineStmt
		k := kind(d.Kind)
		if k == "type" {
			r.add(&CreateType{Type: r.qualified(d.Defnames, i), Kind: "base"})
			return
		}
		r.add(&Create{Kind: k, Object: r.qualified(d.Defnames, i), IfNotExists: d.IfNotExists, Replace: d.Replace})
	case *pgparse.Node_CreateCastStmt:
		r.add(&Create{Kind: "cast"})
	default:
		r.add(&Other{Tag: r.tag()})
	}
}

// tag is the first two words of the statement, in lower case.
func (r *reader) tag() string {
	var words []string
	for i := r.from; i < len(r.toks) && len(words) < 2 && r.toks[i].Kind == pgparse.Word; i++ {
		words = append(words, strings.ToLower(r.toks[i].Of(r.sql)))
	}
	return strings.Join(words, " ")
}

func (r *reader) createFunction(s *pgparse.CreateFunctionStmt) {
	op := &CreateFunction{Function: r.qualified(s.Funcname, r.from+2), Procedure: s.IsProcedure, Replace: s.Replace, Returns: r.typ(s.ReturnType).Name}
	for _, n := range s.Parameters {
		p := n.GetFunctionParameter()
		switch p.GetMode().String() {
		case "FUNC_PARAM_OUT", "FUNC_PARAM_TABLE":
			continue
		}
		op.Args = append(op.Args, r.typ(p.GetArgType()))
	}
	for _, n := range s.Options {
		d := n.GetDefElem()
		switch d.GetDefname() {
		case "language":
			op.Language = strings.ToLower(defValue(d.Arg))
		case "as":
			op.Body = defValue(d.Arg)
		case "security":
			op.SecurityDefiner = truth(defValue(d.Arg))
		case "set":
			if v := d.Arg.GetVariableSetStmt(); v != nil {
				op.Sets = append(op.Sets, strings.ToLower(v.Name))
			}
		}
	}
	r.add(op)
}

func (r *reader) comment(s *pgparse.CommentStmt) {
	op := &Comment{Kind: kind(s.Objtype), Null: s.Comment == ""}
	on := max(r.word(r.from, "on"), 0)
	if op.Kind == "column" {
		parts := s.Object.GetList().GetItems()
		if len(parts) > 1 {
			op.Object = r.qualified(parts[:len(parts)-1], on+2)
			op.Column = parts[len(parts)-1].GetString_().GetSval()
		}
	} else {
		op.Object = r.object(s.Object, on+2)
	}
	// An empty string is a comment removed, as NULL is.
	r.add(op)
}

func (r *reader) grant(s *pgparse.GrantStmt) {
	op := &Grant{Revoke: !s.IsGrant, Kind: kind(s.Objtype)}
	on := max(r.word(r.from, "on"), 0)
	for _, n := range s.Objects {
		if v := n.GetRangeVar(); v != nil {
			op.Objects = append(op.Objects, r.relation(v))
		} else if o := r.object(n, on+1); !o.IsZero() {
			op.Objects = append(op.Objects, o)
		}
	}
	for _, n := range s.Privileges {
		if p := n.GetAccessPriv(); p != nil && p.PrivName != "" {
			op.Privileges = append(op.Privileges, strings.ToLower(p.PrivName))
		}
	}
	for _, n := range s.Grantees {
		role := n.GetRoleSpec()
		switch role.GetRoletype().String() {
		case "ROLESPEC_PUBLIC":
			op.To = append(op.To, "public")
		case "ROLESPEC_CSTRING":
			op.To = append(op.To, role.GetRolename())
		default:
			op.To = append(op.To, strings.ToLower(strings.TrimPrefix(role.GetRoletype().String(), "ROLESPEC_")))
		}
	}
	r.add(op)
}
