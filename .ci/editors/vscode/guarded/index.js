// A user who has not yet said whether the workspace is to be trusted, and who
// has two other extensions: one for Elixir, with its grammar, and one that
// takes .sql files as a language of its own. run.mjs works the page.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const vscode = require('vscode');
const { activate, closeAll, code, diagnostic, diagnostics, eventually, file, notified, open, query, quickFix, sleep, test, ui } = require('./lib.js');

const { METRICS_DB } = process.env;
const indexFile = () => file('metrics/migrations/00002_index_device_names.sql');
const ectoFile = () => file('shop/priv/repo/migrations/20260102000000_index_product_names.exs');
const view = '.pane-body .monaco-list-row';

const sources = uri => vscode.languages.getDiagnostics(uri).map(d => d.source);
const labels = async (uri, position) => {
  const list = await vscode.commands.executeCommand('vscode.executeCompletionItemProvider', uri, position, undefined, 200);
  return list.items.map(i => (typeof i.label === 'string' ? i.label : i.label.label));
};
const once = list => assert.deepEqual(list, [...new Set(list)]);

test('a workspace that is not trusted is linted, by the server of the extension', async () => {
  assert.equal(vscode.workspace.isTrusted, false);
  const document = (await open(indexFile())).document;
  assert.equal(document.languageId, 'postgres');
  await eventually('the diagnostic', () => diagnostic(indexFile(), 'require-concurrent-index-creation'));
  const text = await vscode.commands.executeCommand('ddlsp.copyDebugInformation');
  // The workspace's own settings name another program.
  assert.match(fs.readFileSync(file('.vscode/settings.json').fsPath, 'utf8'), /ddlsp.server.path/);
  assert.match(text, /bin\/ddlsp, from the extension\)/);
  assert.match(text, /, not trusted$/m);
  await closeAll();
});

