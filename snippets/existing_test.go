package snippets_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ddlsp/ddlsp/migration"
	"github.com/ddlsp/ddlsp/snippets"
)

// What the project has stands where the templates' own examples would be about
// nothing.
func TestExistingTables(t *testing.T) {
	catalog := catalogOf(`
		CREATE TABLE people (id bigint PRIMARY KEY, nick varchar(80), about text, settings jsonb, "Odd" int);
		CREATE INDEX ON people (nick);
		CREATE TABLE companies (id int PRIMARY KEY);
		CREATE TABLE readings (at timestamptz NOT NULL, sensor bigint, celsius numeric);
		SELECT create_hypertable('readings', by_range('at'));`)
	project := snippets.Project{Catalog: catalog, Tables: []string{"people", "companies"}, Hypertable: "readings", KeyType: "uuid"}
	for _, test := range []struct{ name, template, want string }{
		{"tidy", "add_column", "ALTER TABLE people ADD COLUMN note text;"},
		{"tidy", "add_index", "CREATE INDEX CONCURRENTLY people_about_index ON people (about);"},
		{"tidy", "add_gin_index", "ON people USING gin (settings"},
		{"tidy", "create_table", "person_id bigint NOT NULL REFERENCES people (id) ON DELETE CASCADE,\n    company_id bigint REFERENCES companies (id)"},
		{"tidy", "create_table", "CREATE TABLE orders ("},
		{"tidy", "add_foreign_key", "ALTER TABLE people\n    ADD COLUMN company_id integer\n    CONSTRAINT people_company_id_fkey REFERENCES companies (id)"},
		{"tidy", "retention_policy", "add_retention_policy('readings'"},
		{"tidy", "compression_policy", "timescaledb.compress_segmentby = 'sensor',\n    timescaledb.compress_orderby = 'at DESC'"},
		{"tidy", "continuous_aggregate", "time_bucket('1 hour', \"at\") AS bucket,\n    sensor,\n    avg(celsius) AS celsius\nFROM readings"},
		// The name of the migration says it better.
		{"add_size_to_boxes", "add_column", "ALTER TABLE boxes ADD COLUMN size text;"},
		{"add_nick_index_to_people", "add_index", "ON people (nick)"},
	} {
		p := project
		p.Name = test.name
		_, items := complete(t, migration.Plain, "1_"+test.name+".sql", "|", p)
		if got := find(t, items, test.template).Plain; !strings.Contains(got, test.want) {
			t.Errorf("%s in %s: no %q in\n%s", test.template, test.name, test.want, got)
		}
	}
	// A function that keeps updated_at is made once.
	touched := snippets.Project{Tables: []string{"people"}, Has: func(sql string) bool { return sql == "function app.touch" }, Catalog: catalogOf(`
		CREATE TABLE people (id bigint PRIMARY KEY);
		CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
		CREATE TRIGGER t BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION app.touch();`)}
	_, items := complete(t, migration.Plain, "1_tidy.sql", "|", touched)
	if got := find(t, items, "updated_at_trigger: trigger").Plain; !strings.Contains(got, "BEFORE UPDATE ON people\nFOR EACH ROW\nEXECUTE FUNCTION app.touch();") {
		t.Errorf("got %s", got)
	}
	if slices.Contains(labels(items), "updated_at_trigger") {
		t.Error("the function is offered again")
	}
	// Without a history, or where it has the examples, they stay.
	for _, c := range []snippets.Project{{}, {Catalog: catalogOf("CREATE TABLE orders (id uuid PRIMARY KEY, status text); CREATE TABLE later (id uuid);"), Tables: []string{"later"}}} {
		_, items := complete(t, migration.Plain, "1_tidy.sql", "|", c)
		if got := find(t, items, "add_index").Plain; !strings.Contains(got, "ON orders (status)") {
			t.Errorf("got %s", got)
		}
	}
}
