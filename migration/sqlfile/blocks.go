package sqlfile

import (
	"strings"

	"github.com/ddlsp/ddlsp/internal/pgparse"
	"github.com/ddlsp/ddlsp/migration"
)

// statements are the statements of a text.
func statements(sql string) []pgparse.Piece { return pgparse.Split(sql) }

// gooseBlocks puts StatementBegin and StatementEnd around the statements that
// goose would cut before their end, and divides statements that stand on one
// line, which goose would send as one.
func gooseBlocks(sql string) string { return blocks(migration.Goose, "-- +goose ", sql) }

func migrateBlocks(sql string) string { return blocks(migration.SQLMigrate, "-- +migrate ", sql) }

func blocks(format migration.Format, marker, sql string) string {
	var b strings.Builder
	at := 0
	for _, p := range statements(sql) {
		gap := sql[at:p.Span.Start]
		if at > 0 && !strings.Contains(gap, "\n") {
			gap = "\n"
		} else if at > 0 {
			// What follows a statement on its own line (a comment) stays there.
			nl := strings.IndexByte(gap, '\n') + 1
			b.WriteString(gap[:nl])
			gap = gap[nl:]
		}
		text := sql[p.Span.Start:p.End]
		if !p.Terminated {
			text += ";"
		}
		b.WriteString(gap)
		if needsBlock(format, strings.Split(strings.TrimSuffix(text, ";"), "\n")) {
			b.WriteString(marker + "StatementBegin\n" + text + "\n" + marker + "StatementEnd")
		} else {
			b.WriteString(text)
		}
		at = p.End
	}
	rest := sql[at:]
	if !strings.HasSuffix(rest, "\n") {
		rest += "\n"
	}
	b.WriteString(rest)
	return b.String()
}