test('its database is not opened, and it is said why', async () => {
  await open(indexFile());
  const before = query('postgres', `SELECT COALESCE(max(backend_start)::text, '') FROM pg_stat_activity WHERE datname = '${METRICS_DB}'`);
  for (const command of ['ddlsp.migrate', 'ddlsp.rollback', 'ddlsp.redo', 'ddlsp.status', 'ddlsp.verify', 'ddlsp.selectDatabase', 'ddlsp.migrateTo']) {
    await closeAll();
    const running = vscode.commands.executeCommand(command, { uri: indexFile().toString() });
    await notified('This workspace is not trusted');
    await vscode.commands.executeCommand('notifications.clearAll');
    assert.equal((await running) ?? null, null);
  }
  assert.equal(query('postgres', `SELECT COALESCE(max(backend_start)::text, '') FROM pg_stat_activity WHERE datname = '${METRICS_DB}'`), before);
  assert.equal(query(METRICS_DB, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"), '0');
  await closeAll();
});

test('the view shows the files, and offers nothing that runs', async () => {
  await vscode.commands.executeCommand('ddlsp.migrations.focus');
  await ui('see', { selector: view, text: 'create_devices' });
  assert.equal(await ui('count', { selector: '.pane-header .action-label[aria-label^="Read the State"], .title-actions .action-label[aria-label^="Read the State"]' }), 0);
  await ui('screenshot', { name: 'view-untrusted' });
  await vscode.commands.executeCommand('workbench.view.explorer');
});

test('lenses show SQL and run nothing', async () => {
  await open(indexFile());
  const lenses = await eventually('the lenses', async () => {
    const all = await vscode.commands.executeCommand('vscode.executeCodeLensProvider', indexFile(), 20);
    return all.length > 0 ? all : undefined;
  });
  assert.deepEqual([...new Set(lenses.map(l => l.command?.command))], ['ddlsp.showSql']);
  await closeAll();
});

test('beside another linter each says its own, once', async () => {
  await open(indexFile());
  await eventually('both', () => sources(indexFile()).includes('ddlsp') && sources(indexFile()).includes('postgres-neighbour'));
  once(diagnostics(indexFile()).map(code));
  const here = await labels(indexFile(), new vscode.Position(1, 0));
  assert(here.includes('from_the_neighbour'), here.join(', '));
  once(here);
  await quickFix(indexFile(), diagnostic(indexFile(), 'require-concurrent-index-creation').range);
  await eventually('the fix', () => vscode.window.activeTextEditor.document.getText().includes('CREATE INDEX CONCURRENTLY'));
  await vscode.commands.executeCommand('workbench.action.files.revert');
  await closeAll();
});

test('beside an Elixir extension each completes its own, once', async () => {
  const uri = ectoFile();
  const editor = await open(uri);
  assert.equal(editor.document.languageId, 'elixir');
  await eventually('both', () => sources(uri).includes('ddlsp') && sources(uri).includes('elixir-neighbour'));
  once(diagnostics(uri).map(code));
  const hovers = await vscode.commands.executeCommand('vscode.executeHoverProvider', uri, new vscode.Position(4, 6));
  const said = hovers.flatMap(h => h.contents).map(c => c.value ?? c);
  assert(said.includes('hover of the neighbour') && said.some(s => /CREATE INDEX/.test(s)), said.join(' | '));
  // In the body of change, templates and the neighbour's items.
  await editor.edit(e => e.insert(new vscode.Position(4, 0), '    \n'));
  const body = await labels(uri, new vscode.Position(4, 4));
  assert(body.includes('from_the_neighbour') && body.length > 1, body.join(', '));
  once(body);
  // Behind a dot of Elixir's own, nothing of ours.
  await editor.edit(e => e.insert(new vscode.Position(4, 4), 'Enum.'));
  assert.deepEqual(await labels(uri, new vscode.Position(4, 9)), ['from_the_neighbour']);
  await vscode.commands.executeCommand('workbench.action.files.revert');
  await closeAll();
});

test('Elixir that is no migration is left to its extension', async () => {
  const uri = file('shop/lib/shop/repo.ex');
  await open(uri);
  await eventually('the neighbour', () => sources(uri).includes('elixir-neighbour'));
  await sleep(300);
  assert.deepEqual([...new Set(sources(uri))], ['elixir-neighbour']);
  assert.deepEqual(await labels(uri, new vscode.Position(1, 0)), ['from_the_neighbour']);
  const hovers = await vscode.commands.executeCommand('vscode.executeHoverProvider', uri, new vscode.Position(1, 4));
  assert.equal(hovers.length, 1);
  await closeAll();
});

test('SQL in execute has the colours of SQL, and Elixir goes on behind it', async () => {
  const uri = file('shop/priv/repo/migrations/20260103000000_colours.exs');
  const text = `defmodule Shop.Repo.Migrations.Colours do
  use Ecto.Migration

  def change do
    execute "CREATE EXTENSION citext", "DROP EXTENSION citext"
    execute """
    CREATE VIEW cheap AS SELECT 'it''s "quoted"' FROM products WHERE name = '#{name_of(:x)}' -- a comment with "
    """, """
    DROP VIEW cheap
    """
    execute(
      ~s|UPDATE products SET name = lower(name)|,
      ""
    )
    create index(:products, [fragment("lower(name)")])
    executed "SELECT nothing"
    add :name, :text, default: "SELECT"
  end
end
`;
  fs.writeFileSync(uri.fsPath, text);
  await open(uri);
  const words = ['CREATE', 'DROP', 'UPDATE', 'def', '"SELECT nothing"'];
  const colours = await eventually('the colours', async () => {
    const seen = await ui('colours', { words });
    return words.every(w => seen[w].length > 0) ? seen : undefined;
  });
  // Every keyword of SQL looks alike, and not as a string of Elixir's does.
  const [keyword] = colours.CREATE;
  for (const word of ['CREATE', 'DROP', 'UPDATE']) {
    assert(colours[word].every(c => c === keyword), JSON.stringify(colours));
  }
  assert(!colours['"SELECT nothing"'].includes(keyword), JSON.stringify(colours));
  await ui('screenshot', { name: 'colours' });
  await closeAll();
  fs.rmSync(uri.fsPath);
});

exports.activate = activate;
