package migration

import (
	"strings"

	"github.com/ddlsp/ddlsp/internal/pgparse"
	"github.com/ddlsp/ddlsp/internal/source"
)

// alterWhat names the sub-commands of ALTER TABLE that have no Op of their
// own.
var alterWhat = map[string]string{
	"AT_SetStatistics": "set statistics", "AT_SetOptions": "set column options", "AT_ResetOptions": "reset column options",
	"AT_SetStorage": "set storage", "AT_SetCompression": "set compression", "AT_AlterConstraint": "alter constraint",
	"AT_ChangeOwner": "owner to", "AT_ClusterOn": "cluster on", "AT_DropCluster": "set without cluster",
	"AT_SetLogged": "set logged", "AT_SetUnLogged": "set unlogged", "AT_SetAccessMethod": "set access method",
	"AT_SetTableSpace": "set tablespace", "AT_EnableTrig": "enable trigger", "AT_EnableAlwaysTrig": "enable always trigger",
	"AT_EnableReplicaTrig": "enable replica trigger", "AT_DisableTrig": "disable trigger", "AT_EnableTrigAll": "enable trigger all",
	"AT_DisableTrigAll": "disable trigger all", "AT_EnableTrigUser": "enable trigger user", "AT_DisableTrigUser": "disable trigger user",
	"AT_EnableRule": "enable rule", "AT_EnableAlwaysRule": "enable always rule", "AT_EnableReplicaRule": "enable replica rule",
	"AT_DisableRule": "disable rule", "AT_AddInherit": "inherit", "AT_DropInherit": "no inherit", "AT_AddOf": "of", "AT_DropOf": "not of",
	"AT_ReplicaIdentity": "replica identity", "AT_EnableRowSecurity": "enable row level security",
	"AT_DisableRowSecurity": "disable row level security", "AT_ForceRowSecurity": "force row level security",
	"AT_NoForceRowSecurity": "no force row level security", "AT_AddIdentity": "add identity", "AT_SetIdentity": "set identity",
	"AT_DropIdentity": "drop identity", "AT_DropExpression": "drop expression",
}

func (r *reader) alterTable(s *pgparse.AlterTableStmt) {
	table := r.relation(s.Relation)
	i := r.tok(table.Span.End)
	for _, n := range s.Cmds {
		c := n.GetAlterTableCmd()
		if c == nil {
			continue
		}
		span := r.list(i)
		next := r.tok(span.End) + 1
		r.alterCommand(c, table, i, span)
		i = next
	}
}

func (r *reader) alterCommand(c *pgparse.AlterTableCmd, table Name, at int, span source.Span) {
	cascade := c.Behavior.String() == "DROP_CASCADE"
	column := Ident{c.Name, r.find(at, c.Name)}
	switch what := c.Subtype.String(); what {
	case "AT_AddColumn":
		col := r.column(c.Def.GetColumnDef())
		r.add(&AddColumn{Table: table, Column: col, IfNotExists: c.MissingOk})
	case "AT_DropColumn":
		r.add(&DropColumn{Table: table, Column: column, IfExists: c.MissingOk, Cascade: cascade})
	case "AT_AlterColumnType":
		d := c.Def.GetColumnDef()
		op := &AlterColumnType{Table: table, Column: column, Type: r.typ(d.GetTypeName())}
		if d.GetRawDefault() != nil {
			if u := r.word(r.tok(op.Type.Span.End), "using"); u >= 0 {
				op.Using = r.expr(d.RawDefault, r.exprSpan(u+1, span.End, false))
			}
		}
		if d.GetCollClause() != nil {
			op.Collation = strings.Join(stringsOf(d.CollClause.Collname), ".")
		}
		r.add(op)
	case "AT_SetNotNull", "AT_DropNotNull":
		r.add(&SetNotNull{Table: table, Column: column, Drop: what == "AT_DropNotNull"})
	case "AT_ColumnDefault":
		op := &SetDefault{Table: table, Column: column}
		if c.Def != nil {
			if d := r.word(r.tok(column.Span.End), "default"); d >= 0 {
				op.Default = r.expr(c.Def, r.exprSpan(d+1, span.End, false))
			}
		}
		r.add(op)
	case "AT_AddConstraint", "AT_AddIndexConstraint":
		if x, ok := r.constraint(c.Def.GetConstraint()); ok {
			r.add(&AddConstraint{Table: table, Constraint: x})
		}
	case "AT_DropConstraint":
		r.add(&DropConstraint{Table: table, Constraint: column, IfExists: c.MissingOk, Cascade: cascade})
	case "AT_ValidateConstraint":
		r.add(&ValidateConstraint{Table: table, Constraint: column})
	case "AT_SetRelOptions", "AT_ReplaceRelOptions":
		r.add(&SetTableOptions{Table: table, Options: r.options(c.Def.GetList().GetItems())})
	case "AT_ResetRelOptions":
		r.add(&SetTableOptions{Table: table, Options: r.options(c.Def.GetList().GetItems()), Reset: true})
	case "AT_AttachPartition":
		p := c.Def.GetPartitionCmd()
		op := &AttachPartition{Table: table, Partition: r.relation(p.GetName())}
		if p.GetBound() != nil {
			op.Bound = r.bound(op.Partition.Span.End)
		}
		r.add(op)
	case "AT_DetachPartition", "AT_DetachPartitionFinalize":
		p := c.Def.GetPartitionCmd()
		r.add(&DetachPartition{Table: table, Partition: r.relation(p.GetName()), Concurrently: p.GetConcurrent(), Finalize: what == "AT_DetachPartitionFinalize"})
	default:
		name := alterWhat[what]
		if name == "" {
			name = strings.ToLower(strings.TrimPrefix(what, "AT_"))
		}
		target := c.Name
		if owner := c.Newowner; owner != nil {
			target = owner.Rolename
		}
		r.add(&AlterTable{Table: table, What: name, Target: target})
	}
}

