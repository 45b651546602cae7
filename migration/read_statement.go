package migration

import (
	"slices"
	"strings"

	"github.com/ddlsp/ddlsp/internal/pgparse"
)

// statement reads one statement of the text and moves on to the next.
func (r *reader) statement(n *pgparse.Node) {
	for r.from < len(r.toks) && r.toks[r.from].IsPunct(r.sql, ';') {
		r.from++
	}
	r.dispatch(n)
	end := r.end(r.from)
	for r.from < len(r.toks) && r.toks[r.from].Start < end {
		r.from++
	}
}

func (r *reader) dispatch(n *pgparse.Node) {
	switch s := n.Node.(type) {
	case *pgparse.Node_CreateStmt:
		r.createTable(s.CreateStmt)
	case *pgparse.Node_CreateForeignTableStmt:
		r.createTable(s.CreateForeignTableStmt.BaseStmt)
	case *pgparse.Node_CreateTableAsStmt:
		r.createTableAs(s.CreateTableAsStmt)
	case *pgparse.Node_ViewStmt:
		r.createView(s.ViewStmt)
	case *pgparse.Node_AlterTableStmt:
		r.alterTable(s.AlterTableStmt)
	case *pgparse.Node_RenameStmt:
		r.rename(s.RenameStmt)
	case *pgparse.Node_AlterObjectSchemaStmt:
		r.setSchema(s.AlterObjectSchemaStmt)
	case *pgparse.Node_IndexStmt:
		r.createIndex(s.IndexStmt)
	case *pgparse.Node_ReindexStmt:
		r.reindex(s.ReindexStmt)
	case *pgparse.Node_DropStmt:
		r.drop(s.DropStmt)
	case *pgparse.Node_SelectStmt:
		r.query(s.SelectStmt)
	case *pgparse.Node_ExplainStmt, *pgparse.Node_VariableShowStmt:
		r.add(&Query{})
	case *pgparse.Node_CallStmt:
		c := r.call(s.CallStmt.Funccall)
		if op := meaning(c); op != nil {
			r.add(op)
		} else {
			r.add(&CallProcedure{Call: c})
		}
	case *pgparse.Node_DoStmt:
		r.do(s.DoStmt)
	case *pgparse.Node_CreateFunctionStmt:
		r.createFunction(s.CreateFunctionStmt)
	case *pgparse.Node_CreateTrigStmt:
		t := s.CreateTrigStmt
		r.add(&CreateTrigger{
			Trigger: Ident{t.Trigname, r.find(r.from+1, t.Trigname)}, Table: r.relation(t.Relation), Function: r.qualified(t.Funcname, max(r.word(r.from, "execute"), 0)),
			Replace: t.Replace, Row: t.Row, Transition: len(t.TransitionRels) > 0, Constraint: t.Isconstraint,
			Uses: triggerUses(t),
		})
	case *pgparse.Node_CommentStmt:
		r.comment(s.CommentStmt)
	case *pgparse.Node_GrantStmt:
		r.grant(s.GrantStmt)
	case *pgparse.Node_TransactionStmt:
		verb := strings.ToLower(strings.TrimPrefix(s.TransactionStmt.Kind.String(), "TRANS_STMT_"))
		r.add(&TxControl{Verb: strings.ReplaceAll(verb, "_", " ")})
	case *pgparse.Node_VariableSetStmt:
		op := r.set(s.VariableSetStmt)
		r.add(&op)
	case *pgparse.Node_LockStmt:
		op := &LockTable{Mode: lockMode(int(s.LockStmt.Mode)), NoWait: s.LockStmt.Nowait}
		for _, x := range s.LockStmt.Relations {
			op.Tables = append(op.Tables, r.relation(x.GetRangeVar()))
		}
		r.add(op)
	case *pgparse.Node_RefreshMatViewStmt:
		r.add(&RefreshView{View: r.relation(s.RefreshMatViewStmt.Relation), Concurrently: s.RefreshMatViewStmt.Concurrent, NoData: s.RefreshMatViewStmt.SkipData})
	case *pgparse.Node_InsertStmt:
		q := s.InsertStmt.SelectStmt.GetSelectStmt()
		op := &Write{Verb: "insert", Table: r.relation(s.InsertStmt.Relation), Query: q != nil && len(q.ValuesLists) == 0, Columns: r.targets(s.InsertStmt.Cols)}
		if c := s.InsertStmt.OnConflictClause; c != nil {
			op.Sets = r.targets(c.TargetList)
		}
		r.add(op)
	case *pgparse.Node_UpdateStmt:
		r.add(&Write{Verb: "update", Table: r.relation(s.UpdateStmt.Relation), Where: s.UpdateStmt.WhereClause != nil, Equals: equals(s.UpdateStmt.WhereClause), Columns: r.targets(s.UpdateStmt.TargetList)})
	case *pgparse.Node_DeleteStmt:
		r.add(&Write{Verb: "delete", Table: r.relation(s.DeleteStmt.Relation), Where: s.DeleteStmt.WhereClause != nil, Equals: equals(s.DeleteStmt.WhereClause)})
	case *pgparse.Node_MergeStmt:
		r.add(&Write{Verb: "merge", Table: r.relation(s.MergeStmt.Relation), Where: true})
	case *pgparse.Node_CopyStmt:
		if s.CopyStmt.IsFrom {
			r.add(&Write{Verb: "copy", Table: r.relation(s.CopyStmt.Relation)})
		} else {
			r.add(&Query{})
		}
	case *pgparse.Node_TruncateStmt:
		op := &Write{Verb: "truncate", Cascade: s.TruncateStmt.Behavior.String() == "DROP_CASCADE"}
		for _, x := range s.TruncateStmt.Relations {
			op.Tables = append(op.Tables, r.relation(x.GetRangeVar()))
		}
		if len(op.Tables) > 0 {
			op.Table = op.Tables[0]
		}
		r.add(op)
	case *pgparse.Node_VacuumStmt:
		v := s.VacuumStmt
		op := &Maintain{Verb: "vacuum"}
		if !v.IsVacuumcmd {
			op.Verb = "analyze"
		}
		for _, x := range v.Options {
			if x.GetDefElem().GetDefname() == "full" {
				op.Full = true
			}
		}
		for _, x := range v.Rels {
			op.Objects = append(op.Objects, r.relation(x.GetVacuumRelation().GetRelation()))
		}
		r.add(op)
	case *pgparse.Node_ClusterStmt:
		r.add(&Maintain{Verb: "cluster", Objects: []Name{r.relation(s.ClusterStmt.Relation)}})
	case *pgparse.Node_CheckPointStmt:
		r.add(&Maintain{Verb: "checkpoint"})
	case *pgparse.Node_AlterSystemStmt:
		r.add(&Maintain{Verb: "alter system"})
	case *pgparse.Node_CreatedbStmt:
		r.add(&Maintain{Verb: "create database", Objects: []Name{{Name: s.CreatedbStmt.Dbname}}})
	case *pgparse.Node_DropdbStmt:
		r.add(&Maintain{Verb: "drop database", Objects: []Name{{Name: s.DropdbStmt.Dbname}}})
	default:
		r.definition(n)
	}
}

