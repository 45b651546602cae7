package runner

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ddlsp/ddlsp/migration"
)

func TestParseAddress(t *testing.T) {
	for text, want := range map[string]address{
		"postgres://u:p%40ss@h:5433/db?sslmode=require":                    {host: "h", port: "5433", user: "u", password: "p@ss", hasPassword: true, database: "db", params: map[string]string{"sslmode": "require"}},
		"ecto://u:p@h/db?ssl=true&pool_size=10":                            {host: "h", user: "u", password: "p", hasPassword: true, database: "db", params: map[string]string{"sslmode": "require"}},
		"pgx5://u@h/db?x-migrations-table=v&x-statement-timeout=5":         {host: "h", user: "u", database: "db", table: "v", params: map[string]string{}},
		"postgres://h/db?x-multi-statement=true&x-migrations-table-quoted": {host: "h", database: "db", multi: true, params: map[string]string{}},
		"postgresql://a:1,b:2/db?target_session_attrs=read-write":          {host: "a,b", port: "1,2", database: "db", params: map[string]string{"target_session_attrs": "read-write"}},
		"postgres:///db?host=/tmp/x&port=5555":                             {host: "/tmp/x", port: "5555", database: "db", params: map[string]string{}},
		"postgres://[::1]:5432/db":                                         {host: "::1", port: "5432", database: "db", params: map[string]string{}},
		"host=h port=5 dbname='my db' user=u password='it\\'s'":            {host: "h", port: "5", user: "u", password: "it's", hasPassword: true, database: "my db", params: map[string]string{}},
		"dbname = d  search_path=app,public":                               {database: "d", params: map[string]string{"search_path": "app,public"}},
		"postgres://h/db?schema=app&connection_limit=3&timescaledb.x=1":    {host: "h", database: "db", params: map[string]string{"timescaledb.x": "1"}},
	} {
		got, err := parseAddress(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, *got, cmp.AllowUnexported(address{})); diff != "" {
			t.Errorf("%s: want (-), got (+)\n%s", text, diff)
		}
	}
	for _, text := range []string{"mysql://h/db", "sqlite3:file.db", "clickhouse://h", "jdbc:postgresql://h/db", "postgres://h:x/db", "just words", "host='open"} {
		if a, err := parseAddress(text); err == nil {
			t.Errorf("%s was read as %+v", text, a)
		}
	}
}

// Whatever stands in an address, no error shows a part of the password, and no
// tool's parameter is sent.
func TestAddressKeepsItsSecret(t *testing.T) {
	t.Setenv("PGPASSFILE", "/dev/null")
	rapid.Check(t, func(rt *rapid.T) {
		secret := "S3CRET" + rapid.StringMatching(`[ -~]{0,12}`).Draw(rt, "tail") + "S3CRET"
		form := rapid.SampledFrom([]string{"postgres://u:%@h:5/db", "postgres://u:%@h/db?sslmode=bogus", "ecto://%@h/db", "host=h password=% dbname=d", "host=h password='%' sslmode=bogus", "%", "postgres://h:%/d", "postgres://h/d?password=%&sslcert=/none"}).Draw(rt, "form")
		text := strings.ReplaceAll(form, "%", secret)
		target, err := newTarget(text, "a test", ownWord, migration.Goose)
		if err != nil {
			if strings.Contains(strings.ToUpper(err.Error()), "S3CRET") {
				rt.Fatalf("%s: the error shows it: %v", text, err)
			}
			return
		}
		if strings.Contains(target.String(), "S3CRET") && target.addr.hasPassword && target.addr.password == secret {
			rt.Fatalf("%s: the name shows it: %s", text, target)
		}
		for k := range target.config.RuntimeParams {
			if strings.HasPrefix(k, "x-") || strings.HasPrefix(k, "pool_") {
				rt.Fatalf("%s: %s is sent", text, k)
			}
		}
	})
}
