package runner

import (
	"github.com/ddlsp/ddlsp/migration"
)

// Runs reports whether ddlsp runs the migrations of a format itself.
func Runs(f migration.Format) bool {
	switch f {
	case migration.Ecto, migration.GolangMigrate, migration.Goose, migration.Dbmate, migration.Tern, migration.Sqlx, migration.Diesel:
		return true
	}
	return false
}

// ReadsState reports whether ddlsp can tell which migrations of a format are
// applied.
func ReadsState(f migration.Format) bool {
	_, ok := others[f]
	return ok || Runs(f)
}

// A ToolCommand is what to type to have the team's own tool do something.
type ToolCommand struct {
	Title     string    `json:"title"`
	Direction Direction `json:"direction"`
	Command   string    `json:"command"`
}

// ToolCommands are the commands of the team's own tool that take the history
// up to the migration, and back to what was before it. Tools that name no
// version on their command line have commands for the next or last ones. The
// result is empty for a format whose tool ddlsp does not know.
func ToolCommands(history []*migration.Migration, m *migration.Migration, opts Options) []ToolCommand {
	r := &Runner{target: &Target{}, history: history, opts: opts}
	if m.Version == "" {
		return nil
	}
	if r.chooseTool() != nil {
		if cmd := commands[opts.Format]; cmd != "" {
			return []ToolCommand{{"Apply all that is pending", Up, cmd}}
		}
		return nil
	}
	versioned := true
	switch opts.Format {
	case migration.Ecto, migration.GolangMigrate, migration.Goose, migration.Tern, migration.Sqlx:
	default:
		versioned = false
	}
	if !versioned {
		out := []ToolCommand{{"Apply all that is pending", Up, r.tool.command(Request{Direction: Up})}}
		if o, ok := r.tool.(*other); !ok || o.down != noDown {
			out = append(out, ToolCommand{"Roll back the last migration", Down, r.tool.command(Request{Direction: Down})})
		}
		return out
	}
	up := ToolCommand{"Migrate up to " + m.Version, Up, r.tool.command(Request{Direction: Up, To: m.Version})}
	back := Request{Direction: Down, To: m.Version}
	if opts.Format != migration.Ecto {
		// These name what remains.
		back = Request{Direction: Down, All: true}
		for _, other := range history {
			if other == m {
				break
			}
			if other.Version != "" {
				back = Request{Direction: Down, ToExclusive: other.Version}
			}
		}
	}
	return []ToolCommand{up, {"Roll back down to and including " + m.Version, Down, r.tool.command(back)}}
}
