package sqlfile

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/migration"
)

// CanWrite reports whether new migrations of the format can be written.
func CanWrite(format migration.Format) bool {
	switch format {
	case migration.GolangMigrate, migration.Goose, migration.Dbmate, migration.Tern, migration.Sqlx, migration.Diesel,
		migration.SQLMigrate, migration.Flyway, migration.Supabase, migration.NodePgMigrate, migration.Plain:
		return true
	}
	return false
}

// timestamp is how most tools write a version from the clock.
const timestamp = "20060102150405"

// NextVersion is the version of a new migration, as it stands in its file
// name: the history's own way of counting goes on, numbers with their width or
// timestamps. A timestamp is never older than the newest version, because a
// tool would pass over the migration.
func NextVersion(format migration.Format, history []*migration.Migration, now time.Time) string {
	now = now.UTC()
	last, width := newest(format, history)
	switch format {
	case migration.Diesel:
		return now.Format("2006-01-02-150405") + "-0000"
	case migration.Tern:
		return fmt.Sprintf("%0*d", max(3, width), last+1)
	case migration.Flyway:
		if last == 0 {
			return "1"
		}
	case migration.NodePgMigrate:
		return strconv.FormatInt(max(now.UnixMilli(), int64(last)+1), 10)
	}
	if len(history) > 0 && last > 0 {
		switch {
		case last < 1_000_000_000: // a sequence
			return fmt.Sprintf("%0*d", width, last+1)
		case last < 100_000_000_000: // seconds since 1970
			return strconv.FormatInt(max(now.Unix(), int64(last)+1), 10)
		}
	} else if format == migration.GolangMigrate && len(history) == 0 {
		return now.Format(timestamp)
	}
	version := now.Format(timestamp)
	if n, err := strconv.ParseUint(version, 10, 64); err == nil && n <= last {
		return nextSecond(last)
	}
	return version
}

// nextSecond is the timestamp after a version that lies in the future; a
// version that is no time is counted on.
func nextSecond(last uint64) string {
	text := strconv.FormatUint(last, 10)
	if t, err := time.Parse(timestamp, text); err == nil {
		return t.Add(time.Second).Format(timestamp)
	}
	return strconv.FormatUint(last+1, 10)
}

var leadingDigits = regex.MustCompile(`^[VUB]?([0-9]+)`)

// newest is the highest numeric version of a history and the number of digits
// that it is written with.
func newest(format migration.Format, history []*migration.Migration) (last uint64, width int) {
	_, last, width = find(format, history)
	return last, width
}

// Newest is the migration that decides what the next version is, nil in a
// history without numbers.
func Newest(format migration.Format, history []*migration.Migration) *migration.Migration {
	m, _, _ := find(format, history)
	return m
}

func find(format migration.Format, history []*migration.Migration) (newest *migration.Migration, last uint64, width int) {
	for _, m := range history {
		name := filepath.Base(m.Path())
		if format == migration.Diesel || format == migration.Prisma {
			name = filepath.Base(filepath.Dir(m.Path()))
		}
		d := leadingDigits.FindStringSubmatch(name)
		if d == nil {
			continue
		}
		n, err := strconv.ParseUint(d[1], 10, 64)
		if err == nil && n >= last {
			newest, last, width = m, n, len(d[1])
		}
	}
	return newest, last, width
}

// FileNames are the names of a new migration's files relative to its
// directory, with /; the one with the up direction first.
func FileNames(format migration.Format, version, name string) []string {
	name = snake(name)
	switch format {
	case migration.GolangMigrate, migration.Sqlx:
		return []string{version + "_" + name + ".up.sql", version + "_" + name + ".down.sql"}
	case migration.Diesel:
		return []string{version + "_" + name + "/up.sql", version + "_" + name + "/down.sql"}
	case migration.Flyway:
		return []string{"V" + version + "__" + name + ".sql"}
	}
	return []string{version + "_" + name + ".sql"}
}

