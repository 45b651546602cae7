import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunMigration, RunResult, SqlResult, StatusResult } from '../contract';
import { failure, migrationName, nothingToDo, outcome, pending, planDocument, question, sqlDocument, startFailure, statusBarText } from '../text';

function migration(version: string, over: Partial<RunMigration> = {}): RunMigration {
  return { version, name: 'create_devices', direction: 'up', statements: 1, duration_ms: 5, outcome: 'planned', ...over };
}

function run(migrations: RunMigration[], over: Partial<RunResult> = {}): RunResult {
  return { database: 'shop_dev', host: '127.0.0.1:5432', direction: 'up', dry_run: true, plan: 'abc', migrations, error: null, ...over };
}

test('the question names the database, its host and every version', () => {
  const { message, detail } = question('ddlsp.migrate', run([migration('1'), migration('2', { statements: 3 })]));
  assert.equal(message, 'Apply 2 migrations to shop_dev on 127.0.0.1:5432?');
  assert.equal(detail, '1 create_devices (1 statement)\n2 create_devices (3 statements)');
});

test('a long list of versions is cut, and says by how many', () => {
  const { detail } = question('ddlsp.migrate', run(Array.from({ length: 40 }, (_, i) => migration(String(i)))));
  assert.match(detail, /\n\.\.\. and 25 more$/);
});

test('redoing one migration is one migration in two directions', () => {
  const { message, detail } = question('ddlsp.redo', run([migration('2', { direction: 'down' }), migration('2')], { direction: 'redo' }));
  assert.equal(message, 'Redo 1 migration in shop_dev on 127.0.0.1:5432?');
  assert.equal(detail, 'down: 2 create_devices (1 statement)\nup: 2 create_devices (1 statement)');
});

test('results say what changed', () => {
  assert.equal(outcome(run([migration('1', { outcome: 'applied' }), migration('2', { outcome: 'applied' })])), 'Applied 2 migrations in shop_dev on 127.0.0.1:5432 (10 ms).');
  assert.equal(outcome(run([migration('2', { outcome: 'rolled_back' })])), 'Rolled back 1 migration in shop_dev on 127.0.0.1:5432 (5 ms).');
  assert.equal(outcome(run([migration('2', { outcome: 'rolled_back' }), migration('2', { outcome: 'applied' })])), 'Rolled back 1 migration and applied 1 migration in shop_dev on 127.0.0.1:5432 (10 ms).');
  assert.equal(nothingToDo('ddlsp.migrate', run([])), 'Nothing to migrate: shop_dev on 127.0.0.1:5432 is up to date.');
});

test('a failure names the migration, the SQLSTATE and what the database holds', () => {
  const r = run([migration('1', { outcome: 'applied' }), migration('2', { outcome: 'failed' })], {
    error: { message: 'relation "devices" already exists.', sqlstate: '42P07', remains: 'Version 1 is applied.' },
  });
  assert.equal(failure(r), '2 create_devices: relation "devices" already exists. (SQLSTATE 42P07) Version 1 is applied.');
});

test('the status bar counts what is pending, out of order too', () => {
  const status: StatusResult = {
    database: 'shop_dev', host: '127.0.0.1:5432', format: 'goose', version_table: 'goose_db_version',
    migrations: [
      { version: '1', name: 'a', state: 'applied', applied_at: '2026-01-01T00:00:00Z' },
      { version: '2', name: 'b', state: 'pending', applied_at: null },
      { version: '3', name: 'c', state: 'out_of_order', applied_at: null },
      { version: '4', name: 'd', state: 'missing', applied_at: '2026-01-01T00:00:00Z' },
    ],
  };
  assert.equal(pending(status), 2);
  assert.equal(statusBarText(status), 'shop_dev: 2 pending');
  assert.equal(statusBarText({ ...status, migrations: null }), 'shop_dev: up to date');
});

test('the preview ends every statement and comments everything else', () => {
  const r: SqlResult = {
    version: '2', name: 'add_index', path: 'migrations/2_add_index.sql', format: 'goose', direction: 'up', origin: 'written', transaction: 'none', error: null,
    statements: [
      { sql: 'CREATE INDEX CONCURRENTLY i ON devices (name)', unit: 0, opaque: null, locks: [{ relation: 'devices', mode: 'SHARE UPDATE EXCLUSIVE' }] },
      { sql: 'SELECT 1;', unit: 1, opaque: 'it is built\nat run time', locks: null },
    ],
  };
  assert.equal(
    sqlDocument(r),
    `-- 2 add_index: up
-- 2 statements, outside a transaction

-- locks devices: SHARE UPDATE EXCLUSIVE
CREATE INDEX CONCURRENTLY i ON devices (name);

-- cannot be read: it is built at run time
SELECT 1;
`,
  );
  assert.match(sqlDocument({ ...r, statements: null, origin: 'missing' }), /^-- 2 add_index: up \(this direction is missing\)\n$/);
});

test('names become what files are called', () => {
  assert.equal(migrationName(' Create Devices '), 'create_devices');
  assert.equal(migrationName('addIndexToUsers'), 'add_index_to_users');
  assert.equal(migrationName('größe-2'), 'größe_2');
  assert.equal(migrationName(' -- '), '');
});

test('a server that does not start is explained', () => {
  assert.equal(startFailure('/x/ddlsp', 'ENOENT', ''), 'there is no program /x/ddlsp');
  assert.match(startFailure('/x/ddlsp', 'ENOEXEC', ''), /made for another system/);
  assert.equal(startFailure('/x/ddlsp', '2', 'ddlsp: unknown\n command'), '/x/ddlsp does not run: ddlsp: unknown command');
});

test('the question says what is dropped', () => {
  const { detail } = question('ddlsp.rollback', run([migration('2', { direction: 'down' })], { direction: 'down', drops: ['table devices'], notes: ['Version 1 has no file.'] }));
  assert.equal(detail, '2 create_devices (1 statement)\n\nThis drops table devices.\n\nVersion 1 has no file.');
});

test('a plan is shown as the SQL it sends', () => {
  const m = migration('2', { transaction: 'none', sql: [{ sql: 'DROP INDEX CONCURRENTLY i', unit: 0, locks: [{ relation: 'i', mode: 'SHARE UPDATE EXCLUSIVE' }] }] });
  assert.equal(
    planDocument(run([m])),
    '-- shop_dev on 127.0.0.1:5432\n\n-- 2 create_devices: up, outside a transaction\n\n-- locks i: SHARE UPDATE EXCLUSIVE\nDROP INDEX CONCURRENTLY i;\n',
  );
});
