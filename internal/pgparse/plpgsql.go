package pgparse

import (
	"encoding/json"
	"errors"
	"sort"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v5"
)

// A BlockStatement is one SQL statement inside a PL/pgSQL block.
type BlockStatement struct {
	// Line is the 1-based line of the block's text on which it starts.
	Line int
	SQL  string
	// Dynamic is set for EXECUTE of a string literal: SQL is its value.
	Dynamic bool
}

// A Block is what an anonymous PL/pgSQL block does.
type Block struct {
	Statements []BlockStatement
	// Raises is set when the block does nothing but raise an exception.
	Raises bool
	// Opaque is set when it executes SQL that is computed, Computed are then the
	// expressions.
	Opaque   bool
	Computed []BlockStatement
}

// maxBlock bounds the nesting words of a block, each of which costs the C
// parser a stack frame.
const maxBlock = 2000

// DoBlock reads a whole DO statement. The caller must have seen in the tree
// that it has a body: PostgreSQL's PL/pgSQL reader ends the process without
// one.
func DoBlock(do string) (*Block, error) {
	if tooComplex(do) || strings.Count(strings.ToLower(do), "begin") > maxBlock {
		return nil, ErrTooComplex
	}
	text, err := pg.ParsePlPgSqlToJSON(sanitise(do))
	if err != nil {
		return nil, err
	}
	var functions []struct {
		Function struct {
			Action map[string]json.RawMessage `json:"action"`
		} `json:"PLpgSQL_function"`
	}
	if err := json.Unmarshal([]byte(text), &functions); err != nil {
		return nil, err
	}
	if len(functions) == 0 {
		return nil, errors.New("not a PL/pgSQL block")
	}
	var tree any
	raw, err := json.Marshal(functions[0].Function.Action)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, &tree); err != nil {
		return nil, err
	}
	b := &Block{}
	b.collect(tree)
	sort.SliceStable(b.Statements, func(i, j int) bool { return b.Statements[i].Line < b.Statements[j].Line })
	sort.SliceStable(b.Computed, func(i, j int) bool { return b.Computed[i].Line < b.Computed[j].Line })
	b.Raises = onlyRaises(tree)
	return b, nil
}

func (b *Block) collect(tree any) {
	switch v := tree.(type) {
	case []any:
		for _, x := range v {
			b.collect(x)
		}
	case map[string]any:
		for key, x := range v {
			m, _ := x.(map[string]any)
			switch key {
			case "PLpgSQL_stmt_execsql":
				b.add(m, query(m["sqlstmt"]), false)
			case "PLpgSQL_stmt_perform":
				b.add(m, query(m["expr"]), false)
			case "PLpgSQL_stmt_call":
				b.add(m, query(m["expr"]), false)
			case "PLpgSQL_stmt_dynexecute":
				if sql, ok := literal(query(m["query"])); ok {
					b.add(m, sql, true)
				} else {
					line, _ := m["lineno"].(float64)
					b.Opaque = true
					b.Computed = append(b.Computed, BlockStatement{Line: int(line), SQL: query(m["query"])})
				}
			default:
				b.collect(x)
			}
		}
	}
}

func (b *Block) add(m map[string]any, sql string, dynamic bool) {
	line, _ := m["lineno"].(float64)
	b.Statements = append(b.Statements, BlockStatement{Line: int(line), SQL: sql, Dynamic: dynamic})
}

func query(x any) string {
	m, _ := x.(map[string]any)
	e, _ := m["PLpgSQL_expr"].(map[string]any)
	s, _ := e["query"].(string)
	return s
}

// literal returns the value of an expression that is one string constant.
func literal(expr string) (string, bool) {
	toks := Tokens(expr)
	if len(toks) != 1 {
		return "", false
	}
	return StringValue(toks[0].Of(expr))
}

// StringValue returns the value of a string token, as written: '...', E'...'
// without escapes other than \' and \\, or $tag$...$tag$.
func StringValue(token string) (string, bool) {
	switch {
	case strings.HasPrefix(token, "$"):
		end := strings.IndexByte(token[1:], '$')
		if end < 0 {
			return "", false
		}
		tag := token[:end+2]
		if len(token) < 2*len(tag) || !strings.HasSuffix(token, tag) {
			return "", false
		}
		return token[len(tag) : len(token)-len(tag)], true
	case len(token) >= 2 && token[0] == '\'' && token[len(token)-1] == '\'':
		return strings.ReplaceAll(token[1:len(token)-1], "''", "'"), true
	case len(token) >= 3 && (token[0] == 'e' || token[0] == 'E') && token[1] == '\'' && token[len(token)-1] == '\'':
		body := token[2 : len(token)-1]
		plain := strings.NewReplacer(`\\`, "", `\'`, "").Replace(body)
		if strings.Contains(plain, `\`) {
			return "", false
		}
		return strings.NewReplacer(`\\`, `\`, `\'`, "'", "''", "'").Replace(body), true
	}
	return "", false
}

// onlyRaises reports whether a block's body is a RAISE EXCEPTION and nothing
// else.
func onlyRaises(tree any) bool {
	m, _ := tree.(map[string]any)
	block, _ := m["PLpgSQL_stmt_block"].(map[string]any)
	body, _ := block["body"].([]any)
	raised := false
	for _, x := range body {
		s, _ := x.(map[string]any)
		for key, v := range s {
			switch key {
			case "PLpgSQL_stmt_raise":
				r, _ := v.(map[string]any)
				if level, ok := r["elog_level"].(float64); ok && level < 21 { // below ERROR
					continue
				}
				raised = true
			case "PLpgSQL_stmt_return":
			case "PLpgSQL_stmt_block":
				if onlyRaises(map[string]any{key: v}) {
					raised = true
					continue
				}
				return false
			default:
				return false
			}
		}
	}
	return raised
}
