package runner

import (
	"slices"
	"testing"

	"github.com/ddlsp/ddlsp/migration"
)

func TestToolCommands(t *testing.T) {
	one, two := &migration.Migration{Version: "1", Name: "a"}, &migration.Migration{Version: "2", Name: "b"}
	history := []*migration.Migration{one, two}
	for _, tt := range []struct {
		format migration.Format
		m      *migration.Migration
		want   []string
	}{
		{migration.Ecto, two, []string{"mix ecto.migrate -r Shop.Repo --to 2", "mix ecto.rollback -r Shop.Repo --to 2"}},
		{migration.Goose, two, []string{`goose -dir 'my db' postgres "$GOOSE_DBSTRING" up-to 2`, `goose -dir 'my db' postgres "$GOOSE_DBSTRING" down-to 1`}},
		{migration.Goose, one, []string{`goose -dir 'my db' postgres "$GOOSE_DBSTRING" up-to 1`, `goose -dir 'my db' postgres "$GOOSE_DBSTRING" reset`}},
		{migration.GolangMigrate, two, []string{`migrate -path 'my db' -database "$DATABASE_URL" goto 2`, `migrate -path 'my db' -database "$DATABASE_URL" goto 1`}},
		{migration.GolangMigrate, one, []string{`migrate -path 'my db' -database "$DATABASE_URL" goto 1`, `migrate -path 'my db' -database "$DATABASE_URL" down -all`}},
		{migration.Tern, two, []string{`tern migrate --migrations 'my db' --destination 2`, `tern migrate --migrations 'my db' --destination 1`}},
		{migration.Tern, one, []string{`tern migrate --migrations 'my db' --destination 1`, `tern migrate --migrations 'my db' --destination 0`}},
		{migration.Dbmate, one, []string{`dbmate -d 'my db' migrate`, `dbmate -d 'my db' rollback`}},
		{migration.Sqlx, two, []string{"sqlx migrate run --target-version 2 --source 'my db'", "sqlx migrate revert --target-version 1 --source 'my db'"}},
		{migration.Diesel, one, []string{"diesel migration run --migration-dir 'my db'", "diesel migration revert --migration-dir 'my db'"}},
		{migration.Plain, one, nil},
		{migration.Goose, &migration.Migration{Name: "no version"}, nil},
	} {
		var got []string
		for _, c := range ToolCommands(history, tt.m, Options{Format: tt.format, Dirs: []string{"my db"}, Ecto: &Ecto{Repo: "Shop.Repo"}}) {
			got = append(got, c.Command)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s, version %q:\n%q, want\n%q", tt.format, tt.m.Version, got, tt.want)
		}
	}
}
