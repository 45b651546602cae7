package migration

import (
	"strings"

	"github.com/ddlsp/ddlsp/internal/pgparse"
	"github.com/ddlsp/ddlsp/internal/source"
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
	case *pgparse.Node_AlterDomainStmt:
		r.alterDomain(s.AlterDomainStmt, i)
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
		owned := false
		for _, o := range s.AlterSeqStmt.Options {
			if d := o.GetDefElem(); d.GetDefname() == "owned_by" { // OWNED BY NONE is a list of one word
				owned = len(d.GetArg().GetList().GetItems()) > 1
			}
		}
		r.add(&AlterSequence{Sequence: r.relation(s.AlterSeqStmt.Sequence), Owned: owned})
	case *pgparse.Node_CreatePolicyStmt:
		p := s.CreatePolicyStmt
		r.add(&Create{Kind: "policy", Object: Name{Name: p.PolicyName, Span: r.find(i, p.PolicyName)}, Table: r.relation(p.Table), Options: r.policyOptions(p)})
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
	case *pgparse.Node_CreateRoleStmt:
		e := s.CreateRoleStmt
		r.add(&Other{Tag: r.tag(), Object: r.named(i, e.Role), Options: r.options(e.Options)})
	case *pgparse.Node_AlterRoleStmt:
		e := s.AlterRoleStmt
		r.add(&Other{Tag: r.tag(), Object: r.named(i, e.Role.GetRolename()), Options: r.options(e.Options)})
	case *pgparse.Node_AlterRoleSetStmt:
		e := s.AlterRoleSetStmt
		r.add(&Other{Tag: r.tag(), Object: r.named(i, e.Role.GetRolename()), Settings: r.settings(e.Setstmt)})
	case *pgparse.Node_AlterDatabaseSetStmt:
		e := s.AlterDatabaseSetStmt
		r.add(&Other{Tag: r.tag(), Object: r.named(i, e.Dbname), Settings: r.settings(e.Setstmt)})
	case *pgparse.Node_CreateForeignServerStmt:
		e := s.CreateForeignServerStmt
		r.add(&Other{Tag: r.tag(), Object: r.named(i, e.Servername), Options: r.options(e.Options)})
	case *pgparse.Node_AlterForeignServerStmt:
		e := s.AlterForeignServerStmt
		r.add(&Other{Tag: r.tag(), Object: r.named(i, e.Servername), Options: r.options(e.Options)})
	case *pgparse.Node_CreateUserMappingStmt:
		e := s.CreateUserMappingStmt
		r.add(&Other{Tag: r.tag(), Object: r.named(i, e.Servername), Options: r.options(e.Options)})
	case *pgparse.Node_AlterUserMappingStmt:
		e := s.AlterUserMappingStmt
		r.add(&Other{Tag: r.tag(), Object: r.named(i, e.Servername), Options: r.options(e.Options)})
	case *pgparse.Node_CreateSubscriptionStmt:
		e := s.CreateSubscriptionStmt
		r.add(&Other{Tag: r.tag(), Object: r.named(i, e.Subname), Options: r.connection(e.Conninfo)})
	case *pgparse.Node_AlterSubscriptionStmt:
		e := s.AlterSubscriptionStmt
		op := &Other{Tag: r.tag(), Object: r.named(i, e.Subname)}
		if e.Conninfo != "" {
			op.Options = r.connection(e.Conninfo)
		}
		r.add(op)
	case *pgparse.Node_AlterFunctionStmt:
		e := s.AlterFunctionStmt
		op := &Other{Tag: r.tag(), Object: r.qualified(e.Func.GetObjname(), i)}
		for _, a := range e.Actions {
			if v := a.GetDefElem().GetArg().GetVariableSetStmt(); v != nil {
				op.Settings = append(op.Settings, r.set(v))
			}
		}
		r.add(op)
	default:
		r.add(&Other{Tag: r.tag()})
	}
}

// named is a name that stands at or after token i.
func (r *reader) named(i int, name string) Name {
	if name == "" {
		return Name{}
	}
	return Name{Name: name, Span: r.find(i, name)}
}

func (r *reader) settings(v *pgparse.VariableSetStmt) []Set {
	if v == nil {
		return nil
	}
	return []Set{r.set(v)}
}

// connection is the CONNECTION of a subscription.
func (r *reader) connection(text string) []RelOption {
	o := RelOption{Name: "connection", Value: text}
	if i := r.word(r.from, "connection"); i >= 0 && i+1 < len(r.toks) {
		o.Span = r.toks[i].Span.Union(r.toks[i+1].Span)
	}
	return []RelOption{o}
}

// policyOptions are what a row security policy is created with.
func (r *reader) policyOptions(p *pgparse.CreatePolicyStmt) []RelOption {
	kind := "restrictive"
	if p.Permissive {
		kind = "permissive"
	}
	out := []RelOption{{Name: kind}, {Name: "for", Value: strings.ToLower(p.CmdName)}}
	for _, n := range p.Roles {
		role := n.GetRoleSpec()
		name := role.GetRolename()
		if role.GetRoletype().String() == "ROLESPEC_PUBLIC" {
			name = "public"
		}
		out = append(out, RelOption{Name: "to", Value: name})
	}
	expr := func(name string, words ...string) {
		for i := r.from; i+len(words) < len(r.toks); i++ {
			at := i
			for n, w := range words {
				if !r.toks[i+n].Is(r.sql, w) {
					at = -1
					break
				}
			}
			if at >= 0 && r.toks[i+len(words)].IsPunct(r.sql, '(') {
				inside := r.parens(i + len(words))
				out = append(out, RelOption{Name: name, Value: strings.TrimSpace(inside.Of(r.sql)), Span: inside})
				return
			}
		}
	}
	if p.Qual != nil {
		expr("using", "using")
	}
	if p.WithCheck != nil {
		expr("with check", "with", "check")
	}
	return out
}

// alterDomainWhat are the forms of ALTER DOMAIN by the letter that the grammar
// gives them.
var alterDomainWhat = map[string]string{
	"C": "add constraint", "X": "drop constraint", "V": "validate constraint", "O": "set not null", "N": "drop not null", "T": "set default",
}

func (r *reader) alterDomain(s *pgparse.AlterDomainStmt, i int) {
	op := &AlterDomain{Domain: r.qualified(s.TypeName, i), What: alterDomainWhat[s.Subtype]}
	if x := s.Def.GetConstraint(); x != nil {
		if c, ok := r.constraint(x); ok {
			op.Constraint = c
		} else if x.Contype.String() == "CONSTR_NOTNULL" {
			op.Constraint = Constraint{Kind: NotNullCon, Name: x.Conname, Span: r.list(r.tok(int(x.Location)))}
		}
	}
	r.add(op)
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
		case "volatility":
			if v := strings.ToLower(defValue(d.Arg)); v != "volatile" {
				op.Volatility = v
			}
		case "security":
			op.SecurityDefiner = truth(defValue(d.Arg))
		case "set":
			if v := d.Arg.GetVariableSetStmt(); v != nil {
				op.Sets = append(op.Sets, strings.ToLower(v.Name))
				op.Settings = append(op.Settings, r.set(v))
			}
		}
	}
	op.Atomic = s.SqlBody != nil
	for i := r.from; i+1 < len(r.toks) && op.Body != ""; i++ {
		if k := r.toks[i+1].Kind; r.toks[i].Is(r.sql, "as") && (k == pgparse.Dollar || k == pgparse.String) {
			op.Clause = source.Span{Start: r.toks[i].Start, End: r.toks[i].Start}
			break
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
