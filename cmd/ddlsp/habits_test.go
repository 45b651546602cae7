package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ddlsp/ddlsp/internal/pgserver/pgtest"
)

// A habit is a migration as people write it by hand, and what is wrong with it.
type habit struct {
	title string
	// body is what stands in the module.
	body string
	// rules must report it; fixed are those whose fixes are then applied.
	rules, fixed string
	// timescale: it needs TimescaleDB. look: it cannot be run, or what is wrong
	// with it has no fix.
	timescale, look bool
}

// habits are migrations of a project whose first migration has made users,
// accounts and parcels.
var habits = []habit{
	{title: "two indexes on the same column, one of them partial", rules: "name-already-taken", fixed: "name-already-taken", body: `
  def change do
    create table(:boxes, primary_key: false) do
      add :id, :binary_id, primary_key: true
      add :owner_id, references(:users, type: :binary_id, on_delete: :delete_all)
      add :state, :string, default: "open", null: false
    end

    create index(:boxes, [:owner_id])
    create index(:boxes, [:owner_id], where: "state = 'open'")
  end`},
	{title: "a bucket with the name of a column", rules: "continuous-aggregate-invalid-query", fixed: "continuous-aggregate-invalid-query", look: true, body: `
  @disable_ddl_transaction true
  @disable_migration_lock true

  def up do
    execute """
    CREATE TABLE ticks (time timestamptz NOT NULL, symbol text NOT NULL, bucket text, price numeric)
    """

    execute "SELECT create_hypertable('ticks', by_range('time'))"

    execute """
    CREATE MATERIALIZED VIEW ticks_hourly WITH (timescaledb.continuous) AS
    SELECT time_bucket('1 hour', time) AS bucket, symbol, avg(price) AS price
    FROM ticks
    GROUP BY bucket, symbol
    WITH NO DATA
    """
  end

  def down do
    execute "DROP MATERIALIZED VIEW ticks_hourly"
    execute "DROP TABLE ticks"
  end`},
	{title: "an index that another one begins with", rules: "redundant-index", fixed: "redundant-index", body: `
  def change do
    create table(:boxes) do
      add :owner_id, :binary_id
      add :state, :string
    end

    create index(:boxes, [:owner_id])
    create index(:boxes, [:owner_id, :state])
  end`},
	{title: "a reference that is to become NULL and must not be", rules: "set-null-on-not-null-column", look: true, body: `
  def change do
    create table(:boxes) do
      add :account_id, references(:accounts, type: :binary_id, on_delete: :nilify_all), null: false
    end
  end`},
	{title: "a hypertable whose key leaves out the time", rules: "hypertable-unique-missing-partition-column", fixed: "hypertable-unique-missing-partition-column", timescale: true, body: `
  def up do
    create table(:readings, primary_key: false) do
      add :id, :binary_id, primary_key: true
      add :timestamp, :timestamptz, null: false
      add :value, :decimal
    end

    execute """
    SELECT create_hypertable('readings', 'timestamp', chunk_time_interval => INTERVAL '1 day', if_not_exists => TRUE)
    """
  end

  def down do
    drop table(:readings)
  end`},
	{title: "a hypertable by a time without zone", rules: "hypertable-timestamp-type", fixed: "hypertable-timestamp-type", timescale: true, body: `
  def up do
    create table(:readings, primary_key: false) do
      add :timestamp, :utc_datetime_usec, null: false
      add :value, :decimal
    end

    execute "SELECT create_hypertable('readings', 'timestamp')"
  end

  def down do
    drop table(:readings)
  end`},
	{title: "an index that makes TimescaleDB's own needless", rules: "hypertable-duplicate-time-index", timescale: true, look: true, body: `
  def up do
    create table(:readings, primary_key: false) do
      add :timestamp, :timestamptz, null: false
      add :symbol, :string, null: false
    end

    execute "SELECT create_hypertable('readings', 'timestamp')"
    create index(:readings, [:timestamp, :symbol])
  end

  def down do
    drop table(:readings)
  end`},
	{title: "a continuous aggregate in a transaction that nothing refreshes", rules: "continuous-aggregate-in-transaction continuous-aggregate-without-policy", fixed: "continuous-aggregate-in-transaction continuous-aggregate-without-policy", look: true, body: `
  def up do
    execute """
    CREATE MATERIALIZED VIEW readings_1min
    WITH (timescaledb.continuous) AS
    SELECT time_bucket('1 minute', timestamp) AS bucket, symbol, max(price) AS high
    FROM readings
    GROUP BY bucket, symbol
    """
  end

  def down do
    execute "DROP MATERIALIZED VIEW readings_1min"
  end`},
	{title: "rows that are dropped while they are still refreshed", rules: "policy-window-overlap", look: true, body: `
  def up do
    create table(:readings, primary_key: false) do
      add :timestamp, :timestamptz, null: false
      add :value, :decimal
    end

    execute "SELECT create_hypertable('readings', 'timestamp')"

    execute """
    CREATE MATERIALIZED VIEW readings_1h WITH (timescaledb.continuous) AS
    SELECT time_bucket('1 hour', timestamp) AS bucket, max(value) FROM readings GROUP BY 1 WITH NO DATA
    """

    execute """
    SELECT add_continuous_aggregate_policy('readings_1h', start_offset => INTERVAL '90 days',
      end_offset => INTERVAL '1 hour', schedule_interval => INTERVAL '1 hour')
    """

    execute "SELECT add_retention_policy('readings', INTERVAL '30 days')"
  end

  def down do
    execute "DROP MATERIALIZED VIEW readings_1h"
    drop table(:readings)
  end`},
	{title: "CASCADE on the way back", rules: "down-cascade", fixed: "down-cascade", body: `
  def up do
    execute "CREATE MATERIALIZED VIEW busy AS SELECT count(*) FROM parcels"
  end

  def down do
    execute "DROP MATERIALIZED VIEW IF EXISTS busy CASCADE"
  end`},
	{title: "a column removed without its type", rules: "irreversible-change drop-column", fixed: "irreversible-change", body: `
  def change do
    alter table(:parcels) do
      remove :old_note
    end
  end`},
	{title: "a column modified without from", rules: "irreversible-change changing-column-type", fixed: "irreversible-change", body: `
  def change do
    alter table(:parcels) do
      modify :amount, :decimal, precision: 30, scale: 10
    end
  end`},
	{title: "a type that must be converted", rules: "changing-column-type", look: true, body: `
  def change do
    alter table(:parcels) do
      modify :status, :string, from: :integer
    end
  end`},
	{title: "an index on a table that is in use", rules: "require-concurrent-index-creation", fixed: "require-concurrent-index-creation", body: `
  def change do
    create index(:parcels, [:status])
  end`},
	{title: "indexes without transaction that lock all the same", rules: "require-concurrent-index-creation", fixed: "require-concurrent-index-creation", body: `
  @disable_ddl_transaction true
  @disable_migration_lock true

  def change do
    create unique_index(:parcels, [:label])
    create index(:parcels, [:metadata], using: :gin)
  end`},
	{title: "several indexes without transaction that may be left half done", rules: "non-atomic-migration", look: true, body: `
  @disable_ddl_transaction true
  @disable_migration_lock true

  def change do
    create index(:parcels, [:status], concurrently: true)
    create unique_index(:users, [:email])
  end`},
	{title: "full-text search by GiST, with no way back", rules: "full-text-index irreversible-change require-concurrent-index-creation", fixed: "full-text-index irreversible-change require-concurrent-index-creation", body: `
  @disable_ddl_transaction true
  @disable_migration_lock true

  def change do
    execute """
    CREATE INDEX parcels_search ON parcels
    USING GiST (to_tsvector('english', label || ' ' || description))
    """
  end`},
	{title: "a reference, and its constraint once more", rules: "name-already-taken irreversible-change adding-foreign-key-constraint", fixed: "name-already-taken", body: `
  def change do
    alter table(:parcels) do
      add :buyer_id, references(:users, type: :binary_id, on_delete: :delete_all)
    end

    execute "ALTER TABLE parcels ADD CONSTRAINT parcels_buyer_id_fkey
             FOREIGN KEY (buyer_id) REFERENCES users(id) ON DELETE CASCADE"
  end`},
	{title: "a constraint that checks every row under a lock, with no way back", rules: "irreversible-change adding-foreign-key-constraint", fixed: "irreversible-change adding-foreign-key-constraint", body: `
  def change do
    execute "ALTER TABLE parcels ADD CONSTRAINT parcels_owner_id_fkey
             FOREIGN KEY (owner_id) REFERENCES users(id) ON DELETE CASCADE"
  end`},
	{title: "a trigger that calls what is not there", rules: "trigger-function-missing", look: true, body: `
  def up do
    execute """
    CREATE TRIGGER parcels_audit AFTER INSERT OR UPDATE OR DELETE ON parcels
    FOR EACH ROW EXECUTE FUNCTION audit.log_changes()
    """
  end

  def down do
    execute "DROP TRIGGER IF EXISTS parcels_audit ON parcels"
  end`},
	{title: "a function that other tables use is dropped on the way back", rules: "down-wrong-order", look: true, body: `
  def up do
    execute """
    CREATE OR REPLACE FUNCTION touch_row() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      NEW.updated_at = now();
      RETURN NEW;
    END;
    $$
    """

    execute "CREATE TRIGGER touch_parcels BEFORE UPDATE ON parcels FOR EACH ROW EXECUTE FUNCTION touch_row()"
  end

  def down do
    execute "DROP TRIGGER IF EXISTS touch_parcels ON parcels"
    execute "DROP FUNCTION IF EXISTS touch_row()"
  end`},
	{title: "CREATE INDEX CONCURRENTLY in a transaction", rules: "concurrent-index-in-transaction", fixed: "concurrent-index-in-transaction concurrent-index-without-migration-lock-opt-out", body: `
  def up do
    execute "CREATE INDEX CONCURRENTLY parcels_by_label ON parcels (label)"
  end

  def down do
    execute "DROP INDEX CONCURRENTLY parcels_by_label"
  end`},
	{title: "comments with no way back", rules: "irreversible-change", fixed: "irreversible-change", body: `
  def change do
    execute "COMMENT ON TABLE users IS 'User accounts'"
    execute "COMMENT ON COLUMN users.email IS 'Where the user is reached'"
  end`},
}

