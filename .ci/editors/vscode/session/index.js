// A user's session in a real VS Code with the real server and a real
// database. It is an extension beside the one that is tested; run.mjs works
// the page for it.
//
// PG* lead to the database server, on which the databases named by METRICS_DB
// and SHOP_DB are empty; OUT is the directory shared with run.mjs.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const vscode = require('vscode');
const { activate, closeAll, code, diagnostic, diagnostics, eventually, exists, file, notified, open, query, quickFix, save, sleep, test, ui } = require('./lib.js');

const { METRICS_DB, SHOP_DB, PGPORT } = process.env;
const host = `127.0.0.1:${PGPORT}`;

const gooseVersion = () => query(METRICS_DB, 'SELECT max(version_id) FROM goose_db_version');

const indexFile = () => file('metrics/migrations/00002_index_device_names.sql');
const ectoFile = () => file('shop/priv/repo/migrations/20260102000000_index_product_names.exs');

test('the extension starts the server that it carries', async () => {
  const extension = vscode.extensions.getExtension('ddlsp.ddlsp');
  assert(extension, 'the extension is not installed');
  await open(indexFile());
  await eventually('activation', () => extension.isActive);
  const version = await eventually('the server', () => vscode.commands.executeCommand('ddlsp.serverVersion'));
  assert.match(version, /^ddlsp/);
  await notified('bin/ddlsp, from the extension');
  const known = await vscode.commands.getCommands(true);
  for (const { command } of extension.packageJSON.contributes.commands) {
    assert(known.includes(command), `${command} is not registered`);
  }
});

test('an index built under a write lock is a problem', async () => {
  const uri = indexFile();
  await open(uri);
  const d = await eventually('the diagnostic', () => diagnostic(uri, 'require-concurrent-index-creation'));
  assert.equal(d.range.start.line, 1);
  assert.equal(typeof d.code, 'object');
  await ui('see', { selector: '.squiggly-warning, .squiggly-error' });
});

test('the status bar knows no database before one is used', async () => {
  const text = await ui('see', { selector: '.statusbar-item[id*="ddlsp"]' });
  assert.match(text, /ddlsp\s*$/);
});

test('lenses stand above the migration', async () => {
  const lenses = await eventually('the lenses', async () => {
    const all = await vscode.commands.executeCommand('vscode.executeCodeLensProvider', indexFile(), 20);
    return all.length > 0 ? all : undefined;
  });
  const commands = lenses.map(l => l.command?.command);
  assert(commands.includes('ddlsp.migrate') && commands.includes('ddlsp.showSql'), commands.join(', '));
});

test('hover shows what will run', async () => {
  const hovers = await vscode.commands.executeCommand('vscode.executeHoverProvider', indexFile(), new vscode.Position(1, 3));
  const text = hovers.flatMap(h => h.contents).map(c => c.value ?? c).join('\n');
  assert.match(text, /SHARE/);
});

test('the SQL is shown with its locks', async () => {
  await open(indexFile());
  await vscode.commands.executeCommand('ddlsp.showSql', { uri: indexFile().toString(), direction: 'up' });
  const shown = await eventually('the document', () => vscode.workspace.textDocuments.find(d => d.uri.scheme === 'ddlsp' && d.languageId === 'sql'));
  assert.match(shown.getText(), /-- locks devices: SHARE\nCREATE INDEX devices_name_idx ON devices \(name\);/);
  await closeAll();
});

test('the schema is shown that the migrations leave', async () => {
  await open(indexFile());
  await vscode.commands.executeCommand('ddlsp.schema', { uri: indexFile().toString() });
  const shown = await eventually('the document', () => vscode.workspace.textDocuments.find(d => d.uri.scheme === 'ddlsp' && d.uri.path === '/schema.sql'));
  assert.match(shown.getText(), /CREATE TABLE devices/);
  await closeAll();
});

test('a quick fix mends it', async () => {
  const uri = indexFile();
  const editor = await open(uri);
  const d = await eventually('the diagnostic', () => diagnostic(uri, 'require-concurrent-index-creation'));
  await quickFix(uri, d.range);
  await eventually('CONCURRENTLY', () => editor.document.getText().includes('CREATE INDEX CONCURRENTLY devices_name_idx'));
  await eventually(`the diagnostics to go`, () => diagnostics(uri).every(x => !/concurrent/.test(code(x))));
  await save(editor.document);
});

