package migration

import (
	"strings"

	"github.com/ddlsp/ddlsp/internal/pgparse"
	"github.com/ddlsp/ddlsp/internal/source"
)

// do reads an anonymous block. Only PL/pgSQL is understood.
func (r *reader) do(s *pgparse.DoStmt) {
	op := &Do{Language: "plpgsql"}
	hasBody := false
	for _, n := range s.Args {
		d := n.GetDefElem()
		switch d.GetDefname() {
		case "language":
			op.Language = strings.ToLower(defValue(d.Arg))
		case "as":
			hasBody = defValue(d.Arg) != ""
		}
	}
	defer r.add(op)
	if op.Language != "plpgsql" {
		op.Opaque = "is written in " + op.Language
		return
	}
	body := -1
	for i := r.from; i < len(r.toks); i++ {
		if k := r.toks[i].Kind; k == pgparse.Dollar || k == pgparse.String {
			body = i
			break
		}
	}
	if !hasBody || body < 0 {
		op.Opaque = "has no body"
		return
	}
	first := r.toks[r.from].Start
	block, err := pgparse.DoBlock(r.sql[first:r.end(r.from)])
	if err != nil {
		op.Opaque = "cannot be read: " + err.Error()
		return
	}
	op.Raises = block.Raises
	if block.Opaque {
		op.Opaque = "executes SQL that is computed"
	}
	start := bodyStart(r.toks[body], r.sql)
	end := r.toks[body].End
	from := start // look for each text after the one before it
	for _, b := range block.Computed {
		op.Computed = append(op.Computed, Expr{SQL: b.SQL, Span: r.locate(b, start, start, end)})
	}
	for _, b := range block.Statements {
		span := r.locate(b, start, from, end)
		from = max(from, span.End)
		inner := ReadSQL(b.SQL)
		for _, x := range inner.Ops {
			op.Ops = append(op.Ops, InnerOp{Op: x, Span: span})
		}
		if (inner.Err != nil || inner.Opaque != "") && op.Opaque == "" {
			op.Opaque = "holds SQL that cannot be read"
		}
	}
}

// bodyStart is the offset of the first byte inside the quotes.
func bodyStart(t pgparse.Token, sql string) int {
	text := t.Of(sql)
	if t.Kind == pgparse.Dollar {
		if i := strings.IndexByte(text[1:], '$'); i >= 0 {
			return t.Start + i + 2
		}
	}
	return t.Start + strings.IndexByte(text, '\'') + 1
}

// locate finds the place of a block's statement: its text where it stands in
// the body as it is, else the line that it starts on.
func (r *reader) locate(b pgparse.BlockStatement, start, from, end int) source.Span {
	line := start
	for n := 1; n < b.Line && line < end; n++ {
		i := strings.IndexByte(r.sql[line:end], '\n')
		if i < 0 {
			break
		}
		line += i + 1
	}
	for _, text := range []string{b.SQL, strings.TrimPrefix(b.SQL, "SELECT ")} {
		if i := strings.Index(r.sql[max(line, from):end], text); i >= 0 && text != "" {
			at := max(line, from) + i
			return source.Span{Start: at, End: at + len(text)}
		}
	}
	stop := end
	if i := strings.IndexByte(r.sql[line:end], '\n'); i >= 0 {
		stop = line + i
	}
	text := r.sql[line:stop]
	line += len(text) - len(strings.TrimLeft(text, " \t\r"))
	return source.Span{Start: line, End: line + len(strings.TrimSpace(text))}
}
