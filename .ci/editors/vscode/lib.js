// What the sessions share: waiting, the page (run.mjs works it), the database,
// problems, and the list of tests.
//
// PG* lead to the database server; OUT is the directory shared with run.mjs.
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const vscode = require('vscode');

const { OUT } = process.env;

const root = () => vscode.workspace.workspaceFolders[0].uri.fsPath;
const file = p => vscode.Uri.file(path.join(root(), p));
const exists = (database, relation) => query(database, `SELECT to_regclass('public.${relation}') IS NOT NULL`) === 't';

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

async function eventually(what, condition, timeout = 15_000) {
  const end = Date.now() + timeout;
  for (;;) {
    const result = await condition();
    if (result) {
      return result;
    }
    if (Date.now() > end) {
      throw new Error(`waited in vain for ${what}`);
    }
    await sleep(50);
  }
}

let asked = 0;

/** Has something done in the page, and returns what run.mjs saw there. */
async function ui(action, args = {}) {
  const id = ++asked;
  const ask = path.join(OUT, `ask-${id}`);
  fs.writeFileSync(`${ask}.part`, JSON.stringify({ do: action, ...args }));
  fs.renameSync(`${ask}.part`, ask);
  const file = path.join(OUT, `answer-${id}`);
  await eventually(`the page: ${action} ${JSON.stringify(args)}`, () => fs.existsSync(file), 30_000);
  const answer = JSON.parse(fs.readFileSync(file, 'utf8'));
  if (answer.error !== undefined) {
    throw new Error(answer.error);
  }
  return answer.result;
}

function say(line) {
  fs.appendFileSync(path.join(OUT, 'log'), `${line}\n`);
}

/** Waits for a notification. The list has it even when its toast has gone. */
async function notified(text) {
  await vscode.commands.executeCommand('notifications.showList');
  const seen = await ui('see', { selector: '.notifications-center .notification-list-item', matching: text });
  await vscode.commands.executeCommand('notifications.hideList');
  return seen;
}

function query(database, sql) {
  return execFileSync('psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', database, '-c', sql], { encoding: 'utf8', env: { ...process.env, PGPASSWORD: process.env.TEST_PASSWORD } }).trim();
}

async function open(uri) {
  const document = await vscode.workspace.openTextDocument(uri);
  return vscode.window.showTextDocument(document, { preview: false, viewColumn: vscode.ViewColumn.One });
}

const diagnostics = uri => vscode.languages.getDiagnostics(uri).filter(d => d.source === 'ddlsp');
const code = d => (typeof d.code === 'object' ? d.code.value : d.code);
const diagnostic = (uri, rule) => diagnostics(uri).find(d => code(d) === rule);

/** Applies the fix that the server prefers. */
async function quickFix(uri, range) {
  const actions = await vscode.commands.executeCommand('vscode.executeCodeActionProvider', uri, range, vscode.CodeActionKind.QuickFix.value, 50);
  const action = actions.find(a => a.isPreferred);
  assert(action, `no fix is preferred among ${actions.map(a => a.title).join('; ')}`);
  if (action.edit !== undefined) {
    assert(await vscode.workspace.applyEdit(action.edit));
  }
  if (action.command !== undefined) {
    await vscode.commands.executeCommand(action.command.command, ...(action.command.arguments ?? []));
  }
}

async function save(document) {
  assert(!document.isDirty || (await document.save()), `${document.uri.path} cannot be saved`);
}

async function closeAll() {
  await vscode.commands.executeCommand('notifications.clearAll');
  await vscode.commands.executeCommand('workbench.action.closeAllEditors');
}

const tests = [];
/** A test; `not` says why it cannot be made here, if so. */
const test = (name, body, not) => tests.push({ name, body, not });

async function session() {
  let passed = 0;
  let failed = 0;
  const only = new RegExp(process.env.ONLY ?? '');
  for (const { name, body, not } of tests.filter(t => only.test(t.name))) {
    if (not) {
      say(`SKIPPED ${name}: ${not}`);
      continue;
    }
    const began = Date.now();
    try {
      await Promise.race([body(), sleep(60_000).then(() => { throw new Error('the test took too long'); })]);
      passed++;
      say(`ok   ${name} (${Date.now() - began} ms)`);
    } catch (error) {
      failed++;
      say(`FAIL ${name}\n     ${String(error.stack ?? error).replaceAll('\n', '\n     ')}`);
      await ui('screenshot', { name: `failed-test-${failed}` }).catch(() => {});
      await ui('key', { key: 'Escape' }).catch(() => {});
    }
  }
  say(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

const activate = () => {
  void session()
    .catch(error => {
      say(`FAIL ${error.stack}`);
      return 1;
    })
    .then(code => {
      fs.writeFileSync(path.join(OUT, 'exit.part'), String(code));
      fs.renameSync(path.join(OUT, 'exit.part'), path.join(OUT, 'exit'));
    });
};

module.exports = { activate, closeAll, code, diagnostic, diagnostics, eventually, exists, file, notified, open, query, quickFix, root, save, say, sleep, test, ui };