test('a template completes an empty migration', async () => {
  const uri = file('metrics/migrations/00003_create_readings.sql');
  const editor = await open(uri);
  const list = await vscode.commands.executeCommand('vscode.executeCompletionItemProvider', uri, new vscode.Position(0, 0), undefined, 50);
  const item = list.items.find(i => (typeof i.label === 'string' ? i.label : i.label.label).startsWith('create_table'));
  assert(item, `no create_table among ${list.items.map(i => (typeof i.label === 'string' ? i.label : i.label.label)).join(', ')}`);
  // Through the suggestions, as a user takes it.
  await vscode.commands.executeCommand('workbench.action.focusActiveEditorGroup');
  await ui('type', { text: 'create_tab' });
  await ui('see', { selector: '.suggest-widget.visible .monaco-list-row', text: 'create_table' });
  await ui('screenshot', { name: 'suggestions' });
  await ui('key', { key: 'Enter' });
  await eventually(`the table; text: ${editor.document.getText()}`, () => /CREATE TABLE readings/.test(editor.document.getText()));
  assert.match(editor.document.getText(), /-- \+goose Down/);
  await ui('key', { key: 'Escape' });
  await eventually(`a clean file`, () => diagnostics(uri).every(d => d.severity > vscode.DiagnosticSeverity.Warning));
  await save(editor.document);
});

const view = '.pane-body .monaco-list-row';
const titleAction = name => `.pane-header .action-label[aria-label^="${name}"], .title-actions .action-label[aria-label^="${name}"]`;

test('the view lists the migrations, and reads the databases when told to', async () => {
  await vscode.commands.executeCommand('ddlsp.migrations.focus');
  await ui('see', { selector: view, text: 'metrics' });
  await ui('see', { selector: view, text: 'create_devices' });
  await ui('see', { selector: view, text: 'index_product_names' });
  await ui('screenshot', { name: 'view-unread' });
  await ui('press', { selector: titleAction('Read the State') });
  await ui('see', { selector: view, text: `${METRICS_DB}: 3 pending` });
  await ui('see', { selector: view, text: `${SHOP_DB}: 2 pending` });
  assert.match(await ui('see', { selector: '.activitybar .badge-content', matching: '5' }), /5/);
  await ui('screenshot', { name: 'view-pending' });
});

test('migrate asks first, and a no changes nothing', async () => {
  await open(indexFile());
  await ui('palette', { title: 'ddlsp: Migrate' });
  const dialog = await ui('dialog', { button: 'Cancel' });
  assert.match(dialog, new RegExp(`Apply 3 migrations to ${METRICS_DB} on ${host}\\?`));
  assert.match(dialog, /index_device_names/);
  await sleep(300);
  assert.equal(exists(METRICS_DB, 'devices'), false);
});