const parcels = `CREATE TABLE users (id uuid PRIMARY KEY, email varchar(255));
CREATE TABLE accounts (id uuid PRIMARY KEY, updated_at timestamp(0));
CREATE TABLE parcels (id uuid PRIMARY KEY, label varchar(255), description text, status integer, amount numeric(20,8), old_note varchar(255), metadata jsonb, owner_id uuid, updated_at timestamp(0));
CREATE FUNCTION touch_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.updated_at = now(); RETURN NEW; END';
CREATE TRIGGER touch_accounts BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION touch_row();
`

// whole is the shape of a database with what shape leaves out: the whole types
// of columns, comments and materialized views.
func (p *project) whole() []string {
	p.t.Helper()
	return append(p.shape(), p.column(`
		SELECT 'type ' || c.oid::regclass || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || coalesce(col_description(c.oid, a.attnum), '')
			FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'm') AND a.attnum > 0 AND NOT a.attisdropped
		UNION ALL SELECT 'comment ' || oid::regclass || coalesce(obj_description(oid), '') FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'm')
		ORDER BY 1`)...)
}

// What people write by hand is reported, and its fixes lead to a migration that
// goes up, down and up again on a server.
func TestHabits(t *testing.T) {
	for _, h := range habits {
		t.Run(h.title, func(t *testing.T) {
			p := starting(t, "ecto", parcels, "DROP TABLE parcels;\nDROP TABLE accounts;\nDROP FUNCTION touch_row();\nDROP TABLE users;\n")
			const file = "priv/repo/migrations/20260102000000_habit.exs"
			p.write(file, "defmodule Shop.Repo.Migrations.Habit do\n  use Ecto.Migration\n"+h.body+"\nend\n")
			found := func() (out []string) {
				o := p.raw("lint", "--fail-on", "error", "--format", "json", file)
				for _, part := range strings.Split(o.out, `"rule"`)[1:] {
					out = append(out, strings.Split(part, `"`)[1])
				}
				return out
			}
			first := found()
			for _, rule := range strings.Fields(h.rules) {
				if !slices.Contains(first, rule) {
					t.Errorf("%s does not report it; %v do", rule, first)
				}
			}
			if h.fixed == "" {
				return
			}
			p.raw("lint", "--fix", "--unsafe-fixes", "--select", strings.ReplaceAll(h.fixed, " ", ","), file)
			rest := found()
			fixed, err := os.ReadFile(filepath.Join(p.dir, file))
			if err != nil {
				t.Fatal(err)
			}
			text := string(fixed)
			for _, rule := range strings.Fields(h.fixed) {
				if slices.Contains(rest, rule) {
					t.Errorf("%s still reports the fixed migration:\n%s", rule, text)
				}
			}
			if h.look || t.Failed() {
				return
			}
			if h.timescale {
				p.db = pgtest.Timescale(t)
			}
			p.must(0, "migrate", "--yes", "--to", "20260101000000")
			before := p.whole()
			p.must(0, "migrate", "--yes")
			after := p.whole()
			if cmp.Equal(before, after) {
				t.Errorf("nothing was changed by\n%s", text)
			}
			migrations, _ := filepath.Glob(filepath.Join(p.dir, "priv/repo/migrations/*.exs"))
			p.must(0, "rollback", "--yes", "--to", "20260102000000")
			if diff := cmp.Diff(before, p.whole()); diff != "" {
				t.Errorf("rollback does not lead back (-before +after) in %d migrations:\n%s\n%s", len(migrations), diff, text)
			}
			p.must(0, "migrate", "--yes")
			if diff := cmp.Diff(after, p.whole()); diff != "" {
				t.Errorf("the second migrate does not do what the first did:\n%s", diff)
			}
		})
	}
}