// set reads SET and RESET.
func (r *reader) set(v *pgparse.VariableSetStmt) Set {
	op := Set{Name: strings.ToLower(v.Name), Local: v.IsLocal}
	kind := v.Kind.String()
	op.Reset = kind == "VAR_RESET" || kind == "VAR_RESET_ALL" || kind == "VAR_SET_DEFAULT"
	for _, a := range v.Args {
		c, ok := constant(a)
		if !ok {
			continue
		}
		op.Values = append(op.Values, c)
		if con := a.GetAConst(); con != nil {
			if i := r.tok(int(con.Location)); i < len(r.toks) {
				if op.Span.End == 0 {
					op.Span = r.toks[i].Span
				}
				op.Span.End = r.toks[i].End
			}
		}
	}
	op.Value = strings.Join(op.Values, ", ")
	return op
}

// targets are the columns that an INSERT lists or an UPDATE sets.
func (r *reader) targets(nodes []*pgparse.Node) []Ident {
	var out []Ident
	for _, n := range nodes {
		if t := n.GetResTarget(); t != nil && t.Name != "" && len(t.Indirection) == 0 {
			out = append(out, Ident{t.Name, r.find(r.tok(int(t.Location)), t.Name)})
		}
	}
	return out
}

// triggerUses are the columns that the definition of a trigger names.
func triggerUses(t *pgparse.CreateTrigStmt) []string {
	out := stringsOf(t.Columns)
	pgparse.Walk(t.WhenClause, func(n *pgparse.Node) bool {
		if c := n.GetColumnRef(); c != nil && len(c.Fields) == 2 {
			if name := c.Fields[1].GetString_().GetSval(); name != "" && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
		return true
	})
	return out
}

// lockMode is PostgreSQL's name of a lock mode number.
func lockMode(n int) string {
	names := [...]string{"", "ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE"}
	if n > 0 && n < len(names) {
		return names[n]
	}
	return "ACCESS EXCLUSIVE"
}