test('migrate from the palette runs after a yes', async () => {
  await open(indexFile());
  await ui('palette', { title: 'ddlsp: Migrate' });
  await ui('see', { selector: '.monaco-dialog-box' });
  await ui('screenshot', { name: 'confirmation' });
  await ui('dialog', { button: 'Migrate' });
  await notified(`Applied 3 migrations in ${METRICS_DB} on ${host}`);
  await ui('screenshot', { name: 'applied' });
  assert.equal(query(METRICS_DB, "SELECT string_agg(version_id::text, ',' ORDER BY id) FROM goose_db_version WHERE is_applied AND version_id > 0"), '1,2,3');
  assert.equal(exists(METRICS_DB, 'readings'), true);
  assert.equal(query(METRICS_DB, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'devices_name_idx'::regclass"), 't');
  await ui('see', { selector: '.statusbar-item[id*="ddlsp"]', text: `${METRICS_DB}: up to date` });
});

test('status is a list to pick from', async () => {
  await closeAll();
  await open(indexFile());
  await ui('palette', { title: 'ddlsp: Show Status of Migrations' });
  const rows = await ui('pick', { row: 'create_devices' });
  assert(rows.some(r => /create_readings/.test(r)), rows.join(' | '));
  await eventually('the file', () => vscode.window.activeTextEditor?.document.uri.path.endsWith('00001_create_devices.sql'));
});

test('the view follows a run, and rolls back from a row', async () => {
  await vscode.commands.executeCommand('ddlsp.migrations.focus');
  await ui('see', { selector: view, text: `${METRICS_DB}: up to date` });
  await ui('screenshot', { name: 'view-applied' });
  await ui('rowAction', { row: 'create_readings', action: 'Roll Back down to' });
  const dialog = await ui('dialog', { button: 'Cancel' });
  assert.match(dialog, /Roll back 1 migration in .*\n*[\s\S]*create_readings/);
  await ui('rowAction', { row: 'index_device_names', action: 'Show SQL' });
  await eventually('the preview', () => vscode.workspace.textDocuments.some(d => d.uri.scheme === 'ddlsp' && d.getText().includes('CREATE INDEX CONCURRENTLY devices_name_idx')));
  await ui('screenshot', { name: 'view-sql' });
  await closeAll();
  await vscode.commands.executeCommand('workbench.view.explorer');
});

test('rollback rolls back one', async () => {
  await open(indexFile());
  await ui('palette', { title: 'ddlsp: Roll Back' });
  const dialog = await ui('dialog', { button: 'Roll back' });
  assert.match(dialog, new RegExp(`Roll back 1 migration in ${METRICS_DB} on ${host}\\?`));
  await notified('Rolled back 1 migration');
  assert.equal(gooseVersion(), '2');
  assert.equal(exists(METRICS_DB, 'readings'), false);
  await ui('see', { selector: '.statusbar-item[id*="ddlsp"]', text: '1 pending' });
});

test('redo rolls back one and applies it again', async () => {
  await open(indexFile());
  const before = query(METRICS_DB, "SELECT relfilenode FROM pg_class WHERE relname = 'devices_name_idx'");
  await ui('palette', { title: 'ddlsp: Redo the Last Migration' });
  const dialog = await ui('dialog', { button: 'Redo' });
  assert.match(dialog, /down: 2 index_device_names[\s\S]*up: 2 index_device_names/);
  await notified('Rolled back 1 migration and applied 1 migration');
  assert.equal(gooseVersion(), '2');
  assert.notEqual(query(METRICS_DB, "SELECT relfilenode FROM pg_class WHERE relname = 'devices_name_idx'"), before);
});

test('a lens runs what the palette runs, and asks as it does', async () => {
  await closeAll();
  await open(file('metrics/migrations/00003_create_readings.sql'));
  await ui('press', { selector: '.codelens-decoration a', text: 'Migrate' });
  const dialog = await ui('dialog', { button: 'Cancel' });
  assert.match(dialog, new RegExp(`Apply 1 migration to ${METRICS_DB} on ${host}\\?`));
  assert.equal(gooseVersion(), '2');
});

test('a protected database wants its name typed', async () => {
  await closeAll();
  await open(indexFile());
  const running = vscode.commands.executeCommand('ddlsp.migrate', { uri: indexFile().toString(), database: 'live' });
  await ui('dialog', { button: 'Migrate' });
  await ui('input', { text: METRICS_DB });
  const result = await running;
  assert.equal(result.migrations.length, 1);
  assert.equal(gooseVersion(), '3');
});

test('a password that is missing is asked for, and a wrong one again', async () => {
  await closeAll();
  const args = { uri: indexFile().toString(), database: 'asking' };
  const wrong = vscode.commands.executeCommand('ddlsp.status', args);
  await ui('input', { text: 'not it' });
  assert.equal(await wrong, null);
  await notified('password');
  await closeAll();
  const right = vscode.commands.executeCommand('ddlsp.status', args);
  await ui('input', { text: process.env.TEST_PASSWORD });
  assert.equal((await right).database, METRICS_DB);
  await ui('key', { key: 'Escape' });
  // Now it is known.
  assert.equal((await vscode.commands.executeCommand('ddlsp.status', args)).database, METRICS_DB);
  await ui('key', { key: 'Escape' });
  await vscode.commands.executeCommand('ddlsp.forgetPasswords');
  await closeAll();
});

test('a password that is kept is there for the next server, and can be forgotten', async () => {
  const args = { uri: indexFile().toString(), database: 'asking' };
  const first = vscode.commands.executeCommand('ddlsp.status', args);
  await ui('input', { text: process.env.TEST_PASSWORD });
  assert.equal((await first).database, METRICS_DB);
  await ui('key', { key: 'Escape' });
  await vscode.commands.executeCommand('notifications.showList');
  await ui('see', { selector: '.notifications-center .notification-list-item', matching: 'Keep the password' });
  await ui('press', { selector: '.notifications-center .monaco-button', text: 'Keep' });
  await closeAll();
  await vscode.commands.executeCommand('ddlsp.restart');
  await eventually('the server', () => vscode.commands.executeCommand('ddlsp.serverVersion'));
  assert.equal((await vscode.commands.executeCommand('ddlsp.status', args)).database, METRICS_DB);
  await ui('key', { key: 'Escape' });
  await vscode.commands.executeCommand('ddlsp.forgetPasswords');
  const again = vscode.commands.executeCommand('ddlsp.status', args);
  await ui('see', { selector: '.quick-input-widget input.input[type=password]' });
  await ui('key', { key: 'Escape' });
  assert.equal(await again, null);
  await closeAll();
});

test('a plan that is out of date is refused', async () => {
  const uri = indexFile().toString();
  const plan = await vscode.commands.executeCommand('ddlsp.rollback', { uri, dryRun: true });
  assert.equal(plan.dry_run, true);
  const answer = await vscode.commands.executeCommand('ddlsp.rollback', { uri, step: 2, plan: plan.plan });
  assert(answer === null || answer.error !== null, JSON.stringify(answer));
  assert.equal(gooseVersion(), '3');
});

test('a failing migration says where, and leaves nothing', async () => {
  await closeAll();
  const bad = file('metrics/migrations/00004_fail.sql');
  fs.writeFileSync(bad.fsPath, '-- +goose Up\nCREATE TABLE sensors (id bigint PRIMARY KEY);\nALTER TABLE nowhere ADD COLUMN x int;\n\n-- +goose Down\nDROP TABLE sensors;\n');
  await open(bad);
  const running = vscode.commands.executeCommand('ddlsp.migrate', { uri: bad.toString() });
  await ui('dialog', { button: 'Migrate' });
  const result = await running;
  assert.equal(result.error.sqlstate, '42P01');
  await notified('nowhere');
  const d = await eventually('the diagnostic of the run', () => vscode.languages.getDiagnostics(bad).find(x => x.source === 'ddlsp run'));
  assert.equal(d.range.start.line, 2);
  assert.equal(exists(METRICS_DB, 'sensors'), false);
  await vscode.commands.executeCommand('ddlsp.migrations.focus');
  await ui('see', { selector: view, text: `${METRICS_DB}: 1 pending` });
  await vscode.commands.executeCommand('workbench.actions.view.problems');
  await ui('size', { width: 1120, height: 620 });
  await ui('see', { selector: '.markers-panel .monaco-list-row', text: 'nowhere' });
  await sleep(500);
  await ui('screenshot', { name: 'failure' });
  await ui('size', { width: 1400, height: 900 });
  await vscode.commands.executeCommand('workbench.action.closePanel');
  await vscode.commands.executeCommand('workbench.view.explorer');
  await closeAll();
  fs.rmSync(bad.fsPath);
});

test('a run that takes long shows how far it is, and is cancelled', async () => {
  await closeAll();
  const slow = file('metrics/migrations/00004_slow.sql');
  fs.writeFileSync(slow.fsPath, '-- +goose Up\nCREATE TABLE halfway (id bigint PRIMARY KEY);\nSELECT pg_sleep(60);\n\n-- +goose Down\nDROP TABLE halfway;\n');
  await open(slow);
  const running = vscode.commands.executeCommand('ddlsp.migrate', { uri: slow.toString() });
  await ui('dialog', { button: 'Migrate' });
  const toast = '.notifications-toasts .notification-list-item';
  await eventually('the statement', () => query('postgres', "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND state = 'active' AND pid <> pg_backend_pid()") === '1');
  await ui('see', { selector: toast, text: '1 of 1: 4 slow' });
  await ui('screenshot', { name: 'progress' });
  await ui('press', { selector: `${toast} .monaco-button`, text: 'Cancel' });
  const result = await running;
  assert(result === null || result.error !== null, JSON.stringify(result));
  assert.equal(query('postgres', "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND state = 'active' AND pid <> pg_backend_pid()"), '0');
  assert.equal(exists(METRICS_DB, 'halfway'), false);
  assert.equal(gooseVersion(), '3');
  await closeAll();
  fs.rmSync(slow.fsPath);
});

test('verify runs up, down and up again on a scratch database', async () => {
  await open(indexFile());
  const result = await vscode.commands.executeCommand('ddlsp.verify', { uri: indexFile().toString(), version: '2' });
  assert.deepEqual(result.migrations.map(m => [m.version, m.outcome]), [['2', 'ok']]);
  assert.equal(gooseVersion(), '3');
  await eventually('the report', () => vscode.window.tabGroups.all.some(g => g.tabs.some(t => t.label.includes('Verification'))));
  await sleep(2500);
  await ui('screenshot', { name: 'verified' });
  await closeAll();
});

test('the command of the own tool is copied', async () => {
  await open(indexFile());
  const running = vscode.commands.executeCommand('ddlsp.toolCommand', { uri: indexFile().toString() });
  await ui('pick', { row: 'Migrate up to 2' });
  const command = 'goose -dir migrations postgres "$GOOSE_DBSTRING" up-to 2';
  assert.equal(await running, command);
  assert.equal(await vscode.env.clipboard.readText(), command);
});

test('debug information names what runs, and no secret', async () => {
  const text = await vscode.commands.executeCommand('ddlsp.copyDebugInformation');
  for (const part of [/^extension: \d/m, /^server: ddlsp .*bin\/ddlsp, from the extension/m, /, trusted$/m, /^- metrics: goose, 3 migrations$/m, /^- shop: ecto, 2 migrations$/m]) {
    assert.match(text, part);
  }
  assert(!text.includes(process.env.TEST_PASSWORD) && !text.includes(host), text);
  await closeAll();
});

test('a task lints the folder, and its problems are those of closed files', async () => {
  const bad = file('metrics/migrations/00004_lint.sql');
  fs.writeFileSync(bad.fsPath, '-- +goose Up\nCREATE INDEX devices_id_name ON devices (id, name);\n\n-- +goose Down\nDROP INDEX devices_id_name;\n');
  await closeAll();
  const [task] = await vscode.tasks.fetchTasks({ type: 'ddlsp' });
  assert(task, 'there is no task');
  const ended = new Promise(resolve => {
    const listening = vscode.tasks.onDidEndTaskProcess(e => {
      listening.dispose();
      resolve(e.exitCode);
    });
  });
  await vscode.tasks.executeTask(task);
  assert.equal(await ended, 1);
  const d = await eventually('the problem', () => vscode.languages.getDiagnostics(bad).find(x => code(x) === 'require-concurrent-index-creation'));
  assert.deepEqual([d.range.start.line, d.range.start.character, d.severity], [1, 0, vscode.DiagnosticSeverity.Warning]);
  await vscode.commands.executeCommand('workbench.action.closePanel');
  // Opened, it has each problem once.
  await open(ectoFile());
  await eventually('hints', async () => (await vscode.commands.executeCommand('vscode.executeInlayHintProvider', ectoFile(), new vscode.Range(0, 0, 20, 0))).length > 0);
  const codes = diagnostics(ectoFile()).map(code);
  assert.deepEqual(codes, [...new Set(codes)]);
  assert(codes.length > 0);
  fs.rmSync(bad.fsPath);
}, vscode.version.startsWith('1.100.') && 'the terminal of this version is not built here');

test('a preview follows the edits of its file', async () => {
  const uri = file('metrics/migrations/00003_create_readings.sql');
  const editor = await open(uri);
  await vscode.commands.executeCommand('ddlsp.showSql', { uri: uri.toString(), direction: 'down' });
  const shown = await eventually('the preview', () => vscode.workspace.textDocuments.find(d => d.uri.scheme === 'ddlsp' && /DROP TABLE/.test(d.getText())));
  const at = editor.document.getText().indexOf('DROP TABLE');
  await editor.edit(e => e.insert(editor.document.positionAt(at), 'DROP VIEW gone;\n'));
  await eventually('the new statement', () => shown.getText().includes('DROP VIEW gone;'));
  await vscode.commands.executeCommand('undo');
  await vscode.commands.executeCommand('workbench.action.files.revert');
  await closeAll();
});

test('settings switch lenses, hints and problems', async () => {
  const uri = ectoFile();
  await open(uri);
  const config = vscode.workspace.getConfiguration('ddlsp');
  const lenses = () => vscode.commands.executeCommand('vscode.executeCodeLensProvider', uri, 20);
  const hints = () => vscode.commands.executeCommand('vscode.executeInlayHintProvider', uri, new vscode.Range(0, 0, 20, 0));
  await eventually('lenses', async () => (await lenses()).length > 0);
  await eventually('hints', async () => (await hints()).length > 0);
  await eventually('problems', () => diagnostics(uri).length > 0);
  const keys = ['codeLens.enabled', 'inlayHints.locks', 'lint.enabled'];
  for (const key of keys) {
    await config.update(key, false, vscode.ConfigurationTarget.Global);
  }
  await eventually('no lenses', async () => (await lenses()).length === 0);
  await eventually('no hints', async () => (await hints()).length === 0);
  await eventually('no problems', () => diagnostics(uri).length === 0);
  for (const key of keys) {
    await config.update(key, undefined, vscode.ConfigurationTarget.Global);
  }
  await eventually('problems again', () => diagnostics(uri).length > 0);
  await closeAll();
});

test('a new migration is written from a template', async () => {
  await open(indexFile());
  await ui('palette', { title: 'ddlsp: New Migration from Template...' });
  await ui('pick', { row: 'create_table' });
  await ui('input', { text: 'create stations' });
  const document = await eventually('the file', () => {
    const d = vscode.window.activeTextEditor?.document;
    return d !== undefined && /\d+_create_stations\.sql$/.test(d.uri.path) ? d : undefined;
  });
  assert.match(document.getText(), /CREATE TABLE stations/);
  // It has live tab stops: a name typed into the first stands in every place, in both directions.
  const selected = () => vscode.window.activeTextEditor?.document.getText(vscode.window.activeTextEditor.selection);
  await eventually('the first tab stop', () => selected() === 'stations');
  await vscode.commands.executeCommand('type', { text: 'sites' });
  await eventually('its mirrors', () => /CREATE TABLE sites[^]*ON sites[^]*DROP TABLE sites/.test(document.getText()) && !/stations/.test(document.getText()));
  await save(document);
  fs.rmSync(document.uri.fsPath);
  await closeAll();
});

test('a rule is explained', async () => {
  const page = await vscode.commands.executeCommand('ddlsp.explain', { rule: 'require-concurrent-index-creation' });
  assert.match(page.text, /CONCURRENTLY/);
  await eventually('the page', () => vscode.window.tabGroups.all.some(g => g.tabs.some(t => t.label.includes('require-concurrent-index-creation'))));
  await closeAll();
});

test('an Ecto migration has problems and fixes too', async () => {
  const uri = ectoFile();
  const editor = await open(uri);
  assert.equal(editor.document.languageId, 'elixir');
  const d = await eventually('the diagnostic', () => diagnostic(uri, 'require-concurrent-index-creation'));
  await quickFix(uri, d.range);
  await eventually('concurrently: true', () => editor.document.getText().includes('concurrently: true'));
  assert.match(editor.document.getText(), /@disable_ddl_transaction true/);
  await eventually('the diagnostics to go', () => diagnostics(uri).every(x => !/concurrent/.test(code(x))));
  await save(editor.document);
});

test('Ecto migrations run and roll back', async () => {
  const uri = ectoFile().toString();
  await open(ectoFile());
  const migrating = vscode.commands.executeCommand('ddlsp.migrate', { uri });
  const dialog = await ui('dialog', { button: 'Migrate' });
  assert.match(dialog, new RegExp(`Apply 2 migrations to ${SHOP_DB} on ${host}`));
  assert.equal((await migrating).error, null);
  assert.equal(query(SHOP_DB, "SELECT string_agg(version::text, ',' ORDER BY version) FROM schema_migrations"), '20260101000000,20260102000000');
  assert.equal(exists(SHOP_DB, 'products_name_index'), true);
  const rollingBack = vscode.commands.executeCommand('ddlsp.rollback', { uri });
  await ui('dialog', { button: 'Roll back' });
  assert.equal((await rollingBack).error, null);
  assert.equal(exists(SHOP_DB, 'products_name_index'), false);
});

test('a server that does not run is explained, and a right path starts it', async () => {
  await closeAll();
  const config = vscode.workspace.getConfiguration('ddlsp');
  await config.update('server.path', '/nowhere/ddlsp', vscode.ConfigurationTarget.Global);
  await notified('there is no program /nowhere/ddlsp');
  await closeAll();
  await ui('palette', { title: 'ddlsp: Migrate' });
  await notified('there is no program /nowhere/ddlsp');
  await closeAll();
  await config.update('server.path', undefined, vscode.ConfigurationTarget.Global);
  await eventually('the server', () => vscode.commands.executeCommand('ddlsp.serverVersion'));
  await closeAll();
});

exports.activate = activate;