// snake is a name as file names have it: lower-case words with underscores
// between.
func snake(name string) string {
	var b strings.Builder
	lower := false // the last rune was a lower-case letter or a digit
	for _, r := range name {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r >= 0x80:
			b.WriteRune(r)
			lower = true
		case r >= 'A' && r <= 'Z':
			if lower {
				b.WriteByte('_')
			}
			b.WriteRune(r + 'a' - 'A')
			lower = false
		default:
			if b.Len() > 0 && !strings.HasSuffix(b.String(), "_") {
				b.WriteByte('_')
			}
			lower = false
		}
	}
	if s := strings.Trim(b.String(), "_"); s != "" {
		return s
	}
	return "migration"
}

// RenderOptions say how a migration is written.
type RenderOptions struct {
	// Name is what the migration is called, for the file name.
	Name string
	// NoTransaction: it must run outside a transaction.
	NoTransaction bool
}

// Render writes a new migration. up and down are SQL of any number of
// statements, each with its semicolon; an empty down writes none. The result
// leads from file names, relative to the directory of migrations and with /,
// to texts. It fails where the format cannot say what is asked.
func Render(format migration.Format, version, up, down string, opts RenderOptions) (map[string]string, error) {
	names := FileNames(format, version, opts.Name)
	if opts.NoTransaction {
		switch format {
		case migration.NodePgMigrate:
			return nil, fmt.Errorf("node-pg-migrate runs every SQL migration in a transaction; this one must run outside")
		case migration.GolangMigrate, migration.Dbmate, migration.Sqlx, migration.Diesel:
			for _, text := range []string{up, down} {
				if n := len(statements(text)); n > 1 {
					return nil, fmt.Errorf("%s sends a migration as one query, in which a statement that must run outside a transaction can only stand alone; this one has %d statements", format, n)
				}
			}
		}
	}
	up, down = tidy(up), tidy(down)
	out := map[string]string{}
	switch format {
	case migration.GolangMigrate:
		out[names[0]] = up
		if down != "" {
			out[names[1]] = down
		}
	case migration.Sqlx:
		head := ""
		if opts.NoTransaction {
			head = noTransaction + "\n"
		}
		out[names[0]] = head + up
		if down != "" {
			out[names[1]] = head + down
		}
	case migration.Diesel:
		out[names[0]] = up
		if down != "" {
			out[names[1]] = down
		}
		if opts.NoTransaction {
			out[strings.TrimSuffix(names[0], "up.sql")+"metadata.toml"] = "run_in_transaction = false\n"
		}
	case migration.Goose:
		head := ""
		if opts.NoTransaction {
			head = "-- +goose NO TRANSACTION\n"
		}
		text := head + "-- +goose Up\n" + gooseBlocks(up)
		if down != "" {
			text += "\n-- +goose Down\n" + gooseBlocks(down)
		}
		out[names[0]] = text
	case migration.SQLMigrate:
		flag := ""
		if opts.NoTransaction {
			flag = " notransaction"
		}
		text := "-- +migrate Up" + flag + "\n" + migrateBlocks(up)
		if down != "" {
			text += "\n-- +migrate Down" + flag + "\n" + migrateBlocks(down)
		}
		out[names[0]] = text
	case migration.Dbmate:
		flag := ""
		if opts.NoTransaction {
			flag = " transaction:false"
		}
		// dbmate wants the down section even where there is nothing to undo.
		out[names[0]] = "-- migrate:up" + flag + "\n" + up + "\n-- migrate:down" + flag + "\n" + down
	case migration.Tern:
		head := ""
		if opts.NoTransaction {
			head = ternDisableTx + "\n\n"
		}
		text := head + up
		if down != "" {
			text += "\n" + ternSeparator + "\n\n" + head + down
		}
		out[names[0]] = text
	case migration.NodePgMigrate:
		text := "-- Up Migration\n" + up
		if down != "" {
			text += "\n-- Down Migration\n" + down
		}
		out[names[0]] = text
	case migration.Flyway, migration.Supabase, migration.Plain:
		out[names[0]] = up
	default:
		return nil, fmt.Errorf("new migrations of the format %s cannot be written", format)
	}
	return out, nil
}

// tidy ends a text with one line end.
func tidy(sql string) string {
	sql = strings.Trim(sql, "\n")
	if strings.TrimSpace(sql) == "" {
		return ""
	}
	return sql + "\n"
}