// kinds are the names of objects, as SQL writes them in lower case.
var kinds = map[string]string{
	"OBJECT_MATVIEW": "materialized view", "OBJECT_FOREIGN_TABLE": "foreign table", "OBJECT_EVENT_TRIGGER": "event trigger",
	"OBJECT_TABCONSTRAINT": "constraint", "OBJECT_DOMCONSTRAINT": "domain constraint", "OBJECT_STATISTIC_EXT": "statistics",
	"OBJECT_OPCLASS": "operator class", "OBJECT_OPFAMILY": "operator family", "OBJECT_TSCONFIGURATION": "text search configuration",
	"OBJECT_TSDICTIONARY": "text search dictionary", "OBJECT_FDW": "foreign data wrapper", "OBJECT_FOREIGN_SERVER": "server",
	"OBJECT_DEFACL": "default privileges", "OBJECT_ACCESS_METHOD": "access method", "OBJECT_USER_MAPPING": "user mapping",
}

func kind(o pgparse.ObjectType) string {
	s := o.String()
	if k, ok := kinds[s]; ok {
		return k
	}
	return strings.ToLower(strings.TrimPrefix(s, "OBJECT_"))
}

func (r *reader) rename(s *pgparse.RenameStmt) {
	op := &Rename{Kind: kind(s.RenameType), From: s.Subname, To: s.Newname}
	if s.Relation != nil {
		op.Object = r.relation(s.Relation)
	} else {
		op.Object = r.object(s.Object, r.from+2)
	}
	switch op.Kind {
	case "table", "view", "index", "materialized view", "sequence", "foreign table":
		op.From = op.Object.Name
	case "schema":
		op.Object, op.From = Name{Name: s.Subname, Span: r.find(r.from+2, s.Subname)}, s.Subname
	}
	r.add(op)
}

func (r *reader) setSchema(s *pgparse.AlterObjectSchemaStmt) {
	op := &SetSchema{Kind: kind(s.ObjectType), Schema: s.Newschema}
	if s.Relation != nil {
		op.Object = r.relation(s.Relation)
	} else {
		op.Object = r.object(s.Object, r.from+2)
	}
	r.add(op)
}

// object reads what DROP, COMMENT and ALTER give as a generic node: a name, a
// list of names, a type or a function with its arguments.
func (r *reader) object(n *pgparse.Node, i int) Name {
	switch {
	case n == nil:
		return Name{}
	case n.GetList() != nil:
		return r.qualified(n.GetList().Items, i)
	case n.GetString_() != nil:
		return Name{Name: n.GetString_().Sval, Span: r.find(i, n.GetString_().Sval)}
	case n.GetTypeName() != nil:
		return r.qualified(n.GetTypeName().Names, i)
	case n.GetObjectWithArgs() != nil:
		return r.qualified(n.GetObjectWithArgs().Objname, i)
	}
	return Name{}
}
